// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl start: start instances again that have ended.
 */
#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_TIMEOUT("give up when it does not run after S seconds (60)"),
	OPTION_ALL,
	OPTION_JSON,
	OPTION_END
};

/* --all means all that have ended. */
static bool skip(const struct app *app, const struct mk_instance *inst)
{
	return app->opts.all && !mk_state_is_end(inst->get.state);
}

static int start_one(struct app *app, const struct mk_instance *inst,
		     void *arg, struct mk_error *err)
{
	struct noting noting;
	const struct mk_run_options run_options = {
		.timeout_ms = app->opts.timeout_s * 1000,
		.cancel = &interrupted,
		.stage = app->opts.json ? NULL : print_stage,
		.note = print_note,
		.note_arg = &noting,
	};
	struct mk_run_result result;
	int r;

	if (skip(app, inst))
		return 0;
	noting_begin(&noting, app, inst->get.name);
	r = mk_start(app->ctx, inst, &run_options, &result, err);
	finish_started(app, &result, r, &noting, arg);
	noting_end(&noting);
	return r;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	return change_named(app, argc, argv, start_one, err);
}

const struct command cmd_start = {
	.name = "start",
	.args = "NAME...",
	.summary = "Start instances again that have ended",
	.details =
		"On the same CPUs, in the same memory (scrubbed first), with the same kernel,\n"
		"initrd and command line.\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.timeout_s = 60,
	.run = run,
};

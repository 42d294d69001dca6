// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl restart: end instances and start them again.
 */
#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_TIMEOUT("wait up to S seconds for the end (30)"),
	{ "kill", 'k', NULL, "kill it when it has not ended by then", OPT_BOOL,
	  offsetof(struct options, kill) },
	{ "boot-timeout", 0, "S",
	  "give up when it does not run after S seconds (60)", OPT_SECONDS,
	  offsetof(struct options, boot_timeout_s) },
	OPTION_ALL,
	OPTION_JSON,
	OPTION_END
};

/* --all means all that run. */
static bool skip(const struct app *app, const struct mk_instance *inst)
{
	return app->opts.all && (never_started(inst) ||
				 mk_state_is_end(inst->get.state));
}

static int restart_one(struct app *app, const struct mk_instance *inst,
		       void *arg, struct mk_error *err)
{
	struct noting noting;
	const struct mk_run_options run_options = {
		.timeout_ms = app->opts.boot_timeout_s * 1000,
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
	r = mk_restart(app->ctx, inst, app->opts.kill,
		       app->opts.timeout_s * 1000, &run_options, &result, err);
	finish_started(app, &result, r, &noting, arg);
	noting_end(&noting);
	return r;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	return change_named(app, argc, argv, restart_one, err);
}

const struct command cmd_restart = {
	.name = "restart",
	.args = "NAME...",
	.summary = "End instances and start them again",
	.details =
		"As 'mkctl stop' and 'mkctl start' one after the other; one that has ended is\n"
		"only started. One that does not come up again stays ended. The log of the\n"
		"boot that ends is kept: 'mkctl logs --boot -1 NAME'.\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.timeout_s = 30,
	.boot_timeout_s = 60,
	.run = run,
};

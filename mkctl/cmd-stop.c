// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl stop: ask instances to power off, and wait for it.
 */
#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_TIMEOUT("wait up to S seconds for the end (30)"),
	{ "kill", 'k', NULL, "kill it when it has not ended by then", OPT_BOOL,
	  offsetof(struct options, kill) },
	OPTION_ALL,
	OPTION_JSON,
	OPTION_END
};

static int stop_one(struct app *app, const struct mk_instance *inst, void *arg,
		    struct mk_error *err)
{
	const struct mk_run_options run_options = {
		.timeout_ms = app->opts.timeout_s * 1000,
		.cancel = &interrupted,
	};
	int r;

	/* --all means all that run. */
	if (app->opts.all && never_started(inst))
		return 0;
	r = mk_stop(app->ctx, inst, app->opts.kill, &run_options, err);
	return r < 0 ? r : print_changed(app, inst->get.id, arg, err);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	return change_named(app, argc, argv, stop_one, err);
}

const struct command cmd_stop = {
	.name = "stop",
	.args = "NAME...",
	.summary = "Ask instances to power off and wait for their end",
	.details =
		"One that has ended already is left as it is. Its memory and log stay until\n"
		"'mkctl start' or 'mkctl rm'; its CPUs go back to the host.\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.timeout_s = 30,
	.run = run,
};

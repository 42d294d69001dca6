// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl kill: end instances at once, without asking them.
 */
#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_ALL,
	OPTION_JSON,
	OPTION_END
};

static int kill_one(struct app *app, const struct mk_instance *inst, void *arg,
		    struct mk_error *err)
{
	int r;

	/* --all means all that run. */
	if (app->opts.all && never_started(inst))
		return 0;
	r = mk_kill(app->ctx, inst, err);
	return r < 0 ? r : print_changed(app, inst->get.id, arg, err);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	return change_named(app, argc, argv, kill_one, err);
}

const struct command cmd_kill = {
	.name = "kill",
	.args = "NAME...",
	.summary = "End instances at once, whatever they are doing",
	.details =
		"Returns when their CPUs are online in the host again. One that has ended\n"
		"already is left as it is.\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};

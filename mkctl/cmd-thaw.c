// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl thaw: let the CPUs of frozen instances go on.
 */
#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_ALL,
	OPTION_JSON,
	OPTION_END
};

static int thaw_one(struct app *app, const struct mk_instance *inst, void *arg,
		    struct mk_error *err)
{
	int r;

	/* --all means all that are frozen. */
	if (app->opts.all && inst->get.state != MK_STATE_FROZEN)
		return 0;
	r = mk_instance_thaw(app->ctx, inst->get.id, err);
	return r < 0 ? r : print_changed(app, inst->get.id, arg, err);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	return change_named(app, argc, argv, thaw_one, err);
}

const struct command cmd_thaw = {
	.name = "thaw",
	.args = "NAME...",
	.summary = "Let frozen instances go on",
	.details =
		"Their clocks have gone on meanwhile.\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};

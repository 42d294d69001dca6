// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl freeze: stop the CPUs of running instances, until they are thawed.
 */
#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_ALL,
	OPTION_JSON,
	OPTION_END
};

static int freeze_one(struct app *app, const struct mk_instance *inst,
		      void *arg, struct mk_error *err)
{
	int r;

	/* --all means all that run. */
	if (app->opts.all && inst->get.state != MK_STATE_RUNNING)
		return 0;
	r = mk_instance_freeze(app->ctx, inst->get.id, err);
	return r < 0 ? r : print_changed(app, inst->get.id, arg, err);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	return change_named(app, argc, argv, freeze_one, err);
}

const struct command cmd_freeze = {
	.name = "freeze",
	.args = "NAME...",
	.summary = "Make all CPUs of instances wait",
	.details =
		"They store their registers and do nothing until 'mkctl thaw'; memory stays as it\n"
		"is. One that does not answer is left as it is.\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};

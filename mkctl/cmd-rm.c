// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl rm: remove instances that have ended; their memory goes back.
 */
#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_ALL,
	OPTION_JSON,
	OPTION_END
};

static int rm_one(struct app *app, const struct mk_instance *inst, void *arg,
		  struct mk_error *err)
{
	struct json_object *list = arg;
	struct json_object *obj;
	int r;

	r = mk_remove(app->ctx, inst, err);
	if (r < 0)
		return r;
	if (!list) {
		printf("%s: removed\n", inst->get.name);
		return 0;
	}
	obj = json_object_new_object();
	json_add_string(obj, "name", inst->get.name);
	json_add_u64(obj, "id", inst->get.id);
	json_add_u64(obj, "memory_bytes", inst->get.memory_bytes);
	json_object_array_add(list, obj);
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	return change_named(app, argc, argv, rm_one, err);
}

const struct command cmd_rm = {
	.name = "rm",
	.args = "NAME...",
	.summary = "Remove instances that do not run",
	.details =
		"Their memory is scrubbed and goes back to the pool; their log is gone.\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};

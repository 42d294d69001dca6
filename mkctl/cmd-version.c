// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl version: of this program, and of the kernel that it runs on.
 */
#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_JSON,
	OPTION_END
};

static void print_json(const struct app *app, const struct mk_info *info)
{
	struct json_object *doc = json_document(app->verb);

	json_add_string(doc, "version", mk_version());
	json_add_u64(doc, "abi_version", MK_ABI_VERSION);
	json_object_object_add(doc, "kernel_abi_version",
			       info ? json_object_new_uint64(info->abi_version)
				    : NULL);
	json_add_string(doc, "role", info ? mk_role_name(info->role) : NULL);
	json_add_string(doc, "instance_name",
			info && info->name[0] ? info->name : NULL);
	json_print(doc);
}

static void print_text(const struct mk_info *info, const struct mk_error *why)
{
	printf("mkctl %s, ABI version %u\n", mk_version(), MK_ABI_VERSION);
	if (!info) {
		printf("kernel: %s\n", why->message);
		return;
	}
	printf("kernel: ABI version %u, role %s", info->abi_version,
	       mk_role_name(info->role));
	if (info->role == MK_ROLE_INSTANCE)
		printf(", instance '%s' (id %u)", info->name,
		       info->instance_id);
	printf("\n");
}

/* A kernel without the feature is an answer here, not an error. */
static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct mk_error why = MK_ERROR_INIT;
	struct mk_info info;
	bool known;

	(void)argc;
	(void)argv;
	(void)err;
	known = mk_info_get(app->ctx, &info, &why) == 0;
	if (app->opts.json)
		print_json(app, known ? &info : NULL);
	else
		print_text(known ? &info : NULL, &why);
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.args = "",
	.summary = "Print the versions of mkctl and of this kernel's interface",
	.options = options,
	.run = run,
};

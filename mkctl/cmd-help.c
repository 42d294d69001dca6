// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl help.
 */
#include "cmd.h"

static const struct option_desc options[] = {
	{ "list-commands", 0, NULL, "names only, for completion", OPT_BOOL,
	  offsetof(struct options, quiet) },
	OPTION_JSON,
	OPTION_END
};

static void print_json(const struct app *app)
{
	struct json_object *doc = json_document(app->verb);
	struct json_object *array = json_object_new_array();
	struct json_object *obj;
	size_t i;

	for (i = 0; commands[i]; i++) {
		obj = json_object_new_object();
		json_add_string(obj, "name", commands[i]->name);
		json_add_string(obj, "args", commands[i]->args);
		json_add_string(obj, "summary", commands[i]->summary);
		json_object_array_add(array, obj);
	}
	json_object_object_add(doc, "commands", array);
	json_print(doc);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	const struct command *cmd = argc ? command_find(argv[0]) : NULL;
	size_t i;

	if (argc && !cmd) {
		mk_error_set(err, MK_ERR_USAGE, NULL, "unknown command '%s'",
			     argv[0]);
		return -EINVAL;
	}
	if (app->opts.json)
		print_json(app);
	else if (cmd)
		print_command_help(cmd, stdout);
	else if (app->opts.quiet)
		for (i = 0; commands[i]; i++)
			printf("%s\n", commands[i]->name);
	else
		print_usage(stdout);
	return 0;
}

const struct command cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "Print help about mkctl or one of its commands",
	.options = options,
	.max_args = 1,
	.run = run,
};

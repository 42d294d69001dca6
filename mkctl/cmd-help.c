// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl help.
 */
#include <string.h>

#include "cmd.h"

static const struct option_desc options[] = {
	{ "list-commands", 0, NULL, "names only, for completion", OPT_BOOL,
	  offsetof(struct options, quiet) },
	OPTION_JSON,
	OPTION_END
};

static void add_command(struct json_object *array, const struct command *cmd)
{
	struct json_object *obj = json_object_new_object();
	size_t i;

	json_add_string(obj, "name", cmd->name);
	json_add_string(obj, "args", cmd->args);
	json_add_string(obj, "summary", cmd->summary);
	json_object_array_add(array, obj);
	for (i = 0; cmd->subs && cmd->subs[i]; i++)
		add_command(array, cmd->subs[i]);
}

static void print_json(const struct app *app)
{
	struct json_object *doc = json_document(app->verb);
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; commands[i]; i++)
		add_command(array, commands[i]);
	json_object_object_add(doc, "commands", array);
	json_print(doc);
}

/* Names only: of all commands, or of those of @cmd; none may be. */
static void print_names(const struct command *cmd)
{
	const struct command *const *list = cmd ? cmd->subs : commands;
	const char *name;

	for (; list && *list; list++) {
		name = (*list)->name;
		printf("%s\n", cmd ? strchr(name, ' ') + 1 : name);
	}
}

static int find(int argc, char **argv, const struct command **ret_cmd,
		struct mk_error *err)
{
	const struct command *cmd = NULL;
	int i;

	for (i = 0; i < argc; i++) {
		cmd = cmd ? command_find_sub(cmd, argv[i]) :
			    command_find(argv[i]);
		if (!cmd)
			return usage_error(err, NULL, "unknown command '%s'",
					   argv[i]);
	}
	*ret_cmd = cmd;
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	const struct command *cmd = NULL;
	int r;

	r = find(argc, argv, &cmd, err);
	if (r < 0)
		return r;
	if (app->opts.json)
		print_json(app);
	else if (app->opts.quiet)
		print_names(cmd);
	else if (cmd)
		print_command_help(cmd, stdout);
	else
		print_usage(stdout);
	return 0;
}

const struct command cmd_help = {
	.name = "help",
	.args = "[COMMAND...]",
	.summary = "Print help about mkctl or one of its commands",
	.options = options,
	.max_args = 2,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl: several Linux kernels on one machine, from the command line.
 *
 * Only this file prints errors and chooses the exit status.
 */
#include <fcntl.h>
#include <string.h>

#include "cmd.h"

static void print_error_json(const struct mk_error *err, const char *log_tail)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *error = json_error(err);

	if (log_tail)
		json_add_string(error, "log", log_tail);
	json_object_object_add(doc, "error", error);
	fprintf(stderr, "%s\n",
		json_object_to_json_string_ext(doc,
					       JSON_C_TO_STRING_PLAIN |
					       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

static void print_log_tail(const char *log_tail)
{
	const char *line, *end;

	fprintf(stderr, "last lines of its log:\n");
	for (line = log_tail; *line; line = end) {
		end = strchrnul(line, '\n');
		fprintf(stderr, "  %.*s\n", (int)(end - line), line);
		if (*end)
			end++;
	}
}

static void print_error_text(const char *verb, const struct mk_error *err,
			     const char *log_tail)
{
	fprintf(stderr, "mkctl: ");
	if (verb)
		fprintf(stderr, "%s: ", verb);
	if (err->object[0]) {
		put_visible(stderr, err->object);
		fprintf(stderr, ": ");
	}
	put_visible(stderr, err->message);
	fprintf(stderr, "\n");
	if (log_tail)
		print_log_tail(log_tail);
	if (!err->hint[0])
		return;
	fprintf(stderr, "hint: ");
	put_visible(stderr, err->hint);
	fprintf(stderr, "\n");
}

static void print_errors(const struct app *app)
{
	const struct app_error *error;
	size_t i;

	for (i = 0; i < app->nr_errors; i++) {
		error = &app->errors[i];
		if (app->opts.json)
			print_error_json(&error->err, error->log_tail);
		else
			print_error_text(app->verb, &error->err,
					 error->log_tail);
	}
}

/* A full disk behind stdout must not look like success. */
static void close_stdout(struct app *app)
{
	struct mk_error err = MK_ERROR_INIT;
	bool failed = ferror(stdout);
	int error = 0;

	if (fclose(stdout) != 0)
		error = errno;
	if (!failed && !error)
		return;
	mk_error_set(&err, MK_ERR_FAILED, "stdout", "cannot write%s%s",
		     error ? ": " : "", error ? strerror(error) : "");
	app_add_error(app, &err);
	app->nr_done = 0;	/* nobody heard of what was done */
}

static int exit_status(const struct app *app)
{
	size_t i;

	if (app->nr_errors == 0)
		return 0;
	/* What needs attention is not hidden behind a signal or "partial". */
	for (i = 0; i < app->nr_errors; i++)
		if (app->errors[i].err.code == MK_ERR_UNDO)
			return MK_ERR_UNDO;
	if (interrupted)
		return 128 + interrupted;
	return app->nr_done ? EXIT_PARTIAL : app->errors[0].err.code;
}

/* Also errors of the option parser itself come as JSON if that was asked. */
static bool wants_json(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json"))
			return true;
	return false;
}

static int check_args(const struct command *cmd, const struct options *opts,
		      int nr_args, char **args, struct mk_error *err)
{
	int i;

	if (opts->all && nr_args) {
		mk_error_set(err, MK_ERR_USAGE, NULL,
			     "--all and a name do not go together");
		return -EINVAL;
	}
	if (!opts->all && nr_args < cmd->min_args) {
		mk_error_set(err, MK_ERR_USAGE, NULL, "needs %s", cmd->args);
		return -EINVAL;
	}
	if (cmd->max_args >= 0 && nr_args > cmd->max_args) {
		mk_error_set(err, MK_ERR_USAGE, args[cmd->max_args],
			     "one argument too many");
		return -EINVAL;
	}
	for (i = 0; i < nr_args; i++)
		if (!args[i][0]) {
			mk_error_set(err, MK_ERR_USAGE, NULL,
				     "an argument is empty");
			return -EINVAL;
		}
	return 0;
}

static int run_command(struct app *app, const struct command *cmd, int argc,
		       char **argv, struct mk_error *err)
{
	bool json = app->opts.json;
	int first;
	int r;

	app->cmd = cmd;
	app->verb = cmd->name;
	r = options_parse(cmd, argc, argv, &app->opts, &first, err);
	app->opts.json |= json;
	if (r < 0)
		return r;
	if (app->opts.help) {
		print_command_help(cmd, stdout);
		return 0;
	}
	if (app->opts.list_options) {
		print_option_names(cmd, stdout);
		return 0;
	}
	r = check_args(cmd, &app->opts, argc - first, argv + first, err);
	if (r < 0)
		return r;
	if (cmd->subs)
		return usage_error(err, argv[first],
				   "options stand behind the command");
	r = mk_ctx_new(secure_getenv("MKCTL_ROOT"), &app->ctx, err);
	if (r < 0)
		return r;
	return cmd->run(app, argc - first, argv + first, err);
}

/* "pfn share ...": the second word says which, unless an option stands there. */
static int run_sub(struct app *app, const struct command *cmd, int argc,
		   char **argv, struct mk_error *err)
{
	const struct command *sub;

	app->cmd = cmd;
	app->verb = cmd->name;
	if (argc > 1 && argv[1][0] == '-')
		return run_command(app, cmd, argc, argv, err);
	if (argc < 2)
		return usage_error(err, NULL, "needs %s", cmd->args);
	sub = command_find_sub(cmd, argv[1]);
	if (!sub)
		return usage_error(err, NULL, "unknown command '%s'", argv[1]);
	return run_command(app, sub, argc - 1, argv + 1, err);
}

static int dispatch(struct app *app, int argc, char **argv,
		    struct mk_error *err)
{
	const struct command *cmd;
	const char *verb = argc > 1 ? argv[1] : NULL;

	if (!verb) {
		mk_error_set(err, MK_ERR_USAGE, NULL, "needs a command");
		return -EINVAL;
	}
	if (!strcmp(verb, "--help") || !strcmp(verb, "-h"))
		verb = "help";
	else if (!strcmp(verb, "--version") || !strcmp(verb, "-V"))
		verb = "version";
	cmd = command_find(verb);
	if (!cmd) {
		mk_error_set(err, MK_ERR_USAGE, NULL,
			     verb[0] == '-' ? "unknown option '%s'" :
					      "unknown command '%s'", verb);
		if (verb[0] == '-')
			mk_error_hint(err, "options stand behind the command; 'mkctl --help' lists the commands");
		return -EINVAL;
	}
	return (cmd->subs ? run_sub : run_command)(app, cmd, argc - 1,
						   argv + 1, err);
}

static void hint_usage(const struct app *app, struct mk_error *err)
{
	const struct command *cmd = app->cmd;

	if (cmd)
		mk_error_hint(err, "usage: mkctl %s%s%s [OPTION]...; 'mkctl %s --help' tells more",
			      cmd->name, cmd->args[0] ? " " : "", cmd->args,
			      cmd->name);
	else
		mk_error_hint(err, "'mkctl --help' lists the commands");
}

/*
 * A device or file that is opened must not become 0, 1 or 2 because whoever
 * started this had closed those. What stands in for them can neither be read
 * nor written, so that output is not lost unnoticed.
 */
static void fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/", O_PATH | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void app_exit(struct app *app)
{
	size_t i;

	for (i = 0; i < app->nr_errors; i++)
		free(app->errors[i].log_tail);
	free(app->errors);
	free(app->log_tail);
	mk_ctx_free(app->ctx);
}

int main(int argc, char **argv)
{
	struct app app = { .opts = { .json = wants_json(argc, argv) } };
	struct mk_error err = MK_ERROR_INIT;
	int status;

	fill_standard_fds();
	if (dispatch(&app, argc, argv, &err) < 0) {
		if (!err.code)
			mk_error_set(&err, MK_ERR_FAILED, NULL,
				     "failed without a reason");
		if (err.code == MK_ERR_USAGE)
			hint_usage(&app, &err);
		app_add_error(&app, &err);
	}
	close_stdout(&app);
	print_errors(&app);
	status = exit_status(&app);
	app_exit(&app);
	return status;
}

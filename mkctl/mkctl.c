// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of commands, and what they share while they run.
 */
#include <string.h>

#include "cmd.h"

/* In the order of the help. */
const struct command *const commands[] = {
	&cmd_spawn,
	&cmd_check,
	&cmd_ls,
	&cmd_show,
	&cmd_logs,
	&cmd_dump,
	&cmd_stop,
	&cmd_kill,
	&cmd_start,
	&cmd_restart,
	&cmd_rm,
	&cmd_pool,
	&cmd_msg,
	&cmd_pfn,
	&cmd_ready,
	&cmd_version,
	&cmd_help,
	NULL
};

volatile sig_atomic_t interrupted;

const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

const struct command *command_find_sub(const struct command *cmd,
				       const char *name)
{
	size_t i;

	for (i = 0; cmd->subs && cmd->subs[i]; i++)
		if (!strcmp(strchr(cmd->subs[i]->name, ' ') + 1, name))
			return cmd->subs[i];
	return NULL;
}

void print_usage(FILE *out)
{
	size_t i;

	fprintf(out, "Usage: mkctl COMMAND [OPTION]...\n\n"
		"Run several Linux kernels on this machine, each on its own "
		"CPUs and memory.\n\nCommands:\n");
	for (i = 0; commands[i]; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name,
			commands[i]->summary);
	fprintf(out, "\n'mkctl COMMAND --help' tells more about one.\n");
}

void app_add_error(struct app *app, const struct mk_error *err)
{
	struct app_error *grown;

	grown = realloc(app->errors, (app->nr_errors + 1) * sizeof(*grown));
	if (!grown)
		abort();	/* an error that nobody hears is worse */
	app->errors = grown;
	app->errors[app->nr_errors++] = (struct app_error){
		.err = *err,
		.log_tail = TAKE_PTR(app->log_tail),
	};
}

static void on_signal(int number)
{
	interrupted = number;
}

/* What nohup or a shell's "&" has switched off stays off. */
static void catch_signal(int number)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct sigaction old;

	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

void app_catch_signals(void)
{
	catch_signal(SIGINT);
	catch_signal(SIGTERM);
	catch_signal(SIGHUP);
	signal(SIGPIPE, SIG_IGN);	/* stdout may go, the undo may not */
}

int app_begin_change(struct app *app, struct mk_change *ret_change,
		     struct mk_error *err)
{
	int r;

	/* While it waits for the lock there is nothing to undo yet. */
	r = mk_change_begin(app->ctx, ret_change, err);
	if (r < 0)
		return r;
	app_catch_signals();
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options: one table per command feeds the parser, --help and completion.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

#define OPTIONS_MAX	16
#define NUMBER_MAX	1000000u	/* of seconds or lines */
#define SLOW_MAX	100u
#define VALUE_BASE	256		/* of long options without a letter */

/* Every command has these. */
static const struct option_desc common_options[] = {
	{ "help", 'h', NULL, "print this help", OPT_BOOL,
	  offsetof(struct options, help) },
	{ "list-options", 0, NULL, NULL, OPT_BOOL,
	  offsetof(struct options, list_options) },
};

/* The @i'th option of @cmd, its own first, then the common ones. */
static const struct option_desc *option_at(const struct command *cmd, size_t i)
{
	size_t n = 0;

	while (cmd->options && cmd->options[n].name)
		n++;
	if (i < n)
		return &cmd->options[i];
	i -= n;
	return i < MK_ARRAY_SIZE(common_options) ? &common_options[i] : NULL;
}

static size_t build_tables(const struct command *cmd, struct option *longs,
			   char *shorts)
{
	const struct option_desc *desc;
	size_t i;

	*shorts++ = ':';	/* a missing argument is told from the rest */
	for (i = 0; i < OPTIONS_MAX && (desc = option_at(cmd, i)); i++) {
		longs[i] = (struct option){
			.name = desc->name,
			.has_arg = desc->arg ? required_argument : no_argument,
			.val = (int)(VALUE_BASE + i),
		};
		if (!desc->letter)
			continue;
		*shorts++ = desc->letter;
		if (desc->arg)
			*shorts++ = ':';
	}
	longs[i] = (struct option){ 0 };
	*shorts = '\0';
	return i;
}

static const struct option_desc *option_by_value(const struct command *cmd,
						 int value)
{
	const struct option_desc *desc;
	size_t i;

	if (value >= VALUE_BASE)
		return option_at(cmd, (size_t)(value - VALUE_BASE));
	for (i = 0; (desc = option_at(cmd, i)); i++)
		if (desc->letter == value)
			return desc;
	return NULL;
}

int usage_error(struct mk_error *err, const char *object, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mk_error_set(err, MK_ERR_USAGE, object, "%s", text);
	return -EINVAL;
}

static int store_number(const struct option_desc *desc, const char *arg,
			struct options *opts, struct mk_error *err)
{
	unsigned int *member = (void *)((char *)opts + desc->offset);
	unsigned int least = desc->type == OPT_SECONDS;

	if (mk_number_parse(arg, least, NUMBER_MAX, member) < 0)
		return usage_error(err, NULL,
				   "--%s takes a whole number from %u to %u, not '%s'",
				   desc->name, least, NUMBER_MAX, arg);
	opts->lines_given |= member == &opts->lines;
	return 0;
}

static int store_size(const struct option_desc *desc, const char *arg,
		      struct size_given *member, struct mk_error *err)
{
	struct mk_error why = MK_ERROR_INIT;

	if (mk_parse_size(arg, &member->bytes, &why) < 0)
		return usage_error(err, NULL, "--%s: %s", desc->name,
				   why.message);
	member->given = true;
	return 0;
}

static int store_item(const struct option_desc *desc, const char *arg,
		      struct list *list, struct mk_error *err)
{
	if (list->nr == LIST_MAX)
		return usage_error(err, NULL, "--%s stands there more than %d times",
				   desc->name, LIST_MAX);
	list->items[list->nr++] = arg;
	return 0;
}

static int store(const struct option_desc *desc, const char *arg,
		 struct options *opts, struct mk_error *err)
{
	void *member = (char *)opts + desc->offset;

	if ((desc->type == OPT_STRING || desc->type == OPT_LIST) && !*arg)
		return usage_error(err, NULL, "--%s takes %s, not ''",
				   desc->name, desc->arg);
	switch (desc->type) {
	case OPT_BOOL:
		*(bool *)member = true;
		return 0;
	case OPT_STRING:
		*(const char **)member = arg;
		return 0;
	case OPT_SIZE:
		return store_size(desc, arg, member, err);
	case OPT_LIST:
		return store_item(desc, arg, member, err);
	case OPT_SECONDS:
	case OPT_COUNT:
		break;
	}
	return store_number(desc, arg, opts, err);
}

static int bad_option(const struct command *cmd, int c, char **argv,
		      struct mk_error *err)
{
	const char *word = argv[optind - 1];
	char letter[3] = { '-', (char)optopt, '\0' };

	if (optopt && optopt < VALUE_BASE)	/* a char, which has a sign */
		word = letter;
	if (c == ':')
		mk_error_set(err, MK_ERR_USAGE, NULL,
			     "option '%s' needs an argument", word);
	else if (optopt >= VALUE_BASE && option_by_value(cmd, optopt))
		mk_error_set(err, MK_ERR_USAGE, NULL,
			     "option '--%s' takes no argument",
			     option_by_value(cmd, optopt)->name);
	else
		mk_error_set(err, MK_ERR_USAGE, NULL, "unknown option '%s'",
			     word);
	return -EINVAL;
}

/* The limits that hold when no option sets them, for a machine that is slow. */
static int default_limits(const struct command *cmd, struct options *opts,
			  struct mk_error *err)
{
	const char *slow = secure_getenv("MKCTL_SLOW");
	unsigned int times = 1;

	if (slow && mk_number_parse(slow, 1, SLOW_MAX, &times) < 0)
		return usage_error(err, NULL,
				   "MKCTL_SLOW is a whole number from 1 to %u, not '%s'",
				   SLOW_MAX, slow);
	*opts = (struct options){
		.timeout_s = cmd->timeout_s * times,
		.boot_timeout_s = cmd->boot_timeout_s * times,
	};
	return 0;
}

int options_parse(const struct command *cmd, int argc, char **argv,
		  struct options *opts, int *ret_first, struct mk_error *err)
{
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 2];
	int c;
	int r;

	r = default_limits(cmd, opts, err);
	if (r < 0)
		return r;
	build_tables(cmd, longs, shorts);
	optind = 1;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			return bad_option(cmd, c, argv, err);
		r = store(option_by_value(cmd, c), optarg, opts, err);
		if (r < 0)
			return r;
	}
	*ret_first = optind;
	return 0;
}

void print_command_help(const struct command *cmd, FILE *out)
{
	const struct option_desc *desc;
	char text[64];
	size_t i;

	fprintf(out, "Usage: mkctl %s%s%s [OPTION]...\n\n%s.\n", cmd->name,
		cmd->args[0] ? " " : "", cmd->args, cmd->summary);
	if (cmd->details)
		fprintf(out, "\n%s", cmd->details);
	if (cmd->subs)
		fprintf(out, "\nCommands:\n");
	for (i = 0; cmd->subs && cmd->subs[i]; i++)
		fprintf(out, "  %-10s %s\n", strchr(cmd->subs[i]->name, ' ') + 1,
			cmd->subs[i]->summary);
	fprintf(out, "\nOptions:\n");
	for (i = 0; (desc = option_at(cmd, i)); i++) {
		if (!desc->help)
			continue;
		snprintf(text, sizeof(text), "%c%c%c --%s%s%s",
			 desc->letter ? '-' : ' ',
			 desc->letter ? desc->letter : ' ',
			 desc->letter ? ',' : ' ', desc->name,
			 desc->arg ? " " : "", desc->arg ? desc->arg : "");
		fprintf(out, "  %-20s %s\n", text, desc->help);
	}
}

void print_option_names(const struct command *cmd, FILE *out)
{
	const struct option_desc *desc;
	size_t i;

	for (i = 0; (desc = option_at(cmd, i)); i++)
		if (desc->help)
			fprintf(out, "--%s\n", desc->name);
}

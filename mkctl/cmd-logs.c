// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl logs: the kernel log of an instance, also after its end, and of its
 * earlier boots as far as they were kept.
 */
#include <string.h>

#include "cmd.h"

static const struct option_desc options[] = {
	{ "follow", 'f', NULL, "go on as the log grows, until 'mkctl rm'",
	  OPT_BOOL, offsetof(struct options, follow) },
	{ "lines", 'n', "N", "begin with the last N lines", OPT_COUNT,
	  offsetof(struct options, lines) },
	{ "since", 's', "TIME", "only what is not older; see the manual",
	  OPT_STRING, offsetof(struct options, since) },
	{ "level", 'l', "LEVEL", "only as important as this (warning, 4) or more",
	  OPT_STRING, offsetof(struct options, level) },
	{ "boot", 'b', "N", "of boot N, or -1 for the one before the last",
	  OPT_STRING, offsetof(struct options, boot) },
	OPTION_JSON,
	OPTION_END
};

static const char *const level_names[] = {
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
};

#define LEVEL_ALL	7u

/**
 * struct view - which lines are wanted, and how
 * @last_seq: of the line before; numbers that fall mean another boot, whose
 *	lines are all newer than those of the one that @since_us is about
 * @last: NULL, or room for the last @room lines, the oldest at
 *	@nr_seen % @room
 */
struct view {
	bool json;
	unsigned int level;
	struct since since;
	uint64_t since_us;
	uint64_t last_seq;
	struct mk_log_line *last;
	size_t room;
	size_t nr_seen;
};

static void print_line(const struct view *view, const struct mk_log_line *line)
{
	struct json_object *obj;

	if (!view->json) {
		printf("[%6llu.%06llu] %s\n",
		       (unsigned long long)line->time_us / 1000000,
		       (unsigned long long)line->time_us % 1000000,
		       line->text);
		return;
	}
	obj = json_document("logs");
	json_add_u64(obj, "seq", line->seq);
	json_add_u64(obj, "time_us", line->time_us);
	json_add_u64(obj, "level", line->level);
	json_add_u64(obj, "facility", line->facility);
	json_add_string(obj, "text", line->text);
	printf("%s\n",
	       json_object_to_json_string_ext(obj,
					      JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(obj);
}

static int see_line(void *arg, const struct mk_log_line *line)
{
	struct view *view = arg;

	if (line->seq < view->last_seq)
		view->since_us = 0;
	view->last_seq = line->seq;
	if (line->level > view->level || line->time_us < view->since_us)
		return 0;
	if (!view->last)
		print_line(view, line);
	else if (view->room)
		view->last[view->nr_seen % view->room] = *line;
	view->nr_seen++;
	return 0;
}

/* From here on only the last lines are kept, until last_end(). */
static int last_begin(struct view *view, size_t nr_lines)
{
	/* A log has fewer lines than this; more room would be waste. */
	view->room = nr_lines < 65536 ? nr_lines : 65536;
	view->last = calloc(view->room + 1, sizeof(*view->last));
	return view->last ? 0 : -ENOMEM;
}

static void last_end(struct view *view)
{
	size_t n = view->nr_seen < view->room ? view->nr_seen : view->room;
	size_t i;

	for (i = view->nr_seen - n; view->last && i < view->nr_seen; i++)
		print_line(view, &view->last[i % view->room]);
	free(view->last);
	view->last = NULL;
}

static int follow(struct view *view, int fd)
{
	int r;

	do {
		fflush(stdout);
		if (ferror(stdout))
			return 0;	/* main() reports it */
		r = mk_log_wait(fd, -1);
		if (r == 0 || r == -EINTR)
			r = mk_log_read(fd, see_line, view);
	} while (r == 0);
	return r == -ENODEV ? 0 : r;
}

static int parse_level(const char *text, unsigned int *ret_level,
		       struct mk_error *err)
{
	unsigned int i;

	*ret_level = LEVEL_ALL;
	if (!text)
		return 0;
	for (i = 0; i <= LEVEL_ALL; i++)
		if (!strcmp(text, level_names[i]) ||
		    (text[0] == (char)('0' + i) && !text[1])) {
			*ret_level = i;
			return 0;
		}
	mk_error_set(err, MK_ERR_USAGE, NULL, "--level: '%s' is no level",
		     text);
	mk_error_hint(err, "emerg, alert, crit, err, warning, notice, info, debug, or 0 to 7");
	return -EINVAL;
}

/* "0", "3", "-1". Before there is an instance, so it is not compared yet. */
static int parse_boot(const char *text, int64_t *ret_boot,
		      struct mk_error *err)
{
	const char *digits = text;
	int64_t boot = 0;

	*ret_boot = 0;
	if (!text)
		return 0;
	digits += text[0] == '-';
	for (; *digits >= '0' && *digits <= '9' && boot <= UINT32_MAX; digits++)
		boot = boot * 10 + (*digits - '0');
	if (*digits || digits[-1] < '0' || digits[-1] > '9' || digits == text ||
	    boot > UINT32_MAX) {
		mk_error_set(err, MK_ERR_USAGE, NULL,
			     "--boot: '%s' is no number of a boot", text);
		mk_error_hint(err, "0 for the present one, -1 for the one before, or an epoch as 'mkctl show' prints it");
		return -EINVAL;
	}
	*ret_boot = text[0] == '-' ? -boot : boot;
	return 0;
}

/* To an epoch. Of one that was never started: 0, and its log is empty. */
static int resolve_boot(const struct mk_get *get, int64_t boot,
			uint32_t *ret_epoch, struct mk_error *err)
{
	int64_t epoch = boot > 0 ? boot : (int64_t)get->epoch + boot;

	if (boot == 0 || (epoch >= 1 && epoch <= get->epoch)) {
		*ret_epoch = (uint32_t)epoch;
		return 0;
	}
	mk_error_set(err, MK_ERR_NOT_FOUND, get->name,
		     get->epoch ? "there is no boot %lld, only 1 to %u" :
				  "there is no boot %lld, it was never started",
		     (long long)boot, get->epoch);
	return -ENOENT;
}

static int read_error(const char *name, int r, struct mk_error *err)
{
	if (r == -ENODEV)
		mk_error_set(err, MK_ERR_NOT_FOUND, name,
			     "it was removed meanwhile");
	else if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, name,
			     "cannot read its log: %s", strerror(-r));
	return r;
}

static int show_present(struct app *app, struct view *view,
			const struct mk_get *get, struct mk_error *err)
{
	mk_autoclose int fd = -1;
	int r;

	view->since_us = since_us(&view->since, mk_log_zero_ns(get));
	r = mk_log_open(app->ctx, get->id, &fd, err);
	if (r < 0) {
		mk_error_object(err, "%s", get->name);
		return r;
	}
	if (app->opts.lines_given)
		r = last_begin(view, app->opts.lines);
	if (r == 0)
		r = mk_log_read(fd, see_line, view);
	last_end(view);
	if (r == 0 && app->opts.follow)
		r = follow(view, fd);
	return read_error(get->name, r, err);
}

static int show_kept(struct app *app, struct view *view,
		     const struct mk_get *get, uint32_t epoch,
		     struct mk_error *err)
{
	struct mk_boot_log log;
	int r;

	if (app->opts.follow) {
		mk_error_set(err, MK_ERR_USAGE, get->name,
			     "boot %u has ended, there is nothing to follow",
			     epoch);
		return -EINVAL;
	}
	r = mk_boot_log_read(app->ctx, get, epoch, &log, err);
	if (r < 0)
		return r;
	view->since_us = since_us(&view->since, log.zero_ns);
	if (app->opts.lines_given)
		r = last_begin(view, app->opts.lines);
	if (r == 0)
		r = mk_log_each(log.text, log.bytes, see_line, view);
	last_end(view);
	mk_boot_log_clear(&log);
	return read_error(get->name, r, err);
}

static int show(struct app *app, struct view *view, const struct mk_get *get,
		int64_t boot, struct mk_error *err)
{
	uint32_t epoch;
	int r;

	r = resolve_boot(get, boot, &epoch, err);
	if (r < 0)
		return r;
	if (epoch == get->epoch)
		return show_present(app, view, get, err);
	return show_kept(app, view, get, epoch, err);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct view view = { .json = app->opts.json };
	struct mk_instance *inst;
	int64_t boot;
	int r;

	(void)argc;
	r = parse_level(app->opts.level, &view.level, err);
	if (r == 0)
		r = parse_boot(app->opts.boot, &boot, err);
	if (r == 0)
		r = since_parse(app->opts.since, &view.since, err);
	if (r < 0)
		return r;
	r = mk_instance_find(app->ctx, argv[0], &inst, err);
	if (r < 0) {
		mk_error_object(err, "%s", argv[0]);
		return r;
	}
	r = show(app, &view, &inst->get, boot, err);
	mk_instance_free(inst);
	return r;
}

const struct command cmd_logs = {
	.name = "logs",
	.args = "NAME",
	.summary = "Print the kernel log of an instance",
	.details =
		"Of the last boot, or with --boot of an earlier one: 'mkctl start' and\n"
		"'mkctl restart' keep the logs of the last 8.\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl logs: the kernel log of an instance, also after its end.
 */
#include <string.h>

#include "cmd.h"

static const struct option_desc options[] = {
	{ "follow", 'f', NULL, "go on as the log grows, until 'mkctl rm'",
	  OPT_BOOL, offsetof(struct options, follow) },
	{ "lines", 'n', "N", "begin with the last N lines", OPT_COUNT,
	  offsetof(struct options, lines) },
	OPTION_JSON,
	OPTION_END
};

/* The last @room lines seen, oldest at @nr_seen % @room. */
struct ring {
	struct mk_log_line *lines;
	size_t room;
	size_t nr_seen;
};

static int print_line(void *arg, const struct mk_log_line *line)
{
	const bool *json = arg;
	struct json_object *obj;

	if (!*json) {
		printf("[%6llu.%06llu] %s\n",
		       (unsigned long long)line->time_us / 1000000,
		       (unsigned long long)line->time_us % 1000000,
		       line->text);
		return 0;
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
	return 0;
}

static int ring_add(void *arg, const struct mk_log_line *line)
{
	struct ring *ring = arg;

	if (ring->room)
		ring->lines[ring->nr_seen % ring->room] = *line;
	ring->nr_seen++;
	return 0;
}

static int print_last(int fd, size_t nr_lines, bool json)
{
	/* A log ring has fewer lines than this; more room would be waste. */
	const size_t room = nr_lines < 65536 ? nr_lines : 65536;
	struct ring ring = { .room = room };
	size_t i, n;
	int r;

	ring.lines = calloc(room + 1, sizeof(*ring.lines));
	if (!ring.lines)
		return -ENOMEM;
	r = mk_log_read(fd, ring_add, &ring);
	n = ring.nr_seen < room ? ring.nr_seen : room;
	for (i = ring.nr_seen - n; i < ring.nr_seen; i++)
		print_line(&json, &ring.lines[i % room]);
	free(ring.lines);
	return r;
}

static int follow(int fd, bool json)
{
	int r;

	do {
		fflush(stdout);
		if (ferror(stdout))
			return 0;	/* main() reports it */
		r = mk_log_wait(fd, -1);
		if (r == 0 || r == -EINTR)
			r = mk_log_read(fd, print_line, &json);
	} while (r == 0);
	return r == -ENODEV ? 0 : r;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct mk_instance *inst;
	mk_autoclose int fd = -1;
	int r;

	(void)argc;
	r = mk_instance_find(app->ctx, argv[0], &inst, err);
	if (r < 0) {
		mk_error_object(err, "%s", argv[0]);
		return r;
	}
	r = mk_log_open(app->ctx, inst->get.id, &fd, err);
	mk_instance_free(inst);
	if (r < 0) {
		mk_error_object(err, "%s", argv[0]);
		return r;
	}
	if (app->opts.lines_given)
		r = print_last(fd, app->opts.lines, app->opts.json);
	else
		r = mk_log_read(fd, print_line, &app->opts.json);
	if (r == 0 && app->opts.follow)
		r = follow(fd, app->opts.json);
	if (r == -ENODEV)
		mk_error_set(err, MK_ERR_NOT_FOUND, argv[0],
			     "it was removed meanwhile");
	else if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, argv[0],
			     "cannot read its log: %s", strerror(-r));
	return r;
}

const struct command cmd_logs = {
	.name = "logs",
	.args = "NAME",
	.summary = "Print the kernel log of an instance",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl msg recv: what a program in another kernel sends to a port here.
 */
#include <string.h>

#include "msg.h"

static const struct option_desc options[] = {
	{ "count", 'c', "N", "end after N messages", OPT_COUNT,
	  offsetof(struct options, count) },
	{ "raw", 'r', NULL, "write the bytes as they are, nothing between",
	  OPT_BOOL, offsetof(struct options, raw) },
	OPTION_TIMEOUT("give up when S seconds bring nothing (no limit)"),
	OPTION_JSON,
	OPTION_END
};

static void print_message_json(const struct app *app,
			       const unsigned char *data, size_t len)
{
	struct json_object *doc = json_document(app->verb);
	char hex[2 * MK_MESSAGE_MAX + 1] = "";
	char text[MK_TEXT_VISIBLE_MAX(MK_MESSAGE_MAX)];
	size_t i;

	mk_text_visible(text, sizeof(text), (const char *)data, len);
	for (i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", data[i]);
	json_add_u64(doc, "bytes", len);
	json_add_string(doc, "text", text);
	json_add_string(doc, "hex", hex);
	printf("%s\n",
	       json_object_to_json_string_ext(doc,
					      JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

static void print_message(const struct app *app, const unsigned char *data,
			  size_t len)
{
	char text[MK_TEXT_VISIBLE_MAX(MK_MESSAGE_MAX)];

	if (app->opts.json) {
		print_message_json(app, data, len);
	} else if (app->opts.raw) {
		fwrite(data, 1, len, stdout);
	} else {
		mk_text_visible(text, sizeof(text), (const char *)data, len);
		printf("%s\n", text);
	}
	fflush(stdout);
}

static int closed_early(const struct app *app, unsigned int seen,
			struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, NULL,
		     "the other end has closed after %u of %u messages", seen,
		     app->opts.count);
	return -ENODATA;
}

static int receive(struct app *app, int fd, struct mk_error *err)
{
	int timeout_ms = msg_timeout_ms(app->opts.timeout_s);
	unsigned char buf[MK_MESSAGE_MAX];
	unsigned int seen = 0;
	ssize_t n;
	int r;

	r = mk_channel_wait(fd, timeout_ms, err);
	if (r < 0)
		return r;
	while (!app->opts.count || seen < app->opts.count) {
		n = mk_channel_recv(fd, buf, sizeof(buf), timeout_ms, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		seen++;
		print_message(app, buf, (size_t)n);
		if (ferror(stdout))
			return 0;	/* main() says so */
	}
	return seen < app->opts.count ? closed_early(app, seen, err) : 0;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	const char *peer = argc > 1 ? argv[0] : NULL;
	mk_autoclose int fd = -1;
	unsigned int port;
	int r;

	if (app->opts.raw && app->opts.json)
		return usage_error(err, NULL,
				   "--raw and --json do not go together");
	r = msg_port(argv[argc - 1], &port, err);
	if (r < 0)
		return r;
	r = mk_channel_listen(app->ctx, peer, port, &fd, err);
	if (r < 0)
		return r;
	return receive(app, fd, err);
}

const struct command cmd_msg_recv = {
	.name = "msg recv",
	.args = "[NAME] PORT",
	.summary = "Receive messages from a program in another kernel",
	.details =
		"Waits for one caller, from kernel NAME or from any, prints each of its messages\n"
		"on a line, and ends when it closes. Control characters are written as \\xNN;\n"
		"with --json there is one object per line.\n",
	.options = options,
	.min_args = 1,
	.max_args = 2,
	.run = run,
};

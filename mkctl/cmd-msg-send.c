// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl msg send: a text or a stream of bytes to a program in another kernel.
 */
#include <fcntl.h>
#include <string.h>

#include "msg.h"

static const struct option_desc options[] = {
	OPTION_FROM("send this file, in messages of up to 256 bytes"),
	OPTION_TIMEOUT("wait S seconds for the peer, and for room (5)"),
	OPTION_JSON,
	OPTION_END
};

/**
 * struct sending - one run
 * @text: to be sent as one message; NULL: what @in_fd gives
 */
struct sending {
	const char *peer;
	unsigned int port;
	const char *text;
	int in_fd;
	int fd;
	int timeout_ms;
	uint64_t messages;
	uint64_t bytes;
};

static int send_one(struct sending *s, const void *data, size_t len,
		    struct mk_error *err)
{
	int r = mk_channel_send(s->fd, data, len, s->timeout_ms, err);

	if (r < 0)
		return r;
	s->messages++;
	s->bytes += len;
	return 0;
}

static int send_stream(struct sending *s, struct mk_error *err)
{
	char buf[MK_MESSAGE_MAX];
	ssize_t n;
	int r;

	while ((n = read(s->in_fd, buf, sizeof(buf))) > 0) {
		r = send_one(s, buf, (size_t)n, err);
		if (r < 0)
			return r;
	}
	if (n == 0)
		return 0;
	r = -errno;
	mk_error_set(err, MK_ERR_FAILED, NULL, "cannot read: %s",
		     strerror(-r));
	return r;
}

static void print_done(const struct app *app, const struct sending *s)
{
	struct json_object *doc;

	if (!app->opts.json)
		return;
	doc = json_document(app->verb);
	json_add_string(doc, "peer", s->peer);
	json_add_u64(doc, "port", s->port);
	json_add_u64(doc, "messages", s->messages);
	json_add_u64(doc, "bytes", s->bytes);
	json_print(doc);
}

/* Where the bytes are from: a text, a file, or stdin. */
static int source(const struct app *app, int argc, char **argv,
		  struct sending *s, struct mk_error *err)
{
	const char *from = app->opts.from;

	if (argc > 2 && from)
		return usage_error(err, NULL,
				   "a text and --from do not go together");
	if (argc > 2 && strcmp(argv[2], "-"))
		s->text = argv[2];
	else if (!from || !strcmp(from, "-"))
		s->in_fd = STDIN_FILENO;
	if (s->text && strlen(s->text) > MK_MESSAGE_MAX)
		return usage_error(err, NULL,
				   "the text has %zu bytes, a message at most %u",
				   strlen(s->text), MK_MESSAGE_MAX);
	return 0;
}

static int open_file(const struct app *app, int *ret_fd, struct mk_error *err)
{
	int fd = open(app->opts.from, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0) {
		error = errno;
		mk_error_set(err, MK_ERR_CONFIG, app->opts.from,
			     "cannot open: %s", strerror(error));
		return -error;
	}
	*ret_fd = fd;
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct sending s = {
		.peer = argv[0],
		.in_fd = -1,
		.fd = -1,
		.timeout_ms = msg_timeout_ms(app->opts.timeout_s),
	};
	mk_autoclose int file_fd = -1;
	mk_autoclose int channel_fd = -1;
	int r;

	r = msg_port(argv[1], &s.port, err);
	if (r == 0)
		r = source(app, argc, argv, &s, err);
	if (r == 0 && !s.text && s.in_fd < 0) {
		r = open_file(app, &file_fd, err);
		s.in_fd = file_fd;
	}
	if (r < 0)
		return r;
	r = mk_channel_open(app->ctx, s.peer, s.port,
			    (unsigned int)s.timeout_ms, &channel_fd, err);
	if (r < 0)
		return r;
	s.fd = channel_fd;
	r = s.text ? send_one(&s, s.text, strlen(s.text), err) :
		     send_stream(&s, err);
	if (r < 0)
		return r;
	print_done(app, &s);
	return 0;
}

const struct command cmd_msg_send = {
	.name = "msg send",
	.args = "NAME PORT [TEXT|-]",
	.summary = "Send messages to a program in another kernel",
	.details =
		"One message with TEXT; or what --from or stdin gives, cut into messages of\n"
		"up to 256 bytes. A program there has to listen: 'mkctl msg recv PORT'.\n",
	.options = options,
	.min_args = 2,
	.max_args = 3,
	.timeout_s = 5,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl msg ping: how long a message takes to another kernel and back.
 *
 * The other end is that kernel itself, which echoes at port 0. A message
 * begins with its number, as much of that as fits; an echo of an earlier one
 * that came too late is passed over.
 */
#include <string.h>

#include "msg.h"

#define DEFAULT_COUNT	100
#define DEFAULT_BYTES	64

static const struct option_desc options[] = {
	{ "count", 'c', "N", "so many messages (100)", OPT_COUNT,
	  offsetof(struct options, count) },
	{ "size", 's', "B", "of so many bytes, 1 to 256 (64)", OPT_SIZE,
	  offsetof(struct options, size) },
	OPTION_TIMEOUT("give up a message after S seconds (5)"),
	OPTION_JSON,
	OPTION_END
};

/**
 * struct ping - one run
 * @times_ns: of those that came back, @nr of them
 */
struct ping {
	const char *peer;
	int fd;
	int timeout_ms;
	size_t bytes;
	uint32_t sent;
	uint32_t nr;
	uint64_t *times_ns;
};

static void fill(unsigned char *buf, size_t bytes, uint64_t number)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		buf[i] = (unsigned char)(i < sizeof(number) ?
			 number >> (8 * i) : number + i);
}

static int changed(const struct ping *ping, struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, ping->peer,
		     "message %u came back changed", ping->sent);
	return -EBADMSG;
}

/* 1: an echo of message @sent; 0: of an earlier one. */
static int is_echo(const struct ping *ping, const unsigned char *sent,
		   const unsigned char *got, ssize_t n, struct mk_error *err)
{
	unsigned char earlier[MK_MESSAGE_MAX];
	uint32_t i;

	if (n == (ssize_t)ping->bytes && !memcmp(got, sent, ping->bytes))
		return 1;
	for (i = 1; n == (ssize_t)ping->bytes && i < ping->sent; i++) {
		fill(earlier, ping->bytes, i);
		if (!memcmp(got, earlier, ping->bytes))
			return 0;
	}
	return changed(ping, err);
}

/* 0 whether it came back in time or not. */
static int exchange(struct ping *ping, struct mk_error *err)
{
	unsigned char buf[MK_MESSAGE_MAX], got[MK_MESSAGE_MAX];
	uint64_t begin_ns;
	ssize_t n;
	int r;

	fill(buf, ping->bytes, ++ping->sent);
	begin_ns = mk_now_ns();
	r = mk_channel_send(ping->fd, buf, ping->bytes, ping->timeout_ms, err);
	if (r < 0)
		return r;
	do {
		n = mk_channel_recv(ping->fd, got, sizeof(got),
				    ping->timeout_ms, err);
		if (n == -ETIMEDOUT)
			return 0;
		if (n < 0)
			return (int)n;
		r = is_echo(ping, buf, got, n, err);
		if (r < 0)
			return r;
	} while (r == 0);
	ping->times_ns[ping->nr++] = mk_now_ns() - begin_ns;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The smallest time that @percent of all do not exceed, in us. */
static double percentile_us(const struct ping *ping, unsigned int percent)
{
	size_t rank = ((size_t)ping->nr * percent + 99) / 100;

	return (double)ping->times_ns[rank ? rank - 1 : 0] / 1e3;
}

static void add_us(struct json_object *doc, const char *key,
		   const struct ping *ping, unsigned int percent)
{
	char text[32];
	double us;

	if (!ping->nr) {
		json_object_object_add(doc, key, NULL);
		return;
	}
	us = percentile_us(ping, percent);
	snprintf(text, sizeof(text), "%.3f", us);
	json_object_object_add(doc, key, json_object_new_double_s(us, text));
}

static void print_json(const struct app *app, const struct ping *ping)
{
	struct json_object *doc = json_document(app->verb);

	json_add_string(doc, "peer", ping->peer);
	json_add_u64(doc, "message_bytes", ping->bytes);
	json_add_u64(doc, "sent", ping->sent);
	json_add_u64(doc, "received", ping->nr);
	json_add_u64(doc, "lost", ping->sent - ping->nr);
	add_us(doc, "min_us", ping, 0);
	add_us(doc, "median_us", ping, 50);
	add_us(doc, "p99_us", ping, 99);
	add_us(doc, "max_us", ping, 100);
	json_print(doc);
}

static void print_text(const struct ping *ping)
{
	printf("%s: %u messages of %zu bytes, %u lost\n", ping->peer,
	       ping->sent, ping->bytes, ping->sent - ping->nr);
	if (ping->nr)
		printf("min %.1f us, median %.1f us, p99 %.1f us, max %.1f us\n",
		       percentile_us(ping, 0), percentile_us(ping, 50),
		       percentile_us(ping, 99), percentile_us(ping, 100));
}

static int finish(const struct app *app, struct ping *ping,
		  struct mk_error *err)
{
	qsort(ping->times_ns, ping->nr, sizeof(*ping->times_ns), compare);
	if (app->opts.json)
		print_json(app, ping);
	else
		print_text(ping);
	if (ping->nr == ping->sent)
		return 0;
	mk_error_set(err, MK_ERR_TIMEOUT, ping->peer,
		     "%u of %u messages did not come back in %u s",
		     ping->sent - ping->nr, ping->sent, app->opts.timeout_s);
	mk_error_hint(err, "'mkctl show' on the host says whether that kernel is alive, and has its counters");
	return -ETIMEDOUT;
}

static int ping_all(struct app *app, struct ping *ping, uint32_t count,
		    struct mk_error *err)
{
	int r = 0;

	while (r == 0 && ping->sent < count && !interrupted)
		r = exchange(ping, err);
	if (r == -EINTR && interrupted) {
		ping->sent--;	/* nobody knows what became of it */
		r = 0;
	}
	return r < 0 ? r : finish(app, ping, err);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	const struct options *opts = &app->opts;
	uint32_t count = opts->count ? opts->count : DEFAULT_COUNT;
	mk_autofree uint64_t *times_ns = NULL;
	struct ping ping = {
		.peer = argv[0],
		.fd = -1,
		.timeout_ms = msg_timeout_ms(opts->timeout_s),
		.bytes = opts->size.given ? opts->size.bytes : DEFAULT_BYTES,
	};
	int r;

	(void)argc;
	if (ping.bytes < 1 || ping.bytes > MK_MESSAGE_MAX)
		return usage_error(err, NULL, "--size takes 1 to %u bytes",
				   MK_MESSAGE_MAX);
	times_ns = calloc(count, sizeof(*times_ns));
	if (!times_ns) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	ping.times_ns = times_ns;
	r = mk_channel_open(app->ctx, ping.peer, MK_PORT_ECHO,
			    (unsigned int)ping.timeout_ms, &ping.fd, err);
	if (r < 0)
		return r;
	app_catch_signals();
	r = ping_all(app, &ping, count, err);
	mk_channel_close(ping.fd);
	return r;
}

const struct command cmd_msg_ping = {
	.name = "msg ping",
	.args = "NAME",
	.summary = "Measure how long a message takes to a kernel and back",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.timeout_s = 5,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that talks to another one in another kernel, over libmk's channels,
 * and checks every byte that arrives.
 *
 * usage: talk MODE [-l] PEER PORT [ARGUMENT]
 *
 *   -l      listen at the port instead of calling
 *   count N     N messages each way at once, then a line of what was seen
 *   fill N      N messages one way: until there is no room, then the rest
 *   hold MS     the other end of fill: reads only after MS milliseconds
 *   endless     both ways until the other end goes, then again with the next
 *               one; a line for each thing that happens; until SIGTERM
 *   agent       runs each command that a caller sends, and answers with what it
 *               printed
 *   do COMMAND  the other end of agent: prints the answer, exits as COMMAND did
 *
 * Each message is numbered from 0 in its channel and says from which boot of
 * which kernel it comes and for which one it is. Its length and its bytes
 * follow from its number, and it carries a sum over all of it. So one that is
 * lost, repeated, out of order, changed, or of an earlier life of either kernel
 * is found and named, and ends the program with 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mk/libmk.h>

#define PATIENCE_MS 60000 /* nothing happens for so long: give up */
#define AGAIN_US    20000 /* between two tries to connect */
#define PACE_US	    500	  /* endless: not as fast as it goes */

/** struct head - what every message begins with */
struct head {
	uint64_t from; /* boot of the sender */
	uint64_t to;   /* boot of the receiver, 0 in message 0 */
	uint32_t nr;
	uint32_t len;
	uint64_t sum;
};

union message {
	struct head head;
	uint64_t words[MK_MESSAGE_MAX / 8];
	char bytes[MK_MESSAGE_MAX];
};

/** struct talk - one channel, and what was seen of it */
struct talk {
	const char *peer;
	uint32_t port;
	bool listen;
	bool patient; /* waits for ever for the other end */
	struct mk_ctx *ctx;
	int fd;
	uint64_t me, other;
	uint32_t sent, received;
	uint64_t no_room, waits;
};

static volatile sig_atomic_t stopped;

static void on_term(int sig)
{
	(void)sig;
	stopped = 1;
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line at a time, so that those of several programs do not mix. */
static void say(const char *fmt, ...)
{
	char line[400];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	line[n++] = '\n';
	if (write(1, line, (size_t)n) != n)
		exit(1);
}

static void __attribute__((noreturn))
fail(const struct talk *t, const char *what, long got, long wanted)
{
	say("talk: %s:%u WRONG %s: %ld, not %ld (sent %u, received %u)",
	    t->peer, t->port, what, got, wanted, t->sent, t->received);
	exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static uint64_t boot_id(struct talk *t)
{
	uint64_t id = 0;
	char *text = NULL;
	const char *p;

	if (mk_ctx_read_text(t->ctx, "/proc/sys/kernel/random/boot_id", 64,
			     &text))
		fail(t, "boot_id", 0, 1);
	for (p = text; *p; p++)
		id = id * 31 + (unsigned char)*p;
	free(text);
	return id | 1;
}

/* --- messages --------------------------------------------------------------
 */

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15ULL;
	return x ^ x >> 29;
}

/* 32 to 256 bytes, a word more or less than the last one's */
static uint32_t length_of(uint32_t nr)
{
	uint32_t len = sizeof(struct head) +
		       (uint32_t)(mix(nr + 1ULL) %
				  (MK_MESSAGE_MAX + 1 - sizeof(struct head)));

	return nr ? len : sizeof(struct head);
}

static uint64_t sum_of(union message *m, uint32_t len)
{
	uint64_t sum = len, keep = m->head.sum;
	uint32_t i;

	m->head.sum = 0;
	memset(m->bytes + len, 0, (8 - len % 8) % 8);
	for (i = 0; i < (len + 7) / 8; i++)
		sum = mix(sum + m->words[i]);
	m->head.sum = keep;
	return sum;
}

static uint32_t make_message(const struct talk *t, union message *m)
{
	uint32_t len = length_of(t->sent), i;

	m->head = (struct head){
		.from = t->me,
		.to = t->sent ? t->other : 0,
		.nr = t->sent,
		.len = len,
	};
	for (i = sizeof(m->head) / 8; i < (len + 7) / 8; i++)
		m->words[i] = mix(t->me + t->sent * 64ULL + i);
	m->head.sum = sum_of(m, len);
	return len;
}

static void check_message(struct talk *t, union message *m, uint32_t len)
{
	if (len < sizeof(m->head) || m->head.len != len)
		fail(t, "length", len, m->head.len);
	if (m->head.sum != sum_of(m, len))
		fail(t, "sum", (long)m->head.sum, (long)sum_of(m, len));
	if (m->head.nr != t->received)
		fail(t, "number", m->head.nr, t->received);
	if (len != length_of(m->head.nr))
		fail(t, "length of this number", len, length_of(m->head.nr));
	if (!m->head.nr)
		t->other = m->head.from;
	if (m->head.from != t->other)
		fail(t, "sender's boot", (long)m->head.from, (long)t->other);
	if (m->head.to != (m->head.nr ? t->me : 0))
		fail(t, "receiver's boot", (long)m->head.to, (long)t->me);
}

/* --- connecting -------------------------------------------------------------
 */

static int listen_once(struct talk *t)
{
	struct mk_error err = MK_ERROR_INIT;
	int r = mk_channel_listen(t->ctx, t->peer, t->port, &t->fd, &err);

	if (r) {
		say("talk: %s:%u WRONG listen: %s", t->peer, t->port,
		    err.message);
		exit(1);
	}
	r = mk_channel_wait(t->fd, PATIENCE_MS, NULL);
	if (r) {
		mk_channel_close(t->fd);
		t->fd = -1;
	}
	return r;
}

/* Nobody listens yet, it boots, it is gone: these pass, others do not. */
static bool passes(int r)
{
	return r == -ECONNREFUSED || r == -EHOSTDOWN || r == -ETIMEDOUT ||
	       r == -EPIPE || r == -ESTALE || r == -EAGAIN;
}

static int connect_once(struct talk *t)
{
	return mk_channel_open(t->ctx, t->peer, t->port, 0, &t->fd, NULL);
}

static void connect_end(struct talk *t)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	int r;

	t->sent = 0;
	t->received = 0;
	t->other = 0;
	for (;;) {
		r = t->listen ? listen_once(t) : connect_once(t);
		if (!r || stopped)
			return;
		if (!passes(r) || (!t->patient && now_ms() > end))
			fail(t, "connect", r, 0);
		usleep(AGAIN_US);
	}
}

/* --- both ways --------------------------------------------------------------
 */

/* Message 1 needs the boot that message 0 of the other end says. */
static bool may_send(const struct talk *t, uint32_t count)
{
	return t->sent < count && (!t->sent || t->other);
}

/* What there is room for, and at most 32; 0, or what send gave */
static int send_some(struct talk *t, uint32_t count)
{
	union message m;
	int i, r;

	for (i = 0; i < 32 && may_send(t, count); i++) {
		uint32_t len = make_message(t, &m);

		r = mk_channel_send(t->fd, &m, len, 0, NULL);
		if (r == -EAGAIN)
			t->no_room++;
		if (r)
			return r;
		t->sent++;
	}
	return 0;
}

/* What there is; -EAGAIN, or 1 for the end, or another error */
static int receive_some(struct talk *t, uint32_t count)
{
	union message m;
	ssize_t r;

	while (t->received < count) {
		r = mk_channel_recv(t->fd, &m, sizeof(m), 0, NULL);
		if (r <= 0)
			return r ? (int)r : 1;
		check_message(t, &m, (uint32_t)r);
		t->received++;
	}
	return 0;
}

static void wait_for_more(struct talk *t, bool room)
{
	short seen;
	int r;

	t->waits++;
	r = mk_channel_poll(t->fd, POLLIN | (room ? POLLOUT : 0), PATIENCE_MS,
			    &seen);
	if (r && !stopped)
		fail(t, "wait", r, 0);
}

/* 0 when all is done, 1 when the other end has closed, or an error */
static int both_ways(struct talk *t, uint32_t count, unsigned int pace_us)
{
	int out, in;

	while (!stopped) {
		out = send_some(t, count);
		in = receive_some(t, count);
		if (in && in != -EAGAIN)
			return in;
		/* A broken end has something to read: its end. */
		if (!in && out && out != -EAGAIN)
			return out;
		if (t->sent == count && t->received == count)
			return 0;
		if (pace_us)
			usleep(pace_us);
		if (out || !may_send(t, count))
			wait_for_more(t, out == -EAGAIN);
	}
	return 0;
}

static int count(struct talk *t, const char *argument)
{
	uint32_t n = (uint32_t)strtoul(argument, NULL, 0);
	uint64_t begin;
	char more;
	int r;

	connect_end(t);
	begin = now_ms();
	r = both_ways(t, n, 0);
	if (r)
		fail(t, "end", r, 0);
	begin = now_ms() - begin;
	say("talk: %s:%u right: sent %u received %u in %lu ms, %lu/s, no room %lu, waits %lu",
	    t->peer, t->port, t->sent, t->received, (unsigned long)begin,
	    (unsigned long)(2000ULL * n / (begin + 1)),
	    (unsigned long)t->no_room, (unsigned long)t->waits);
	/* Not more than these: the next thing is the other's close. */
	if (t->listen)
		return mk_channel_recv(t->fd, &more, 1, PATIENCE_MS, NULL) != 0;
	return 0;
}

/* --- one way, and the receiver sleeps ---------------------------------------
 */

static int fill(struct talk *t, const char *argument)
{
	uint32_t n = (uint32_t)strtoul(argument, NULL, 0);
	uint32_t full;
	int r = 0;

	connect_end(t);
	t->other = 1; /* the other end says nothing */
	while (t->sent < n && !r)
		r = send_some(t, n);
	full = t->sent;
	say("talk: %s:%u full after %u: %s", t->peer, t->port, full,
	    r == -EAGAIN ? "EAGAIN" : strerror(-r));
	if (mk_channel_send(t->fd, "x", 1, 100, NULL) != -ETIMEDOUT)
		fail(t, "no room, and send did not wait", 0, -ETIMEDOUT);
	while (t->sent < n) {
		r = send_some(t, n);
		if (r == -EAGAIN)
			wait_for_more(t, true);
		else if (r)
			fail(t, "send", r, 0);
	}
	say("talk: %s:%u right: sent %u, all after room came", t->peer, t->port,
	    t->sent);
	return 0;
}

static int hold(struct talk *t, const char *argument)
{
	int r = -EAGAIN;

	connect_end(t);
	t->me = 1; /* as fill says */
	usleep((useconds_t)strtoul(argument, NULL, 0) * 1000);
	while (r == -EAGAIN) {
		r = receive_some(t, UINT32_MAX);
		if (r == -EAGAIN)
			wait_for_more(t, false);
	}
	if (r != 1)
		fail(t, "end", r, 1);
	say("talk: %s:%u right: received %u", t->peer, t->port, t->received);
	return 0;
}

/* --- for ever
 * ----------------------------------------------------------------- */

/* The peer's kernel has ended: -EPIPE, and -ESTALE once it runs again. */
static void wait_for_restart(struct talk *t)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	int r;

	say("talk: %s:%u died after %u", t->peer, t->port, t->received);
	do {
		usleep(AGAIN_US);
		r = mk_channel_send(t->fd, "x", 1, 0, NULL);
	} while (r == -EPIPE && now_ms() < end);
	if (r != -ESTALE)
		fail(t, "after the restart", r, -ESTALE);
	r = (int)mk_channel_recv(t->fd, &end, sizeof(end), 0, NULL);
	if (r != -ESTALE)
		fail(t, "read after the restart", r, -ESTALE);
	say("talk: %s:%u stale", t->peer, t->port);
}

static int endless(struct talk *t, const char *argument)
{
	int r;

	(void)argument;
	t->patient = true;
	for (;;) {
		connect_end(t);
		if (!stopped)
			say("talk: %s:%u up", t->peer, t->port);
		r = both_ways(t, UINT32_MAX, PACE_US);
		if (stopped)
			break;
		if (r == 1)
			say("talk: %s:%u closed after %u", t->peer, t->port,
			    t->received);
		else if (r == -EPIPE)
			wait_for_restart(t);
		else if (r == -ESTALE)
			say("talk: %s:%u stale at once", t->peer, t->port);
		else
			fail(t, "end", r, -EPIPE);
		mk_channel_close(t->fd);
		t->fd = -1;
	}
	say("talk: %s:%u right: sent %u received %u, and no end", t->peer,
	    t->port, t->sent, t->received);
	return 0;
}

/* --- commands ----------------------------------------------------------------
 */

static void send_all(struct talk *t, const char *text, size_t len)
{
	int r = mk_channel_send(t->fd, text, len, PATIENCE_MS, NULL);

	if (r)
		say("talk: %s:%u the caller has gone: %d", t->peer, t->port, r);
}

/* The last message is one byte: the exit status. */
static void run_command(struct talk *t, const char *command)
{
	char text[MK_MESSAGE_MAX];
	char status = 125;
	size_t n;
	FILE *f = popen(command, "r");

	if (f) {
		while ((n = fread(text, 1, sizeof(text) - 1, f)) > 0) {
			memmove(text + 1, text, n);
			text[0] = '>';
			send_all(t, text, n + 1);
		}
		status = (char)WEXITSTATUS(pclose(f));
	}
	send_all(t, &status, 1);
}

static void serve_one(struct talk *t)
{
	char command[MK_MESSAGE_MAX + 1];
	ssize_t n;

	n = mk_channel_recv(t->fd, command, MK_MESSAGE_MAX, PATIENCE_MS, NULL);
	if (n > 0) {
		command[n] = '\0';
		run_command(t, command);
	}
	mk_channel_close(t->fd);
}

static int agent(struct talk *t, const char *argument)
{
	(void)argument;
	t->listen = true;
	t->patient = true;
	do {
		connect_end(t);
		serve_one(t);
	} while (t->patient);
	return 0;
}

static int do_command(struct talk *t, const char *argument)
{
	char text[MK_MESSAGE_MAX];
	ssize_t n;

	connect_end(t);
	n = mk_channel_send(t->fd, argument, strlen(argument), PATIENCE_MS,
			    NULL);
	if (n)
		return 125;
	for (;;) {
		n = mk_channel_recv(t->fd, text, sizeof(text), PATIENCE_MS,
				    NULL);
		if (n == 1)
			return text[0];
		if (n < 1 || write(1, text + 1, (size_t)n - 1) != n - 1)
			return 125;
	}
}

static const struct mode {
	const char *name;
	bool argument;
	int (*run)(struct talk *t, const char *argument);
} modes[] = {
	{ "count", true, count },  { "fill", true, fill },
	{ "hold", true, hold },	   { "endless", false, endless },
	{ "agent", false, agent }, { "do", true, do_command },
};

static int usage(void)
{
	fputs("usage: talk count|fill|hold|endless|agent|do [-l] PEER PORT [ARGUMENT]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct talk t = { .fd = -1 };
	const struct mode *mode = NULL;
	size_t i;
	int at = 2;

	for (i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name))
			mode = &modes[i];
	if (!mode)
		return usage();
	if (at < argc && !strcmp(argv[at], "-l")) {
		t.listen = true;
		at++;
	}
	if (argc != at + 2 + mode->argument)
		return usage();
	t.peer = argv[at];
	t.port = (uint32_t)strtoul(argv[at + 1], NULL, 0);
	if (mk_ctx_new(NULL, &t.ctx, NULL))
		return 1;
	t.me = boot_id(&t);
	if (mode->run == endless)
		signal(SIGTERM, on_term);
	return mode->run(&t, argv[at + 2]);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels, step by step, for the VM tests: on the host and, by way of an agent
 * there, in instances.
 *
 * usage: chan STEP...		each step prints one line: its name and what it gave
 *        chan agent		listen at port 9: run what comes, one shell each
 *        chan at PEER COMMAND	have the agent of PEER run it; prints what that
 *				prints, and exits as that did
 *
 *	listen:PORT[:PEER]	an end that listens
 *	call:PEER:PORT[:MS]	an end that calls
 *	caller:MS		wait until somebody has called
 *	nonblock, block		O_NONBLOCK from now on, or not
 *	send:N[:BYTES]		N numbered messages
 *	fill			numbered messages until there is no room for 300 ms
 *	recv:N			N numbered messages
 *	drain			numbered messages until there are no more
 *	echo:N:BYTES		N times send, receive, compare
 *	big, empty		write 257 bytes, none
 *	small			read into 1 byte
 *	poll:MS			wait for anything but room, at most so long
 *	room:MS			wait for room
 *	stale:MS		write until that gives ESTALE, at most so long
 *	get			state and counters
 *	shut, sleep:MS, stay	close; wait; wait for ever
 *	allow:ID[:NAME...]	MK_IOC_SET_CHANNELS
 *	open:N			open N more listening ends; then close them
 *
 * A failed step gives the name of the error and the number of the reason. Exits
 * with 1 if one failed.
 */
#include <linux/multikernel.h>
#include <linux/time_types.h>

#ifndef POLLRDHUP
#define POLLRDHUP	0x2000
#endif

#define AGENT_PORT	9
#define AGENT_TRIES	100
#define ENDS_MAX	1100

static int dev_fd = -1, fd = -1;
static unsigned int sent, received;
static int failed;
static unsigned char msg[MK_MESSAGE_MAX + 1];
static struct mk_refusal refusal;

static const struct {
	int error;
	const char *name;
} error_names[] = {
	{ ENOENT, "ENOENT" }, { EACCES, "EACCES" },
	{ ECONNREFUSED, "ECONNREFUSED" }, { EAGAIN, "EAGAIN" },
	{ EMSGSIZE, "EMSGSIZE" }, { EPIPE, "EPIPE" }, { ESTALE, "ESTALE" },
	{ ETIMEDOUT, "ETIMEDOUT" }, { EHOSTDOWN, "EHOSTDOWN" },
	{ ENOTCONN, "ENOTCONN" }, { EINVAL, "EINVAL" }, { ENOSPC, "ENOSPC" },
	{ ENXIO, "ENXIO" }, { EBUSY, "EBUSY" }, { EPERM, "EPERM" },
};

static const char *error_name(int error)
{
	unsigned int i;

	for (i = 0; i < sizeof(error_names) / sizeof(error_names[0]); i++)
		if (error_names[i].error == error)
			return error_names[i].name;
	return "other";
}

static void wait_ms(unsigned int ms)
{
	poll(NULL, 0, ms);
}

/* The part of @s behind the next colon, which is cut off; NULL for none */
static char *next_part(char *s)
{
	char *colon = s ? strchr(s, ':') : NULL;

	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static unsigned int number(const char *s, unsigned int otherwise)
{
	return s ? (unsigned int)strtol(s, NULL, 0) : otherwise;
}

/* Why the last read or write failed */
static unsigned int last_reason(void)
{
	struct mk_channel_get get = { .size = sizeof(get) };

	return ioctl(fd, MK_IOC_CHANNEL_GET, &get) ? 0 : get.last.reason;
}

static void tell_error(int error, unsigned int reason)
{
	printf(" %s %u", error_name(error), reason);
	failed = 1;
}

static int open_end(const char *peer, unsigned int port, unsigned int flags,
		    unsigned int timeout_ms)
{
	struct mk_channel_open open = {
		.size = sizeof(open),
		.port = port,
		.flags = flags,
		.timeout_ms = timeout_ms,
	};

	if (strlen(peer) < sizeof(open.peer))
		memcpy(open.peer, peer, strlen(peer));
	else
		memset(open.peer, 'x', sizeof(open.peer));
	if (ioctl(dev_fd, MK_IOC_CHANNEL_OPEN, &open)) {
		refusal = open.refusal;
		return -1;
	}
	return open.fd;
}

static void step_open(const char *peer, unsigned int port, unsigned int flags,
		      unsigned int timeout_ms)
{
	if (fd >= 0)
		close(fd);
	sent = 0;
	received = 0;
	fd = open_end(peer, port, flags, timeout_ms);
	if (fd < 0)
		tell_error(errno, refusal.reason);
	else
		printf(" ok");
}

/* What is true of the end, at most @ms later */
static int poll_end(int events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (poll(&p, 1, ms) < 0)
		return -1;
	return p.revents;
}

static void tell_events(int events)
{
	if (!events)
		printf(" nothing");
	if (events & POLLIN)
		printf(" in");
	if (events & POLLOUT)
		printf(" out");
	if (events & POLLRDHUP)
		printf(" rdhup");
	if (events & POLLHUP)
		printf(" hup");
	if (events & (POLLERR | POLLNVAL))
		printf(" err");
}

/* A message says its number, and each of its bytes follows from that. */
static void fill_message(unsigned int nr, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		msg[i] = nr * 31 + i * 7;
	for (i = 0; i < 4 && i < bytes; i++)
		msg[i] = nr >> (8 * i);
}

static int check_message(unsigned int nr, unsigned int bytes)
{
	unsigned char got[MK_MESSAGE_MAX];

	memcpy(got, msg, bytes);
	fill_message(nr, bytes);
	return memcmp(got, msg, bytes);
}

static int send_one(unsigned int bytes)
{
	fill_message(sent, bytes);
	if (write(fd, msg, bytes) != (ssize_t)bytes)
		return -1;
	sent++;
	return 0;
}

/* 1: the next message; 0: the end; -1: an error; -2: another message */
static int recv_one(void)
{
	ssize_t got = read(fd, msg, MK_MESSAGE_MAX);

	if (got <= 0)
		return (int)got;
	return check_message(received++, got) ? -2 : 1;
}

static void step_send(unsigned int n, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (send_one(bytes))
			break;
	printf(" %u", i);
	if (i < n)
		tell_error(errno, last_reason());
}

static void step_fill(void)
{
	unsigned int i = 0;

	do {
		while (!send_one(8))
			i++;
	} while (errno == EAGAIN && poll_end(POLLOUT, 300) > 0);
	printf(" %u", i);
	tell_error(errno, last_reason());
}

static void step_recv(unsigned int n)
{
	unsigned int i;
	int ret = 1;

	for (i = 0; i < n && ret == 1; i++)
		ret = recv_one();
	printf(" %u", ret == 1 ? i : i - 1);
	if (ret == 0)
		printf(" end");
	else if (ret == -2)
		printf(" wrong");
	else if (ret < 0)
		tell_error(errno, last_reason());
	failed |= ret != 1;
}

static void step_echo(unsigned int n, unsigned int bytes)
{
	unsigned int i;
	int ret = 1;

	for (i = 0; i < n && ret == 1; i++)
		ret = send_one(bytes) ? -1 : recv_one();
	printf(" %u %s", i, ret == 1 ? "ok" : "bad");
	failed |= ret != 1;
}

static void step_stale(unsigned int ms)
{
	unsigned int waited;

	for (waited = 0; waited < ms; waited += 20) {
		if (write(fd, msg, 1) < 0 && errno == ESTALE) {
			printf(" yes");
			return;
		}
		wait_ms(20);
	}
	printf(" no");
	failed = 1;
}

static void step_write(unsigned int bytes)
{
	ssize_t ret = write(fd, msg, bytes);

	if (ret < 0)
		tell_error(errno, last_reason());
	else
		printf(" %d", (int)ret);
}

static void step_small(void)
{
	ssize_t ret = read(fd, msg, 1);

	if (ret < 0)
		tell_error(errno, last_reason());
	else
		printf(" %d", (int)ret);
}

static void step_get(void)
{
	struct mk_channel_get get = { .size = sizeof(get) };

	if (ioctl(fd, MK_IOC_CHANNEL_GET, &get)) {
		tell_error(errno, 0);
		return;
	}
	printf(" state %u peer %s port %u sent %u received %u lost %u",
	       get.state, get.peer, get.port, (unsigned int)get.sent,
	       (unsigned int)get.received, (unsigned int)get.lost);
}

static void step_allow(char *args)
{
	char names[MK_ALLOWED_MAX + 1][MK_NAME_MAX] = { };
	struct mk_set_channels set = {
		.size = sizeof(set),
		.peers = (unsigned long)names,
	};
	char *name = next_part(args);

	set.id = number(args, 0);
	while (name) {
		char *next = next_part(name);

		strlcpy(names[set.nr_peers++], name, MK_NAME_MAX);
		name = next;
	}
	if (ioctl(dev_fd, MK_IOC_SET_CHANNELS, &set))
		tell_error(errno, set.refusal.reason);
	else
		printf(" ok");
}

static void step_open_many(unsigned int n)
{
	static int fds[ENDS_MAX];
	unsigned int i;

	for (i = 0; i < n && i < ENDS_MAX; i++) {
		fds[i] = open_end("", 7, MK_CHANNEL_LISTEN, 0);
		if (fds[i] < 0)
			break;
	}
	printf(" %u", i);
	if (i < n)
		tell_error(errno, refusal.reason);
	while (i--)
		close(fds[i]);
}

static int set_flags(int flags)
{
	return syscall(__NR_fcntl, fd, F_SETFL, O_RDWR | flags) < 0;
}

static void run_step(char *step)
{
	char *a = next_part(step), *b = NULL, *c = NULL;

	printf("%s", step);
	if (strcmp(step, "allow")) {
		b = next_part(a);
		c = next_part(b);
	}
	if (!strcmp(step, "listen"))
		step_open(b ? b : "", number(a, 0), MK_CHANNEL_LISTEN, 0);
	else if (!strcmp(step, "call"))
		step_open(a, number(b, 0), 0, number(c, 0));
	else if (!strcmp(step, "caller"))
		tell_events(poll_end(POLLOUT, number(a, 0)) & POLLOUT);
	else if (!strcmp(step, "room"))
		tell_events(poll_end(POLLOUT, number(a, 0)));
	else if (!strcmp(step, "poll"))
		tell_events(poll_end(POLLIN | POLLRDHUP, number(a, 0)));
	else if (!strcmp(step, "nonblock"))
		failed |= set_flags(O_NONBLOCK);
	else if (!strcmp(step, "block"))
		failed |= set_flags(0);
	else if (!strcmp(step, "send"))
		step_send(number(a, 1), number(b, 8));
	else if (!strcmp(step, "fill"))
		step_fill();
	else if (!strcmp(step, "recv"))
		step_recv(number(a, 1));
	else if (!strcmp(step, "drain"))
		step_recv(-1);
	else if (!strcmp(step, "echo"))
		step_echo(number(a, 1), number(b, 8));
	else if (!strcmp(step, "big"))
		step_write(MK_MESSAGE_MAX + 1);
	else if (!strcmp(step, "empty"))
		step_write(0);
	else if (!strcmp(step, "small"))
		step_small();
	else if (!strcmp(step, "stale"))
		step_stale(number(a, 0));
	else if (!strcmp(step, "get"))
		step_get();
	else if (!strcmp(step, "allow"))
		step_allow(a);
	else if (!strcmp(step, "open"))
		step_open_many(number(a, 1));
	else if (!strcmp(step, "sleep"))
		wait_ms(number(a, 0));
	else if (!strcmp(step, "shut"))
		close(fd);
	else if (!strcmp(step, "stay"))
		for (;;)
			wait_ms(1000000);
	else
		failed = 1;
	printf("\n");
}

/* The agent */

static void serve(void)
{
	char *argv[] = { "/bin/sh", "-c", (char *)msg, NULL };
	char *env[] = { "PATH=/sbin:/bin:/usr/sbin:/usr/bin", NULL };
	char end[2] = { 0 };
	int status = 0;
	ssize_t len = read(fd, msg, MK_MESSAGE_MAX);
	pid_t pid;

	if (len <= 0)
		exit(1);
	msg[len] = '\0';
	pid = fork();
	if (!pid) {
		dup2(fd, 1);
		dup2(fd, 2);
		execve(argv[0], argv, env);
		exit(127);
	}
	waitpid(pid, &status, 0);
	end[1] = WIFEXITED(status) ? WEXITSTATUS(status) : 126;
	write(fd, end, sizeof(end));
	exit(0);
}

/* A child of a child: PID 1 reaps it. */
static void serve_apart(void)
{
	pid_t pid = fork();

	if (pid) {
		waitpid(pid, NULL, 0);
		close(fd);
		return;
	}
	if (!fork())
		serve();
	exit(0);
}

static int agent(void)
{
	printf("agent: ready\n");
	for (;;) {
		fd = open_end("", AGENT_PORT, MK_CHANNEL_LISTEN, 0);
		if (fd < 0)
			return 1;
		poll_end(POLLOUT, -1);
		serve_apart();
	}
}

static int at(const char *peer, const char *command)
{
	ssize_t len;
	int tries;

	for (tries = 0; tries < AGENT_TRIES; tries++) {
		fd = open_end(peer, AGENT_PORT, 0, 0);
		if (fd >= 0 || errno != ECONNREFUSED)
			break;
		wait_ms(20);
	}
	if (fd < 0) {
		printf("at %s %s %u\n", peer, error_name(errno),
		       refusal.reason);
		return 125;
	}
	if (write(fd, command, strlen(command)) < 0)
		return 125;
	while ((len = read(fd, msg, MK_MESSAGE_MAX)) > 0) {
		if (len == 2 && !msg[0])
			return msg[1];
		write(1, msg, len);
	}
	return 124;
}

int main(int argc, char **argv)
{
	int i;

	dev_fd = open("/dev/multikernel", O_RDWR | O_CLOEXEC);
	if (dev_fd < 0) {
		printf("no device\n");
		return 1;
	}
	if (argc == 2 && !strcmp(argv[1], "agent"))
		return agent();
	if (argc == 4 && !strcmp(argv[1], "at"))
		return at(argv[2], argv[3]);
	for (i = 1; i < argc; i++)
		run_step(argv[i]);
	return failed;
}

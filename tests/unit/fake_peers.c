// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pretended kernel's channels: see fake_kernel.h.
 *
 * Of an end that the caller gets the other half is a thread's, which passes
 * messages on: to itself at the echo port, else to a socket in the abstract
 * namespace, at which a listener in this or another process waits. So two
 * mkctl-fake with one MKFAKE_STATE talk to each other, whoever they pretend to
 * be.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <mk/util.h>

#include "fake_kernel.h"

#define MAX_FD	1024

/**
 * struct fake_end - one end of a channel
 * @half: the thread's half of the pair
 * @far: where it passes on to; of a listening end, where it is called
 */
struct fake_end {
	bool used;
	uint32_t port;
	uint32_t state;
	char peer[MK_NAME_MAX];
	int half;
	int far;
	pthread_t thread;
};

static struct fake_end ends[MAX_FD];

static socklen_t address(struct sockaddr_un *addr, uint32_t port)
{
	const char *path = getenv("MKFAKE_STATE");
	unsigned long mark = (unsigned long)getpid();
	struct stat st;
	int n;

	if (path && stat(path, &st) == 0)
		mark = st.st_ino;
	addr->sun_family = AF_UNIX;
	addr->sun_path[0] = '\0';
	n = snprintf(addr->sun_path + 1, sizeof(addr->sun_path) - 1,
		     "mkfake-%lu-%u", mark, port);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) +
	       (socklen_t)n;
}

/* One message from @from to @to; false at the end. */
static bool pass(int from, int to)
{
	char buf[MK_MESSAGE_MAX];
	ssize_t n = recv(from, buf, sizeof(buf), 0);

	return n > 0 && send(to, buf, (size_t)n, MSG_NOSIGNAL) == n;
}

static void pass_on(int half, int far)
{
	struct pollfd fds[2] = {
		{ .fd = half, .events = POLLIN },
		{ .fd = far, .events = POLLIN },
	};

	while (poll(fds, half == far ? 1 : 2, -1) > 0) {
		if (fds[0].revents && !pass(half, far))
			break;
		if (half != far && fds[1].revents && !pass(far, half))
			break;
	}
}

/* Until somebody calls there is no room for messages: poll(2) has to say so. */
static void take_room(int fd)
{
	while (send(fd, "", 1, MSG_DONTWAIT) == 1)
		;
}

static void give_room(int half)
{
	char byte;

	while (recv(half, &byte, 1, MSG_DONTWAIT) == 1)
		;
}

static void *serve(void *arg)
{
	struct fake_end *end = arg;
	int half = end->half;
	int far = end->far;

	if (end->state == MK_CHANNEL_LISTENING) {
		far = accept(end->far, NULL, NULL);
		close(end->far);
		give_room(half);
		end->state = MK_CHANNEL_CONNECTED;
	}
	pass_on(half, far);
	end->state = MK_CHANNEL_CLOSED;
	if (far != half)
		close(far);
	close(half);
	return NULL;
}

static int dial(uint32_t port)
{
	struct sockaddr_un addr = { 0 };
	socklen_t len = address(&addr, port);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, len) == 0)
		return fd;
	close(fd);
	return -1;
}

static int wait_at(uint32_t port)
{
	struct sockaddr_un addr = { 0 };
	socklen_t len = address(&addr, port);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) < 0 ||
	    listen(fd, 1) < 0)
		abort();
	return fd;
}

static int check_peer(struct mk_channel_open *o)
{
	const struct fake_instance *inst = fake_by_name(o->peer);

	if (o->flags & MK_CHANNEL_LISTEN && !o->peer[0])
		return 0;
	if (fake->role == MK_ROLE_INSTANCE)
		return !strcmp(o->peer, MK_PEER_HOST) ||
		       !strcmp(o->peer, "web") ? 0 :
		       fake_refuse(&o->refusal, ENOENT, MK_REASON_PEER_UNKNOWN,
				   0, 0, o->peer);
	if (!strcmp(o->peer, MK_PEER_HOST))
		return fake_refuse(&o->refusal, EINVAL, MK_REASON_PEER_SELF, 0,
				   0, o->peer);
	if (!inst)
		return fake_refuse(&o->refusal, ENOENT, MK_REASON_PEER_UNKNOWN,
				   0, 0, o->peer);
	if (inst->get.state != MK_STATE_RUNNING)
		return fake_refuse(&o->refusal, EHOSTDOWN, MK_REASON_PEER_DOWN,
				   inst->get.state, 0, o->peer);
	return 0;
}

static int op_open(struct mk_channel_open *o)
{
	bool listening = o->flags & MK_CHANNEL_LISTEN;
	struct fake_end *end;
	int pair[2];
	int far = -1;
	int r = check_peer(o);

	if (r < 0)
		return r;
	if (!(o->flags & MK_CHANNEL_NONBLOCK))
		return -EINVAL;	/* libmk always asks for it */
	if (o->port > MK_PORT_MAX || (listening && o->port == MK_PORT_ECHO))
		return fake_refuse(&o->refusal, EINVAL, MK_REASON_PORT_BAD,
				   o->port, MK_PORT_MAX, NULL);
	if (listening || o->port != MK_PORT_ECHO)
		far = listening ? wait_at(o->port) : dial(o->port);
	if (far < 0 && o->port != MK_PORT_ECHO)
		return fake_refuse(&o->refusal, ECONNREFUSED,
				   MK_REASON_PORT_NOBODY, o->port, 0, o->peer);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
	    pair[0] >= MAX_FD)
		abort();
	signal(SIGPIPE, SIG_IGN);	/* a channel has no such signal */
	end = &ends[pair[0]];
	*end = (struct fake_end){
		.used = true,
		.port = o->port,
		.state = listening ? MK_CHANNEL_LISTENING :
			 MK_CHANNEL_CONNECTED,
		.half = pair[1],
		.far = far < 0 ? pair[1] : far,
	};
	memcpy(end->peer, o->peer, sizeof(end->peer));
	if (listening)
		take_room(pair[0]);
	if (pthread_create(&end->thread, NULL, serve, end))
		abort();
	o->fd = pair[0];
	return fcntl(o->fd, F_SETFL, O_NONBLOCK);
}

/* What was sent still arrives, also when the program ends at once. */
__attribute__((destructor)) static void drain(void)
{
	int fd;

	for (fd = 0; fd < MAX_FD; fd++) {
		if (!ends[fd].used || ends[fd].state == MK_CHANNEL_LISTENING)
			continue;
		shutdown(fd, SHUT_RDWR);
		pthread_join(ends[fd].thread, NULL);
	}
}

static int op_get(int fd, struct mk_channel_get *g)
{
	const struct fake_end *end = &ends[fd];

	if (fd >= MAX_FD || !end->used)
		return -ENOTTY;
	g->port = end->port;
	g->state = end->state;
	memcpy(g->peer, end->peer, sizeof(g->peer));
	if (end->state == MK_CHANNEL_CLOSED)
		g->last.reason = MK_REASON_CHANNEL_CLOSED;
	return 0;
}

static int op_set_channels(struct mk_set_channels *s)
{
	const char (*names)[MK_NAME_MAX] = (void *)(uintptr_t)s->peers;
	int r = fake_enter("channels", &s->refusal);

	if (r < 0)
		return r;
	if (s->nr_peers > MK_ARRAY_SIZE(fake->allowed))
		return -EINVAL;
	fake->nr_allowed = s->nr_peers;
	memcpy(fake->allowed, names, s->nr_peers * sizeof(*names));
	return 0;
}

int fake_peers_ioctl(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case MK_IOC_SET_CHANNELS:
		return op_set_channels(arg);
	case MK_IOC_CHANNEL_OPEN:
		return op_open(arg);
	case MK_IOC_CHANNEL_GET:
		return op_get(fd, arg);
	default:
		return fake_shares_ioctl(request, arg);
	}
}

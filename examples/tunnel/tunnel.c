// SPDX-License-Identifier: GPL-2.0-only
/*
 * tunnel: IP between two kernels. Each side has a TUN device; a packet that one
 * kernel sends there comes out of the other's.
 *
 * A packet that fits goes inside a message. A larger one lies in a slot of a
 * share that its sender owns and the other side may only read: the packet is
 * read from the TUN device straight into the slot, and written from there
 * straight into the other TUN device. The message then only says which slot:
 * the channel is the doorbell. As messages come in order, so do packets.
 *
 * Slots are used in turn. Every message says how many slots of the other side
 * its sender is done with, so a slot is never written while it is in use. Where
 * there is no free slot or no room for a message, the TUN device is not read:
 * its queue fills, and TCP slows down.
 *
 *	tunnel listen KERNEL PORT DEVICE
 *	tunnel call   KERNEL PORT DEVICE
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <mk/libmk.h>

#define SLOT_BYTES	16384	/* and so the largest packet */
#define SLOTS		128
#define TELL_AFTER	(SLOTS / 4)

enum { SAY_HELLO, SAY_SLOT, SAY_INLINE, SAY_DONE };

/**
 * struct say - head of a message
 * @what: SAY_HELLO: @bytes of a name follow, of the sender's share;
 *	SAY_SLOT: a packet of @bytes is in the next slot;
 *	SAY_INLINE: a packet of @bytes follows;
 *	SAY_DONE: only for what is in every message
 * @done: slots of the receiver's share that the sender is done with so far
 */
struct say {
	uint32_t what;
	uint32_t bytes;
	uint32_t done;
};

#define INLINE_MAX	(MK_MESSAGE_MAX - sizeof(struct say))

/**
 * struct ring - a share in slots
 * @used: slots filled so far; @done: of them, those that are free again
 * @told: what the owner was told of @done
 */
struct ring {
	char name[MK_SHARE_NAME_MAX];
	struct mk_share_end end;
	char *slots;
	uint32_t used;
	uint32_t done;
	uint32_t told;
};

struct tunnel {
	struct mk_ctx *ctx;
	const char *peer;
	int channel_fd;
	int tun_fd;
	struct ring out;	/* ours */
	struct ring in;		/* of the other side */
};

static char *slot(const struct ring *ring, uint32_t number)
{
	return ring->slots + (size_t)(number % SLOTS) * SLOT_BYTES;
}

static int broken(struct mk_error *err, const char *what)
{
	mk_error_set(err, MK_ERR_FAILED, "the other side", "%s", what);
	return -EPROTO;
}

/*
 * Beginning: both sides make a share and say its name.
 */

static int ring_attach(struct tunnel *t, struct ring *ring, uint32_t rights,
		       struct mk_error *err)
{
	void *addr;
	int r;

	r = mk_share_attach(t->ctx, ring->name, 0, rights, &ring->end, err);
	if (r < 0)
		return r;
	if (ring->end.bytes != (uint64_t)SLOTS * SLOT_BYTES)
		return broken(err, "its share has a wrong size");
	r = mk_share_map(&ring->end, &addr, err);
	if (r == 0)
		ring->slots = addr;
	return r;
}

static int make_out(struct tunnel *t, uint32_t port, struct mk_error *err)
{
	struct mk_info info;
	int r;

	r = mk_info_get(t->ctx, &info, err);
	if (r < 0)
		return r;
	snprintf(t->out.name, sizeof(t->out.name), "tunnel-%u-%u",
		 info.instance_id, port);
	/* One that a tunnel has left which was killed */
	r = mk_share_revoke(t->ctx, t->out.name, 0, NULL, 1000, err);
	if (r < 0 && r != -ENOENT)
		return r;
	r = mk_share_create(t->ctx, t->out.name, (uint64_t)SLOTS * SLOT_BYTES,
			    NULL, MK_NODE_ANY, NULL, err);
	if (r < 0)
		return r;
	r = mk_share_grant(t->ctx, t->out.name, 0, t->peer, MK_RIGHT_READ, 0,
			   err);
	return r < 0 ? r : ring_attach(t, &t->out,
				       MK_RIGHT_READ | MK_RIGHT_WRITE, err);
}

static int say(struct tunnel *t, uint32_t what, const void *data,
	       uint32_t bytes, struct mk_error *err)
{
	char message[MK_MESSAGE_MAX];
	struct say head = {
		.what = what,
		.bytes = bytes,
		.done = t->in.done,
	};
	size_t len = sizeof(head);
	int r;

	memcpy(message, &head, sizeof(head));
	if (data) {
		memcpy(message + len, data, bytes);
		len += bytes;
	}
	r = mk_channel_send(t->channel_fd, message, len, 0, err);
	if (r == 0)
		t->in.told = head.done;
	return r;
}

static int hear_hello(struct tunnel *t, struct mk_error *err)
{
	char message[MK_MESSAGE_MAX];
	struct say head;
	ssize_t n;

	n = mk_channel_recv(t->channel_fd, message, sizeof(message), 10000,
			    err);
	if (n < 0)
		return (int)n;
	memcpy(&head, message, sizeof(head));
	if (n < (ssize_t)sizeof(head) || head.what != SAY_HELLO ||
	    head.bytes != (size_t)n - sizeof(head) ||
	    head.bytes >= sizeof(t->in.name))
		return broken(err, "it does not say hello");
	memcpy(t->in.name, message + sizeof(head), head.bytes);
	return ring_attach(t, &t->in, MK_RIGHT_READ, err);
}

static int open_channel(struct tunnel *t, bool listening, uint32_t port,
			struct mk_error *err)
{
	int r;

	if (!listening)
		return mk_channel_open(t->ctx, t->peer, port, 0,
				       &t->channel_fd, err);
	r = mk_channel_listen(t->ctx, t->peer, port, &t->channel_fd, err);
	return r < 0 ? r : mk_channel_wait(t->channel_fd, -1, err);
}

/* The channel first: a kernel that is not there yet can be granted nothing. */
static int connect_to(struct tunnel *t, bool listening, uint32_t port,
		      struct mk_error *err)
{
	int r;

	r = open_channel(t, listening, port, err);
	if (r == 0)
		r = make_out(t, port, err);
	if (r == 0)
		r = say(t, SAY_HELLO, t->out.name,
			(uint32_t)strlen(t->out.name), err);
	return r < 0 ? r : hear_hello(t, err);
}

static int open_tun(struct tunnel *t, const char *name, struct mk_error *err)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int error;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	t->tun_fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->tun_fd >= 0 && ioctl(t->tun_fd, TUNSETIFF, &ifr) == 0)
		return 0;
	error = errno;
	mk_error_set(err, MK_ERR_FAILED, name, "cannot make this device: %s",
		     strerror(error));
	return -error;
}

/*
 * Out: from the TUN device to the other side.
 */

static bool has_free_slot(const struct tunnel *t)
{
	return t->out.used - t->out.done < SLOTS;
}

/* There is a slot, and room for a message. */
static int packet_out(struct tunnel *t, struct mk_error *err)
{
	char *at = slot(&t->out, t->out.used);
	ssize_t n = read(t->tun_fd, at, SLOT_BYTES);
	int r;

	if (n <= 0)
		return 0;
	if ((size_t)n <= INLINE_MAX)
		return say(t, SAY_INLINE, at, (uint32_t)n, err);
	t->out.used++;
	r = say(t, SAY_SLOT, NULL, (uint32_t)n, err);
	if (r == -EAGAIN)
		t->out.used--;	/* lost, as packets may be */
	return r;
}

/*
 * In: from the other side to the TUN device. What it says is checked; what is
 * in a packet is for the network stack to check, as with any network.
 */

static int take_done(struct tunnel *t, uint32_t done, struct mk_error *err)
{
	if (done - t->out.done > t->out.used - t->out.done)
		return broken(err, "it is done with more than it got");
	t->out.done = done;
	return 0;
}

static void packet_in(struct tunnel *t, const char *data, uint32_t bytes)
{
	ssize_t n = write(t->tun_fd, data, bytes);

	(void)n;	/* a packet that nobody takes is lost, as packets may be */
}

static int message_in(struct tunnel *t, struct mk_error *err)
{
	char message[MK_MESSAGE_MAX];
	struct say head;
	ssize_t n;
	int r;

	n = mk_channel_recv(t->channel_fd, message, sizeof(message), 0, err);
	if (n == 0)
		return broken(err, "it has closed");
	if (n < 0)
		return (int)n;
	if (n < (ssize_t)sizeof(head))
		return broken(err, "a message is too short");
	memcpy(&head, message, sizeof(head));
	r = take_done(t, head.done, err);
	if (r < 0)
		return r;
	switch (head.what) {
	case SAY_DONE:
		return 0;
	case SAY_INLINE:
		if (head.bytes != (size_t)n - sizeof(head))
			return broken(err, "a packet has a wrong size");
		packet_in(t, message + sizeof(head), head.bytes);
		return 0;
	case SAY_SLOT:
		if (head.bytes > SLOT_BYTES)
			return broken(err, "a packet is too large");
		packet_in(t, slot(&t->in, t->in.done), head.bytes);
		t->in.done++;
		return 0;
	default:
		return broken(err, "a message is of no known kind");
	}
}

/*
 * Both, until something ends.
 */

static int turn(struct tunnel *t, struct mk_error *err)
{
	bool tell = t->in.done - t->in.told >= TELL_AFTER;
	struct pollfd fds[2] = {
		{ .fd = t->channel_fd, .events = POLLIN },
		{ .fd = t->tun_fd },
	};
	int r;

	/* While there is no room for a message, wait for that alone. */
	if (poll(&(struct pollfd){ t->channel_fd, POLLOUT, 0 }, 1, 0) == 0)
		fds[0].events |= POLLOUT;
	else if (tell)
		return say(t, SAY_DONE, NULL, 0, err);
	else if (has_free_slot(t))
		fds[1].events = POLLIN;
	if (poll(fds, 2, -1) < 0)
		return -errno;
	if (fds[1].revents & POLLIN) {
		r = packet_out(t, err);
		if (r < 0)
			return r;
	}
	return fds[0].revents & ~POLLOUT ? message_in(t, err) : 0;
}

static int run(struct tunnel *t, struct mk_error *err)
{
	int r;

	do
		r = turn(t, err);
	while (r == 0 || r == -EAGAIN);
	return r;
}

static void end(struct tunnel *t)
{
	mk_share_unmap(&t->in.end, t->in.slots);
	mk_share_unmap(&t->out.end, t->out.slots);
	mk_share_close(&t->in.end);
	mk_share_close(&t->out.end);
	mk_channel_close(t->channel_fd);
	/* When the other side still has it, it goes when that detaches. */
	if (t->out.name[0] &&
	    mk_share_revoke(t->ctx, t->out.name, 0, NULL, 1000, NULL) < 0)
		fprintf(stderr, "tunnel: '%s' is still in use\n", t->out.name);
	mk_ctx_free(t->ctx);
}

int main(int argc, char **argv)
{
	struct tunnel t = {
		.channel_fd = -1,
		.tun_fd = -1,
		.in.end = MK_SHARE_END_NONE,
		.out.end = MK_SHARE_END_NONE,
	};
	struct mk_error err = MK_ERROR_INIT;
	bool listening;
	uint32_t port;
	int r;

	listening = argc == 5 && !strcmp(argv[1], "listen");
	if (argc != 5 || (!listening && strcmp(argv[1], "call"))) {
		fprintf(stderr, "usage: tunnel listen|call KERNEL PORT DEVICE\n");
		return 2;
	}
	t.peer = argv[2];
	port = (uint32_t)strtoul(argv[3], NULL, 10);
	r = mk_ctx_new(NULL, &t.ctx, &err);
	if (r == 0)
		r = connect_to(&t, listening, port, &err);
	if (r == 0)
		r = open_tun(&t, argv[4], &err);
	if (r == 0) {
		printf("tunnel: %s leads to %s\n", argv[4], t.peer);
		fflush(stdout);
		r = run(&t, &err);
	}
	fprintf(stderr, "tunnel: %s: %s\n", err.object, err.message);
	end(&t);
	return r < 0;
}

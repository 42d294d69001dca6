// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Channels: one end is a descriptor that does not block. Waiting is done here,
 * by poll(2), so that each call has a time limit of its own.
 *
 * Why read(2) or write(2) failed says MK_IOC_CHANNEL_GET; it is asked only
 * when the caller wants to know.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define WHO_MAX		(MK_NAME_MAX + 16)

/* "web:7", for messages */
static void who_text(char buf[WHO_MAX], const char *peer, uint32_t port)
{
	snprintf(buf, WHO_MAX, "%s:%u", peer[0] ? peer : "anybody", port);
}

static int open_end(struct mk_ctx *ctx, struct mk_channel_open *req,
		    const char *peer, int *ret_fd, struct mk_error *err)
{
	char who[WHO_MAX];
	int r;

	r = mk_name_copy(req->peer, sizeof(req->peer), peer,
			 MK_REASON_PEER_UNKNOWN, ENOENT, err);
	if (r < 0)
		return r;
	who_text(who, req->peer, req->port);
	req->size = sizeof(*req);
	req->flags |= MK_CHANNEL_NONBLOCK;
	req->fd = -1;
	r = mk_ctx_ioctl(ctx, MK_IOC_CHANNEL_OPEN, req, &req->refusal, who,
			 err);
	if (r < 0)
		return r;
	*ret_fd = req->fd;
	return 0;
}

int mk_channel_open(struct mk_ctx *ctx, const char *peer, uint32_t port,
		    unsigned int timeout_ms, int *ret_fd, struct mk_error *err)
{
	struct mk_channel_open req = {
		.port = port,
		.timeout_ms = timeout_ms,
	};

	return open_end(ctx, &req, peer, ret_fd, err);
}

int mk_channel_listen(struct mk_ctx *ctx, const char *peer, uint32_t port,
		      int *ret_fd, struct mk_error *err)
{
	struct mk_channel_open req = {
		.port = port,
		.flags = MK_CHANNEL_LISTEN,
	};

	return open_end(ctx, &req, peer ? peer : "", ret_fd, err);
}

int mk_channel_get(int fd, struct mk_channel_get *ret_get,
		   struct mk_error *err)
{
	struct mk_channel_get get = { .size = sizeof(get) };
	int r;

	r = mk_fd_ioctl(fd, MK_IOC_CHANNEL_GET, &get, &get.refusal, NULL, err);
	if (r < 0)
		return r;
	get.peer[sizeof(get.peer) - 1] = '\0';
	*ret_get = get;
	return 0;
}

/* A read(2) or write(2) has failed with @error. */
static int transfer_error(int fd, int error, struct mk_error *err)
{
	struct mk_channel_get get = { 0 };
	char who[WHO_MAX];

	if (!err)
		return -error;
	if (mk_channel_get(fd, &get, NULL) < 0) {
		mk_refusal_error(err, &get.last, error, "channel");
		return -error;
	}
	who_text(who, get.peer, get.port);
	mk_refusal_error(err, &get.last, error, who);
	return -error;
}

static int wait_error(int fd, int error, int timeout_ms, const char *what,
		      struct mk_error *err)
{
	struct mk_channel_get get = { 0 };
	char who[WHO_MAX] = "channel";

	if (!err)
		return -error;
	if (mk_channel_get(fd, &get, NULL) == 0)
		who_text(who, get.peer, get.port);
	if (error == ETIMEDOUT)
		mk_error_set(err, MK_ERR_TIMEOUT, who, "%s in %d ms", what,
			     timeout_ms);
	else if (error == EAGAIN)
		mk_error_set(err, MK_ERR_BUSY, who, "%s now", what);
	else
		mk_error_set(err, MK_ERR_FAILED, who, "%s: %s", what,
			     strerror(error));
	return -error;
}

int mk_channel_poll(int fd, short events, int timeout_ms, short *ret_events)
{
	struct pollfd pfd = { .fd = fd, .events = events | POLLRDHUP };
	int n = poll(&pfd, 1, timeout_ms);

	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	if (pfd.revents & POLLNVAL)
		return -EBADF;
	*ret_events = pfd.revents;
	return 0;
}

/*
 * Until @events or the end of the channel: then the next read(2) or write(2)
 * says which. -EAGAIN when there is no time to wait at all.
 */
static int wait_until(int fd, short events, const struct mk_deadline *deadline)
{
	int left_ms = mk_deadline_left(deadline);
	short seen;

	if (left_ms == 0)
		return deadline->timeout_ms == 0 ? -EAGAIN : -ETIMEDOUT;
	return mk_channel_poll(fd, events, left_ms, &seen);
}

int mk_channel_wait(int fd, int timeout_ms, struct mk_error *err)
{
	short seen;
	int r = mk_channel_poll(fd, POLLIN | POLLOUT, timeout_ms, &seen);

	if (r == -ETIMEDOUT && timeout_ms == 0)
		r = -EAGAIN;
	if (r < 0)
		return wait_error(fd, -r, timeout_ms, "nobody has called",
				  err);
	return 0;
}

int mk_channel_send(int fd, const void *data, size_t len, int timeout_ms,
		    struct mk_error *err)
{
	const struct mk_refusal empty = { .reason = MK_REASON_MSG_EMPTY };
	struct mk_deadline deadline = mk_deadline_in(timeout_ms);
	ssize_t n;
	int r;

	if (len == 0) {
		mk_refusal_error(err, &empty, EINVAL, "channel");
		return -EINVAL;
	}
	for (;;) {
		n = write(fd, data, len);
		if (n == (ssize_t)len)
			return 0;
		if (n >= 0)
			return transfer_error(fd, EPROTO, err);
		if (errno != EAGAIN)
			return transfer_error(fd, errno, err);
		r = wait_until(fd, POLLOUT, &deadline);
		if (r < 0)
			return wait_error(fd, -r, timeout_ms,
					  "no room for a message", err);
	}
}

ssize_t mk_channel_recv(int fd, void *buf, size_t size, int timeout_ms,
			struct mk_error *err)
{
	struct mk_deadline deadline = mk_deadline_in(timeout_ms);
	ssize_t n;
	int r;

	for (;;) {
		n = read(fd, buf, size);
		if (n >= 0)
			return n;
		if (errno != EAGAIN)
			return transfer_error(fd, errno, err);
		r = wait_until(fd, POLLIN, &deadline);
		if (r < 0)
			return wait_error(fd, -r, timeout_ms, "no message",
					  err);
	}
}

void mk_channel_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

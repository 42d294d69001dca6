// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events: the states of an instance, and what happens to a share, read as they
 * come.
 */
#include <poll.h>

#include "internal.h"

int mk_events_open(struct mk_ctx *ctx, uint32_t id, int *ret_fd,
		   struct mk_error *err)
{
	return mk_ctx_open_kind(ctx, id, MK_OPEN_EVENTS, ret_fd, err);
}

/*
 * Reads before it polls: the present state is there at once, while poll(2)
 * speaks only of newer ones.
 */
static int read_wait(int fd, void *buf, size_t bytes, short events,
		     int timeout_ms)
{
	struct mk_deadline deadline = mk_deadline_in(timeout_ms);
	int left_ms;
	ssize_t n;
	int r;

	for (;;) {
		n = read(fd, buf, bytes);
		if (n == (ssize_t)bytes)
			return 0;
		if (n > 0)
			return -EPROTO;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		left_ms = mk_deadline_left(&deadline);
		if (left_ms == 0)
			return -ETIMEDOUT;
		r = mk_fd_poll_for(fd, events, left_ms);
		if (r < 0)
			return r;
	}
}

int mk_events_wait(int fd, int timeout_ms, struct mk_event *ret_event)
{
	struct mk_event event;
	int r;

	r = read_wait(fd, &event, sizeof(event), POLLIN, timeout_ms);
	if (r == 0)
		*ret_event = event;
	return r;
}

int mk_share_event_wait(int fd, int timeout_ms,
			struct mk_share_event *ret_event)
{
	struct mk_share_event event;
	int r;

	r = read_wait(fd, &event, sizeof(event), POLLIN | POLLPRI,
			    timeout_ms);
	if (r == 0)
		*ret_event = event;
	return r;
}

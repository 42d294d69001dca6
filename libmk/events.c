// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events: the states of an instance, read as they come.
 */
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
int mk_events_wait(int fd, int timeout_ms, struct mk_event *ret_event)
{
	uint64_t end_ns = mk_now_ns() + (uint64_t)timeout_ms * 1000000;
	struct mk_event event;
	uint64_t now_ns;
	int left_ms = -1;
	ssize_t n;
	int r;

	for (;;) {
		n = read(fd, &event, sizeof(event));
		if (n == (ssize_t)sizeof(event))
			break;
		if (n > 0)
			return -EPROTO;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (timeout_ms >= 0) {
			now_ns = mk_now_ns();
			if (now_ns >= end_ns)
				return -ETIMEDOUT;
			left_ms = (int)((end_ns - now_ns) / 1000000) + 1;
		}
		r = mk_fd_poll(fd, left_ms);
		if (r < 0)
			return r;
	}
	*ret_event = event;
	return 0;
}

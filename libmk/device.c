// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Requests about this kernel itself, and the one place where ioctl(2) is
 * called.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "internal.h"

int mk_fd_ioctl(int fd, unsigned long request, void *arg,
		const struct mk_refusal *refusal, const char *object,
		struct mk_error *err)
{
	int error;

	if (ioctl(fd, request, arg) >= 0)
		return 0;
	error = errno;
	if (error == ENOTTY && refusal->reason == MK_REASON_NONE) {
		mk_error_set(err, MK_ERR_NOT_PERMITTED, MK_DEVICE,
			     "does not know this request: %s", strerror(error));
		mk_error_hint(err, "kernel and mkctl are of different versions; 'mkctl version' shows both");
	} else {
		mk_refusal_error(err, refusal, error, object);
	}
	return -error;
}

int mk_ctx_ioctl(struct mk_ctx *ctx, unsigned long request, void *arg,
		 const struct mk_refusal *refusal, const char *object,
		 struct mk_error *err)
{
	int r = mk_ctx_device(ctx, err);

	if (r < 0)
		return r;
	return mk_fd_ioctl(ctx->device_fd, request, arg, refusal, object, err);
}

int mk_info_get(struct mk_ctx *ctx, struct mk_info *ret_info,
		struct mk_error *err)
{
	struct mk_info info = { .size = sizeof(info) };
	int r;

	r = mk_ctx_ioctl(ctx, MK_IOC_INFO, &info, &info.refusal, MK_DEVICE,
			 err);
	if (r < 0)
		return r;
	*ret_info = info;
	return 0;
}

static int not_host(struct mk_error *err, uint32_t reason, uint32_t role)
{
	struct mk_refusal refusal = { .reason = reason, .a = role };

	mk_refusal_error(err, &refusal, EPERM, NULL);
	return -EPERM;
}

int mk_info_get_host(struct mk_ctx *ctx, struct mk_info *ret_info,
		     struct mk_error *err)
{
	struct mk_info info;
	int r;

	r = mk_info_get(ctx, &info, err);
	if (r < 0)
		return r;
	if (info.role == MK_ROLE_INSTANCE)
		return not_host(err, MK_REASON_NOT_HOST, info.role);
	if (info.role != MK_ROLE_HOST || info.pool_bytes == 0)
		return not_host(err, MK_REASON_NO_POOL, info.role);
	*ret_info = info;
	return 0;
}

int mk_notify_ready(struct mk_ctx *ctx, struct mk_error *err)
{
	struct mk_notify notify = {
		.size = sizeof(notify),
		.what = MK_NOTIFY_READY,
	};

	struct mk_error refused = MK_ERROR_INIT;
	int r;

	r = mk_ctx_ioctl(ctx, MK_IOC_NOTIFY, &notify, &notify.refusal, NULL,
			 &refused);
	if (r == 0)
		return 0;
	/* The reason says "wrong role"; here that means the other way round. */
	if (refused.reason == MK_REASON_NOT_HOST) {
		mk_error_set(&refused, MK_ERR_NOT_PERMITTED, NULL,
			     "this kernel is not an instance");
		mk_error_hint(&refused, "run it inside an instance");
	}
	if (err)
		*err = refused;
	return r;
}

int mk_fd_nonblock(int fd, struct mk_error *err)
{
	int flags = fcntl(fd, F_GETFL);
	int error;

	if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) >= 0)
		return 0;
	error = errno;
	mk_error_set(err, MK_ERR_FAILED, NULL,
		     "cannot make a descriptor non-blocking: %s",
		     strerror(error));
	return -error;
}

int mk_ctx_open_kind(struct mk_ctx *ctx, uint32_t id, uint32_t kind,
		     int *ret_fd, struct mk_error *err)
{
	struct mk_open req = {
		.size = sizeof(req),
		.id = id,
		.kind = kind,
		.fd = -1,
	};
	int r;

	r = mk_ctx_ioctl(ctx, MK_IOC_OPEN, &req, &req.refusal, NULL, err);
	if (r < 0)
		return r;
	r = mk_fd_nonblock(req.fd, err);
	if (r < 0) {
		close(req.fd);
		return r;
	}
	*ret_fd = req.fd;
	return 0;
}

int mk_fd_poll_for(int fd, short events, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n = poll(&pfd, 1, timeout_ms);

	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	if (pfd.revents & events)
		return 0;
	return -ENODEV;
}

int mk_fd_poll(int fd, int timeout_ms)
{
	return mk_fd_poll_for(fd, POLLIN, timeout_ms);
}

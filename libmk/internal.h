/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of libmk share among themselves.
 */
#ifndef LIBMK_INTERNAL_H
#define LIBMK_INTERNAL_H

#include <mk/libmk.h>

#define MK_DEVICE	"/dev/multikernel"

/**
 * struct mk_ctx - see mk_ctx_new()
 * @root_fd: O_PATH descriptor of the root
 * @device_fd: of the device, -1 until it is needed
 */
struct mk_ctx {
	int root_fd;
	int device_fd;
};

/**
 * mk_ctx_ioctl() - one request
 * @refusal: the member of @arg that the kernel writes
 * @object: for the error, when the kernel names nothing better
 */
int mk_ctx_ioctl(struct mk_ctx *ctx, unsigned long request, void *arg,
		 const struct mk_refusal *refusal, const char *object,
		 struct mk_error *err) MK_MUST_CHECK;

/** mk_fd_ioctl() - the same on a descriptor */
int mk_fd_ioctl(int fd, unsigned long request, void *arg,
		const struct mk_refusal *refusal, const char *object,
		struct mk_error *err) MK_MUST_CHECK;

/** mk_ctx_open_kind() - MK_IOC_OPEN, made non-blocking */
int mk_ctx_open_kind(struct mk_ctx *ctx, uint32_t id, uint32_t kind,
		     int *ret_fd, struct mk_error *err) MK_MUST_CHECK;

/** mk_no_memory() - fill @err, return -ENOMEM */
int mk_no_memory(struct mk_error *err);

/**
 * struct mk_deadline - the end of what may take @timeout_ms
 */
struct mk_deadline {
	int timeout_ms;		/* -1: never */
	uint64_t end_ns;
};

struct mk_deadline mk_deadline_in(int timeout_ms);
/** mk_deadline_left() - ms as poll(2) wants them, 0 when it has passed */
int mk_deadline_left(const struct mk_deadline *deadline);

int mk_fd_nonblock(int fd, struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_name_copy() - a name into a request
 *
 * One that is too long is none that exists: it is refused for @reason, with
 * -@error. Cut short it might be another's.
 */
int mk_name_copy(char *dst, size_t size, const char *name, uint32_t reason,
		 int error, struct mk_error *err) MK_MUST_CHECK;

/** mk_fd_poll_for() - wait for @events: 0, -ETIMEDOUT, -EINTR, -ENODEV */
int mk_fd_poll_for(int fd, short events, int timeout_ms) MK_MUST_CHECK;
/** mk_fd_poll() - likewise for input */
int mk_fd_poll(int fd, int timeout_ms) MK_MUST_CHECK;

#endif /* LIBMK_INTERNAL_H */

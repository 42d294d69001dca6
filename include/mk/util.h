/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every file of the userland wants: cleanup attributes, ownership
 * hand-over, small helpers. No function here has state or does I/O except the
 * cleanup of a descriptor.
 */
#ifndef MK_UTIL_H
#define MK_UTIL_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MK_MUST_CHECK	__attribute__((warn_unused_result))

#define MK_ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* A pointer or descriptor whose owner goes out of scope is released ... */
#define mk_autofree	__attribute__((cleanup(mk_cleanup_free)))
#define mk_autoclose	__attribute__((cleanup(mk_cleanup_close)))

/* ... unless it was handed to somebody else. */
#define TAKE_PTR(p)							\
	({								\
		__typeof__(p) taken_ptr_ = (p);				\
		(p) = NULL;						\
		taken_ptr_;						\
	})
#define TAKE_FD(fd)							\
	({								\
		int taken_fd_ = (fd);					\
		(fd) = -1;						\
		taken_fd_;						\
	})

static inline void mk_cleanup_free(void *p)
{
	int saved_errno = errno;

	free(*(void **)p);
	errno = saved_errno;
}

static inline void mk_cleanup_close(int *fd)
{
	int saved_errno = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved_errno;
}

/* CLOCK_MONOTONIC, which no one can set, in ns. */
static inline uint64_t mk_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

#endif /* MK_UTIL_H */

/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * What the headers about memory shared between kernels need from their
 * surroundings, so that the same code is built into the kernel, the libraries
 * and the tests. User space gets the kernel's names on top of the compiler's
 * atomics. A test may define the accessors first, to watch each access.
 */
#ifndef _LINUX_MK_SHARED_H
#define _LINUX_MK_SHARED_H

#ifdef __KERNEL__

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>

#else /* user space */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#ifndef READ_ONCE
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)

#ifdef __SANITIZE_THREAD__
/*
 * GCC's ThreadSanitizer does not know fences. A locked operation on a private
 * word is as strong on the machine, and tells it of no ordering between threads
 * by which it would overlook a race.
 */
static inline void mk_smp_fence(void)
{
	u32 word = 0;

	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
}
#define smp_mb()		mk_smp_fence()
#define smp_rmb()		mk_smp_fence()
#define smp_wmb()		mk_smp_fence()
#else
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#endif
#endif /* READ_ONCE */

#ifndef barrier
#define barrier()		__asm__ __volatile__("" : : : "memory")
#endif
#ifndef __aligned
#define __aligned(n)		__attribute__((__aligned__(n)))
#endif
#ifndef __must_check
#define __must_check		__attribute__((__warn_unused_result__))
#endif

#endif /* __KERNEL__ */

/*
 * memcpy() of text that belongs to one kernel at a time. GCC may expand it in
 * place, and ThreadSanitizer sees only real calls: without one no race would
 * ever be found.
 */
static inline void mk_copy(void *dst, const void *src, size_t n)
{
#if defined(__SANITIZE_THREAD__) && !defined(__KERNEL__)
	void *(*volatile copy)(void *, const void *, size_t) = memcpy;

	copy(dst, src, n);
#else
	memcpy(dst, src, n);
#endif
}

/* Fields are little-endian; no conversion is written, so no other CPU. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "byte order");

/* A layout that several kernels agree on is pinned member by member. */
#define MK_ASSERT_OFFSET(type, member, offset) \
	static_assert(offsetof(type, member) == (offset), #member)

#endif /* _LINUX_MK_SHARED_H */

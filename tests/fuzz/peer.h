/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hostile peer: what the fuzzers of shared memory have in common.
 *
 * The code under test runs with our accessors. Before each of its loads, at
 * each of its full barriers and in the middle of each of its copies, the peer
 * may change any shared byte; the fuzzer's input says which. So a value that is
 * read twice may differ each time. Stores and copies are checked by the target:
 * may this end write here?
 *
 * A target includes this before anything of mk_*.h and defines peer_act(),
 * peer_check_store() and peer_check_copy().
 */
#ifndef FUZZ_PEER_H
#define FUZZ_PEER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define must(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: broken: %s\n",		\
				__FILE__, __LINE__, #cond);		\
			abort();					\
		}							\
	} while (0)

static struct {
	uint8_t *bytes;			/* the shared memory */
	size_t size;
	const uint8_t *in;		/* the fuzzer's input */
	const uint8_t *end;
	const uint8_t *again;		/* the act that is repeated */
	unsigned int again_left;
	unsigned int accesses;		/* of the call under test, so far */
	unsigned int accesses_max;
	bool frozen;			/* the peer does nothing any more */
} peer;

/** peer_act() - one act of the peer; @op is not 0 */
static void peer_act(uint8_t op);

/** peer_check_store() - the code under test stores @value in shared memory */
static void peer_check_store(size_t offset, size_t size, uint64_t value);

/** peer_check_copy() - it copies @n bytes; one of the two is shared memory */
static void peer_check_copy(const void *dst, const void *src, size_t n);

/* The input; zeros behind its end. */
static inline bool peer_input_left(void)
{
	return peer.in < peer.end;
}

static inline uint64_t peer_take(unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | (peer_input_left() ? *peer.in++ : 0);
	return value;
}

/** peer_begin() - a call under test begins; it may access that often */
static inline void peer_begin(unsigned int accesses_max)
{
	peer.accesses = 0;
	peer.accesses_max = accesses_max;
}

static inline bool peer_shares(const volatile void *addr)
{
	return peer.bytes &&
	       (uintptr_t)addr - (uintptr_t)peer.bytes < peer.size;
}

/* The act at @from in the input once more. */
static inline void peer_again(const uint8_t *from)
{
	const uint8_t *in = peer.in;

	peer.in = from;
	peer_act((uint8_t)peer_take(1));
	peer.in = in;
}

/* An act with bit 7 is repeated, up to 255 times: the other end never rests. */
static inline void peer_touch(void)
{
	const uint8_t *from = peer.in;
	uint8_t op;

	if (peer.frozen)
		return;
	if (peer.again_left) {
		peer.again_left--;
		return peer_again(peer.again);
	}
	op = (uint8_t)peer_take(1);
	if (!op)
		return;
	peer_act(op);
	if (op & 0x80) {
		peer.again = from;
		peer.again_left = (unsigned int)peer_take(1);
	}
}

/* Some bytes somewhere. */
static inline void peer_poke(void)
{
	size_t at = peer_take(2) % peer.size;
	size_t n = peer_take(1) % 16 + 1;

	for (; n-- && at < peer.size; at++)
		peer.bytes[at] = (uint8_t)peer_take(1);
}

static inline void peer_access(void)
{
	must(++peer.accesses <= peer.accesses_max);
}

static inline uint64_t peer_load(const volatile void *addr, size_t size)
{
	uint64_t value = 0;

	if (peer_shares(addr)) {
		peer_access();
		/* In a search byte by byte not at every byte. */
		if (size > 1 || peer.accesses % 64 == 0)
			peer_touch();
	}
	memcpy(&value, (const void *)addr, size);
	return value;
}

static inline void peer_store(volatile void *addr, uint64_t value, size_t size)
{
	if (peer_shares(addr)) {
		peer_access();
		peer_check_store((size_t)((volatile uint8_t *)addr -
					  peer.bytes), size, value);
	}
	memcpy((void *)addr, &value, size);
}

static inline void peer_copy(void *dst, const void *src, size_t n)
{
	size_t half = n / 2;

	must(peer_shares(dst) != peer_shares(src) || !n);
	peer_access();
	peer_check_copy(dst, src, n);
	memcpy(dst, src, half);
	peer_touch();
	memcpy((uint8_t *)dst + half, (const uint8_t *)src + half, n - half);
}

#define READ_ONCE(x)		((__typeof__((x) + 0))peer_load(&(x), sizeof(x)))
#define WRITE_ONCE(x, v)	peer_store(&(x), (v), sizeof(x))
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	WRITE_ONCE(*(p), (v))
#define smp_mb()		peer_touch()
#define smp_rmb()		peer_touch()
#define smp_wmb()		((void)0)
#define memcpy(dst, src, n)	peer_copy(dst, src, n)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* FUZZ_PEER_H */

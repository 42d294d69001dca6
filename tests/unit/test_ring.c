// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The message ring, single-threaded: layout, joining, order, full and empty,
 * wrap-around, doorbell suppression, and a peer that writes every kind of
 * nonsense. The races are in test_ring_sim.c and test_ring_threads.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/mk_ring.h>

#include "msg_head.h"

#define EPOCH	7

/* A ring of its exact size on the heap: ASan sees each step outside. */
struct fixture {
	struct mk_ring *sh;
	struct mk_ring_tx tx;
	struct mk_ring_rx rx;
	struct mk_msg msg;
	bool kick;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->sh = aligned_alloc(4096, sizeof(*f->sh));
	if (!f->sh)
		return -1;
	memset(f->sh, 0xa5, sizeof(*f->sh));
	mk_ring_format(f->sh, EPOCH);
	mk_ring_tx_init(&f->tx, f->sh);
	mk_ring_rx_init(&f->rx, f->sh);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->sh);
	free(f);
	return 0;
}

/* As if @index messages had come and gone. */
static void fast_forward(struct fixture *f, u32 index)
{
	u32 i;

	for (i = index - MK_RING_SLOTS; i != index; i++)
		f->sh->slots[i % MK_RING_SLOTS].seq = i + 1;
	f->tx.head = index;
	f->tx.tail = index;
	f->rx.head = index;
	f->rx.tail = index;
	f->rx.kick_tail = index;
	f->sh->head = index;
	f->sh->tail = index;
	f->sh->want_head = index;
	f->sh->want_tail = index - 1;
}

static int send_u32(struct fixture *f, u32 value)
{
	return mk_ring_send(&f->tx, HEAD(1, value), &value, sizeof(value),
			    &f->kick);
}

static void send_n(struct fixture *f, u32 first, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		assert_int_equal(send_u32(f, first + i), 0);
}

static void recv_u32(struct fixture *f, u32 expected)
{
	u32 value;

	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 1);
	assert_int_equal(f->msg.len, sizeof(value));
	memcpy(&value, f->msg.payload, sizeof(value));
	assert_int_equal(value, expected);
	assert_int_equal(f->msg.head.id, expected);
}

static void recv_n(struct fixture *f, u32 first, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		recv_u32(f, first + i);
}

static void test_format(void **state)
{
	struct fixture *f = *state;
	const u8 *bytes = (const u8 *)f->sh;
	size_t i;

	assert_int_equal(sizeof(*f->sh), MK_RING_BYTES);
	assert_int_equal(f->sh->epoch, EPOCH);
	assert_int_equal(f->sh->head, 0);
	assert_int_equal(f->sh->tail, 0);
	assert_int_equal(f->sh->want_head, 0);
	for (i = offsetof(struct mk_ring, slots); i < sizeof(*f->sh); i++)
		assert_int_equal(bytes[i], 0);
}

static void test_check(void **state)
{
	struct fixture *f = *state;
	struct mk_ring *sh = f->sh;

	assert_int_equal(mk_ring_check(sh, EPOCH), 0);
	assert_int_equal(mk_ring_check(sh, EPOCH + 1), -ESTALE);
	sh->slot_bytes++;
	assert_int_equal(mk_ring_check(sh, EPOCH), -EMSGSIZE);
	sh->slot_count = 0;
	assert_int_equal(mk_ring_check(sh, EPOCH), -ERANGE);
	sh->version = 0xffffffff;
	assert_int_equal(mk_ring_check(sh, EPOCH), -EPROTONOSUPPORT);
	sh->magic ^= 1ULL << 63;
	assert_int_equal(mk_ring_check(sh, EPOCH), -ENXIO);
	sh->magic = 0;
	assert_int_equal(mk_ring_check(sh, EPOCH), -ENXIO);
}

static void test_one_message(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
	assert_int_equal(mk_ring_send(&f->tx, HEAD(0x80000001, 0xfffffff0),
				      "hello", 5, &f->kick),
			 0);
	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 1);
	assert_int_equal(f->msg.head.type, 0x80000001);
	assert_int_equal(f->msg.head.id, 0xfffffff0);
	assert_int_equal(f->msg.len, 5);
	assert_memory_equal(f->msg.payload, "hello", 5);
	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
	assert_int_equal(f->tx.counters.sent, 1);
	assert_int_equal(f->rx.counters.received, 1);
}

/* Every length arrives whole, and nothing behind it is touched. */
static void test_lengths(void **state)
{
	struct fixture *f = *state;
	u8 text[MK_MSG_MAX + 1];
	u32 len, i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = i * 7 + 1;
	for (len = 0; len <= MK_MSG_MAX; len++) {
		assert_int_equal(mk_ring_send(&f->tx, HEAD(1, len),
					      len ? text : NULL, len, &f->kick),
				 0);
		memset(&f->msg, 0xee, sizeof(f->msg));
		assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 1);
		assert_int_equal(f->msg.len, len);
		assert_memory_equal(f->msg.payload, text, len);
		for (i = len; i < MK_MSG_MAX; i++)
			assert_int_equal(f->msg.payload[i], 0xee);
	}
	f->kick = true;
	assert_int_equal(mk_ring_send(&f->tx, HEAD(1, 0), text, MK_MSG_MAX + 1,
				      &f->kick),
			 -EMSGSIZE);
	assert_int_equal(
		mk_ring_send(&f->tx, HEAD(1, 0), text, 0xffffffff, &f->kick),
		-EMSGSIZE);
	assert_true(f->kick); /* written only on success */
	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
}

static void test_full(void **state)
{
	struct fixture *f = *state;
	u32 lap;

	for (lap = 0; lap < 3; lap++) {
		send_n(f, 100 * lap, MK_RING_SLOTS);
		assert_int_equal(send_u32(f, 1), -EAGAIN);
		assert_int_equal(send_u32(f, 1), -EAGAIN);
		assert_int_equal(f->tx.counters.full, 2 * (lap + 1));
		recv_u32(f, 100 * lap);
		assert_int_equal(send_u32(f, 100 * lap + MK_RING_SLOTS), 0);
		assert_int_equal(send_u32(f, 1), -EAGAIN);
		f->tx.counters.full--;
		recv_n(f, 100 * lap + 1, MK_RING_SLOTS);
		assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
	}
	assert_int_equal(f->tx.counters.sent, 3 * (MK_RING_SLOTS + 1));
	assert_int_equal(f->rx.counters.lost, 0);
}

/* All fill levels across the wrap of the indices at 2^32. */
static void test_index_wrap(void **state)
{
	struct fixture *f = *state;
	u32 n, start;

	for (start = (u32)-70; start != 3; start++) {
		for (n = 1; n <= MK_RING_SLOTS; n++) {
			fast_forward(f, start);
			send_n(f, n, n);
			assert_int_equal(f->sh->head, start + n);
			if (n == MK_RING_SLOTS)
				assert_int_equal(send_u32(f, 0), -EAGAIN);
			recv_n(f, n, n);
			assert_int_equal(f->sh->tail, start + n);
			assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
			assert_false(mk_ring_rx_arm(&f->rx));
		}
	}
	assert_int_equal(f->rx.counters.lost, 0);
	assert_int_equal(f->rx.counters.bad_index, 0);
}

/* mk_ring_stepped_over() against its definition. */
static void test_stepped_over(void **state)
{
	u32 old, n, want, i;
	bool expected;

	(void)state;
	for (old = (u32)-40; old != 40; old++) {
		for (n = 0; n <= 10; n++) {
			for (want = old - 5; want != old + 16; want++) {
				expected = false;
				for (i = 0; i < n; i++)
					expected |= old + i == want;
				assert_int_equal(mk_ring_stepped_over(want,
						 old + n, old), expected);
			}
		}
	}
}

static void test_kick_suppression(void **state)
{
	struct fixture *f = *state;

	/* The first message of an epoch rings, the next ones do not. */
	assert_int_equal(send_u32(f, 0), 0);
	assert_true(f->kick);
	assert_int_equal(send_u32(f, 1), 0);
	assert_false(f->kick);
	recv_u32(f, 0);
	assert_int_equal(send_u32(f, 2), 0);
	assert_false(f->kick);
	recv_n(f, 1, 2);

	/* Empty but not armed: the consumer polls. */
	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
	assert_int_equal(send_u32(f, 3), 0);
	assert_false(f->kick);
	recv_u32(f, 3);

	/* Armed: exactly one doorbell. */
	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
	assert_false(mk_ring_rx_arm(&f->rx));
	assert_int_equal(send_u32(f, 4), 0);
	assert_true(f->kick);
	assert_int_equal(send_u32(f, 5), 0);
	assert_false(f->kick);
	assert_int_equal(f->tx.counters.kicks, 2);
	assert_int_equal(f->tx.counters.kicks_suppressed, 4);
}

static void test_arm_rechecks(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
	send_n(f, 0, 2);
	assert_true(mk_ring_rx_arm(&f->rx));	/* came in between */
	recv_u32(f, 0);
	assert_true(mk_ring_rx_arm(&f->rx));	/* not drained */
	recv_u32(f, 1);
	assert_false(mk_ring_rx_arm(&f->rx));
}

/* A producer that waits is woken once a quarter is free, in one step or two. */
static void test_space_wake_up(void **state)
{
	struct fixture *f = *state;
	u32 batch, lap;

	for (lap = 0; lap < 4; lap++) {
		batch = lap % 2 ? 1 : MK_RING_WAKE_SLOTS - 1;
		send_n(f, 0, MK_RING_SLOTS);
		assert_int_equal(send_u32(f, 0), -EAGAIN);
		assert_false(mk_ring_tx_arm(&f->tx));
		assert_false(mk_ring_rx_kick(&f->rx));	/* no step yet */

		recv_n(f, 0, batch);
		assert_false(mk_ring_rx_kick(&f->rx));
		recv_n(f, batch, MK_RING_SLOTS - batch);
		assert_true(mk_ring_rx_kick(&f->rx));
		assert_false(mk_ring_rx_kick(&f->rx));
		assert_true(mk_ring_tx_arm(&f->tx));
	}
	assert_int_equal(f->rx.counters.kicks, 4);
	assert_int_equal(f->rx.counters.kicks_suppressed, 4);
}

static void test_space_not_wanted(void **state)
{
	struct fixture *f = *state;

	send_n(f, 0, MK_RING_SLOTS);
	recv_n(f, 0, MK_RING_SLOTS);
	assert_false(mk_ring_rx_kick(&f->rx));
	assert_int_equal(f->rx.counters.kicks, 0);
}

static void test_tx_arm_rechecks(void **state)
{
	struct fixture *f = *state;

	assert_true(mk_ring_tx_arm(&f->tx));	/* not full at all */
	send_n(f, 0, MK_RING_SLOTS);
	assert_int_equal(send_u32(f, 0), -EAGAIN);
	recv_u32(f, 0);
	assert_true(mk_ring_tx_arm(&f->tx));
	assert_int_equal(send_u32(f, 0), 0);
}

/* Each kind of tail that a mad consumer can write, at a full ring. */
static void test_hostile_tail(void **state)
{
	static const u32 off[] = { 1, 2, 63, 64, 65, 0x7fffffff, 0x80000000,
				   0x80000001, (u32)-66, (u32)-65 };
	struct fixture *f = *state;
	u32 start, i;

	for (start = (u32)-65; start != 2; start++) {
		fast_forward(f, start);
		send_n(f, 0, MK_RING_SLOTS);
		for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
			f->tx.counters.bad_index = 0;
			f->sh->tail = f->tx.head + off[i];
			assert_int_equal(send_u32(f, 0), -EBADMSG);
			assert_false(mk_ring_tx_arm(&f->tx));
			assert_int_equal(f->tx.counters.bad_index, 2);
			assert_int_equal(f->tx.head, start + MK_RING_SLOTS);
			assert_int_equal(f->sh->head, f->tx.head);
			assert_int_equal(f->tx.tail, start);
		}
		/* The consumer's next step repairs it; nothing was lost. */
		recv_u32(f, 0);
		assert_int_equal(send_u32(f, 64), 0);
		recv_n(f, 1, MK_RING_SLOTS);
	}
	assert_int_equal(f->rx.counters.lost, 0);
}

/* All tails in range are believed: they are the consumer's own business. */
static void test_tail_in_range(void **state)
{
	struct fixture *f = *state;
	u32 free;

	for (free = 0; free <= MK_RING_SLOTS; free++) {
		fast_forward(f, (u32)-20);
		send_n(f, 0, MK_RING_SLOTS);
		f->sh->tail = f->tx.head - MK_RING_SLOTS + free;
		send_n(f, 0, free);
		assert_int_equal(send_u32(f, 0), -EAGAIN);
	}
}

/* Arming publishes the tail again, so that a sleeping ring heals. */
static void test_arm_repairs_tail(void **state)
{
	struct fixture *f = *state;

	send_n(f, 0, MK_RING_SLOTS);
	recv_n(f, 0, MK_RING_SLOTS);
	f->sh->tail = 0xdeadbeef;
	assert_int_equal(send_u32(f, 1), -EBADMSG);
	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
	assert_false(mk_ring_rx_arm(&f->rx));
	assert_int_equal(send_u32(f, 1), 0);
	assert_true(f->kick);
	recv_u32(f, 1);
}

/* A bad head is reported once, then it is like an empty ring. */
static void test_hostile_head(void **state)
{
	static const u32 off[] = { 65, 66, 0x7fffffff, 0x80000000, 0x80000001,
				   (u32)-65, (u32)-64, (u32)-2, (u32)-1 };
	struct fixture *f = *state;
	u32 start, i;

	for (start = (u32)-65; start != 2; start++) {
		fast_forward(f, start);
		f->rx.counters.bad_index = 0;
		for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
			f->sh->head = start + off[i];
			assert_int_equal(mk_ring_recv(&f->rx, &f->msg),
					 -EBADMSG);
			assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
			assert_false(mk_ring_rx_arm(&f->rx));
			assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
			assert_int_equal(f->rx.counters.bad_index, i + 1);
			assert_int_equal(f->sh->tail, start);
		}
		/* The producer's next step repairs it; nothing was lost. */
		send_n(f, 5, 2);
		recv_n(f, 5, 2);
	}
	assert_int_equal(f->rx.counters.lost, 0);
}

/* A bad head that arming finds first is left for recv to report. */
static void test_arm_sees_bad_head(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
	f->sh->head = 1000;
	assert_true(mk_ring_rx_arm(&f->rx));
	assert_int_equal(f->rx.counters.bad_index, 0);
	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), -EBADMSG);
	assert_int_equal(f->rx.counters.bad_index, 1);
	assert_false(mk_ring_rx_arm(&f->rx));

	/* A good index in between: the same bad one is news again. */
	f->sh->head = 0;
	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
	f->sh->head = 1000;
	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), -EBADMSG);
}

/* A head in range without messages behind it: stale slots are not delivered. */
static void test_head_ahead_of_slots(void **state)
{
	struct fixture *f = *state;
	u32 i;

	fast_forward(f, (u32)-10);
	send_n(f, 0, 3);
	f->sh->head = f->tx.head + 20;
	recv_n(f, 0, 3);
	for (i = 0; i < 20; i++)
		assert_int_equal(mk_ring_recv(&f->rx, &f->msg), -EBADMSG);
	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
	assert_int_equal(f->rx.counters.lost, 20);
	assert_int_equal(f->rx.counters.received, 3);
}

static void test_hostile_len(void **state)
{
	static const u32 bad[] = { 257, 258, 272, 320, 4096, 0x7fffffff,
				   0x80000000, 0xffffff00, 0xffffffff };
	struct fixture *f = *state;
	u32 i, n = sizeof(bad) / sizeof(bad[0]);

	for (i = 0; i < n; i++) {
		send_n(f, 10 * i, 3);
		f->sh->slots[(f->rx.tail + 1) % MK_RING_SLOTS].len = bad[i];
		recv_u32(f, 10 * i);
		assert_int_equal(mk_ring_recv(&f->rx, &f->msg), -EBADMSG);
		recv_u32(f, 10 * i + 2);
		assert_int_equal(f->rx.counters.bad_len, i + 1);
	}
	assert_int_equal(f->rx.counters.received, 2 * n);
	/* A skipped message frees its slot, too. */
	send_n(f, 0, MK_RING_SLOTS);
	assert_int_equal(send_u32(f, 0), -EAGAIN);
}

static void test_sequence(void **state)
{
	static const u32 off[] = { 1, 2, 64, 0x80000000, (u32)-64, (u32)-1 };
	struct fixture *f = *state;
	u32 i, n = sizeof(off) / sizeof(off[0]);

	fast_forward(f, (u32)-6);
	for (i = 0; i < n; i++) {
		send_n(f, 10 * i, 3);
		f->sh->slots[(f->rx.tail + 1) % MK_RING_SLOTS].seq += off[i];
		recv_u32(f, 10 * i);
		assert_int_equal(mk_ring_recv(&f->rx, &f->msg), -EBADMSG);
		recv_u32(f, 10 * i + 2);
		assert_int_equal(f->rx.counters.lost, i + 1);
	}
	assert_int_equal(f->rx.counters.received, 2 * n);
}

/* A new epoch never sees old messages, wherever the indices point. */
static void test_new_epoch(void **state)
{
	struct fixture *f = *state;
	u32 i;

	send_n(f, 0, MK_RING_SLOTS);
	mk_ring_format(f->sh, EPOCH + 1);
	assert_int_equal(mk_ring_check(f->sh, EPOCH), -ESTALE);
	mk_ring_rx_init(&f->rx, f->sh);
	assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
	f->sh->head = MK_RING_SLOTS;
	for (i = 0; i < MK_RING_SLOTS; i++)
		assert_int_equal(mk_ring_recv(&f->rx, &f->msg), -EBADMSG);
	assert_int_equal(f->rx.counters.received, 0);
}

static u32 rnd(u32 *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* A value of the kind that breaks things, near @base or far away. */
static u32 nasty(u32 *seed, u32 base)
{
	switch (rnd(seed) % 4) {
	case 0:
		return base + rnd(seed) % 140 - 70;
	case 1:
		return rnd(seed) << 8 | rnd(seed) % 256;
	case 2:
		return 1U << rnd(seed) % 32;
	default:
		return base;
	}
}

static void scribble(struct fixture *f, u32 *seed)
{
	struct mk_ring_slot *slot = &f->sh->slots[rnd(seed) % MK_RING_SLOTS];

	switch (rnd(seed) % 8) {
	case 0:
		f->sh->head = nasty(seed, f->rx.tail);
		break;
	case 1:
		f->sh->tail = nasty(seed, f->tx.head);
		break;
	case 2:
		f->sh->want_head = nasty(seed, f->tx.head);
		break;
	case 3:
		f->sh->want_tail = nasty(seed, f->rx.tail);
		break;
	case 4:
		slot->len = nasty(seed, MK_MSG_MAX);
		break;
	case 5:
		slot->seq = nasty(seed, f->rx.tail + 1);
		break;
	case 6:
		memset(&f->sh->magic, rnd(seed), 128);	/* nobody looks again */
		break;
	default:
		memset(slot, rnd(seed), sizeof(*slot));
	}
}

/* Drain until 0: what was seen before, what is there now, one bad head. */
static void drain(struct fixture *f)
{
	int calls = 0, ret;

	do {
		ret = mk_ring_recv(&f->rx, &f->msg);
		if (ret > 0)
			assert_in_range(f->msg.len, 0, MK_MSG_MAX);
		assert_true(++calls <= 2 * MK_RING_SLOTS + 2);
	} while (ret);
}

/* A new epoch, somewhere in the middle of it. */
static void restart(struct fixture *f, u32 index)
{
	mk_ring_format(f->sh, EPOCH);
	mk_ring_tx_init(&f->tx, f->sh);
	mk_ring_rx_init(&f->rx, f->sh);
	fast_forward(f, index);
}

static void test_scribbler(void **state)
{
	struct fixture *f = *state;
	u32 seed = 1, i, j, old;
	u64 received = 0;
	bool kicked = false;

	for (i = 0; i < 200000; i++) {
		if (i % 20 == 0)
			restart(f, nasty(&seed, 0));
		scribble(f, &seed);
		for (j = rnd(&seed) % 20; j; j--) {
			old = f->tx.head;
			if (send_u32(f, i) == 0)
				old++;
			assert_int_equal(f->tx.head, old);
			assert_true(f->tx.head - f->tx.tail <= MK_RING_SLOTS);
		}
		if (mk_ring_tx_arm(&f->tx))
			assert_int_not_equal(f->tx.head - f->tx.tail,
					     MK_RING_SLOTS);
		if (rnd(&seed) % 2)
			drain(f);
		kicked |= mk_ring_rx_kick(&f->rx);
		if (!mk_ring_rx_arm(&f->rx))
			assert_int_equal(mk_ring_recv(&f->rx, &f->msg), 0);
		assert_true(f->rx.head - f->rx.tail <= MK_RING_SLOTS);
		received += i % 20 == 19 ? f->rx.counters.received : 0;
	}
	assert_true(kicked);
	assert_true(received > 200000);	/* it was no shouting match only */
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_format),
		T(test_check),
		T(test_one_message),
		T(test_lengths),
		T(test_full),
		T(test_index_wrap),
		T(test_stepped_over),
		T(test_kick_suppression),
		T(test_arm_rechecks),
		T(test_space_wake_up),
		T(test_space_not_wanted),
		T(test_tx_arm_rechecks),
		T(test_hostile_tail),
		T(test_tail_in_range),
		T(test_arm_repairs_tail),
		T(test_hostile_head),
		T(test_arm_sees_bad_head),
		T(test_head_ahead_of_slots),
		T(test_hostile_len),
		T(test_sequence),
		T(test_new_epoch),
		T(test_scribbler),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}

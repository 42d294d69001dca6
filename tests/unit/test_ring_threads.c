// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The message ring between two real threads that sleep, as two kernels do,
 * whenever the ring lets them: a lost wake-up shows as a sleep beyond the
 * deadline.
 *
 * Clean under -fsanitize=thread. Payloads are copied without atomics on
 * purpose: with a well-behaved peer the release and acquire of head and tail
 * order the copies, and ThreadSanitizer proves it. (Only a hostile peer can
 * race with them, and what was copied is checked afterwards.) The doorbell's
 * mutex also orders the threads, but most messages go without a doorbell.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <linux/mk_ring.h>

#include "msg_head.h"

#define MESSAGES	100000
#define DEADLINE_S	20

/* The IPI: remembered until it is taken, never counted. */
struct doorbell {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool rung;
	u32 sleeps;
};

struct link {
	struct mk_ring *sh;
	struct mk_ring_tx tx;
	struct mk_ring_rx rx;
	struct doorbell to_consumer;
	struct doorbell to_producer;
	u32 pause;		/* how uneven the speeds are */
	const char *failure;	/* of the producer; cmocka is not threaded */
};

static void bell_ring(struct doorbell *bell)
{
	pthread_mutex_lock(&bell->lock);
	bell->rung = true;
	pthread_cond_signal(&bell->cond);
	pthread_mutex_unlock(&bell->lock);
}

/* False: nobody rang. */
static bool bell_wait(struct doorbell *bell)
{
	struct timespec until;
	bool rung;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DEADLINE_S;
	pthread_mutex_lock(&bell->lock);
	bell->sleeps++;
	while (!bell->rung &&
	       !pthread_cond_timedwait(&bell->cond, &bell->lock, &until))
		;
	rung = bell->rung;
	bell->rung = false;
	pthread_mutex_unlock(&bell->lock);
	return rung;
}

static u32 length_of(u32 i)
{
	return 4 + (i * 2654435761U >> 8) % (MK_MSG_MAX - 3);
}

static u32 sum_of(const u8 *text, u32 len)
{
	u32 sum = 2166136261U;

	while (len--)
		sum = (sum ^ *text++) * 16777619;
	return sum;
}

static void fill(u8 *text, u32 i, u32 len)
{
	u32 j;

	memcpy(text, &i, sizeof(i));
	for (j = sizeof(i); j < len; j++)
		text[j] = i + j * 3;
}

static void dawdle(u32 i, u32 pause)
{
	volatile u32 n;

	if (pause && i % 97 == 0)
		for (n = 0; n < pause; n++)
			;
}

static bool send_one(struct link *l, u32 i)
{
	u8 text[MK_MSG_MAX];
	u32 len = length_of(i);
	bool kick = false;
	int ret;

	fill(text, i, len);
	for (;;) {
		/* The type carries the checksum. */
		ret = mk_ring_send(&l->tx, HEAD(sum_of(text, len), i), text, len,
				   &kick);
		if (ret != -EAGAIN)
			break;
		if (!mk_ring_tx_arm(&l->tx) && !bell_wait(&l->to_producer)) {
			l->failure = "producer: lost wake-up";
			return false;
		}
	}
	if (ret) {
		l->failure = "producer: send failed";
		return false;
	}
	if (kick)
		bell_ring(&l->to_consumer);
	return true;
}

static void *produce(void *arg)
{
	struct link *l = arg;
	u32 i;

	for (i = 0; i < MESSAGES && send_one(l, i); i++)
		dawdle(i, l->pause);
	return NULL;
}

static const char *verify(const struct mk_msg *msg, u32 i)
{
	u32 got;

	if (msg->len != length_of(i) || msg->head.id != i)
		return "consumer: wrong message";
	memcpy(&got, msg->payload, sizeof(got));
	if (got != i)
		return "consumer: wrong number";
	if (sum_of(msg->payload, msg->len) != msg->head.type)
		return "consumer: wrong checksum";
	return NULL;
}

/* The loop at the top of mk_ring.h, with a small budget. */
static const char *consume(struct link *l, u32 pause)
{
	struct mk_msg msg;
	const char *failure;
	u32 got = 0, budget;
	int ret;

	while (got < MESSAGES) {
		ret = 1;
		for (budget = 24; budget; budget--) {
			ret = mk_ring_recv(&l->rx, &msg);
			if (!ret)
				break;
			if (ret < 0)
				return "consumer: bad message";
			failure = verify(&msg, got);
			if (failure)
				return failure;
			dawdle(got++, pause);
		}
		if (mk_ring_rx_kick(&l->rx))
			bell_ring(&l->to_producer);
		if (ret || got == MESSAGES)
			continue;
		if (!mk_ring_rx_arm(&l->rx) && !bell_wait(&l->to_consumer))
			return "consumer: lost wake-up";
	}
	return NULL;
}

static void link_init(struct link *l, u32 start)
{
	static const pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static const pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

	memset(l, 0, sizeof(*l));
	l->sh = aligned_alloc(4096, sizeof(*l->sh));
	assert_non_null(l->sh);
	mk_ring_format(l->sh, 1);
	mk_ring_tx_init(&l->tx, l->sh);
	mk_ring_rx_init(&l->rx, l->sh);
	l->tx.head = start;
	l->tx.tail = start;
	l->rx.head = start;
	l->rx.tail = start;
	l->rx.kick_tail = start;
	l->sh->head = start;
	l->sh->tail = start;
	l->sh->want_head = start;
	l->sh->want_tail = start - 1;
	memcpy(&l->to_consumer.lock, &lock, sizeof(lock));
	memcpy(&l->to_consumer.cond, &cond, sizeof(cond));
	memcpy(&l->to_producer.lock, &lock, sizeof(lock));
	memcpy(&l->to_producer.cond, &cond, sizeof(cond));
}

static void run(u32 tx_pause, u32 rx_pause)
{
	const char *failure;
	struct link l;
	pthread_t thread;

	link_init(&l, (u32)-MESSAGES / 2);	/* the indices wrap half-way */
	l.pause = tx_pause;
	assert_int_equal(pthread_create(&thread, NULL, produce, &l), 0);
	failure = consume(&l, rx_pause);
	if (failure) {
		print_error("%s\n", failure);
		abort();		/* the producer may sleep for long */
	}
	pthread_join(thread, NULL);
	assert_null(l.failure);
	assert_int_equal(l.tx.counters.sent, MESSAGES);
	assert_int_equal(l.rx.counters.received, MESSAGES);
	assert_int_equal(l.rx.counters.lost, 0);
	assert_int_equal(l.rx.counters.bad_len + l.rx.counters.bad_index, 0);
	assert_int_equal(l.tx.counters.kicks + l.tx.counters.kicks_suppressed,
			 MESSAGES);
	print_message("doorbells: %llu for messages, %llu for space; sleeps: consumer %u, producer %u; full %llu\n",
		      (unsigned long long)l.tx.counters.kicks,
		      (unsigned long long)l.rx.counters.kicks,
		      l.to_consumer.sleeps, l.to_producer.sleeps,
		      (unsigned long long)l.tx.counters.full);
	free(l.sh);
}

static void test_even(void **state)
{
	(void)state;
	run(0, 0);
}

static void test_slow_producer(void **state)
{
	(void)state;
	run(20000, 0);
}

static void test_slow_consumer(void **state)
{
	(void)state;
	run(0, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_even),
		cmocka_unit_test(test_slow_producer),
		cmocka_unit_test(test_slow_consumer),
	};

	return cmocka_run_group_tests_name("ring_threads", tests, NULL, NULL);
}

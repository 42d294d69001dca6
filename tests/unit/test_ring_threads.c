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
#include <sched.h>
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
#define BOTH_WAYS	50000
#define POLLED		5000
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

/*
 * Nothing but the ring orders the two threads here: no doorbell, whose mutex
 * would hide a missing acquire or release from ThreadSanitizer.
 */
static void *poll_produce(void *arg)
{
	struct link *l = arg;
	time_t until = time(NULL) + DEADLINE_S;
	bool kick;
	u32 i = 0;
	int ret;

	while (i < POLLED && !l->failure) {
		ret = mk_ring_send(&l->tx, HEAD(i * 3, i), &i, sizeof(i), &kick);
		i += !ret;
		if (ret == -EAGAIN && time(NULL) < until)
			sched_yield();
		else if (ret)
			l->failure = "producer: send failed";
	}
	return NULL;
}

static const char *poll_consume(struct link *l)
{
	time_t until = time(NULL) + DEADLINE_S;
	struct mk_msg msg;
	u32 i = 0;
	int ret;

	while (i < POLLED) {
		ret = mk_ring_recv(&l->rx, &msg);
		if (ret < 0 || time(NULL) > until)
			return "consumer: nothing comes";
		if (!ret)
			sched_yield();
		else if (msg.head.id != i++ ||
			 memcmp(msg.payload, &msg.head.id, sizeof(u32)))
			return "consumer: wrong message";
	}
	return NULL;
}

static void test_polling(void **state)
{
	const char *failure;
	struct link l;
	pthread_t thread;

	(void)state;
	link_init(&l, 0);
	assert_int_equal(pthread_create(&thread, NULL, poll_produce, &l), 0);
	failure = poll_consume(&l);
	pthread_join(thread, NULL);
	assert_null(failure);
	assert_null(l.failure);
	free(l.sh);
}

/*
 * Both directions at once, each end one thread that sends until its ring is
 * full, drains what came, arms both rings, and sleeps on its one doorbell. Who
 * dawdles lets the other's ring run full.
 */
struct end {
	struct mk_ring_tx tx;
	struct mk_ring_rx rx;
	struct doorbell bell;
	struct end *other;
	u32 sent, got;
	u32 pause;
	u32 full_sleeps;		/* with a full ring */
	const char *failure;
};

/* True: the ring is full, and a doorbell will tell of space. */
static bool end_send(struct end *e)
{
	bool kick = false, full = false;
	u32 i;
	int ret;

	while (!full && e->sent < BOTH_WAYS) {
		i = e->sent;
		ret = mk_ring_send(&e->tx, HEAD(i * 3, i), &i, sizeof(i),
				   &kick);
		if (ret && ret != -EAGAIN)
			e->failure = "send failed";
		if (kick)
			bell_ring(&e->other->bell);
		kick = false;
		e->sent += !ret;
		full = ret && !mk_ring_tx_arm(&e->tx);
	}
	return full;
}

/* True: the ring is empty, and a doorbell will tell of messages. */
static bool end_drain(struct end *e)
{
	struct mk_msg msg;
	u32 budget, i;
	int ret = 1;

	for (budget = 48; budget && ret; budget--) {
		ret = mk_ring_recv(&e->rx, &msg);
		if (ret <= 0)
			continue;
		memcpy(&i, msg.payload, sizeof(i));
		if (i != e->got || msg.head.id != i || msg.head.type != i * 3)
			e->failure = "wrong message";
		dawdle(e->got++, e->pause);
	}
	if (mk_ring_rx_kick(&e->rx))
		bell_ring(&e->other->bell);
	return !ret && !mk_ring_rx_arm(&e->rx);
}

static void *end_run(void *arg)
{
	struct end *e = arg;
	bool full, empty;

	while (!e->failure && (e->sent < BOTH_WAYS || e->got < BOTH_WAYS)) {
		full = end_send(e);
		empty = end_drain(e);
		if (!empty || (!full && e->sent < BOTH_WAYS) ||
		    (e->sent == BOTH_WAYS && e->got == BOTH_WAYS))
			continue;
		e->full_sleeps += full;
		if (!bell_wait(&e->bell))
			e->failure = "lost wake-up";
	}
	bell_ring(&e->other->bell);	/* it may wait for one that failed */
	return NULL;
}

static void end_init(struct end *e, struct end *other, struct mk_ring *tx,
		     struct mk_ring *rx, u32 pause)
{
	static const pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static const pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

	memset(e, 0, sizeof(*e));
	mk_ring_tx_init(&e->tx, tx);
	mk_ring_rx_init(&e->rx, rx);
	memcpy(&e->bell.lock, &lock, sizeof(lock));
	memcpy(&e->bell.cond, &cond, sizeof(cond));
	e->other = other;
	e->pause = pause;
}

static void end_check(const struct end *e)
{
	assert_null(e->failure);
	assert_int_equal(e->sent, BOTH_WAYS);
	assert_int_equal(e->got, BOTH_WAYS);
	assert_int_equal(e->rx.counters.lost + e->rx.counters.bad_index +
			 e->rx.counters.bad_len + e->tx.counters.bad_index, 0);
	assert_true(e->full_sleeps > 0);
	print_message("full %llu, sleeps %u, with a full ring %u\n",
		      (unsigned long long)e->tx.counters.full, e->bell.sleeps,
		      e->full_sleeps);
}

static void test_full_both_ways(void **state)
{
	struct mk_ring *ring[2];
	pthread_t thread[2];
	struct end e[2];
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		ring[i] = aligned_alloc(4096, sizeof(*ring[i]));
		assert_non_null(ring[i]);
		mk_ring_format(ring[i], 1);
	}
	for (i = 0; i < 2; i++)
		end_init(&e[i], &e[!i], ring[i], ring[!i], 20000);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, end_run,
						&e[i]), 0);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < 2; i++) {
		end_check(&e[i]);
		free(ring[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_even),
		cmocka_unit_test(test_slow_producer),
		cmocka_unit_test(test_slow_consumer),
		cmocka_unit_test(test_polling),
		cmocka_unit_test(test_full_both_ways),
	};

	return cmocka_run_group_tests_name("ring_threads", tests, NULL, NULL);
}

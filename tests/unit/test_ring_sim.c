// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The message ring on a simulated machine: a producer and a consumer that run
 * the real code of mk_ring.h, every access to an index a step, every order of
 * the steps tried, and every delay of a store in its CPU's store buffer, as
 * x86 (TSO) has it. A state in which both sleep, or one sleeps and the other
 * is done, is a lost wake-up. Where asked for, accesses to slots are steps, too.
 *
 * Each thread is a coroutine. A state is the two threads' positions with the
 * values that they have loaded (they are deterministic), memory and buffers;
 * states seen before are not entered again. That the simulation can fail is
 * shown by switching off the full barriers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_UNPOISON_MEMORY_REGION(addr, size) ((void)(addr), (void)(size))
#endif

static uint64_t sim_load(const volatile void *addr, size_t size);
static void sim_store(volatile void *addr, uint64_t value, size_t size);
static void sim_mb(void);

#define READ_ONCE(x)		((__typeof__((x) + 0))sim_load(&(x), sizeof(x)))
#define WRITE_ONCE(x, v)	sim_store(&(x), (v), sizeof(x))
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	WRITE_ONCE(*(p), (v))
#define smp_mb()		sim_mb()
#define smp_rmb()		((void)0)
#define smp_wmb()		((void)0)

#include <linux/mk_shared.h>

static void sim_copy(void *dst, const void *src, size_t size);

#define mk_copy(dst, src, size)	sim_copy(dst, src, size)

#include <linux/mk_ring.h>

#include "msg_head.h"

#define BUFFER_MAX	16		/* stores waiting in one CPU */
#define STEPS_MAX	2000		/* of one run */
#define SEEN_BITS	22
#define STACK_BYTES	65536

enum { PRODUCER, CONSUMER, THREADS };

struct pending {
	volatile u32 *addr;
	u32 value;
};

struct thread {
	ucontext_t context;
	char stack[STACK_BYTES];
	struct pending buffer[BUFFER_MAX];
	u32 buffered;
	u64 history;		/* of all steps and loaded values */
	bool asleep;
	bool bell;
	bool done;
};

static struct {
	struct thread threads[THREADS];
	struct thread *running;		/* NULL: not in the simulation */
	ucontext_t scheduler;
	struct mk_ring ring;
	struct mk_ring_tx tx;
	struct mk_ring_rx rx;
	u32 backlog;			/* sent before the simulation starts */
	u32 messages;			/* sent in the simulation */
	u32 batch;			/* consumer's budget */
	u32 buffer_max;
	bool no_mb;
	bool slots;			/* accesses to slots are steps, too */
	bool broken;			/* a message was not what was sent */
	u64 seen[1U << SEEN_BITS];
	u64 states, runs;
} sim;

static u64 mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

static void step(void)
{
	swapcontext(&sim.running->context, &sim.scheduler);
}

/*
 * Indices are simulated, and with sim.slots the slots that the simulation's own
 * messages use, without a store buffer; all else is the running thread's.
 */
static bool is_slot(const volatile void *addr)
{
	const volatile u8 *p = addr;
	const u8 *slot = (const u8 *)sim.ring.slots;

	return sim.running && sim.slots && p >= slot &&
	       p < slot + sim.messages * sizeof(sim.ring.slots[0]);
}

static bool is_index(const volatile void *addr)
{
	const volatile u8 *p = addr;
	const u8 *ring = (const u8 *)&sim.ring;

	return sim.running && p >= ring + offsetof(struct mk_ring, head) &&
	       p < ring + offsetof(struct mk_ring, slots);
}

static uint64_t sim_load(const volatile void *addr, size_t size)
{
	struct thread *t = sim.running;
	u32 value, i;

	if (size == sizeof(u64))
		return *(const volatile u64 *)addr;
	if (!is_index(addr) && !is_slot(addr))
		return *(const volatile u32 *)addr;
	step();
	value = *(const volatile u32 *)addr;
	for (i = 0; i < t->buffered; i++)
		if (t->buffer[i].addr == addr)
			value = t->buffer[i].value;
	t->history = mix(t->history, value + 1ULL);
	return value;
}

static void flush_one(struct thread *t)
{
	*t->buffer[0].addr = t->buffer[0].value;
	t->buffered--;
	memmove(t->buffer, t->buffer + 1, t->buffered * sizeof(t->buffer[0]));
}

static void sim_store(volatile void *addr, uint64_t value, size_t size)
{
	struct thread *t = sim.running;

	if (size == sizeof(u64)) {
		*(volatile u64 *)addr = value;
		return;
	}
	if (!is_index(addr)) {
		if (is_slot(addr))
			step();
		*(volatile u32 *)addr = value;
		return;
	}
	step();
	if (t->buffered == sim.buffer_max)
		flush_one(t);
	t->buffer[t->buffered].addr = addr;
	t->buffer[t->buffered++].value = value;
	t->history = mix(t->history, ~value);
}

static void sim_copy(void *dst, const void *src, size_t size)
{
	const u8 *bytes = dst;
	size_t i;

	if (is_slot(dst) || is_slot(src))
		step();
	memcpy(dst, src, size);
	for (i = 0; sim.running && sim.slots && i < size; i++)
		sim.running->history = mix(sim.running->history, bytes[i]);
}

static void sim_mb(void)
{
	while (sim.running && !sim.no_mb && sim.running->buffered)
		flush_one(sim.running);
}

static void wait_bell(void)
{
	struct thread *t = sim.running;

	t->asleep = true;
	step();			/* goes on when the bell has been rung */
	t->asleep = false;
	t->bell = false;
	t->history = mix(t->history, 3);
}

static void send_or_sleep(u32 id)
{
	bool kick = false;

	while (mk_ring_send(&sim.tx, HEAD(1, id), &id, sizeof(id), &kick) ==
	       -EAGAIN)
		if (!mk_ring_tx_arm(&sim.tx))
			wait_bell();
	if (kick)
		sim.threads[CONSUMER].bell = true;
}

static void producer(void)
{
	u32 i;

	for (i = 0; i < sim.messages; i++)
		send_or_sleep(sim.backlog + i);
	sim.running->done = true;
	step();
}

static bool is_message(const struct mk_msg *msg, u32 id)
{
	return msg->head.id == id && msg->len == sizeof(id) &&
	       !memcmp(msg->payload, &id, sizeof(id));
}

/* One batch; false: the ring was empty. */
static bool consume_batch(u32 *got)
{
	struct mk_msg msg;
	u32 budget;
	int ret = 1;

	for (budget = sim.batch; budget && ret; budget--) {
		ret = mk_ring_recv(&sim.rx, &msg);
		if (ret && (ret < 0 || !is_message(&msg, (*got)++)))
			sim.broken = true;
	}
	if (mk_ring_rx_kick(&sim.rx))
		sim.threads[PRODUCER].bell = true;
	return ret;
}

static void consumer(void)
{
	u32 got = 0, all = sim.backlog + sim.messages;

	while (got < all && !sim.broken)
		if (!consume_batch(&got) && got < all &&
		    !mk_ring_rx_arm(&sim.rx))
			wait_bell();
	sim.running->done = true;
	step();
}

static void thread_start(struct thread *t, void (*fn)(void))
{
	memset(t, 0, offsetof(struct thread, stack));
	memset(t->buffer, 0, sizeof(*t) - offsetof(struct thread, buffer));
	/* A run that was given up has left frames there. */
	ASAN_UNPOISON_MEMORY_REGION(t->stack, sizeof(t->stack));
	getcontext(&t->context);
	t->context.uc_stack.ss_sp = t->stack;
	t->context.uc_stack.ss_size = sizeof(t->stack);
	makecontext(&t->context, fn, 0);
}

static void run_start(void)
{
	bool kick;
	u32 i;

	sim.running = NULL;
	sim.broken = false;
	memset(sim.ring.slots, 0xff, sim.messages * sizeof(sim.ring.slots[0]));
	mk_ring_format(&sim.ring, 1);
	mk_ring_tx_init(&sim.tx, &sim.ring);
	mk_ring_rx_init(&sim.rx, &sim.ring);
	for (i = 0; i < sim.backlog; i++)
		assert_int_equal(mk_ring_send(&sim.tx, HEAD(1, i), &i, sizeof(i),
					      &kick), 0);
	thread_start(&sim.threads[PRODUCER], producer);
	thread_start(&sim.threads[CONSUMER], consumer);
}

/* Steps possible now: thread i goes on (i), its oldest store lands (2 + i). */
static u32 possible(u32 *ret_choices)
{
	struct thread *t;
	u32 i, n = 0;

	for (i = 0; i < THREADS; i++) {
		t = &sim.threads[i];
		if (!t->done && (!t->asleep || t->bell))
			ret_choices[n++] = i;
		if (t->buffered)
			ret_choices[n++] = THREADS + i;
	}
	return n;
}

static void take(u32 choice)
{
	if (choice >= THREADS) {
		flush_one(&sim.threads[choice - THREADS]);
		return;
	}
	sim.running = &sim.threads[choice];
	sim.running->history = mix(sim.running->history, 1);
	swapcontext(&sim.scheduler, &sim.running->context);
}

static u64 state_hash(void)
{
	u64 hash = mix(sim.ring.head, sim.ring.tail);
	struct thread *t;
	u32 i, j;

	hash = mix(mix(hash, sim.ring.want_head), sim.ring.want_tail);
	for (i = 0; i < THREADS; i++) {
		t = &sim.threads[i];
		hash = mix(hash, t->history);
		hash = mix(hash, t->asleep | t->bell << 1 | t->done << 2);
		hash = mix(hash, t->buffered);
		for (j = 0; j < t->buffered; j++)
			hash = mix(mix(hash, (uintptr_t)t->buffer[j].addr -
					     (uintptr_t)&sim.ring),
				   t->buffer[j].value);
	}
	return hash | 1;
}

/* True: the state was there before. */
static bool seen(u64 hash)
{
	u32 mask = (1U << SEEN_BITS) - 1;
	u32 at = hash >> 20 & mask;

	while (sim.seen[at]) {
		if (sim.seen[at] == hash)
			return true;
		at = (at + 1) & mask;
	}
	sim.seen[at] = hash;
	sim.states++;
	assert_true(sim.states < mask / 2);
	return false;
}

/* Which of the possible steps was taken, at each point of the present run. */
struct path {
	u32 choice[STEPS_MAX];
	u32 choices[STEPS_MAX];
	u32 fixed;		/* steps to repeat, the last one is new */
};

/*
 * One run along the path, then always the first step. False: deadlock, or a
 * message was not received as it was sent.
 */
static bool run(struct path *path, u32 *ret_steps)
{
	u32 choices[2 * THREADS];
	u32 i, n;

	run_start();
	for (i = 0; ; i++) {
		assert_true(i < STEPS_MAX);
		if (i >= path->fixed && seen(state_hash()))
			break;
		n = possible(choices);
		if (!n)
			break;
		if (i >= path->fixed)
			path->choice[i] = 0;
		path->choices[i] = n;
		take(choices[path->choice[i]]);
	}
	*ret_steps = i;
	sim.running = NULL;
	if (sim.broken)
		return false;
	if (possible(choices))
		return true;
	return sim.threads[PRODUCER].done && sim.threads[CONSUMER].done;
}

/*
 * All runs. False: one of them ended in a lost wake-up. Without its barrier the
 * consumer loses one for space when it goes MK_RING_WAKE_SLOTS steps and none of
 * them has left its buffer: a batch of that size gets a buffer that deep.
 */
static bool explore(u32 backlog, u32 messages, u32 batch, bool no_mb)
{
	static struct path path;
	u32 steps;

	memset(sim.seen, 0, sizeof(sim.seen));
	sim.states = 0;
	sim.runs = 0;
	sim.backlog = backlog;
	sim.messages = messages;
	sim.batch = batch;
	sim.buffer_max = batch == MK_RING_WAKE_SLOTS ? BUFFER_MAX : 4;
	sim.no_mb = no_mb;
	path.fixed = 0;
	for (;;) {
		sim.runs++;
		if (!run(&path, &steps))
			return false;
		while (steps && path.choice[steps - 1] + 1 ==
				path.choices[steps - 1])
			steps--;
		if (!steps)
			break;
		path.choice[steps - 1]++;
		path.fixed = steps;
	}
	print_message("backlog %u, messages %u, batch %u: %llu states, %llu runs\n",
		      backlog, messages, batch, (unsigned long long)sim.states,
		      (unsigned long long)sim.runs);
	return true;
}

static bool explore_slots(u32 backlog, u32 messages, u32 batch)
{
	bool ok;

	sim.slots = true;
	ok = explore(backlog, messages, batch, false);
	sim.slots = false;
	return ok;
}

static void test_no_lost_message_wake_up(void **state)
{
	(void)state;
	assert_true(explore(0, 1, 8, false));
	assert_true(explore(0, 2, 1, false));
	assert_true(explore(0, 3, 8, false));
	assert_true(explore(0, 4, 2, false));
}

static void test_no_lost_space_wake_up(void **state)
{
	(void)state;
	assert_true(explore(MK_RING_SLOTS, 1, MK_RING_WAKE_SLOTS, false));
}

/* Nobody reads a slot before it is filled, or fills it before it is read. */
static void test_slots(void **state)
{
	(void)state;
	assert_true(explore_slots(0, 1, 8));
	assert_true(explore_slots(0, 2, 2));
	assert_true(explore_slots(MK_RING_SLOTS, 1, 80));
}

/* Without the full barriers both kinds of wake-up do get lost. */
static void test_barriers_are_needed(void **state)
{
	(void)state;
	assert_false(explore(0, 2, 8, true));
	assert_false(explore(MK_RING_SLOTS, 1, 80, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_lost_message_wake_up),
		cmocka_unit_test(test_no_lost_space_wake_up),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_barriers_are_needed),
	};

#ifdef __SANITIZE_THREAD__
	puts("1..0 # SKIP coroutines and ThreadSanitizer do not mix");
	return 0;
#endif
	return cmocka_run_group_tests_name("ring_sim", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the states of an instance: every pair of states against a second
 * drawing of the table, and what mk_set_state() changes, stamps, clears and
 * wakes, or leaves alone.
 */
#include <kunit/test.h>
#include <linux/poll.h>
#include <linux/timekeeping.h>

#include "../internal.h"

#define OLD_NS	1000ULL		/* long before any test */

/* One row and one column for each state, in the order of enum mk_state. */
static const struct {
	const char *name;
	const char *may_become;		/* 'x' where it may */
	bool end;
	bool has_cpus;
} expected[] = {
	/*		  CLSRUFGspkf */
	{ "created",	 ".x.........", false, false },
	{ "loaded",	 ".xx........", false, false },
	{ "starting",	 "...x..xxxxx", false, true },
	{ "running",	 "....xxxxxxx", false, true },
	{ "unresponsive", "...x..xxxxx", false, true },
	{ "frozen",	 "...x...xxxx", false, true },
	{ "stopping",	 "......xxxxx", false, true },
	{ "stopped",	 "..x........", true, false },
	{ "panicked",	 "..x........", true, false },
	{ "killed",	 "..x........", true, false },
	{ "failed",	 "..x........", true, false },
};

static const char *const cause_names[] = {
	"none", "stop", "poweroff", "halt", "reboot", "panic", "kill", "hang",
	"boot-timeout", "cpu-start",
};

static const enum mk_state no_states[] = { MK_NR_STATES, 31, 32, 64, -1 };

static bool may(enum mk_state from, enum mk_state to)
{
	return expected[from].may_become[to] == 'x';
}

static void state_table(struct kunit *test)
{
	u32 from, to;

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(expected), (size_t)MK_NR_STATES);
	for (from = 0; from < MK_NR_STATES; from++) {
		KUNIT_ASSERT_EQ(test, strlen(expected[from].may_become),
				(size_t)MK_NR_STATES);
		for (to = 0; to < MK_NR_STATES; to++)
			KUNIT_EXPECT_EQ_MSG(test, mk_state_may_become(from, to),
					    may(from, to), "%s -> %s",
					    expected[from].name,
					    expected[to].name);
	}
}

static void state_properties(struct kunit *test)
{
	u32 i;

	for (i = 0; i < MK_NR_STATES; i++) {
		KUNIT_EXPECT_STREQ(test, mk_state_name(i), expected[i].name);
		KUNIT_EXPECT_EQ_MSG(test, mk_state_is_end(i), expected[i].end,
				    "%s", expected[i].name);
		KUNIT_EXPECT_EQ_MSG(test, mk_state_has_cpus(i),
				    expected[i].has_cpus, "%s",
				    expected[i].name);
	}
}

/* Numbers that are no state lead nowhere and do nothing. */
static void state_invalid(struct kunit *test)
{
	u32 i, state;

	for (i = 0; i < ARRAY_SIZE(no_states); i++) {
		enum mk_state none = no_states[i];

		for (state = 0; state < MK_NR_STATES; state++) {
			KUNIT_EXPECT_FALSE(test,
					   mk_state_may_become(none, state));
			KUNIT_EXPECT_FALSE(test,
					   mk_state_may_become(state, none));
		}
		KUNIT_EXPECT_FALSE(test, mk_state_may_become(none, none));
		KUNIT_EXPECT_FALSE(test, mk_state_is_end(none));
		KUNIT_EXPECT_FALSE(test, mk_state_has_cpus(none));
		KUNIT_EXPECT_STREQ(test, mk_state_name(none), "?");
	}
}

static void state_cause_names(struct kunit *test)
{
	u32 i;

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(cause_names), (size_t)MK_NR_CAUSES);
	for (i = 0; i < MK_NR_CAUSES; i++)
		KUNIT_EXPECT_STREQ(test, mk_cause_name(i), cause_names[i]);
	KUNIT_EXPECT_STREQ(test, mk_cause_name(MK_NR_CAUSES), "?");
	KUNIT_EXPECT_STREQ(test, mk_cause_name(-1), "?");
}

/* An instance, and somebody who waits for its changes */
struct fixture {
	struct mk_instance inst;
	wait_queue_entry_t waiter;
	u32 wakes;
	bool wrong_key;
};

static int count_wake(wait_queue_entry_t *waiter, unsigned int mode, int flags,
		      void *key)
{
	struct fixture *f = container_of(waiter, struct fixture, waiter);

	f->wakes++;
	if (key_to_poll(key) != EPOLLIN)
		f->wrong_key = true;
	return 0;
}

static int state_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	spin_lock_init(&f->inst.lock);
	init_waitqueue_head(&f->inst.changed);
	init_waitqueue_func_entry(&f->waiter, count_wake);
	add_wait_queue(&f->inst.changed, &f->waiter);
	test->priv = f;
	return 0;
}

/* As if it had been through everything once */
static void make_old(struct fixture *f, enum mk_state state)
{
	struct mk_instance *inst = &f->inst;

	inst->state = state;
	inst->cause = MK_CAUSE_HALT;
	inst->change_seq = 41;
	inst->change_ns = OLD_NS;
	inst->created_ns = OLD_NS + 1;
	inst->loaded_ns = OLD_NS + 2;
	inst->started_ns = OLD_NS + 3;
	inst->sipi_ns = OLD_NS + 4;
	inst->alive_ns = OLD_NS + 5;
	inst->ready_ns = OLD_NS + 6;
	inst->ended_ns = OLD_NS + 7;
	inst->cpus_back_ns = OLD_NS + 8;
	inst->ended_realtime_ns = OLD_NS + 9;
	memset(inst->boot_id, 0x5a, sizeof(inst->boot_id));
	f->wakes = 0;
	f->wrong_key = false;
}

static void expect_made(struct kunit *test, enum mk_state from,
			enum mk_state to)
{
	struct fixture *f = test->priv;
	struct mk_instance *inst = &f->inst;
	u64 before, after;

	make_old(f, from);
	before = ktime_get_boottime_ns();
	KUNIT_EXPECT_TRUE_MSG(test, mk_set_state(inst, to, MK_CAUSE_PANIC),
			      "%s -> %s", expected[from].name,
			      expected[to].name);
	after = ktime_get_boottime_ns();
	KUNIT_EXPECT_EQ(test, inst->state, to);
	KUNIT_EXPECT_EQ(test, mk_get_state(inst), to);
	KUNIT_EXPECT_EQ(test, inst->cause, MK_CAUSE_PANIC);
	KUNIT_EXPECT_EQ(test, inst->change_seq, 42ULL);
	KUNIT_EXPECT_GE(test, inst->change_ns, before);
	KUNIT_EXPECT_LE(test, inst->change_ns, after);
	KUNIT_EXPECT_EQ(test, f->wakes, 1U);
	KUNIT_EXPECT_FALSE(test, f->wrong_key);

	/* Only these two states have a time of their own that is set here. */
	KUNIT_EXPECT_EQ(test, inst->loaded_ns, to == MK_STATE_LOADED ?
			inst->change_ns : OLD_NS + 2);
	KUNIT_EXPECT_EQ(test, inst->started_ns, to == MK_STATE_STARTING ?
			inst->change_ns : OLD_NS + 3);
	KUNIT_EXPECT_EQ(test, inst->created_ns, OLD_NS + 1);
}

static void expect_refused(struct kunit *test, enum mk_state from,
			   enum mk_state to)
{
	const size_t first = offsetof(struct mk_instance, state);
	const size_t bytes = offsetofend(struct mk_instance,
					 ended_realtime_ns) - first;
	struct fixture *f = test->priv;
	void *fields = (void *)&f->inst + first;
	u8 *saved = kunit_kmalloc(test, bytes, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, saved);
	make_old(f, from);
	memcpy(saved, fields, bytes);
	KUNIT_EXPECT_FALSE_MSG(test,
			       mk_set_state(&f->inst, to, MK_CAUSE_PANIC),
			       "%u -> %u", from, to);
	KUNIT_EXPECT_MEMEQ(test, (u8 *)fields, saved, bytes);
	KUNIT_EXPECT_EQ(test, f->wakes, 0U);
	kunit_kfree(test, saved);
}

static void set_state_pairs(struct kunit *test)
{
	u32 from, to;

	for (from = 0; from < MK_NR_STATES; from++) {
		for (to = 0; to < MK_NR_STATES; to++) {
			if (may(from, to))
				expect_made(test, from, to);
			else
				expect_refused(test, from, to);
		}
		for (to = 0; to < ARRAY_SIZE(no_states); to++)
			expect_refused(test, from, no_states[to]);
	}
}

/* Whether the times of a run, and who ran, are as make_old() left them */
static void expect_run(struct kunit *test, bool kept)
{
	struct fixture *f = test->priv;
	struct mk_instance *inst = &f->inst;
	u8 boot_id[MK_BOOT_ID_SIZE];

	memset(boot_id, kept ? 0x5a : 0, sizeof(boot_id));
	KUNIT_EXPECT_EQ(test, inst->sipi_ns, kept ? OLD_NS + 4 : 0);
	KUNIT_EXPECT_EQ(test, inst->alive_ns, kept ? OLD_NS + 5 : 0);
	KUNIT_EXPECT_EQ(test, inst->ready_ns, kept ? OLD_NS + 6 : 0);
	KUNIT_EXPECT_EQ(test, inst->ended_ns, kept ? OLD_NS + 7 : 0);
	KUNIT_EXPECT_EQ(test, inst->cpus_back_ns, kept ? OLD_NS + 8 : 0);
	KUNIT_EXPECT_EQ(test, inst->ended_realtime_ns, kept ? OLD_NS + 9 : 0);
	KUNIT_EXPECT_MEMEQ(test, inst->boot_id, boot_id, sizeof(boot_id));
}

/* How a run ended is still known in the next one. */
static void set_state_last(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_instance *inst = &f->inst;
	u32 from, to;

	for (from = 0; from < MK_NR_STATES; from++) {
		for (to = 0; to < MK_NR_STATES; to++) {
			if (!may(from, to))
				continue;
			inst->last_state = MK_STATE_CREATED;
			inst->last_cause = MK_CAUSE_NONE;
			inst->last_ended_realtime_ns = 7;
			expect_made(test, from, to);
			KUNIT_EXPECT_EQ(test, inst->last_state,
					expected[to].end ? to :
					MK_STATE_CREATED);
			KUNIT_EXPECT_EQ(test, inst->last_cause,
					expected[to].end ? MK_CAUSE_PANIC :
					MK_CAUSE_NONE);
			KUNIT_EXPECT_EQ(test, inst->last_ended_realtime_ns,
					expected[to].end ? OLD_NS + 9 : 7);
		}
	}
}

/* A new run begins without the old one's times; nothing else forgets them. */
static void set_state_times(struct kunit *test)
{
	u32 from, to;

	for (from = 0; from < MK_NR_STATES; from++) {
		for (to = 0; to < MK_NR_STATES; to++) {
			if (!may(from, to))
				continue;
			expect_made(test, from, to);
			expect_run(test, to != MK_STATE_STARTING);
		}
	}
}

/* A whole life and a second start: the changes are counted one by one. */
static void set_state_life(struct kunit *test)
{
	static const struct {
		enum mk_state to;
		bool made;
	} steps[] = {
		{ MK_STATE_STARTING,		false },
		{ MK_STATE_LOADED,		true },
		{ MK_STATE_LOADED,		true },
		{ MK_STATE_RUNNING,		false },
		{ MK_STATE_STARTING,		true },
		{ MK_STATE_LOADED,		false },
		{ MK_STATE_RUNNING,		true },
		{ MK_STATE_UNRESPONSIVE,	true },
		{ MK_STATE_RUNNING,		true },
		{ MK_STATE_FROZEN,		true },
		{ MK_STATE_STOPPING,		false },
		{ MK_STATE_UNRESPONSIVE,	false },
		{ MK_STATE_RUNNING,		true },
		{ MK_STATE_STOPPING,		true },
		{ MK_STATE_RUNNING,		false },
		{ MK_STATE_STOPPED,		true },
		{ MK_STATE_KILLED,		false },
		{ MK_STATE_STARTING,		true },
		{ MK_STATE_FAILED,		true },
	};
	struct fixture *f = test->priv;
	struct mk_instance *inst = &f->inst;
	u64 seq = 0, last_ns = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		KUNIT_EXPECT_EQ_MSG(test, mk_set_state(inst, steps[i].to,
						       MK_CAUSE_STOP),
				    steps[i].made, "step %u", i);
		seq += steps[i].made;
		KUNIT_EXPECT_EQ(test, inst->change_seq, seq);
		KUNIT_EXPECT_GE(test, inst->change_ns, last_ns);
		last_ns = inst->change_ns;
	}
	KUNIT_EXPECT_EQ(test, mk_get_state(inst), MK_STATE_FAILED);
	KUNIT_EXPECT_EQ(test, f->wakes, (u32)seq);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(state_table),
	KUNIT_CASE(state_properties),
	KUNIT_CASE(state_invalid),
	KUNIT_CASE(state_cause_names),
	KUNIT_CASE(set_state_pairs),
	KUNIT_CASE(set_state_times),
	KUNIT_CASE(set_state_last),
	KUNIT_CASE(set_state_life),
	{}
};

static struct kunit_suite state_suite = {
	.name = "multikernel_state",
	.init = state_test_init,
	.test_cases = state_cases,
};

kunit_test_suites(&state_suite);

MODULE_DESCRIPTION("Tests of the multikernel's states of an instance");
MODULE_LICENSE("GPL");

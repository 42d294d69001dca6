// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mkd decides: every state and cause under every policy, rows of starts
 * and their end, and what a record that outlived mkd leads to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../mkd/decide.h"

#define S	1000000000ull

static struct mk_policy policy;
static struct mkd_view view;
static struct mkd_record record;
static uint64_t look_ns;

static int setup(void **state)
{
	(void)state;
	policy = (struct mk_policy){
		.given = true,
		.restart = MK_RESTART_ON_FAILURE,
		.max = 3,
		.window_s = 100,
		.backoff_s = 2,
		.backoff_max_s = 5,
	};
	view = (struct mkd_view){
		.state = MK_STATE_PANICKED,
		.cause = MK_CAUSE_PANIC,
		.epoch = 1,
		.started_ns = 900 * S,
		.alive_ns = 901 * S,
		.ended_ns = 1000 * S,
		.now_ns = 1000 * S,
		.boot_limit_ns = 60 * S,
	};
	record = (struct mkd_record){ .name = "web", .id = 1 };
	return 0;
}

static enum mkd_action decide(void)
{
	return mkd_decide(&policy, &view, &record, &look_ns);
}

/* What an end leads to, under: never, on-failure, always */
enum { NEVER, FAILURE, ALWAYS, NR_RESTARTS };

static const struct {
	uint32_t state;
	uint32_t cause;
	bool starts[NR_RESTARTS];
} ends[] = {
	{ MK_STATE_STOPPED,  MK_CAUSE_STOP,	    { 0, 0, 0 } },
	{ MK_STATE_STOPPED,  MK_CAUSE_POWEROFF,	    { 0, 0, 1 } },
	{ MK_STATE_STOPPED,  MK_CAUSE_HALT,	    { 0, 0, 1 } },
	{ MK_STATE_PANICKED, MK_CAUSE_PANIC,	    { 0, 1, 1 } },
	{ MK_STATE_PANICKED, MK_CAUSE_STOP,	    { 0, 0, 0 } },
	{ MK_STATE_KILLED,   MK_CAUSE_KILL,	    { 0, 0, 0 } },
	{ MK_STATE_KILLED,   MK_CAUSE_HANG,	    { 0, 1, 1 } },
	{ MK_STATE_FAILED,   MK_CAUSE_BOOT_TIMEOUT, { 0, 1, 1 } },
	{ MK_STATE_FAILED,   MK_CAUSE_CPU_START,    { 0, 1, 1 } },
	{ MK_STATE_FAILED,   MK_CAUSE_KILL,	    { 0, 0, 0 } },
};

static void test_ends(void **state)
{
	for (size_t i = 0; i < MK_ARRAY_SIZE(ends); i++)
		for (int when = 0; when < NR_RESTARTS; when++) {
			setup(state);
			policy.restart = (enum mk_restart)when;
			policy.start_after_reboot = true;	/* no matter */
			view.state = ends[i].state;
			view.cause = ends[i].cause;
			if (decide() != (ends[i].starts[when] ? MKD_PLAN :
								MKD_LEAVE))
				fail_msg("%s %s %s", mk_state_name(view.state),
					 mk_cause_name(view.cause),
					 mk_restart_name(policy.restart));
			assert_int_equal(record.epoch, 1);
			assert_int_equal(record.tries, ends[i].starts[when]);
			assert_int_equal(record.verdict, ends[i].starts[when] ?
					 MKD_VERDICT_START : MKD_VERDICT_LEFT);
			/* Once is enough. */
			assert_int_equal(decide(), ends[i].starts[when] ?
					 MKD_WAIT : MKD_NOTHING);
		}
}

static void test_reboot(void **state)
{
	for (int when = 0; when < NR_RESTARTS; when++)
		for (int start = 0; start < 2; start++) {
			setup(state);
			policy.restart = (enum mk_restart)when;
			policy.start_after_reboot = start;
			view.state = MK_STATE_STOPPED;
			view.cause = MK_CAUSE_REBOOT;
			assert_int_equal(decide(), start ? MKD_PLAN : MKD_LEAVE);
			/* At once: it was its own wish. */
			assert_int_equal(decide(), start ? MKD_START :
							   MKD_NOTHING);
		}
	/* But not again and again */
	setup(state);
	policy.start_after_reboot = true;
	view.state = MK_STATE_STOPPED;
	view.cause = MK_CAUSE_REBOOT;
	record.started_epoch = 1;
	record.tries = 1;
	assert_int_equal(decide(), MKD_PLAN);
	assert_int_equal(record.due_ns, 1004 * S);
}

/* While it lives, only one that hangs is of interest. */
static void test_alive(void **state)
{
	static const uint32_t states[] = {
		MK_STATE_CREATED, MK_STATE_LOADED, MK_STATE_STARTING,
		MK_STATE_RUNNING, MK_STATE_FROZEN, MK_STATE_STOPPING,
	};
	const struct mkd_record before = record;

	policy.restart = MK_RESTART_ALWAYS;
	policy.on_hang = MK_ON_HANG_DUMP;
	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(states); i++) {
		view.state = states[i];
		view.cause = MK_CAUSE_NONE;
		assert_int_equal(decide(), MKD_NOTHING);
		assert_int_equal(look_ns, MKD_NEVER);
		assert_memory_equal(&record, &before, sizeof(record));
	}
}

static void test_hang(void **state)
{
	static const enum mkd_action actions[] = {
		[MK_ON_HANG_REPORT]	= MKD_NOTHING,
		[MK_ON_HANG_KILL]	= MKD_KILL_HUNG,
		[MK_ON_HANG_DUMP]	= MKD_KILL_HUNG,
	};

	(void)state;
	view.state = MK_STATE_UNRESPONSIVE;
	view.cause = MK_CAUSE_HANG;
	for (size_t i = 0; i < MK_ARRAY_SIZE(actions); i++) {
		policy.on_hang = (enum mk_on_hang)i;
		assert_int_equal(decide(), actions[i]);
	}
}

/* Kill, dump, start: each step is known from the state and the record. */
static void test_dump(void **state)
{
	(void)state;
	policy.restart = MK_RESTART_NEVER;
	policy.on_hang = MK_ON_HANG_DUMP;
	view.state = MK_STATE_KILLED;
	view.cause = MK_CAUSE_HANG;
	assert_int_equal(decide(), MKD_PLAN);
	assert_int_equal(decide(), MKD_DUMP);
	view.now_ns = record.due_ns;
	assert_int_equal(decide(), MKD_DUMP);
	record.dumped_epoch = 1;
	assert_int_equal(decide(), MKD_START);
	/* Another end is not dumped. */
	view.epoch = 2;
	view.ended_ns = view.now_ns;
	view.state = MK_STATE_PANICKED;
	view.cause = MK_CAUSE_PANIC;
	policy.restart = MK_RESTART_ALWAYS;
	assert_int_equal(decide(), MKD_PLAN);
	assert_int_equal(decide(), MKD_WAIT);
	/* Only killed, it is neither dumped nor started. */
	view.epoch = 3;
	view.state = MK_STATE_KILLED;
	view.cause = MK_CAUSE_HANG;
	policy.restart = MK_RESTART_NEVER;
	policy.on_hang = MK_ON_HANG_KILL;
	assert_int_equal(decide(), MKD_LEAVE);
}

/* As act.c does it */
static void start(void)
{
	record.started_epoch = view.epoch + 1;
	view.epoch++;
}

static void end_after(uint64_t seconds)
{
	view.started_ns = view.now_ns;
	view.alive_ns = view.now_ns;
	view.ended_ns = view.now_ns = view.alive_ns + seconds * S;
}

static void test_row(void **state)
{
	static const uint64_t waits[] = { 2, 4, 5 };	/* 8 is too long */

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(waits); i++) {
		assert_int_equal(decide(), MKD_PLAN);
		assert_int_equal(record.tries, i + 1);
		assert_int_equal(record.due_ns, view.ended_ns + waits[i] * S);
		view.now_ns = record.due_ns - 1;
		assert_int_equal(decide(), MKD_WAIT);
		assert_int_equal(look_ns, record.due_ns);
		view.now_ns = record.due_ns;
		assert_int_equal(decide(), MKD_START);
		start();
		end_after(99);
	}
	assert_int_equal(decide(), MKD_GIVE_UP);
	assert_int_equal(record.verdict, MKD_VERDICT_GAVE_UP);
	view.now_ns += 1000000 * S;
	assert_int_equal(decide(), MKD_NOTHING);
	assert_int_equal(look_ns, MKD_NEVER);
}

static void test_row_ends(void **state)
{
	record.started_epoch = 1;
	record.tries = 3;
	view.alive_ns = view.ended_ns - 100 * S;
	assert_int_equal(decide(), MKD_PLAN);	/* it ran long enough */
	assert_int_equal(record.tries, 1);

	setup(state);
	record.started_epoch = 1;
	record.tries = 3;
	record.epoch = 1;
	record.verdict = MKD_VERDICT_GAVE_UP;
	view.epoch = 2;			/* somebody started it */
	assert_int_equal(decide(), MKD_PLAN);
	assert_int_equal(record.tries, 1);

	setup(state);
	record.started_epoch = 1;
	record.tries = 3;
	view.alive_ns = 0;		/* it never came up */
	assert_int_equal(decide(), MKD_GIVE_UP);
}

static void test_no_limit(void **state)
{
	(void)state;
	policy.max = 0;
	policy.backoff_max_s = 1000000;
	record.started_epoch = 1;
	record.tries = 4000000000u;
	assert_int_equal(decide(), MKD_PLAN);
	assert_int_equal(record.due_ns, 1001000 * S);
	policy.backoff_s = policy.backoff_max_s = 0;
	assert_int_equal(mkd_start_failed(&policy, 7, &record), MKD_PLAN);
	assert_int_equal(record.due_ns, 7);
}

/* A person's stop during the wait; and before mkd saw the end. */
static void test_held(void **state)
{
	assert_int_equal(decide(), MKD_PLAN);
	view.held_epoch = 1;
	assert_int_equal(decide(), MKD_LEAVE);
	view.now_ns += 1000 * S;
	assert_int_equal(decide(), MKD_NOTHING);

	setup(state);
	view.held_epoch = 1;
	assert_int_equal(decide(), MKD_LEAVE);
	assert_int_equal(decide(), MKD_NOTHING);
	view.epoch = 2;			/* started again: that was then */
	assert_int_equal(decide(), MKD_PLAN);
}

static void test_start_failed(void **state)
{
	(void)state;
	assert_int_equal(decide(), MKD_PLAN);
	view.now_ns = record.due_ns;
	assert_int_equal(mkd_start_failed(&policy, view.now_ns, &record),
			 MKD_PLAN);
	assert_int_equal(record.tries, 2);
	assert_int_equal(record.due_ns, view.now_ns + 4 * S);
	assert_int_equal(decide(), MKD_WAIT);
	assert_int_equal(mkd_start_failed(&policy, view.now_ns, &record),
			 MKD_PLAN);
	assert_int_equal(mkd_start_failed(&policy, view.now_ns, &record),
			 MKD_GIVE_UP);
	assert_int_equal(decide(), MKD_NOTHING);
}

/* mkd was killed: what the next one does with the record that it finds. */
static void test_adopted(void **state)
{
	/* In the middle of the wait, long ago: once, and at once */
	assert_int_equal(decide(), MKD_PLAN);
	view.now_ns += 500 * S;
	assert_int_equal(decide(), MKD_START);
	start();
	/* Right behind START: that boot is known */
	view.state = MK_STATE_STARTING;
	view.started_ns = view.now_ns;
	assert_int_equal(decide(), MKD_WAIT);
	assert_int_equal(look_ns, view.now_ns + 60 * S);
	view.state = MK_STATE_RUNNING;
	assert_int_equal(decide(), MKD_NOTHING);

	/* Right before START: it has not been done */
	setup(state);
	assert_int_equal(decide(), MKD_PLAN);
	view.now_ns = record.due_ns;
	record.started_epoch = 2;
	assert_int_equal(decide(), MKD_START);

	/* It ended while there was no mkd */
	setup(state);
	view.now_ns += 1000 * S;
	assert_int_equal(decide(), MKD_PLAN);
	assert_int_equal(decide(), MKD_START);
}

static void test_slow_boot(void **state)
{
	(void)state;
	view.state = MK_STATE_STARTING;
	view.cause = MK_CAUSE_NONE;
	view.now_ns = view.started_ns + 60 * S;
	assert_int_equal(decide(), MKD_NOTHING);	/* a person's start */
	record.started_epoch = 1;
	assert_int_equal(decide(), MKD_KILL_SLOW);
	view.now_ns--;
	assert_int_equal(decide(), MKD_WAIT);
}

/* A spawn undoes its own failure. */
static void test_pending(void **state)
{
	(void)state;
	view.pending = true;
	assert_int_equal(decide(), MKD_SETTLE);
	assert_int_equal(look_ns, view.now_ns + 2 * S);
	assert_int_equal(record.epoch, 0);
	view.state = MK_STATE_UNRESPONSIVE;
	policy.on_hang = MK_ON_HANG_KILL;
	assert_int_equal(decide(), MKD_SETTLE);
	view.state = MK_STATE_RUNNING;
	assert_int_equal(decide(), MKD_NOTHING);
	view.state = MK_STATE_STARTING;
	assert_int_equal(decide(), MKD_SETTLE);
	view.now_ns = view.started_ns + 60 * S - 1;
	assert_int_equal(decide(), MKD_NOTHING);
}

static void test_no_policy(void **state)
{
	(void)state;
	policy.given = false;
	policy.restart = MK_RESTART_ALWAYS;
	assert_int_equal(decide(), MKD_NOTHING);
	view.state = MK_STATE_UNRESPONSIVE;
	policy.on_hang = MK_ON_HANG_KILL;
	assert_int_equal(decide(), MKD_NOTHING);
	assert_int_equal(record.epoch, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ends, setup),
		cmocka_unit_test_setup(test_reboot, setup),
		cmocka_unit_test_setup(test_alive, setup),
		cmocka_unit_test_setup(test_hang, setup),
		cmocka_unit_test_setup(test_dump, setup),
		cmocka_unit_test_setup(test_row, setup),
		cmocka_unit_test_setup(test_row_ends, setup),
		cmocka_unit_test_setup(test_no_limit, setup),
		cmocka_unit_test_setup(test_held, setup),
		cmocka_unit_test_setup(test_start_failed, setup),
		cmocka_unit_test_setup(test_adopted, setup),
		cmocka_unit_test_setup(test_slow_boot, setup),
		cmocka_unit_test_setup(test_pending, setup),
		cmocka_unit_test_setup(test_no_policy, setup),
	};

	return cmocka_run_group_tests_name("mkd_decide", tests, NULL, NULL);
}

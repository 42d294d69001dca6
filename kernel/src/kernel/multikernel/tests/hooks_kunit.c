// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of who is called: types with one hook each, calls in the order of
 * registration, removal that waits for calls, and removals that are refused.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/workqueue.h>

#include "../hooks.h"

#define CALL_MS	200

static void never_free(struct mk_hook *hook)
{
}

static struct mk_hooks table = MK_HOOKS_INIT(table, "KUnit hook", true,
					     never_free);
static struct mk_hooks open_table = MK_HOOKS_INIT(open_table, "KUnit hook",
						  false, never_free);

static struct mk_hook *found(struct mk_hooks *t, u32 type)
{
	struct mk_run run;
	struct mk_hook *hook = mk_hooks_find(t, type, &run);

	if (hook)
		mk_run_end(&run);
	return hook;
}

static void hooks_types(struct kunit *test)
{
	struct mk_hook low = { .first = 0, .last = 9 };
	struct mk_hook one = { .first = 20, .last = 20 };
	struct mk_hook high = { .first = 30, .last = U32_MAX };

	KUNIT_ASSERT_EQ(test, mk_hooks_add(&table, &high), 0);
	KUNIT_ASSERT_EQ(test, mk_hooks_add(&table, &low), 0);
	KUNIT_ASSERT_EQ(test, mk_hooks_add(&table, &one), 0);
	KUNIT_EXPECT_PTR_EQ(test, found(&table, 0), &low);
	KUNIT_EXPECT_PTR_EQ(test, found(&table, 9), &low);
	KUNIT_EXPECT_NULL(test, found(&table, 10));
	KUNIT_EXPECT_NULL(test, found(&table, 19));
	KUNIT_EXPECT_PTR_EQ(test, found(&table, 20), &one);
	KUNIT_EXPECT_NULL(test, found(&table, 21));
	KUNIT_EXPECT_PTR_EQ(test, found(&table, 30), &high);
	KUNIT_EXPECT_PTR_EQ(test, found(&table, U32_MAX), &high);
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &one), 0);
	KUNIT_EXPECT_NULL(test, found(&table, 20));
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &low), 0);
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &high), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&table.list));
}

static void hooks_taken(struct kunit *test)
{
	static const struct {
		u32 first, last;
		int err;
	} cases[] = {
		{ 10, 20, -EBUSY }, { 5, 10, -EBUSY }, { 20, 25, -EBUSY },
		{ 12, 13, -EBUSY }, { 0, U32_MAX, -EBUSY }, { 9, 21, -EBUSY },
		{ 15, 14, -EINVAL }, { 1, 0, -EINVAL },
		{ 0, 9, 0 }, { 21, U32_MAX, 0 },
	};
	struct mk_hook hook = { .first = 10, .last = 20 };
	struct mk_hook other;
	u32 i;

	KUNIT_ASSERT_EQ(test, mk_hooks_add(&table, &hook), 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		other = (struct mk_hook){ .first = cases[i].first,
					  .last = cases[i].last };
		KUNIT_EXPECT_EQ_MSG(test, mk_hooks_add(&table, &other),
				    cases[i].err, "%u to %u", cases[i].first,
				    cases[i].last);
		if (!cases[i].err)
			KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &other),
					0);
	}
	KUNIT_EXPECT_PTR_EQ(test, found(&table, 15), &hook);
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &hook), 0);
}

/* Where types do not matter, all are called, the eldest first. */
static void hooks_all(struct kunit *test)
{
	struct mk_hook hooks[3] = { { .last = U32_MAX }, { .last = U32_MAX },
				    { .last = U32_MAX } };
	struct mk_hook *hook;
	struct mk_run run;
	u64 serial = 0;
	u32 i, n = 0;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, mk_hooks_add(&open_table, &hooks[i]), 0);
	while ((hook = mk_hooks_next(&open_table, serial, &run)) != NULL) {
		KUNIT_EXPECT_PTR_EQ(test, hook, &hooks[n]);
		serial = hook->serial;
		mk_run_end(&run);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, 3);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, mk_hooks_remove(&open_table, &hooks[i]),
				0);
	KUNIT_EXPECT_NULL(test, mk_hooks_next(&open_table, 0, &run));
}

static void hooks_unknown(struct kunit *test)
{
	struct mk_hook hook = { .first = 1, .last = 1 };

	KUNIT_ASSERT_EQ(test, mk_hooks_add(&table, &hook), 0);
	/* Not looked into, and not in the other table. */
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, (void *)8), -ENOENT);
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&open_table, &hook), -ENOENT);
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &hook), 0);
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &hook), -ENOENT);
}

/* Also the removal of another hook than the one that is called. */
static void hooks_within(struct kunit *test)
{
	struct mk_hook hook = { .first = 1, .last = 1 };
	struct mk_hook other = { .first = 2, .last = 2 };
	struct mk_run run;

	KUNIT_ASSERT_EQ(test, mk_hooks_add(&table, &hook), 0);
	KUNIT_ASSERT_EQ(test, mk_hooks_add(&table, &other), 0);
	KUNIT_ASSERT_PTR_EQ(test, mk_hooks_find(&table, 1, &run), &hook);
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &hook), -EDEADLK);
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &other), -EDEADLK);
	mk_run_end(&run);
	KUNIT_EXPECT_PTR_EQ(test, found(&table, 1), &hook);
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &hook), 0);
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &other), 0);
}

struct caller {
	struct work_struct work;
	struct completion begun;
	bool ended;
};

static void long_call(struct work_struct *work)
{
	struct caller *caller = container_of(work, struct caller, work);
	struct mk_run run;

	if (!mk_hooks_find(&table, 1, &run)) {
		complete(&caller->begun);
		return;
	}
	complete(&caller->begun);
	msleep(CALL_MS);
	WRITE_ONCE(caller->ended, true);
	mk_run_end(&run);
}

static void hooks_wait(struct kunit *test)
{
	struct mk_hook hook = { .first = 1, .last = 1 };
	struct caller caller = {};

	KUNIT_ASSERT_EQ(test, mk_hooks_add(&table, &hook), 0);
	init_completion(&caller.begun);
	INIT_WORK_ONSTACK(&caller.work, long_call);
	queue_work(system_unbound_wq, &caller.work);
	wait_for_completion(&caller.begun);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(caller.ended));
	KUNIT_EXPECT_EQ(test, mk_hooks_remove(&table, &hook), 0);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(caller.ended));
	flush_work(&caller.work);
	destroy_work_on_stack(&caller.work);
}

static struct kunit_case hooks_cases[] = {
	KUNIT_CASE(hooks_types),
	KUNIT_CASE(hooks_taken),
	KUNIT_CASE(hooks_all),
	KUNIT_CASE(hooks_unknown),
	KUNIT_CASE(hooks_within),
	KUNIT_CASE(hooks_wait),
	{}
};

static struct kunit_suite hooks_suite = {
	.name = "multikernel_hooks",
	.test_cases = hooks_cases,
};
kunit_test_suites(&hooks_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tests of who is called for a message of another kernel");

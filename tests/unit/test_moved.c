// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of spawn/moved_json.c: the record, and what is no record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../spawn/moved.h"

#define HEAD	"{\"schema\": \"mkctl.moved/1\", \"boot_id\": \"b\", \"partition\": \"mkctl.web\", "
#define TASK	"{\"pid\": 7, \"tid\": 8, \"start\": 9, \"kept\": false, \"old\": \"2\", \"given\": \"0-1\"}"
#define IRQ	"{\"irq\": 24, \"old\": \"2\", \"given\": \"0-1\"}"
#define SET	"{\"path\": \"/a/b\", \"partition\": \"\", \"old\": \"2\", \"was\": \"2\", \"given\": \"0\"}"
#define GOOD	HEAD "\"tasks\": [" TASK "], \"irqs\": [" IRQ "], \"cpusets\": [" SET "]}"

static void test_round_trip(void **state)
{
	struct mk_moved *moved, *again;
	char *text, *text_again;

	(void)state;
	assert_int_equal(mk_moved_parse(GOOD, &moved), 0);
	assert_string_equal(moved->partition, "mkctl.web");
	assert_int_equal(moved->nr_tasks, 1);
	assert_int_equal(moved->tasks[0].tid, 8);
	assert_true(mk_cpumask_has(&moved->tasks[0].old, 2));
	assert_true(mk_cpumask_has(&moved->tasks[0].given, 1));
	assert_non_null(mk_moved_find_task(moved, 8, 9));
	assert_null(mk_moved_find_task(moved, 8, 10));
	assert_non_null(mk_moved_find_irq(moved, 24));
	assert_non_null(mk_moved_find_cpuset(moved, "/a/b"));
	assert_null(mk_moved_find_cpuset(moved, "/a"));
	text = mk_moved_format(moved);
	assert_int_equal(mk_moved_parse(text, &again), 0);
	text_again = mk_moved_format(again);
	assert_string_equal(text, text_again);
	free(text);
	free(text_again);
	mk_moved_free(moved);
	mk_moved_free(again);
}

/* One place of the good record, and what must not stand there. */
static const struct {
	const char *good;
	const char *bad;
} changes[] = {
	{ "mkctl.moved/1", "mkctl.moved/2" },
	{ "\"b\"", "17" },
	{ "\"b\"", "\"01234567890123456789012345678901234567890123456789\"" },
	{ "mkctl.web", "../../etc" },
	{ "mkctl.web", "mkctl." },
	{ "mkctl.web", "mkctl.a/b" },
	{ "mkctl.web", "user.slice" },
	{ "\"pid\": 7", "\"pid\": 0" },
	{ "\"pid\": 7", "\"pid\": -7" },
	{ "\"pid\": 7", "\"pid\": 2147483648" },
	{ "\"pid\": 7", "\"pid\": \"7\"" },
	{ "\"tid\": 8", "\"tod\": 8" },
	{ "\"tid\": 8", "\"tid\": 8, \"tid\": 9" },
	{ "\"start\": 9", "\"start\": 9.5" },
	{ "\"kept\": false", "\"kept\": 0" },
	{ "\"old\": \"2\"", "\"old\": \"\"" },
	{ "\"old\": \"2\"", "\"old\": \"8192\"" },
	{ "\"old\": \"2\"", "\"old\": [2]" },
	{ "\"given\": \"0-1\"", "\"given\": \"1-0\"" },
	{ "\"given\": \"0-1\"", "\"given\": \"\"" },
	{ "\"irq\": 24", "\"irq\": 4294967296" },
	{ "\"irq\": 24", "\"irq\": null" },
	{ "/a/b", "a/b" },
	{ "/a/b", "/" },
	{ "/a/b", "/a/" },
	{ "/a/b", "/../b" },
	{ "/a/b", "/a/.." },
	{ "/a/b", "/a//b" },
	{ "/a/b", "/a/./b" },
	{ "/a/b", "/." },
	{ "\"partition\": \"\"", "\"partition\": \"member\"" },
	{ "\"was\": \"2\"", "\"wos\": \"2\"" },
	{ "[" TASK "]", "{}" },
	{ "[" TASK "]", "[1]" },
	{ "[" IRQ "]", "[[]]" },
	{ "[" SET "]", "null" },
	{ "\"cpusets\"", "\"cpuset\"" },
	{ GOOD, "" },
	{ GOOD, "[]" },
	{ GOOD, "{" },
	{ GOOD, "\xff" },
};

static void test_hostile(void **state)
{
	static char text[4096];
	struct mk_moved *moved;
	const char *at;
	size_t i;

	(void)state;
	for (i = 0; i < MK_ARRAY_SIZE(changes); i++) {
		at = strstr(GOOD, changes[i].good);
		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - GOOD), GOOD,
			 changes[i].bad, at + strlen(changes[i].good));
		if (mk_moved_parse(text, &moved) != -EINVAL)
			fail_msg("'%s' was taken", changes[i].bad);
	}
}

static void test_too_many(void **state)
{
	const struct mk_moved_irq irq = { .irq = 1 };
	struct mk_moved *moved = calloc(1, sizeof(*moved));
	size_t i;

	(void)state;
	for (i = 0; i < MK_MOVED_MAX; i++)
		assert_int_equal(mk_moved_add_irq(moved, &irq), 0);
	assert_int_equal(mk_moved_add_irq(moved, &irq), -E2BIG);
	mk_moved_free(moved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

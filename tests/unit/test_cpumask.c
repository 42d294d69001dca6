// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of spawn/cpumask.c: sets of CPUs, as lists and as hex. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../spawn/cpumask.h"

static void test_list_and_back(void **state)
{
	static const char *const lists[] = {
		"", "0", "8191", "0-8191", "2-3,6", "0,2,4-7,63-64,127",
	};
	struct mk_cpumask mask, again;
	size_t i;

	(void)state;
	for (i = 0; i < MK_ARRAY_SIZE(lists); i++) {
		mk_autofree char *text = NULL;
		mk_autofree char *hex = NULL;

		assert_int_equal(mk_cpumask_from_list(lists[i], &mask), 0);
		text = mk_cpumask_list(&mask);
		assert_string_equal(text, lists[i]);
		hex = mk_cpumask_hex(&mask);
		assert_int_equal(mk_cpumask_from_hex(hex, &again), 0);
		assert_true(mk_cpumask_equal(&mask, &again));
	}
	assert_int_equal(mk_cpumask_from_list("3,2-4,2\n", &mask), 0);
	assert_true(mk_cpumask_has(&mask, 2) && mk_cpumask_has(&mask, 4));
	assert_false(mk_cpumask_has(&mask, 1) || mk_cpumask_has(&mask, 5));
}

static void test_hex(void **state)
{
	static const struct {
		const char *hex;
		const char *list;
	} cases[] = {
		{ "c", "2-3" },
		{ "0c\n", "2-3" },
		{ "00000000,0000000c", "2-3" },
		{ "1,00000000", "32" },
		{ "80000000,00000000,00000001", "0,95" },
		{ "FF", "0-7" },
		{ "0", "" },
	};
	struct mk_cpumask mask;
	size_t i;

	(void)state;
	for (i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		mk_autofree char *list = NULL;

		assert_int_equal(mk_cpumask_from_hex(cases[i].hex, &mask), 0);
		list = mk_cpumask_list(&mask);
		assert_string_equal(list, cases[i].list);
	}
}

static void test_hex_as_the_kernel_takes_it(void **state)
{
	const unsigned int cpus[] = { 33, 2 };
	const struct mk_cpumask mask = mk_cpumask_of(cpus, 2);
	mk_autofree char *hex = mk_cpumask_hex(&mask);

	(void)state;
	assert_string_equal(hex, "2,00000004");
}

static void test_bad(void **state)
{
	static const char *const lists[] = {
		"-1", "1-", "3-2", "1,", ",1", "1,,2", " 1", "1 ", "0x1", "1\n\n",
		"8192", "0-8192", "99999999999999999999", "a",
	};
	static const char *const hexes[] = {
		"", "\n", ",", "g", "1,", ",1", "1,1", "1,0000000", "-1",
		"1,,00000000", "0x1", "1 ", " 1",
	};
	struct mk_cpumask mask = { .words = { 5 } };
	char wide[2400] = "1";
	size_t i;

	(void)state;
	for (i = 0; i < MK_ARRAY_SIZE(lists); i++)
		if (mk_cpumask_from_list(lists[i], &mask) == 0)
			fail_msg("the list '%s' was taken", lists[i]);
	for (i = 0; i < MK_ARRAY_SIZE(hexes); i++)
		if (mk_cpumask_from_hex(hexes[i], &mask) == 0)
			fail_msg("the words '%s' were taken", hexes[i]);
	for (i = 0; i < 256; i++)
		strcat(wide, ",00000000");
	assert_int_equal(mk_cpumask_from_hex(wide, &mask), -ERANGE);
	assert_int_equal(mask.words[0], 5);	/* only written on success */
	wide[0] = '0';
	assert_int_equal(mk_cpumask_from_hex(wide, &mask), 0);
}

static void test_sets(void **state)
{
	const unsigned int low[] = { 1, 2, 8192, 4000000000U };
	const unsigned int high[] = { 2, 3, 100 };
	const struct mk_cpumask a = mk_cpumask_of(low, 4);
	const struct mk_cpumask b = mk_cpumask_of(high, 3);
	const struct mk_cpumask both = mk_cpumask_and(&a, &b);
	const struct mk_cpumask any = mk_cpumask_or(&a, &b);
	const struct mk_cpumask only_a = mk_cpumask_without(&a, &b);
	mk_autofree char *both_list = mk_cpumask_list(&both);
	mk_autofree char *any_list = mk_cpumask_list(&any);
	mk_autofree char *only_list = mk_cpumask_list(&only_a);

	(void)state;
	assert_string_equal(both_list, "2");
	assert_string_equal(any_list, "1-3,100");
	assert_string_equal(only_list, "1");
	assert_true(mk_cpumask_subset(&both, &a));
	assert_false(mk_cpumask_subset(&a, &b));
	assert_true(mk_cpumask_meet(&a, &b));
	assert_false(mk_cpumask_meet(&only_a, &b));
	assert_false(mk_cpumask_empty(&only_a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_and_back),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_hex_as_the_kernel_takes_it),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

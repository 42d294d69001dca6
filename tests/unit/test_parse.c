// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of spawn/parse.c: sizes, CPU lists, names; and of numbers (libmk/text.c). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/multikernel.h>
#include <mk/util.h>

#include "../../spawn/parse.h"

#define UNTOUCHED	0x5a5a5a5aULL

static void check_error(const struct mk_error *err, const char *fragment)
{
	assert_int_equal(err->code, MK_ERR_USAGE);
	assert_string_equal(err->object, "");
	if (!strstr(err->message, fragment))
		fail_msg("\"%s\" lacks \"%s\"", err->message, fragment);
}

static void test_size_good(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "007", 7 },
		{ "4096", 4096 },
		{ "1k", 1ULL << 10 },
		{ "1K", 1ULL << 10 },
		{ "256M", 256ULL << 20 },
		{ "256m", 256ULL << 20 },
		{ "3g", 3ULL << 30 },
		{ "3G", 3ULL << 30 },
		{ "2t", 2ULL << 40 },
		{ "2T", 2ULL << 40 },
		{ "18446744073709551615", UINT64_MAX },
		{ "18014398509481983K", UINT64_MAX - 1023 },
		{ "17592186044415M", UINT64_MAX - 0xfffff },
		{ "17179869183G", UINT64_MAX - 0x3fffffff },
		{ "16777215T", UINT64_MAX - 0xffffffffffULL },
		{ "0T", 0 },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		uint64_t bytes = UNTOUCHED;
		struct mk_error err = MK_ERROR_INIT;

		assert_int_equal(mk_parse_size(cases[i].text, &bytes, &err), 0);
		assert_int_equal(bytes, cases[i].bytes);
		assert_int_equal(err.code, MK_ERR_NONE);
	}
}

static void test_size_bad(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *fragment;
	} cases[] = {
		{ "", -EINVAL, "expected a size, found \"\"" },
		{ "K", -EINVAL, "expected a size, found \"K\"" },
		{ "-1", -EINVAL, "expected a size" },
		{ "+1", -EINVAL, "expected a size" },
		{ " 1", -EINVAL, "expected a size" },
		{ "1 ", -EINVAL, "expected a size" },
		{ "1 M", -EINVAL, "expected a size" },
		{ "1M\n", -EINVAL, "expected a size" },
		{ "1MB", -EINVAL, "expected a size" },
		{ "1MiB", -EINVAL, "expected a size" },
		{ "1KK", -EINVAL, "expected a size" },
		{ "1B", -EINVAL, "expected a size" },
		{ "1P", -EINVAL, "expected a size" },
		{ "1.5G", -EINVAL, "expected a size" },
		{ "0x10", -EINVAL, "expected a size" },
		{ "1e3", -EINVAL, "expected a size" },
		{ "lots", -EINVAL, "found \"lots\"" },
		{ "\xd9\xa1M", -EINVAL, "expected a size" },
		{ "18446744073709551616", -ERANGE, "64 bits" },
		{ "99999999999999999999999", -ERANGE, "64 bits" },
		{ "99999999999999999999999X", -ERANGE, "64 bits" },
		{ "18014398509481984K", -ERANGE, "64 bits" },
		{ "17592186044416M", -ERANGE, "64 bits" },
		{ "17179869184G", -ERANGE, "64 bits" },
		{ "16777216T", -ERANGE, "\"16777216T\" does not fit" },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		uint64_t bytes = UNTOUCHED;
		struct mk_error err = MK_ERROR_INIT;

		assert_int_equal(mk_parse_size(cases[i].text, &bytes, &err),
				 cases[i].rc);
		assert_int_equal(bytes, UNTOUCHED);
		check_error(&err, cases[i].fragment);
		assert_int_equal(mk_parse_size(cases[i].text, &bytes, NULL),
				 cases[i].rc);
	}
}

static void test_cpulist_good(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		unsigned int cpus[5];
	} cases[] = {
		{ "0", 1, { 0 } },
		{ "2", 1, { 2 } },
		{ "2-3", 2, { 2, 3 } },
		{ "2-2", 1, { 2 } },
		{ "2-3,6", 3, { 2, 3, 6 } },
		{ "6,2-3", 3, { 6, 2, 3 } },
		{ "9,1,5", 3, { 9, 1, 5 } },
		{ "02", 1, { 2 } },
		{ "4294967295", 1, { 4294967295U } },
		{ "4294967294-4294967295", 2, { 4294967294U, 4294967295U } },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		mk_autofree unsigned int *cpus = NULL;
		size_t n = 0;

		assert_int_equal(mk_parse_cpulist(cases[i].text, &cpus, &n,
						  NULL), 0);
		assert_int_equal(n, cases[i].n);
		assert_memory_equal(cpus, cases[i].cpus, n * sizeof(*cpus));
	}
}

static void test_cpulist_bad(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *fragment;
	} cases[] = {
		{ "", -EINVAL, "expected a list of CPUs, found \"\"" },
		{ ",", -EINVAL, "expected a list of CPUs" },
		{ "2,", -EINVAL, "expected a list of CPUs" },
		{ ",2", -EINVAL, "expected a list of CPUs" },
		{ "2,,3", -EINVAL, "expected a list of CPUs" },
		{ "-", -EINVAL, "expected a list of CPUs" },
		{ "-2", -EINVAL, "expected a list of CPUs" },
		{ "2-", -EINVAL, "expected a list of CPUs" },
		{ "2-3-4", -EINVAL, "expected a list of CPUs" },
		{ "2--3", -EINVAL, "expected a list of CPUs" },
		{ "+2", -EINVAL, "expected a list of CPUs" },
		{ " 2", -EINVAL, "expected a list of CPUs" },
		{ "2 ", -EINVAL, "expected a list of CPUs" },
		{ "2, 3", -EINVAL, "expected a list of CPUs" },
		{ "2;3", -EINVAL, "expected a list of CPUs" },
		{ "0x2", -EINVAL, "found \"0x2\"" },
		{ "all", -EINVAL, "found \"all\"" },
		{ "2-8:2", -EINVAL, "expected a list of CPUs" },
		{ "3-2", -EINVAL, "range 3-2 runs backwards" },
		{ "1,9-4", -EINVAL, "range 9-4 runs backwards" },
		{ "2,2", -EINVAL, "CPU 2 is twice in \"2,2\"" },
		{ "2-4,3", -EINVAL, "CPU 3 is twice" },
		{ "3,2-4", -EINVAL, "CPU 3 is twice" },
		{ "4294967296", -ERANGE, "32 bits" },
		{ "1-4294967296", -ERANGE, "32 bits" },
		{ "18446744073709551616", -ERANGE, "32 bits" },
		{ "1-513", -E2BIG, "more than 512 CPUs" },
		{ "0-4294967295", -E2BIG, "more than 512 CPUs" },
		{ "1-512,600", -E2BIG, "more than 512 CPUs" },
		{ "600,1-512", -E2BIG, "more than 512 CPUs" },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		unsigned int *cpus = NULL;
		size_t n = UNTOUCHED;
		struct mk_error err = MK_ERROR_INIT;

		assert_int_equal(mk_parse_cpulist(cases[i].text, &cpus, &n,
						  &err), cases[i].rc);
		assert_null(cpus);
		assert_int_equal(n, UNTOUCHED);
		check_error(&err, cases[i].fragment);
		assert_int_equal(mk_parse_cpulist(cases[i].text, &cpus, &n,
						  NULL), cases[i].rc);
	}
}

static void test_cpulist_limit(void **state)
{
	mk_autofree unsigned int *cpus = NULL;
	size_t n;

	(void)state;
	assert_int_equal(MK_MAX_CPUS, 512);
	assert_int_equal(mk_parse_cpulist("1-512", &cpus, &n, NULL), 0);
	assert_int_equal(n, MK_MAX_CPUS);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(cpus[i], i + 1);
}

static void test_cpulist_has(void **state)
{
	(void)state;
	assert_int_equal(mk_cpulist_has("0", 0), 1);
	assert_int_equal(mk_cpulist_has("0", 1), 0);
	assert_int_equal(mk_cpulist_has("0-3,8-4095", 4095), 1);
	assert_int_equal(mk_cpulist_has("0-3,8-4095", 7), 0);
	assert_int_equal(mk_cpulist_has("0-3,8-4095", 4096), 0);
	assert_int_equal(mk_cpulist_has("", 0), -EINVAL);
	assert_int_equal(mk_cpulist_has("0-", 1), -EINVAL);
	assert_int_equal(mk_cpulist_has("0,", 1), -EINVAL);
	assert_int_equal(mk_cpulist_has("0 1", 1), -EINVAL);
	assert_int_equal(mk_cpulist_has("99999999999999999999", 1), -EINVAL);
}

static void test_name(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} cases[] = {
		{ "a", true },
		{ "0", true },
		{ "web", true },
		{ "web-1.a_b", true },
		{ "9-._", true },
		{ "aaaaaaaaaabbbbbbbbbbccccccccccd", true },
		{ "aaaaaaaaaabbbbbbbbbbccccccccccdd", false },
		{ "", false },
		{ "Web", false },
		{ "weB", false },
		{ "-web", false },
		{ ".", false },
		{ "..", false },
		{ "_a", false },
		{ "a b", false },
		{ "a/b", false },
		{ "a\n", false },
		{ "w\xc3\xa9" "b", false },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++)
		if (mk_name_valid(cases[i].name) != cases[i].valid)
			fail_msg("mk_name_valid(\"%s\")", cases[i].name);
}

static void test_number(void **state)
{
	static const struct {
		const char *text;
		int ret;
	} cases[] = {
		{ "10", 0 }, { "4294967294", 0 }, { "0012", 0 },
		{ "9", -ERANGE }, { "0", -ERANGE },
		{ "4294967295", -ERANGE }, { "4294967296", -ERANGE },
		{ "42949672950", -ERANGE }, { "99999999999999999999", -ERANGE },
		{ "", -EINVAL }, { " 10", -EINVAL }, { "10 ", -EINVAL },
		{ "+10", -EINVAL }, { "-10", -EINVAL }, { "0x10", -EINVAL },
		{ "1e1", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		unsigned int number = 5;
		int ret = mk_number_parse(cases[i].text, 10, 4294967294u,
					  &number);

		if (ret != cases[i].ret)
			fail_msg("\"%s\" gives %d", cases[i].text, ret);
		assert_int_equal(number, ret ? 5 : strtoul(cases[i].text, NULL, 10));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_size_good),
		cmocka_unit_test(test_size_bad),
		cmocka_unit_test(test_cpulist_good),
		cmocka_unit_test(test_cpulist_bad),
		cmocka_unit_test(test_cpulist_limit),
		cmocka_unit_test(test_cpulist_has),
		cmocka_unit_test(test_name),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}

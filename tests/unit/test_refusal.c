// SPDX-License-Identifier: GPL-2.0-only
/*
 * libmk's texts: every reason of the kernel has one, with all its fields
 * filled in; the names of states and causes; sizes; the log parser.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <mk/libmk.h>

#define HEADER	"include/uapi/linux/multikernel.h"

static void check_reason(const char *name, unsigned int number)
{
	struct mk_refusal refusal = {
		.reason = number,
		.a = 3,
		.b = 5,
		.object = "thing",
	};
	struct mk_error err = MK_ERROR_INIT;

	if (!mk_reason_name(number))
		fail_msg("%s (%u) has no text", name, number);
	mk_refusal_error(&err, &refusal, EINVAL, "web");
	assert_int_equal(err.reason, number);
	assert_int_not_equal(err.code, MK_ERR_NONE);
	assert_true(strlen(err.message) > 5);
	assert_null(strpbrk(err.message, "{}"));
	assert_null(strpbrk(err.hint, "{}"));
	assert_int_not_equal(err.message[strlen(err.message) - 1], '.');
}

/* The header itself is the list, so that no reason is forgotten. */
static void test_every_reason(void **state)
{
	char line[256], name[64];
	unsigned int number, seen = 0;
	FILE *f = fopen(HEADER, "r");

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " MK_REASON_%63[A-Z0-9_] = %u", name,
			   &number) != 2 || number == MK_REASON_NONE)
			continue;
		check_reason(name, number);
		seen++;
	}
	fclose(f);
	assert_true(seen >= 50);
}

static void check_text(uint32_t reason, uint64_t a, uint64_t b,
		       const char *object, int code, const char *message)
{
	struct mk_refusal refusal = { .reason = reason, .a = a, .b = b };
	struct mk_error err = MK_ERROR_INIT;

	snprintf(refusal.object, sizeof(refusal.object), "%s", object);
	mk_refusal_error(&err, &refusal, EINVAL, "web");
	assert_int_equal(err.code, code);
	assert_string_equal(err.message, message);
	assert_string_equal(err.object, "web");
}

static void test_texts(void **state)
{
	(void)state;
	check_text(MK_REASON_CPU_LENT, 4, 0, "db", MK_ERR_BUSY,
		   "CPU 4 is lent to instance 'db'");
	check_text(MK_REASON_MEM_NO_SPACE, 512 << 20, 3 << 19, "",
		   MK_ERR_BUSY,
		   "not enough free memory in the pool: 512M free, largest piece 1.5M");
	check_text(MK_REASON_BAD_STATE, MK_STATE_RUNNING, 0, "", MK_ERR_BUSY,
		   "not possible while it is running");
	check_text(MK_REASON_IMAGE_READ, 0, EIO, "", MK_ERR_CONFIG,
		   "the kernel image cannot be read: Input/output error");
	check_text(MK_REASON_DTB_MISMATCH, 1, 0xff, "start-page",
		   MK_ERR_FAILED,
		   "the device tree disagrees with the kernel in 'start-page': 0x1 there, 0xff expected");
	check_text(9999, 1, 2, "", MK_ERR_FAILED,
		   "refused for reason 9999 (a 1, b 2), which this mkctl does not know: Invalid argument");
}

/* An object that fills its member has no room for the NUL. */
static void test_full_object(void **state)
{
	struct mk_refusal refusal = { .reason = MK_REASON_BAD_NAME };
	struct mk_error err = MK_ERROR_INIT;

	(void)state;
	memset(refusal.object, 'x', sizeof(refusal.object));
	mk_refusal_error(&err, &refusal, EINVAL, NULL);
	assert_non_null(strstr(err.message,
			       "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'"));
}

static void test_plain_errno(void **state)
{
	const struct mk_refusal none = { 0 };
	struct mk_error err = MK_ERROR_INIT;

	(void)state;
	mk_refusal_error(&err, &none, EPERM, "web");
	assert_int_equal(err.code, MK_ERR_NOT_PERMITTED);
	assert_true(err.hint[0]);
	mk_refusal_error(&err, &none, EIO, "web");
	assert_int_equal(err.code, MK_ERR_FAILED);
	mk_refusal_error(NULL, &none, EIO, "web");
}

static void test_names(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < MK_NR_STATES; i++)
		assert_string_not_equal(mk_state_name(i), "unknown");
	for (i = 0; i < MK_NR_CAUSES; i++)
		assert_string_not_equal(mk_cause_name(i), "unknown");
	assert_string_equal(mk_state_name(MK_NR_STATES), "unknown");
	assert_string_equal(mk_cause_name(UINT32_MAX), "unknown");
	assert_false(mk_state_is_end(MK_STATE_STOPPING));
	assert_true(mk_state_is_end(MK_STATE_STOPPED));
	assert_true(mk_state_is_end(MK_STATE_FAILED));
	assert_false(mk_state_is_end(MK_NR_STATES));
}

static void check_size(uint64_t bytes, const char *text)
{
	char buf[MK_SIZE_TEXT_MAX];

	assert_string_equal(mk_size_format(bytes, buf), text);
}

static void test_sizes(void **state)
{
	(void)state;
	check_size(0, "0 bytes");
	check_size(1023, "1023 bytes");
	check_size(1024, "1K");
	check_size(1536, "1.5K");
	check_size(256 << 20, "256M");
	check_size(1ULL << 60, "1E");
	check_size(UINT64_MAX, "16.0E");
}

static void check_log(const char *line, const char *text)
{
	struct mk_log_line parsed;

	assert_int_equal(mk_log_parse(line, strlen(line), &parsed), 0);
	assert_string_equal(parsed.text, text);
}

static void test_log_text(void **state)
{
	(void)state;
	check_log("6,1,2,-;plain", "plain");
	check_log("6,1,2,-,caller=T1;a;b", "a;b");
	check_log("6,1,2,-;", "");
	check_log("6,1,2,-;tab\\x09.", "tab\t.");
	check_log("6,1,2,-;\\x5cback", "\\back");
	check_log("6,1,2,-;esc \\x1b[31m \x1b", "esc \\x1b[31m \\x1b");
	check_log("6,1,2,-;del \\x7f nl \\x0a", "del \\x7f nl \\x0a");
	check_log("6,1,2,-;\\xc3\\xa9 \xc3\xa9", "\xc3\xa9 \xc3\xa9");
	/* C1 controls, in UTF-8 and alone; overlong; surrogate; cut short */
	check_log("6,1,2,-;\\xc2\\x9b", "\\xc2\\x9b");
	check_log("6,1,2,-;\x9b", "\\x9b");
	check_log("6,1,2,-;\\xc0\\xaf", "\\xc0\\xaf");
	check_log("6,1,2,-;\\xed\\xa0\\x80", "\\xed\\xa0\\x80");
	check_log("6,1,2,-;\\xe2\\x82", "\\xe2\\x82");
	check_log("6,1,2,-;\\xzz \\x4", "\\xzz \\x4");
}

static void test_log_header(void **state)
{
	static const char *const bad[] = {
		"", "6", "6,1,2", "6,1;x", ";x", "a,1,2,-;x", "6,,2,-;x",
		" SUBSYSTEM=x", "6,1,2,- no text", "-6,1,2,-;x",
		"99999999999999999999,1,2,-;x",
	};
	struct mk_log_line line;
	size_t i;

	(void)state;
	for (i = 0; i < MK_ARRAY_SIZE(bad); i++)
		assert_int_equal(mk_log_parse(bad[i], strlen(bad[i]), &line),
				 -EINVAL);
	assert_int_equal(mk_log_parse("30,7,1234567,-;x", 16, &line), 0);
	assert_int_equal(line.level, 6);
	assert_int_equal(line.facility, 3);
	assert_int_equal(line.seq, 7);
	assert_int_equal(line.time_us, 1234567);
}

/* A line longer than the text is cut, never split or overrun. */
static void test_log_long(void **state)
{
	static char line[20000] = "6,1,2,-;";
	struct mk_log_line parsed;
	size_t i;

	(void)state;
	for (i = strlen(line); i + 5 < sizeof(line); i += 4)
		memcpy(line + i, "\\x01", 4);
	assert_int_equal(mk_log_parse(line, strlen(line), &parsed), 0);
	assert_true(strlen(parsed.text) < sizeof(parsed.text));
	assert_int_equal(strlen(parsed.text) % 4, 0);
}

static void test_error(void **state)
{
	struct mk_error err = MK_ERROR_INIT;

	(void)state;
	mk_error_set(&err, MK_ERR_BUSY, "first", "one %d", 1);
	mk_error_object(&err, "second");
	mk_error_hint(&err, "do %s", "this");
	mk_error_hint(&err, "do that");
	assert_string_equal(err.object, "first");
	assert_string_equal(err.hint, "do this");
	mk_error_set(&err, MK_ERR_FAILED, NULL, "again: %s", err.message);
	assert_string_equal(err.message, "again: one 1");
	assert_string_equal(err.object, "");
	assert_string_equal(err.hint, "");
	mk_error_set(NULL, MK_ERR_FAILED, NULL, "x");
	mk_error_object(NULL, "x");
	mk_error_hint(NULL, "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_reason),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_full_object),
		cmocka_unit_test(test_plain_errno),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_log_text),
		cmocka_unit_test(test_log_header),
		cmocka_unit_test(test_log_long),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}

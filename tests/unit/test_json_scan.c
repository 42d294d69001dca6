// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of spawn/json_scan.c: faults, positions, UTF-8. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <mk/util.h>

#include "../../spawn/json_scan.h"

/* A copy of exactly that many bytes, so that ASan sees a byte too far. */
static char *exact(const char *text, size_t bytes)
{
	char *copy = malloc(bytes ? bytes : 1);

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	return copy;
}

static int check(const char *text, size_t bytes, struct mk_json_fault *fault)
{
	char *copy = exact(text, bytes);
	int rc = mk_json_check(copy, bytes, fault);

	free(copy);
	return rc;
}

static void test_good(void **state)
{
	static const char *const cases[] = {
		"null", "true", "false", "0", "-0", "12", "-1.5e+3", "1E-2",
		"2e9", "0.25", "\"\"", "[]", "{}", " [ ] ", "\t{\r\n}\n",
		"[1,[2,{\"a\":[]}]]", "{\"a\":1,\"A\":2,\"\":3}",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud83d\\ude00\"",
		"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}",
		"\"\x7f\xc3\xa9\"",
		"{\"a/b\":1,\"a~1b\":2,\"a\":{\"b\":3}}",
		"[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]",
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		struct mk_json_fault fault = { 0 };

		if (check(cases[i], strlen(cases[i]), &fault))
			fail_msg("%s: %s", cases[i], fault.expected);
		assert_null(fault.pointer);
	}
}

struct bad {
	const char *text;
	size_t line, column;
	const char *expected;	/* or NULL: not looked at */
	const char *found;
};

static void test_syntax(void **state)
{
	static const struct bad cases[] = {
		{ "", 1, 1, "a value", "the end of the file" },
		{ " \n ", 2, 2, "a value", "the end of the file" },
		{ "{", 1, 2, "a key in double quotes", "the end of the file" },
		{ "{'a':1}", 1, 2, "a key in double quotes", "'''" },
		{ "{a:1}", 1, 2, "a key in double quotes", "'a'" },
		{ "{\"a\":1,}", 1, 8, "a key in double quotes", "'}'" },
		{ "{\"a\" 1}", 1, 6, "':' after the key", "'1'" },
		{ "{\"a\":}", 1, 6, "a value", "'}'" },
		{ "{\"a\":1 \"b\":2}", 1, 8, "',' or '}'", "'\"'" },
		{ "{\"a\":1]", 1, 7, "',' or '}'", "']'" },
		{ "[1,]", 1, 4, "a value", "']'" },
		{ "[1 2]", 1, 4, "',' or ']'", "'2'" },
		{ "[1", 1, 3, "',' or ']'", "the end of the file" },
		{ "[\n1,\n\n x]", 4, 2, "a value", "'x'" },
		{ "{} x", 1, 4, "the end of the file", "'x'" },
		{ "{}{}", 1, 3, "the end of the file", "'{'" },
		{ "NaN", 1, 1, "a value", "'N'" },
		{ "Infinity", 1, 1, "a value", "'I'" },
		{ "-Infinity", 1, 2, "a digit", "'I'" },
		{ "nul", 1, 1, "a value", "'n'" },
		{ "nulx", 1, 1, "a value", NULL },
		{ "TRUE", 1, 1, "a value", NULL },
		{ "// c\n1", 1, 1, "a value", "'/'" },
		{ "-", 1, 2, "a digit", "the end of the file" },
		{ "+1", 1, 1, "a value", NULL },
		{ "01", 1, 2, "the end of the file", "'1'" },
		{ "1.", 1, 3, "a digit", NULL },
		{ ".5", 1, 1, "a value", NULL },
		{ "1e", 1, 3, "a digit", NULL },
		{ "1e+-2", 1, 4, "a digit", NULL },
		{ "\"a", 1, 3, "a \" at the end of the string", NULL },
		{ "\"a\nb\"", 1, 3, "an escape", "'\n'" },
		{ "\"\x01\"", 1, 2, "an escape", NULL },
		{ "\"\\x\"", 1, 3, "after \\", "'x'" },
		{ "\"\\\"", 1, 4, "a \" at the end of the string", NULL },
		{ "\"\\", 1, 3, "after \\", "the end of the file" },
		{ "\"\\u12\"", 1, 4, "four hex digits", NULL },
		{ "\"\\u12g4\"", 1, 4, "four hex digits", NULL },
		{ "\"\\u", 1, 4, "four hex digits", NULL },
		{ "[\"\xc3\xa9\xe2\x82\xac\" \xc3\xa9]", 1, 7, "',' or ']'",
		  "'\xc3\xa9'" },
		{ "\v1", 1, 1, "a value", NULL },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		const struct bad *c = &cases[i];
		struct mk_json_fault fault = { 0 };

		assert_int_equal(check(c->text, strlen(c->text), &fault),
				 -EINVAL);
		assert_int_equal(fault.kind, MK_JSON_SYNTAX);
		if (fault.pos.line != c->line ||
		    fault.pos.column != c->column ||
		    !strstr(fault.expected, c->expected))
			fail_msg("%s: %zu:%zu: %s", c->text, fault.pos.line,
				 fault.pos.column, fault.expected);
		if (c->found)
			assert_string_equal(fault.found, c->found);
		assert_non_null(fault.pointer);
		free(fault.pointer);
	}
}

static void test_duplicate(void **state)
{
	static const struct {
		const char *text;
		const char *pointer;
		struct mk_json_pos first, second;
	} cases[] = {
		{ "{\"a\":1,\"a\":2}", "/a", { 1, 2 }, { 1, 8 } },
		{ "{\"a\":1,\n\"\\u0061\":2}", "/a", { 1, 2 }, { 2, 1 } },
		{ "{\"\":1,\n\n \"\":2}", "/", { 1, 2 }, { 3, 2 } },
		{ "[0,{\"x\":{\"b\":1,\"b\":1}}]", "/1/x/b", { 1, 10 },
		  { 1, 16 } },
		{ "{\"a/b~\":1,\"a\\/b~\":1}", "/a~1b~0", { 1, 2 },
		  { 1, 11 } },
		{ "{\"\xc3\xa9\":1,\"\\u00e9\":1}", "/\xc3\xa9", { 1, 2 },
		  { 1, 8 } },
		{ "{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\uDE00\":1}",
		  "/\xf0\x9f\x98\x80", { 1, 2 }, { 1, 8 } },
		{ "{\"\xe2\x82\xac\":1,\"\\u20AC\":1}", "/\xe2\x82\xac",
		  { 1, 2 }, { 1, 8 } },
		/* Halves of a pair are all the same, as json-c has it. */
		{ "{\"\\ud800\":1,\"\\udc00\":1}", "/\xef\xbf\xbd", { 1, 2 },
		  { 1, 13 } },
		{ "{\"\\ud800\\u0041\":1,\"\\ufffdA\":1}", "/\xef\xbf\xbd" "A",
		  { 1, 2 }, { 1, 19 } },
		{ "{\"\\n\\t\":1,\"\\u000a\\u0009\":1}", "/\n\t", { 1, 2 },
		  { 1, 11 } },
		/* The first in the text, not the first by name. */
		{ "{\"z\":1,\"a\":1,\"z\":1,\"a\":1}", "/z", { 1, 2 },
		  { 1, 14 } },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		struct mk_json_fault fault = { 0 };

		assert_int_equal(check(cases[i].text, strlen(cases[i].text),
				       &fault), -EINVAL);
		assert_int_equal(fault.kind, MK_JSON_DUPLICATE);
		assert_string_equal(fault.pointer, cases[i].pointer);
		assert_int_equal(fault.pos.line, cases[i].second.line);
		assert_int_equal(fault.pos.column, cases[i].second.column);
		assert_int_equal(fault.first.line, cases[i].first.line);
		assert_int_equal(fault.first.column, cases[i].first.column);
		free(fault.pointer);
	}
}

static void test_nul(void **state)
{
	static const struct {
		const char *text;
		const char *pointer;
		size_t column;
	} cases[] = {
		{ "\"\\u0000\"", "", 2 },
		{ "{\"a\":\"b\\u0000\"}", "/a", 8 },
		{ "{\"ab\\u0000c\":1}", "", 5 },
		{ "[{\"x/y\\u0000c\":1}]", "/0", 7 },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		struct mk_json_fault fault = { 0 };

		assert_int_equal(check(cases[i].text, strlen(cases[i].text),
				       &fault), -EINVAL);
		assert_int_equal(fault.kind, MK_JSON_NUL);
		assert_string_equal(fault.pointer, cases[i].pointer);
		assert_int_equal(fault.pos.column, cases[i].column);
		free(fault.pointer);
	}
}

/* Deep text must end at the limit, not at the end of the stack. */
static void test_depth(void **state)
{
	static char text[1 << 20];
	static const char *const openers[] = { "[", "{\"a\":" };

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(openers); i++) {
		struct mk_json_fault fault = { 0 };
		size_t n = strlen(openers[i]), len = 0;

		while (len + n < sizeof(text)) {
			memcpy(text + len, openers[i], n);
			len += n;
		}
		assert_int_equal(check(text, len, &fault), -EINVAL);
		assert_int_equal(fault.kind, MK_JSON_TOO_DEEP);
		assert_int_equal(fault.pos.column, MK_JSON_DEPTH_MAX * n + 1);
		free(fault.pointer);
	}
}

/* Quadratic handling of keys would take minutes here. */
static void test_many_keys(void **state)
{
	struct mk_json_fault fault = { 0 };
	size_t size = 1 << 20, len = 1;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	text[0] = '{';
	for (unsigned int i = 0; len + 32 < size; i++)
		len += (size_t)sprintf(text + len, "\"%x\":0,", i);
	len += (size_t)sprintf(text + len, "\"0\":1}");
	assert_int_equal(mk_json_check(text, len, &fault), -EINVAL);
	assert_int_equal(fault.kind, MK_JSON_DUPLICATE);
	assert_string_equal(fault.pointer, "/0");
	free(fault.pointer);
	free(text);
}

static const char sample[] =
	"{\n"					/* line 1 */
	"  \"schema\": \"mkctl/1\",\n"
	"  \"instances\": [\n"
	"    { \"name\": \"w\\u00e9b\", \"cpus\":\n"
	"      \"2-3\" },\n"			/* line 5 */
	"    [ 1, -2.5e3, true, null ]\n"
	"  ],\n"
	"  \"a/b~c\": false, \"\": {\"\": 7},\n"
	"  \"\xc3\xa9\": \"x\"\n"
	"}\n";

static void test_find(void **state)
{
	static const struct {
		const char *pointer;
		struct mk_json_pos pos;
	} cases[] = {
		{ "", { 1, 1 } },
		{ "/schema", { 2, 13 } },
		{ "/instances", { 3, 16 } },
		{ "/instances/0", { 4, 5 } },
		{ "/instances/0/name", { 4, 15 } },
		{ "/instances/0/cpus", { 5, 7 } },
		{ "/instances/1", { 6, 5 } },
		{ "/instances/1/1", { 6, 10 } },
		{ "/instances/1/3", { 6, 24 } },
		{ "/a~1b~0c", { 8, 12 } },
		{ "/", { 8, 23 } },
		{ "//", { 8, 28 } },
		{ "/\xc3\xa9", { 9, 8 } },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		struct mk_json_pos pos = { 0 };

		assert_int_equal(mk_json_find(sample, strlen(sample),
					      cases[i].pointer, &pos), 0);
		if (pos.line != cases[i].pos.line ||
		    pos.column != cases[i].pos.column)
			fail_msg("%s: %zu:%zu", cases[i].pointer, pos.line,
				 pos.column);
	}
}

static void test_find_not(void **state)
{
	static const char *const cases[] = {
		"/nope", "/schema/x", "/instances/2", "/instances/01",
		"/instances/-", "/instances/0/cpu", "/instances/", "schema",
		"/a/b~c", "/schemaa", "/schem",
	};
	struct mk_json_pos pos;

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++)
		assert_int_equal(mk_json_find(sample, strlen(sample), cases[i],
					      &pos), -ENOENT);
	assert_int_equal(mk_json_find("[1,", 3, "/1/2", &pos), -EINVAL);
	/* The first of two, and nothing behind the find is looked at. */
	assert_int_equal(mk_json_find("{\"a\":1,\"a\":2 ?", 14, "/a", &pos), 0);
	assert_int_equal(pos.column, 6);
}

static void test_truncated(void **state)
{
	size_t whole = strlen(sample) - 1;	/* without the last newline */

	(void)state;
	for (size_t n = 0; n < whole; n++) {
		struct mk_json_fault fault = { 0 };

		assert_int_equal(check(sample, n, &fault), -EINVAL);
		assert_int_equal(fault.kind, MK_JSON_SYNTAX);
		free(fault.pointer);
	}
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t end;
	} cases[] = {
		{ "", 0 },
		{ "abc", 3 },
		{ "\xc2\x80\xdf\xbf", 4 },
		{ "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 12 },
		{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8 },
		{ "a\x80", 1 },
		{ "a\xbf", 1 },
		{ "a\xc0\x80", 1 },		/* overlong */
		{ "a\xc1\xbf", 1 },
		{ "a\xe0\x9f\xbf", 1 },
		{ "a\xf0\x8f\xbf\xbf", 1 },
		{ "a\xed\xa0\x80", 1 },		/* surrogate */
		{ "a\xf4\x90\x80\x80", 1 },	/* above U+10FFFF */
		{ "a\xf5\x80\x80\x80", 1 },
		{ "a\xff", 1 },
		{ "a\xc3", 1 },			/* cut */
		{ "a\xe2\x82", 1 },
		{ "a\xf0\x9f\x98", 1 },
		{ "a\xe2\x28\xac", 1 },
		{ "a\xe2\x82\x28", 1 },
		{ "a\xf0\x9f\x98\x28", 1 },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		size_t n = strlen(cases[i].text);
		char *copy = exact(cases[i].text, n);

		assert_int_equal(mk_json_utf8_end(copy, n), cases[i].end);
		free(copy);
	}
}

static void test_pointer_key(void **state)
{
	static const char *const cases[][2] = {
		{ "", "/" },
		{ "a", "/a" },
		{ "a/b", "/a~1b" },
		{ "~1", "/~01" },
		{ "~/", "/~0~1" },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		mk_autofree char *step = mk_json_pointer_key(cases[i][0]);

		assert_string_equal(step, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_duplicate),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_not),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_pointer_key),
	};

	return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}

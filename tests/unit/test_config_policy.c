// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/config_policy.c and policy.c: what is accepted, what is
 * left out, every refusal, the form in state files, the words for people.
 */
#include <stdlib.h>

#include "config_text.h"

#include <json-c/json.h>

#include "../../spawn/policy.h"

#define WEB	"{\"name\":\"web\"," REST ",\n"

static struct mk_policy load(const char *rest)
{
	autoconfig struct mk_config_file *file = NULL;
	struct mk_error err = MK_ERROR_INIT;
	char text[1024], path[64];

	snprintf(text, sizeof(text), WEB "%s}", rest);
	if (load_text(text, strlen(text), path, &file, &err))
		fail_msg("%s: %s: %s", text, err.object, err.message);
	return file->instances->policy;
}

static const struct mk_policy defaults = {
	.given = true,
	.max = 5,
	.window_s = 600,
	.backoff_s = 1,
	.backoff_max_s = 300,
};

static void same(const struct mk_policy *a, const struct mk_policy *b)
{
	assert_int_equal(a->given, b->given);
	assert_int_equal(a->restart, b->restart);
	assert_int_equal(a->max, b->max);
	assert_int_equal(a->window_s, b->window_s);
	assert_int_equal(a->backoff_s, b->backoff_s);
	assert_int_equal(a->backoff_max_s, b->backoff_max_s);
	assert_int_equal(a->start_after_reboot, b->start_after_reboot);
	assert_int_equal(a->watchdog_given, b->watchdog_given);
	assert_int_equal(a->watchdog_ms, b->watchdog_ms);
	assert_int_equal(a->on_hang, b->on_hang);
}

static void test_left_out(void **state)
{
	struct mk_policy none = load("\"cmdline\":\"\"");
	struct mk_policy empty = load("\"policy\":{}");

	(void)state;
	assert_false(none.given);
	same(&empty, &defaults);
	empty = load("\"policy\":{\"watchdog\":{}}");
	same(&empty, &defaults);
}

static void test_short_forms(void **state)
{
	struct mk_policy p, wanted = defaults;

	(void)state;
	p = load("\"policy\":{\"restart\":\"on-failure\"}");
	wanted.restart = MK_RESTART_ON_FAILURE;
	same(&p, &wanted);
	p = load("\"policy\":{\"restart\":{\"when\":\"on-failure\"}}");
	same(&p, &wanted);
	/* always includes the reboot, unless it is said otherwise */
	p = load("\"policy\":{\"restart\":\"always\"}");
	wanted.restart = MK_RESTART_ALWAYS;
	wanted.start_after_reboot = true;
	same(&p, &wanted);
	p = load("\"policy\":{\"on_reboot\":\"stop\",\"restart\":\"always\"}");
	wanted.start_after_reboot = false;
	same(&p, &wanted);
	p = load("\"policy\":{\"on_reboot\":\"start\"}");
	wanted.restart = MK_RESTART_NEVER;
	wanted.start_after_reboot = true;
	same(&p, &wanted);
}

#define ALL	"\"policy\":{\"watchdog\":{\"action\":\"dump-and-restart\",\"timeout\":600}," \
		"\"on_reboot\":\"start\",\"restart\":{\"backoff_max\":7," \
		"\"backoff\":7,\"window\":1,\"max\":0,\"when\":\"never\"}}"

static const struct mk_policy all = {
	.given = true,
	.restart = MK_RESTART_NEVER,
	.max = 0,
	.window_s = 1,
	.backoff_s = 7,
	.backoff_max_s = 7,
	.start_after_reboot = true,
	.watchdog_given = true,
	.watchdog_ms = 600000,
	.on_hang = MK_ON_HANG_DUMP,
};

static void test_long_forms(void **state)
{
	struct mk_policy p = load(ALL);

	(void)state;
	same(&p, &all);
	p = load("\"policy\":{\"watchdog\":{\"timeout\":0}}");
	assert_true(p.watchdog_given);
	assert_int_equal(p.watchdog_ms, 0);
	/* The longest follows the first where nothing is said of it. */
	p = load("\"policy\":{\"restart\":{\"when\":\"always\",\"backoff\":1000}}");
	assert_int_equal(p.backoff_max_s, 1000);
}

static void test_refused(void **state)
{
	static const char *const cases[][3] = {
		{ "\"always\"", "", "expected an object, found a string" },
		{ "null", "", "expected an object, found null" },
		{ "{\"restarts\":\"always\"}", "/restarts",
		  "unknown key \"restarts\"" },
		{ "{\"restart\":true}", "/restart",
		  "expected an object or a string, found true or false" },
		{ "{\"restart\":\"sometimes\"}", "/restart",
		  "expected \"never\", \"on-failure\" or \"always\", found \"sometimes\"" },
		{ "{\"restart\":{}}", "/restart",
		  "required key \"when\" is missing" },
		{ "{\"restart\":{\"when\":\"\"}}", "/restart/when",
		  "expected \"never\"" },
		{ "{\"restart\":{\"when\":1}}", "/restart/when",
		  "expected a string, found a number" },
		{ "{\"restart\":{\"when\":\"always\",\"max\":-1}}",
		  "/restart/max", "from 0 to 1000000, found -1" },
		{ "{\"restart\":{\"when\":\"always\",\"max\":1.5}}",
		  "/restart/max", "expected a whole number, found a number" },
		{ "{\"restart\":{\"when\":\"always\",\"max\":\"5\"}}",
		  "/restart/max", "expected a whole number, found a string" },
		{ "{\"restart\":{\"when\":\"always\",\"window\":0}}",
		  "/restart/window", "from 1 to 1000000, found 0" },
		{ "{\"restart\":{\"when\":\"always\",\"backoff\":1000001}}",
		  "/restart/backoff", "from 0 to 1000000, found 1000001" },
		{ "{\"restart\":{\"when\":\"always\",\"backoff\":9,\"backoff_max\":8}}",
		  "/restart/backoff_max", "from 9 to 1000000, found 8" },
		{ "{\"restart\":{\"when\":\"always\",\"back_off\":9}}",
		  "/restart/back_off", "unknown key \"back_off\"" },
		{ "{\"on_reboot\":\"restart\"}", "/on_reboot",
		  "expected \"start\" or \"stop\", found \"restart\"" },
		{ "{\"on_reboot\":false}", "/on_reboot",
		  "expected a string, found true or false" },
		{ "{\"watchdog\":4}", "/watchdog",
		  "expected an object, found a number" },
		{ "{\"watchdog\":{\"timeout\":601}}", "/watchdog/timeout",
		  "from 0 to 600, found 601" },
		{ "{\"watchdog\":{\"timeout\":\"4s\"}}", "/watchdog/timeout",
		  "expected a whole number, found a string" },
		{ "{\"watchdog\":{\"action\":\"restart\"}}", "/watchdog/action",
		  "expected \"report\", \"kill\" or \"dump-and-restart\", found \"restart\"" },
		{ "{\"watchdog\":{\"action\":\"kill\",\"timeout\":0}}",
		  "/watchdog/action",
		  "\"kill\" never comes, because \"timeout\" is 0" },
		{ "{\"watchdog\":{\"time\":4}}", "/watchdog/time",
		  "unknown key \"time\"" },
	};
	char text[512], where[64];
	int n;

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		n = snprintf(text, sizeof(text), WEB "\"policy\":%s}",
			     cases[i][0]);
		snprintf(where, sizeof(where), ":2: /policy%s", cases[i][1]);
		refused_bytes(text, (size_t)n, where, cases[i][2], NULL);
	}
	refused_bytes(WEB "\"policy\":{\"restart\":{\"when\":\"always\",\"back_off\":9}}}",
		      strlen(WEB "\"policy\":{\"restart\":{\"when\":\"always\",\"back_off\":9}}}"),
		      ":2: /policy/restart/back_off", "unknown key",
		      "did you mean \"backoff\"?");
}

static void test_state_file(void **state)
{
	struct json_object *doc = json_object_new_object();
	struct mk_policy p;

	(void)state;
	mk_policy_to_json(&all, doc);
	assert_int_equal(mk_policy_from_json(doc, &p), 0);
	same(&p, &all);
	mk_policy_to_json(&defaults, doc);
	assert_int_equal(mk_policy_from_json(doc, &p), 0);
	same(&p, &defaults);
	mk_policy_to_json(&(struct mk_policy){ .given = false }, doc);
	assert_int_equal(mk_policy_from_json(doc, &p), 0);
	assert_false(p.given);
	/* Of an older mkctl */
	json_object_object_del(doc, "policy");
	assert_int_equal(mk_policy_from_json(doc, &p), 0);
	assert_false(p.given);
	json_object_put(doc);
}

static void test_state_file_bad(void **state)
{
	static const char *const cases[] = {
		"{\"policy\":7}",
		"{\"policy\":{}}",
		"{\"policy\":{\"restart\":{\"when\":\"never\"},\"on_reboot\":\"stop\",\"watchdog\":{\"action\":\"report\"}}}",
		"{\"policy\":{\"restart\":{\"when\":\"x\",\"max\":1,\"window\":1,\"backoff\":1,\"backoff_max\":1},\"on_reboot\":\"stop\",\"watchdog\":{\"action\":\"report\"}}}",
		"{\"policy\":{\"restart\":{\"when\":\"never\",\"max\":-1,\"window\":1,\"backoff\":1,\"backoff_max\":1},\"on_reboot\":\"stop\",\"watchdog\":{\"action\":\"report\"}}}",
		"{\"policy\":{\"restart\":{\"when\":\"never\",\"max\":1,\"window\":1,\"backoff\":1,\"backoff_max\":1},\"watchdog\":{\"action\":\"report\"}}}",
		"{\"policy\":{\"restart\":{\"when\":\"never\",\"max\":1,\"window\":1,\"backoff\":1,\"backoff_max\":1},\"on_reboot\":\"stop\"}}",
		"{\"policy\":{\"restart\":{\"when\":\"never\",\"max\":1,\"window\":1,\"backoff\":1,\"backoff_max\":1},\"on_reboot\":\"stop\",\"watchdog\":{\"action\":\"report\",\"timeout_ms\":\"1\"}}}",
	};
	struct json_object *doc;
	struct mk_policy p;

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		doc = json_tokener_parse(cases[i]);
		assert_non_null(doc);
		if (mk_policy_from_json(doc, &p) != -EINVAL)
			fail_msg("%s", cases[i]);
		json_object_put(doc);
	}
}

static void text_is(const char *rest, const char *wanted)
{
	struct mk_policy p = load(rest);
	char *text = mk_policy_text(&p);

	assert_string_equal(text, wanted);
	free(text);
}

static void test_text(void **state)
{
	(void)state;
	text_is("\"cmdline\":\"\"", "none");
	text_is("\"policy\":{}",
		"restart never, on reboot stop, watchdog: report");
	text_is("\"policy\":{\"restart\":\"always\",\"watchdog\":{\"timeout\":2,\"action\":\"kill\"}}",
		"restart always (at most 5 times until it ran for 600 s, after 1 to 300 s), on reboot start, watchdog 2000 ms: kill");
	text_is("\"policy\":{\"restart\":{\"when\":\"on-failure\",\"max\":0},\"watchdog\":{\"timeout\":0}}",
		"restart on-failure (as often as needed until it ran for 600 s, after 1 to 300 s), on reboot stop, watchdog off: report");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_short_forms),
		cmocka_unit_test(test_long_forms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_state_file),
		cmocka_unit_test(test_state_file_bad),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests_name("config_policy", tests, NULL, NULL);
}

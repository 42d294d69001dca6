// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/config.c and spawn/json_file.c: every refusal is asserted
 * by code, object and a piece of the message.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "config_text.h"

#include <json-c/json.h>

#include "../../spawn/json_scan.h"

struct refusal {
	const char *text;
	const char *where;
	const char *fragment;
	const char *hint;
};

static void all_refused(const struct refusal *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		refused_bytes(cases[i].text, strlen(cases[i].text),
			      cases[i].where, cases[i].fragment,
			      cases[i].hint);
}

static void test_files_refused(void **state)
{
	static const struct {
		const char *path;
		const char *where;
		const char *fragment;
		const char *hint;
	} cases[] = {
		{ FIXTURES "duplicate-key.json", ":9: /instances/0/cpus",
		  "the key is there twice, first on line 6", "" },
		{ FIXTURES "duplicate-name.json", ":6: /instances/2/name",
		  "\"web\" is already the name of /instances/0", "" },
		{ FIXTURES "unknown-key.json", ":4: /cpu",
		  "unknown key \"cpu\"", "did you mean \"cpus\"?" },
		{ FIXTURES "missing.json", "",
		  "cannot read the file: No such file or directory", "" },
		{ FIXTURES "bare.json/x", "", "Not a directory", "" },
		{ FIXTURES, "", "cannot read the file: Is a directory", "" },
		{ "", "", "No such file or directory", "" },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		struct mk_config_file *file = NULL;
		struct mk_error err = MK_ERROR_INIT;
		int rc = mk_config_load(cases[i].path, &file, &err);

		assert_null(file);
		check_refused(cases[i].path, rc, cases[i].path, &err,
			      cases[i].where, cases[i].fragment);
		assert_string_equal(err.hint, cases[i].hint);
	}
	assert_int_equal(mk_config_load(FIXTURES "missing.json",
					&(struct mk_config_file *){ NULL },
					NULL), -ENOENT);
}

static void test_syntax(void **state)
{
	static const struct refusal cases[] = {
		{ "", ":1:1", "not JSON: expected a value, found the end of "
		  "the file", NULL },
		{ "\n\nname: web\n", ":3:1", "not JSON: expected a value, "
		  "found 'n'", NULL },
		{ "{\n\t\"name\": \"web\"\n\t\"cpus\": \"2\"\n}", ":3:2",
		  "not JSON: expected ',' or '}', found '\"'", NULL },
		{ GOOD " x", ":1:55", "expected the end of the file", NULL },
		{ GOOD GOOD, ":1:54", "expected the end of the file", NULL },
		{ "{'name':\"web\"}", ":1:2",
		  "expected a key in double quotes", NULL },
		{ "{\"name\":\"web\",}", ":1:15",
		  "expected a key in double quotes, found '}'", NULL },
		{ "{ // c\n}", ":1:3", "expected a key in double quotes",
		  NULL },
		{ "{\"name\":NaN}", ":1:9", "expected a value", NULL },
		{ "{\"name\":\"a\nb\"}", ":1:11",
		  "control character, found '\\x0a'", NULL },
		{ "{\"name\":\"\x1b[2J\"}", ":1:10", "found '\\x1b'", NULL },
		{ "{\"name\":\"a\xff\"}", ":1:11", "a byte that is not UTF-8",
		  NULL },
		{ "{\"name\":\"a\xc0\x80\"}", ":1:11", "not UTF-8", NULL },
		{ "{\"name\":\"\xed\xa0\x80\"}", ":1:10", "not UTF-8", NULL },
		{ "{\n\"name\":\"\xc3", ":2:9", "not UTF-8", NULL },
		{ "\xef\xbb\xbf{}", ":1:1", "a byte order mark",
		  "without it" },
	};

	(void)state;
	all_refused(cases, MK_ARRAY_SIZE(cases));
	refused_bytes("{}\0", 3, ":1:3", "not JSON: a NUL byte", NULL);
	refused_bytes("{\"name\":\"a\0b\"}", 14, ":1:11", "a NUL byte", NULL);
}

static void test_nul_escape(void **state)
{
	static const struct refusal cases[] = {
		{ "{\"name\":\"web\\u0000x\"," REST "}", ":1: /name",
		  "\\u0000 in a string", NULL },
		{ "{\"name\":\"web\"," REST ",\n\"cmdline\":\"\\u0000\"}",
		  ":2: /cmdline", "\\u0000 in a string", NULL },
		{ "{\"name\\u0000x\":\"web\"," REST "}", ":1",
		  "\\u0000 in a string", NULL },
		{ "{\"schema\":\"mkctl/1\\u0000\",\"instances\":[" GOOD "]}",
		  ":1: /schema", "\\u0000 in a string", NULL },
		{ "{\"schema\":\"mkctl/1\",\"instances\":[{\"\\u0000\":1}]}",
		  ":1: /instances/0", "\\u0000 in a string", NULL },
	};

	(void)state;
	all_refused(cases, MK_ARRAY_SIZE(cases));
}

static void test_shape(void **state)
{
	static const struct refusal cases[] = {
		{ "[]", ":1", "expected an object, found an array", NULL },
		{ "\n null", ":2", "expected an object, found null", NULL },
		{ "\"web\"", ":1", "expected an object, found a string", NULL },
		{ "1", ":1", "expected an object, found a number", NULL },
		{ "{}", ":1", "required key \"name\" is missing", NULL },
		{ "{\"schema\":\"mkctl/1\"}", ":1",
		  "required key \"name\" is missing", NULL },
		{ "{\"instances\":[" GOOD "]}", ":1",
		  "required key \"schema\" is missing", NULL },
		{ "{\"schema\":\"mkctl/2\",\"instances\":[]}", ":1: /schema",
		  "expected \"mkctl/1\", found \"mkctl/2\"", NULL },
		/* Another version: that, and not its keys. */
		{ "{\"schema\":\"mkctl/2\",\"machines\":[]}", ":1: /schema",
		  "expected \"mkctl/1\", found \"mkctl/2\"", NULL },
		{ "{\"schema\":\"\"," REST ",\"name\":\"web\"}", ":1: /schema",
		  "expected \"mkctl/1\", found \"\"", NULL },
		{ "{\"schema\":1,\"instances\":[]}", ":1: /schema",
		  "expected a string, found a number", NULL },
		{ "{\"schema\":\"mkctl/1\",\"instances\":{}}",
		  ":1: /instances", "expected an array, found an object",
		  NULL },
		{ "{\"schema\":\"mkctl/1\",\"instances\":null}",
		  ":1: /instances", "expected an array, found null", NULL },
		{ "{\"schema\":\"mkctl/1\",\"instances\":[]}",
		  ":1: /instances", "expected at least one instance", NULL },
		{ "{\"schema\":\"mkctl/1\",\"instances\":[" GOOD ",\n7]}",
		  ":2: /instances/1", "expected an object, found a number",
		  NULL },
		{ "{\"schema\":\"mkctl/1\",\"instances\":[null]}",
		  ":1: /instances/0", "expected an object, found null", NULL },
		{ "{\"schema\":\"mkctl/1\",\"instances\":[" GOOD "],\n"
		  "\"name\":\"x\"}", ":2: /name", "unknown key \"name\"",
		  "known keys: schema, instances" },
		{ "{\"schema\":\"mkctl/1\",\"instances\":[{\n"
		  "\"schema\":\"mkctl/1\"}]}", ":2: /instances/0/schema",
		  "unknown key \"schema\"", NULL },
		{ "{\"schema\":\"mkctl/1\",\"instance\":[" GOOD "]}",
		  ":1: /instance", "unknown key \"instance\"",
		  "did you mean \"instances\"?" },
	};

	(void)state;
	all_refused(cases, MK_ARRAY_SIZE(cases));
}

static void test_keys(void **state)
{
	static const struct refusal cases[] = {
		{ "{\"name\":\"web\"," REST ",\"disk\":\"x\"}", ":1: /disk",
		  "unknown key \"disk\"", "known keys: schema, name, kernel, "
		  "initrd, cmdline, cpus, allow_split_core, memory" },
		{ "{\"name\":\"web\"," REST ",\"Cpus\":\"x\"}", ":1: /Cpus",
		  "unknown key \"Cpus\"", "did you mean \"cpus\"?" },
		{ "{\"nmae\":\"web\"," REST "}", ":1: /nmae",
		  "unknown key \"nmae\"", "did you mean \"name\"?" },
		{ "{\"name\":\"web\"," REST ",\"initramfs\":\"x\"}",
		  ":1: /initramfs", "unknown key \"initramfs\"",
		  "known keys" },
		{ "{\"name\":\"web\"," REST ",\"memry\":\"x\"}", ":1: /memry",
		  "unknown key \"memry\"", "did you mean \"memory\"?" },
		{ "{\"name\":\"web\"," REST ",\"\":\"x\"}", ":1: /",
		  "unknown key \"\"", "known keys" },
		{ "{\"name\":\"web\"," REST ",\"a/b~\":\"x\"}", ":1: /a~1b~0",
		  "unknown key \"a/b~\"", NULL },
		{ "{\"name\":\"web\"," REST ",\"\\u001b[2J\":\"x\"}",
		  ":1: /\\x1b[2J", "unknown key \"\\x1b[2J\"", NULL },
		{ "{\"name\":\"web\"," REST ",\"\\u009b2J\":\"x\"}",
		  ":1: /\\xc2\\x9b2J", "unknown key \"\\xc2\\x9b2J\"", NULL },
		{ "{\"kernel\":\"k\",\"cpus\":\"2\",\"memory\":\"64M\"}", ":1",
		  "required key \"name\" is missing", NULL },
		{ "{\"name\":\"w\",\"cpus\":\"2\",\"memory\":\"64M\"}", ":1",
		  "required key \"kernel\" is missing", NULL },
		{ "{\"name\":\"w\",\"kernel\":\"k\",\"memory\":\"64M\"}", ":1",
		  "required key \"cpus\" is missing", NULL },
		{ "{\"name\":\"w\",\"kernel\":\"k\",\"cpus\":\"2\"}", ":1",
		  "required key \"memory\" is missing", NULL },
		{ "{\"schema\":\"mkctl/1\",\"instances\":[" GOOD ",\n\n{}]}",
		  ":3: /instances/1", "required key \"name\" is missing",
		  NULL },
		{ "{\"name\":\"a\",\"name\":\"a\"," REST "}", ":1: /name",
		  "the key is there twice, first on line 1", NULL },
		{ "{\"name\":\"a\",\n\"n\\u0061me\":\"a\"," REST "}",
		  ":2: /name", "the key is there twice, first on line 1",
		  NULL },
		{ "{\"name\":\"a\",\"x\":1,\"x\":2," REST "}", ":1: /x",
		  "the key is there twice", NULL },
	};

	(void)state;
	all_refused(cases, MK_ARRAY_SIZE(cases));
}

/* What @types has, as a refusal names it. */
static void name_types(unsigned int types, char *dst)
{
	static const struct {
		unsigned int type;
		const char *name;
	} names[] = {
		{ json_type_boolean, "true or false" },
		{ json_type_int, "a whole number" },
		{ json_type_object, "an object" },
		{ json_type_array, "an array" },
		{ json_type_string, "a string" },
	};

	*dst = '\0';
	for (size_t i = 0; i < MK_ARRAY_SIZE(names); i++)
		if (types & 1u << names[i].type)
			sprintf(dst + strlen(dst), "%s%s", *dst ? " or " : "",
				names[i].name);
}

#define PEERS	"{\"name\":\"a\"," REST ","

/*
 * One key of an object with one value, and good ones for the others that the
 * loader reads before it. @object stands at @at.
 */
static void refused_type(const char *object, const char *at,
			 const struct mk_config_key *key, const char *value,
			 const char *fragment)
{
	static const char *const good[][2] = {
		{ "name", "\"a\"" }, { "kernel", "\"k\"" },
		{ "cpus", "\"2\"" }, { "count", "1" },
		{ "size", "\"64M\"" }, { "memory", "\"64M\"" },
		{ "peer", "\"b\"" },
	};
	struct mk_config_key other;
	char text[512], inner[256], where[64];
	int n = sprintf(text, "{\"%s\":%s", key->name, value);

	for (size_t i = 0; mk_config_key(object, i, &other) == 0; i++)
		for (size_t j = 0; j < MK_ARRAY_SIZE(good); j++)
			if (!strcmp(other.name, good[j][0]) &&
			    strcmp(other.name, key->name))
				n += sprintf(text + n, ",\"%s\":%s",
					     good[j][0], good[j][1]);
	sprintf(text + n, "}");
	strcpy(inner, text);
	if (!strcmp(object, "share"))
		sprintf(text, PEERS "\"shares\":[%s]}", inner);
	else if (!strcmp(object, "grantee"))
		sprintf(text, PEERS "\"shares\":[{\"name\":\"s\","
			"\"size\":\"4K\",\"grantees\":[%s]}]}", inner);
	else if (*at)
		sprintf(text, "{\"name\":\"a\",\"kernel\":\"k\","
			"%s\"%s\":%s}", strcmp(object, "cpus") ?
			"\"cpus\":\"2\"," : "", object, inner);
	sprintf(where, ":1: %s/%s", at, key->name);
	refused_bytes(text, strlen(text), where, fragment, NULL);
}

/* Every key with every wrong type, from the loader's own tables. */
static void test_types(void **state)
{
	static const struct {
		const char *text;
		unsigned int type;
		const char *name;
	} values[] = {
		{ "1", json_type_int, "a number" },
		{ "1.5", json_type_double, "a number" },
		{ "null", json_type_null, "null" },
		{ "true", json_type_boolean, "true or false" },
		{ "[\"2\"]", json_type_array, "an array" },
		{ "{}", json_type_object, "an object" },
		{ "\"x\"", json_type_string, "a string" },
	};
	static const char *const objects[][2] = {
		{ "instance", "" }, { "cpus", "/cpus" },
		{ "memory", "/memory" }, { "share", "/shares/0" },
		{ "grantee", "/shares/0/grantees/0" },
	};
	char wanted[64], fragment[128];
	struct mk_config_key key;
	size_t nr = 0;

	(void)state;
	for (size_t o = 0; o < MK_ARRAY_SIZE(objects); o++) {
		for (size_t i = 0; !mk_config_key(objects[o][0], i, &key); i++) {
			name_types(key.types, wanted);
			for (size_t j = 0; j < MK_ARRAY_SIZE(values); j++) {
				if (key.types & 1u << values[j].type)
					continue;
				sprintf(fragment, "expected %s, found %s",
					wanted, values[j].name);
				refused_type(objects[o][0], objects[o][1], &key,
					     values[j].text, fragment);
				nr++;
			}
		}
	}
	assert_true(nr > 100);
}

/* @value stands for @key in an instance that is good but for it. */
static void refused_value(const char *key, const char *value,
			  const char *fragment, const char *hint)
{
	static const char *const good[][2] = {
		{ "name", "web" }, { "kernel", "k" }, { "cpus", "2" },
		{ "memory", "64M" },
	};
	char text[1024], where[64];
	int n;

	n = sprintf(text, "{\"schema\":\"mkctl/1\",\"instances\":[\n{");
	for (size_t i = 0; i < MK_ARRAY_SIZE(good); i++)
		if (strcmp(good[i][0], key))
			n += sprintf(text + n, "\"%s\":\"%s\",", good[i][0],
				     good[i][1]);
	sprintf(text + n, "\n\"%s\":\n\"%s\"}]}", key, value);
	sprintf(where, ":4: /instances/0/%s", key);
	refused_bytes(text, strlen(text), where, fragment, hint);
}

static void test_values(void **state)
{
	static const struct {
		const char *key, *value, *fragment, *hint;
	} cases[] = {
		{ "name", "", "expected a name, found \"\"", "1 to 31" },
		{ "name", "Web", "expected a name, found \"Web\"", "a-z 0-9" },
		{ "name", "-a", "expected a name", "a-z 0-9" },
		{ "name", "..", "expected a name", "a-z 0-9" },
		{ "name", "host", "\"host\" is what instances call the host",
		  "choose another name" },
		{ "name", "a/b", "expected a name", "a-z 0-9" },
		{ "name", "a b", "expected a name", "a-z 0-9" },
		{ "name", "a\\nb", "expected a name, found \"a\\x0ab\"",
		  "a-z 0-9" },
		{ "name", "aaaaaaaaaabbbbbbbbbbccccccccccdd",
		  "expected a name", "1 to 31" },
		{ "kernel", "", "expected a path, found \"\"", "" },
		{ "initrd", "", "expected a path, found \"\"", "" },
		{ "cpus", "", "expected a list of CPUs, found \"\"", "2-3,6" },
		{ "cpus", "two", "expected a list of CPUs, found \"two\"",
		  "2-3,6" },
		{ "cpus", "2,", "expected a list of CPUs", "2-3,6" },
		{ "cpus", "3-2", "range 3-2 runs backwards", "write 2-3" },
		{ "cpus", "2,2", "CPU 2 is twice", "" },
		{ "cpus", "1-513", "more than 512 CPUs", "" },
		{ "cpus", "4294967296", "does not fit in 32 bits", "" },
		{ "cpus", "0", "CPU 0 is never lent", "" },
		{ "cpus", "0-3", "CPU 0 is never lent", "" },
		{ "cpus", "3,00", "CPU 0 is never lent", "" },
		{ "memory", "", "expected a size, found \"\"", "256M" },
		{ "memory", "256MB", "expected a size, found \"256MB\"",
		  "256M" },
		{ "memory", "-1", "expected a size", "256M" },
		{ "memory", "16777216T", "does not fit in 64 bits", "" },
		{ "memory", "0", "expected at least 32M, found \"0\"", "" },
		{ "memory", "30M", "expected at least 32M, found \"30M\"", "" },
		{ "memory", "33554431", "expected at least 32M", "" },
		{ "memory", "33M", "expected a multiple of 2M, found \"33M\"",
		  "" },
		{ "memory", "33554433", "expected a multiple of 2M", "" },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++)
		refused_value(cases[i].key, cases[i].value, cases[i].fragment,
			      cases[i].hint);
}

/* @rest is all that is said about CPUs and memory. */
static void refused_rest(const char *rest, const char *where,
			 const char *fragment)
{
	char text[512];

	sprintf(text, "{\"name\":\"web\",\"kernel\":\"k\",%s}", rest);
	refused_bytes(text, strlen(text), where, fragment, NULL);
}

static void test_cpu_objects(void **state)
{
	static const char *const cases[][3] = {
		{ "{}", "", "required key \"count\" is missing" },
		{ "{\"numa\":0}", "", "required key \"count\" is missing" },
		{ "{\"count\":0}", "/count",
		  "expected a number from 1 to 512, found 0" },
		{ "{\"count\":-1}", "/count", "from 1 to 512, found -1" },
		{ "{\"count\":513}", "/count", "from 1 to 512, found 513" },
		{ "{\"count\":4294967297}", "/count", "from 1 to 512" },
		{ "{\"count\":99999999999999999999999}", "/count",
		  "from 1 to 512" },
		{ "{\"count\":1,\"numa\":-1}", "/numa",
		  "from 0 to 1023, found -1" },
		{ "{\"count\":1,\"numa\":1024}", "/numa", "from 0 to 1023" },
		{ "{\"count\":1,\"numa\":[]}", "/numa",
		  "expected at least one node" },
		{ "{\"count\":1,\"numa\":[0,1,0]}", "/numa/2",
		  "node 0 is twice" },
		{ "{\"count\":1,\"numa\":[0,\"1\"]}", "/numa/1",
		  "expected a whole number, found a string" },
		{ "{\"count\":1,\"numa\":[[0]]}", "/numa/0",
		  "expected a whole number, found an array" },
		{ "{\"count\":1,\"numa\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}",
		  "/numa", "expected at most 16 nodes, found 17" },
		{ "{\"count\":1,\"node\":0}", "/node",
		  "unknown key \"node\"" },
	};
	char rest[256], where[64];

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		sprintf(rest, "\"memory\":\"64M\",\n\"cpus\":%s",
			cases[i][0]);
		sprintf(where, ":2: /cpus%s", cases[i][1]);
		refused_rest(rest, where, cases[i][2]);
	}
	/* In the long form, and on a line of its own. */
	refused_bytes("{\"schema\":\"mkctl/1\",\"instances\":[{\n"
		      "\"name\":\"a\",\"kernel\":\"k\",\n\"cpus\":{\n"
		      "\"count\":0}}]}", 82, ":4: /instances/0/cpus/count",
		      "from 1 to 512", NULL);
}

static void test_memory_objects(void **state)
{
	static const char *const cases[][3] = {
		{ "{}", "", "required key \"size\" is missing" },
		{ "{\"size\":\"\"}", "/size", "expected a size, found \"\"" },
		{ "{\"size\":\"30M\"}", "/size", "expected at least 32M" },
		{ "{\"size\":\"33M\"}", "/size", "expected a multiple of 2M" },
		{ "{\"size\":\"64M\",\"numa\":4294967296}", "/numa",
		  "from 0 to 1023, found 4294967296" },
		{ "{\"size\":\"64M\",\"numa\":[1,1]}", "/numa/1",
		  "node 1 is twice" },
		{ "{\"sise\":\"64M\"}", "/sise", "unknown key \"sise\"" },
	};
	char rest[256], where[64];

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		sprintf(rest, "\"cpus\":\"2\",\n\"memory\":%s", cases[i][0]);
		sprintf(where, ":2: /memory%s", cases[i][1]);
		refused_rest(rest, where, cases[i][2]);
	}
}

/* One CPU in two instances of a file. */
static void test_cpu_shared(void **state)
{
	static const char text[] =
		"{\"schema\":\"mkctl/1\",\"instances\":[\n"
		"{\"name\":\"a\",\"kernel\":\"k\",\"cpus\":{\"count\":1},"
		"\"memory\":\"64M\"},\n"
		"{\"name\":\"b\",\"kernel\":\"k\",\"cpus\":\"2-4\","
		"\"memory\":\"64M\"},\n"
		"{\"name\":\"c\",\"kernel\":\"k\",\"cpus\":\"6,4\","
		"\"memory\":\"64M\"}]}";

	(void)state;
	refused_bytes(text, strlen(text), ":4: /instances/2/cpus",
		      "CPU 4 is also in /instances/1", NULL);
}

static void test_region_param(void **state)
{
	static const char *const cases[] = {
		"mk_shared_memory=2M@0x1000000",
		"quiet mk_shared_memory=1",
		"quiet\\tmk_shared_memory=1 x",
		"quiet\\u000bmk_shared_memory=",
		"mk-shared-memory=1",
		"mk_shared-memory=1",
		"mk_shared_memory",
		"x mk_shared_memory y",
		"\\\"mk_shared_memory=1\\\"",
		"\\\"mk_shared_memory\\\"",
		"a=\\\"b c\\\" mk_shared_memory=1",
		/* The kernel's isspace() is Latin-1; this ends in 0xa0. */
		"x\xc3\xa0mk_shared_memory=1",
		"init -- mk_shared_memory=1",
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++)
		refused_value("cmdline", cases[i],
			      "carries mk_shared_memory=, which mkctl adds",
			      "leave it out");
}

static void test_too_large(void **state)
{
	struct mk_config_file *file = NULL;
	struct mk_error err = MK_ERROR_INIT;
	mk_autofree char *text = malloc(MK_CONFIG_MAX + 1);
	char path[64];
	int rc;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', MK_CONFIG_MAX + 1);
	memcpy(text, GOOD, strlen(GOOD));

	rc = load_text(text, MK_CONFIG_MAX, path, &file, &err);
	assert_int_equal(rc, 0);
	mk_config_file_free(TAKE_PTR(file));

	rc = load_text(text, MK_CONFIG_MAX + 1, path, &file, &err);
	assert_int_equal(rc, -EFBIG);
	check_refused("large", rc, path, &err, "",
		      "the file is larger than 1024 KiB");
}

/* Repeats a string. */
static size_t repeat(char *dst, const char *s, size_t times)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < times; i++)
		memcpy(dst + i * n, s, n);
	dst[times * n] = '\0';
	return times * n;
}

/* As deep as allowed is refused for what it says, one more for its depth. */
static void test_depth(void **state)
{
	char text[4096];
	size_t n;

	(void)state;
	n = repeat(text, "[", MK_JSON_DEPTH_MAX);
	n += repeat(text + n, "]", MK_JSON_DEPTH_MAX);
	refused_bytes(text, n, ":1", "expected an object, found an array",
		      NULL);

	n = repeat(text, "[", MK_JSON_DEPTH_MAX);
	n += (size_t)sprintf(text + n, "0");
	n += repeat(text + n, "]", MK_JSON_DEPTH_MAX);
	refused_bytes(text, n, ":1", "expected an object, found an array",
		      NULL);

	n = repeat(text, "[", MK_JSON_DEPTH_MAX + 1);
	n += repeat(text + n, "]", MK_JSON_DEPTH_MAX + 1);
	refused_bytes(text, n, ":1: /0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0",
		      "nested more than 16 deep", NULL);

	n = repeat(text, "{\"a\":\n", 500);
	refused_bytes(text, n, ":17: /a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a",
		      "nested more than 16 deep", NULL);
}

/* Of a long path the end is kept, and the pointer with it. */
static void test_long_path(void **state)
{
	struct mk_config_file *file = NULL;
	struct mk_error err = MK_ERROR_INIT;
	char path[512];
	size_t n;

	(void)state;
	n = repeat(path, "./", 150);
	sprintf(path + n, FIXTURES "unknown-key.json");
	assert_int_equal(mk_config_load(path, &file, &err), -EINVAL);
	assert_int_equal(strlen(err.object), sizeof(err.object) - 1);
	assert_memory_equal(err.object, "...", 3);
	assert_non_null(strstr(err.object,
			       FIXTURES "unknown-key.json:4: /cpu"));
}

/* A message that had to be cut is still UTF-8. */
static void test_long_key(void **state)
{
	struct mk_config_file *file = NULL;
	struct mk_error err;
	char text[4096], path[64];
	size_t n;

	(void)state;
	for (int shift = 0; shift < 3; shift++) {
		n = (size_t)sprintf(text, "{\"%.*s", shift, "xx");
		n += repeat(text + n, "\xe2\x82\xac", 1000);
		n += (size_t)sprintf(text + n, "\":1}");
		assert_int_equal(load_text(text, n, path, &file, &err),
				 -EINVAL);
		assert_int_equal(err.code, MK_ERR_CONFIG);
		assert_int_equal(mk_json_utf8_end(err.object,
						  strlen(err.object)),
				 strlen(err.object));
		assert_int_equal(mk_json_utf8_end(err.message,
						  strlen(err.message)),
				 strlen(err.message));
		assert_non_null(strstr(err.message, "unknown key \""));
	}
}

/* A good file cut anywhere before its last brace is refused. */
static void test_truncated(void **state)
{
	char text[4096], path[64];
	mk_autoclose int fd = open(FIXTURES "whole.json", O_RDONLY | O_CLOEXEC);
	ssize_t whole = read(fd, text, sizeof(text));

	(void)state;
	assert_true(whole > 0 && (size_t)whole < sizeof(text));
	while (text[whole - 1] != '}')
		whole--;
	for (ssize_t n = 0; n < whole; n++) {
		struct mk_config_file *file = NULL;
		struct mk_error err = MK_ERROR_INIT;

		assert_int_equal(load_text(text, (size_t)n, path, &file, &err),
				 -EINVAL);
		assert_int_equal(err.code, MK_ERR_CONFIG);
		assert_memory_equal(err.message, "not JSON: ", 10);
		assert_null(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_refused),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_nul_escape),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_cpu_objects),
		cmocka_unit_test(test_memory_objects),
		cmocka_unit_test(test_cpu_shared),
		cmocka_unit_test(test_region_param),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_long_key),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests_name("config_refusals", tests, NULL, NULL);
}

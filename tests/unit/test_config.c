// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/config.c and spawn/json_file.c.
 *
 * Every refusal is asserted by code, object and a piece of the message. Texts
 * go through a memfd, files of tests/unit/config are read in place.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <json-c/json.h>
#include <mk/util.h>

#include "../../spawn/config.h"
#include "../../spawn/json_scan.h"

/* The tests run from the top of the repository. */
#define FIXTURES	"tests/unit/config/"
#define SCHEMA_FILE	"configs/schema/mkctl-1.json"

#define REST	"\"kernel\":\"k\",\"cpus\":\"2\",\"memory\":\"64M\""
#define GOOD	"{\"name\":\"web\"," REST "}"

static void cleanup_config(struct mk_config_file **file)
{
	mk_config_file_free(*file);
}

#define autoconfig __attribute__((cleanup(cleanup_config)))

/* Loads a text by way of a memfd; @ret_path gets the path that it had. */
static int load_text(const char *text, size_t bytes, char *ret_path,
		     struct mk_config_file **ret, struct mk_error *err)
{
	mk_autoclose int fd = memfd_create("config", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, bytes), bytes);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	sprintf(ret_path, "/proc/self/fd/%d", fd);
	return mk_config_load(ret_path, ret, err);
}

static void check_refused(const char *name, int rc, const char *path,
			  const struct mk_error *err, const char *where,
			  const char *fragment)
{
	char object[256];

	snprintf(object, sizeof(object), "%s%s", path, where);
	if (rc >= 0 || err->code != MK_ERR_CONFIG ||
	    strcmp(err->object, object) || !strstr(err->message, fragment))
		fail_msg("%s: %d, %d, \"%s\", \"%s\" instead of \"%s\", \"%s\"",
			 name, rc, err->code, err->object, err->message, object,
			 fragment);
}

/* Loads a text that must be refused. */
static void refused_bytes(const char *text, size_t bytes, const char *where,
			  const char *fragment, const char *hint)
{
	struct mk_config_file *file = NULL;
	struct mk_error err = MK_ERROR_INIT;
	char path[64];
	int rc = load_text(text, bytes, path, &file, &err);

	assert_null(file);
	check_refused(text, rc, path, &err, where, fragment);
	assert_int_equal(rc, -EINVAL);
	if (hint && !strstr(err.hint, hint))
		fail_msg("%s: hint \"%s\" lacks \"%s\"", text, err.hint, hint);
	/* An error object is optional. */
	assert_int_equal(load_text(text, bytes, path, &file, NULL), -EINVAL);
}

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

static void test_whole(void **state)
{
	autoconfig struct mk_config_file *file = NULL;
	struct mk_error err = MK_ERROR_INIT;
	const struct mk_config *c;

	(void)state;
	assert_int_equal(mk_config_load(FIXTURES "whole.json", &file, &err), 0);
	assert_int_equal(err.code, MK_ERR_NONE);
	assert_string_equal(file->path, FIXTURES "whole.json");
	assert_int_equal(file->nr_instances, 2);

	c = &file->instances[0];
	assert_string_equal(c->name, "web");
	assert_string_equal(c->kernel, FIXTURES "vmlinux");
	assert_string_equal(c->initrd, FIXTURES "guest/initramfs.cpio");
	assert_string_equal(c->cmdline, "quiet loglevel=7");
	assert_int_equal(c->nr_cpus, 2);
	assert_int_equal(c->cpus[0], 3);
	assert_int_equal(c->cpus[1], 2);
	assert_int_equal(c->memory_bytes, 256 << 20);

	c = &file->instances[1];
	assert_string_equal(c->name, "db.0_a-b");
	assert_string_equal(c->kernel, "/boot/vmlinuz");
	assert_null(c->initrd);
	assert_string_equal(c->cmdline, "");
	assert_int_equal(c->nr_cpus, 2);
	assert_int_equal(c->memory_bytes, 1 << 30);
}

static void test_bare(void **state)
{
	static const struct {
		const char *path;
		const char *kernel;
	} cases[] = {
		{ FIXTURES "bare.json", FIXTURES "vmlinux" },
		{ FIXTURES "bare-schema.json", FIXTURES "../vmlinux" },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		autoconfig struct mk_config_file *file = NULL;

		assert_int_equal(mk_config_load(cases[i].path, &file, NULL), 0);
		assert_int_equal(file->nr_instances, 1);
		assert_string_equal(file->instances[0].name, "web");
		assert_string_equal(file->instances[0].kernel,
				    cases[i].kernel);
		assert_int_equal(file->instances[0].memory_bytes, 32 << 20);
	}
}

/* Without a folder in the config's path there is none to put before. */
static void test_no_folder(void **state)
{
	autoconfig struct mk_config_file *file = NULL;
	mk_autoclose int here = open(".", O_PATH | O_CLOEXEC);
	int rc;

	(void)state;
	assert_true(here >= 0);
	assert_int_equal(chdir(FIXTURES), 0);
	rc = mk_config_load("bare.json", &file, NULL);
	assert_int_equal(fchdir(here), 0);
	assert_int_equal(rc, 0);
	assert_string_equal(file->instances[0].kernel, "vmlinux");
}

static void test_good_texts(void **state)
{
	static const char *const cases[] = {
		GOOD,
		" \r\n\t" GOOD "\n\n",
		"{\"schema\":\"mkctl/1\",\"instances\":[" GOOD "]}",
		"{\"instances\":[" GOOD "],\"schema\":\"mkctl\\/1\"}",
		"{\"n\\u0061me\":\"w\\u0065b\"," REST "}",
		"{\"name\":\"web\"," REST ",\"cmdline\":\"\"}",
		"{\"name\":\"web\"," REST
		",\"cmdline\":\"\xc3\xa9 x=\\ud83d\\ude00\"}",
		/* Not that parameter, or not a word of its own. */
		"{\"name\":\"web\"," REST
		",\"cmdline\":\"xmk_shared_memory=1 mk_shared_memory_x=1\"}",
		"{\"name\":\"web\"," REST
		",\"cmdline\":\"mk_shared_memory.x=1 a=mk_shared_memory=1\"}",
		"{\"name\":\"web\"," REST
		",\"cmdline\":\"a=\\\"b mk_shared_memory=1\\\"\"}",
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		autoconfig struct mk_config_file *file = NULL;
		struct mk_error err = MK_ERROR_INIT;
		char path[64];

		if (load_text(cases[i], strlen(cases[i]), path, &file, &err))
			fail_msg("%s: %s: %s", cases[i], err.object,
				 err.message);
		assert_string_equal(file->instances[0].name, "web");
	}
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
		  "initrd, cmdline, cpus, memory" },
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

/* Every key with every wrong type, from the loader's own table. */
static void test_types(void **state)
{
	static const char *const values[][2] = {
		{ "1", "a number" },
		{ "1.5", "a number" },
		{ "null", "null" },
		{ "true", "true or false" },
		{ "[\"2\"]", "an array" },
		{ "{}", "an object" },
	};
	const char *key;
	bool required;

	(void)state;
	for (size_t i = 0; (key = mk_config_key(i, &required)); i++) {
		for (size_t j = 0; j < MK_ARRAY_SIZE(values); j++) {
			char text[512], where[64], fragment[64];
			size_t n = 0;

			/* Good values before it, as the table is in order. */
			n += (size_t)sprintf(text, "{\"%s\":%s", key,
					     values[j][0]);
			if (strcmp(key, "name"))
				n += (size_t)sprintf(text + n,
						     ",\"name\":\"a\"");
			if (strcmp(key, "kernel"))
				n += (size_t)sprintf(text + n,
						     ",\"kernel\":\"k\"");
			if (strcmp(key, "cpus"))
				n += (size_t)sprintf(text + n,
						     ",\"cpus\":\"2\"");
			sprintf(text + n, "}");
			sprintf(where, ":1: /%s", key);
			sprintf(fragment, "expected a string, found %s",
				values[j][1]);
			refused_bytes(text, strlen(text), where, fragment,
				      NULL);
		}
	}
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

/* Writes a config of that many instances. */
static size_t many(char *dst, unsigned int nr)
{
	size_t n = (size_t)sprintf(dst,
				   "{\"schema\":\"mkctl/1\",\"instances\":[");

	for (unsigned int i = 0; i < nr; i++)
		n += (size_t)sprintf(dst + n, "%s{\"name\":\"i%u\"," REST "}",
				     i ? "," : "", i);
	return n + (size_t)sprintf(dst + n, "]}");
}

static void test_many_instances(void **state)
{
	autoconfig struct mk_config_file *file = NULL;
	mk_autofree char *text = malloc(1 << 16);
	char path[64];
	size_t n;

	(void)state;
	assert_non_null(text);
	n = many(text, MK_MAX_INSTANCES);
	assert_int_equal(load_text(text, n, path, &file, NULL), 0);
	assert_int_equal(file->nr_instances, MK_MAX_INSTANCES);
	assert_string_equal(file->instances[127].name, "i127");

	n = many(text, MK_MAX_INSTANCES + 1);
	refused_bytes(text, n, ":1: /instances",
		      "expected at most 128 instances, found 129", NULL);
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

/* Any one byte changed: never a crash, and a refusal has its error. */
static void test_mutated(void **state)
{
	static const char bytes[] = "\0\"\\{}[],:0x\x80\xff\n";
	char good[4096], text[4096], path[64];
	mk_autoclose int fd = open(FIXTURES "whole.json", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, good, sizeof(good));

	(void)state;
	assert_true(n > 0);
	for (ssize_t at = 0; at < n; at++) {
		for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
			autoconfig struct mk_config_file *file = NULL;
			struct mk_error err = MK_ERROR_INIT;
			int rc;

			memcpy(text, good, (size_t)n);
			text[at] = bytes[i];
			rc = load_text(text, (size_t)n, path, &file, &err);
			assert_int_equal(err.code,
					 rc ? MK_ERR_CONFIG : MK_ERR_NONE);
			assert_true(rc ? !file : !!file);
		}
	}
}

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_object_get_ex(o, key, &v))
		fail_msg("%s: no \"%s\"", SCHEMA_FILE, key);
	return v;
}

static bool array_has(struct json_object *array, const char *s)
{
	for (size_t i = 0; i < json_object_array_length(array); i++)
		if (!strcmp(json_object_get_string(
				json_object_array_get_idx(array, i)), s))
			return true;
	return false;
}

/* The JSON Schema knows the same keys as the loader, and the same limits. */
static void test_schema_file(void **state)
{
	struct json_object *schema = json_object_from_file(SCHEMA_FILE);
	struct json_object *defs, *instance, *properties, *required;
	size_t nr = 0, nr_required = 0;
	const char *key;
	bool is_required;

	(void)state;
	assert_non_null(schema);
	defs = get(schema, "$defs");
	instance = get(defs, "instance");
	properties = get(instance, "properties");
	required = get(instance, "required");
	for (; (key = mk_config_key(nr, &is_required)); nr++) {
		const char *type = json_object_get_string(
			get(get(properties, key), "type"));

		assert_string_equal(type, "string");
		assert_int_equal(array_has(required, key), is_required);
		nr_required += is_required;
	}
	assert_int_equal(json_object_object_length(properties), nr);
	assert_int_equal(json_object_array_length(required), nr_required);
	assert_string_equal(json_object_get_string(get(get(defs, "version"),
						       "const")),
			    MK_CONFIG_SCHEMA);
	assert_int_equal(json_object_get_int(
		get(get(get(get(defs, "file"), "properties"), "instances"),
		    "maxItems")), MK_MAX_INSTANCES);
	json_object_put(schema);
}

static void test_free_null(void **state)
{
	(void)state;
	mk_config_file_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_good_texts),
		cmocka_unit_test(test_files_refused),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_nul_escape),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_region_param),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_many_instances),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_long_key),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_schema_file),
		cmocka_unit_test(test_free_null),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}

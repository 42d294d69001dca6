// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/config.c and spawn/json_file.c: what is accepted, and the
 * JSON Schema. What is refused is in test_config_refusals.c.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "config_text.h"

#include <json-c/json.h>

#define SCHEMA_FILE	"configs/schema/mkctl-1.json"

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
		cmocka_unit_test(test_many_instances),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_schema_file),
		cmocka_unit_test(test_free_null),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}

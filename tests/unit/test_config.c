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
		n += (size_t)sprintf(dst + n,
				     "%s{\"name\":\"i%u\",\"kernel\":\"k\","
				     "\"cpus\":\"%u\",\"memory\":\"64M\"}",
				     i ? "," : "", i, i + 1);
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

/* Follows a reference to the schema's definitions. */
static struct json_object *resolve(struct json_object *schema,
				   struct json_object *o)
{
	static const char prefix[] = "#/$defs/";
	struct json_object *ref;
	const char *name;

	while (json_object_object_get_ex(o, "$ref", &ref)) {
		name = json_object_get_string(ref);
		assert_memory_equal(name, prefix, strlen(prefix));
		o = get(get(schema, "$defs"), name + strlen(prefix));
	}
	return o;
}

/* What a value may be, as the loader says it: bits of enum json_type. */
static unsigned int types_of(struct json_object *schema, struct json_object *o)
{
	static const struct {
		const char *name;
		unsigned int types;
	} names[] = {
		{ "boolean", 1u << json_type_boolean },
		{ "integer", 1u << json_type_int },
		{ "object", 1u << json_type_object },
		{ "array", 1u << json_type_array },
		{ "string", 1u << json_type_string },
	};
	unsigned int types = 0;
	struct json_object *any;

	o = resolve(schema, o);
	if (json_object_object_get_ex(o, "anyOf", &any)) {
		for (size_t i = 0; i < json_object_array_length(any); i++)
			types |= types_of(schema,
					  json_object_array_get_idx(any, i));
		return types;
	}
	for (size_t i = 0; i < MK_ARRAY_SIZE(names); i++)
		if (!strcmp(json_object_get_string(get(o, "type")),
			    names[i].name))
			types = names[i].types;
	return types;
}

static void check_object(struct json_object *schema, const char *name)
{
	struct json_object *object = get(get(schema, "$defs"), name);
	struct json_object *properties = get(object, "properties");
	struct json_object *required = get(object, "required");
	size_t nr = 0, nr_required = 0;
	struct mk_config_key key;

	for (; mk_config_key(name, nr, &key) == 0; nr++) {
		assert_int_equal(types_of(schema, get(properties, key.name)),
				 key.types);
		assert_int_equal(array_has(required, key.name), key.required);
		nr_required += key.required;
	}
	assert_true(nr >= 2);
	assert_int_equal(json_object_object_length(properties), nr);
	assert_int_equal(json_object_array_length(required), nr_required);
}

static int number(struct json_object *o, const char *key)
{
	return json_object_get_int(get(o, key));
}

static void check_policy_limits(struct json_object *defs)
{
	static const struct {
		const char *object;
		const char *key;
		int least;
		int most;
		int def;
	} limits[] = {
		{ "restart", "max", 0, MK_CONFIG_RESTARTS,
		  MK_POLICY_MAX_DEFAULT },
		{ "restart", "window", 1, MK_CONFIG_SECONDS,
		  MK_POLICY_WINDOW_DEFAULT },
		{ "restart", "backoff", 0, MK_CONFIG_SECONDS,
		  MK_POLICY_BACKOFF_DEFAULT },
		{ "restart", "backoff_max", 0, MK_CONFIG_SECONDS,
		  MK_POLICY_BACKOFF_MAX_DEFAULT },
	};
	struct json_object *o;

	for (size_t i = 0; i < MK_ARRAY_SIZE(limits); i++) {
		o = get(get(get(defs, limits[i].object), "properties"),
			limits[i].key);
		assert_int_equal(number(o, "minimum"), limits[i].least);
		assert_int_equal(number(o, "maximum"), limits[i].most);
		assert_int_equal(number(o, "default"), limits[i].def);
	}
	o = get(get(get(defs, "watchdog"), "properties"), "timeout");
	assert_int_equal(number(o, "minimum"), 0);
	assert_int_equal(number(o, "maximum"), MK_WATCHDOG_MAX / 1000);
}

/* The JSON Schema knows the same keys as the loader, and the same limits. */
static void test_schema_file(void **state)
{
	struct json_object *schema = json_object_from_file(SCHEMA_FILE);
	struct json_object *defs, *o;

	(void)state;
	assert_non_null(schema);
	check_object(schema, "instance");
	check_object(schema, "cpus");
	check_object(schema, "memory");
	check_object(schema, "share");
	check_object(schema, "grantee");
	check_object(schema, "policy");
	check_object(schema, "restart");
	check_object(schema, "watchdog");
	defs = get(schema, "$defs");
	assert_string_equal(json_object_get_string(get(get(defs, "version"),
						       "const")),
			    MK_CONFIG_SCHEMA);
	o = get(get(get(defs, "file"), "properties"), "instances");
	assert_int_equal(number(o, "maxItems"), MK_MAX_INSTANCES);
	o = get(get(get(defs, "cpus"), "properties"), "count");
	assert_int_equal(number(o, "minimum"), 1);
	assert_int_equal(number(o, "maximum"), MK_MAX_CPUS);
	o = json_object_array_get_idx(get(get(defs, "nodes"), "anyOf"), 1);
	assert_int_equal(number(o, "minItems"), 1);
	assert_int_equal(number(o, "maxItems"), MK_CONFIG_NODES);
	o = get(defs, "node");
	assert_int_equal(number(o, "minimum"), 0);
	assert_int_equal(number(o, "maximum"), MK_CONFIG_NODE_MAX);
	o = get(get(get(defs, "instance"), "properties"), "channels");
	assert_int_equal(number(o, "maxItems"), MK_ALLOWED_MAX + 1);
	o = get(get(get(defs, "instance"), "properties"), "shares");
	assert_int_equal(number(o, "maxItems"), MK_CONFIG_SHARES);
	o = get(get(get(defs, "share"), "properties"), "grantees");
	assert_int_equal(number(o, "minItems"), 1);
	assert_int_equal(number(o, "maxItems"), MK_CONFIG_GRANTEES);
	check_policy_limits(defs);
	json_object_put(schema);
}

/* An instance whose keys about CPUs and memory are @rest. */
static struct mk_config_file *load_rest(const char *rest)
{
	struct mk_config_file *file = NULL;
	struct mk_error err = MK_ERROR_INIT;
	char text[512], path[64];

	sprintf(text, "{\"name\":\"web\",\"kernel\":\"k\",%s}", rest);
	if (load_text(text, strlen(text), path, &file, &err))
		fail_msg("%s: %s: %s", text, err.object, err.message);
	return file;
}

static void test_cpu_forms(void **state)
{
	autoconfig struct mk_config_file *list = NULL, *count = NULL;
	autoconfig struct mk_config_file *nodes = NULL;
	const struct mk_config *c;

	(void)state;
	list = load_rest("\"cpus\":\"5,2-3\",\"memory\":\"64M\","
			 "\"allow_split_core\":false");
	c = list->instances;
	assert_int_equal(c->nr_cpus, 3);
	assert_int_equal(c->cpus[0], 5);
	assert_int_equal(c->cpu_nodes.nr, 0);
	assert_false(c->allow_split_core);

	count = load_rest("\"cpus\":{\"count\":512,\"numa\":0},"
			  "\"memory\":\"64M\",\"allow_split_core\":true");
	c = count->instances;
	assert_null(c->cpus);
	assert_int_equal(c->nr_cpus, MK_MAX_CPUS);
	assert_int_equal(c->cpu_nodes.nr, 1);
	assert_int_equal(c->cpu_nodes.node[0], 0);
	assert_true(c->allow_split_core);

	nodes = load_rest("\"cpus\":{\"numa\":[1023,1],\"count\":1},"
			  "\"memory\":{\"size\":\"64M\"}");
	c = nodes->instances;
	assert_int_equal(c->nr_cpus, 1);
	assert_int_equal(c->cpu_nodes.nr, 2);
	assert_int_equal(c->cpu_nodes.node[0], 1023);
	assert_int_equal(c->cpu_nodes.node[1], 1);
	assert_int_equal(c->memory_bytes, 64 << 20);
	assert_int_equal(c->memory_nodes.nr, 0);
}

static void test_memory_parts(void **state)
{
	static const struct {
		const char *rest;
		size_t nr;
		struct mk_memory_part parts[3];
	} cases[] = {
		{ "\"memory\":\"64M\"", 1,
		  { { .bytes = 64 << 20, .node = MK_NODE_ANY } } },
		{ "\"memory\":{\"size\":\"64M\"}", 1,
		  { { .bytes = 64 << 20, .node = MK_NODE_ANY } } },
		{ "\"memory\":{\"size\":\"64M\",\"numa\":1}", 1,
		  { { .bytes = 64 << 20, .node = 1 } } },
		{ "\"memory\":{\"size\":\"64M\",\"numa\":[1,0]}", 2,
		  { { .bytes = 32 << 20, .node = 1 },
		    { .bytes = 32 << 20, .node = 0 } } },
		/* 32 units of 2 MiB by three: the first gets the rest. */
		{ "\"memory\":{\"size\":\"64M\",\"numa\":[2,0,1]}", 3,
		  { { .bytes = 24 << 20, .node = 2 },
		    { .bytes = 20 << 20, .node = 0 },
		    { .bytes = 20 << 20, .node = 1 } } },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		autoconfig struct mk_config_file *file = NULL;
		struct mk_memory_part parts[MK_CONFIG_NODES];
		char rest[256];
		size_t nr;

		sprintf(rest, "\"cpus\":\"2\",%s", cases[i].rest);
		file = load_rest(rest);
		nr = mk_config_memory_parts(file->instances, parts);
		assert_int_equal(nr, cases[i].nr);
		assert_memory_equal(parts, cases[i].parts,
				    nr * sizeof(parts[0]));
	}
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
		cmocka_unit_test(test_cpu_forms),
		cmocka_unit_test(test_memory_parts),
		cmocka_unit_test(test_free_null),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}

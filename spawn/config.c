// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads a config file: walks the JSON values along tables of keys, one table
 * for each kind of object. What a key may hold is decided in its setter.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <mk/util.h>

#include "config_loader.h"
#include "json_scan.h"
#include "parse.h"

#define REGION_PARAM	"mk_shared_memory"

static void cleanup_file(struct mk_config_file **file)
{
	mk_config_file_free(*file);
}

int mk_loader_out_of_memory(struct mk_loader *l)
{
	mk_error_set(l->err, MK_ERR_FAILED, l->path, "out of memory");
	return -ENOMEM;
}

/* Refuses the value of a key of the present object; NULL: the object. */
int mk_loader_refuse(struct mk_loader *l, const char *key, const char *fmt, ...)
{
	mk_autofree char *step = NULL;
	mk_autofree char *pointer = NULL;
	mk_autofree char *message = NULL;
	va_list args;
	int rc;

	step = key ? mk_json_pointer_key(key) : strdup("");
	if (!step || asprintf(&pointer, "%s%s", l->at, step) < 0) {
		pointer = NULL;
		return mk_loader_out_of_memory(l);
	}
	va_start(args, fmt);
	rc = vasprintf(&message, fmt, args);
	va_end(args);
	if (rc < 0) {
		message = NULL;
		return mk_loader_out_of_memory(l);
	}
	return mk_json_file_refuse(&l->json, pointer, l->err, "%s", message);
}

static const char *type_name(enum json_type type)
{
	switch (type) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "true or false";
	case json_type_double:
	case json_type_int:
		return "a number";
	case json_type_object:
		return "an object";
	case json_type_array:
		return "an array";
	case json_type_string:
		return "a string";
	}
	return "something else";
}

int mk_loader_refuse_type(struct mk_loader *l, const char *key,
			  unsigned int types, struct json_object *v)
{
	char wanted[64] = "";
	size_t n = 0;

	for (int type = 0; type <= json_type_string; type++)
		if (types & 1u << type)
			n += (size_t)snprintf(wanted + n, sizeof(wanted) - n,
					      "%s%s", n ? " or " : "",
					      type == json_type_int ?
					      "a whole number" :
					      type_name(type));
	return mk_loader_refuse(l, key, "expected %s, found %s", wanted,
				type_name(json_object_get_type(v)));
}

/* Passes on what a parser refused. */
int mk_loader_refuse_parsed(struct mk_loader *l, const char *key,
			    const struct mk_error *why)
{
	int rc = mk_loader_refuse(l, key, "%s", why->message);

	if (why->hint[0])
		mk_error_hint(l->err, "%s", why->hint);
	return rc;
}

static int set_schema(struct mk_loader *l, const char *key,
		      struct json_object *v, void *dst)
{
	(void)dst;
	if (!strcmp(json_object_get_string(v), MK_CONFIG_SCHEMA))
		return 0;
	return mk_loader_refuse(l, key, "expected \"%s\", found \"%s\"",
				MK_CONFIG_SCHEMA, json_object_get_string(v));
}

/* The instances before this one are complete. */
static int check_name_new(struct mk_loader *l, const char *key,
			  const struct mk_config *c)
{
	const struct mk_config *first = l->file->instances;

	for (size_t i = 0; first + i < c; i++)
		if (!strcmp(first[i].name, c->name))
			return mk_loader_refuse(l, key,
						"\"%s\" is already the name of /instances/%zu",
						c->name, i);
	return 0;
}

static int set_name(struct mk_loader *l, const char *key, struct json_object *v,
		    void *dst)
{
	const char *name = json_object_get_string(v);
	struct mk_config *c = dst;
	int rc;

	if (!mk_name_valid(name)) {
		rc = mk_loader_refuse(l, key, "expected a name, found \"%s\"",
				      name);
		mk_error_hint(l->err,
			      "1 to %d of a-z 0-9 _ . - with a letter or digit first",
			      MK_NAME_MAX - 1);
		return rc;
	}
	if (!strcmp(name, MK_PEER_HOST)) {
		rc = mk_loader_refuse(l, key,
				      "\"%s\" is what instances call the host",
				      name);
		mk_error_hint(l->err, "choose another name");
		return rc;
	}
	strcpy(c->name, name);
	return check_name_new(l, key, c);
}

static int resolve(struct mk_loader *l, const char *key, struct json_object *v,
		   char **dst)
{
	const char *path = json_object_get_string(v);
	const char *slash = strrchr(l->path, '/');
	int folder = 0;

	if (!*path)
		return mk_loader_refuse(l, key, "expected a path, found \"\"");
	if (*path != '/' && slash)
		folder = (int)(slash - l->path) + 1;
	if (asprintf(dst, "%.*s%s", folder, l->path, path) < 0) {
		*dst = NULL;
		return mk_loader_out_of_memory(l);
	}
	return 0;
}

static int set_kernel(struct mk_loader *l, const char *key,
		      struct json_object *v, void *dst)
{
	return resolve(l, key, v, &((struct mk_config *)dst)->kernel);
}

static int set_initrd(struct mk_loader *l, const char *key,
		      struct json_object *v, void *dst)
{
	return resolve(l, key, v, &((struct mk_config *)dst)->initrd);
}

/* As the kernel's isspace(), in Latin-1: 0xa0 separates words for it. */
static bool separates(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == '\xa0';
}

/* Whether a word begins with the parameter; - and _ are the same to Linux. */
static bool is_region_param(const char *word)
{
	const char *p = REGION_PARAM;

	for (; *p; p++, word++)
		if (*word != *p && !(*p == '_' && *word == '-'))
			return false;
	return !*word || *word == '=' || *word == '"' || separates(*word);
}

/* Splits words as next_arg() of the kernel does. */
static bool has_region_param(const char *cmdline)
{
	bool quoted = false, starts = true;

	for (const char *p = cmdline; *p; p++) {
		if (starts && is_region_param(p + (*p == '"')))
			return true;
		if (*p == '"')
			quoted = !quoted;
		starts = !quoted && separates(*p);
	}
	return false;
}

static int set_cmdline(struct mk_loader *l, const char *key,
		       struct json_object *v, void *dst)
{
	const char *cmdline = json_object_get_string(v);
	struct mk_config *c = dst;
	int rc;

	if (has_region_param(cmdline)) {
		rc = mk_loader_refuse(l, key,
				      "carries %s=, which mkctl adds itself",
				      REGION_PARAM);
		mk_error_hint(l->err, "leave it out");
		return rc;
	}
	c->cmdline = strdup(cmdline);
	return c->cmdline ? 0 : mk_loader_out_of_memory(l);
}

static int set_instances(struct mk_loader *l, const char *key,
			 struct json_object *v, void *dst);

static const struct mk_loader_key bare_keys[] = {
	{ "schema",	false,	MK_JSON_STRING,	set_schema },
	{ "name",	true,	MK_JSON_STRING,	set_name },
	{ "kernel",	true,	MK_JSON_STRING,	set_kernel },
	{ "initrd",	false,	MK_JSON_STRING,	set_initrd },
	{ "cmdline",	false,	MK_JSON_STRING,	set_cmdline },
	{ "cpus",	true,	MK_JSON_STRING | MK_JSON_OBJECT,
	  mk_loader_set_cpus },
	{ "allow_split_core", false, MK_JSON_BOOLEAN,
	  mk_loader_set_allow_split_core },
	{ "memory",	true,	MK_JSON_STRING | MK_JSON_OBJECT,
	  mk_loader_set_memory },
	{ "channels",	false,	MK_JSON_ARRAY,	mk_loader_set_channels },
	{ "shares",	false,	MK_JSON_ARRAY,	mk_loader_set_shares },
	{ "references",	false,	MK_JSON_STRING,	mk_loader_set_references },
	{ "policy",	false,	MK_JSON_OBJECT,	mk_loader_set_policy },
};

static const struct mk_loader_key file_keys[] = {
	{ "schema",	true,	MK_JSON_STRING,	set_schema },
	{ "instances",	true,	MK_JSON_ARRAY,	set_instances },
};

/* The short form is an instance that may say the schema. */
static const struct mk_loader_keys bare = {
	bare_keys, MK_ARRAY_SIZE(bare_keys)
};
static const struct mk_loader_keys instance = {
	bare_keys + 1, MK_ARRAY_SIZE(bare_keys) - 1
};
static const struct mk_loader_keys whole = {
	file_keys, MK_ARRAY_SIZE(file_keys)
};

static const struct {
	const char *object;
	const struct mk_loader_keys *keys;
} objects[] = {
	{ "instance", &instance },
	{ "cpus", &mk_loader_cpus_keys },
	{ "memory", &mk_loader_memory_keys },
	{ "share", &mk_loader_share_keys },
	{ "grantee", &mk_loader_grantee_keys },
	{ "policy", &mk_loader_policy_keys },
	{ "restart", &mk_loader_restart_keys },
	{ "watchdog", &mk_loader_watchdog_keys },
};

int mk_config_key(const char *object, size_t i, struct mk_config_key *ret)
{
	const struct mk_loader_keys *keys = &instance;

	for (size_t o = 0; o < MK_ARRAY_SIZE(objects); o++)
		if (!strcmp(object, objects[o].object))
			keys = objects[o].keys;
	if (i >= keys->nr)
		return -ENOENT;
	*ret = (struct mk_config_key){
		.name = keys->key[i].name,
		.required = keys->key[i].required,
		.types = keys->key[i].types,
	};
	return 0;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Levenshtein's distance of a key from a known one, which is short. */
static size_t distance(const char *key, const char *known)
{
	size_t row[24], left, corner, n = strlen(known);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; key[i]; i++) {
		corner = row[0];
		left = row[0] = i + 1;
		for (size_t j = 1; j <= n; j++) {
			left = min3(left + 1, row[j] + 1,
				    corner + (key[i] != known[j - 1]));
			corner = row[j];
			row[j] = left;
		}
	}
	return row[n];
}

/* The known key that was perhaps meant, or NULL. */
static const char *nearest(const struct mk_loader_keys *keys, const char *key)
{
	const char *best = NULL;
	size_t least = 3;	/* further off is a guess */

	for (size_t i = 0; i < keys->nr; i++) {
		size_t d = distance(key, keys->key[i].name);

		if (d < least && d < strlen(keys->key[i].name)) {
			least = d;
			best = keys->key[i].name;
		}
	}
	return best;
}

static void hint_keys(struct mk_loader *l, const struct mk_loader_keys *keys)
{
	char list[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < keys->nr && n < sizeof(list); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s",
				      i ? ", " : "", keys->key[i].name);
	mk_error_hint(l->err, "known keys: %s", list);
}

static int refuse_unknown(struct mk_loader *l,
			  const struct mk_loader_keys *keys, const char *key)
{
	const char *meant = nearest(keys, key);
	int rc;

	/* Among an instance's keys stands a misspelt one of the long form. */
	if (!meant && keys == &bare)
		meant = nearest(&whole, key);
	rc = mk_loader_refuse(l, key, "unknown key \"%s\"", key);
	if (meant)
		mk_error_hint(l->err, "did you mean \"%s\"?", meant);
	else
		hint_keys(l, keys);
	return rc;
}

static bool is_known(const struct mk_loader_keys *keys, const char *key)
{
	for (size_t i = 0; i < keys->nr; i++)
		if (!strcmp(keys->key[i].name, key))
			return true;
	return false;
}

/* Reads one key of an object, if it is there. */
static int read_key(struct mk_loader *l, const struct mk_loader_key *key,
		    struct json_object *object, void *dst)
{
	struct json_object *v;

	if (!json_object_object_get_ex(object, key->name, &v))
		return key->required ?
		       mk_loader_refuse(l, NULL, "required key \"%s\" is missing",
			      key->name) : 0;
	if (!(key->types & 1u << json_object_get_type(v)))
		return mk_loader_refuse_type(l, key->name, key->types, v);
	return key->set(l, key->name, v, dst);
}

size_t mk_loader_enter(struct mk_loader *l, const char *key)
{
	size_t mark = strlen(l->at);

	/* Known keys and indices: short, and nothing to escape. */
	snprintf(l->at + mark, sizeof(l->at) - mark, "/%s", key);
	return mark;
}

void mk_loader_leave(struct mk_loader *l, size_t mark)
{
	l->at[mark] = '\0';
}

int mk_loader_read_object(struct mk_loader *l,
			  const struct mk_loader_keys *keys,
			  struct json_object *object, void *dst)
{
	int rc = 0;

	json_object_object_foreach(object, name, v) {
		(void)v;
		if (!is_known(keys, name))
			return refuse_unknown(l, keys, name);
	}
	for (size_t i = 0; !rc && i < keys->nr; i++)
		rc = read_key(l, &keys->key[i], object, dst);
	return rc;
}

static int alloc_instances(struct mk_loader *l, size_t n)
{
	l->file->instances = calloc(n, sizeof(*l->file->instances));
	if (!l->file->instances)
		return mk_loader_out_of_memory(l);
	l->file->nr_instances = n;
	return 0;
}

static int read_instance(struct mk_loader *l, const struct mk_loader_keys *keys,
			 struct json_object *object, struct mk_config *c)
{
	int rc;

	if (!json_object_is_type(object, json_type_object))
		return mk_loader_refuse_type(l, NULL, MK_JSON_OBJECT, object);
	rc = mk_loader_read_object(l, keys, object, c);
	if (rc || c->cmdline)
		return rc;
	c->cmdline = strdup("");
	return c->cmdline ? 0 : mk_loader_out_of_memory(l);
}

static int set_instances(struct mk_loader *l, const char *key,
			 struct json_object *v, void *dst)
{
	size_t n = json_object_array_length(v);
	int rc;

	(void)dst;
	if (!n)
		return mk_loader_refuse(l, key, "expected at least one instance");
	if (n > MK_MAX_INSTANCES)
		return mk_loader_refuse(l, key,
			      "expected at most %d instances, found %zu",
			      MK_MAX_INSTANCES, n);
	rc = alloc_instances(l, n);
	for (size_t i = 0; !rc && i < n; i++) {
		snprintf(l->at, sizeof(l->at), "/%s/%zu", key, i);
		rc = read_instance(l, &instance,
				   json_object_array_get_idx(v, i),
				   &l->file->instances[i]);
	}
	l->at[0] = '\0';
	return rc;
}

static int read_root(struct mk_loader *l, struct json_object *root)
{
	struct json_object *schema;
	int rc = 0;

	if (!json_object_is_type(root, json_type_object))
		return mk_loader_refuse_type(l, NULL, MK_JSON_OBJECT, root);
	/* Another version may have other keys: say that, not "unknown". */
	if (json_object_object_get_ex(root, "schema", &schema))
		rc = read_key(l, &file_keys[0], root, NULL);
	if (rc)
		return rc;
	if (json_object_object_get_ex(root, "instances", NULL))
		return mk_loader_read_object(l, &whole, root, NULL);
	rc = alloc_instances(l, 1);
	return rc ? rc : read_instance(l, &bare, root, l->file->instances);
}

int mk_config_load(const char *path, struct mk_config_file **ret,
		   struct mk_error *err)
{
	__attribute__((cleanup(cleanup_file)))
	struct mk_config_file *file = calloc(1, sizeof(*file));
	struct mk_loader l = { .path = path, .file = file, .err = err };
	int rc;

	if (!file)
		return mk_loader_out_of_memory(&l);
	file->path = strdup(path);
	if (!file->path)
		return mk_loader_out_of_memory(&l);
	rc = mk_json_file_read(path, MK_CONFIG_MAX, &l.json, err);
	if (rc)
		return rc;
	rc = read_root(&l, l.json.root);
	mk_json_file_clear(&l.json);
	if (rc)
		return rc;
	*ret = TAKE_PTR(file);
	return 0;
}

static void free_instance(struct mk_config *c)
{
	free(c->kernel);
	free(c->initrd);
	free(c->cmdline);
	free(c->cpus);
	mk_wanted_peers_clear(&c->peers);
}

void mk_config_file_free(struct mk_config_file *file)
{
	if (!file)
		return;
	for (size_t i = 0; i < file->nr_instances; i++)
		free_instance(&file->instances[i]);
	free(file->instances);
	free(file->path);
	free(file);
}

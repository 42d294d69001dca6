// SPDX-License-Identifier: GPL-2.0-only
/*
 * State files: /run/mkctl/NAME.json, one for each instance that mkctl made.
 *
 * The kernel is the truth. A file is written before the instance is created
 * ("pending"), so that whatever a killed mkctl leaves can be told from what
 * somebody wants; id and time of creation tell an instance from a later one of
 * the same name.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "parse.h"
#include "peers_json.h"
#include "policy.h"
#include "run_dir.h"

#define FACTS_SCHEMA	"mkctl.state/1"
#define FACTS_MAX	65536	/* bytes of a file */

void mk_facts_free(struct mk_facts *facts)
{
	if (!facts)
		return;
	free(facts->config);
	free(facts->kernel);
	free(facts->initrd);
	free(facts->cmdline);
	free(facts->created_by);
	free(facts->cpus_asked);
	free(facts->memory_asked);
	free(facts->cpus);
	mk_wanted_peers_clear(&facts->peers);
	free(facts);
}

bool mk_facts_match(const struct mk_facts *facts, const struct mk_get *get)
{
	if (strcmp(facts->name, get->name))
		return false;
	if (facts->pending && facts->id == 0)
		return true;
	return facts->id == get->id && facts->created_ns == get->created_ns;
}

static void add_string(struct json_object *doc, const char *key,
		       const char *value)
{
	json_object_object_add(doc, key,
			       value ? json_object_new_string(value) : NULL);
}

static struct json_object *numbers_to_json(const unsigned int *numbers,
					   size_t nr)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < nr; i++)
		json_object_array_add(array, json_object_new_int64(numbers[i]));
	return array;
}

static struct json_object *to_json(const struct mk_facts *facts)
{
	struct json_object *doc = json_object_new_object();

	add_string(doc, "schema", FACTS_SCHEMA);
	add_string(doc, "name", facts->name);
	json_object_object_add(doc, "pending",
			       json_object_new_boolean(facts->pending));
	json_object_object_add(doc, "id", json_object_new_uint64(facts->id));
	json_object_object_add(doc, "created_ns",
			       json_object_new_uint64(facts->created_ns));
	add_string(doc, "config", facts->config);
	add_string(doc, "kernel", facts->kernel);
	add_string(doc, "initrd", facts->initrd);
	add_string(doc, "cmdline", facts->cmdline);
	json_object_object_add(doc, "memory_bytes",
			       json_object_new_uint64(facts->memory_bytes));
	json_object_object_add(doc, "memory_nodes",
			       numbers_to_json(facts->memory_nodes,
					       facts->nr_memory_nodes));
	json_object_object_add(doc, "cpus",
			       numbers_to_json(facts->cpus, facts->nr_cpus));
	json_object_object_add(doc, "allow_split_core",
			       json_object_new_boolean(facts->allow_split_core));
	add_string(doc, "cpus_asked", facts->cpus_asked);
	add_string(doc, "memory_asked", facts->memory_asked);
	add_string(doc, "created_by", facts->created_by);
	mk_wanted_peers_to_json(&facts->peers, doc);
	mk_policy_to_json(&facts->policy, doc);
	json_object_object_add(doc, "held_epoch",
			       json_object_new_uint64(facts->held_epoch));
	return doc;
}

int mk_facts_write(struct mk_ctx *ctx, const struct mk_facts *facts,
		   struct mk_error *err)
{
	char file[MK_NAME_MAX + 8];
	mk_autoclose int dir = -1;
	struct json_object *doc;
	struct iovec text;
	int r;

	r = mk_run_dir_open(ctx, &dir, err);
	if (r < 0)
		return r;
	doc = to_json(facts);
	snprintf(file, sizeof(file), "%s.json", facts->name);
	text.iov_base = (char *)json_object_to_json_string_ext(doc,
						JSON_C_TO_STRING_PRETTY |
						JSON_C_TO_STRING_SPACED |
						JSON_C_TO_STRING_NOSLASHESCAPE);
	text.iov_len = strlen(text.iov_base);
	r = mk_run_dir_write(dir, file, 0644, &text, 1);
	json_object_put(doc);
	if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, MK_RUN_DIR,
			     "cannot write %s.json: %s", facts->name,
			     strerror(-r));
	return r;
}

int mk_facts_remove(struct mk_ctx *ctx, const char *name, struct mk_error *err)
{
	char path[sizeof(MK_RUN_DIR) + MK_NAME_MAX + 16];
	int error;

	snprintf(path, sizeof(path), "%s/%s.json", MK_RUN_DIR, name);
	if (unlinkat(mk_ctx_dirfd(ctx), mk_ctx_relative(path), 0) == 0 ||
	    errno == ENOENT)
		return 0;
	error = errno;
	mk_error_set(err, MK_ERR_FAILED, path, "cannot remove: %s",
		     strerror(error));
	return -error;
}

static char *copy_string(struct json_object *doc, const char *key)
{
	struct json_object *value = json_object_object_get(doc, key);

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	return strdup(json_object_get_string(value));
}

static uint64_t get_u64(struct json_object *doc, const char *key)
{
	return json_object_get_uint64(json_object_object_get(doc, key));
}

static int read_cpus(struct json_object *doc, struct mk_facts *facts)
{
	struct json_object *cpus = json_object_object_get(doc, "cpus");
	size_t n, i;

	if (!json_object_is_type(cpus, json_type_array))
		return -EINVAL;
	n = json_object_array_length(cpus);
	facts->cpus = calloc(n ? n : 1, sizeof(*facts->cpus));
	if (!facts->cpus)
		return -ENOMEM;
	facts->nr_cpus = n;
	for (i = 0; i < n; i++)
		facts->cpus[i] = (unsigned int)
			json_object_get_int64(json_object_array_get_idx(cpus,
									i));
	return 0;
}

/* Files of an older mkctl have none. */
static int read_nodes(struct json_object *doc, struct mk_facts *facts)
{
	struct json_object *nodes = json_object_object_get(doc, "memory_nodes");
	size_t n;

	if (!nodes)
		return 0;
	if (!json_object_is_type(nodes, json_type_array))
		return -EINVAL;
	n = json_object_array_length(nodes);
	if (n > MK_ARRAY_SIZE(facts->memory_nodes))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		facts->memory_nodes[i] = (uint32_t)json_object_get_int64(
			json_object_array_get_idx(nodes, i));
	facts->nr_memory_nodes = n;
	return 0;
}

static int from_json(struct json_object *doc, const char *name,
		     struct mk_facts **ret_facts)
{
	struct mk_facts *facts = calloc(1, sizeof(*facts));
	mk_autofree char *schema = NULL;
	int r;

	if (!facts)
		return -ENOMEM;
	schema = copy_string(doc, "schema");
	r = schema && !strcmp(schema, FACTS_SCHEMA) ? 0 : -EINVAL;
	if (r == 0)
		r = read_cpus(doc, facts);
	if (r == 0)
		r = read_nodes(doc, facts);
	if (r == 0)
		r = mk_wanted_peers_from_json(doc, &facts->peers);
	if (r == 0)
		r = mk_policy_from_json(doc, &facts->policy);
	if (r < 0) {
		mk_facts_free(facts);
		return r;
	}
	snprintf(facts->name, sizeof(facts->name), "%s", name);
	facts->pending = json_object_get_boolean(json_object_object_get(doc,
								"pending"));
	facts->id = (uint32_t)get_u64(doc, "id");
	facts->held_epoch = (uint32_t)get_u64(doc, "held_epoch");
	facts->created_ns = get_u64(doc, "created_ns");
	facts->memory_bytes = get_u64(doc, "memory_bytes");
	facts->config = copy_string(doc, "config");
	facts->kernel = copy_string(doc, "kernel");
	facts->initrd = copy_string(doc, "initrd");
	facts->cmdline = copy_string(doc, "cmdline");
	facts->created_by = copy_string(doc, "created_by");
	facts->cpus_asked = copy_string(doc, "cpus_asked");
	facts->memory_asked = copy_string(doc, "memory_asked");
	facts->allow_split_core = json_object_get_boolean(
		json_object_object_get(doc, "allow_split_core"));
	*ret_facts = facts;
	return 0;
}

int mk_facts_read(struct mk_ctx *ctx, const char *name,
		  struct mk_facts **ret_facts)
{
	char path[sizeof(MK_RUN_DIR) + MK_NAME_MAX + 16];
	mk_autofree char *text = NULL;
	struct json_object *doc;
	int r;

	if (!mk_name_valid(name))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/%s.json", MK_RUN_DIR, name);
	r = mk_ctx_read_text(ctx, path, FACTS_MAX, &text);
	if (r < 0)
		return r;
	doc = json_tokener_parse(text);
	if (!json_object_is_type(doc, json_type_object)) {
		json_object_put(doc);
		return -EINVAL;
	}
	r = from_json(doc, name, ret_facts);
	json_object_put(doc);
	return r;
}

int mk_facts_find(struct mk_ctx *ctx, const struct mk_get *get,
		  struct mk_facts **ret_facts)
{
	struct mk_facts *facts;
	int r;

	r = mk_facts_read(ctx, get->name, &facts);
	if (r < 0)
		return r;
	if (!mk_facts_match(facts, get)) {
		mk_facts_free(facts);
		return -ENOENT;
	}
	*ret_facts = facts;
	return 0;
}

void mk_facts_list_clear(struct mk_facts_list *list)
{
	for (size_t i = 0; i < list->nr_items; i++)
		mk_facts_free(list->items[i]);
	free(list->items);
	*list = (struct mk_facts_list){ 0 };
}

int mk_facts_list_get(struct mk_ctx *ctx, struct mk_facts_list *ret_list,
		      struct mk_error *err)
{
	struct mk_facts_list list = { 0 };
	struct mk_instance_list all;
	int r;

	r = mk_instance_list_get(ctx, &all, err);
	if (r < 0)
		return r;
	list.items = calloc(all.nr_items + 1, sizeof(*list.items));
	for (size_t i = 0; list.items && i < all.nr_items; i++)
		if (mk_facts_find(ctx, &all.items[i]->get,
				  &list.items[list.nr_items]) == 0)
			list.nr_items++;
	mk_instance_list_clear(&all);
	if (!list.items) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	*ret_list = list;
	return 0;
}

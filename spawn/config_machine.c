// SPDX-License-Identifier: GPL-2.0-only
/*
 * The config's keys about CPUs and memory: each is a string, or an object that
 * also says from which NUMA nodes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mk/spawn.h>

#include "config_loader.h"
#include "parse.h"

/* Refuses an integer out of range; json-c has clamped what is beyond 64 bits.
 */
int mk_loader_get_number(struct mk_loader *l, const char *key,
			 struct json_object *v, unsigned int least,
			 unsigned int most, unsigned int *ret)
{
	int64_t number = json_object_get_int64(v);

	if (number < least || number > most)
		return mk_loader_refuse(l, key,
					"expected a number from %u to %u, found %s",
					least, most, json_object_get_string(v));
	*ret = (unsigned int)number;
	return 0;
}

static int add_node(struct mk_loader *l, const char *key, struct json_object *v,
		    struct mk_nodes *nodes)
{
	unsigned int node = 0;
	int rc;

	if (!json_object_is_type(v, json_type_int))
		return mk_loader_refuse_type(l, key, MK_JSON_INT, v);
	rc = mk_loader_get_number(l, key, v, 0, MK_CONFIG_NODE_MAX, &node);
	if (rc)
		return rc;
	for (size_t i = 0; i < nodes->nr; i++)
		if (nodes->node[i] == node)
			return mk_loader_refuse(l, key, "node %u is twice",
						node);
	nodes->node[nodes->nr++] = node;
	return 0;
}

static int add_nodes(struct mk_loader *l, const char *key,
		     struct json_object *v, struct mk_nodes *nodes)
{
	size_t n = json_object_array_length(v);
	size_t mark;
	char index[24];
	int rc = 0;

	if (!n)
		return mk_loader_refuse(l, key, "expected at least one node");
	if (n > MK_CONFIG_NODES)
		return mk_loader_refuse(l, key,
					"expected at most %d nodes, found %zu",
					MK_CONFIG_NODES, n);
	mark = mk_loader_enter(l, key);
	for (size_t i = 0; !rc && i < n; i++) {
		snprintf(index, sizeof(index), "%zu", i);
		rc = add_node(l, index, json_object_array_get_idx(v, i), nodes);
	}
	mk_loader_leave(l, mark);
	return rc;
}

static int set_nodes(struct mk_loader *l, const char *key,
		     struct json_object *v, struct mk_nodes *nodes)
{
	if (json_object_is_type(v, json_type_array))
		return add_nodes(l, key, v, nodes);
	return add_node(l, key, v, nodes);
}

static int set_cpu_nodes(struct mk_loader *l, const char *key,
			 struct json_object *v, void *dst)
{
	return set_nodes(l, key, v, &((struct mk_config *)dst)->cpu_nodes);
}

static int set_memory_nodes(struct mk_loader *l, const char *key,
			    struct json_object *v, void *dst)
{
	return set_nodes(l, key, v, &((struct mk_config *)dst)->memory_nodes);
}

static int set_count(struct mk_loader *l, const char *key,
		     struct json_object *v, void *dst)
{
	struct mk_config *c = dst;
	unsigned int count = 0;
	int rc = mk_loader_get_number(l, key, v, 1, MK_MAX_CPUS, &count);

	if (!rc)
		c->nr_cpus = count;
	return rc;
}

static int set_size(struct mk_loader *l, const char *key, struct json_object *v,
		    void *dst)
{
	const char *text = json_object_get_string(v);
	struct mk_error why = MK_ERROR_INIT;
	struct mk_config *c = dst;

	if (mk_parse_size(text, &c->memory_bytes, &why))
		return mk_loader_refuse_parsed(l, key, &why);
	if (c->memory_bytes < MK_MEMORY_MIN)
		return mk_loader_refuse(l, key,
					"expected at least %dM, found \"%s\"",
					MK_MEMORY_MIN >> 20, text);
	if (c->memory_bytes % MK_MEMORY_ALIGN)
		return mk_loader_refuse(l, key,
					"expected a multiple of %dM, found \"%s\"",
					MK_MEMORY_ALIGN >> 20, text);
	return 0;
}

static const struct mk_loader_key cpus_keys[] = {
	{ "count",	true,	MK_JSON_INT,	set_count },
	{ "numa",	false,	MK_JSON_INT | MK_JSON_ARRAY, set_cpu_nodes },
};

static const struct mk_loader_key memory_keys[] = {
	{ "size",	true,	MK_JSON_STRING,	set_size },
	{ "numa",	false,	MK_JSON_INT | MK_JSON_ARRAY, set_memory_nodes },
};

const struct mk_loader_keys mk_loader_cpus_keys = {
	cpus_keys, MK_ARRAY_SIZE(cpus_keys)
};
const struct mk_loader_keys mk_loader_memory_keys = {
	memory_keys, MK_ARRAY_SIZE(memory_keys)
};

static int read_sub(struct mk_loader *l, const char *key,
		    const struct mk_loader_keys *keys, struct json_object *v,
		    struct mk_config *c)
{
	size_t mark = mk_loader_enter(l, key);
	int rc = mk_loader_read_object(l, keys, v, c);

	mk_loader_leave(l, mark);
	return rc;
}

static bool has_cpu(const struct mk_config *c, unsigned int cpu)
{
	for (size_t i = 0; c->cpus && i < c->nr_cpus; i++)
		if (c->cpus[i] == cpu)
			return true;
	return false;
}

/* The instances before this one are complete. */
static int check_cpus_new(struct mk_loader *l, const char *key,
			  const struct mk_config *c)
{
	const struct mk_config *first = l->file->instances;

	for (size_t i = 0; i < c->nr_cpus; i++)
		for (size_t j = 0; first + j < c; j++)
			if (has_cpu(&first[j], c->cpus[i]))
				return mk_loader_refuse(l, key,
							"CPU %u is also in /instances/%zu",
							c->cpus[i], j);
	return 0;
}

static int set_cpulist(struct mk_loader *l, const char *key,
		       struct json_object *v, struct mk_config *c)
{
	struct mk_error why = MK_ERROR_INIT;
	int rc;

	rc = mk_parse_cpulist(json_object_get_string(v), &c->cpus, &c->nr_cpus,
			      &why);
	if (rc == -ENOMEM)
		return mk_loader_out_of_memory(l);
	if (rc)
		return mk_loader_refuse_parsed(l, key, &why);
	if (has_cpu(c, 0))
		return mk_loader_refuse(l, key, "CPU 0 is never lent");
	return check_cpus_new(l, key, c);
}

int mk_loader_set_cpus(struct mk_loader *l, const char *key,
		       struct json_object *v, void *dst)
{
	if (json_object_is_type(v, json_type_object))
		return read_sub(l, key, &mk_loader_cpus_keys, v, dst);
	return set_cpulist(l, key, v, dst);
}

int mk_loader_set_allow_split_core(struct mk_loader *l, const char *key,
				   struct json_object *v, void *dst)
{
	(void)l;
	(void)key;
	((struct mk_config *)dst)->allow_split_core =
		json_object_get_boolean(v);
	return 0;
}

int mk_loader_set_memory(struct mk_loader *l, const char *key,
			 struct json_object *v, void *dst)
{
	if (json_object_is_type(v, json_type_object))
		return read_sub(l, key, &mk_loader_memory_keys, v, dst);
	return set_size(l, key, v, dst);
}

/* The same for each node, and what is left over to the first. */
size_t mk_config_memory_parts(const struct mk_config *config,
			      struct mk_memory_part parts[MK_CONFIG_NODES])
{
	const struct mk_nodes *nodes = &config->memory_nodes;
	uint64_t each, units = config->memory_bytes / MK_MEMORY_ALIGN;

	if (!nodes->nr) {
		parts[0] = (struct mk_memory_part){
			.bytes = config->memory_bytes,
			.node = MK_NODE_ANY,
		};
		return 1;
	}
	each = units / nodes->nr;
	for (size_t i = 0; i < nodes->nr; i++)
		parts[i] = (struct mk_memory_part){
			.bytes = each * MK_MEMORY_ALIGN,
			.node = nodes->node[i],
		};
	parts[0].bytes += (units - each * nodes->nr) * MK_MEMORY_ALIGN;
	return nodes->nr;
}

char *mk_config_nodes_text(const struct mk_nodes *nodes)
{
	mk_autofree char *list = NULL;
	char *text;

	if (!nodes->nr)
		return strdup("");
	list = mk_cpulist_format(nodes->node, nodes->nr);
	if (!list || asprintf(&text, " on node%s %s", nodes->nr > 1 ? "s" : "",
			      list) < 0)
		return NULL;
	return text;
}

char *mk_config_cpus_text(const struct mk_config *config)
{
	mk_autofree char *nodes = NULL;
	char *text;

	if (config->cpus)
		return mk_cpulist_format(config->cpus, config->nr_cpus);
	nodes = mk_config_nodes_text(&config->cpu_nodes);
	if (!nodes || asprintf(&text, "%zu%s", config->nr_cpus, nodes) < 0)
		return NULL;
	return text;
}

char *mk_config_memory_text(const struct mk_config *config)
{
	mk_autofree char *nodes = mk_config_nodes_text(&config->memory_nodes);
	char size[MK_SIZE_TEXT_MAX];
	char *text;

	if (!nodes || asprintf(&text, "%s%s",
			       mk_size_format(config->memory_bytes, size),
			       nodes) < 0)
		return NULL;
	return text;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of what was moved, as JSON. Nothing in it is believed: what it
 * says is written into files and tasks of the host.
 */
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "json_scan.h"
#include "moved.h"
#include "parse.h"

#define MOVED_SCHEMA	"mkctl.moved/1"
#define IRQ_MAX		(1 << 24)

/* An object's value of this type, or NULL. */
static struct json_object *value_of(struct json_object *obj, const char *key,
				    enum json_type type)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(obj, json_type_object) ||
	    !json_object_object_get_ex(obj, key, &value) ||
	    !json_object_is_type(value, type))
		return NULL;
	return value;
}

static int get_number(struct json_object *obj, const char *key, uint64_t max,
		      uint64_t *ret_number)
{
	struct json_object *value = value_of(obj, key, json_type_int);

	if (!value || (json_object_get_int64(value) < 0) ||
	    json_object_get_uint64(value) > max)
		return -EINVAL;
	*ret_number = json_object_get_uint64(value);
	return 0;
}

/* Copies a string that fits. */
static int get_text(struct json_object *obj, const char *key, char *buf,
		    size_t size)
{
	struct json_object *value = value_of(obj, key, json_type_string);

	if (!value || (size_t)json_object_get_string_len(value) >= size)
		return -EINVAL;
	snprintf(buf, size, "%s", json_object_get_string(value));
	return 0;
}

static int get_mask(struct json_object *obj, const char *key, bool may_be_empty,
		    struct mk_cpumask *mask)
{
	struct json_object *value = value_of(obj, key, json_type_string);

	if (!value || mk_cpumask_from_list(json_object_get_string(value),
					   mask) < 0)
		return -EINVAL;
	return !may_be_empty && mk_cpumask_empty(mask) ? -EINVAL : 0;
}

/* "/a/b": no way out of its hierarchy, no file in the place of a folder. */
static bool path_is_sane(const char *path)
{
	size_t len = strlen(path);

	return len > 1 && len < PATH_MAX / 2 && path[0] == '/' &&
	       path[len - 1] != '/' && !strstr(path, "//") &&
	       !strstr(path, "/../") && !strstr(path, "/./") &&
	       strcmp(path + len - 2, "/.") &&
	       (len < 3 || strcmp(path + len - 3, "/.."));
}

static bool partition_is_sane(const char *state)
{
	return !state[0] || !strcmp(state, "root") ||
	       !strcmp(state, "isolated");
}

static int read_task(struct json_object *obj, struct mk_moved *moved)
{
	struct json_object *kept = value_of(obj, "kept", json_type_boolean);
	struct mk_moved_task task = { 0 };
	uint64_t pid, tid;

	if (!kept || get_number(obj, "pid", INT_MAX, &pid) < 0 ||
	    get_number(obj, "tid", INT_MAX, &tid) < 0 || !pid || !tid ||
	    get_number(obj, "start", UINT64_MAX, &task.start) < 0)
		return -EINVAL;
	task.pid = (int)pid;
	task.tid = (int)tid;
	task.kept = json_object_get_boolean(kept);
	if (get_mask(obj, "old", false, &task.old) < 0 ||
	    get_mask(obj, "given", task.kept, &task.given) < 0)
		return -EINVAL;
	return mk_moved_add_task(moved, &task);
}

static int read_irq(struct json_object *obj, struct mk_moved *moved)
{
	struct mk_moved_irq irq = { 0 };
	uint64_t number;

	if (get_number(obj, "irq", IRQ_MAX, &number) < 0 ||
	    get_mask(obj, "old", false, &irq.old) < 0 ||
	    get_mask(obj, "given", false, &irq.given) < 0)
		return -EINVAL;
	irq.irq = (unsigned int)number;
	return mk_moved_add_irq(moved, &irq);
}

static int read_cpuset(struct json_object *obj, struct mk_moved *moved)
{
	struct mk_moved_cpuset set = { 0 };
	char path[PATH_MAX];

	if (get_text(obj, "path", path, sizeof(path)) < 0 ||
	    !path_is_sane(path) ||
	    get_text(obj, "partition", set.partition,
		     sizeof(set.partition)) < 0 ||
	    !partition_is_sane(set.partition) ||
	    get_mask(obj, "old", false, &set.old) < 0 ||
	    get_mask(obj, "was", true, &set.was) < 0 ||
	    get_mask(obj, "given", true, &set.given) < 0)
		return -EINVAL;
	set.path = path;
	return mk_moved_add_cpuset(moved, &set);
}

static int read_array(struct json_object *doc, const char *key,
		      struct mk_moved *moved,
		      int (*read_item)(struct json_object *obj,
				       struct mk_moved *moved))
{
	struct json_object *array = value_of(doc, key, json_type_array);
	size_t n, i;
	int r = 0;

	if (!array)
		return -EINVAL;
	n = json_object_array_length(array);
	for (i = 0; i < n && r == 0; i++)
		r = read_item(json_object_array_get_idx(array, i), moved);
	return r;
}

/* Ours are called "mkctl." and the instance's name. */
static bool our_partition(const char *name)
{
	return !name[0] ||
	       (!strncmp(name, "mkctl.", 6) && mk_name_valid(name + 6));
}

static int read_document(struct json_object *doc, struct mk_moved *moved)
{
	char schema[sizeof(MOVED_SCHEMA)];
	int r;

	if (get_text(doc, "schema", schema, sizeof(schema)) < 0 ||
	    strcmp(schema, MOVED_SCHEMA) ||
	    get_text(doc, "boot_id", moved->boot_id,
		     sizeof(moved->boot_id)) < 0 ||
	    get_text(doc, "partition", moved->partition,
		     sizeof(moved->partition)) < 0 ||
	    !our_partition(moved->partition))
		return -EINVAL;
	r = read_array(doc, "tasks", moved, read_task);
	if (r == 0)
		r = read_array(doc, "irqs", moved, read_irq);
	if (r == 0)
		r = read_array(doc, "cpusets", moved, read_cpuset);
	return r;
}

/* Our scanner first: json-c passes over keys that are there twice. */
static int check_text(const char *text)
{
	size_t bytes = strlen(text);
	struct mk_json_fault fault;
	int r;

	if (mk_json_utf8_end(text, bytes) != bytes)
		return -EINVAL;
	r = mk_json_check(text, bytes, &fault);
	if (r == -EINVAL)
		free(fault.pointer);
	return r;
}

int mk_moved_parse(const char *text, struct mk_moved **ret_moved)
{
	struct json_object *doc;
	struct mk_moved *moved;
	int r;

	r = check_text(text);
	if (r < 0)
		return r;
	moved = calloc(1, sizeof(*moved));
	if (!moved)
		return -ENOMEM;
	doc = json_tokener_parse(text);
	r = doc ? read_document(doc, moved) : -EINVAL;
	json_object_put(doc);
	if (r < 0)
		mk_moved_free(moved);
	else
		*ret_moved = moved;
	return r;
}

static void put_text(struct json_object *obj, const char *key,
		     const char *text)
{
	json_object_object_add(obj, key, json_object_new_string(text));
}

static void put_number(struct json_object *obj, const char *key,
		       uint64_t number)
{
	json_object_object_add(obj, key, json_object_new_uint64(number));
}

static bool put_mask(struct json_object *obj, const char *key,
		     const struct mk_cpumask *mask)
{
	mk_autofree char *list = mk_cpumask_list(mask);

	if (list)
		put_text(obj, key, list);
	return list;
}

static bool put_masks(struct json_object *obj, const struct mk_cpumask *old,
		      const struct mk_cpumask *given)
{
	return put_mask(obj, "old", old) && put_mask(obj, "given", given);
}

static bool put_tasks(struct json_object *array, const struct mk_moved *moved)
{
	const struct mk_moved_task *task;
	struct json_object *obj;
	size_t i;

	for (i = 0; i < moved->nr_tasks; i++) {
		task = &moved->tasks[i];
		obj = json_object_new_object();
		json_object_array_add(array, obj);
		put_number(obj, "pid", (uint64_t)task->pid);
		put_number(obj, "tid", (uint64_t)task->tid);
		put_number(obj, "start", task->start);
		json_object_object_add(obj, "kept",
				       json_object_new_boolean(task->kept));
		if (!put_masks(obj, &task->old, &task->given))
			return false;
	}
	return true;
}

static bool put_irqs(struct json_object *array, const struct mk_moved *moved)
{
	struct json_object *obj;
	size_t i;

	for (i = 0; i < moved->nr_irqs; i++) {
		obj = json_object_new_object();
		json_object_array_add(array, obj);
		put_number(obj, "irq", moved->irqs[i].irq);
		if (!put_masks(obj, &moved->irqs[i].old,
			       &moved->irqs[i].given))
			return false;
	}
	return true;
}

static bool put_cpusets(struct json_object *array,
			const struct mk_moved *moved)
{
	struct json_object *obj;
	size_t i;

	for (i = 0; i < moved->nr_cpusets; i++) {
		obj = json_object_new_object();
		json_object_array_add(array, obj);
		put_text(obj, "path", moved->cpusets[i].path);
		put_text(obj, "partition", moved->cpusets[i].partition);
		if (!put_masks(obj, &moved->cpusets[i].old,
			       &moved->cpusets[i].given) ||
		    !put_mask(obj, "was", &moved->cpusets[i].was))
			return false;
	}
	return true;
}

char *mk_moved_format(const struct mk_moved *moved)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *tasks = json_object_new_array();
	struct json_object *irqs = json_object_new_array();
	struct json_object *cpusets = json_object_new_array();
	char *text = NULL;

	put_text(doc, "schema", MOVED_SCHEMA);
	put_text(doc, "boot_id", moved->boot_id);
	put_text(doc, "partition", moved->partition);
	json_object_object_add(doc, "tasks", tasks);
	json_object_object_add(doc, "irqs", irqs);
	json_object_object_add(doc, "cpusets", cpusets);
	if (put_tasks(tasks, moved) && put_irqs(irqs, moved) &&
	    put_cpusets(cpusets, moved))
		text = strdup(json_object_to_json_string_ext(doc,
					JSON_C_TO_STRING_PRETTY |
					JSON_C_TO_STRING_SPACED |
					JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
	return text;
}

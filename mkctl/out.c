// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output that several verbs share. The same facts in text and in JSON.
 */
#include <string.h>

#include "cmd.h"

void put_visible(FILE *out, const char *text)
{
	char one[MK_TEXT_VISIBLE_MAX(4)];
	size_t n;

	for (; *text; text += n) {
		n = mk_utf8_char(text, strnlen(text, 4));
		n = n ? n : 1;
		mk_text_visible(one, sizeof(one), text, n);
		fputs(one, out);
	}
}

static bool is_utf8(const char *text)
{
	size_t n;

	for (; *text; text += n) {
		n = mk_utf8_char(text, strnlen(text, 4));
		if (!n)
			return false;
	}
	return true;
}

/* JSON is UTF-8; the name of a file need not be. */
static struct json_object *new_string(const char *value)
{
	size_t len = strlen(value);
	mk_autofree char *copy = NULL;

	if (is_utf8(value))
		return json_object_new_string(value);
	copy = malloc(MK_TEXT_VISIBLE_MAX(len));
	if (!copy)
		return NULL;
	mk_text_visible(copy, MK_TEXT_VISIBLE_MAX(len), value, len);
	return json_object_new_string(copy);
}

struct json_object *json_document(const char *verb)
{
	struct json_object *doc = json_object_new_object();
	char schema[64];
	char *blank;

	snprintf(schema, sizeof(schema), "mkctl.%s/1", verb);
	blank = strchr(schema, ' ');
	if (blank)
		*blank = '-';	/* mkctl.pfn-ls/1 */
	json_add_string(doc, "schema", schema);
	return doc;
}

void json_add_string(struct json_object *obj, const char *key,
		     const char *value)
{
	json_object_object_add(obj, key, value ? new_string(value) : NULL);
}

void json_add_u64(struct json_object *obj, const char *key, uint64_t value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

void json_add_bool(struct json_object *obj, const char *key, bool value)
{
	json_object_object_add(obj, key, json_object_new_boolean(value));
}

void json_add_ns(struct json_object *obj, const char *key, uint64_t ns)
{
	json_object_object_add(obj, key,
			       ns ? json_object_new_uint64(ns) : NULL);
}

void json_print(struct json_object *doc)
{
	printf("%s\n",
	       json_object_to_json_string_ext(doc,
					      JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_SPACED |
					      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

const char *ms_text(uint64_t ns, char buf[32])
{
	snprintf(buf, 32, "%llu.%llu", (unsigned long long)ns / 1000000,
		 (unsigned long long)ns / 100000 % 10);
	return buf;
}

const char *boot_id_text(const struct mk_get *get, char buf[BOOT_ID_TEXT_MAX])
{
	const unsigned char *id = get->boot_id;
	static const unsigned char zero[MK_BOOT_ID_SIZE];
	size_t used = 0;
	size_t i;

	buf[0] = '\0';
	if (!memcmp(id, zero, sizeof(zero)))
		return buf;
	for (i = 0; i < MK_BOOT_ID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			buf[used++] = '-';
		used += (size_t)snprintf(buf + used, 3, "%02x", id[i]);
	}
	return buf;
}

static char *format_cpus(const struct mk_instance *inst, bool apicids)
{
	mk_autofree unsigned int *list = NULL;
	size_t n = inst->get.nr_cpus;
	size_t i;

	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return NULL;
	for (i = 0; i < n; i++)
		list[i] = apicids ? inst->cpus[i].apicid : inst->cpus[i].cpu;
	return mk_cpulist_format(list, n);
}

char *instance_cpulist(const struct mk_instance *inst)
{
	return format_cpus(inst, false);
}

char *instance_apicids(const struct mk_instance *inst)
{
	return format_cpus(inst, true);
}

static struct json_object *cpu_array(const struct mk_instance *inst,
				     bool apicids)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < inst->get.nr_cpus; i++)
		json_object_array_add(array, json_object_new_uint64(
			apicids ? inst->cpus[i].apicid : inst->cpus[i].cpu));
	return array;
}

const char *cause_text(const struct mk_get *get, char buf[END_TEXT_MAX])
{
	const char *cause = mk_cause_name(get->cause);

	if (get->state != MK_STATE_UNRESPONSIVE || !get->nr_stuck)
		snprintf(buf, END_TEXT_MAX, "%s", cause);
	else if (get->nr_stuck == 1)
		snprintf(buf, END_TEXT_MAX, "%s, CPU %u", cause,
			 get->stuck_cpu);
	else
		snprintf(buf, END_TEXT_MAX, "%s, CPU %u and %u more", cause,
			 get->stuck_cpu, get->nr_stuck - 1);
	return buf;
}

const char *last_end_text(const struct mk_get *get, char buf[END_TEXT_MAX])
{
	const char *cause = mk_cause_name(get->last_cause);

	buf[0] = '\0';
	if (mk_state_is_end(get->last_state))
		snprintf(buf, END_TEXT_MAX, "%s%s%s%s",
			 mk_state_name(get->last_state), cause[0] ? " (" : "",
			 cause, cause[0] ? ")" : "");
	return buf;
}

static struct json_object *last_end(const struct mk_get *get)
{
	const char *cause = mk_cause_name(get->last_cause);
	struct json_object *obj;

	if (!mk_state_is_end(get->last_state))
		return NULL;
	obj = json_object_new_object();
	json_add_string(obj, "state", mk_state_name(get->last_state));
	json_add_string(obj, "cause", cause[0] ? cause : NULL);
	json_add_ns(obj, "realtime_ns", get->last_ended_realtime_ns);
	return obj;
}

static void json_add_health(struct json_object *obj, const struct mk_get *get)
{
	bool stuck = get->state == MK_STATE_UNRESPONSIVE && get->nr_stuck;

	json_add_u64(obj, "nr_stuck", stuck ? get->nr_stuck : 0);
	json_object_object_add(obj, "stuck_cpu", stuck ?
			       json_object_new_uint64(get->stuck_cpu) : NULL);
	json_object_object_add(obj, "last_end", last_end(get));
}

void json_add_brief(struct json_object *obj, const struct mk_instance *inst)
{
	const struct mk_get *get = &inst->get;
	const char *cause = mk_cause_name(get->cause);
	char boot_id[BOOT_ID_TEXT_MAX];

	boot_id_text(get, boot_id);
	json_add_string(obj, "name", get->name);
	json_add_u64(obj, "id", get->id);
	json_add_string(obj, "state", mk_state_name(get->state));
	json_add_string(obj, "cause", cause[0] ? cause : NULL);
	json_add_string(obj, "boot_id", boot_id[0] ? boot_id : NULL);
	json_add_u64(obj, "epoch", get->epoch);
	json_object_object_add(obj, "cpus", cpu_array(inst, false));
	json_object_object_add(obj, "apicids", cpu_array(inst, true));
	json_add_bool(obj, "cpus_lent", get->flags & MK_GET_CPUS_LENT);
	json_add_u64(obj, "memory_bytes", get->memory_bytes);
	json_add_health(obj, get);
}

uint64_t stage_boot_ns(const struct mk_instance *inst)
{
	const struct mk_get *get = &inst->get;

	return get->alive_ns > get->started_ns ?
	       get->alive_ns - get->started_ns : 0;
}

static void add_ms(struct json_object *obj, const char *key, uint64_t ns)
{
	char text[32];

	/* Microseconds are all that means anything here. */
	snprintf(text, sizeof(text), "%llu.%03llu",
		 (unsigned long long)ns / 1000000,
		 (unsigned long long)ns / 1000 % 1000);
	json_object_object_add(obj, key,
			       json_object_new_double_s((double)ns / 1e6,
							text));
}

void json_add_stages(struct json_object *obj,
		     const struct mk_run_result *result)
{
	struct json_object *stages = json_object_new_object();
	size_t i;

	for (i = 0; i < result->stages.nr_items; i++)
		add_ms(stages, result->stages.items[i].name,
		       strcmp(result->stages.items[i].name, "boot") ?
		       result->stages.items[i].ns :
		       stage_boot_ns(result->inst));
	add_ms(stages, "total", result->stages.total_ns);
	json_object_object_add(obj, "stages_ms", stages);
}

static void print_stage_line(const char *name, uint64_t ns)
{
	char text[32];

	printf("  %-8s %10s ms\n", name, ms_text(ns, text));
	fflush(stdout);
}

/*
 * The boot is told by print_running(), in the kernel's own times. How long it
 * takes to move tasks, to set channels and policy and to make shares is in JSON only:
 * mostly there are none.
 */
void print_stage(void *arg, const char *name, uint64_t ns)
{
	static const char *const silent[] = { "boot", "channels", "policy",
					      "shares", "tasks" };

	(void)arg;
	for (size_t i = 0; i < MK_ARRAY_SIZE(silent); i++)
		if (!strcmp(name, silent[i]))
			return;
	print_stage_line(name, ns);
}

void print_running(const struct mk_run_result *result)
{
	const struct mk_instance *inst = result->inst;
	mk_autofree char *cpus = instance_cpulist(inst);
	mk_autofree char *apicids = instance_apicids(inst);
	char boot_id[BOOT_ID_TEXT_MAX];
	char size[MK_SIZE_TEXT_MAX];

	print_stage_line("boot", stage_boot_ns(inst));
	print_stage_line("total", result->stages.total_ns);
	printf("%s: %s, id %u, CPUs %s (APIC ids %s), memory %s, boot id %s\n",
	       inst->get.name, mk_state_name(inst->get.state), inst->get.id,
	       cpus ? cpus : "?", apicids ? apicids : "?",
	       mk_size_format(inst->get.memory_bytes, size),
	       boot_id_text(&inst->get, boot_id));
}

void noting_begin(struct noting *noting, const struct app *app,
		  const char *name)
{
	*noting = (struct noting){
		.app = app,
		.name = name,
		.list = app->opts.json ? json_object_new_array() : NULL,
	};
}

void noting_end(struct noting *noting)
{
	json_object_put(noting->list);
	noting->list = NULL;
}

void print_note(void *arg, const char *text)
{
	const struct noting *noting = arg;

	if (noting->list) {
		json_object_array_add(noting->list,
				      json_object_new_string(text));
		return;
	}
	fprintf(stderr, "mkctl: %s: %s: note: ", noting->app->verb,
		noting->name);
	put_visible(stderr, text);
	fprintf(stderr, "\n");
}

void json_add_notes(struct json_object *obj, const struct noting *noting)
{
	json_object_object_add(obj, "notes", json_object_get(noting->list));
}

/* The new boot is what was wanted, so this is only talk. */
static void warn_log_lost(const struct app *app, const struct mk_error *lost)
{
	fprintf(stderr, "mkctl: %s: ", app->verb);
	put_visible(stderr, lost->object);
	fprintf(stderr, ": ");
	put_visible(stderr, lost->message);
	fprintf(stderr, "\n");
}

static void print_started(const struct app *app,
			  const struct mk_run_result *result,
			  const struct noting *noting, struct json_object *list)
{
	struct json_object *obj;

	if (result->log_lost.code && !list)
		warn_log_lost(app, &result->log_lost);
	if (!list) {
		print_running(result);
		return;
	}
	obj = json_object_new_object();
	json_add_brief(obj, result->inst);
	json_add_stages(obj, result);
	json_add_string(obj, "log_lost", result->log_lost.code ?
			result->log_lost.message : NULL);
	json_add_notes(obj, noting);
	json_object_array_add(list, obj);
}

void finish_started(struct app *app, struct mk_run_result *result, int r,
		    const struct noting *noting, struct json_object *list)
{
	if (r == 0)
		print_started(app, result, noting, list);
	app->log_tail = TAKE_PTR(result->log_tail);
	mk_run_result_clear(result);
}

int print_changed(struct app *app, uint32_t id, struct json_object *list,
		  struct mk_error *err)
{
	struct json_object *obj;
	struct mk_instance *inst;
	const char *cause;
	int r;

	r = mk_instance_get(app->ctx, id, &inst, err);
	if (r < 0)
		return r;
	if (list) {
		obj = json_object_new_object();
		json_add_brief(obj, inst);
		json_object_array_add(list, obj);
	} else {
		cause = mk_cause_name(inst->get.cause);
		printf("%s: %s%s%s%s\n", inst->get.name,
		       mk_state_name(inst->get.state), cause[0] ? " (" : "",
		       cause, cause[0] ? ")" : "");
	}
	mk_instance_free(inst);
	return 0;
}

static const char *const code_names[] = {
	[MK_ERR_NONE]		= "none",
	[MK_ERR_FAILED]		= "failed",
	[MK_ERR_USAGE]		= "usage",
	[MK_ERR_CONFIG]		= "config",
	[MK_ERR_NOT_FOUND]	= "not-found",
	[MK_ERR_BUSY]		= "busy",
	[MK_ERR_NOT_PERMITTED]	= "not-permitted",
	[MK_ERR_TIMEOUT]	= "timeout",
	[MK_ERR_UNDO]		= "undo-incomplete",
};

struct json_object *json_error(const struct mk_error *err)
{
	struct json_object *error = json_object_new_object();

	json_add_string(error, "code",
			(size_t)err->code < MK_ARRAY_SIZE(code_names) ?
			code_names[err->code] : "failed");
	json_object_object_add(error, "status",
			       json_object_new_int(err->code));
	json_add_string(error, "reason", mk_reason_name(err->reason));
	json_add_string(error, "object", err->object[0] ? err->object : NULL);
	json_add_string(error, "message", err->message);
	json_add_string(error, "hint", err->hint[0] ? err->hint : NULL);
	return error;
}

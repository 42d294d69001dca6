// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl show: everything about some instances.
 */
#include <string.h>
#include <time.h>

#include "../spawn/policy.h"
#include "show.h"

static const struct option_desc options[] = {
	OPTION_ALL,
	OPTION_JSON,
	OPTION_END
};

/* Times of a life, in the order in which they happen. */
static const struct {
	const char *key;
	const char *label;
	size_t offset;
} times[] = {
	{ "created_ns", "created", offsetof(struct mk_get, created_ns) },
	{ "loaded_ns", "loaded", offsetof(struct mk_get, loaded_ns) },
	{ "started_ns", "started", offsetof(struct mk_get, started_ns) },
	{ "sipi_ns", "first CPU", offsetof(struct mk_get, sipi_ns) },
	{ "log_zero_ns", "log's 0", offsetof(struct mk_get, log_zero_ns) },
	{ "alive_ns", "alive", offsetof(struct mk_get, alive_ns) },
	{ "ready_ns", "ready", offsetof(struct mk_get, ready_ns) },
	{ "ended_ns", "ended", offsetof(struct mk_get, ended_ns) },
	{ "cpus_back_ns", "CPUs back", offsetof(struct mk_get, cpus_back_ns) },
};

static uint64_t time_of(const struct mk_get *get, size_t i)
{
	return *(const uint64_t *)((const char *)get + times[i].offset);
}

static uint64_t cpus_back_after(const struct mk_get *get)
{
	return get->ended_ns && get->cpus_back_ns > get->ended_ns ?
	       get->cpus_back_ns - get->ended_ns : 0;
}

static struct json_object *ranges_to_json(const struct mk_instance *inst)
{
	struct json_object *array = json_object_new_array();
	struct json_object *obj;
	size_t i;

	for (i = 0; i < inst->get.nr_ranges; i++) {
		obj = json_object_new_object();
		json_add_u64(obj, "addr", inst->ranges[i].addr);
		json_add_u64(obj, "bytes", inst->ranges[i].bytes);
		json_add_u64(obj, "node", inst->ranges[i].node);
		json_object_array_add(array, obj);
	}
	return array;
}

/* One object for each CPU, in the instance's own order. */
static struct json_object *numberings_to_json(const struct mk_instance *inst)
{
	struct json_object *array = json_object_new_array();
	struct json_object *obj;
	size_t i;

	for (i = 0; i < inst->get.nr_cpus; i++) {
		obj = json_object_new_object();
		json_add_u64(obj, "cpu", i);
		json_add_u64(obj, "host_cpu", inst->cpus[i].cpu);
		json_add_u64(obj, "apicid", inst->cpus[i].apicid);
		json_add_u64(obj, "node", inst->cpus[i].node);
		json_add_u64(obj, "core", inst->cpus[i].core);
		json_object_array_add(array, obj);
	}
	return array;
}

static struct json_object *nodes_to_json(const struct mk_instance *inst)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < inst->get.nr_cpus; i++)
		json_object_array_add(array, json_object_new_uint64(
					      inst->cpus[i].node));
	return array;
}

static struct json_object *features_to_json(uint64_t features)
{
	struct json_object *array = json_object_new_array();
	uint32_t bit;

	for (bit = 0; mk_feature_name(bit); bit++)
		if (features >> bit & 1)
			json_object_array_add(array, json_object_new_string(
						      mk_feature_name(bit)));
	return array;
}

static struct json_object *facts_to_json(const struct mk_facts *facts)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *cpus = json_object_new_array();
	size_t i;

	for (i = 0; i < facts->nr_cpus; i++)
		json_object_array_add(cpus,
				      json_object_new_uint64(facts->cpus[i]));
	json_add_string(obj, "config", facts->config);
	json_add_string(obj, "kernel", facts->kernel);
	json_add_string(obj, "initrd", facts->initrd);
	json_add_string(obj, "cmdline", facts->cmdline);
	json_add_u64(obj, "memory_bytes", facts->memory_bytes);
	json_object_object_add(obj, "cpus", cpus);
	json_add_string(obj, "created_by", facts->created_by);
	mk_policy_to_json(&facts->policy, obj);
	return obj;
}

static struct json_object *to_json(const struct mk_instance *inst,
				   const struct mk_facts *facts,
				   const struct show_peers *peers)
{
	const struct mk_get *get = &inst->get;
	struct json_object *obj = json_object_new_object();
	size_t i;

	json_add_brief(obj, inst);
	json_object_object_add(obj, "nodes", nodes_to_json(inst));
	json_object_object_add(obj, "cpu_numbers", numberings_to_json(inst));
	json_object_object_add(obj, "memory", ranges_to_json(inst));
	json_add_u64(obj, "handoff_addr", get->handoff_addr);
	json_add_u64(obj, "handoff_bytes", get->handoff_bytes);
	json_add_u64(obj, "image_bytes", get->image_bytes);
	json_add_u64(obj, "initrd_bytes", get->initrd_bytes);
	json_add_u64(obj, "beats", get->beats);
	json_add_u64(obj, "watchdog_ms", get->watchdog_ms);
	json_object_object_add(obj, "features",
			       features_to_json(get->features));
	for (i = 0; i < MK_ARRAY_SIZE(times); i++)
		json_add_ns(obj, times[i].key, time_of(get, i));
	json_add_ns(obj, "ended_realtime_ns", get->ended_realtime_ns);
	json_add_ns(obj, "boot_ns", stage_boot_ns(inst));
	json_add_ns(obj, "end_to_cpus_back_ns", cpus_back_after(get));
	json_add_string(obj, "load_refusal",
			mk_reason_name(get->load_refusal.reason));
	show_peers_to_json(peers, get->name, facts, obj);
	json_object_object_add(obj, "made_from",
			       facts ? facts_to_json(facts) : NULL);
	return obj;
}

static void print_cpus(const struct mk_instance *inst)
{
	mk_autofree char *cpus = instance_cpulist(inst);
	mk_autofree char *apicids = instance_apicids(inst);
	char text[32];
	size_t i;

	printf("  cpus:       %s (%s)\n", cpus ? cpus : "?",
	       inst->get.flags & MK_GET_CPUS_LENT ? "lent" :
						    "back in the host");
	printf("  apic ids:   %s\n", apicids ? apicids : "?");
	/* Its own number of a CPU is the place in its device tree. */
	printf("    %-5s %-8s %-16s %-4s %s\n", "CPU", "HOST-CPU", "APIC-ID",
	       "NODE", "CORE");
	for (i = 0; i < inst->get.nr_cpus; i++) {
		snprintf(text, sizeof(text), "%u (%#x)", inst->cpus[i].apicid,
			 inst->cpus[i].apicid);
		printf("    %-5zu %-8u %-16s %-4u %u\n", i, inst->cpus[i].cpu,
		       text, inst->cpus[i].node, inst->cpus[i].core);
	}
}

static void print_memory(const struct mk_instance *inst)
{
	const struct mk_get *get = &inst->get;
	const struct mk_range *range;
	char text[MK_SIZE_TEXT_MAX];
	size_t i;

	printf("  memory:     %s\n", mk_size_format(get->memory_bytes, text));
	for (i = 0; i < get->nr_ranges; i++) {
		range = &inst->ranges[i];
		printf("    %#llx-%#llx  %s, node %u\n",
		       (unsigned long long)range->addr,
		       (unsigned long long)(range->addr + range->bytes - 1),
		       mk_size_format(range->bytes, text), range->node);
	}
	printf("  hand-over:  %#llx, %s\n",
	       (unsigned long long)get->handoff_addr,
	       mk_size_format(get->handoff_bytes, text));
	printf("  image:      %s", mk_size_format(get->image_bytes, text));
	printf(", initrd %s\n", mk_size_format(get->initrd_bytes, text));
}

static void print_times(const struct mk_instance *inst)
{
	const struct mk_get *get = &inst->get;
	char text[32];
	uint64_t ns;
	size_t i;

	printf("  times:      in seconds since the host's boot\n");
	for (i = 0; i < MK_ARRAY_SIZE(times); i++) {
		ns = time_of(get, i);
		if (ns)
			printf("    %-9s %llu.%06llu\n", times[i].label,
			       (unsigned long long)ns / 1000000000,
			       (unsigned long long)ns / 1000 % 1000000);
	}
	if (get->ended_realtime_ns)
		printf("    ended at  %llu (seconds since 1970)\n",
		       (unsigned long long)get->ended_realtime_ns /
		       1000000000);
	if (stage_boot_ns(inst))
		printf("  boot:       %s ms from start to alive\n",
		       ms_text(stage_boot_ns(inst), text));
	if (cpus_back_after(get))
		printf("  take-back:  %s ms from its end to its CPUs online in the host\n",
		       ms_text(cpus_back_after(get), text));
}

static void print_fact(const char *label, const char *value)
{
	printf("%s", label);
	put_visible(stdout, value);
	printf("\n");
}

static void print_facts(const struct mk_facts *facts)
{
	mk_autofree char *cpus = mk_cpulist_format(facts->cpus,
						   facts->nr_cpus);
	mk_autofree char *policy = mk_policy_text(&facts->policy);
	char text[MK_SIZE_TEXT_MAX];

	print_fact("  made from:  ", facts->config ? facts->config : "?");
	print_fact("    kernel    ", facts->kernel ? facts->kernel : "?");
	print_fact("    initrd    ", facts->initrd ? facts->initrd : "none");
	print_fact("    cmdline   ", facts->cmdline ? facts->cmdline : "");
	print_fact("    policy    ", policy ? policy : "?");
	print_fact("    cpus      ", cpus ? cpus : "?");
	print_fact("    memory    ", mk_size_format(facts->memory_bytes, text));
	print_fact("    by        mkctl ",
		   facts->created_by ? facts->created_by : "?");
}

/* What both kernels have of what they share; nothing before it has joined. */
static void print_features(uint64_t features)
{
	uint32_t bit;

	printf("  features:  %s", features ? "" : " -");
	for (bit = 0; mk_feature_name(bit); bit++)
		if (features >> bit & 1)
			printf(" %s", mk_feature_name(bit));
	printf("\n");
}

/* Told apart from "cause": it is still known while the next boot runs. */
static void print_last_end(const struct mk_get *get)
{
	time_t seconds = (time_t)(get->last_ended_realtime_ns / 1000000000);
	char text[END_TEXT_MAX];
	char when[32] = "?";
	struct tm tm;

	if (!last_end_text(get, text)[0]) {
		printf("  last end:   -\n");
		return;
	}
	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%F %T", &tm);
	printf("  last end:   %s at %s\n", text, when);
}

static void print_watchdog(const struct mk_get *get)
{
	if (!get->watchdog_ms)
		printf("  watchdog:   off\n");
	else
		printf("  watchdog:   %u ms\n", get->watchdog_ms);
	if (get->state == MK_STATE_UNRESPONSIVE && get->nr_stuck)
		printf("  stuck:      %u of its CPUs, the first is CPU %u of the host\n",
		       get->nr_stuck, get->stuck_cpu);
}

static void print_text(const struct mk_instance *inst,
		       const struct mk_facts *facts,
		       const struct show_peers *peers)
{
	const struct mk_get *get = &inst->get;
	const char *refusal = mk_reason_name(get->load_refusal.reason);
	char boot_id[BOOT_ID_TEXT_MAX];
	char cause[END_TEXT_MAX];

	boot_id_text(get, boot_id);
	cause_text(get, cause);
	printf("%s\n", get->name);
	printf("  id:         %u\n", get->id);
	printf("  state:      %s\n", mk_state_name(get->state));
	printf("  cause:      %s\n", cause[0] ? cause : "-");
	printf("  boot id:    %s\n", boot_id[0] ? boot_id : "-");
	printf("  epoch:      %u\n", get->epoch);
	print_last_end(get);
	printf("  beats:      %llu\n", (unsigned long long)get->beats);
	print_watchdog(get);
	print_features(get->features);
	print_cpus(inst);
	print_memory(inst);
	show_peers_print(peers, get->name, facts);
	print_times(inst);
	if (refusal)
		printf("  last load:  refused (%s)\n", refusal);
	if (facts)
		print_facts(facts);
}

static int show_one(struct app *app, const struct mk_instance *inst, void *arg,
		    struct mk_error *err)
{
	struct json_object *list = arg;
	struct mk_facts *facts = NULL;
	struct show_peers peers;

	(void)err;
	/* An instance that mkctl did not make has none. */
	if (mk_facts_find(app->ctx, &inst->get, &facts) < 0)
		facts = NULL;
	show_peers_get(app, inst->get.name, &peers);
	if (list)
		json_object_array_add(list, to_json(inst, facts, &peers));
	else
		print_text(inst, facts, &peers);
	show_peers_clear(&peers);
	mk_facts_free(facts);
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	return look_at_named(app, argc, argv, show_one, err);
}

const struct command cmd_show = {
	.name = "show",
	.args = "NAME...",
	.summary = "Show everything about instances",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};

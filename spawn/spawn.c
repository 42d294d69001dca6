// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plan of a spawn: check, create, channels, policy, tasks, cpus, memory,
 * load, shares, start, boot.
 *
 * What the instance may talk to and its watchdog go with it, as the undo of
 * create destroys it. Memory and image have no undo of their own once an image is loaded: they
 * go with the instance, which the undo of create destroys.
 */
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "check.h"
#include "facts.h"
#include "plan.h"
#include "shares.h"
#include "vacate.h"

struct spawn_job {
	struct mk_ctx *ctx;
	const struct mk_config *config;
	const char *config_path;
	struct mk_info info;
	struct mk_checked checked;
	struct mk_share_plan shares;
	struct mk_boot boot;
	struct mk_facts facts;
	char *kernel_path;
	char *initrd_path;
	char *cpus_asked;
	char *memory_asked;
	bool loaded;
};

static void describe_check(const void *arg, char *buf, size_t size)
{
	const struct spawn_job *job = arg;

	snprintf(
		buf, size,
		"check the host's role and pool, the name '%s', CPUs, memory, shares and files",
		job->config->name);
}

static int run_check(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;
	struct mk_check check;
	int r;

	r = mk_check_begin(job->ctx, true, &check, err);
	if (r < 0)
		return r;
	job->info = check.info;
	check.note = job->boot.options->note;
	check.note_arg = job->boot.options->note_arg;
	r = mk_check_instance(&check, job->config, job->config_path,
			      &job->checked, err);
	mk_check_end(&check);
	if (r < 0)
		return r;
	return mk_share_plan_init(job->ctx, job->config->name,
				  &job->config->peers, job->config_path,
				  &job->shares, err);
}

static void describe_create(const void *arg, char *buf, size_t size)
{
	const struct spawn_job *job = arg;

	snprintf(buf, size, "create instance '%s'", job->config->name);
}

/*
 * The facts borrow what the config owns, except the paths: those are read
 * later and elsewhere, so they are made absolute.
 */
static void fill_facts(struct spawn_job *job)
{
	const struct mk_config *config = job->config;

	job->kernel_path = realpath(config->kernel, NULL);
	if (config->initrd)
		job->initrd_path = realpath(config->initrd, NULL);
	job->cpus_asked = mk_config_cpus_text(config);
	job->memory_asked = mk_config_memory_text(config);
	job->facts = (struct mk_facts){
		.pending = true,
		.allow_split_core = config->allow_split_core,
		.cpus_asked = job->cpus_asked,
		.memory_asked = job->memory_asked,
		.memory_bytes = config->memory_bytes,
		.config = (char *)job->config_path,
		.kernel = job->kernel_path,
		.initrd = job->initrd_path,
		.cmdline = config->cmdline,
		.created_by = (char *)mk_version(),
		.cpus = job->checked.cpus,
		.nr_cpus = config->nr_cpus,
		.nr_memory_nodes = config->memory_nodes.nr,
		.peers = config->peers,
		.policy = config->policy,
	};
	memcpy(job->facts.memory_nodes, config->memory_nodes.node,
	       sizeof(job->facts.memory_nodes));
	snprintf(job->facts.name, sizeof(job->facts.name), "%s", config->name);
}

/* Now the file says which instance it is about. */
static int identify_facts(struct spawn_job *job, struct mk_error *err)
{
	struct mk_instance *inst;
	int r;

	r = mk_instance_get(job->ctx, job->boot.id, &inst, err);
	if (r < 0)
		return r;
	job->facts.id = inst->get.id;
	job->facts.created_ns = inst->get.created_ns;
	mk_instance_free(inst);
	return mk_facts_write(job->ctx, &job->facts, err);
}

static int undo_create(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;
	int r;

	r = mk_instance_destroy(job->ctx, job->boot.id, err);
	if (r == 0)
		r = mk_facts_remove(job->ctx, job->config->name, err);
	/* If the undo of an earlier step failed, it had its CPUs until now. */
	if (r == 0)
		r = mk_share_plan_undo(&job->shares, err);
	return r < 0 ? r : mk_vacate_settle(job->ctx, err);
}

static int run_create(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;
	int r;

	fill_facts(job);
	r = mk_facts_write(job->ctx, &job->facts, err);
	if (r < 0)
		return r;
	r = mk_instance_create(job->ctx, job->config->name, &job->boot.id,
			       err);
	if (r < 0) {
		(void)mk_facts_remove(job->ctx, job->config->name, NULL);
		return r;
	}
	r = identify_facts(job, err);
	if (r < 0)
		(void)undo_create(job, NULL);
	return r;
}

static void describe_channels(const void *arg, char *buf, size_t size)
{
	const struct spawn_job *job = arg;
	const struct mk_wanted_peers *peers = &job->config->peers;
	size_t n;

	n = (size_t)snprintf(buf, size, "allow it channels to the host");
	for (size_t i = 0; i < peers->nr_channels && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, ", %s",
				      peers->channels[i].name);
}

static int run_channels(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;
	const struct mk_wanted_peers *peers = &job->config->peers;
	const char *names[MK_ALLOWED_MAX];

	/* With the host it always has them. */
	if (!peers->nr_channels)
		return 0;
	for (size_t i = 0; i < peers->nr_channels; i++)
		names[i] = peers->channels[i].name;
	return mk_instance_set_channels(job->ctx, job->boot.id, names,
					peers->nr_channels, err);
}

static void describe_policy(const void *arg, char *buf, size_t size)
{
	const struct spawn_job *job = arg;
	mk_autofree char *text = mk_policy_text(&job->config->policy);

	snprintf(buf, size, "set its policy: %s", text ? text : "?");
}

/* The rest of it is mkd's business, which finds it among the facts. */
static int run_policy(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;
	const struct mk_policy *policy = &job->config->policy;

	if (!policy->watchdog_given)
		return 0;
	return mk_instance_set_watchdog(job->ctx, job->boot.id,
					policy->watchdog_ms, err);
}

static void describe_tasks(const void *arg, char *buf, size_t size)
{
	const struct spawn_job *job = arg;

	mk_vacate_describe(job->ctx, job->checked.cpus, job->config->nr_cpus,
			   buf, size);
}

static int run_tasks(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;

	return mk_vacate(job->ctx, job->config->name, job->checked.cpus,
			 job->config->nr_cpus, err);
}

static int undo_tasks(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;

	return mk_vacate_settle(job->ctx, err);
}

static void describe_cpus(const void *arg, char *buf, size_t size)
{
	const struct spawn_job *job = arg;
	mk_autofree char *list = mk_cpulist_format(job->checked.cpus,
						   job->config->nr_cpus);

	snprintf(buf, size, "take CPUs %s offline and lend them%s; CPU %u boots",
		 list ? list : "?", job->config->allow_split_core ?
		 ", splitting cores" : "", job->checked.cpus[0]);
}

static int run_cpus(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;

	return mk_vacate_lend(job->ctx, job->boot.id, job->checked.cpus,
			      job->config->nr_cpus,
			      job->config->allow_split_core ?
			      MK_CPUS_SPLIT_CORES : 0, err);
}

static int undo_cpus(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;

	return mk_instance_set_cpus(job->ctx, job->boot.id, NULL, 0, 0, err);
}

static void describe_memory(const void *arg, char *buf, size_t size)
{
	const struct spawn_job *job = arg;
	const struct mk_memory_part *part = job->checked.parts;
	char text[MK_SIZE_TEXT_MAX];
	size_t n;

	n = (size_t)snprintf(buf, size, "give it %s of the pool",
			     mk_size_format(job->config->memory_bytes, text));
	for (size_t i = 0; i < job->checked.nr_parts && n < size; i++)
		if (part[i].node != MK_NODE_ANY)
			n += (size_t)snprintf(buf + n, size - n,
					      "%s %s of node %u", i ? "," : ":",
					      mk_size_format(part[i].bytes,
							     text),
					      part[i].node);
}

static int run_memory(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;

	return mk_instance_set_memory(job->ctx, job->boot.id,
				      job->checked.parts,
				      job->checked.nr_parts, err);
}

static int undo_memory(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;

	if (job->loaded)
		return 0;
	return mk_instance_set_memory(job->ctx, job->boot.id, NULL, 0, err);
}

static void describe_load(const void *arg, char *buf, size_t size)
{
	const struct spawn_job *job = arg;
	const struct mk_config *config = job->config;

	snprintf(buf, size, "load %s, %s%s, command line '%s'", config->kernel,
		 config->initrd ? "initrd " : "no initrd",
		 config->initrd ? config->initrd : "", job->checked.cmdline);
}

/* The kernel knows only descriptors; the user knows files. */
static const char *load_object(const struct mk_config *config,
			       unsigned int reason)
{
	switch (reason) {
	case MK_REASON_INITRD_READ:
	case MK_REASON_INITRD_TOO_LARGE:
		return config->initrd;
	case MK_REASON_CMDLINE_TOO_LONG:
	case MK_REASON_CMDLINE_REGION:
		return "cmdline";
	default:
		return config->kernel;
	}
}

static int run_load(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;
	struct mk_refusal refusal = { .reason = MK_REASON_NO_REGION };
	int r;

	if (job->info.region_bytes == 0) {
		mk_refusal_error(err, &refusal, ENXIO, NULL);
		return -ENXIO;
	}
	r = mk_instance_load(job->ctx, job->boot.id, job->checked.kernel_fd,
			     job->checked.initrd_fd, job->checked.cmdline, err);
	if (r < 0 && err)
		mk_error_object(err, "%s",
				load_object(job->config, err->reason));
	job->loaded = r == 0;
	return r;
}

static void describe_shares(const void *arg, char *buf, size_t size)
{
	const struct spawn_job *job = arg;

	mk_share_plan_describe(&job->shares, buf, size);
}

static int run_shares(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;

	return mk_share_plan_make(&job->shares, err);
}

static int undo_shares(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;

	return mk_share_plan_undo(&job->shares, err);
}

static void describe_start(const void *arg, char *buf, size_t size)
{
	const struct spawn_job *job = arg;

	snprintf(buf, size, "build its device tree and start CPU %u",
		 job->checked.cpus[0]);
}

static int run_start(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;

	return mk_boot_start(&job->boot, err);
}

static int undo_start(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;

	return mk_boot_kill(&job->boot, err);
}

static void describe_boot(const void *arg, char *buf, size_t size)
{
	const struct spawn_job *job = arg;

	mk_boot_describe_wait(&job->boot, buf, size);
}

static int run_boot(void *arg, struct mk_error *err)
{
	struct spawn_job *job = arg;

	return mk_boot_wait(&job->boot, err);
}

static const struct mk_step spawn_steps[] = {
	{ "check", describe_check, run_check, NULL, NULL },
	{ "create", describe_create, run_create, undo_create,
	  "destroy the instance" },
	{ "channels", describe_channels, run_channels, NULL, NULL },
	{ "policy", describe_policy, run_policy, NULL, NULL },
	{ "tasks", describe_tasks, run_tasks, undo_tasks, "move it back" },
	{ "cpus", describe_cpus, run_cpus, undo_cpus, "give the CPUs back" },
	{ "memory", describe_memory, run_memory, undo_memory,
	  "give the memory back, scrubbed" },
	{ "load", describe_load, run_load, NULL, NULL },
	{ "shares", describe_shares, run_shares, undo_shares,
	  "revoke what was made" },
	{ "start", describe_start, run_start, undo_start, "kill it" },
	{ "boot", describe_boot, run_boot, NULL, NULL },
};

_Static_assert(MK_ARRAY_SIZE(spawn_steps) <= MK_STAGES_MAX,
	       "every step has a stage");

static void job_init(struct spawn_job *job, struct mk_ctx *ctx,
		     const struct mk_config *config, const char *config_path,
		     const struct mk_run_options *options)
{
	*job = (struct spawn_job){
		.ctx = ctx,
		.config = config,
		.config_path = config_path,
		.boot = { .ctx = ctx, .options = options },
		.checked = MK_CHECKED_NONE,
	};
}

static void job_exit(struct spawn_job *job)
{
	mk_checked_clear(&job->checked);
	mk_share_plan_clear(&job->shares);
	free(job->kernel_path);
	free(job->initrd_path);
	free(job->cpus_asked);
	free(job->memory_asked);
}

/*
 * The instance stays: because it runs, or because it was to be kept. What
 * remains to be written is not worth taking a running instance down for; the
 * next change repairs it.
 */
static void settle_facts(struct spawn_job *job)
{
	if (job->facts.id == 0)
		return;
	job->facts.pending = false;
	(void)mk_facts_write(job->ctx, &job->facts, NULL);
}

static void hint_kept(const char *name, struct mk_error *err)
{
	if (!err)
		return;
	err->hint[0] = '\0';
	mk_error_hint(err, "it is kept: 'mkctl show %s', 'mkctl logs %s', then 'mkctl rm %s'",
		      name, name, name);
}

int mk_spawn(struct mk_ctx *ctx, const struct mk_config *config,
	     const char *config_path, const struct mk_run_options *options,
	     struct mk_run_result *ret_result, struct mk_error *err)
{
	struct spawn_job job;
	int r;

	*ret_result = (struct mk_run_result){ 0 };
	job_init(&job, ctx, config, config_path, options);
	r = mk_plan_run(spawn_steps, MK_ARRAY_SIZE(spawn_steps), &job,
			config->name, options, &ret_result->stages, err);
	if (r == 0 || options->keep)
		settle_facts(&job);
	if (r < 0 && options->keep && job.facts.id) {
		/* Its CPUs may be back; the next change tells what is not. */
		(void)mk_vacate_settle(ctx, NULL);
		hint_kept(config->name, err);
	}
	ret_result->inst = TAKE_PTR(job.boot.inst);
	ret_result->log_tail = TAKE_PTR(job.boot.log_tail);
	job_exit(&job);
	return r;
}

int mk_spawn_preview(struct mk_ctx *ctx, const struct mk_config *config,
		     const char *config_path,
		     const struct mk_run_options *options,
		     void (*fn)(void *arg, const struct mk_step_text *step),
		     void *arg, struct mk_error *err)
{
	struct spawn_job job;
	int r;

	job_init(&job, ctx, config, config_path, options);
	r = run_check(&job, err);
	if (r < 0)
		mk_error_object(err, "%s", config->name);
	else
		mk_plan_describe(spawn_steps, MK_ARRAY_SIZE(spawn_steps), &job,
				 fn, arg);
	job_exit(&job);
	return r;
}

void mk_run_result_clear(struct mk_run_result *result)
{
	mk_instance_free(result->inst);
	free(result->log_tail);
	*result = (struct mk_run_result){ 0 };
}

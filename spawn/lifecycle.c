// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to an instance after its spawn: stop, kill, start again,
 * restart, remove.
 */
#include <stdio.h>
#include <string.h>

#include "again.h"
#include "boot_log.h"
#include "check.h"
#include "facts.h"
#include "plan.h"
#include "shares.h"
#include "vacate.h"

static bool has_ended(const struct mk_event *event)
{
	return mk_state_is_end(event->state);
}

static int wait_for_end(struct mk_ctx *ctx, const struct mk_instance *inst,
			const struct mk_run_options *options,
			struct mk_error *err)
{
	mk_autoclose int fd = -1;
	struct mk_event event;
	int r;

	r = mk_events_open(ctx, inst->get.id, &fd, err);
	if (r < 0)
		return r;
	r = mk_wait_for(fd, options->timeout_ms, options->cancel, has_ended,
			&event);
	if (r == -ETIMEDOUT) {
		mk_error_set(err, MK_ERR_TIMEOUT, inst->get.name,
			     "has not stopped after %u s",
			     options->timeout_ms / 1000);
		mk_error_hint(err, "'mkctl kill %s' ends it at once",
			      inst->get.name);
	} else if (r == -EINTR) {
		mk_error_set(err, MK_ERR_FAILED, inst->get.name,
			     "interrupted; it has been asked to stop");
	} else if (r < 0) {
		mk_error_set(err, MK_ERR_FAILED, inst->get.name,
			     "lost sight of it: %s", strerror(-r));
	}
	return r;
}

/*
 * Whoever stops or kills what has ended already wants it to stay so: a policy
 * that would start it again is told.
 */
static int hold(struct mk_ctx *ctx, const struct mk_get *get,
		struct mk_error *err)
{
	struct mk_facts *facts;
	int r = 0;

	if (!mk_state_is_end(get->state) ||
	    mk_facts_find(ctx, get, &facts) < 0)
		return 0;
	if (facts->policy.given && facts->held_epoch != get->epoch) {
		facts->held_epoch = get->epoch;
		r = mk_facts_write(ctx, facts, err);
	}
	mk_facts_free(facts);
	return r;
}

static int kill_for(struct mk_ctx *ctx, const struct mk_instance *inst,
		    enum mk_cause cause, struct mk_error *err)
{
	int r = mk_instance_kill(ctx, inst->get.id, cause, err);

	if (r < 0) {
		mk_error_object(err, "%s", inst->get.name);
		mk_error_hint(err, "'mkctl show %s' tells more",
			      inst->get.name);
		return r;
	}
	return mk_vacate_settle(ctx, err);
}

int mk_kill(struct mk_ctx *ctx, const struct mk_instance *inst,
	    struct mk_error *err)
{
	int r = kill_for(ctx, inst, MK_CAUSE_KILL, err);

	return r < 0 ? r : hold(ctx, &inst->get, err);
}

int mk_kill_hung(struct mk_ctx *ctx, const struct mk_instance *inst,
		 struct mk_error *err)
{
	return kill_for(ctx, inst, MK_CAUSE_HANG, err);
}

int mk_kill_slow(struct mk_ctx *ctx, const struct mk_instance *inst,
		 struct mk_error *err)
{
	return kill_for(ctx, inst, MK_CAUSE_BOOT_TIMEOUT, err);
}

/* It may have ended by itself since the caller looked. */
static bool ended_meanwhile(struct mk_ctx *ctx, uint32_t id)
{
	struct mk_instance *inst;
	bool ended;

	if (mk_instance_get(ctx, id, &inst, NULL) < 0)
		return false;
	ended = mk_state_is_end(inst->get.state);
	mk_instance_free(inst);
	return ended;
}

static int ask_to_stop(struct mk_ctx *ctx, const struct mk_instance *inst,
		       struct mk_error *err)
{
	int r;

	if (inst->get.state == MK_STATE_STOPPING)
		return 0;
	r = mk_instance_stop(ctx, inst->get.id, err);
	if (r == -EBUSY && ended_meanwhile(ctx, inst->get.id))
		return 0;
	return r;
}

int mk_stop(struct mk_ctx *ctx, const struct mk_instance *inst, bool kill,
	    const struct mk_run_options *options, struct mk_error *err)
{
	int r;

	if (mk_state_is_end(inst->get.state))
		return hold(ctx, &inst->get, err);
	r = ask_to_stop(ctx, inst, err);
	if (r == 0)
		r = wait_for_end(ctx, inst, options, err);
	if (r < 0 && r != -EINTR && kill)
		return mk_kill(ctx, inst, err);
	if (r < 0) {
		mk_error_object(err, "%s", inst->get.name);
		mk_error_hint(err, "'mkctl show %s' tells more",
			      inst->get.name);
		return r;
	}
	return mk_vacate_settle(ctx, err);
}

/* Its own shares have ended with it; what else its config asked for */
static int end_shares(struct mk_ctx *ctx, const struct mk_get *get,
		      struct mk_error *err)
{
	struct mk_facts *facts;
	int r;

	if (mk_facts_find(ctx, get, &facts) < 0)
		return 0;
	r = mk_shares_forget(ctx, facts, err);
	mk_facts_free(facts);
	return r;
}

int mk_remove(struct mk_ctx *ctx, const struct mk_instance *inst,
	      struct mk_error *err)
{
	int r;

	r = mk_instance_destroy(ctx, inst->get.id, err);
	if (r < 0) {
		mk_error_object(err, "%s", inst->get.name);
		mk_error_hint(err, "stop it first: 'mkctl stop %s'",
			      inst->get.name);
		return r;
	}
	r = end_shares(ctx, &inst->get, err);
	if (r == 0)
		r = mk_facts_remove(ctx, inst->get.name, err);
	if (r == 0)
		r = mk_boot_log_remove(ctx, inst->get.name, err);
	return r < 0 ? r : mk_vacate_settle(ctx, err);
}

/*
 * The plan of a start: check, tasks, cpus, log, shares, start, boot. A restart
 * has one step more in front of it: stop. Whom the instance may talk to the
 * kernel has kept.
 */

/**
 * struct start_job - a start or restart under way
 * @fresh: @inst, looked up again after the stop; NULL in a start
 * @stop_timeout_ms: of a restart
 * @kill: of a restart
 * @log_lost: why the last boot's log is not kept, if it is not
 * @facts: NULL for an instance that mkctl did not make
 */
struct start_job {
	struct mk_ctx *ctx;
	const struct mk_instance *inst;
	struct mk_instance *fresh;
	unsigned int stop_timeout_ms;
	bool kill;
	struct mk_error log_lost;
	struct mk_boot boot;
	struct mk_facts *facts;
	struct mk_share_plan shares;
	unsigned int *cpus;
	size_t nr_cpus;
	bool split;
	bool started;
};

static int cpus_from_kernel(struct start_job *job)
{
	size_t i;

	job->nr_cpus = job->inst->get.nr_cpus;
	job->cpus = calloc(job->nr_cpus, sizeof(*job->cpus));
	if (!job->cpus)
		return -ENOMEM;
	for (i = 0; i < job->nr_cpus; i++)
		job->cpus[i] = job->inst->cpus[i].cpu;
	/* Without facts whole cores are asked for, as for any other. */
	job->split = job->facts && job->facts->allow_split_core;
	return 0;
}

/* A start that failed gave its CPUs back, and the kernel forgot them. */
static int cpus_from_facts(struct start_job *job)
{
	if (!job->facts)
		return -ENOENT;
	job->cpus = TAKE_PTR(job->facts->cpus);
	job->nr_cpus = job->facts->nr_cpus;
	job->split = job->facts->allow_split_core;
	return 0;
}

static int refuse_state(const struct mk_instance *inst, struct mk_error *err)
{
	struct mk_refusal refusal = {
		.reason = MK_REASON_BAD_STATE,
		.a = inst->get.state,
	};

	mk_refusal_error(err, &refusal, EBUSY, inst->get.name);
	mk_error_hint(err, "only an instance that has ended can be started again");
	return -EBUSY;
}

static void describe_check(const void *arg, char *buf, size_t size)
{
	const struct start_job *job = arg;

	snprintf(buf, size, "check that '%s' has ended and its CPUs are free",
		 job->inst->get.name);
}

static int check_shares(struct start_job *job, struct mk_error *err)
{
	static const struct mk_wanted_peers none;
	const struct mk_facts *facts = job->facts;
	int r;

	r = mk_share_plan_init(job->ctx, job->inst->get.name,
			       facts ? &facts->peers : &none,
			       facts ? facts->config : NULL, &job->shares, err);
	return r < 0 ? r : mk_share_plan_fits(&job->shares, err);
}

static int run_check(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;
	const struct mk_get *get = &job->inst->get;
	int r;

	if (!mk_state_is_end(get->state) && get->state != MK_STATE_LOADED)
		return refuse_state(job->inst, err);
	if (mk_facts_find(job->ctx, get, &job->facts) < 0)
		job->facts = NULL;
	r = get->nr_cpus ? cpus_from_kernel(job) : cpus_from_facts(job);
	if (r < 0) {
		mk_error_set(err, MK_ERR_FAILED, get->name,
			     "which CPUs it had is not known: %s",
			     strerror(-r));
		mk_error_hint(err, "remove it and spawn it again: 'mkctl rm %s', 'mkctl spawn FILE'",
			      get->name);
		return r;
	}
	if (!(get->flags & MK_GET_CPUS_LENT))
		r = mk_check_cpus(job->ctx, job->cpus, job->nr_cpus, job->split,
				  err);
	return r < 0 ? r : check_shares(job, err);
}

static void describe_tasks(const void *arg, char *buf, size_t size)
{
	const struct start_job *job = arg;

	mk_vacate_describe(job->ctx, job->cpus, job->nr_cpus, buf, size);
}

static int run_tasks(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;

	return mk_vacate(job->ctx, job->inst->get.name, job->cpus,
			 job->nr_cpus, err);
}

static int undo_tasks(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;

	return mk_vacate_settle(job->ctx, err);
}

static void describe_cpus(const void *arg, char *buf, size_t size)
{
	const struct start_job *job = arg;
	mk_autofree char *list = mk_cpulist_format(job->cpus, job->nr_cpus);

	snprintf(buf, size, "take CPUs %s offline and lend them",
		 list ? list : "?");
}

static int run_cpus(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;

	return mk_vacate_lend(job->ctx, job->boot.id, job->cpus,
			      job->nr_cpus,
			      job->split ? MK_CPUS_SPLIT_CORES : 0, err);
}

/* Once it was started, its end has given them back. */
static int undo_cpus(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;

	if (job->started)
		return 0;
	return mk_instance_set_cpus(job->ctx, job->boot.id, NULL, 0, 0, err);
}

static void describe_log(const void *arg, char *buf, size_t size)
{
	const struct start_job *job = arg;

	snprintf(buf, size, "keep the log of boot %u", job->inst->get.epoch);
}

/* A log that is lost is no reason to stay down. */
static int run_log(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;

	(void)err;
	if (mk_boot_log_keep(job->ctx, &job->inst->get, &job->log_lost) < 0)
		mk_error_object(&job->log_lost, "%s", job->inst->get.name);
	return 0;
}

/* Once it was started, the kernel has it no more. */
static int undo_log(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;

	if (job->started)
		return 0;
	return mk_boot_log_drop(job->ctx, &job->inst->get, err);
}

static void describe_shares(const void *arg, char *buf, size_t size)
{
	const struct start_job *job = arg;

	mk_share_plan_describe(&job->shares, buf, size);
}

static int run_shares(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;

	return mk_share_plan_make(&job->shares, err);
}

static int undo_shares(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;

	return mk_share_plan_undo(&job->shares, err);
}

static void describe_start(const void *arg, char *buf, size_t size)
{
	(void)arg;
	snprintf(buf, size, "build its device tree and start its first CPU");
}

static int run_start(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;
	int r = mk_boot_start_again(&job->boot, job->facts, err);

	job->started = r == 0;
	/* One file too many harms less than a start that fails for it. */
	if (job->started)
		(void)mk_boot_log_prune(job->ctx, &job->inst->get, NULL);
	return r;
}

static int undo_start(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;

	return mk_boot_kill(&job->boot, err);
}

static void describe_boot(const void *arg, char *buf, size_t size)
{
	const struct start_job *job = arg;

	mk_boot_describe_wait(&job->boot, buf, size);
}

static int run_boot(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;

	if (job->boot.options->no_wait)
		return mk_instance_get(job->ctx, job->boot.id, &job->boot.inst,
				       err);
	return mk_boot_wait(&job->boot, err);
}

static void describe_stop(const void *arg, char *buf, size_t size)
{
	const struct start_job *job = arg;

	snprintf(buf, size, "ask it to power off, wait up to %u s for its end",
		 job->stop_timeout_ms / 1000);
}

static int run_stop(void *arg, struct mk_error *err)
{
	struct start_job *job = arg;
	struct mk_run_options options = *job->boot.options;
	int r;

	options.timeout_ms = job->stop_timeout_ms;
	if (job->inst->get.state == MK_STATE_CREATED)
		return refuse_state(job->inst, err);
	if (job->inst->get.state == MK_STATE_LOADED)
		return 0;
	r = mk_stop(job->ctx, job->inst, job->kill, &options, err);
	if (r < 0)
		return r;
	r = mk_instance_get(job->ctx, job->boot.id, &job->fresh, err);
	if (r == 0)
		job->inst = job->fresh;
	return r;
}

/* A start is a restart without its first step. */
static const struct mk_step restart_steps[] = {
	{ "stop", describe_stop, run_stop, NULL, NULL },
	{ "check", describe_check, run_check, NULL, NULL },
	{ "tasks", describe_tasks, run_tasks, undo_tasks, "move it back" },
	{ "cpus", describe_cpus, run_cpus, undo_cpus, "give the CPUs back" },
	{ "log", describe_log, run_log, undo_log, "drop it" },
	{ "shares", describe_shares, run_shares, undo_shares,
	  "revoke what was made" },
	{ "start", describe_start, run_start, undo_start, "kill it" },
	{ "boot", describe_boot, run_boot, NULL, NULL },
};

static int run_plan(struct start_job *job, const struct mk_step *steps,
		    size_t nr_steps, struct mk_run_result *ret_result,
		    struct mk_error *err)
{
	int r;

	*ret_result = (struct mk_run_result){ 0 };
	r = mk_plan_run(steps, nr_steps, job, job->inst->get.name,
			job->boot.options, &ret_result->stages, err);
	ret_result->inst = TAKE_PTR(job->boot.inst);
	ret_result->log_tail = TAKE_PTR(job->boot.log_tail);
	ret_result->log_lost = job->log_lost;
	mk_share_plan_clear(&job->shares);
	mk_facts_free(job->facts);
	mk_instance_free(job->fresh);
	free(job->cpus);
	return r;
}

int mk_start(struct mk_ctx *ctx, const struct mk_instance *inst,
	     const struct mk_run_options *options,
	     struct mk_run_result *ret_result, struct mk_error *err)
{
	struct start_job job = {
		.ctx = ctx,
		.inst = inst,
		.boot = {
			.ctx = ctx,
			.options = options,
			.id = inst->get.id,
		},
	};

	return run_plan(&job, restart_steps + 1,
			MK_ARRAY_SIZE(restart_steps) - 1, ret_result, err);
}

int mk_restart(struct mk_ctx *ctx, const struct mk_instance *inst, bool kill,
	       unsigned int stop_timeout_ms,
	       const struct mk_run_options *options,
	       struct mk_run_result *ret_result, struct mk_error *err)
{
	struct start_job job = {
		.ctx = ctx,
		.inst = inst,
		.stop_timeout_ms = stop_timeout_ms,
		.kill = kill,
		.boot = {
			.ctx = ctx,
			.options = options,
			.id = inst->get.id,
		},
	};

	return run_plan(&job, restart_steps, MK_ARRAY_SIZE(restart_steps),
			ret_result, err);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doing what was decided: under the lock of changes, and decided again there.
 */
#include <syslog.h>

#include "mkd.h"

#define RETRY_NS	2000000000ull

/* A kill or a repair that fails is no reason to try it all the time. */
static void later(struct mkd_watched *w)
{
	w->not_before_ns = mkd_now_ns() + RETRY_NS;
}

static void note(void *arg, const char *text)
{
	const struct mkd_watched *w = arg;

	mkd_say(LOG_INFO, w->record.name, "%s", text);
}

static void kill_hung(struct mkd *m, struct mkd_watched *w,
		      const struct mk_instance *inst,
		      const struct mk_policy *policy)
{
	struct mk_error err = MK_ERROR_INIT;

	mkd_say(LOG_WARNING, w->record.name,
		"unresponsive (hang), CPU %u: killed, its policy is %s",
		inst->get.stuck_cpu, mk_on_hang_name(policy->on_hang));
	if (mk_kill_hung(m->ctx, inst, &err) < 0) {
		mkd_say_error(w->record.name, "cannot kill it", &err);
		later(w);
	}
}

static void kill_slow(struct mkd *m, struct mkd_watched *w,
		      const struct mk_instance *inst)
{
	struct mk_error err = MK_ERROR_INIT;

	mkd_say(LOG_WARNING, w->record.name,
		"starting: its kernel did not start PID 1 within %llu s, killed",
		(unsigned long long)m->boot_limit_ns / 1000000000);
	if (mk_kill_slow(m->ctx, inst, &err) < 0) {
		mkd_say_error(w->record.name, "cannot kill it", &err);
		later(w);
	}
}

static void start_failed(struct mkd *m, struct mkd_watched *w,
			 const struct mk_instance *inst,
			 const struct mk_facts *facts,
			 const struct mk_error *err)
{
	struct mk_instance *now;
	struct mkd_view view;
	enum mkd_action action;

	mkd_say_error(w->record.name, "cannot start it", err);
	/* If its kernel was started, that boot has an end of its own. */
	if (mk_instance_get(m->ctx, inst->get.id, &now, NULL) < 0)
		return;
	mkd_view_fill(m, &now->get, facts, &view);
	if (now->get.epoch == inst->get.epoch) {
		action = mkd_start_failed(&facts->policy, view.now_ns,
					  &w->record);
		mkd_record_save(m, w);
		mkd_say_decided(action, &facts->policy, &view, &w->record);
	}
	mk_instance_free(now);
}

/*
 * The record says first which boot is going to be mkd's: should mkd be killed
 * right behind START, the next one knows that it has been done, and watches it.
 */
static void start(struct mkd *m, struct mkd_watched *w,
		  const struct mk_instance *inst, const struct mk_facts *facts)
{
	const struct mk_run_options options = {
		.timeout_ms = (unsigned int)(m->boot_limit_ns / 1000000),
		.no_wait = true,
		.note = note,
		.note_arg = w,
	};
	char state[MKD_STATE_TEXT_MAX], try[MKD_TRY_TEXT_MAX];
	struct mk_error err = MK_ERROR_INIT;
	struct mk_run_result result;

	mkd_say(LOG_NOTICE, w->record.name, "%s: started again, %s",
		mkd_state_text(inst->get.state, inst->get.cause, state),
		mkd_try_text(&facts->policy, &w->record, try));
	w->record.started_epoch = inst->get.epoch + 1;
	mkd_record_save(m, w);
	if (mk_start(m->ctx, inst, &options, &result, &err) < 0)
		start_failed(m, w, inst, facts, &err);
	else if (result.log_lost.code)
		mkd_say_error(w->record.name, "the log of its last boot is not kept",
			      &result.log_lost);
	mk_run_result_clear(&result);
}

static void act_locked(struct mkd *m, struct mkd_watched *w,
		       enum mkd_action action, const struct mk_instance *inst,
		       const struct mk_facts *facts)
{
	struct mkd_record record;
	struct mkd_view view;
	uint64_t look_ns;

	mkd_view_fill(m, &inst->get, facts, &view);
	record = w->record;
	if (mkd_decide(&facts->policy, &view, &record, &look_ns) != action)
		return;		/* it is another question now */
	if (action == MKD_KILL_HUNG)
		kill_hung(m, w, inst, &facts->policy);
	else if (action == MKD_KILL_SLOW)
		kill_slow(m, w, inst);
	else if (action == MKD_START)
		start(m, w, inst, facts);
}

/* The present state, unless that instance is gone. */
static void act_again(struct mkd *m, struct mkd_watched *w,
		      enum mkd_action action, uint32_t id)
{
	struct mk_instance *inst;
	struct mk_facts *facts;

	if (mk_instance_get(m->ctx, id, &inst, NULL) < 0)
		return;
	if (inst->get.created_ns == w->record.created_ns &&
	    mk_facts_find(m->ctx, &inst->get, &facts) == 0) {
		act_locked(m, w, action, inst, facts);
		mk_facts_free(facts);
	}
	mk_instance_free(inst);
}

static void say_busy(struct mkd_watched *w, const struct mk_error *err)
{
	if (!w->busy_said)
		mkd_say_error(w->record.name, "waits for the lock", err);
	w->busy_said = true;
}

void mkd_act(struct mkd *m, struct mkd_watched *w, enum mkd_action action,
	     const struct mk_instance *inst)
{
	struct mk_change change = MK_CHANGE_NONE;
	struct mk_error err = MK_ERROR_INIT;

	if (action == MKD_DUMP) {
		mkd_dump(m, w, inst);
		return;
	}
	if (mk_change_begin(m->ctx, &change, &err) < 0) {
		say_busy(w, &err);
		later(w);
		return;
	}
	w->busy_said = false;
	w->not_before_ns = 0;
	act_again(m, w, action, inst->get.id);
	mk_change_end(&change);
}

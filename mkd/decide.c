// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a policy says about an instance as it is now: see decide.h.
 */
#include "decide.h"

#define NS	1000000000ull
#define SETTLE_NS	(2 * NS)	/* a spawn that fails needs some time */

/* Was the end one that the policy answers with a start? */
static bool wants_start(const struct mk_policy *policy, uint32_t state,
			uint32_t cause)
{
	bool hung = state == MK_STATE_KILLED && cause == MK_CAUSE_HANG;

	if (cause == MK_CAUSE_STOP || cause == MK_CAUSE_KILL)
		return false;	/* somebody asked for it */
	if (state == MK_STATE_STOPPED && cause == MK_CAUSE_REBOOT)
		return policy->start_after_reboot;
	if (hung && policy->on_hang == MK_ON_HANG_DUMP)
		return true;
	if (policy->restart == MK_RESTART_ON_FAILURE)
		return hung || state == MK_STATE_PANICKED ||
		       state == MK_STATE_FAILED;
	return policy->restart == MK_RESTART_ALWAYS;
}

static uint64_t backoff_ns(const struct mk_policy *policy, unsigned int tries)
{
	uint64_t s = policy->backoff_s;

	while (tries-- && s < policy->backoff_max_s)
		s *= 2;
	return (s < policy->backoff_max_s ? s : policy->backoff_max_s) * NS;
}

static enum mkd_action plan(const struct mk_policy *policy, uint64_t from_ns,
			    bool at_once, struct mkd_record *record)
{
	if (policy->max && record->tries >= policy->max) {
		record->verdict = MKD_VERDICT_GAVE_UP;
		return MKD_GIVE_UP;
	}
	record->verdict = MKD_VERDICT_START;
	record->due_ns = from_ns +
			 (at_once ? 0 : backoff_ns(policy, record->tries));
	record->tries++;
	return MKD_PLAN;
}

/* A row of starts ends with a boot that lasts, or that somebody else starts. */
static bool row_goes_on(const struct mk_policy *policy,
			const struct mkd_view *view,
			const struct mkd_record *record)
{
	uint64_t ran_ns = view->alive_ns && view->ended_ns > view->alive_ns ?
			  view->ended_ns - view->alive_ns : 0;

	return record->started_epoch == view->epoch &&
	       ran_ns < policy->window_s * NS;
}

static enum mkd_action decide_end(const struct mk_policy *policy,
				  const struct mkd_view *view,
				  struct mkd_record *record)
{
	if (!row_goes_on(policy, view, record))
		record->tries = 0;
	record->epoch = view->epoch;
	if (view->held_epoch == view->epoch ||
	    !wants_start(policy, view->state, view->cause)) {
		record->verdict = MKD_VERDICT_LEFT;
		return MKD_LEAVE;
	}
	/* Who reboots wants it; only in a row it may be a fault. */
	return plan(policy, view->ended_ns,
		    view->cause == MK_CAUSE_REBOOT && record->tries == 0,
		    record);
}

static enum mkd_action go_on_with_end(const struct mk_policy *policy,
				      const struct mkd_view *view,
				      struct mkd_record *record,
				      uint64_t *look_ns)
{
	if (record->verdict != MKD_VERDICT_START)
		return MKD_NOTHING;
	if (view->held_epoch == view->epoch) {
		record->verdict = MKD_VERDICT_LEFT;
		return MKD_LEAVE;
	}
	if (view->cause == MK_CAUSE_HANG &&
	    policy->on_hang == MK_ON_HANG_DUMP &&
	    record->dumped_epoch != view->epoch)
		return MKD_DUMP;
	if (view->now_ns >= record->due_ns)
		return MKD_START;
	*look_ns = record->due_ns;
	return MKD_WAIT;
}

static enum mkd_action watch_boot(const struct mkd_view *view,
				  const struct mkd_record *record,
				  uint64_t *look_ns)
{
	uint64_t end_ns = view->started_ns + view->boot_limit_ns;

	/* Whoever else started it watches it himself. */
	if (record->started_epoch != view->epoch)
		return MKD_NOTHING;
	if (view->now_ns >= end_ns)
		return MKD_KILL_SLOW;
	*look_ns = end_ns;
	return MKD_WAIT;
}

enum mkd_action mkd_decide(const struct mk_policy *policy,
			   const struct mkd_view *view,
			   struct mkd_record *record, uint64_t *ret_look_ns)
{
	bool ended = mk_state_is_end(view->state);
	bool slow = view->state == MK_STATE_STARTING &&
		    view->now_ns >= view->started_ns + view->boot_limit_ns;

	*ret_look_ns = MKD_NEVER;
	if (!policy->given)
		return MKD_NOTHING;
	if (view->pending &&
	    (ended || slow || view->state == MK_STATE_UNRESPONSIVE)) {
		*ret_look_ns = view->now_ns + SETTLE_NS;
		return MKD_SETTLE;
	}
	if (view->state == MK_STATE_UNRESPONSIVE)
		return policy->on_hang == MK_ON_HANG_REPORT ? MKD_NOTHING :
							      MKD_KILL_HUNG;
	if (view->state == MK_STATE_STARTING)
		return watch_boot(view, record, ret_look_ns);
	if (!ended)
		return MKD_NOTHING;
	if (record->epoch != view->epoch)
		return decide_end(policy, view, record);
	return go_on_with_end(policy, view, record, ret_look_ns);
}

enum mkd_action mkd_start_failed(const struct mk_policy *policy,
				 uint64_t now_ns, struct mkd_record *record)
{
	return plan(policy, now_ns, false, record);
}

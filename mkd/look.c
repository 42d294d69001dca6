// SPDX-License-Identifier: GPL-2.0-only
/*
 * One look at all instances: what is to be done about each is decided and done;
 * what is gone is forgotten.
 */
#include <syslog.h>
#include <time.h>

#include "mkd.h"

/* Each decision changes the state or the record; more than these are a loop. */
#define TURNS_MAX	6
#define AGAIN_NS	1000000000ull

uint64_t mkd_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void mkd_view_fill(const struct mkd *m, const struct mk_get *get,
		   const struct mk_facts *facts, struct mkd_view *ret_view)
{
	*ret_view = (struct mkd_view){
		.state = get->state,
		.cause = get->cause,
		.epoch = get->epoch,
		.held_epoch = facts->held_epoch,
		.pending = facts->pending,
		.started_ns = get->started_ns,
		.alive_ns = get->alive_ns,
		.ended_ns = get->ended_ns,
		.now_ns = mkd_now_ns(),
		.boot_limit_ns = m->boot_limit_ns,
	};
}

/* What needs nothing done is said as well. */
static void say_change(struct mkd_watched *w, const struct mk_get *get)
{
	const char *name = w->record.name;

	if (w->state == get->state)
		return;
	if (get->state == MK_STATE_UNRESPONSIVE)
		mkd_say(LOG_WARNING, name,
			"unresponsive (%s): CPU %u of the host has not beaten for %u ms",
			mk_cause_name(get->cause), get->stuck_cpu,
			get->watchdog_ms);
	else if (get->state == MK_STATE_RUNNING &&
		 w->state == MK_STATE_UNRESPONSIVE)
		mkd_say(LOG_NOTICE, name, "running: all its CPUs beat again");
	w->state = get->state;
}

/* Returns when to look again. */
static uint64_t turn(struct mkd *m, struct mkd_watched *w,
		     const struct mk_instance *inst,
		     const struct mk_facts *facts, bool *again)
{
	struct mkd_view view;
	enum mkd_action action;
	uint64_t look_ns;

	*again = false;
	mkd_view_fill(m, &inst->get, facts, &view);
	action = mkd_decide(&facts->policy, &view, &w->record, &look_ns);
	switch (action) {
	case MKD_PLAN:
	case MKD_LEAVE:
	case MKD_GIVE_UP:
		mkd_record_save(m, w);
		mkd_say_decided(action, &facts->policy, &view, &w->record);
		*again = true;
		return look_ns;
	case MKD_NOTHING:
	case MKD_WAIT:
		return look_ns;
	case MKD_SETTLE:
		/* A spawn that is not killed undoes all by itself. */
		if (!w->settle_ns)
			w->settle_ns = look_ns;
		if (view.now_ns < w->settle_ns)
			return w->settle_ns;
		w->settle_ns = 0;
		/* fall through */
	default:
		if (view.now_ns < w->not_before_ns)
			return w->not_before_ns;
		mkd_act(m, w, action, inst);
		*again = true;
		return look_ns;
	}
}

static uint64_t look_with(struct mkd *m, struct mkd_watched *w,
			  const struct mk_instance *inst,
			  const struct mk_facts *facts, bool *again)
{
	if (!w)
		w = mkd_watched_add(m, &inst->get);
	if (!w)
		return mkd_now_ns() + AGAIN_NS;	/* out of memory */
	w->seen = true;
	say_change(w, &inst->get);
	return turn(m, w, inst, facts, again);
}

static uint64_t look_at(struct mkd *m, uint32_t id)
{
	struct mkd_watched *w;
	struct mk_facts *facts;
	struct mk_instance *inst;
	uint64_t look_ns = MKD_NEVER;
	bool again = true;

	for (int i = 0; again && i < TURNS_MAX; i++) {
		if (mk_instance_get(m->ctx, id, &inst, NULL) < 0)
			break;
		again = false;
		w = mkd_watched_find(m, &inst->get);
		if (w)
			w->seen = true;
		/* One that mkctl did not make has no policy. */
		if (mk_facts_find(m->ctx, &inst->get, &facts) == 0) {
			if (facts->policy.given)
				look_ns = look_with(m, w, inst, facts, &again);
			mk_facts_free(facts);
		}
		mk_instance_free(inst);
	}
	return again ? mkd_now_ns() + AGAIN_NS : look_ns;
}

static void forget_gone(struct mkd *m)
{
	const struct mkd_record *record;

	for (size_t i = 0; i < m->nr_watched; ) {
		if (m->watched[i]->seen) {
			i++;
			continue;
		}
		record = &m->watched[i]->record;
		if (record->verdict == MKD_VERDICT_START &&
		    record->started_epoch <= record->epoch)
			mkd_say(LOG_NOTICE, record->name,
				"gone: it is not started again");
		mkd_watched_drop(m, i);
	}
}

int mkd_round(struct mkd *m, uint64_t *ret_look_ns, struct mk_error *err)
{
	struct mk_instance_list list;
	uint64_t look_ns = MKD_NEVER, one_ns;
	int r;

	r = mk_instance_list_get(m->ctx, &list, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < m->nr_watched; i++)
		m->watched[i]->seen = false;
	for (size_t i = 0; i < list.nr_items && !*m->stop; i++) {
		one_ns = look_at(m, list.items[i]->get.id);
		look_ns = one_ns < look_ns ? one_ns : look_ns;
	}
	mk_instance_list_clear(&list);
	if (!*m->stop)
		forget_gone(m);
	*ret_look_ns = look_ns;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * States of an instance: one table says which may follow which, one function
 * carries out a change and wakes whoever waits for it.
 */
#include <linux/poll.h>
#include <linux/ktime.h>
#include <linux/timekeeping.h>

#include "internal.h"

#define S(state) BIT(MK_STATE_##state)
#define ENDS (S(STOPPED) | S(PANICKED) | S(KILLED) | S(FAILED))

/* mk_successors[from]: the states that may follow @from */
static const u32 mk_successors[MK_NR_STATES] = {
	[MK_STATE_CREATED]	= S(LOADED),
	[MK_STATE_LOADED]	= S(STARTING) | S(LOADED),
	[MK_STATE_STARTING]	= S(RUNNING) | S(STOPPING) | ENDS,
	[MK_STATE_RUNNING]	= S(UNRESPONSIVE) | S(FROZEN) | S(STOPPING) |
				  ENDS,
	[MK_STATE_UNRESPONSIVE]	= S(RUNNING) | S(STOPPING) | ENDS,
	[MK_STATE_FROZEN]	= S(RUNNING) | ENDS,
	[MK_STATE_STOPPING]	= S(STOPPING) | ENDS,
	[MK_STATE_STOPPED]	= S(STARTING),
	[MK_STATE_PANICKED]	= S(STARTING),
	[MK_STATE_KILLED]	= S(STARTING),
	[MK_STATE_FAILED]	= S(STARTING),
};

static const char *const mk_state_names[MK_NR_STATES] = {
	[MK_STATE_CREATED]	= "created",
	[MK_STATE_LOADED]	= "loaded",
	[MK_STATE_STARTING]	= "starting",
	[MK_STATE_RUNNING]	= "running",
	[MK_STATE_UNRESPONSIVE]	= "unresponsive",
	[MK_STATE_FROZEN]	= "frozen",
	[MK_STATE_STOPPING]	= "stopping",
	[MK_STATE_STOPPED]	= "stopped",
	[MK_STATE_PANICKED]	= "panicked",
	[MK_STATE_KILLED]	= "killed",
	[MK_STATE_FAILED]	= "failed",
};

static const char *const mk_cause_names[MK_NR_CAUSES] = {
	[MK_CAUSE_NONE]		= "none",
	[MK_CAUSE_STOP]		= "stop",
	[MK_CAUSE_POWEROFF]	= "poweroff",
	[MK_CAUSE_HALT]		= "halt",
	[MK_CAUSE_REBOOT]	= "reboot",
	[MK_CAUSE_PANIC]	= "panic",
	[MK_CAUSE_KILL]		= "kill",
	[MK_CAUSE_HANG]		= "hang",
	[MK_CAUSE_BOOT_TIMEOUT]	= "boot-timeout",
	[MK_CAUSE_CPU_START]	= "cpu-start",
};

bool mk_state_is_end(enum mk_state state)
{
	return state < MK_NR_STATES && (BIT(state) & ENDS);
}

/** mk_state_has_cpus() - may its CPUs be executing in this state? */
bool mk_state_has_cpus(enum mk_state state)
{
	return state < MK_NR_STATES &&
	       (BIT(state) & (S(STARTING) | S(RUNNING) | S(UNRESPONSIVE) |
			      S(FROZEN) | S(STOPPING)));
}

bool mk_state_may_become(enum mk_state from, enum mk_state to)
{
	if (from >= MK_NR_STATES || to >= MK_NR_STATES)
		return false;
	return mk_successors[from] & BIT(to);
}

const char *mk_state_name(enum mk_state state)
{
	return state < MK_NR_STATES ? mk_state_names[state] : "?";
}

const char *mk_cause_name(enum mk_cause cause)
{
	return cause < MK_NR_CAUSES ? mk_cause_names[cause] : "?";
}

enum mk_state mk_get_state(struct mk_instance *inst)
{
	return READ_ONCE(inst->state);
}

/* Remembers when a state was entered. */
static void mk_stamp(struct mk_instance *inst, u64 now)
{
	switch (inst->state) {
	case MK_STATE_LOADED:
		inst->loaded_ns = now;
		break;
	case MK_STATE_STARTING:
		inst->started_ns = inst->start_asked_ns ?: now;
		inst->stop_asked = false;
		inst->sipi_ns = 0;
		inst->alive_ns = 0;
		inst->log_zero_ns = 0;
		inst->ready_ns = 0;
		inst->ended_ns = 0;
		inst->cpus_back_ns = 0;
		inst->ended_realtime_ns = 0;
		inst->features = 0;
		memset(inst->boot_id, 0, sizeof(inst->boot_id));
		break;
	default:
		break;
	}
	if (mk_state_is_end(inst->state)) {
		inst->last_state = inst->state;
		inst->last_cause = inst->cause;
		inst->last_ended_realtime_ns = inst->ended_realtime_ns;
	}
	inst->change_ns = now;
	inst->change_realtime_ns = ktime_get_real_ns();
}

/**
 * mk_set_state() - change the state of an instance
 * @inst: instance
 * @to: new state
 * @cause: why
 *
 * Return: true if the table allows the change and it was made.
 */
bool mk_set_state(struct mk_instance *inst, enum mk_state to,
		  enum mk_cause cause)
{
	unsigned long flags;
	bool may;

	spin_lock_irqsave(&inst->lock, flags);
	may = mk_state_may_become(inst->state, to);
	if (may) {
		WRITE_ONCE(inst->state, to);
		inst->cause = cause;
		inst->change_seq++;
		mk_stamp(inst, ktime_get_boottime_ns());
		mk_event_add(inst);
	}
	spin_unlock_irqrestore(&inst->lock, flags);

	if (may) {
		wake_up_interruptible_poll(&inst->changed, EPOLLIN);
		mk_events_wake();
		mk_show_changed(inst);
	}
	return may;
}

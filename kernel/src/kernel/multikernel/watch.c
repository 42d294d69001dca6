// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watchdog: the host looks at the heartbeats of all instances and says so
 * when a CPU does not beat any more, and when it does again. What follows from
 * that is for user space to decide: nothing is ever ended here.
 *
 * Times are sums of the time between looks, each cut off, so that a host that
 * stood still itself (a debugger, a paused virtual machine) blames nobody.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/ktime.h>
#include <linux/slab.h>

#include "internal.h"

#define MK_LOOK_MS	250
#define MK_LOOK_MAX_MS	(2 * MK_LOOK_MS)

/* A task beats once a second: it is not late before it has missed one. */
#define MK_TASK_MIN_MS	2000

const u32 mk_watched_states = BIT(MK_STATE_RUNNING) |
			      BIT(MK_STATE_UNRESPONSIVE);

/* One CPU in the numbering of the instance: what was seen, and since when */
struct mk_watch_cpu {
	u32 irq_beats;
	u32 irq_silent_ms;
	u32 task_beats;
	u32 task_silent_ms;
};

/**
 * struct mk_watch - what the host remembers of an instance's beats
 * @looked_ns: when it looked last, 0 for not yet
 * @silent_ms: for how long no CPU at all has said that it beats
 * @cpus: by the instance's numbering
 */
struct mk_watch {
	u64 looked_ns;
	u32 silent_ms;
	struct mk_watch_cpu cpus[MK_SLOT_CPUS];
};

/** mk_watch_add() - for a new instance; 0 or -ENOMEM */
int mk_watch_add(struct mk_instance *inst)
{
	inst->watch = kzalloc(sizeof(*inst->watch), GFP_KERNEL);
	inst->watchdog_ms = MK_WATCHDOG_DEFAULT;
	return inst->watch ? 0 : -ENOMEM;
}

void mk_watch_remove(struct mk_instance *inst)
{
	kfree(inst->watch);
}

/** mk_watch_clear() - forget what was: all have beaten just now */
void mk_watch_clear(struct mk_watch *watch)
{
	memset(watch, 0, sizeof(*watch));
}

/**
 * mk_beating_cpu() - which of an instance's CPUs is its CPU @n?
 * @slot: of the instance, which may write there what it likes, any time
 * @cpus: that were lent to it
 * @nr: how many
 * @n: in its own numbering, below MK_SLOT_CPUS
 *
 * Return: that CPU; NULL if it does not say that @n beats and answers NMIs, or
 * names a CPU that is not its own.
 */
const struct mk_cpu *mk_beating_cpu(const struct mk_slot *slot,
				    const struct mk_cpu *cpus, u32 nr, u32 n)
{
	u32 i, apicid;

	if (!(READ_ONCE(slot->beating[n / 64]) & BIT_ULL(n % 64)))
		return NULL;
	apicid = READ_ONCE(slot->apicids[n]);
	for (i = 0; i < nr; i++)
		if (cpus[i].apicid == apicid)
			return &cpus[i];
	return NULL;
}

/* Has a counter stood still for too long? */
static bool mk_silent(u32 beats, u32 *seen, u32 *silent_ms, u32 passed_ms,
		      u32 limit_ms)
{
	if (beats != *seen) {
		*seen = beats;
		*silent_ms = 0;
	} else {
		*silent_ms = min(*silent_ms + passed_ms, 2U * MK_WATCHDOG_MAX);
	}
	return *silent_ms >= limit_ms;
}

static bool mk_cpu_stuck(struct mk_watch_cpu *seen,
			 const struct mk_slot_cpu *cpu, u32 passed_ms,
			 u32 timeout_ms)
{
	u32 task_ms = max(timeout_ms, MK_TASK_MIN_MS);
	bool irq = mk_silent(READ_ONCE(cpu->irq_beats), &seen->irq_beats,
			     &seen->irq_silent_ms, passed_ms, timeout_ms);
	bool task = mk_silent(READ_ONCE(cpu->task_beats), &seen->task_beats,
			      &seen->task_silent_ms, passed_ms, task_ms);

	return irq || task;
}

/**
 * mk_watch_look() - look at an instance's beats once
 * @watch: what was seen before
 * @slot: of the instance
 * @cpus: that were lent to it
 * @nr: how many
 * @passed_ms: since the last look
 * @timeout_ms: how long one may be silent
 * @ret_cpu: the first that is stuck, its number on the host
 *
 * Return: how many are stuck. One that does not say that it beats is none of
 * them (an instance may take its CPUs offline), but if nobody says so, then all
 * are.
 */
u32 mk_watch_look(struct mk_watch *watch, const struct mk_slot *slot,
		  const struct mk_cpu *cpus, u32 nr, u32 passed_ms,
		  u32 timeout_ms, u32 *ret_cpu)
{
	const struct mk_cpu *cpu;
	u32 n, beating = 0, stuck = 0;

	for (n = 0; n < MK_SLOT_CPUS; n++) {
		cpu = mk_beating_cpu(slot, cpus, nr, n);
		if (!cpu) {
			memset(&watch->cpus[n], 0, sizeof(watch->cpus[n]));
			continue;
		}
		beating++;
		if (mk_cpu_stuck(&watch->cpus[n], &slot->cpus[n], passed_ms,
				 timeout_ms) && !stuck++)
			*ret_cpu = cpu->cpu;
	}
	watch->silent_ms = beating ? 0 : min(watch->silent_ms + passed_ms,
					     2U * MK_WATCHDOG_MAX);
	if (watch->silent_ms < timeout_ms)
		return stuck;
	*ret_cpu = cpus[0].cpu;
	return nr;
}

static u32 mk_passed_ms(struct mk_watch *watch)
{
	u64 now = ktime_get_boottime_ns();
	u64 passed = watch->looked_ns ? now - watch->looked_ns : 0;

	watch->looked_ns = now;
	return min(div_u64(passed, NSEC_PER_MSEC), MK_LOOK_MAX_MS);
}

static void mk_set_stuck(struct mk_instance *inst, u32 nr, u32 cpu)
{
	unsigned long flags;

	spin_lock_irqsave(&inst->lock, flags);
	inst->nr_stuck = nr;
	inst->stuck_cpu = cpu;
	spin_unlock_irqrestore(&inst->lock, flags);
}

static void mk_say_stuck(struct mk_instance *inst, u32 nr, u32 cpu)
{
	bool was = mk_get_state(inst) == MK_STATE_UNRESPONSIVE;

	mk_set_stuck(inst, nr, cpu);
	if (!was && mk_set_state(inst, MK_STATE_UNRESPONSIVE, MK_CAUSE_HANG))
		pr_warn("instance '%s' is unresponsive: %u of its CPUs do not beat, the first is CPU %u\n",
			inst->name, nr, cpu);
}

static void mk_say_well(struct mk_instance *inst)
{
	if (mk_get_state(inst) != MK_STATE_UNRESPONSIVE)
		return;
	if (mk_set_state(inst, MK_STATE_RUNNING, MK_CAUSE_NONE))
		pr_info("instance '%s' is running again\n", inst->name);
	mk_set_stuck(inst, 0, 0);
}

static void mk_watch(struct mk_instance *inst)
{
	u32 passed_ms = mk_passed_ms(inst->watch);
	u32 nr = 0, cpu = 0;

	if (!(inst->features & MK_FEATURE_BEATS) || READ_ONCE(inst->ended_ns))
		return;
	if (inst->watchdog_ms)
		nr = mk_watch_look(inst->watch, inst->slot, inst->cpus,
				   inst->nr_cpus, passed_ms, inst->watchdog_ms,
				   &cpu);
	if (nr)
		mk_say_stuck(inst, nr, cpu);
	else
		mk_say_well(inst);
}

static void mk_watch_all(struct work_struct *work);
static DECLARE_DELAYED_WORK(mk_watch_work, mk_watch_all);

static void mk_watch_soon(void)
{
	queue_delayed_work(mk_wq, &mk_watch_work, msecs_to_jiffies(MK_LOOK_MS));
}

static void mk_watch_all(struct work_struct *work)
{
	struct mk_instance *inst;
	bool any = false;

	guard(mutex)(&mk_lock);
	list_for_each_entry(inst, &mk_instances, node) {
		if (!(BIT(mk_get_state(inst)) & mk_watched_states))
			continue;
		any = true;
		mk_watch(inst);
	}
	if (any)
		mk_watch_soon();
}

/**
 * mk_watch_begin() - an instance has come to life
 * @inst: not yet in a state that is watched
 *
 * What it can do is noted once: later, its slot may have been overwritten.
 */
void mk_watch_begin(struct mk_instance *inst)
{
	unsigned long flags;

	spin_lock_irqsave(&inst->lock, flags);
	inst->features = READ_ONCE(inst->slot->features) & MK_FEATURES;
	spin_unlock_irqrestore(&inst->lock, flags);
	mk_watch_soon();
}

/** mk_instance_set_watchdog() - 0, -ENOENT, -EBUSY or -EINVAL */
int mk_instance_set_watchdog(u32 id, u32 timeout_ms, struct mk_refusal *r)
{
	struct mk_instance *inst;

	if (timeout_ms && (timeout_ms < MK_WATCHDOG_MIN ||
			   timeout_ms > MK_WATCHDOG_MAX)) {
		mk_refuse(r, MK_REASON_WATCHDOG_TIME, timeout_ms,
			  MK_WATCHDOG_MIN, NULL);
		return -EINVAL;
	}
	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(id, r);
	if (!inst)
		return mk_lookup_errno(r);
	WRITE_ONCE(inst->watchdog_ms, timeout_ms);
	mk_watch_clear(inst->watch);
	return 0;
}

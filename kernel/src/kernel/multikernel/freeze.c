// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host asks of an instance's CPUs by NMI: to store their registers and
 * to wait, for a while (FREEZE, THAW) or for their end.
 *
 * An NMI goes only to CPUs that the instance says it answers for and that are
 * its own: any other might run nothing, or somebody else's kernel. The request
 * itself stands in the region's table, where the instance cannot change it, so
 * a CPU that takes the NMI late does what is wanted by then.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/ktime.h>

#include "internal.h"

/* A CPU answers within some 10 us, but a virtual one may have to wait its turn */
#define MK_SAVE_US	(100 * USEC_PER_MSEC)
#define MK_FREEZE_US	USEC_PER_SEC

static void mk_ask(struct mk_instance *inst, enum mk_request request)
{
	struct mk_region_entry *entry = inst->entry;

	WRITE_ONCE(entry->request, request);
	/* A CPU that sees that there is a new request sees which. */
	smp_store_release(&entry->request_seq, entry->request_seq + 1);
	/* Against a CPU that begins to beat, see mk_beat_online() */
	smp_mb();
}

static bool mk_bit(const u64 *words, u32 n)
{
	return READ_ONCE(words[n / 64]) & BIT_ULL(n % 64);
}

/*
 * Sends an NMI to each CPU that has not answered and has got none yet, and says
 * how many have not answered, and which is the first of them.
 */
static u32 mk_nudge(struct mk_instance *inst, const u64 *answered,
		    unsigned long *nudged, u32 *ret_cpu)
{
	const struct mk_cpu *cpu;
	u32 n, waiting = 0;

	for (n = 0; n < MK_SLOT_CPUS; n++) {
		cpu = mk_beating_cpu(inst->slot, inst->cpus, inst->nr_cpus, n);
		if (!cpu || mk_bit(answered, n))
			continue;
		if (!test_bit(n, nudged) && !mk_arch_nmi(cpu->apicid))
			__set_bit(n, nudged);
		if (!waiting++)
			*ret_cpu = cpu->cpu;
	}
	return waiting;
}

/* Until all have answered, or the time is over: then one of them is named. */
static u32 mk_nudge_all(struct mk_instance *inst, const u64 *answered,
			u32 timeout_us, u32 *ret_cpu)
{
	DECLARE_BITMAP(nudged, MK_SLOT_CPUS) = { };
	ktime_t end = ktime_add_us(ktime_get(), timeout_us);
	u32 waiting;

	for (;;) {
		waiting = mk_nudge(inst, answered, nudged, ret_cpu);
		if (!waiting || ktime_after(ktime_get(), end))
			return waiting;
		usleep_range(50, 100);
	}
}

/**
 * mk_save_registers() - before an instance's CPUs are reset
 * @inst: its end has come; under mk_lock
 *
 * All that answer have stored their registers and wait for the reset when this
 * returns. At most MK_SAVE_US.
 */
void mk_save_registers(struct mk_instance *inst)
{
	u32 cpu;

	if (READ_ONCE(inst->slot->epoch) != inst->epoch ||
	    !(READ_ONCE(inst->slot->features) & MK_FEATURE_PARK))
		return;
	mk_ask(inst, MK_REQUEST_SAVE);
	mk_nudge_all(inst, inst->slot->saved, MK_SAVE_US, &cpu);
}

static bool mk_any_parked(const struct mk_instance *inst)
{
	u32 n;

	for (n = 0; n < MK_SLOT_CPUS; n++)
		if (mk_bit(inst->slot->parked, n) &&
		    mk_beating_cpu(inst->slot, inst->cpus, inst->nr_cpus, n))
			return true;
	return false;
}

static int mk_no_answer(struct mk_instance *inst, u32 cpu, struct mk_refusal *r)
{
	mk_refuse(r, MK_REASON_CPU_NO_ANSWER, cpu, 0, inst->name);
	return -ETIMEDOUT;
}

static int mk_freeze_check(struct mk_instance *inst, struct mk_refusal *r)
{
	if (mk_get_state(inst) == MK_STATE_UNRESPONSIVE)
		return mk_no_answer(inst, inst->stuck_cpu, r);
	if (READ_ONCE(inst->ended_ns) ||
	    mk_get_state(inst) != MK_STATE_RUNNING)
		return mk_instance_need_state(inst, 0, r);
	/* Those from MK_SLOT_CPUS on cannot answer, and would go on. */
	if (inst->features & MK_FEATURE_PARK && inst->nr_cpus <= MK_SLOT_CPUS)
		return 0;
	mk_refuse(r, MK_REASON_FEATURE_MISSING, MK_FEATURE_PARK, 0,
		  inst->name);
	return -EOPNOTSUPP;
}

static int mk_freeze(struct mk_instance *inst, struct mk_refusal *r)
{
	u32 cpu = inst->cpus[0].cpu;

	mk_ask(inst, MK_REQUEST_FREEZE);
	if (!mk_nudge_all(inst, inst->slot->parked, MK_FREEZE_US, &cpu) &&
	    mk_any_parked(inst) && !READ_ONCE(inst->ended_ns) &&
	    mk_set_state(inst, MK_STATE_FROZEN, MK_CAUSE_NONE))
		return 0;
	mk_ask(inst, MK_REQUEST_NONE);
	return mk_no_answer(inst, cpu, r);
}

/**
 * mk_instance_freeze() - all CPUs of an instance stand still, or none
 * @id: instance
 * @r: why not, on failure
 *
 * Return: 0, -ENOENT, -EBUSY, -EOPNOTSUPP or -ETIMEDOUT.
 */
int mk_instance_freeze(u32 id, struct mk_refusal *r)
{
	struct mk_instance *inst;
	int ret;

	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(id, r);
	if (!inst)
		return mk_lookup_errno(r);
	ret = mk_freeze_check(inst, r);
	return ret ?: mk_freeze(inst, r);
}

/**
 * mk_instance_thaw() - a frozen instance goes on
 * @id: instance
 * @r: why not, on failure
 *
 * Return: 0, -ENOENT or -EBUSY.
 */
int mk_instance_thaw(u32 id, struct mk_refusal *r)
{
	struct mk_instance *inst;
	ktime_t end;
	int ret;

	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(id, r);
	if (!inst)
		return mk_lookup_errno(r);
	ret = mk_instance_need_state(inst, BIT(MK_STATE_FROZEN), r);
	if (ret)
		return ret;
	mk_ask(inst, MK_REQUEST_NONE);
	end = ktime_add_us(ktime_get(), MK_FREEZE_US);
	while (mk_any_parked(inst) && ktime_before(ktime_get(), end))
		usleep_range(50, 100);
	/* From now on the watchdog finds one that has not come back. */
	mk_watch_clear(inst->watch);
	mk_set_state(inst, MK_STATE_RUNNING, MK_CAUSE_NONE);
	mk_watch_soon();
	return 0;
}

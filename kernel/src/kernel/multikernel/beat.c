// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instance's heartbeats: two counters for each CPU, in the slot.
 *
 * A timer in hard interrupt context counts the first, so a CPU that runs with
 * interrupts off stops it. Once a second it wakes the CPU's stopper, the task
 * that nothing but interrupts can keep from running, which counts the second:
 * a CPU that loops with preemption off stops only that one. Both are pinned, so
 * a CPU stops its own and nobody else's.
 */
#include <linux/cpuhotplug.h>
#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>

#include "internal.h"

#define MK_BEAT_NS	(100 * NSEC_PER_MSEC)
#define MK_TASK_EVERY	10	/* beats */

struct mk_beater {
	struct hrtimer timer;
	struct cpu_stop_work work;
	bool queued;
};

static DEFINE_PER_CPU(struct mk_beater, mk_beater);
static struct mk_slot *mk_slot __ro_after_init;

static int mk_task_beat(void *data)
{
	u32 *beats = &mk_slot->cpus[smp_processor_id()].task_beats;

	WRITE_ONCE(*beats, *beats + 1);
	WRITE_ONCE(this_cpu_ptr(&mk_beater)->queued, false);
	return 0;
}

static enum hrtimer_restart mk_irq_beat(struct hrtimer *timer)
{
	struct mk_beater *b = container_of(timer, struct mk_beater, timer);
	u32 cpu = smp_processor_id();
	u32 *beats = &mk_slot->cpus[cpu].irq_beats;
	u32 now = READ_ONCE(*beats) + 1;

	WRITE_ONCE(*beats, now);
	if (now % MK_TASK_EVERY == 0 && !READ_ONCE(b->queued)) {
		WRITE_ONCE(b->queued, true);
		if (!stop_one_cpu_nowait(cpu, mk_task_beat, NULL, &b->work))
			WRITE_ONCE(b->queued, false);
	}
	hrtimer_forward_now(timer, ns_to_ktime(MK_BEAT_NS));
	return HRTIMER_RESTART;
}

static int mk_beat_online(unsigned int cpu)
{
	struct mk_beater *b = per_cpu_ptr(&mk_beater, cpu);

	if (cpu >= MK_SLOT_CPUS)
		return 0;
	hrtimer_init(&b->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	b->timer.function = mk_irq_beat;
	WRITE_ONCE(mk_slot->apicids[cpu], mk_arch_apicid(cpu));
	/* Who sees the bit finds the id. */
	smp_wmb();
	set_bit(cpu, (unsigned long *)mk_slot->beating);
	hrtimer_start(&b->timer, ns_to_ktime(MK_BEAT_NS),
		      HRTIMER_MODE_REL_PINNED_HARD);
	return 0;
}

static int mk_nothing(void *data)
{
	return 0;
}

static int mk_beat_offline(unsigned int cpu)
{
	if (cpu >= MK_SLOT_CPUS)
		return 0;
	clear_bit(cpu, (unsigned long *)mk_slot->beating);
	hrtimer_cancel(&per_cpu_ptr(&mk_beater, cpu)->timer);
	/* The stopper works in order: behind this the last beat is done. */
	stop_one_cpu(cpu, mk_nothing, NULL);
	return 0;
}

/** mk_beat_init() - all CPUs beat from now on; 0 or -errno */
int __init mk_beat_init(struct mk_slot *slot)
{
	int ret;

	mk_slot = slot;
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "multikernel:beat",
				mk_beat_online, mk_beat_offline);
	return min(ret, 0);
}

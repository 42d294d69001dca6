// SPDX-License-Identifier: GPL-2.0-only
/*
 * NMIs between kernels: how the host sends one, and how a CPU of an instance
 * takes it. Also what an instance does with NMIs of its own, when it panics:
 * its other CPUs are stopped by one, so that their registers are stored.
 */
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/nmi.h>
#include <asm/smp.h>

#include "../../../kernel/multikernel/internal.h"
#include "icr.h"

/** mk_arch_nmi() - send an NMI to a CPU that is known to run an instance */
int mk_arch_nmi(u32 apicid)
{
	return mk_icr_send(apicid, APIC_DM_NMI | APIC_INT_ASSERT);
}

static int mk_park_nmi(unsigned int type, struct pt_regs *regs)
{
	return mk_park(regs) ? NMI_HANDLED : NMI_DONE;
}
NOKPROBE_SYMBOL(mk_park_nmi);

/* It takes as long as the freeze does, which is nothing to warn of. */
static struct nmiaction mk_park_action = {
	.list = LIST_HEAD_INIT(mk_park_action.list),
	.handler = mk_park_nmi,
	.max_duration = U64_MAX,
	.name = "multikernel",
};

/*
 * Linux would ask the others nicely first, and then stop them in an NMI of its
 * own, in which they take no other.
 */
#define MK_STOP_US	100000

static void (*mk_linux_stop)(int wait) __ro_after_init;

static bool mk_others_parked(void)
{
	u32 cpu, self = raw_smp_processor_id();

	for_each_online_cpu(cpu)
		if (cpu != self && !mk_parked(cpu))
			return false;
	return true;
}

static void mk_stop_others(int wait)
{
	u32 cpu, self = raw_smp_processor_id();
	u32 us;

	if (!mk_park_others()) {
		mk_linux_stop(wait);
		return;
	}
	for_each_online_cpu(cpu)
		if (cpu != self)
			__apic_send_IPI(cpu, NMI_VECTOR);
	for (us = 0; us < MK_STOP_US && !mk_others_parked(); us += 10)
		udelay(10);
}

/* An oops that leads to a panic: what was wrong is in its registers. */
struct mk_oops {
	struct task_struct *task;
	u64 started;
	struct pt_regs regs;
};

static DEFINE_PER_CPU(struct mk_oops, mk_oops);

static int mk_on_die(struct notifier_block *nb, unsigned long what, void *data)
{
	struct mk_oops *oops = this_cpu_ptr(&mk_oops);
	struct die_args *args = data;

	if (what != DIE_OOPS || !args->regs || oops->task == current)
		return NOTIFY_DONE;
	oops->task = current;
	oops->started = current->start_time;
	oops->regs = *args->regs;
	return NOTIFY_DONE;
}

static struct notifier_block mk_die_nb = { .notifier_call = mk_on_die };

/**
 * mk_park_panicked() - store why this CPU panics, before the host is told
 * @own: registers of the caller, whose frame has to stay
 */
void mk_park_panicked(struct pt_regs *own)
{
	struct mk_oops *oops = this_cpu_ptr(&mk_oops);
	bool oopsed = oops->task == current &&
		      oops->started == current->start_time;

	mk_park_end(oopsed ? &oops->regs : own);
}

int __init mk_arch_park_init(void)
{
	int ret = __register_nmi_handler(NMI_LOCAL, &mk_park_action);

	if (ret)
		return ret;
	register_die_notifier(&mk_die_nb);
	/* More CPUs than have a note are Linux's to stop. */
	if (nr_cpu_ids > MK_SLOT_CPUS)
		return 0;
	mk_linux_stop = smp_ops.stop_other_cpus;
	smp_ops.stop_other_cpus = mk_stop_others;
	return 0;
}

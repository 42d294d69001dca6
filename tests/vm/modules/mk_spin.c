// SPDX-License-Identifier: GPL-2.0-only
/*
 * An accident on purpose: loading this module makes every online CPU spin with
 * interrupts off, the loading one last. Nothing short of INIT stops that. Only
 * for instances that a test or the demo wants to see killed; with "all=0" only
 * the loading CPU spins.
 *
 * With "cpu=N" it is CPU N alone, for "ms=N" milliseconds (0: for ever), a
 * moment after the loading is over: the log says when. Unloading waits for it.
 * "how=" says with what it cannot be interrupted any more:
 *	irq	interrupts off
 *	preempt	preemption off
 *	nmi	in an NMI, so that it takes no other
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/smp.h>
#include <linux/timex.h>
#include <asm/fixmap.h>
#include <asm/msr.h>
#include <asm/nmi.h>
#include <asm/tsc.h>

#include "mk_ipi.h"

static bool all = true;
module_param(all, bool, 0444);
MODULE_PARM_DESC(all, "spin on all online CPUs (default), not on this one only");

static int cpu = -1;
module_param(cpu, int, 0444);
MODULE_PARM_DESC(cpu, "the only CPU that is to spin");

static char *how = "irq";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "irq, preempt or nmi");

static struct task_struct *task;
static unsigned int ms;
module_param(ms, uint, 0444);
MODULE_PARM_DESC(ms, "for how long, 0 for ever");

/* A name to look for in a stack */
static noinline void mk_spin_here(void)
{
	u64 end = rdtsc() + (u64)ms * tsc_khz;

	while (!ms || (s64)(rdtsc() - end) < 0)
		cpu_relax();
}

static int spin_in_nmi(unsigned int type, struct pt_regs *regs)
{
	if (raw_smp_processor_id() != cpu || cmpxchg(&cpu, cpu, -1) < 0)
		return NMI_DONE;
	mk_spin_here();
	return NMI_HANDLED;
}

static struct nmiaction spin_action = {
	.list = LIST_HEAD_INIT(spin_action.list),
	.handler = spin_in_nmi,
	.max_duration = U64_MAX,
	.flags = NMI_FLAG_FIRST,
	.name = "mk_spin",
};

static int spin_alone(void *unused)
{
	/* Whoever loads this waits for all CPUs once more before it is done */
	msleep(300);
	pr_emerg("mk_spin: CPU %d spins from here on (%s)\n", cpu, how);
	msleep(50);
	if (!strcmp(how, "nmi")) {
		local_irq_disable();
		send_any_ipi(per_cpu(x86_cpu_to_apicid, raw_smp_processor_id()),
			     APIC_DM_NMI);
		local_irq_enable();
	} else if (!strcmp(how, "preempt")) {
		preempt_disable();
		mk_spin_here();
		preempt_enable();
	} else {
		local_irq_disable();
		mk_spin_here();
		local_irq_enable();
	}
	pr_info("mk_spin: over\n");
	return 0;
}

static void spin(void *unused)
{
	local_irq_disable();
	mk_spin_here();
	for (;;)
		cpu_relax();
}

static int spin_on(int on)
{
	task = kthread_create(spin_alone, NULL, "mk_spin");
	if (IS_ERR(task))
		return PTR_ERR(task);
	if (!strcmp(how, "nmi"))
		__register_nmi_handler(NMI_LOCAL, &spin_action);
	get_task_struct(task);
	kthread_bind(task, on);
	wake_up_process(task);
	return 0;
}

static int __init mk_spin_init(void)
{
	if (cpu >= 0)
		return cpu_online(cpu) ? spin_on(cpu) : -ENODEV;
	pr_emerg("mk_spin: %u CPUs spin with interrupts off from here on\n",
		 all ? num_online_cpus() : 1);
	/* Let the line reach the log: nothing will run after this */
	msleep(50);
	preempt_disable();
	if (all)
		smp_call_function(spin, NULL, 0);
	spin(NULL);
	return 0;
}
module_init(mk_spin_init);

/* Only of one that span for a time: another never comes back from loading. */
static void __exit mk_spin_exit(void)
{
	kthread_stop(task);
	put_task_struct(task);
	if (!strcmp(how, "nmi"))
		unregister_nmi_handler(NMI_LOCAL, "mk_spin");
}
module_exit(mk_spin_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Spin with interrupts off on all CPUs");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * An accident of a kernel, on purpose: loading this module with fault=NAME lets
 * NAME happen, some milliseconds after the load has returned. Only for
 * instances that a test wants to see die. What one can do from a shell as well
 * (reboot, sysrq) is not here.
 */
#define pr_fmt(fmt) "mk_fault: " fmt

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "mk_ipi.h"

static char *fault;
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "which of the table below");

static uint delay_ms = 100;
module_param(delay_ms, uint, 0444);

static ulong at_s;
module_param(at_s, ulong, 0444);
MODULE_PARM_DESC(at_s, "second of the wall clock at which to do it");

static uint apicid;
module_param(apicid, uint, 0444);
MODULE_PARM_DESC(apicid, "own CPU, for nmi-self");

static uint times = 1000;
module_param(times, uint, 0444);
MODULE_PARM_DESC(times, "how many NMIs, for nmi-self");

/* --- deaths ------------------------------------------------------------------
 */

static void do_panic(void)
{
	panic("mk_fault says so");
}

static void bug_here(struct irq_work *work)
{
	BUG_ON(in_hardirq());
}

static void do_bug_irq(void)
{
	static struct irq_work work = IRQ_WORK_INIT_HARD(bug_here);

	irq_work_queue(&work);
	irq_work_sync(&work);
}

/* The test has set panic_on_oops. */
static void do_oops(void)
{
	WRITE_ONCE(*(int *)8UL, 1);
}

/* Frames that the compiler can neither join nor leave out */
static noinline int eat_stack(unsigned int depth)
{
	volatile char eaten[256];

	eaten[depth % sizeof(eaten)] = (char)depth;
	if (depth == UINT_MAX)
		return 0;
	return eat_stack(depth + 1) + eaten[(depth + 1) % sizeof(eaten)];
}

static void do_stack(void)
{
	pr_info("ate %d\n", eat_stack(0));
}

/* Nobody has the list: none of it ever comes back. */
static void do_oom(void)
{
	while (alloc_page(GFP_KERNEL))
		cond_resched();
}

/* --- CPUs that do not come back ----------------------------------------------
 */

static void spin_irqs_off(void *unused)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static void do_spin_one(void)
{
	spin_irqs_off(NULL);
}

static void do_spin_all(void)
{
	preempt_disable();
	smp_call_function(spin_irqs_off, NULL, 0);
	spin_irqs_off(NULL);
}

static void do_spin_preempt(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

/* Each of two threads holds the lock that the other one wants. */
static DEFINE_RAW_SPINLOCK(lock_a);
static DEFINE_RAW_SPINLOCK(lock_b);
static atomic_t holders;
static bool irqs_off;

static void take_both(raw_spinlock_t *first, raw_spinlock_t *second)
{
	if (irqs_off)
		local_irq_disable();
	raw_spin_lock(first);
	atomic_inc(&holders);
	while (atomic_read(&holders) < 2)
		cpu_relax();
	raw_spin_lock(second);
	raw_spin_unlock(second);
	raw_spin_unlock(first);
}

static int other_half(void *unused)
{
	take_both(&lock_b, &lock_a);
	return 0;
}

static void deadlock(void)
{
	struct task_struct *other;
	unsigned int cpu = cpumask_last(cpu_online_mask);

	set_cpus_allowed_ptr(current, cpumask_of(0));
	other = kthread_create(other_half, NULL, "mk_fault_b");
	if (IS_ERR(other) || !cpu)
		return;
	kthread_bind(other, cpu);
	wake_up_process(other);
	take_both(&lock_a, &lock_b);
}

static void do_abba_irqs(void)
{
	irqs_off = true;
	deadlock();
}

/* --- what one lives on with --------------------------------------------------
 */

static void do_nmi_self(void)
{
	uint i;

	for (i = 0; i < times; i++) {
		send_any_ipi(apicid, APIC_DM_NMI);
		cond_resched();
	}
	pr_info("sent %u NMIs to APIC id %u\n", i, apicid);
}

/* --- the table --------------------------------------------------------------- */

static const struct fault {
	const char *name;
	void (*happen)(void);
} faults[] = {
	{ "panic", do_panic },		 { "bug-irq", do_bug_irq },
	{ "oops", do_oops },		 { "stack", do_stack },
	{ "oom", do_oom },		 { "spin-one", do_spin_one },
	{ "spin-all", do_spin_all },
	{ "spin-preempt", do_spin_preempt },
	{ "abba-irqs", do_abba_irqs },	 { "abba-preempt", deadlock },
	{ "nmi-self", do_nmi_self },
};

static int happen_later(void *data)
{
	const struct fault *f = data;

	pr_info("%s\n", f->name);
	/* The line is in the log, and the caller has its answer. */
	msleep(delay_ms);
	while (ktime_get_real_seconds() < (time64_t)at_s)
		usleep_range(50, 100);
	f->happen();
	return 0;
}

static int __init mk_fault_init(void)
{
	struct task_struct *task;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (fault && !strcmp(faults[i].name, fault))
			break;
	if (i == ARRAY_SIZE(faults))
		return -EINVAL;
	task = kthread_run(happen_later, (void *)&faults[i], "mk_fault");
	return PTR_ERR_OR_ZERO(task);
}
module_init(mk_fault_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A kernel's accident, on purpose");

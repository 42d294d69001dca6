// SPDX-License-Identifier: GPL-2.0-only
/*
 * An accident on purpose: loading this module makes every online CPU spin with
 * interrupts off, the loading one last. Nothing short of INIT stops that. Only
 * for instances that a test or the demo wants to see killed; with "all=0" only
 * the loading CPU spins.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/smp.h>

static bool all = true;
module_param(all, bool, 0444);
MODULE_PARM_DESC(all, "spin on all online CPUs (default), not on this one only");

static void spin(void *unused)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static int __init mk_spin_init(void)
{
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

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Spin with interrupts off on all CPUs");

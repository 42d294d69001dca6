// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that sends interrupts to CPUs of others: fixed IPIs of a range of
 * vectors, one after the other, and NMIs, for some time and with as many
 * in a millisecond as it is told. Only for instances that a test wants to do so.
 *
 * Not sent: vectors under 32 and, where the machine's kernels have IA32
 * emulation, 0x80, the entry of its system calls (docs/faults.md).
 */
#define pr_fmt(fmt) "mk_flood: " fmt

#include <asm/irq_vectors.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/clock.h>
#include <linux/sched/task.h>

#include "mk_ipi.h"

#define MAX_TARGETS 64

static uint apicids[MAX_TARGETS];
static int nr_apicids;
module_param_array(apicids, uint, &nr_apicids, 0444);
MODULE_PARM_DESC(apicids, "to whom");

static uint first = 32, last = 255;
module_param(first, uint, 0444);
module_param(last, uint, 0444);
MODULE_PARM_DESC(first, "vector; first=0: no IPIs");

static bool nmi;
module_param(nmi, bool, 0444);
MODULE_PARM_DESC(nmi, "an NMI to each after each round of vectors");

static uint ms = 3000;
module_param(ms, uint, 0444);
MODULE_PARM_DESC(ms, "for so long");

static uint per_ms;
module_param(per_ms, uint, 0444);
MODULE_PARM_DESC(per_ms, "not more in a millisecond; 0: as fast as it goes");

static ulong most;
module_param(most, ulong, 0444);
MODULE_PARM_DESC(most, "not more in all; 0: no limit");

static u64 begin_ns, sent;

static u64 passed_ns(void)
{
	return local_clock() - begin_ns;
}

static void keep_pace(void)
{
	cond_resched();
	if (!per_ms)
		return;
	while (div_u64(sent * NSEC_PER_MSEC, per_ms) > passed_ns())
		usleep_range(20, 50);
}

static bool done(void)
{
	return passed_ns() > (u64)ms * NSEC_PER_MSEC || (most && sent >= most);
}

static void send_to_all(u32 command)
{
	int i;

	for (i = 0; i < nr_apicids; i++, sent++)
		send_any_ipi(apicids[i], command);
	keep_pace();
}

static bool is_sent(u32 vector)
{
	return vector >= 32 &&
	       (vector != IA32_SYSCALL_VECTOR ||
		!IS_ENABLED(CONFIG_IA32_EMULATION));
}

static int flood(void *unused)
{
	u32 vector;

	begin_ns = local_clock();
	while (!done()) {
		for (vector = first; vector <= last && !done(); vector++)
			if (is_sent(vector))
				send_to_all(APIC_DM_FIXED | vector);
		if (nmi)
			send_to_all(APIC_DM_NMI);
	}
	pr_info("sent %llu in %llu ms, vectors %u-%u%s\n", sent,
		div_u64(passed_ns(), NSEC_PER_MSEC), first, last,
		nmi ? ", NMIs" : "");
	return 0;
}

/* Its thread runs to its end: only then it is unloaded. */
static struct task_struct *task;

static int __init mk_flood_init(void)
{
	if (!nr_apicids || last > 255 || (!first && !nmi))
		return -EINVAL;
	if (!first)
		last = 0;
	task = kthread_run(flood, NULL, "mk_flood");
	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	return 0;
}
module_init(mk_flood_init);

static void __exit mk_flood_exit(void)
{
	kthread_stop(task);
	put_task_struct(task);
}
module_exit(mk_flood_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Interrupts to CPUs of other kernels");

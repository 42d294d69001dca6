// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says which vectors are in service on the CPUs of this kernel while none is
 * being served. One that nobody acknowledged stays there, and with it all that
 * are of no higher priority stay away from that CPU for good.
 */
#define pr_fmt(fmt) "mk_isr: " fmt

#include <asm/apic.h>
#include <linux/bitops.h>
#include <linux/cpu.h>
#include <linux/module.h>
#include <linux/workqueue.h>

static unsigned int stuck;

static u32 in_service(unsigned int vector)
{
	u32 reg = APIC_ISR + ((vector & ~0x1f) >> 1);
	u64 msr;

	if (!x2apic_enabled())
		return native_apic_mem_read(reg);
	rdmsrl(APIC_BASE_MSR + (reg >> 4), msr);
	return (u32)msr;
}

/* In a task: the interrupt by which another CPU asked would be in service. */
static long look(void *unused)
{
	unsigned int vector;

	for (vector = 0; vector < 256; vector++) {
		if (!(in_service(vector) & BIT(vector & 0x1f)))
			continue;
		pr_info("CPU %u: vector %u is in service\n",
			raw_smp_processor_id(), vector);
		stuck++;
	}
	return 0;
}

static int __init mk_isr_init(void)
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		work_on_cpu(cpu, look, NULL);
	cpus_read_unlock();
	pr_info("%u vectors are in service\n", stuck);
	return 0;
}
module_init(mk_isr_init);

static void __exit mk_isr_exit(void)
{
}
module_exit(mk_isr_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Which interrupts were never acknowledged?");

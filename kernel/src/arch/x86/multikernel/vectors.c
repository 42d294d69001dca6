// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's vectors, where another kernel may send any of them.
 *
 * With an IOAPIC nothing raises IRQ 2: that is where the second 8259 hangs on
 * the first. Linux gives it its vector on every CPU all the same, and the chip of
 * the 8259, which does not acknowledge at the local APIC. An IPI of that vector
 * would stay in service, and keep all device interrupts of its priority and below
 * from that CPU for good. Without that entry it is one that nobody waits for,
 * which is acknowledged.
 */
#include <linux/cpuhotplug.h>
#include <linux/init.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqflags.h>
#include <asm/hw_irq.h>
#include <asm/i8259.h>
#include <asm/io_apic.h>
#include <asm/irq_vectors.h>

#include "../../../kernel/multikernel/internal.h"

/* Linux sets the entry whenever a CPU comes up; a device may have it by now. */
static int mk_drop_cascade(unsigned int cpu)
{
	struct irq_desc **entry =
		&per_cpu(vector_irq, cpu)[ISA_IRQ_VECTOR(PIC_CASCADE_IR)];
	unsigned long flags;

	local_irq_save(flags);
	lock_vector_lock();
	if (*entry == irq_to_desc(PIC_CASCADE_IR))
		*entry = VECTOR_UNUSED;
	unlock_vector_lock();
	local_irq_restore(flags);
	return 0;
}

static int __init mk_vectors_init(void)
{
	int ret;

	/* Without an IOAPIC the 8259 is what there is. */
	if (!multikernel_is_host() || !nr_legacy_irqs() || !io_apic_irqs ||
	    IO_APIC_IRQ(PIC_CASCADE_IR))
		return 0;
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "multikernel:vectors",
				mk_drop_cascade, NULL);
	return ret < 0 ? ret : 0;
}
late_initcall(mk_vectors_init);

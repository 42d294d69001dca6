/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An IPI as accidents send them: to any APIC id, whoever it belongs to.
 */
#ifndef MK_IPI_H
#define MK_IPI_H

#include <asm/apic.h>

/* @command: APIC_DM_FIXED and a vector, or APIC_DM_NMI */
static void send_any_ipi(u32 apicid, u32 command)
{
	unsigned long flags;

	command |= APIC_INT_ASSERT;
	if (x2apic_enabled()) {
		wrmsrl(APIC_BASE_MSR + (APIC_ICR >> 4),
		       (u64)apicid << 32 | command);
		return;
	}
	local_irq_save(flags);
	native_apic_mem_write(APIC_ICR2, SET_XAPIC_DEST_FIELD(apicid));
	native_apic_mem_write(APIC_ICR, command);
	local_irq_restore(flags);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * IPIs to CPUs of other kernels. Linux addresses CPUs by its own numbers; two
 * kernels have only the APIC id in common, so the interrupt command register is
 * written here. Also the doorbell's interrupt.
 */
#include <linux/interrupt.h>
#include <linux/irqflags.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/idtentry.h>
#include <asm/msr.h>

#include "../../../kernel/multikernel/internal.h"
#include "../../../kernel/multikernel/peer.h"
#include "icr.h"

#define MK_XAPIC_BROADCAST	0xff
#define MK_ICR_WAIT_LOOPS	100000

/**
 * mk_icr_encode() - value of the interrupt command register
 * @x2apic: mode of the local APIC
 * @apicid: physical destination; no broadcast
 * @command: low half: delivery mode, vector, level
 * @ret_icr: in x2APIC mode the MSR; in xAPIC mode ICR2 in the upper half
 *
 * Return: 0, or -EINVAL for an id that the mode cannot address. See Intel SDM
 * vol. 3, "Interrupt Command Register" and "x2APIC ICR".
 */
int mk_icr_encode(bool x2apic, u32 apicid, u32 command, u64 *ret_icr)
{
	u64 high = x2apic ? apicid : apicid << 24;

	if (apicid >= (x2apic ? U32_MAX : MK_XAPIC_BROADCAST))
		return -EINVAL;
	if (command & APIC_DEST_ALLBUT)		/* no shorthand either */
		return -EINVAL;
	*ret_icr = high << 32 | command;
	return 0;
}

static bool mk_xapic_idle(void)
{
	u32 loops = MK_ICR_WAIT_LOOPS;

	while (apic_read(APIC_ICR) & APIC_ICR_BUSY) {
		if (!--loops)
			return false;
		cpu_relax();
	}
	return true;
}

/* ICR2 and ICR belong together: no interrupt may send in between. */
static int mk_xapic_write(u64 icr)
{
	unsigned long flags;
	int ret = -EBUSY;

	local_irq_save(flags);
	if (mk_xapic_idle()) {
		apic_write(APIC_ICR2, icr >> 32);
		apic_write(APIC_ICR, (u32)icr);
		ret = 0;
	}
	local_irq_restore(flags);
	return ret;
}

/**
 * mk_icr_send() - send an IPI to an APIC id
 * @apicid: physical id of any CPU of the machine
 * @command: as for mk_icr_encode()
 *
 * Stores before it are visible to the receiver. Return: 0, -EINVAL or -EBUSY.
 */
int mk_icr_send(u32 apicid, u32 command)
{
	u64 icr;
	int ret;

	ret = mk_icr_encode(x2apic_enabled(), apicid, command, &icr);
	if (ret)
		return ret;
	if (!x2apic_enabled())
		return mk_xapic_write(icr);
	/* WRMSR to the ICR does not wait for stores. */
	weak_wrmsr_fence();
	wrmsrl(APIC_BASE_MSR + (APIC_ICR >> 4), icr);
	return 0;
}

int mk_arch_doorbell(u32 apicid, u32 vector)
{
	return mk_icr_send(apicid, APIC_DM_FIXED | APIC_INT_ASSERT | vector);
}

u32 mk_arch_vector(void)
{
	return MULTIKERNEL_VECTOR;
}

u32 mk_arch_apicid(unsigned int cpu)
{
	return per_cpu(x86_cpu_to_apicid, cpu);
}

u32 mk_arch_core_shift(void)
{
	return topology_get_domain_shift(TOPO_CORE_DOMAIN);
}

u32 mk_arch_core(unsigned int cpu)
{
	return mk_arch_apicid(cpu) >> mk_arch_core_shift();
}

/** generic_multikernel_interrupt() - somebody rang; hard interrupt */
void generic_multikernel_interrupt(void)
{
	mk_peers_doorbell();
}

DEFINE_IDTENTRY_SYSVEC(sysvec_multikernel)
{
	apic_eoi();
	generic_multikernel_interrupt();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's side of starting and stopping CPUs: the start page below 1 MiB
 * with a slot per CPU, INIT and SIPI, and taking CPUs back by INIT. Also the
 * hook by which the pool leaves System RAM before RAM is mapped.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/cc_platform.h>
#include <linux/crash_dump.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/memblock.h>
#include <linux/string.h>
#include <asm/apic.h>
#include <asm/e820/api.h>
#include <asm/pgtable.h>
#include <asm/realmode.h>
#include <asm/set_memory.h>
#include <asm/setup.h>
#include <asm/tsc.h>
#include <asm/x86_init.h>

#include "../../../kernel/multikernel/internal.h"
#include "icr.h"
#include "startpage.h"

#define MK_SP_SLOT_PAGES	4
#define MK_SP_NR_SLOTS		(MK_SP_SLOT_PAGES * PAGE_SIZE / MK_SLOT_SIZE)

/* Pages of the start area. */
enum {
	SP_CODE, SP_PML4, SP_PDPT, SP_PD, SP_SLOTS,
	SP_PAGES = SP_SLOTS + MK_SP_SLOT_PAGES
};

static u64 mk_sp_phys __ro_after_init;
static u8 *mk_sp __ro_after_init;	/* through the direct map */

static u64 mk_sp_page_phys(int page)
{
	return mk_sp_phys + page * PAGE_SIZE;
}

static struct mk_start_slot *mk_slots(void)
{
	return (void *)mk_sp + SP_SLOTS * PAGE_SIZE;
}

u64 mk_arch_start_page(void)
{
	return mk_sp_phys;
}

u32 mk_arch_max_lent(void)
{
	return MK_SP_NR_SLOTS;
}

/*
 * Takes over from reserve_real_mode(), at the one moment that fits. The command
 * line of a crash kernel is often that of the host that crashed: what was pool
 * and region there may be in use by instances still.
 */
static void __init mk_realmode_reserve(void)
{
	if (is_kdump_kernel())
		pr_info("a crash kernel is no host: mk_pool= and mk_shared_memory= are ignored\n");
	else if (mk_pool_early())
		mk_sp_phys = memblock_phys_alloc_range(SP_PAGES * PAGE_SIZE,
						       PAGE_SIZE, PAGE_SIZE,
						       SZ_1M);
	reserve_real_mode();
}

void __init mk_arch_want_early(void)
{
	if (!multikernel_is_instance())
		x86_platform.realmode_reserve = mk_realmode_reserve;
}

/** mk_arch_carve() - make RAM no RAM, before it is mapped */
void __init mk_arch_carve(u64 addr, u64 bytes)
{
	memblock_remove(addr, bytes);
	e820__range_update(addr, bytes, E820_TYPE_RAM, E820_TYPE_RESERVED);
	e820__update_table(e820_table);
}

/** mk_arch_is_reserved() - does firmware or memmap= keep all of it reserved? */
bool __init mk_arch_is_reserved(u64 addr, u64 bytes)
{
	return e820__mapped_all(addr, addr + bytes, E820_TYPE_RESERVED);
}

static void __init mk_sp_add32(const u8 *field, u32 value)
{
	u32 *at = (u32 *)(mk_sp + (field - mk_sp_begin));

	*at += value;
}

static void __init mk_sp_install(void)
{
	u64 *pml4 = (void *)mk_sp + SP_PML4 * PAGE_SIZE;
	u64 *pdpt = (void *)mk_sp + SP_PDPT * PAGE_SIZE;
	u64 *pd = (void *)mk_sp + SP_PD * PAGE_SIZE;

	memset(mk_sp, 0, SP_PAGES * PAGE_SIZE);
	memcpy(mk_sp, mk_sp_begin, mk_sp_end - mk_sp_begin);
	mk_sp_add32(sp_cr3, mk_sp_page_phys(SP_PML4));
	mk_sp_add32(sp_slots, mk_sp_page_phys(SP_SLOTS));
	mk_sp_add32(sp_nr_slots, MK_SP_NR_SLOTS);
	mk_sp_add32(sp_jump, mk_sp_phys);
	mk_sp_add32(sp_gdt_ptr + 2, mk_sp_phys);
	/* The first 2 MiB one to one: just enough to reach a slot's own cr3. */
	pml4[0] = mk_sp_page_phys(SP_PDPT) | _KERNPG_TABLE_NOENC;
	pdpt[0] = mk_sp_page_phys(SP_PD) | _KERNPG_TABLE_NOENC;
	pd[0] = __PAGE_KERNEL_LARGE_EXEC;
}

static bool mk_is_untracked(u64 start, u64 end)
{
	if (mk_arch_memtype_tracking())
		return false;
	return is_ISA_range(start, end) || mk_pool_contains(start, end) ||
	       (mk_region_bytes && start < mk_region_addr + mk_region_bytes &&
		end > mk_region_addr);
}

static int __init mk_startpage_init(void)
{
	if (!multikernel_is_host())
		return 0;
	/*
	 * Without this, mappings of memory that is no RAM and has no memtype
	 * entry would be uncached where they are made at fault time.
	 */
	x86_platform.is_untracked_pat_range = mk_is_untracked;
	if (!mk_sp_phys) {
		pr_err("no room below 1 MiB for the start page\n");
		return -ENOMEM;
	}
	BUILD_BUG_ON(SP_PAGES * PAGE_SIZE > SZ_64K);
	mk_sp = __va(mk_sp_phys);
	mk_sp_install();
	set_memory_ro((unsigned long)mk_sp, 1);
	return 0;
}
early_initcall(mk_startpage_init);

/* The slot of an APIC id, or the first unused one. */
static struct mk_start_slot *mk_slot_of(u32 apicid)
{
	struct mk_start_slot *slots = mk_slots(), *unused = NULL;
	u32 i;

	for (i = 0; i < MK_SP_NR_SLOTS; i++) {
		if (slots[i].kind != MK_START_NONE &&
		    slots[i].apicid == apicid)
			return &slots[i];
		if (slots[i].kind == MK_START_NONE && !unused)
			unused = &slots[i];
	}
	return unused;
}

static void mk_slot_write(u32 apicid, u32 kind, u64 rip, u64 arg, u64 cr3)
{
	struct mk_start_slot *slot = mk_slot_of(apicid);

	if (WARN_ON_ONCE(!slot))
		return;
	slot->apicid = apicid;
	slot->cr3 = cr3;
	slot->rip = rip;
	slot->arg = arg;
	/* A CPU that finds its slot by kind finds the rest of it. */
	smp_store_release(&slot->kind, kind);
}

/** mk_arch_slots_set() - tell the CPUs of an instance where to go */
void mk_arch_slots_set(const struct mk_cpu *cpus, u32 nr,
		       const struct mk_boot *boot)
{
	u64 cr3 = boot->handoff_addr + MK_HANDOFF_TABLES;
	u32 i;

	mk_slot_write(cpus[0].apicid, MK_START_BOOT, boot->entry,
		      boot->handoff_addr + MK_HANDOFF_BOOT_PARAMS, cr3);
	for (i = 1; i < nr; i++)
		mk_slot_write(cpus[i].apicid, MK_START_JOIN, 0,
			      boot->handoff_addr + MK_HANDOFF_JOIN, cr3);
}

void mk_arch_slots_clear(const struct mk_cpu *cpus, u32 nr)
{
	struct mk_start_slot *slot;
	u32 i;

	for (i = 0; i < nr; i++) {
		slot = mk_slot_of(cpus[i].apicid);
		if (slot && slot->apicid == cpus[i].apicid)
			WRITE_ONCE(slot->kind, MK_START_NONE);
	}
}

static int mk_send_init(u32 apicid)
{
	int ret;

	ret = mk_icr_send(apicid, APIC_INT_LEVELTRIG | APIC_INT_ASSERT |
			  APIC_DM_INIT);
	udelay(100);
	return ret ?: mk_icr_send(apicid, APIC_INT_LEVELTRIG | APIC_DM_INIT);
}

/**
 * mk_arch_cpu_kick() - INIT, SIPI, SIPI
 * @apicid: a lent CPU with a slot
 *
 * A second SIPI is ignored by a CPU that took the first (SDM vol. 3, "MP
 * Initialization Protocol").
 */
int mk_arch_cpu_kick(u32 apicid)
{
	u32 sipi = APIC_DM_STARTUP | (mk_sp_phys >> PAGE_SHIFT);
	int ret;

	ret = mk_send_init(apicid);
	if (ret)
		return ret;
	udelay(200);
	ret = mk_icr_send(apicid, sipi);
	udelay(200);
	return ret ?: mk_icr_send(apicid, sipi);
}

/**
 * mk_arch_cpu_reset() - stop CPUs, whatever they are doing
 * @cpus: of one instance, slots cleared
 * @nr: how many
 *
 * Twice: in the first round a CPU that was not yet reset could start one that
 * was. Afterwards all wait for a SIPI; the caller onlines them at once, since
 * in this state a broadcast machine check would take the machine down.
 */
void mk_arch_cpu_reset(const struct mk_cpu *cpus, u32 nr)
{
	u32 round, i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < nr; i++)
			if (mk_send_init(cpus[i].apicid))
				pr_err("no INIT to APIC id %u\n",
				       cpus[i].apicid);
		usleep_range(10000, 11000);
	}
}

void mk_arch_shorthand_off(void)
{
	apic_smt_update();
}

bool mk_arch_confidential(void)
{
	return cc_platform_has(CC_ATTR_MEM_ENCRYPT) ||
	       cc_platform_has(CC_ATTR_HOST_SEV_SNP) ||
	       boot_cpu_has(X86_FEATURE_TDX_HOST_PLATFORM);
}

u32 mk_arch_lapic_khz(void)
{
	if (boot_cpu_has(X86_FEATURE_TSC_DEADLINE_TIMER))
		return 0;
	return div_u64((u64)lapic_timer_period * HZ, 1000);
}

u32 mk_arch_tsc_khz(void)
{
	return tsc_khz;
}

u64 mk_arch_tsc(void)
{
	return rdtsc_ordered();
}

u64 mk_arch_tsc_to_ns(u64 cycles)
{
	return mul_u64_u32_div(cycles, 1000000, tsc_khz);
}

u64 mk_arch_phys_base(void)
{
	return phys_base;
}

/** mk_arch_text_phys() - where another kernel's text is, as it says itself */
u64 mk_arch_text_phys(u64 text, u64 phys_base)
{
	return text - __START_KERNEL_map + phys_base;
}

/**
 * mk_arch_zero() - zero memory without filling the caches with it
 * @p: 64-byte aligned
 * @bytes: multiple of 64
 */
void mk_arch_zero(void *p, u64 bytes)
{
	u64 *q = p, *end = p + bytes;

	for (; q < end; q += 8)
		asm volatile("movnti %1, (%0)\n\t"
			     "movnti %1, 8(%0)\n\t"
			     "movnti %1, 16(%0)\n\t"
			     "movnti %1, 24(%0)\n\t"
			     "movnti %1, 32(%0)\n\t"
			     "movnti %1, 40(%0)\n\t"
			     "movnti %1, 48(%0)\n\t"
			     "movnti %1, 56(%0)"
			     : : "r" (q), "r" (0UL) : "memory");
	asm volatile("sfence" : : : "memory");
}

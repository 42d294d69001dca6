/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The start page and the slots behind it, for C and assembler.
 */
#ifndef _MK_STARTPAGE_H
#define _MK_STARTPAGE_H

#define MK_START_NONE	0
#define MK_START_BOOT	1	/* first CPU of an instance */
#define MK_START_JOIN	2	/* further CPUs */

#define MK_SLOT_APICID	0
#define MK_SLOT_KIND	4
#define MK_SLOT_CR3	8
#define MK_SLOT_RIP	16
#define MK_SLOT_ARG	24
#define MK_SLOT_SIZE	32

#ifndef __ASSEMBLY__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

/* startpage_64.S: the code, and the fields in it that are filled in */
extern const u8 mk_sp_begin[], mk_sp_end[];
extern const u8 sp_cr3[], sp_slots[], sp_nr_slots[], sp_jump[], sp_gdt_ptr[];

/**
 * struct mk_start_slot - what one CPU does when it is started
 * @apicid: whose slot
 * @kind: MK_START_*, written last
 * @cr3: page table that maps start page, entry and @arg one to one
 * @rip: entry of kind MK_START_BOOT
 * @arg: physical address: boot_params, or a struct mk_join_block
 */
struct mk_start_slot {
	u32 apicid;
	u32 kind;
	u64 cr3;
	u64 rip;
	u64 arg;
};
static_assert(offsetof(struct mk_start_slot, apicid) == MK_SLOT_APICID);
static_assert(offsetof(struct mk_start_slot, kind) == MK_SLOT_KIND);
static_assert(offsetof(struct mk_start_slot, cr3) == MK_SLOT_CR3);
static_assert(offsetof(struct mk_start_slot, rip) == MK_SLOT_RIP);
static_assert(offsetof(struct mk_start_slot, arg) == MK_SLOT_ARG);
static_assert(sizeof(struct mk_start_slot) == MK_SLOT_SIZE);

/**
 * struct mk_join_block - how further CPUs join a running instance
 * @cr3: 0 until the instance is ready for them
 * @rip: in the address space of @cr3
 *
 * In the hand-over area, written by the instance.
 */
struct mk_join_block {
	u64 cr3;
	u64 rip;
};

/*
 * The hand-over area, offsets from its start (MK_HANDOFF_BYTES in all). It is
 * no RAM in the instance's memory map.
 */
#define MK_HANDOFF_BOOT_PARAMS	0x00000
#define MK_HANDOFF_CMDLINE	0x01000
#define MK_HANDOFF_JOIN		0x02000
#define MK_HANDOFF_TABLES	0x03000	/* identity map */
#define MK_HANDOFF_TABLES_END	0x10000
#define MK_HANDOFF_DTB		0x20000	/* struct setup_data and the tree */
#define MK_HANDOFF_DTB_END	0x40000
#endif /* __ASSEMBLY__ */

#endif /* _MK_STARTPAGE_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host writes into an instance's memory before it starts it: boot
 * parameters as the 64-bit boot protocol wants them, the command line, the
 * device tree as setup_data, and a page table to enter with.
 *
 * The memory map lists the instance's own memory and nothing else; nothing of
 * the host's screen, EFI or ACPI data is passed on. See
 * Documentation/arch/x86/boot.rst.
 */
#include <linux/io.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <asm/bootparam.h>
#include <asm/e820/types.h>
#include <asm/pgtable_types.h>
#include <asm/setup_data.h>

#include "../../../kernel/multikernel/internal.h"
#include "startpage.h"

#define MK_LOADER_UNDEFINED	0xff
#define MK_SETUP_MAGIC		0x53726448	/* "HdrS" */
#define MK_BOOT_PROTOCOL	0x020f

/* Page tables are taken one after the other from the hand-over area. */
struct mk_tables {
	const struct mk_boot *boot;
	u32 next;		/* offset of the next free page */
};

static u64 *mk_table_at(const struct mk_tables *t, u64 phys)
{
	return t->boot->handoff + (phys - t->boot->handoff_addr);
}

/* The table behind @entry, made if there is none. NULL: no page left. */
static u64 *mk_table_next(struct mk_tables *t, u64 *entry)
{
	if (!*entry) {
		if (t->next >= MK_HANDOFF_TABLES_END)
			return NULL;
		*entry = (t->boot->handoff_addr + t->next) |
			 _KERNPG_TABLE_NOENC;
		t->next += PAGE_SIZE;
	}
	return mk_table_at(t, *entry & PTE_PFN_MASK);
}

/* Four levels, whatever the host runs with: the start page enters so. */
static int mk_map_2m(struct mk_tables *t, u64 addr)
{
	u64 *table = t->boot->handoff + MK_HANDOFF_TABLES;

	table = mk_table_next(t, &table[(addr >> P4D_SHIFT) & 511]);
	if (table)
		table = mk_table_next(t, &table[(addr >> PUD_SHIFT) & 511]);
	if (!table)
		return -ENOSPC;
	table[(addr >> PMD_SHIFT) & 511] = addr | __PAGE_KERNEL_LARGE_EXEC;
	return 0;
}

/* One to one: start page, hand-over area, kernel. */
static int mk_make_tables(const struct mk_boot *boot)
{
	struct mk_tables t = {
		.boot = boot,
		.next = MK_HANDOFF_TABLES + PAGE_SIZE,
	};
	u64 addr, end = boot->kernel_addr + boot->kernel_bytes;
	int ret;

	ret = mk_map_2m(&t, 0);
	for (addr = round_down(boot->handoff_addr, SZ_2M); !ret && addr < end;
	     addr += SZ_2M)
		ret = mk_map_2m(&t, addr);
	return ret;
}

static void mk_e820_add(struct boot_params *bp, u64 addr, u64 bytes, u32 type)
{
	struct boot_e820_entry *e = &bp->e820_table[bp->e820_entries++];

	e->addr = addr;
	e->size = bytes;
	e->type = type;
}

static int mk_compare_e820(const void *a, const void *b)
{
	const struct boot_e820_entry *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/*
 * By address, and at least two entries, or Linux would believe in a BIOS. The
 * hand-over area is at the start of one of the pieces.
 */
static void mk_make_e820(struct boot_params *bp, const struct mk_boot *boot)
{
	const struct mk_range *r = boot->ranges;
	u64 skip;
	u32 i;

	BUILD_BUG_ON(MK_MAX_RANGES + 1 > E820_MAX_ENTRIES_ZEROPAGE);
	mk_e820_add(bp, boot->handoff_addr, MK_HANDOFF_BYTES,
		    E820_TYPE_RESERVED);
	for (i = 0; i < boot->nr_ranges; i++) {
		skip = r[i].addr == boot->handoff_addr ? MK_HANDOFF_BYTES : 0;
		mk_e820_add(bp, r[i].addr + skip, r[i].bytes - skip,
			    E820_TYPE_RAM);
	}
	sort(bp->e820_table, bp->e820_entries, sizeof(bp->e820_table[0]),
	     mk_compare_e820, NULL);
}

static void mk_make_boot_params(const struct mk_boot *boot)
{
	struct boot_params *bp = boot->handoff + MK_HANDOFF_BOOT_PARAMS;
	u64 cmdline = boot->handoff_addr + MK_HANDOFF_CMDLINE;

	bp->hdr.boot_flag = 0xaa55;
	bp->hdr.header = MK_SETUP_MAGIC;
	bp->hdr.version = MK_BOOT_PROTOCOL;
	bp->hdr.type_of_loader = MK_LOADER_UNDEFINED;
	bp->hdr.loadflags = LOADED_HIGH | (boot->moved ? KASLR_FLAG : 0);
	bp->hdr.kernel_alignment = SZ_2M;
	bp->hdr.hardware_subarch = X86_SUBARCH_MULTIKERNEL;
	bp->hdr.cmd_line_ptr = (u32)cmdline;
	bp->ext_cmd_line_ptr = cmdline >> 32;
	bp->hdr.cmdline_size = PAGE_SIZE - 1;
	bp->hdr.ramdisk_image = (u32)boot->initrd_addr;
	bp->ext_ramdisk_image = boot->initrd_addr >> 32;
	bp->hdr.ramdisk_size = (u32)boot->initrd_bytes;
	bp->ext_ramdisk_size = boot->initrd_bytes >> 32;
	bp->hdr.setup_data = boot->handoff_addr + MK_HANDOFF_DTB;
	mk_make_e820(bp, boot);
}

static int mk_make_dtb(const struct mk_boot *boot)
{
	struct setup_data *data = boot->handoff + MK_HANDOFF_DTB;

	if (sizeof(*data) + boot->dtb_bytes >
	    MK_HANDOFF_DTB_END - MK_HANDOFF_DTB)
		return -ENOSPC;
	data->next = 0;
	data->type = SETUP_DTB;
	data->len = boot->dtb_bytes;
	memcpy(data->data, boot->dtb, boot->dtb_bytes);
	return 0;
}

/**
 * mk_arch_hand_over() - fill the hand-over area
 * @boot: where everything is; @boot->handoff is scrubbed memory
 *
 * Return: 0 or -ENOSPC.
 */
int mk_arch_hand_over(const struct mk_boot *boot)
{
	BUILD_BUG_ON(MK_HANDOFF_DTB_END > MK_HANDOFF_BYTES);
	mk_make_boot_params(boot);
	if (strscpy(boot->handoff + MK_HANDOFF_CMDLINE, boot->cmdline,
		    PAGE_SIZE) < 0)
		return -ENOSPC;
	return mk_make_dtb(boot) ?: mk_make_tables(boot);
}

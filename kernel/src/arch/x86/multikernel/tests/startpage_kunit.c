// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the start page: the code as it was assembled, and, on a host, the
 * copy below 1 MiB that CPUs run. A mistake there is a triple fault, which
 * resets the machine, so what the CPU will read is read here first: page
 * tables, descriptors, far pointer and slots.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/unaligned.h>
#include <asm/desc_defs.h>
#include <asm/pgtable.h>
#include <asm/segment.h>

#include "../../../../kernel/multikernel/internal.h"
#include "../startpage.h"

#define INSN_CLI	0xfa
#define INSN_MOV_EAX	0xb8	/* movl $imm32, %eax */

/* SDM vol. 3, "4-Level Paging" */
#define ENTRY_P_RW	0x3ULL
#define ENTRY_PS	0x80ULL
#define IGNORED_TABLE	0x60ULL		/* accessed; ignored */
#define IGNORED_LEAF	0x160ULL	/* accessed, dirty, global */

/* No CPU has these. */
#define APICID_BOOT	0xfffffff0U
#define APICID_JOIN	0xfffffff1U

struct field {
	const char *name;
	const u8 *at;
	size_t bytes;
};

static const struct field fields[] = {
	{ "sp_cr3", sp_cr3, 4 },
	{ "sp_slots", sp_slots, 4 },
	{ "sp_nr_slots", sp_nr_slots, 4 },
	{ "sp_jump", sp_jump, 6 },
	{ "sp_gdt_ptr", sp_gdt_ptr, 6 },
};

static size_t offset_of(const u8 *field)
{
	return field - mk_sp_begin;
}

static size_t blob_bytes(void)
{
	return mk_sp_end - mk_sp_begin;
}

static void blob_layout(struct kunit *test)
{
	const struct field *f, *g;

	KUNIT_ASSERT_GT(test, blob_bytes(), 0UL);
	KUNIT_EXPECT_LE(test, blob_bytes(), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, mk_sp_begin[0], INSN_CLI);
	for (f = fields; f < fields + ARRAY_SIZE(fields); f++) {
		KUNIT_EXPECT_TRUE_MSG(test, f->at > mk_sp_begin &&
				      f->at + f->bytes <= mk_sp_end,
				      "%s is outside", f->name);
		for (g = fields; g < f; g++)
			KUNIT_EXPECT_FALSE_MSG(test,
					       f->at < g->at + g->bytes &&
					       g->at < f->at + f->bytes,
					       "%s and %s overlap", f->name,
					       g->name);
	}
}

/* What is filled in is added, so this is where it starts from. */
static void blob_values(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(sp_cr3), 0U);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(sp_slots), 0U);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(sp_nr_slots), 0U);
	KUNIT_EXPECT_LT(test, get_unaligned_le32(sp_jump), (u32)blob_bytes());
	KUNIT_EXPECT_LT(test, get_unaligned_le32(sp_gdt_ptr + 2),
			(u32)blob_bytes());
}

/* The installed copy */
static const u8 *start_page(struct kunit *test)
{
	u64 phys = mk_arch_start_page();

	if (!multikernel_is_host())
		kunit_skip(test, "this kernel is not a host");
	KUNIT_ASSERT_NE(test, phys, 0ULL);
	KUNIT_ASSERT_LT(test, phys, (u64)SZ_1M);
	return __va(phys);
}

static u32 copy_u32(const u8 *page, const u8 *field)
{
	return get_unaligned_le32(page + offset_of(field));
}

static const struct mk_start_slot *slots_of(const u8 *page, u32 *ret_nr)
{
	*ret_nr = copy_u32(page, sp_nr_slots);
	return __va(copy_u32(page, sp_slots));
}

/* A SIPI can name it, and all of it belongs to us. */
static void live_place(struct kunit *test)
{
	const u8 *page = start_page(test);
	u64 phys = mk_arch_start_page();
	u64 slots = copy_u32(page, sp_slots);
	u64 end = slots + copy_u32(page, sp_nr_slots) * MK_SLOT_SIZE;
	u64 at;

	KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(phys));
	KUNIT_EXPECT_LE(test, phys >> PAGE_SHIFT, 0xffULL);
	KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(slots));
	KUNIT_EXPECT_GT(test, slots, phys);
	KUNIT_EXPECT_GE(test, copy_u32(page, sp_nr_slots), (u32)MK_MAX_CPUS);
	KUNIT_ASSERT_LE(test, end, phys + SZ_64K);
	KUNIT_ASSERT_LE(test, end, (u64)SZ_1M);
	for (at = phys; at < end; at += PAGE_SIZE)
		KUNIT_EXPECT_TRUE_MSG(test,
				      PageReserved(pfn_to_page(PHYS_PFN(at))),
				      "%#llx belongs to the page allocator",
				      at);
}

/* The copy differs from the code in the fields and in nothing else. */
static void live_code(struct kunit *test)
{
	const u8 *page = start_page(test);
	u8 *want = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	const struct field *f;

	KUNIT_ASSERT_NOT_NULL(test, want);
	memcpy(want, mk_sp_begin, blob_bytes());
	for (f = fields; f < fields + ARRAY_SIZE(fields); f++)
		memcpy(want + offset_of(f->at), page + offset_of(f->at),
		       f->bytes);
	KUNIT_EXPECT_MEMEQ(test, page, want, PAGE_SIZE);
}

static void live_read_only(struct kunit *test)
{
	const u8 *page = start_page(test);
	unsigned int level;
	pte_t *pte;

	pte = lookup_address((unsigned long)page, &level);
	KUNIT_ASSERT_NOT_NULL(test, pte);
	KUNIT_EXPECT_FALSE(test, pte_write(*pte));
}

/* A table of which only the first entry is used; returns that entry. */
static u64 first_entry(struct kunit *test, u64 table)
{
	u64 phys = mk_arch_start_page();
	const u64 *entry;
	u32 i;

	KUNIT_ASSERT_TRUE_MSG(test, PAGE_ALIGNED(table), "table at %#llx",
			      table);
	KUNIT_ASSERT_GT(test, table, phys);
	KUNIT_ASSERT_LT(test, table, phys + SZ_64K);
	entry = __va(table);
	for (i = 1; i < PTRS_PER_PTE; i++)
		KUNIT_EXPECT_EQ_MSG(test, entry[i], 0ULL, "entry %u", i);
	return entry[0];
}

/* The address that an entry leads to, when all else in it is as it must be */
static u64 next_table(struct kunit *test, u64 entry)
{
	u64 table = entry & GENMASK_ULL(51, PAGE_SHIFT);

	KUNIT_EXPECT_EQ(test, entry & ~IGNORED_TABLE, table | ENTRY_P_RW);
	return table;
}

/* CR3 to PML4 to PDPT to PD: 2 MiB from 0, one to one, executable */
static void live_page_tables(struct kunit *test)
{
	u64 pml4 = copy_u32(start_page(test), sp_cr3);
	u64 pdpt = next_table(test, first_entry(test, pml4));
	u64 pd = next_table(test, first_entry(test, pdpt));
	u64 leaf = first_entry(test, pd);

	KUNIT_EXPECT_EQ(test, leaf & ~IGNORED_LEAF, ENTRY_P_RW | ENTRY_PS);
	KUNIT_EXPECT_NE(test, pml4, pdpt);
	KUNIT_EXPECT_NE(test, pml4, pd);
	KUNIT_EXPECT_NE(test, pdpt, pd);
}

/* Where the jump into 64-bit mode leads, as an offset */
static u32 jump_target(const u8 *page)
{
	return copy_u32(page, sp_jump) - mk_arch_start_page();
}

/*
 * It leads to where the data segments are loaded. secondary_startup_64 goes on
 * with the code selector that it came with, so that has to be Linux's.
 */
static void live_jump(struct kunit *test)
{
	const u8 *page = start_page(test);
	u32 target = jump_target(page);

	KUNIT_EXPECT_EQ(test, get_unaligned_le16(page + offset_of(sp_jump) +
						 sizeof(u32)), __KERNEL_CS);
	KUNIT_ASSERT_LT(test, target + 5, (u32)blob_bytes());
	KUNIT_EXPECT_EQ(test, page[target], INSN_MOV_EAX);
}

static void expect_descriptor(struct kunit *test, const u8 *page, u32 selector,
			      const struct desc_struct *want)
{
	u32 base = copy_u32(page, sp_gdt_ptr + 2) - mk_arch_start_page();
	u32 limit = get_unaligned_le16(page + offset_of(sp_gdt_ptr));

	KUNIT_ASSERT_LT(test, base, (u32)blob_bytes());
	KUNIT_ASSERT_LE(test, base + limit + 1, (u32)blob_bytes());
	/* In this table, with privilege 0 */
	KUNIT_ASSERT_EQ(test, selector % 8, 0U);
	KUNIT_ASSERT_LE(test, selector + 7, limit);
	KUNIT_EXPECT_MEMEQ(test, page + base + selector, want, sizeof(*want));
}

/* SDM vol. 3, "Segment Descriptors" and "Code-Segment Descriptor in 64-bit" */
static void live_descriptors(struct kunit *test)
{
	static const struct desc_struct null;
	/* G, L, not D; P, DPL 0; code, readable, accessed */
	static const struct desc_struct code = GDT_ENTRY_INIT(0xa09b, 0,
							      0xfffff);
	/* G, B; P, DPL 0; data, writable, accessed */
	static const struct desc_struct data = GDT_ENTRY_INIT(0xc093, 0,
							      0xfffff);
	const u8 *page = start_page(test);
	u32 target = jump_target(page);

	KUNIT_ASSERT_LT(test, target + 5, (u32)blob_bytes());
	expect_descriptor(test, page, 0, &null);
	expect_descriptor(test, page, __KERNEL_CS, &code);
	expect_descriptor(test, page, get_unaligned_le32(page + target + 1),
			  &data);
}

/* The slot in use of an APIC id; how many there are, into @ret_nr */
static const struct mk_start_slot *find_slot(const u8 *page, u32 apicid,
					     u32 *ret_nr)
{
	const struct mk_start_slot *slot, *found = NULL;
	u32 i, nr;

	slot = slots_of(page, &nr);
	*ret_nr = 0;
	for (i = 0; i < nr; i++, slot++) {
		if (slot->kind != MK_START_NONE && slot->apicid == apicid) {
			found = slot;
			++*ret_nr;
		}
	}
	return found;
}

static void expect_slot(struct kunit *test, const u8 *page,
			const struct mk_start_slot *want)
{
	const struct mk_start_slot *slot;
	u32 nr;

	slot = find_slot(page, want->apicid, &nr);
	KUNIT_EXPECT_EQ_MSG(test, nr, 1U, "APIC id %#x", want->apicid);
	if (slot)
		KUNIT_EXPECT_MEMEQ(test, slot, want, sizeof(*want));
}

/* Written, written again, cleared; mk_lock is held, nothing may end the test. */
static void live_slots(struct kunit *test)
{
	static const struct mk_cpu cpus[] = {
		{ .apicid = APICID_BOOT }, { .apicid = APICID_JOIN },
	};
	const u8 *page = start_page(test);
	struct mk_boot boot = {};
	u32 round, i, nr;

	mutex_lock(&mk_lock);
	for (round = 0; round < 2; round++) {
		u64 handoff = 0x140000000ULL << round;

		boot.handoff_addr = handoff;
		boot.entry = 0x1122334455000ULL + round;
		mk_arch_slots_set(cpus, ARRAY_SIZE(cpus), &boot);
		expect_slot(test, page, &(const struct mk_start_slot) {
			.apicid = APICID_BOOT, .kind = MK_START_BOOT,
			.cr3 = handoff + MK_HANDOFF_TABLES,
			.rip = boot.entry,
			.arg = handoff + MK_HANDOFF_BOOT_PARAMS,
		});
		expect_slot(test, page, &(const struct mk_start_slot) {
			.apicid = APICID_JOIN, .kind = MK_START_JOIN,
			.cr3 = handoff + MK_HANDOFF_TABLES,
			.arg = handoff + MK_HANDOFF_JOIN,
		});
	}
	mk_arch_slots_clear(cpus, ARRAY_SIZE(cpus));
	for (i = 0; i < ARRAY_SIZE(cpus); i++)
		KUNIT_EXPECT_NULL(test, find_slot(page, cpus[i].apicid, &nr));
	mutex_unlock(&mk_lock);
}

static struct kunit_case startpage_cases[] = {
	KUNIT_CASE(blob_layout),
	KUNIT_CASE(blob_values),
	KUNIT_CASE(live_place),
	KUNIT_CASE(live_code),
	KUNIT_CASE(live_read_only),
	KUNIT_CASE(live_page_tables),
	KUNIT_CASE(live_jump),
	KUNIT_CASE(live_descriptors),
	KUNIT_CASE(live_slots),
	{}
};

static struct kunit_suite startpage_suite = {
	.name = "multikernel_startpage",
	.test_cases = startpage_cases,
};

kunit_test_suites(&startpage_suite);

MODULE_DESCRIPTION("Tests of the multikernel's start page");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the doorbell's vector: its number, which all kernels have to agree
 * on, and its entry in the tables of both ways of delivering an interrupt. The
 * tables are static to their files, so kallsyms has to find them.
 */
#include <kunit/test.h>
#include <linux/kallsyms.h>
#include <asm/desc.h>
#include <asm/idtentry.h>
#include <asm/irq_vectors.h>
#include <asm/segment.h>

#include "../../../../kernel/multikernel/internal.h"

static void *static_table(struct kunit *test, const char *name)
{
	unsigned long at;

	if (!IS_ENABLED(CONFIG_KALLSYMS_ALL))
		kunit_skip(test, "no CONFIG_KALLSYMS_ALL");
	at = kallsyms_lookup_name(name);
	KUNIT_ASSERT_NE_MSG(test, at, 0UL, "no symbol %s", name);
	return (void *)at;
}

/* Part of the ABI: change it, and kernels ring in vain. */
static void vector_number(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mk_arch_vector(), 0xf5U);
	KUNIT_EXPECT_GE(test, MULTIKERNEL_VECTOR, FIRST_SYSTEM_VECTOR);
	KUNIT_EXPECT_TRUE(test, test_bit(MULTIKERNEL_VECTOR, system_vectors));
}

static void vector_fred(struct kunit *test)
{
#ifdef CONFIG_X86_FRED
	idtentry_t *table = static_table(test, "sysvec_table");
	u32 i, entries = 0;

	for (i = 0; i < NR_SYSTEM_VECTORS; i++)
		entries += table[i] == fred_sysvec_multikernel;
	KUNIT_EXPECT_PTR_EQ(test,
			    table[MULTIKERNEL_VECTOR - FIRST_SYSTEM_VECTOR],
			    &fred_sysvec_multikernel);
	KUNIT_EXPECT_EQ(test, entries, 1U);
#else
	kunit_skip(test, "no CONFIG_X86_FRED");
#endif
}

/* A present 64-bit interrupt gate of ring 0 (SDM vol. 3, "64-Bit Mode IDT") */
static void vector_idt(struct kunit *test)
{
	const gate_desc *gate;
	u16 bits;

	if (cpu_feature_enabled(X86_FEATURE_FRED))
		kunit_skip(test, "this CPU delivers by FRED");
	gate = static_table(test, "idt_table");
	gate += MULTIKERNEL_VECTOR;
	KUNIT_EXPECT_EQ(test, gate_offset(gate),
			(unsigned long)asm_sysvec_multikernel);
	KUNIT_EXPECT_EQ(test, gate_segment(gate), (unsigned long)__KERNEL_CS);
	memcpy(&bits, &gate->bits, sizeof(bits));
	KUNIT_EXPECT_EQ(test, bits, 0x8e00);	/* P, DPL 0, type 14, IST 0 */
}

static struct kunit_case vector_cases[] = {
	KUNIT_CASE(vector_number),
	KUNIT_CASE(vector_fred),
	KUNIT_CASE(vector_idt),
	{}
};

static struct kunit_suite vector_suite = {
	.name = "multikernel_vector",
	.test_cases = vector_cases,
};

kunit_test_suites(&vector_suite);

MODULE_DESCRIPTION("Tests of the multikernel's interrupt vector");
MODULE_LICENSE("GPL");

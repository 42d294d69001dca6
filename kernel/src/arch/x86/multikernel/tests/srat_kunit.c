// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the early look at the SRAT: nodes are numbered as Linux numbers
 * them, and a table that is wrong in any way is refused, not believed.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#include "../srat.h"

#define TABLE_MAX	1024
#define FLAT		0xfeU
#define MIB		(1ULL << 20)

/* A table under construction, and what was read from it */
struct fixture {
	union {
		struct acpi_table_srat srat;
		u8 byte[TABLE_MAX];
	} table;
	struct mk_srat read;
};

static int srat_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->table.srat.header.length = sizeof(f->table.srat);
	f->table.srat.header.revision = 3;
	test->priv = f;
	return 0;
}

static void add(struct fixture *f, const void *entry, u32 bytes)
{
	memcpy(f->table.byte + f->table.srat.header.length, entry, bytes);
	f->table.srat.header.length += bytes;
}

static void add_cpu(struct fixture *f, u32 pxm, bool enabled)
{
	struct acpi_srat_cpu_affinity cpu = {
		.header = { ACPI_SRAT_TYPE_CPU_AFFINITY, sizeof(cpu) },
		.proximity_domain_lo = pxm,
		.proximity_domain_hi = { pxm >> 8, pxm >> 16, pxm >> 24 },
		.flags = enabled ? ACPI_SRAT_CPU_ENABLED : 0,
	};

	add(f, &cpu, sizeof(cpu));
}

static void add_x2apic(struct fixture *f, u32 pxm, u32 apicid)
{
	struct acpi_srat_x2apic_cpu_affinity cpu = {
		.header = { ACPI_SRAT_TYPE_X2APIC_CPU_AFFINITY, sizeof(cpu) },
		.proximity_domain = pxm,
		.apic_id = apicid,
		.flags = ACPI_SRAT_CPU_ENABLED,
	};

	add(f, &cpu, sizeof(cpu));
}

static void add_generic(struct fixture *f, u32 pxm, bool enabled)
{
	struct acpi_srat_generic_affinity gi = {
		.header = { ACPI_SRAT_TYPE_GENERIC_AFFINITY, sizeof(gi) },
		.proximity_domain = pxm,
		.flags = enabled ? ACPI_SRAT_GENERIC_AFFINITY_ENABLED : 0,
	};

	add(f, &gi, sizeof(gi));
}

/* In MiB */
static void add_memory(struct fixture *f, u32 pxm, u64 at, u64 size)
{
	struct acpi_srat_mem_affinity mem = {
		.header = { ACPI_SRAT_TYPE_MEMORY_AFFINITY, sizeof(mem) },
		.proximity_domain = pxm,
		.base_address = at * MIB,
		.length = size * MIB,
		.flags = ACPI_SRAT_MEM_ENABLED,
	};

	add(f, &mem, sizeof(mem));
}

static void sign(struct fixture *f)
{
	u32 i;
	u8 sum = 0;

	f->table.srat.header.checksum = 0;
	for (i = 0; i < f->table.srat.header.length; i++)
		sum += f->table.byte[i];
	f->table.srat.header.checksum = -sum;
}

static const char *parse(struct fixture *f, u32 max_apicid)
{
	sign(f);
	return mk_srat_parse(&f->read, &f->table,
			     f->table.srat.header.length, max_apicid);
}

static void expect_range(struct kunit *test, u32 i, u64 at, u64 size, u32 node)
{
	struct fixture *f = test->priv;
	const struct mk_range *range = &f->read.nodes.range[i];

	KUNIT_ASSERT_LT(test, i, f->read.nodes.nr_ranges);
	KUNIT_EXPECT_EQ(test, range->addr, at * MIB);
	KUNIT_EXPECT_EQ(test, range->bytes, size * MIB);
	KUNIT_EXPECT_EQ(test, range->node, node);
}

/* A node's number is its turn, not its proximity domain. */
static void srat_numbers(struct kunit *test)
{
	struct fixture *f = test->priv;

	add_memory(f, 9, 8192, 1024);
	add_cpu(f, 7, false);
	add_cpu(f, 5, true);
	add_memory(f, 3, 4096, 1024);
	add_x2apic(f, 3, 0x200);
	add_x2apic(f, 5, 0x201);
	add_generic(f, 20, true);
	add_memory(f, 5, 1024, 512);
	KUNIT_ASSERT_STREQ(test, parse(f, U32_MAX) ?: "", "");
	/* CPUs: 5, 3; the initiator: 20; memory: 9 */
	KUNIT_ASSERT_EQ(test, f->read.nodes.nr_ranges, 3U);
	expect_range(test, 0, 1024, 512, 0);
	expect_range(test, 1, 4096, 1024, 1);
	expect_range(test, 2, 8192, 1024, 3);
	KUNIT_EXPECT_EQ(test, nodes_weight(f->read.nodes.known), 4);
}

/* Without x2APIC Linux does not count CPUs that it cannot reach. */
static void srat_large_apicid(struct kunit *test)
{
	struct fixture *f = test->priv;

	add_x2apic(f, 3, 0xff);
	add_x2apic(f, 5, 0xfe);
	add_memory(f, 3, 4096, 1024);
	add_memory(f, 5, 1024, 512);
	KUNIT_ASSERT_STREQ(test, parse(f, FLAT) ?: "", "");
	expect_range(test, 0, 1024, 512, 0);
	expect_range(test, 1, 4096, 1024, 1);
}

/* Linux looks at no processor behind a disabled initiator, but at memory. */
static void srat_generic_stops(struct kunit *test)
{
	struct fixture *f = test->priv;

	add_cpu(f, 1, true);
	add_generic(f, 8, false);
	add_cpu(f, 0, true);
	add_memory(f, 2, 2048, 1024);
	add_memory(f, 0, 4096, 1024);
	KUNIT_ASSERT_STREQ(test, parse(f, FLAT) ?: "", "");
	expect_range(test, 0, 2048, 1024, 1);
	expect_range(test, 1, 4096, 1024, 2);
}

/* Before revision 2 a proximity domain has 8 bits. */
static void srat_old_revision(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->table.srat.header.revision = 1;
	add_cpu(f, 0xabcdef01, true);
	add_memory(f, 0x12345601, 1024, 1024);
	KUNIT_ASSERT_STREQ(test, parse(f, FLAT) ?: "", "");
	expect_range(test, 0, 1024, 1024, 0);
	f->table.srat.header.revision = 2;
	KUNIT_EXPECT_STREQ(test, parse(f, FLAT),
			   "it has too many nodes or ranges");
}

static void srat_merges(struct kunit *test)
{
	struct fixture *f = test->priv;

	add_memory(f, 1, 6144, 1024);
	add_memory(f, 0, 1024, 1024);
	add_memory(f, 1, 5120, 1024);
	add_memory(f, 0, 0, 1024);
	add_memory(f, 1, 2048, 512);
	add_memory(f, 0, 2560, 0);
	KUNIT_ASSERT_STREQ(test, parse(f, FLAT) ?: "", "");
	KUNIT_ASSERT_EQ(test, f->read.nodes.nr_ranges, 3U);
	expect_range(test, 0, 0, 2048, 1);
	expect_range(test, 1, 2048, 512, 0);
	expect_range(test, 2, 5120, 2048, 0);
}

static void srat_refused(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct acpi_table_header *h = &f->table.srat.header;
	u32 whole;

	add_cpu(f, 0, true);
	KUNIT_EXPECT_STREQ(test, parse(f, FLAT), "it lists no memory");
	add_memory(f, 0, 1024, 1024);
	add_memory(f, 1, 2048, 1024);
	KUNIT_EXPECT_NULL(test, parse(f, FLAT));
	whole = h->length;

	f->table.byte[whole - 5] ^= 1;
	KUNIT_EXPECT_STREQ(test, mk_srat_parse(&f->read, &f->table, whole,
					       FLAT), "its checksum is wrong");
	f->table.byte[whole - 5] ^= 1;
	KUNIT_EXPECT_STREQ(test, mk_srat_parse(&f->read, &f->table, whole - 1,
					       FLAT), "it is cut short");
	KUNIT_EXPECT_STREQ(test, mk_srat_parse(&f->read, &f->table, 8, FLAT),
			   "it is cut short");

	h->length = whole - 8;
	KUNIT_EXPECT_STREQ(test, parse(f, FLAT), "an entry has a bad length");
	h->length = whole;
	f->table.byte[sizeof(f->table.srat) + 1] = 0;
	KUNIT_EXPECT_STREQ(test, parse(f, FLAT), "an entry has a bad length");
	f->table.byte[sizeof(f->table.srat) + 1] =
		sizeof(struct acpi_srat_cpu_affinity);
	add_memory(f, 3, 3000, 1024);
	KUNIT_EXPECT_STREQ(test, parse(f, FLAT),
			   "memory of two nodes overlaps");
}

/* Whatever is in it: no access outside, and what comes out is in order. */
static void srat_random(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct rnd_state rnd;
	const struct mk_early_nodes *nodes = &f->read.nodes;
	u32 round, i, at, good = 0;

	prandom_seed_state(&rnd, 11);
	for (round = 0; round < 20000; round++) {
		memset(f->table.byte + sizeof(f->table.srat), 0, 512);
		f->table.srat.header.length = sizeof(f->table.srat);
		for (i = 0; i < 6; i++) {
			add_cpu(f, prandom_u32_state(&rnd) % 8, true);
			add_memory(f, prandom_u32_state(&rnd) % 8,
				   prandom_u32_state(&rnd) % 65536,
				   prandom_u32_state(&rnd) % 4096);
		}
		for (i = prandom_u32_state(&rnd) % 3; i; i--) {
			at = sizeof(f->table.srat) +
			     prandom_u32_state(&rnd) % 300;
			f->table.byte[at] = prandom_u32_state(&rnd);
		}
		if (parse(f, FLAT))
			continue;
		good++;
		KUNIT_ASSERT_LE(test, nodes->nr_ranges, (u32)MK_EARLY_RANGES);
		for (i = 0; i < nodes->nr_ranges; i++) {
			KUNIT_ASSERT_TRUE(test, node_isset(nodes->range[i].node,
							   nodes->known));
			if (i)
				KUNIT_ASSERT_GE(test, nodes->range[i].addr,
						nodes->range[i - 1].addr +
						nodes->range[i - 1].bytes);
		}
	}
	KUNIT_EXPECT_GT(test, good, 100U);
	KUNIT_EXPECT_LT(test, good, 20000U);
}

static struct kunit_case srat_cases[] = {
	KUNIT_CASE(srat_numbers),
	KUNIT_CASE(srat_large_apicid),
	KUNIT_CASE(srat_generic_stops),
	KUNIT_CASE(srat_old_revision),
	KUNIT_CASE(srat_merges),
	KUNIT_CASE(srat_refused),
	KUNIT_CASE(srat_random),
	{}
};

static struct kunit_suite srat_suite = {
	.name = "multikernel_srat",
	.init = srat_test_init,
	.test_cases = srat_cases,
};

kunit_test_suites(&srat_suite);

MODULE_DESCRIPTION("Tests of the multikernel's early look at the SRAT");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the shared region: what a joiner accepts as a header and as its
 * table entry, each broken one field at a time and at the edges of its types;
 * what mk_shared_memory= may say; and, on a host, the region that it made.
 */
#include <kunit/test.h>
#include <linux/align.h>
#include <linux/sizes.h>

#include "../internal.h"

#define TOTAL		SZ_16M
#define TABLE_BYTES	(MK_MAX_INSTANCES * sizeof(struct mk_region_entry))

/* The block of an instance, one part behind the other */
#define PAGE		MK_REGION_PAGE
#define LAST_PAGE	0xfffff000ULL	/* of what 32 bits can say */
#define RING_BYTES	ALIGN(sizeof(struct mk_ring), MK_REGION_PAGE)
#define CPUS_AT		0x6000U
#define BLOCK_AT	0x8000U
#define SLOT_AT		0U
#define RING_IN_AT	PAGE
#define RING_OUT_AT	(RING_IN_AT + RING_BYTES)
#define LOG_AT		(RING_OUT_AT + RING_BYTES)
#define LOG_DATA	SZ_128K
#define BLOCK_BYTES	(LOG_AT + ALIGN(MK_LOGRING_HEADER_BYTES + LOG_DATA, \
					MK_REGION_PAGE))
#define ID		5

/* Not what the checks return: they have nothing to say then. */
static const char accepted[] = "accepted";

static const char no_magic[] =
	"no magic: not a region, or its maker has not finished";
static const char other_abi[] = "another ABI version";
static const char small_header[] = "header too small";
static const char other_entries[] = "table entries of another size";
static const char other_features[] =
	"it needs features that this kernel does not have";
static const char other_size[] = "size disagrees with mk_shared_memory=";
static const char bad_count[] = "impossible number of table entries";
static const char table_outside[] = "table outside the region";

static const char cpus_outside[] = "list of CPUs outside the region";

static const char other_id[] = "table entry of another instance";
static const char block_outside[] = "block outside the region";
static const char bad_log[] = "impossible size of the log ring";
static const char part_outside[] = "part of the block outside it";

static const struct mk_region_header good_header = {
	.magic = MK_REGION_MAGIC,
	.abi_version = MK_ABI_VERSION,
	.header_bytes = sizeof(struct mk_region_header),
	.total_bytes = TOTAL,
	.features = MK_FEATURES,
	.features_needed = MK_FEATURES_NEEDED,
	.generation = 0x0123456789abcdef,
	.table_offset = MK_REGION_PAGE,
	.table_entries = MK_MAX_INSTANCES,
	.entry_bytes = sizeof(struct mk_region_entry),
	.host_apicid = 1,
	.host_vector = 0xf5,
	.cpus_offset = CPUS_AT,
	.cpus_entries = 4,
};

static const struct mk_region_entry good_entry = {
	.id = ID,
	.epoch = 3,
	.block_offset = BLOCK_AT,
	.block_bytes = BLOCK_BYTES,
	.slot_offset = SLOT_AT,
	.ring_in_offset = RING_IN_AT,
	.ring_out_offset = RING_OUT_AT,
	.log_offset = LOG_AT,
	.log_data_bytes = LOG_DATA,
	.name = "web",
};

/* A field, what to write there, and what must be said of it */
struct field_case {
	const char *what;
	size_t offset;
	size_t bytes;
	u64 value;
	const char *why;
};

#define FIELD(type, field, _what, _value, _why) {			\
	.what = (_what),						\
	.offset = offsetof(struct type, field),				\
	.bytes = sizeof_field(struct type, field),			\
	.value = (_value),						\
	.why = (_why),							\
}

#define HEADER(field, value, why)					\
	FIELD(mk_region_header, field, #field " = " #value, value, why)

static const struct field_case header_cases[] = {
	HEADER(magic, 0, no_magic),
	HEADER(magic, MK_REGION_MAGIC + 1, no_magic),
	HEADER(magic, (u32)MK_REGION_MAGIC, no_magic),
	HEADER(magic, ~MK_REGION_MAGIC, no_magic),
	HEADER(abi_version, 0, other_abi),
	HEADER(abi_version, MK_ABI_VERSION + 1, other_abi),
	HEADER(abi_version, U32_MAX, other_abi),
	HEADER(header_bytes, 0, small_header),
	HEADER(header_bytes, 127, small_header),
	HEADER(header_bytes, 129, accepted),
	HEADER(header_bytes, PAGE, accepted),
	HEADER(header_bytes, PAGE + 1, table_outside),
	HEADER(header_bytes, U32_MAX, table_outside),
	HEADER(entry_bytes, 0, other_entries),
	HEADER(entry_bytes, 127, other_entries),
	HEADER(entry_bytes, 129, other_entries),
	HEADER(entry_bytes, U32_MAX, other_entries),
	HEADER(features_needed, 0, accepted),
	HEADER(features_needed, MK_FEATURES, accepted),
	HEADER(features_needed, MK_FEATURES + 1, other_features),
	HEADER(features_needed, 1ULL << 32, other_features),
	HEADER(features_needed, 1ULL << 63, other_features),
	/* What is offered and unknown is not used. */
	HEADER(features, 0, accepted),
	HEADER(features, U64_MAX, accepted),
	HEADER(total_bytes, 0, other_size),
	HEADER(total_bytes, TOTAL - 1, other_size),
	HEADER(total_bytes, TOTAL + PAGE, other_size),
	HEADER(total_bytes, TOTAL + (1ULL << 32), other_size),
	HEADER(total_bytes, U64_MAX, other_size),
	HEADER(table_entries, 0, bad_count),
	HEADER(table_entries, 1, accepted),
	HEADER(table_entries, MK_MAX_INSTANCES + 1, bad_count),
	/* times 128 it would be 0 in 32 bits */
	HEADER(table_entries, 1U << 25, bad_count),
	HEADER(table_entries, U32_MAX, bad_count),
	HEADER(table_offset, 0, table_outside),
	HEADER(table_offset, 127, table_outside),
	HEADER(table_offset, 128, accepted),
	HEADER(table_offset, TOTAL - TABLE_BYTES, accepted),
	HEADER(table_offset, TOTAL - TABLE_BYTES + 1, table_outside),
	HEADER(table_offset, TOTAL, table_outside),
	/* with the table it would end at 0 in 32 bits */
	HEADER(table_offset, (1ULL << 32) - TABLE_BYTES, table_outside),
	HEADER(table_offset, U32_MAX, table_outside),
	HEADER(cpus_offset, 0, cpus_outside),
	HEADER(cpus_offset, CPUS_AT + 8, cpus_outside),
	HEADER(cpus_offset, TOTAL - PAGE, accepted),
	HEADER(cpus_offset, TOTAL, cpus_outside),
	HEADER(cpus_offset, U32_MAX, cpus_outside),
	HEADER(cpus_entries, 0, cpus_outside),
	HEADER(cpus_entries, (TOTAL - CPUS_AT) / 8, accepted),
	HEADER(cpus_entries, (TOTAL - CPUS_AT) / 8 + 1, cpus_outside),
	HEADER(cpus_entries, U32_MAX, cpus_outside),
	/* These say nothing about the layout. */
	HEADER(generation, 0, accepted),
	HEADER(host_apicid, U32_MAX, accepted),
	HEADER(host_vector, 0, accepted),
};

#define ENTRY(field, value, why)					\
	FIELD(mk_region_entry, field, #field " = " #value, value, why)

static const struct field_case entry_cases[] = {
	ENTRY(id, 0, other_id),
	ENTRY(id, ID + 1, other_id),
	ENTRY(id, U32_MAX, other_id),
	ENTRY(epoch, U32_MAX, accepted),
	ENTRY(block_offset, 0, block_outside),
	ENTRY(block_offset, 1, block_outside),
	ENTRY(block_offset, BLOCK_AT + 1, block_outside),
	ENTRY(block_offset, BLOCK_AT + PAGE / 2, block_outside),
	ENTRY(block_offset, TOTAL - BLOCK_BYTES, accepted),
	ENTRY(block_offset, TOTAL - BLOCK_BYTES + PAGE, block_outside),
	ENTRY(block_offset, TOTAL, block_outside),
	ENTRY(block_offset, TOTAL + PAGE, block_outside),
	ENTRY(block_offset, BLOCK_AT + (1ULL << 32), block_outside),
	/* with the block it would end at 0 */
	ENTRY(block_offset, -(u64)BLOCK_BYTES, block_outside),
	ENTRY(block_offset, -(u64)PAGE, block_outside),
	ENTRY(block_offset, U64_MAX, block_outside),
	ENTRY(block_bytes, 0, part_outside),
	ENTRY(block_bytes, BLOCK_BYTES - PAGE, part_outside),
	ENTRY(block_bytes, BLOCK_BYTES - 1, block_outside),
	ENTRY(block_bytes, BLOCK_BYTES + 1, block_outside),
	ENTRY(block_bytes, TOTAL - BLOCK_AT, accepted),
	ENTRY(block_bytes, TOTAL - BLOCK_AT + PAGE, block_outside),
	ENTRY(block_bytes, LAST_PAGE, block_outside),
	/* with its offset it would end at 0 in 32 bits */
	ENTRY(block_bytes, (1ULL << 32) - BLOCK_AT, block_outside),
	ENTRY(block_bytes, U32_MAX, block_outside),
	ENTRY(slot_offset, 1, part_outside),
	ENTRY(slot_offset, PAGE / 2, part_outside),
	ENTRY(slot_offset, BLOCK_BYTES - PAGE, accepted),
	ENTRY(slot_offset, BLOCK_BYTES, part_outside),
	ENTRY(slot_offset, LAST_PAGE, part_outside),
	ENTRY(slot_offset, U32_MAX, part_outside),
	ENTRY(ring_in_offset, RING_IN_AT + 8, part_outside),
	ENTRY(ring_in_offset, BLOCK_BYTES - RING_BYTES, accepted),
	ENTRY(ring_in_offset, BLOCK_BYTES - RING_BYTES + PAGE, part_outside),
	ENTRY(ring_in_offset, LAST_PAGE, part_outside),
	ENTRY(ring_in_offset, U32_MAX, part_outside),
	ENTRY(ring_out_offset, RING_OUT_AT + 8, part_outside),
	ENTRY(ring_out_offset, BLOCK_BYTES - RING_BYTES, accepted),
	ENTRY(ring_out_offset, BLOCK_BYTES - RING_BYTES + PAGE, part_outside),
	ENTRY(ring_out_offset, LAST_PAGE, part_outside),
	ENTRY(ring_out_offset, U32_MAX, part_outside),
	ENTRY(log_offset, LOG_AT + 8, part_outside),
	ENTRY(log_offset, LOG_AT + PAGE, part_outside),
	ENTRY(log_offset, BLOCK_BYTES, part_outside),
	ENTRY(log_offset, LAST_PAGE, part_outside),
	ENTRY(log_offset, U32_MAX, part_outside),
	ENTRY(log_data_bytes, 0, bad_log),
	ENTRY(log_data_bytes, 1, bad_log),
	ENTRY(log_data_bytes, PAGE / 2, bad_log),
	ENTRY(log_data_bytes, PAGE, accepted),
	ENTRY(log_data_bytes, PAGE * 3, bad_log),
	ENTRY(log_data_bytes, LOG_DATA + 1, bad_log),
	ENTRY(log_data_bytes, LOG_DATA / 2, accepted),
	ENTRY(log_data_bytes, LOG_DATA * 2, part_outside),
	ENTRY(log_data_bytes, 1U << 31, part_outside),
	ENTRY(log_data_bytes, U32_MAX, bad_log),
};

/* Little-endian, as the region is */
static void break_field(void *p, const struct field_case *c)
{
	memcpy(p + c->offset, &c->value, c->bytes);
}

static const char *check_header(const struct mk_region_header *h, u64 total)
{
	return mk_region_header_check(h, total) ?: accepted;
}

static const char *check_entry(const struct mk_region_entry *e, u32 id,
			       u64 total)
{
	return mk_region_entry_check(e, id, total) ?: accepted;
}

static void header_fields(struct kunit *test)
{
	const struct field_case *c;
	struct mk_region_header h;

	KUNIT_EXPECT_STREQ(test, check_header(&good_header, TOTAL), accepted);
	for (c = header_cases; c < header_cases + ARRAY_SIZE(header_cases);
	     c++) {
		h = good_header;
		break_field(&h, c);
		KUNIT_EXPECT_STREQ_MSG(test, check_header(&h, TOTAL),
				       c->why, "%s", c->what);
	}
}

/* Regions as small and as large as can be: nothing may wrap around. */
static void header_sizes(struct kunit *test)
{
	static const struct {
		u64 total;
		u32 table_offset;
		const char *why;
	} cases[] = {
		{ 0, PAGE, table_outside },
		{ PAGE, PAGE, table_outside },
		{ PAGE + TABLE_BYTES - 1, PAGE, table_outside },
		{ PAGE + TABLE_BYTES, PAGE, cpus_outside },
		{ CPUS_AT + 31, PAGE, cpus_outside },
		{ CPUS_AT + 32, PAGE, accepted },
		{ 1ULL << 32, (1ULL << 32) - TABLE_BYTES, accepted },
		{ 1ULL << 32, (1ULL << 32) - TABLE_BYTES + 1, table_outside },
		{ 1ULL << 32, U32_MAX, table_outside },
		{ U64_MAX, U32_MAX, accepted },
	};
	struct mk_region_header h = good_header;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		h.total_bytes = cases[i].total;
		h.table_offset = cases[i].table_offset;
		KUNIT_EXPECT_STREQ_MSG(test, check_header(&h, cases[i].total),
				       cases[i].why, "case %zu", i);
	}
}

static void entry_fields(struct kunit *test)
{
	const struct field_case *c;
	struct mk_region_entry e;

	KUNIT_EXPECT_STREQ(test, check_entry(&good_entry, ID, TOTAL), accepted);
	for (c = entry_cases; c < entry_cases + ARRAY_SIZE(entry_cases); c++) {
		e = good_entry;
		break_field(&e, c);
		KUNIT_EXPECT_STREQ_MSG(test, check_entry(&e, ID, TOTAL),
				       c->why, "%s", c->what);
	}
}

static void entry_sizes(struct kunit *test)
{
	static const struct {
		u64 total;
		u64 block_offset;
		const char *why;
	} cases[] = {
		{ 0, BLOCK_AT, block_outside },
		{ BLOCK_BYTES, BLOCK_AT, block_outside },
		{ BLOCK_AT + BLOCK_BYTES - 1, BLOCK_AT, block_outside },
		{ BLOCK_AT + BLOCK_BYTES, BLOCK_AT, accepted },
		{ U64_MAX, -(u64)BLOCK_BYTES - PAGE, accepted },
		{ U64_MAX, -(u64)BLOCK_BYTES, block_outside },
		{ U64_MAX, -(u64)PAGE, block_outside },
	};
	struct mk_region_entry e = good_entry;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		e.block_offset = cases[i].block_offset;
		KUNIT_EXPECT_STREQ_MSG(test,
				       check_entry(&e, ID, cases[i].total),
				       cases[i].why, "case %zu", i);
	}
}

/* An unused entry is nobody's. */
static void entry_unused(struct kunit *test)
{
	static const struct mk_region_entry unused;

	KUNIT_EXPECT_STREQ(test, check_entry(&unused, ID, TOTAL),
			   other_id);
	KUNIT_EXPECT_STREQ(test, check_entry(&unused, 0, TOTAL),
			   block_outside);
}

static void param_good(struct kunit *test)
{
	static const struct {
		const char *s;
		u64 addr;
		u64 bytes;
	} cases[] = {
		{ "16M@0x140000000",		0x140000000, SZ_16M },
		{ "0x1000000@0x140000000",	0x140000000, SZ_16M },
		{ "16777216@5368709120",	0x140000000, SZ_16M },
		{ "16m@5g",			0x140000000, SZ_16M },
		{ "16M@0x140000000 quiet",	0x140000000, SZ_16M },
		{ "16M@4K",			0x1000, SZ_16M },
		{ "16M@0xfffffffffe000000",	-2ULL * SZ_16M, SZ_16M },
		{ "0x140000000",		0x140000000, 0 },
		{ "5G",				0x140000000, 0 },
		{ "0x40001000",			SZ_1G + PAGE, 0 },
		{ "0xfffffffffe000000",		-2ULL * SZ_16M, 0 },
		{ "16M",			0, SZ_16M },
		{ "16M ",			0, SZ_16M },
		/* Linux ends a word of the command line at any of these. */
		{ "16M\tquiet",			0, SZ_16M },
		{ "16M\n",			0, SZ_16M },
		{ "1M",				0, SZ_1M },
		{ "1048576",			0, SZ_1M },
		{ "0x100000",			0, SZ_1M },
		{ "1028K",			0, SZ_1M + PAGE },
		{ "1G",				0, SZ_1G },
		{ "1G@5G",			0x140000000, SZ_1G },
	};
	u64 addr, bytes;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		addr = 1;
		bytes = 1;
		KUNIT_EXPECT_EQ_MSG(test,
				    mk_region_param_parse(cases[i].s, &addr,
							  &bytes),
				    0, "\"%s\"", cases[i].s);
		KUNIT_EXPECT_EQ_MSG(test, addr, cases[i].addr, "\"%s\"",
				    cases[i].s);
		KUNIT_EXPECT_EQ_MSG(test, bytes, cases[i].bytes, "\"%s\"",
				    cases[i].s);
	}
}

static const char *const bad_params[] = {
	/* no number where one has to be */
	NULL, "", " ", "M", "x", "0x", "0xM", "@", "@5", "@5G", "16M@",
	"16M@M", "16M@@5G", "-1", "+16M", "-16M", " 16M", "16M@ 5G", "16M@-1",
	"16M@+5G",
	/* something behind it */
	"16MX", "16MM", "16MB", "16M,", "16M@5GX", "16M@5G@5G",
	"16M@5G,", "0x140000000x",
	/* not in whole pages */
	"1048577", "0x100800", "16M@5", "16M@0x140000001", "16M@0x140000800",
	"0x140000800", "5368709121",
	/* too small, too large, nowhere */
	"0", "1", "4K", "1023K", "1048575", "0@5G", "512K@5G", "2G@5G",
	"1025M@5G", "0x140000000@0x140000000", "16M@0", "5G@0",
	/* more than 64 bits: 2^64 + 16M, and so on */
	"18446744073709551616", "18446744073726328832", "0x10000000001000000",
	"17592186044432M", "16E", "17592186044432M@5G",
	"16M@18446744073709555712", "16M@16E", "16M@0x10000000140000000",
	"00000000000000000000000000000000000000000016M",
	/* the end does not fit */
	"16M@0xfffffffffffff000", "16M@0xffffffffff000000",
	"0xfffffffffffff000", "0xffffffffff000000",
};

static void param_bad(struct kunit *test)
{
	u64 addr, bytes;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_params); i++) {
		const char *s = bad_params[i];

		addr = 7;
		bytes = 7;
		KUNIT_EXPECT_EQ_MSG(test,
				    mk_region_param_parse(s, &addr, &bytes),
				    -EINVAL, "\"%s\"", s ?: "(null)");
		KUNIT_EXPECT_EQ(test, addr, 7ULL);
		KUNIT_EXPECT_EQ(test, bytes, 7ULL);
	}
}

/* What this host made is what a joiner accepts. */
static void live_header(struct kunit *test)
{
	if (!mk_region)
		kunit_skip(test, "this kernel made no region");
	KUNIT_EXPECT_STREQ(test, check_header(mk_region, mk_region_bytes),
			   accepted);
	KUNIT_EXPECT_EQ(test, mk_region->table_entries, (u32)MK_MAX_INSTANCES);
	KUNIT_EXPECT_EQ(test, mk_region->host_vector, mk_arch_vector());
	KUNIT_EXPECT_EQ(test, mk_region->host_apicid, mk_arch_apicid(0));
}

/* With mk_lock held, so nothing here may end the test. */
static void expect_block(struct kunit *test, struct mk_instance *inst)
{
	const struct mk_region_entry *table = (void *)mk_region +
					      mk_region->table_offset;

	KUNIT_EXPECT_PTR_EQ(test, inst->entry, &table[inst->id - 1]);
	KUNIT_EXPECT_STREQ(test, check_entry(inst->entry, inst->id,
					     mk_region_bytes), accepted);
	KUNIT_EXPECT_STREQ(test, inst->entry->name, inst->name);
	KUNIT_EXPECT_EQ(test, inst->entry->epoch, 0U);
	KUNIT_EXPECT_GE(test, inst->block_offset,
			mk_region->table_offset + TABLE_BYTES);

	inst->epoch = 1;
	KUNIT_EXPECT_EQ(test, mk_region_start_epoch(inst), 0);
	KUNIT_EXPECT_EQ(test, inst->entry->epoch, 1U);
	KUNIT_EXPECT_EQ(test, mk_ring_check(inst->ring_in, 1), 0);
	KUNIT_EXPECT_EQ(test, mk_ring_check(inst->ring_out, 1), 0);
	KUNIT_EXPECT_NE(test, mk_ring_check(inst->ring_in, 2), 0);
}

/* A block comes and goes, and leaves nothing behind. */
static void live_block(struct kunit *test)
{
	static const struct mk_region_entry unused;
	const struct mk_region_entry *entry;
	struct mk_instance *inst;

	if (!mk_region)
		kunit_skip(test, "this kernel made no region");
	inst = kunit_kzalloc(test, sizeof(*inst), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, inst);
	inst->id = MK_MAX_INSTANCES;
	strscpy(inst->name, "kunit", sizeof(inst->name));

	mutex_lock(&mk_lock);
	if (mk_instance_find(inst->id)) {
		mutex_unlock(&mk_lock);
		kunit_skip(test, "instance %u exists", inst->id);
	}
	KUNIT_EXPECT_EQ(test, mk_region_add_instance(inst, NULL), 0);
	entry = inst->entry;
	if (entry) {
		expect_block(test, inst);
		mk_region_remove_instance(inst);
		KUNIT_EXPECT_NULL(test, inst->entry);
		KUNIT_EXPECT_MEMEQ(test, entry, &unused, sizeof(unused));
	}
	/* Once more does no harm. */
	mk_region_remove_instance(inst);
	mutex_unlock(&mk_lock);
}

static struct kunit_case region_cases[] = {
	KUNIT_CASE(header_fields),
	KUNIT_CASE(header_sizes),
	KUNIT_CASE(entry_fields),
	KUNIT_CASE(entry_sizes),
	KUNIT_CASE(entry_unused),
	KUNIT_CASE(param_good),
	KUNIT_CASE(param_bad),
	KUNIT_CASE(live_header),
	KUNIT_CASE(live_block),
	{}
};

static struct kunit_suite region_suite = {
	.name = "multikernel_region",
	.test_cases = region_cases,
};

kunit_test_suites(&region_suite);

MODULE_DESCRIPTION("Tests of the multikernel's shared region");
MODULE_LICENSE("GPL");

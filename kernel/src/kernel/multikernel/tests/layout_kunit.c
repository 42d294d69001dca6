// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of where kernel and initrd go in memory of several pieces.
 */
#include <kunit/test.h>
#include <linux/sizes.h>

#include "../internal.h"

#define MIB	((u64)SZ_1M)

/* In MiB: pieces, kernel, initrd; the pieces that kernel and initrd get */
struct good_case {
	u32 piece[4];
	u32 kernel, initrd;
	int kernel_in, initrd_in;
};

static const struct good_case good_cases[] = {
	{ { 64 },		62, 0,	0, 0 },
	{ { 64 },		30, 32,	0, 0 },
	{ { 64, 32 },		30, 32,	0, 0 },
	{ { 64, 32 },		31, 32,	0, 1 },
	{ { 64, 34, 34 },	32, 34,	0, 1 },
	{ { 64, 32, 34 },	32, 34,	0, 2 },
	{ { 16, 64 },		30, 20,	1, 1 },
	{ { 16, 64 },		50, 14,	1, 0 },
	/* The kernel makes room where the initrd fits nowhere else */
	{ { 100, 60 },		50, 80,	1, 0 },
	{ { 2, 4, 2, 6 },	4, 6,	-1, -1 },
	{ { 2, 4, 8, 6 },	4, 6,	2, 3 },
};

/* As far apart as can be, and not in order of addresses */
static u64 addr_of(u32 i)
{
	return (8 - i) * SZ_1G;
}

static u32 pieces(const u32 *mib, struct mk_range *ret)
{
	u32 nr;

	for (nr = 0; nr < 4 && mib[nr]; nr++)
		ret[nr] = (struct mk_range){
			.addr = addr_of(nr),
			.bytes = mib[nr] * MIB,
		};
	return nr;
}

static void layout_good(struct kunit *test)
{
	const struct good_case *c;
	struct mk_layout layout;
	struct mk_range range[4];
	u32 i, nr;
	int ret;

	for (i = 0; i < ARRAY_SIZE(good_cases); i++) {
		c = &good_cases[i];
		nr = pieces(c->piece, range);
		layout = (struct mk_layout){ };
		ret = mk_layout_find(range, nr, c->kernel * MIB,
				     c->initrd * MIB, &layout, NULL);
		if (c->kernel_in < 0) {
			KUNIT_EXPECT_EQ_MSG(test, ret, -ENOSPC, "case %u", i);
			continue;
		}
		KUNIT_EXPECT_EQ_MSG(test, ret, 0, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, layout.handoff_addr,
				    addr_of(c->kernel_in), "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, layout.kernel_addr,
				    addr_of(c->kernel_in) + MK_KERNEL_OFFSET,
				    "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, layout.initrd_addr, c->initrd ?
				    addr_of(c->initrd_in) +
				    (c->piece[c->initrd_in] - c->initrd) * MIB :
				    0, "case %u", i);
	}
}

static void expect_refusal(struct kunit *test, const u32 *mib, u64 kernel,
			   u64 initrd, u32 reason, u64 a, u64 b)
{
	struct mk_refusal r = { };
	struct mk_layout layout = { };
	struct mk_range range[4];
	u32 nr = pieces(mib, range);

	KUNIT_EXPECT_EQ(test, mk_layout_find(range, nr, kernel, initrd,
					     &layout, &r), -ENOSPC);
	KUNIT_EXPECT_EQ(test, r.reason, reason);
	KUNIT_EXPECT_EQ(test, r.a, a);
	KUNIT_EXPECT_EQ(test, r.b, b);
	KUNIT_EXPECT_EQ(test, layout.handoff_addr, 0ULL);
}

/* The room that is named is the largest that there is. */
static void layout_refused(struct kunit *test)
{
	static const u32 crumbs[] = { 16, 32, 16, 8 };
	static const u32 large[] = { 100, 60, 0, 0 };

	expect_refusal(test, crumbs, 31 * MIB, 0, MK_REASON_IMAGE_TOO_LARGE,
		       31 * MIB, 30 * MIB);
	expect_refusal(test, crumbs, U64_MAX, 0, MK_REASON_IMAGE_TOO_LARGE,
		       U64_MAX, 30 * MIB);
	expect_refusal(test, large, 50 * MIB, 101 * MIB,
		       MK_REASON_INITRD_TOO_LARGE, 101 * MIB, 100 * MIB);
	expect_refusal(test, large, 59 * MIB, 61 * MIB,
		       MK_REASON_INITRD_TOO_LARGE, 61 * MIB, 60 * MIB);
	expect_refusal(test, large, 10 * MIB, U64_MAX,
		       MK_REASON_INITRD_TOO_LARGE, U64_MAX, 100 * MIB);
}

/* An initrd of any size begins at a page and ends inside its piece. */
static void layout_initrd_page(struct kunit *test)
{
	static const u64 sizes[] = { 1, 4095, 4096, 4097, 8 * SZ_1M - 1 };
	struct mk_range range = { .addr = SZ_1G, .bytes = 64 * MIB };
	struct mk_layout layout;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_ASSERT_EQ(test, mk_layout_find(&range, 1, 20 * MIB + 5,
						     sizes[i], &layout, NULL),
				0);
		KUNIT_EXPECT_EQ(test, layout.initrd_addr % PAGE_SIZE, 0ULL);
		KUNIT_EXPECT_LE(test, layout.initrd_addr + sizes[i],
				range.addr + range.bytes);
		KUNIT_EXPECT_GE(test, layout.initrd_addr,
				layout.kernel_addr + 20 * MIB + 5);
	}
}

/* The last byte: rounding down must not lay it over the kernel. */
static void layout_tight(struct kunit *test)
{
	struct mk_range range = { .addr = SZ_1G, .bytes = 64 * MIB };
	struct mk_layout layout;

	KUNIT_EXPECT_EQ(test, mk_layout_find(&range, 1, 30 * MIB + 1,
					     32 * MIB - PAGE_SIZE, &layout,
					     NULL), 0);
	KUNIT_EXPECT_EQ(test, mk_layout_find(&range, 1, 30 * MIB + 1,
					     32 * MIB - PAGE_SIZE + 1, &layout,
					     NULL), -ENOSPC);
}

static struct kunit_case layout_cases[] = {
	KUNIT_CASE(layout_good),
	KUNIT_CASE(layout_refused),
	KUNIT_CASE(layout_initrd_page),
	KUNIT_CASE(layout_tight),
	{}
};

static struct kunit_suite layout_suite = {
	.name = "multikernel_layout",
	.test_cases = layout_cases,
};

kunit_test_suites(&layout_suite);

MODULE_DESCRIPTION("Tests of where an instance's kernel and initrd go");
MODULE_LICENSE("GPL");

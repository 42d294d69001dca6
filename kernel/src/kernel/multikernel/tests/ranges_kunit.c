// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the set of free ranges: merging, choosing, several pieces, nothing
 * changed on failure; then many random steps beside a simple model (an array
 * with one entry per unit of memory).
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "../ranges.h"

#define UNIT		SZ_2M
#define MODEL_UNITS	256
#define MODEL_ROUNDS	5000
#define MAX_PIECES	16

/* A set, and the results of the last take() */
struct fixture {
	struct mk_ranges ranges;
	struct mk_range range[MAX_PIECES];
	bool clean[MAX_PIECES];
	u32 nr;
};

static int ranges_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	mk_ranges_init(&f->ranges);
	test->priv = f;
	return 0;
}

static void ranges_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (f)
		mk_ranges_free_all(&f->ranges);
}

/* In units */
static int add(struct fixture *f, u64 at, u64 units, u32 node, bool clean)
{
	return mk_ranges_add(&f->ranges, at * UNIT, units * UNIT, node, clean);
}

static int take_aligned(struct fixture *f, u64 units, u64 align, u32 node)
{
	return mk_ranges_take(&f->ranges, units * UNIT, align * UNIT, node,
			      f->range, f->clean, MAX_PIECES, &f->nr);
}

static int take(struct fixture *f, u64 units)
{
	return take_aligned(f, units, 1, MK_NODE_ANY);
}

/* Sorted, apart, merged as far as possible, and counted right */
static void expect_consistent(struct kunit *test, struct mk_ranges *ranges)
{
	const struct mk_free_range *range, *prev = NULL;
	u64 sum = 0;

	mk_ranges_for_each(range, ranges) {
		KUNIT_EXPECT_GT(test, range->bytes, 0ULL);
		if (prev) {
			u64 end = prev->addr + prev->bytes;

			KUNIT_EXPECT_LE(test, end, range->addr);
			KUNIT_EXPECT_FALSE(test, end == range->addr &&
					   prev->node == range->node &&
					   prev->clean == range->clean);
		}
		sum += range->bytes;
		prev = range;
	}
	KUNIT_EXPECT_EQ(test, ranges->free, sum);
	KUNIT_EXPECT_EQ(test, mk_ranges_total(ranges, MK_NODE_ANY), sum);
}

static u32 count(struct fixture *f)
{
	const struct mk_free_range *range;
	u32 nr = 0;

	mk_ranges_for_each(range, &f->ranges)
		nr++;
	return nr;
}

static void expect_piece(struct kunit *test, u32 i, u64 at, u64 units,
			 bool clean)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_LT(test, i, f->nr);
	KUNIT_EXPECT_EQ(test, f->range[i].addr, at * UNIT);
	KUNIT_EXPECT_EQ(test, f->range[i].bytes, units * UNIT);
	KUNIT_EXPECT_EQ(test, f->clean[i], clean);
	KUNIT_EXPECT_EQ(test, f->range[i].reserved, 0U);
}

static void add_merges(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, add(f, 10, 10, 0, true), 0);
	KUNIT_ASSERT_EQ(test, add(f, 30, 10, 0, true), 0);
	KUNIT_EXPECT_EQ(test, count(f), 2U);
	KUNIT_ASSERT_EQ(test, add(f, 20, 10, 0, true), 0);
	KUNIT_EXPECT_EQ(test, count(f), 1U);
	KUNIT_ASSERT_EQ(test, add(f, 0, 10, 0, true), 0);
	KUNIT_ASSERT_EQ(test, add(f, 40, 10, 0, true), 0);
	KUNIT_EXPECT_EQ(test, count(f), 1U);
	KUNIT_EXPECT_EQ(test, f->ranges.free, 50ULL * UNIT);

	/* Not across a node or the clean flag */
	KUNIT_ASSERT_EQ(test, add(f, 50, 10, 1, true), 0);
	KUNIT_ASSERT_EQ(test, add(f, 60, 10, 1, false), 0);
	KUNIT_EXPECT_EQ(test, count(f), 3U);
	expect_consistent(test, &f->ranges);
}

static void add_refuses(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, add(f, 10, 10, 0, true), 0);
	KUNIT_EXPECT_EQ(test, add(f, 10, 10, 0, true), -EEXIST);
	KUNIT_EXPECT_EQ(test, add(f, 5, 6, 0, true), -EEXIST);
	KUNIT_EXPECT_EQ(test, add(f, 19, 1, 0, true), -EEXIST);
	KUNIT_EXPECT_EQ(test, add(f, 12, 2, 1, false), -EEXIST);
	KUNIT_EXPECT_EQ(test, add(f, 5, 20, 0, true), -EEXIST);
	KUNIT_EXPECT_EQ(test, add(f, 30, 0, 0, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, add(f, 30, 1, MK_NODE_ANY, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, mk_ranges_add(&f->ranges, -UNIT, 2 * UNIT, 0,
					    true), -EINVAL);
	KUNIT_EXPECT_EQ(test, count(f), 1U);
	KUNIT_EXPECT_EQ(test, f->ranges.free, 10ULL * UNIT);
}

static void take_refuses(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, take(f, 1), -ENOSPC);
	KUNIT_ASSERT_EQ(test, add(f, 0, 4, 0, true), 0);
	KUNIT_EXPECT_EQ(test, take(f, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, take_aligned(f, 3, 3, MK_NODE_ANY), -EINVAL);
	KUNIT_EXPECT_EQ(test, take_aligned(f, 2, 0, MK_NODE_ANY), -EINVAL);
	KUNIT_EXPECT_EQ(test, take_aligned(f, 3, 2, MK_NODE_ANY), -EINVAL);
	KUNIT_EXPECT_EQ(test, take(f, 5), -ENOSPC);
	KUNIT_EXPECT_EQ(test, take_aligned(f, 1, 1, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, f->ranges.free, 4ULL * UNIT);
	KUNIT_EXPECT_EQ(test, f->nr, 0U);
	expect_consistent(test, &f->ranges);
}

static void take_fits_best(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, add(f, 0, 30, 0, true), 0);
	KUNIT_ASSERT_EQ(test, add(f, 40, 8, 0, false), 0);
	KUNIT_ASSERT_EQ(test, add(f, 60, 10, 0, true), 0);
	KUNIT_EXPECT_EQ(test, mk_ranges_largest(&f->ranges, MK_NODE_ANY),
			30ULL * UNIT);

	KUNIT_ASSERT_EQ(test, take(f, 9), 0);
	KUNIT_EXPECT_EQ(test, f->nr, 1U);
	expect_piece(test, 0, 60, 9, true);
	KUNIT_ASSERT_EQ(test, take(f, 8), 0);
	expect_piece(test, 0, 40, 8, false);
	KUNIT_ASSERT_EQ(test, take(f, 2), 0);
	expect_piece(test, 0, 0, 2, true);
	expect_consistent(test, &f->ranges);
}

static void take_several_pieces(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, add(f, 0, 5, 0, true), 0);
	KUNIT_ASSERT_EQ(test, add(f, 10, 20, 0, false), 0);
	KUNIT_ASSERT_EQ(test, add(f, 40, 10, 0, true), 0);
	KUNIT_ASSERT_EQ(test, take(f, 32), 0);
	KUNIT_ASSERT_EQ(test, f->nr, 3U);
	expect_piece(test, 0, 10, 20, false);
	expect_piece(test, 1, 40, 10, true);
	expect_piece(test, 2, 0, 2, true);
	KUNIT_EXPECT_EQ(test, f->ranges.free, 3ULL * UNIT);
	expect_consistent(test, &f->ranges);
}

static void take_too_many_pieces(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 i;

	for (i = 0; i <= MAX_PIECES; i++)
		KUNIT_ASSERT_EQ(test, add(f, 2 * i, 1, 0, true), 0);
	KUNIT_EXPECT_EQ(test, take(f, MAX_PIECES + 1), -E2BIG);
	KUNIT_EXPECT_EQ(test, f->ranges.free, (MAX_PIECES + 1ULL) * UNIT);
	KUNIT_EXPECT_EQ(test, count(f), MAX_PIECES + 1U);
	KUNIT_EXPECT_EQ(test, take(f, MAX_PIECES), 0);
	KUNIT_EXPECT_EQ(test, count(f), 1U);
	expect_consistent(test, &f->ranges);
}

/* Clean and dirty memory that touch are one piece, given out as two. */
static void take_across_clean(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, add(f, 0, 4, 0, true), 0);
	KUNIT_ASSERT_EQ(test, add(f, 4, 4, 0, false), 0);
	KUNIT_ASSERT_EQ(test, add(f, 8, 4, 0, true), 0);
	KUNIT_ASSERT_EQ(test, add(f, 12, 4, 1, true), 0);
	KUNIT_EXPECT_EQ(test, mk_ranges_largest(&f->ranges, MK_NODE_ANY),
			12ULL * UNIT);
	KUNIT_EXPECT_EQ(test, mk_ranges_largest(&f->ranges, 1), 4ULL * UNIT);
	KUNIT_EXPECT_EQ(test, mk_ranges_largest(&f->ranges, 2), 0ULL);

	KUNIT_ASSERT_EQ(test, take(f, 10), 0);
	KUNIT_ASSERT_EQ(test, f->nr, 3U);
	expect_piece(test, 0, 0, 4, true);
	expect_piece(test, 1, 4, 4, false);
	expect_piece(test, 2, 8, 2, true);
	KUNIT_EXPECT_EQ(test, count(f), 2U);
	expect_consistent(test, &f->ranges);
}

static void take_on_node(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, add(f, 0, 8, 0, true), 0);
	KUNIT_ASSERT_EQ(test, add(f, 8, 8, 1, true), 0);
	KUNIT_ASSERT_EQ(test, take_aligned(f, 8, 1, 1), 0);
	expect_piece(test, 0, 8, 8, true);
	KUNIT_EXPECT_EQ(test, f->range[0].node, 1U);
	KUNIT_EXPECT_EQ(test, mk_ranges_total(&f->ranges, 1), 0ULL);
	KUNIT_EXPECT_EQ(test, take_aligned(f, 1, 1, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, f->ranges.free, 8ULL * UNIT);
}

/* The middle is cut out: both unaligned ends stay. */
static void take_aligned_middle(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, add(f, 3, 8, 0, true), 0);
	KUNIT_EXPECT_EQ(test, take_aligned(f, 8, 4, MK_NODE_ANY), -ENOSPC);
	KUNIT_ASSERT_EQ(test, take_aligned(f, 4, 4, MK_NODE_ANY), 0);
	KUNIT_ASSERT_EQ(test, f->nr, 1U);
	expect_piece(test, 0, 4, 4, true);
	KUNIT_EXPECT_EQ(test, count(f), 2U);
	KUNIT_EXPECT_EQ(test, f->ranges.free, 4ULL * UNIT);
	expect_consistent(test, &f->ranges);

	KUNIT_ASSERT_EQ(test, add(f, 4, 4, 0, true), 0);
	KUNIT_EXPECT_EQ(test, count(f), 1U);
}

/* Room is needed for what is taken, not for what lies before it. */
static void take_counts_entries(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, add(f, 3, 1, 0, false), 0);
	KUNIT_ASSERT_EQ(test, add(f, 4, 4, 0, true), 0);
	KUNIT_ASSERT_EQ(test, mk_ranges_take(&f->ranges, 4 * UNIT, 4 * UNIT, 0,
					     f->range, f->clean, 1, &f->nr),
			0);
	expect_piece(test, 0, 4, 4, true);
	KUNIT_EXPECT_EQ(test, f->ranges.free, 1ULL * UNIT);
}

enum unit { USED, DIRTY, CLEAN };

static u32 model_node(u32 unit)
{
	return unit < MODEL_UNITS / 3 ? 0 : 1;
}

/* Take what was given out of the model too; it must have been free there. */
static void model_take(struct kunit *test, struct fixture *f, u8 *model,
		       u64 align, u32 node)
{
	u32 i, unit;

	for (i = 0; i < f->nr; i++) {
		u32 first = f->range[i].addr / UNIT;
		u32 end = first + f->range[i].bytes / UNIT;

		KUNIT_ASSERT_LE(test, end, (u32)MODEL_UNITS);
		for (unit = first; unit < end; unit++) {
			KUNIT_ASSERT_EQ(test, model[unit],
					f->clean[i] ? CLEAN : DIRTY);
			KUNIT_ASSERT_EQ(test, model_node(unit),
					f->range[i].node);
			model[unit] = USED;
		}
		if (node != MK_NODE_ANY)
			KUNIT_EXPECT_EQ(test, f->range[i].node, node);
	}
	if (f->nr)
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(f->range[0].addr, align));
}

static u64 model_free(const u8 *model)
{
	u64 bytes = 0;
	u32 unit;

	for (unit = 0; unit < MODEL_UNITS; unit++) {
		if (model[unit] != USED)
			bytes += UNIT;
	}
	return bytes;
}

/* Give back some used units from @unit on. */
static void model_add(struct kunit *test, struct fixture *f, u8 *model,
		      u32 unit, u32 units, bool clean)
{
	u32 i;

	for (i = 0; i < units && unit + i < MODEL_UNITS; i++) {
		if (model[unit + i] != USED ||
		    model_node(unit + i) != model_node(unit))
			break;
		model[unit + i] = clean ? CLEAN : DIRTY;
	}
	if (i)
		KUNIT_ASSERT_EQ(test, add(f, unit, i, model_node(unit), clean),
				0);
}

static void random_steps(struct kunit *test)
{
	u8 *model = kunit_kzalloc(test, MODEL_UNITS, GFP_KERNEL);
	struct fixture *f = test->priv;
	struct rnd_state rnd;
	u32 i, failed = 0;

	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&rnd, 3);
	for (i = 0; i < MODEL_ROUNDS; i++) {
		u32 r = prandom_u32_state(&rnd);
		u32 size = 1 + (r >> 8) % 24;
		u64 align = 1 << (r >> 16) % 3;
		u32 node = (r >> 20) % 4;

		f->nr = 0;
		if (r & 1) {
			model_add(test, f, model, (r >> 8) % MODEL_UNITS,
				  1 + (r >> 16) % 24, r & 2);
		} else {
			node = node > 1 ? MK_NODE_ANY : node;
			failed += !!take_aligned(f, ALIGN(size, align), align,
						 node);
			model_take(test, f, model, align * UNIT, node);
		}
		expect_consistent(test, &f->ranges);
		KUNIT_ASSERT_EQ(test, f->ranges.free, model_free(model));
	}
	KUNIT_EXPECT_GT(test, failed, 0U);
	KUNIT_EXPECT_LT(test, failed, (u32)MODEL_ROUNDS / 2);
}

static int take_parts(struct fixture *f, const struct mk_memory_part *parts,
		      u32 nr)
{
	return mk_ranges_take_parts(&f->ranges, parts, nr, UNIT, f->range,
				    f->clean, MAX_PIECES, &f->nr);
}

/* A part of a node before one of any, whatever their order. */
static void take_parts_all(struct kunit *test)
{
	static const struct mk_memory_part parts[] = {
		{ 6 * UNIT, MK_NODE_ANY }, { 4 * UNIT, 1 }, { 3 * UNIT, 0 },
	};
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, add(f, 0, 8, 0, true), 0);
	KUNIT_ASSERT_EQ(test, add(f, 20, 5, 1, false), 0);
	KUNIT_ASSERT_EQ(test, take_parts(f, parts, 3), 0);
	KUNIT_ASSERT_EQ(test, f->nr, 4U);
	expect_piece(test, 0, 20, 4, false);
	expect_piece(test, 1, 0, 3, true);
	expect_piece(test, 2, 3, 5, true);
	expect_piece(test, 3, 24, 1, false);
	KUNIT_EXPECT_EQ(test, f->ranges.free, 0ULL);
}

/* The second cannot be had: the first goes back, clean where it was clean. */
static void take_parts_none(struct kunit *test)
{
	static const struct mk_memory_part parts[] = {
		{ 6 * UNIT, 0 }, { 4 * UNIT, 1 },
	};
	struct fixture *f = test->priv;
	const struct mk_free_range *range;
	u32 clean = 0, dirty = 0;

	KUNIT_ASSERT_EQ(test, add(f, 0, 4, 0, true), 0);
	KUNIT_ASSERT_EQ(test, add(f, 4, 4, 0, false), 0);
	KUNIT_ASSERT_EQ(test, add(f, 20, 3, 1, true), 0);
	KUNIT_EXPECT_EQ(test, take_parts(f, parts, 2), -ENOSPC);
	KUNIT_EXPECT_EQ(test, f->nr, 0U);
	KUNIT_EXPECT_EQ(test, count(f), 3U);
	mk_ranges_for_each(range, &f->ranges)
		*(range->clean ? &clean : &dirty) += range->bytes / UNIT;
	KUNIT_EXPECT_EQ(test, clean, 7U);
	KUNIT_EXPECT_EQ(test, dirty, 4U);
	expect_consistent(test, &f->ranges);
}

/* Room for all entries together */
static void take_parts_many(struct kunit *test)
{
	struct mk_memory_part parts[2] = {
		{ MAX_PIECES * UNIT, 0 }, { UNIT, 1 },
	};
	struct fixture *f = test->priv;
	u32 i;

	for (i = 0; i < MAX_PIECES; i++)
		KUNIT_ASSERT_EQ(test, add(f, 2 * i, 1, 0, true), 0);
	KUNIT_ASSERT_EQ(test, add(f, 2 * i, 1, 1, true), 0);
	KUNIT_EXPECT_EQ(test, take_parts(f, parts, 2), -E2BIG);
	KUNIT_EXPECT_EQ(test, count(f), MAX_PIECES + 1U);
	expect_consistent(test, &f->ranges);
	parts[0].bytes -= UNIT;
	KUNIT_EXPECT_EQ(test, take_parts(f, parts, 2), 0);
	KUNIT_EXPECT_EQ(test, f->nr, (u32)MAX_PIECES);
}

/* What the scrubbing thread does: piece by piece, lowest first. */
static void take_unclean(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_range piece;

	KUNIT_ASSERT_EQ(test, add(f, 10, 2, 0, true), 0);
	KUNIT_EXPECT_FALSE(test, mk_ranges_take_unclean(&f->ranges, UNIT,
							&piece));
	KUNIT_ASSERT_EQ(test, add(f, 20, 3, 1, false), 0);

	KUNIT_ASSERT_TRUE(test, mk_ranges_take_unclean(&f->ranges, 2 * UNIT,
						       &piece));
	KUNIT_EXPECT_EQ(test, piece.addr, 20ULL * UNIT);
	KUNIT_EXPECT_EQ(test, piece.bytes, 2ULL * UNIT);
	KUNIT_EXPECT_EQ(test, piece.node, 1U);
	KUNIT_EXPECT_EQ(test, mk_ranges_total(&f->ranges, MK_NODE_ANY),
			3ULL * UNIT);

	KUNIT_ASSERT_TRUE(test, mk_ranges_take_unclean(&f->ranges, 2 * UNIT,
						       &piece));
	KUNIT_EXPECT_EQ(test, piece.addr, 22ULL * UNIT);
	KUNIT_EXPECT_EQ(test, piece.bytes, 1ULL * UNIT);
	KUNIT_EXPECT_FALSE(test, mk_ranges_take_unclean(&f->ranges, UNIT,
							&piece));
	KUNIT_EXPECT_EQ(test, mk_ranges_total(&f->ranges, 1), 0ULL);
}

static struct kunit_case ranges_cases[] = {
	KUNIT_CASE(add_merges),
	KUNIT_CASE(add_refuses),
	KUNIT_CASE(take_refuses),
	KUNIT_CASE(take_fits_best),
	KUNIT_CASE(take_several_pieces),
	KUNIT_CASE(take_too_many_pieces),
	KUNIT_CASE(take_across_clean),
	KUNIT_CASE(take_on_node),
	KUNIT_CASE(take_aligned_middle),
	KUNIT_CASE(take_counts_entries),
	KUNIT_CASE(take_parts_all),
	KUNIT_CASE(take_parts_none),
	KUNIT_CASE(take_parts_many),
	KUNIT_CASE(take_unclean),
	KUNIT_CASE(random_steps),
	{}
};

static struct kunit_suite ranges_suite = {
	.name = "multikernel_ranges",
	.init = ranges_test_init,
	.exit = ranges_test_exit,
	.test_cases = ranges_cases,
};

kunit_test_suites(&ranges_suite);

MODULE_DESCRIPTION("Tests of the multikernel's set of free memory");
MODULE_LICENSE("GPL");

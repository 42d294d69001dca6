// SPDX-License-Identifier: GPL-2.0-only
/*
 * The set of free ranges of physical memory: giving pieces out and taking them
 * back.
 *
 * The list is sorted by address and its entries never overlap. Neighbours that
 * touch and agree in node and clean flag are one entry. Neighbours that touch
 * and agree in node only form one "run": memory that an instance sees as one
 * piece. Pieces are chosen from runs, so that half-scrubbed memory does not
 * count as fragmented; they are handed out entry by entry, so that nothing
 * clean is scrubbed again.
 *
 * Taking has two phases. Choosing changes nothing; what is chosen, and the
 * memory that splitting entries needs, is all there before the first entry
 * changes. So there is nothing to undo.
 */
#include <linux/align.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "ranges.h"

/* Touching entries of one node. @first is NULL past the end of the list. */
struct run {
	struct mk_free_range *first;
	struct mk_free_range *next;	/* first entry behind it, or NULL */
	u64 addr;
	u64 bytes;
};

/* What mk_ranges_take() is about to do */
struct plan {
	u64 align;
	u32 node;
	u32 max;
	u32 nr_parts;
	u32 nr_pieces;
	struct list_head spares;	/* one entry for each piece to split */
};

static u64 end_of(const struct mk_free_range *range)
{
	return range->addr + range->bytes;
}

static struct mk_free_range *next_range(const struct mk_ranges *ranges,
					struct mk_free_range *range)
{
	return list_is_last(&range->link, &ranges->head) ?
	       NULL : list_next_entry(range, link);
}

static bool node_matches(u32 wanted, u32 node)
{
	return wanted == MK_NODE_ANY || wanted == node;
}

/**
 * mk_ranges_init() - make an empty set
 * @ranges: set
 */
void mk_ranges_init(struct mk_ranges *ranges)
{
	INIT_LIST_HEAD(&ranges->head);
	ranges->free = 0;
}

static void free_list(struct list_head *head)
{
	struct mk_free_range *range, *tmp;

	list_for_each_entry_safe(range, tmp, head, link) {
		list_del(&range->link);
		kfree(range);
	}
}

/**
 * mk_ranges_free_all() - forget all ranges
 * @ranges: set, empty afterwards and usable
 */
void mk_ranges_free_all(struct mk_ranges *ranges)
{
	free_list(&ranges->head);
	ranges->free = 0;
}

/* Make @low swallow @high, its neighbour, if they touch and are alike. */
static bool merge(struct mk_free_range *low, struct mk_free_range *high)
{
	if (end_of(low) != high->addr || low->node != high->node ||
	    low->clean != high->clean)
		return false;
	low->bytes += high->bytes;
	list_del(&high->link);
	kfree(high);
	return true;
}

static void merge_around(struct mk_ranges *ranges, struct mk_free_range *range)
{
	struct mk_free_range *next = next_range(ranges, range);

	if (next)
		merge(range, next);
	if (!list_is_first(&range->link, &ranges->head))
		merge(list_prev_entry(range, link), range);
}

/**
 * mk_ranges_add() - add a free range
 * @ranges: set
 * @addr: physical address
 * @bytes: size
 * @node: NUMA node
 * @clean: it is scrubbed
 *
 * Errors: -EINVAL (nothing, or past the end of the address space, or no
 * single node), -EEXIST (part of it is in the set), -ENOMEM
 *
 * Return: 0 or -errno
 */
int mk_ranges_add(struct mk_ranges *ranges, u64 addr, u64 bytes, u32 node,
		  bool clean)
{
	struct mk_free_range *range, *new;
	struct list_head *before;
	u64 end;

	if (!bytes || check_add_overflow(addr, bytes, &end) ||
	    node == MK_NODE_ANY)
		return -EINVAL;

	before = &ranges->head;
	mk_ranges_for_each(range, ranges) {
		if (range->addr >= end) {
			before = &range->link;
			break;
		}
		if (end_of(range) > addr)
			return -EEXIST;
	}

	new = kmalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	*new = (struct mk_free_range){
		.addr = addr,
		.bytes = bytes,
		.node = node,
		.clean = clean,
	};
	list_add_tail(&new->link, before);
	ranges->free += bytes;
	merge_around(ranges, new);
	return 0;
}

/**
 * mk_ranges_take_unclean() - take memory that is to be scrubbed
 * @ranges: set
 * @max: bytes at most
 * @ret: the start of the lowest range that is not clean
 *
 * Return: false if all is clean
 */
bool mk_ranges_take_unclean(struct mk_ranges *ranges, u64 max,
			    struct mk_range *ret)
{
	struct mk_free_range *range;

	mk_ranges_for_each(range, ranges)
		if (!range->clean)
			break;
	if (list_entry_is_head(range, &ranges->head, link))
		return false;
	*ret = (struct mk_range){
		.addr = range->addr,
		.bytes = min(range->bytes, max),
		.node = range->node,
	};
	range->addr += ret->bytes;
	range->bytes -= ret->bytes;
	ranges->free -= ret->bytes;
	if (!range->bytes) {
		list_del(&range->link);
		kfree(range);
	}
	return true;
}

static struct run run_from(const struct mk_ranges *ranges,
			   struct mk_free_range *first)
{
	struct run run = { .first = first };
	struct mk_free_range *range = first;

	if (!first)
		return run;
	run.addr = first->addr;
	do {
		run.bytes += range->bytes;
		run.next = next_range(ranges, range);
		if (!run.next || run.next->addr != end_of(range) ||
		    run.next->node != first->node)
			break;
		range = run.next;
	} while (true);
	return run;
}

static struct run first_run(const struct mk_ranges *ranges)
{
	return run_from(ranges, list_empty(&ranges->head) ? NULL :
			list_first_entry(&ranges->head, struct mk_free_range,
					 link));
}

#define for_each_run(run, ranges) \
	for (run = first_run(ranges); run.first; \
	     run = run_from(ranges, run.next))

/**
 * mk_ranges_largest() - size of the largest contiguous free memory
 * @ranges: set
 * @node: NUMA node, or MK_NODE_ANY
 *
 * Return: bytes, clean or not
 */
u64 mk_ranges_largest(const struct mk_ranges *ranges, u32 node)
{
	struct run run;
	u64 bytes = 0;

	for_each_run(run, ranges) {
		if (node_matches(node, run.first->node))
			bytes = max(bytes, run.bytes);
	}
	return bytes;
}

/**
 * mk_ranges_total() - how much is free
 * @ranges: set
 * @node: NUMA node, or MK_NODE_ANY
 *
 * Return: bytes
 */
u64 mk_ranges_total(const struct mk_ranges *ranges, u32 node)
{
	const struct mk_free_range *range;
	u64 bytes = 0;

	mk_ranges_for_each(range, ranges) {
		if (node_matches(node, range->node))
			bytes += range->bytes;
	}
	return bytes;
}

/* Shrink a run to its aligned part, which may be nothing. */
static void align_run(struct run *run, u64 align)
{
	u64 head = -run->addr & (align - 1);

	if (head >= run->bytes) {
		run->bytes = 0;
		return;
	}
	run->addr += head;
	run->bytes = ALIGN_DOWN(run->bytes - head, align);
}

/*
 * Find the smallest run that holds @bytes, the lower one of two alike. Its
 * first member is NULL when there is none.
 */
static struct run find_best(const struct mk_ranges *ranges,
			    const struct plan *plan, u64 bytes)
{
	struct run run, best = {};

	for_each_run(run, ranges) {
		struct run aligned = run;

		align_run(&aligned, plan->align);
		if (node_matches(plan->node, run.first->node) &&
		    aligned.bytes >= bytes &&
		    (!best.first || aligned.bytes < best.bytes))
			best = aligned;
	}
	return best;
}

/* Is @x given out before @y: is it larger, or as large and lower? */
static bool goes_before(const struct run *x, const struct run *y)
{
	return x->bytes != y->bytes ? x->bytes > y->bytes : x->addr < y->addr;
}

/*
 * Find the run that comes next after @prev, largest first; @prev without a
 * first member means from the start. This order needs no marks in the list.
 */
static struct run find_next_largest(const struct mk_ranges *ranges,
				    const struct plan *plan,
				    const struct run *prev)
{
	struct run run, best = {};

	for_each_run(run, ranges) {
		struct run aligned = run;

		align_run(&aligned, plan->align);
		if (node_matches(plan->node, run.first->node) &&
		    aligned.bytes &&
		    (!prev->first || goes_before(prev, &aligned)) &&
		    (!best.first || goes_before(&aligned, &best)))
			best = aligned;
	}
	return best;
}

/* Count one piece, @bytes from the start of @run, and its entries. */
static void plan_piece(struct plan *plan, const struct run *run, u64 bytes)
{
	struct mk_free_range *range = run->first;
	u64 end = run->addr + bytes;

	plan->nr_pieces++;
	for (;;) {
		if (end_of(range) > run->addr)
			plan->nr_parts++;
		if (end_of(range) >= end)
			return;
		range = list_next_entry(range, link);
	}
}

/* The only thing that taking allocates: cutting a middle out makes two. */
static int alloc_spares(struct plan *plan)
{
	struct mk_free_range *spare;
	u32 i;

	for (i = 0; i < plan->nr_pieces; i++) {
		spare = kmalloc(sizeof(*spare), GFP_KERNEL);
		if (!spare)
			return -ENOMEM;
		list_add(&spare->link, &plan->spares);
	}
	return 0;
}

/* Cut [@addr, @end) out of @range, which holds all of it. */
static void cut(struct mk_free_range *range, u64 addr, u64 end,
		struct list_head *spares)
{
	u64 range_end = end_of(range);
	struct mk_free_range *tail;

	if (range->addr == addr && range_end == end) {
		list_del(&range->link);
		kfree(range);
	} else if (range->addr == addr) {
		range->addr = end;
		range->bytes = range_end - end;
	} else if (range_end == end) {
		range->bytes = addr - range->addr;
	} else {
		tail = list_first_entry(spares, struct mk_free_range, link);
		list_del(&tail->link);
		*tail = *range;
		tail->addr = end;
		tail->bytes = range_end - end;
		list_add(&tail->link, &range->link);
		range->bytes = addr - range->addr;
	}
}

/* Take @bytes from the start of @run, entry by entry. Cannot fail. */
static u32 take_piece(struct mk_ranges *ranges, struct plan *plan,
		      const struct run *run, u64 bytes,
		      struct mk_range *ret_range, bool *ret_clean)
{
	struct mk_free_range *range = run->first, *next;
	u64 addr = run->addr, end = addr + bytes;
	u32 nr = 0;

	for (; addr < end; range = next) {
		u64 part_end = min(end_of(range), end);

		next = next_range(ranges, range);
		if (part_end <= addr)
			continue;
		ret_range[nr] = (struct mk_range){
			.addr = addr,
			.bytes = part_end - addr,
			.node = range->node,
		};
		ret_clean[nr++] = range->clean;
		cut(range, addr, part_end, &plan->spares);
		addr = part_end;
	}
	ranges->free -= bytes;
	return nr;
}

/* Check what was planned against the caller's room and get the memory. */
static int prepare(struct plan *plan)
{
	if (plan->nr_parts > plan->max)
		return -E2BIG;
	return alloc_spares(plan);
}

static int take_one(struct mk_ranges *ranges, struct plan *plan,
		    const struct run *run, u64 bytes,
		    struct mk_range *ret_range, bool *ret_clean, u32 *ret_nr)
{
	int err;

	plan_piece(plan, run, bytes);
	err = prepare(plan);
	if (!err)
		*ret_nr = take_piece(ranges, plan, run, bytes, ret_range,
				     ret_clean);
	return err;
}

static int take_several(struct mk_ranges *ranges, struct plan *plan, u64 bytes,
			struct mk_range *ret_range, bool *ret_clean,
			u32 *ret_nr)
{
	struct run run = {};
	u64 left = bytes;
	u32 nr = 0;
	int err;

	while (left) {
		run = find_next_largest(ranges, plan, &run);
		if (!run.first)
			return -ENOSPC;
		plan_piece(plan, &run, min(left, run.bytes));
		left -= min(left, run.bytes);
	}
	err = prepare(plan);
	if (err)
		return err;

	/*
	 * A taken run is gone and its unaligned ends are smaller than @align,
	 * so that the largest one is always the next one of the plan.
	 */
	for (left = bytes; left; left -= min(left, run.bytes)) {
		run = find_next_largest(ranges, plan, &(struct run){});
		nr += take_piece(ranges, plan, &run, min(left, run.bytes),
				 ret_range + nr, ret_clean + nr);
	}
	*ret_nr = nr;
	return 0;
}

/**
 * mk_ranges_take() - take memory out of the set
 * @ranges: set
 * @bytes: how much, a multiple of @align, not 0
 * @align: of the address and size of each piece, a power of two
 * @node: NUMA node, or MK_NODE_ANY
 * @ret_range: array of @max: what was taken
 * @ret_clean: array of @max: which entries of @ret_range are clean
 * @max: entries in both
 * @ret_nr: entries used
 *
 * One contiguous piece if there is one (the smallest free one that is large
 * enough), else several, largest first, in that order. A piece of which a part
 * is clean comes as several entries that touch, in order of addresses; an
 * entry's own address and size are then aligned like those of what was added.
 * All is taken or, on any error, nothing.
 *
 * Errors: -EINVAL, -ENOSPC (not that much free on @node), -E2BIG (only in more
 * than @max entries), -ENOMEM
 *
 * Return: 0 or -errno
 */
int mk_ranges_take(struct mk_ranges *ranges, u64 bytes, u64 align, u32 node,
		   struct mk_range *ret_range, bool *ret_clean, u32 max,
		   u32 *ret_nr)
{
	struct plan plan = { .align = align, .node = node, .max = max };
	struct run best;
	int err;

	if (!is_power_of_2(align) || !bytes || !IS_ALIGNED(bytes, align))
		return -EINVAL;

	INIT_LIST_HEAD(&plan.spares);
	best = find_best(ranges, &plan, bytes);
	if (best.first)
		err = take_one(ranges, &plan, &best, bytes, ret_range,
			       ret_clean, ret_nr);
	else
		err = take_several(ranges, &plan, bytes, ret_range, ret_clean,
				   ret_nr);
	free_list(&plan.spares);
	return err;
}

/**
 * mk_ranges_take_parts() - take memory of several nodes out of the set
 * @ranges: set
 * @parts: how much of which node, or of MK_NODE_ANY
 * @nr_parts: how many
 * @align: see mk_ranges_take(), as for the following
 * @ret_range: array of @max: what was taken, part by part
 * @ret_clean: array of @max
 * @max: entries in both
 * @ret_nr: entries used
 *
 * All parts are taken or, on any error, none: what was taken goes back as it
 * came, clean or not. Parts that name a node are taken first, so that no other
 * takes what they need.
 *
 * Return: 0 or -errno, see mk_ranges_take()
 */
int mk_ranges_take_parts(struct mk_ranges *ranges,
			 const struct mk_memory_part *parts, u32 nr_parts,
			 u64 align, struct mk_range *ret_range,
			 bool *ret_clean, u32 max, u32 *ret_nr)
{
	u32 i, pass, taken, nr = 0;
	int err = 0;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < nr_parts && !err; i++) {
			if ((parts[i].node == MK_NODE_ANY) != pass)
				continue;
			err = mk_ranges_take(ranges, parts[i].bytes, align,
					     parts[i].node, ret_range + nr,
					     ret_clean + nr, max - nr, &taken);
			nr += err ? 0 : taken;
		}
	}
	if (!err) {
		*ret_nr = nr;
		return 0;
	}
	for (i = 0; i < nr; i++)
		WARN_ON(mk_ranges_add(ranges, ret_range[i].addr,
				      ret_range[i].bytes, ret_range[i].node,
				      ret_clean[i]));
	return err;
}

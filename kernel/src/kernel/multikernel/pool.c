// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool at work: what of it is free, giving it out and taking it back.
 *
 * How it came to be is in carve.c. What is free is kept in a set of ranges
 * (ranges.c), each on one NUMA node; memory is scrubbed before it changes its
 * owner.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kthread.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "internal.h"

#define MK_SCRUB_CHUNK	SZ_64M	/* mapped at a time */
#define MK_SCRUB_STEP	SZ_16M	/* in the background */
#define MK_TAKE_MAX	64	/* entries, before those that touch are one */

/* Memory on its way out of the pool */
struct mk_taken {
	struct mk_range range[MK_TAKE_MAX];
	bool clean[MK_TAKE_MAX];
	u32 nr;
};

static struct mk_ranges mk_pool_all = MK_RANGES_INIT(mk_pool_all);
static struct mk_ranges mk_pool_free = MK_RANGES_INIT(mk_pool_free);

/* What mk_scrub_thread() is at work on, bytes 0 for nothing; mk_lock */
static struct mk_range mk_in_hand;
static DECLARE_WAIT_QUEUE_HEAD(mk_in_hand_wait);

/**
 * mk_scrub() - overwrite physical memory with zeros
 * @addr: page-aligned, in the pool
 * @bytes: multiple of a page
 *
 * Return: 0 or -ENOMEM.
 */
int mk_scrub(u64 addr, u64 bytes)
{
	u64 chunk;
	void *p;

	for (; bytes; addr += chunk, bytes -= chunk) {
		chunk = min_t(u64, bytes, MK_SCRUB_CHUNK);
		p = memremap(addr, chunk, MEMREMAP_WB);
		if (!p)
			return -ENOMEM;
		mk_arch_zero(p, chunk);
		memunmap(p);
		cond_resched();
	}
	return 0;
}

/*
 * Adds @range to a list of pieces, as part of the last one if they touch.
 * Return: pieces that there are then; those past @max are counted only.
 */
static u32 mk_list_add(struct mk_range *list, u32 nr, u32 max,
		       const struct mk_range *range)
{
	struct mk_range *last = nr && nr <= max ? &list[nr - 1] : NULL;

	if (last && last->addr + last->bytes == range->addr &&
	    last->node == range->node) {
		last->bytes += range->bytes;
		return nr;
	}
	if (nr < max)
		list[nr] = *range;
	return nr + 1;
}

static void mk_wait_for_piece(void)
{
	mutex_unlock(&mk_lock);
	wait_event(mk_in_hand_wait, !READ_ONCE(mk_in_hand.bytes));
	mutex_lock(&mk_lock);
}

/**
 * mk_pool_give() - give memory back
 * @range: as it was taken
 * @clean: it is scrubbed; what is not is before somebody else gets it
 *
 * The caller holds mk_lock.
 */
void mk_pool_give(const struct mk_range *range, bool clean)
{
	int ret = mk_ranges_add(&mk_pool_free, range->addr, range->bytes,
				range->node, clean);

	if (ret)
		pr_err("%llu MiB of the pool at %#llx are lost: %d\n",
		       range->bytes >> 20, range->addr, ret);
}

static void mk_put_back(const struct mk_taken *taken)
{
	u32 i;

	for (i = 0; i < taken->nr; i++)
		mk_pool_give(&taken->range[i], taken->clean[i]);
}

/* The first node on which there is less free than the parts want */
static bool mk_refuse_node(const struct mk_memory_part *parts, u32 nr,
			   struct mk_refusal *r)
{
	char name[16];
	u64 wanted, has;
	u32 i, j, node;

	for (i = 0; i < nr; i++) {
		node = parts[i].node;
		if (node == MK_NODE_ANY)
			continue;
		for (wanted = 0, j = 0; j < nr; j++)
			if (parts[j].node == node)
				wanted += parts[j].bytes;
		has = mk_ranges_total(&mk_pool_free, node);
		if (wanted <= has)
			continue;
		snprintf(name, sizeof(name), "node%u", node);
		if (mk_ranges_total(&mk_pool_all, node))
			mk_refuse(r, MK_REASON_MEM_NODE_FULL, wanted, has,
				  name);
		else
			mk_refuse(r, MK_REASON_MEM_NODE, node, 0, NULL);
		return true;
	}
	return false;
}

static int mk_refuse_take(int err, const struct mk_memory_part *parts, u32 nr,
			  struct mk_refusal *r)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < nr; i++)
		sum += parts[i].bytes;
	if (err == -E2BIG)
		mk_refuse(r, MK_REASON_MEM_PIECES, sum, MK_MAX_RANGES, NULL);
	else if (err == -ENOSPC && !mk_refuse_node(parts, nr, r))
		mk_refuse(r, MK_REASON_MEM_NO_SPACE,
			  mk_ranges_total(&mk_pool_free, MK_NODE_ANY),
			  mk_ranges_largest(&mk_pool_free, MK_NODE_ANY), NULL);
	return -ENOMEM;
}

static int mk_take(const struct mk_memory_part *parts, u32 nr_parts,
		   struct mk_taken *taken, struct mk_range *ret, u32 max,
		   u32 *ret_nr)
{
	u32 i, nr = 0;
	int err;

	while ((err = mk_ranges_take_parts(&mk_pool_free, parts, nr_parts,
					   MK_MEMORY_ALIGN, taken->range,
					   taken->clean, MK_TAKE_MAX,
					   &taken->nr)) &&
	       mk_in_hand.bytes)
		mk_wait_for_piece();
	if (err)
		return err;
	for (i = 0; i < taken->nr; i++)
		nr = mk_list_add(ret, nr, max, &taken->range[i]);
	if (nr > max) {
		mk_put_back(taken);
		return -E2BIG;
	}
	*ret_nr = nr;
	return 0;
}

/**
 * mk_pool_take() - take memory out of the pool
 * @parts: how much of which node
 * @nr_parts: how many
 * @ret: array of @max pieces: what was taken
 * @max: at most MK_MAX_RANGES
 * @ret_nr: pieces used
 * @ret_clean: all of it is scrubbed
 * @r: refusal to fill, or NULL
 *
 * All parts or none. The caller holds mk_lock; it is let go for a moment where
 * the piece that is missing is just being scrubbed. Return: 0 or -ENOMEM.
 */
int mk_pool_take(const struct mk_memory_part *parts, u32 nr_parts,
		 struct mk_range *ret, u32 max, u32 *ret_nr, bool *ret_clean,
		 struct mk_refusal *r)
{
	struct mk_taken *taken __free(kfree) = NULL;
	u32 i;
	int err;

	if (list_empty(&mk_pool_all.head)) {
		mk_refuse(r, MK_REASON_NO_POOL, 0, 0, NULL);
		return -ENOMEM;
	}
	taken = kmalloc(sizeof(*taken), GFP_KERNEL);
	if (!taken)
		return -ENOMEM;
	err = mk_take(parts, nr_parts, taken, ret, max, ret_nr);
	if (err)
		return mk_refuse_take(err, parts, nr_parts, r);
	*ret_clean = true;
	for (i = 0; i < taken->nr; i++)
		*ret_clean &= taken->clean[i];
	return 0;
}

/*
 * The free pieces as an instance would see them: clean or not, and with the one
 * that is being scrubbed.
 */
static u32 mk_list_free(struct mk_range *list, u32 max)
{
	bool in_hand = mk_in_hand.bytes;
	struct mk_free_range *range;
	u32 nr = 0;

	mk_ranges_for_each(range, &mk_pool_free) {
		if (in_hand && mk_in_hand.addr < range->addr) {
			nr = mk_list_add(list, nr, max, &mk_in_hand);
			in_hand = false;
		}
		nr = mk_list_add(list, nr, max, &(struct mk_range){
			.addr = range->addr,
			.bytes = range->bytes,
			.node = range->node,
		});
	}
	return in_hand ? mk_list_add(list, nr, max, &mk_in_hand) : nr;
}

static u32 mk_list_all(struct mk_range *list, u32 max)
{
	struct mk_free_range *range;
	u32 nr = 0;

	mk_ranges_for_each(range, &mk_pool_all)
		nr = mk_list_add(list, nr, max, &(struct mk_range){
			.addr = range->addr,
			.bytes = range->bytes,
			.node = range->node,
		});
	return nr;
}

/**
 * mk_pool_list() - all of the pool, and what of it is free
 * @ret_ranges: the pool; the caller frees
 * @ret_nr_ranges: pieces in it
 * @ret_free: what is free; the caller frees
 * @ret_nr_free: pieces in it
 *
 * The caller holds mk_lock. Return: 0 or -ENOMEM.
 */
int mk_pool_list(struct mk_range **ret_ranges, u32 *ret_nr_ranges,
		 struct mk_range **ret_free, u32 *ret_nr_free)
{
	/* Counted without room no two touch, so there is room for all. */
	u32 nr_ranges = mk_list_all(NULL, 0);
	u32 nr_free = mk_list_free(NULL, 0);
	struct mk_range *ranges, *free;

	ranges = kvcalloc(nr_ranges + 1, sizeof(*ranges), GFP_KERNEL);
	free = kvcalloc(nr_free + 1, sizeof(*free), GFP_KERNEL);
	if (!ranges || !free) {
		kvfree(ranges);
		kvfree(free);
		return -ENOMEM;
	}
	*ret_nr_ranges = mk_list_all(ranges, nr_ranges);
	*ret_nr_free = mk_list_free(free, nr_free);
	*ret_ranges = ranges;
	*ret_free = free;
	return 0;
}

/* As mk_list_free() would list it, without a list */
static u64 mk_largest_free(void)
{
	struct mk_range *ranges, *free;
	u64 largest = 0;
	u32 nr, i;

	if (mk_pool_list(&ranges, &nr, &free, &nr))
		return mk_ranges_largest(&mk_pool_free, MK_NODE_ANY);
	for (i = 0; i < nr; i++)
		largest = max(largest, free[i].bytes);
	kvfree(ranges);
	kvfree(free);
	return largest;
}

/** mk_pool_stat() - how much is free; the caller holds mk_lock */
void mk_pool_stat(u64 *ret_free, u64 *ret_largest, u32 *ret_ranges)
{
	*ret_free = mk_ranges_total(&mk_pool_free, MK_NODE_ANY) +
		    mk_in_hand.bytes;
	*ret_largest = mk_largest_free();
	*ret_ranges = mk_list_all(NULL, 0);
}

static void __init mk_pool_add_resource(const struct mk_range *range)
{
	struct resource *res = kzalloc(sizeof(*res), GFP_KERNEL);

	if (!res)
		return;
	res->name = "Multikernel Pool";
	res->start = range->addr;
	res->end = range->addr + range->bytes - 1;
	/* BUSY and EXCLUSIVE: /dev/mem keeps its hands off */
	res->flags = IORESOURCE_MEM | IORESOURCE_BUSY | IORESOURCE_EXCLUSIVE;
	if (insert_resource(&iomem_resource, res))
		pr_warn("pool at %#llx is not in /proc/iomem\n", range->addr);
}

/* What of a pool range the region at a fixed address leaves free. */
static int __init mk_pool_add_free(u64 addr, u64 bytes, u32 node)
{
	u64 hole, hole_bytes, hole_end, end = addr + bytes;
	int ret = 0;

	mk_region_param(&hole, &hole_bytes);
	hole_bytes = hole ? hole_bytes ?: MK_REGION_DEFAULT : 0;
	hole_end = round_up(hole + hole_bytes, MK_MEMORY_ALIGN);
	hole = round_down(hole, MK_MEMORY_ALIGN);
	if (!hole_bytes || hole >= end || hole_end <= addr)
		return mk_ranges_add(&mk_pool_free, addr, bytes, node, false);
	if (hole > addr)
		ret = mk_ranges_add(&mk_pool_free, addr, hole - addr, node,
				    false);
	if (!ret && hole_end < end)
		ret = mk_ranges_add(&mk_pool_free, hole_end, end - hole_end,
				    node, false);
	return ret;
}

/*
 * Boot leaves the pool unscrubbed. A thread cleans it piece by piece when the
 * machine has nothing better to do, so that giving memory to an instance takes
 * no time; what it has not come to by then is scrubbed on the way. The piece
 * that it has in hand counts as free, see mk_pool_take().
 */
static bool mk_scrub_next(void)
{
	struct mk_range piece;
	bool more;
	int ret;

	mutex_lock(&mk_lock);
	more = mk_ranges_take_unclean(&mk_pool_free, MK_SCRUB_STEP, &piece);
	if (more)
		mk_in_hand = piece;
	mutex_unlock(&mk_lock);
	if (!more)
		return false;
	ret = mk_scrub(piece.addr, piece.bytes);
	mutex_lock(&mk_lock);
	mk_pool_give(&piece, !ret);
	mk_in_hand.bytes = 0;
	mutex_unlock(&mk_lock);
	wake_up_all(&mk_in_hand_wait);
	return !ret;
}

static int mk_scrub_thread(void *unused)
{
	sched_set_normal(current, MAX_NICE);
	while (mk_scrub_next())
		cond_resched();
	return 0;
}

static int __init mk_scrub_init(void)
{
	if (!list_empty(&mk_pool_all.head))
		kthread_run(mk_scrub_thread, NULL, "mk_scrub");
	return 0;
}
/* Early, while the host's boot keeps one CPU busy and the others idle */
subsys_initcall_sync(mk_scrub_init);

static u32 __init mk_node_of(u64 addr)
{
	int node = phys_to_target_node(addr);

	return node >= 0 && node < MAX_NUMNODES && node_possible(node) ?
	       node : first_online_node;
}

/* A piece of the pool that lies on one node */
static int __init mk_pool_book(u64 addr, u64 bytes, u32 node, u32 wanted)
{
	int ret;

	if (wanted != MK_NODE_ANY && wanted != node)
		pr_warn("the firmware's tables put the memory at %#llx on node %u, Linux has it on node %u\n",
			addr, wanted, node);
	ret = mk_ranges_add(&mk_pool_all, addr, bytes, node, false) ?:
	      mk_pool_add_free(addr, bytes, node);
	if (!ret)
		pr_info("pool: %llu MiB at %#llx on node %u\n", bytes >> 20,
			addr, node);
	return ret;
}

/* Now that Linux knows its nodes: a range may span several. */
static int __init mk_pool_book_range(const struct mk_range *range)
{
	u64 addr = range->addr, end = addr + range->bytes, next;
	int ret = 0;
	u32 node;

	for (; addr < end && !ret; addr = next) {
		node = mk_node_of(addr);
		next = addr + MK_MEMORY_ALIGN;
		while (next < end && mk_node_of(next) == node)
			next += MK_MEMORY_ALIGN;
		ret = mk_pool_book(addr, next - addr, node, range->node);
	}
	return ret;
}

static int __init mk_pool_init(void)
{
	const struct mk_range *ranges;
	u32 nr, i;
	int ret;

	if (!multikernel_is_host())
		return 0;
	ranges = mk_pool_carved(&nr);
	for (i = 0; i < nr; i++) {
		ret = mk_pool_book_range(&ranges[i]);
		if (ret)
			return ret;
		mk_pool_add_resource(&ranges[i]);
	}
	return 0;
}
subsys_initcall(mk_pool_init);

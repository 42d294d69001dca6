// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: memory that the host keeps out of its own hands.
 *
 * mk_pool=SIZE[@ADDR][,...] carves it out of System RAM before the host builds
 * its direct map, so that a stray pointer of the host faults instead of writing
 * into another kernel, and no page allocator ever sees it. What is free is kept
 * in a set of ranges; memory is scrubbed before it changes its owner.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kthread.h>
#include <linux/memblock.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "internal.h"

#define MK_POOL_RANGES	8
/* Sparsemem sections: pfn_valid() must be false for all of the pool. */
#define MK_POOL_ALIGN	(1ULL << SECTION_SIZE_BITS)
/* What the page table can reach by which an instance is entered. */
#define MK_POOL_END	BIT_ULL(46)
#define MK_SCRUB_CHUNK	SZ_64M	/* mapped at a time */
#define MK_SCRUB_STEP	SZ_16M	/* in the background */

struct mk_pool_range {
	u64 addr;		/* 0: anywhere */
	u64 bytes;
};

enum mk_role multikernel_role __ro_after_init;
u64 mk_pool_bytes;

static struct mk_pool_range mk_pool[MK_POOL_RANGES] __ro_after_init;
static u32 mk_pool_nr __ro_after_init;
static struct resource mk_pool_resource[MK_POOL_RANGES];
static struct mk_ranges mk_pool_free = MK_RANGES_INIT(mk_pool_free);

/* What mk_scrub_thread() is at work on; mk_lock */
static u64 mk_in_hand_bytes;
static DECLARE_WAIT_QUEUE_HEAD(mk_in_hand_wait);

static int __init mk_pool_parse_one(const char **s)
{
	struct mk_pool_range *range = &mk_pool[mk_pool_nr];
	u64 end;

	if (mk_pool_nr == MK_POOL_RANGES)
		return -EINVAL;
	range->addr = 0;
	if (mk_parse_bytes(s, &range->bytes))
		return -EINVAL;
	if (**s == '@') {
		++*s;
		if (mk_parse_bytes(s, &range->addr) || !range->addr)
			return -EINVAL;
	}
	if (!range->bytes || (range->addr | range->bytes) % MK_POOL_ALIGN ||
	    check_add_overflow(range->addr, range->bytes, &end))
		return -EINVAL;
	mk_pool_nr++;
	return 0;
}

static int __init mk_pool_param(char *arg)
{
	const char *s = arg;
	int ret;

	if (multikernel_is_instance())
		return 0;
	do {
		ret = s ? mk_pool_parse_one(&s) : -EINVAL;
		if (!ret && *s && *s != ',')
			ret = -EINVAL;
	} while (!ret && *s++ == ',');
	if (ret) {
		pr_err("mk_pool=%s refused: not SIZE[@ADDR][,...] in multiples of %llu MiB, at most %u pieces\n",
		       arg ?: "", MK_POOL_ALIGN >> 20, MK_POOL_RANGES);
		mk_pool_nr = 0;
		return ret;
	}
	mk_arch_want_early();
	return 0;
}
early_param("mk_pool", mk_pool_param);

/* All RAM, and nobody has it? */
static bool __init mk_is_free_ram(u64 addr, u64 bytes)
{
	return memblock_is_region_memory(addr, bytes) &&
	       !memblock_is_region_reserved(addr, bytes);
}

/* Above 4 GiB if possible: what is below is scarce for the host's devices. */
static u64 __init mk_find_ram(u64 bytes)
{
	u64 addr;

	addr = memblock_phys_alloc_range(bytes, MK_POOL_ALIGN, SZ_4G,
					 PHYS_ADDR_MAX);
	if (!addr)
		addr = memblock_phys_alloc_range(bytes, MK_POOL_ALIGN, SZ_16M,
						 SZ_4G);
	if (addr)
		memblock_phys_free(addr, bytes);
	return addr;
}

static bool __init mk_carve_range(struct mk_pool_range *range)
{
	if (!range->addr)
		range->addr = mk_find_ram(range->bytes);
	else if (!mk_is_free_ram(range->addr, range->bytes))
		range->addr = 0;
	if (!range->addr || range->addr + range->bytes > MK_POOL_END) {
		pr_err("mk_pool=: no %llu MiB of free RAM there\n",
		       range->bytes >> 20);
		return false;
	}
	mk_arch_carve(range->addr, range->bytes);
	return true;
}

/*
 * A region at a fixed address lies in the pool, or in RAM, which it then
 * leaves, or in memory that is no RAM to begin with (memmap=...$...).
 */
static bool __init mk_carve_region(void)
{
	u64 addr, bytes;

	if (!mk_region_param(&addr, &bytes) || !addr)
		return false;
	bytes = bytes ?: MK_REGION_DEFAULT;
	if (mk_is_free_ram(addr, bytes)) {
		mk_arch_carve(addr, bytes);
		return true;
	}
	if (mk_arch_is_reserved(addr, bytes))
		return true;
	pr_err("mk_shared_memory=: memory at %#llx is in use, or neither RAM nor reserved by memmap=\n",
	       addr);
	mk_region_param_drop();
	return false;
}

/**
 * mk_pool_early() - carve pool and region out of System RAM
 *
 * Runs when memblock knows the RAM and nothing of it is mapped yet. Makes this
 * kernel a host. Return: whether it is one.
 */
bool __init mk_pool_early(void)
{
	u32 i, n = 0;

	for (i = 0; i < mk_pool_nr; i++) {
		if (!mk_carve_range(&mk_pool[i]))
			continue;
		mk_pool_bytes += mk_pool[i].bytes;
		mk_pool[n++] = mk_pool[i];
	}
	mk_pool_nr = n;
	if (mk_carve_region() || n)
		multikernel_role = MK_ROLE_HOST;
	return multikernel_is_host();
}

/** mk_pool_contains() - does [start, end) touch the pool? */
bool mk_pool_contains(u64 start, u64 end)
{
	u32 i;

	for (i = 0; i < mk_pool_nr; i++)
		if (start < mk_pool[i].addr + mk_pool[i].bytes &&
		    end > mk_pool[i].addr)
			return true;
	return false;
}

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

/* Pieces that touch become one. */
static u32 mk_merge(struct mk_range *range, u32 nr)
{
	u32 i, n = 0;

	for (i = 1; i < nr; i++) {
		if (range[n].addr + range[n].bytes == range[i].addr &&
		    range[n].node == range[i].node)
			range[n].bytes += range[i].bytes;
		else
			range[++n] = range[i];
	}
	return n + 1;
}

static void mk_wait_for_piece(void)
{
	mutex_unlock(&mk_lock);
	wait_event(mk_in_hand_wait, !READ_ONCE(mk_in_hand_bytes));
	mutex_lock(&mk_lock);
}

/**
 * mk_pool_take() - take memory out of the pool
 * @bytes: how much, a multiple of MK_MEMORY_ALIGN
 * @node: NUMA node or MK_NODE_ANY
 * @ret: array of @max pieces: what was taken
 * @max: at most MK_MAX_RANGES
 * @ret_nr: pieces used
 * @ret_clean: all of it is scrubbed
 * @r: refusal to fill, or NULL
 *
 * The caller holds mk_lock; it is let go for a moment where the piece that is
 * missing is just being scrubbed. Return: 0 or -ENOMEM.
 */
int mk_pool_take(u64 bytes, u32 node, struct mk_range *ret, u32 max,
		 u32 *ret_nr, bool *ret_clean, struct mk_refusal *r)
{
	bool clean[MK_MAX_RANGES];
	u32 nr = 0, i;
	int err;

	if (!mk_pool_nr) {
		mk_refuse(r, MK_REASON_NO_POOL, 0, 0, NULL);
		return -ENOMEM;
	}
	while ((err = mk_ranges_take(&mk_pool_free, bytes, MK_MEMORY_ALIGN,
				     node, ret, clean, max, &nr)) &&
	       mk_in_hand_bytes)
		mk_wait_for_piece();
	if (err == -E2BIG) {
		mk_refuse(r, MK_REASON_MEM_PIECES, bytes, max, NULL);
		return -ENOMEM;
	}
	if (err == -ENOSPC) {
		mk_refuse(r, MK_REASON_MEM_NO_SPACE,
			  mk_ranges_total(&mk_pool_free, node),
			  mk_ranges_largest(&mk_pool_free, node), NULL);
		return -ENOMEM;
	}
	if (err)
		return err;
	*ret_clean = true;
	for (i = 0; i < nr; i++)
		*ret_clean &= clean[i];
	*ret_nr = mk_merge(ret, nr);
	return 0;
}

static void mk_pool_put(const struct mk_range *range, bool clean)
{
	int ret = mk_ranges_add(&mk_pool_free, range->addr, range->bytes,
				range->node, clean);

	if (ret)
		pr_err("%llu MiB of the pool at %#llx are lost: %d\n",
		       range->bytes >> 20, range->addr, ret);
}

/** mk_pool_give() - give scrubbed memory back; the caller holds mk_lock */
void mk_pool_give(const struct mk_range *range)
{
	mk_pool_put(range, true);
}

/** mk_pool_stat() - how much is free; the caller holds mk_lock */
void mk_pool_stat(u64 *ret_free, u64 *ret_largest, u32 *ret_ranges)
{
	*ret_free = mk_ranges_total(&mk_pool_free, MK_NODE_ANY) +
		    mk_in_hand_bytes;
	*ret_largest = mk_ranges_largest(&mk_pool_free, MK_NODE_ANY);
	*ret_ranges = mk_pool_nr;
}

/** mk_pool_show() - a line for each free piece */
void mk_pool_show(struct seq_file *m)
{
	struct mk_free_range *range;

	mk_ranges_for_each(range, &mk_pool_free)
		seq_printf(m, "%#llx %llu node%u %s\n", range->addr,
			   range->bytes, range->node,
			   range->clean ? "clean" : "used");
}

static void __init mk_pool_add_resource(u32 i)
{
	struct resource *res = &mk_pool_resource[i];

	res->name = "Multikernel Pool";
	res->start = mk_pool[i].addr;
	res->end = mk_pool[i].addr + mk_pool[i].bytes - 1;
	/* BUSY and EXCLUSIVE: /dev/mem keeps its hands off */
	res->flags = IORESOURCE_MEM | IORESOURCE_BUSY | IORESOURCE_EXCLUSIVE;
	if (insert_resource(&iomem_resource, res))
		pr_warn("pool at %#llx is not in /proc/iomem\n",
			mk_pool[i].addr);
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
	mk_in_hand_bytes = more ? piece.bytes : 0;
	mutex_unlock(&mk_lock);
	if (!more)
		return false;
	ret = mk_scrub(piece.addr, piece.bytes);
	mutex_lock(&mk_lock);
	mk_pool_put(&piece, !ret);
	mk_in_hand_bytes = 0;
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
	if (mk_pool_nr)
		kthread_run(mk_scrub_thread, NULL, "mk_scrub");
	return 0;
}
/* Early, while the host's boot keeps one CPU busy and the others idle */
subsys_initcall_sync(mk_scrub_init);

static int __init mk_pool_init(void)
{
	u32 i, node;
	int ret;

	if (!multikernel_is_host())
		return 0;
	for (i = 0; i < mk_pool_nr; i++) {
		node = phys_to_target_node(mk_pool[i].addr);
		if (node >= MAX_NUMNODES || !node_online(node))
			node = first_online_node;
		ret = mk_pool_add_free(mk_pool[i].addr, mk_pool[i].bytes,
				       node);
		if (ret)
			return ret;
		mk_pool_add_resource(i);
		pr_info("pool: %llu MiB at %#llx\n", mk_pool[i].bytes >> 20,
			mk_pool[i].addr);
	}
	return 0;
}
subsys_initcall(mk_pool_init);

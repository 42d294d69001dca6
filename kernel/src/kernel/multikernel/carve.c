// SPDX-License-Identifier: GPL-2.0-only
/*
 * mk_pool=SIZE[@ADDR|@nodeN][,...]: taking the pool out of System RAM.
 *
 * That happens before the host builds its direct map, so that a stray pointer
 * of the host faults instead of writing into another kernel, and no page
 * allocator ever sees the pool. memblock knows the RAM then, Linux knows no
 * NUMA node: see mk_arch_early_nodes(). A piece that cannot be had is left out
 * with a message; the others stay.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/align.h>
#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/overflow.h>
#include <linux/sizes.h>

#include "internal.h"

#define MK_POOL_RANGES	8
/* Sparsemem sections: pfn_valid() must be false for all of the pool. */
#define MK_POOL_ALIGN	(1ULL << SECTION_SIZE_BITS)
/* What the page table can reach by which an instance is entered. */
#define MK_POOL_END	BIT_ULL(46)
#define MK_NODE_END	100000	/* no machine has more */

enum mk_role multikernel_role __ro_after_init;
u64 mk_pool_bytes;

/*
 * Before mk_pool_early(): what is wanted, address 0 for anywhere, MK_NODE_ANY
 * for no certain node. After it: what there is.
 */
static struct mk_range mk_pool[MK_POOL_RANGES] __ro_after_init;
static u32 mk_pool_nr __ro_after_init;

/* Where nothing is known of nodes, all memory is on node 0. */
static const struct mk_early_nodes mk_one_node __initconst = {
	.known = { { 1 } },
	.nr_ranges = 1,
	.range = { { .bytes = MK_POOL_END } },
};
static const struct mk_early_nodes *mk_nodes __initdata;

/* The number behind "node" */
static int __init mk_parse_node(const char **s, u32 *ret)
{
	u32 node = 0;

	if (!isdigit(**s))
		return -EINVAL;
	for (; isdigit(**s); ++*s) {
		node = node * 10 + **s - '0';
		if (node >= MK_NODE_END)
			return -EINVAL;
	}
	*ret = node;
	return 0;
}

static int __init mk_pool_parse_place(const char **s, struct mk_range *range)
{
	static const char word[] = "node";

	if (!strncmp(*s, word, strlen(word))) {
		*s += strlen(word);
		return mk_parse_node(s, &range->node);
	}
	if (mk_parse_bytes(s, &range->addr) || !range->addr)
		return -EINVAL;
	return 0;
}

static int __init mk_pool_parse_one(const char **s)
{
	struct mk_range *range = &mk_pool[mk_pool_nr];
	u64 end;

	if (mk_pool_nr == MK_POOL_RANGES)
		return -EINVAL;
	*range = (struct mk_range){ .node = MK_NODE_ANY };
	if (mk_parse_bytes(s, &range->bytes))
		return -EINVAL;
	if (**s == '@') {
		++*s;
		if (mk_pool_parse_place(s, range))
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
		pr_err("mk_pool=%s refused: not SIZE[@ADDR|@nodeN][,...] in multiples of %llu MiB, at most %u pieces\n",
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

static u64 __init mk_find_ram(u64 bytes, u64 start, u64 end)
{
	u64 addr;

	if (start >= end || end - start < bytes)
		return 0;
	addr = memblock_phys_alloc_range(bytes, MK_POOL_ALIGN, start, end);
	if (addr)
		memblock_phys_free(addr, bytes);
	return addr;
}

/* What of the RAM between @start and @end is on a node */
static u64 __init mk_find_on_node(u64 bytes, u32 node, u64 start, u64 end)
{
	const struct mk_range *range;
	u64 addr = 0;
	u32 i;

	if (node == MK_NODE_ANY)
		return mk_find_ram(bytes, start, end);
	for (i = 0; i < mk_nodes->nr_ranges && !addr; i++) {
		range = &mk_nodes->range[i];
		if (range->node == node)
			addr = mk_find_ram(bytes, max(start, range->addr),
					   min(end, range->addr +
					       range->bytes));
	}
	return addr;
}

/* The largest piece of free RAM on a node that a pool could have */
static u64 __init mk_node_largest(u32 node)
{
	const struct mk_range *range;
	u64 i, start, end, largest = 0;
	u32 n;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end,
				NULL) {
		for (n = 0; n < mk_nodes->nr_ranges; n++) {
			u64 from, to;

			range = &mk_nodes->range[n];
			from = ALIGN(max3(start, range->addr, (u64)SZ_16M),
				     MK_POOL_ALIGN);
			to = ALIGN_DOWN(min(end, range->addr + range->bytes),
					MK_POOL_ALIGN);
			if (range->node == node && from < to)
				largest = max(largest, to - from);
		}
	}
	return largest;
}

static void __init mk_carve_failed(const struct mk_range *range, u64 wanted)
{
	u64 mib = range->bytes >> 20;

	if (wanted)
		pr_err("mk_pool=%lluM@%#llx is left out: not all of it is free RAM\n",
		       mib, wanted);
	else if (range->node == MK_NODE_ANY)
		pr_err("mk_pool=%lluM is left out: no piece of free RAM is so large\n",
		       mib);
	else if (range->node >= MAX_NUMNODES ||
		 !node_isset(range->node, mk_nodes->known))
		pr_err("mk_pool=%lluM@node%u is left out: there is no NUMA node %u\n",
		       mib, range->node, range->node);
	else
		pr_err("mk_pool=%lluM@node%u is left out: the largest piece of free RAM on node %u has %llu MiB\n",
		       mib, range->node, range->node,
		       mk_node_largest(range->node) >> 20);
}

/* Above 4 GiB if possible: what is below is scarce for the host's devices. */
static bool __init mk_carve_range(struct mk_range *range)
{
	u64 addr = range->addr;

	if (!addr)
		addr = mk_find_on_node(range->bytes, range->node, SZ_4G,
				       MK_POOL_END) ?:
		       mk_find_on_node(range->bytes, range->node, SZ_16M,
				       SZ_4G);
	else if (!mk_is_free_ram(addr, range->bytes) ||
		 addr + range->bytes > MK_POOL_END)
		addr = 0;
	if (!addr) {
		mk_carve_failed(range, range->addr);
		return false;
	}
	range->addr = addr;
	mk_arch_carve(addr, range->bytes);
	mk_pool_bytes += range->bytes;
	return true;
}

/* How little choice a range leaves: what has least is carved first. */
static u32 __init mk_carve_turn(const struct mk_range *range)
{
	return range->addr ? 0 : range->node == MK_NODE_ANY ? 2 : 1;
}

static void __init mk_carve_pool(void)
{
	u32 turns[MK_POOL_RANGES];
	u32 turn, i, n = 0;

	mk_nodes = mk_arch_early_nodes() ?: &mk_one_node;
	for (i = 0; i < mk_pool_nr; i++)
		turns[i] = mk_carve_turn(&mk_pool[i]);
	for (turn = 0; turn < 3; turn++)
		for (i = 0; i < mk_pool_nr; i++)
			if (turns[i] == turn && !mk_carve_range(&mk_pool[i]))
				mk_pool[i].bytes = 0;
	for (i = 0; i < mk_pool_nr; i++)
		if (mk_pool[i].bytes)
			mk_pool[n++] = mk_pool[i];
	mk_pool_nr = n;
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
	if (mk_pool_nr)
		mk_carve_pool();
	if (mk_carve_region() || mk_pool_nr)
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

/** mk_pool_carved() - all of the pool; the node is the one that was asked for */
const struct mk_range *mk_pool_carved(u32 *ret_nr)
{
	*ret_nr = mk_pool_nr;
	return mk_pool;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set of free ranges of physical memory: what the pool has left to give.
 *
 * Each range has a NUMA node and a flag that says whether it is clean, that
 * is, scrubbed since its last owner. The set knows addresses only and never
 * touches the memory. It has no lock: the caller holds one that may sleep.
 */
#ifndef _MULTIKERNEL_RANGES_H
#define _MULTIKERNEL_RANGES_H

#include <linux/list.h>
#include <linux/types.h>
#include <uapi/linux/multikernel.h>

/**
 * struct mk_ranges - set of free ranges
 * @head: of struct mk_free_range, by address
 * @free: sum of their bytes
 */
struct mk_ranges {
	struct list_head head;
	u64 free;
};

/**
 * struct mk_free_range - one range, for reading by mk_ranges_for_each()
 * @link: in struct mk_ranges
 * @addr: physical address
 * @bytes: size, not 0
 * @node: NUMA node
 * @clean: scrubbed
 */
struct mk_free_range {
	struct list_head link;
	u64 addr;
	u64 bytes;
	u32 node;
	bool clean;
};

#define MK_RANGES_INIT(name)	{ .head = LIST_HEAD_INIT((name).head) }

#define mk_ranges_for_each(range, ranges) \
	list_for_each_entry(range, &(ranges)->head, link)

void mk_ranges_init(struct mk_ranges *ranges);
void mk_ranges_free_all(struct mk_ranges *ranges);
int __must_check mk_ranges_add(struct mk_ranges *ranges, u64 addr, u64 bytes,
			       u32 node, bool clean);
int __must_check mk_ranges_take(struct mk_ranges *ranges, u64 bytes, u64 align,
				u32 node, struct mk_range *ret_range,
				bool *ret_clean, u32 max, u32 *ret_nr);
int __must_check mk_ranges_take_parts(struct mk_ranges *ranges,
				      const struct mk_memory_part *parts,
				      u32 nr_parts, u64 align,
				      struct mk_range *ret_range,
				      bool *ret_clean, u32 max, u32 *ret_nr);
bool mk_ranges_take_unclean(struct mk_ranges *ranges, u64 max,
			    struct mk_range *ret);
u64 mk_ranges_largest(const struct mk_ranges *ranges, u32 node);
u64 mk_ranges_total(const struct mk_ranges *ranges, u32 node);

#endif /* _MULTIKERNEL_RANGES_H */

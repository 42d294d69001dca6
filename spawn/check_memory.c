// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the pool have the memory that an instance wants, where it wants it?
 *
 * The kernel decides the same way when it gives the memory out. What it alone
 * can tell is whether the free pieces are too small and too many.
 */
#include <stdio.h>

#include "check.h"
#include "refuse.h"

static uint64_t sum(const struct mk_range *ranges, size_t nr, uint32_t node)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < nr; i++)
		if (ranges[i].node == node)
			bytes += ranges[i].bytes;
	return bytes;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* MK_NODE_ANY counts all, also what is of one node. */
static uint64_t parts_of(const struct mk_memory_part *parts, size_t nr,
			 uint32_t node)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < nr; i++)
		if (node == MK_NODE_ANY || parts[i].node == node)
			bytes = add(bytes, parts[i].bytes);
	return bytes;
}

static uint64_t promised(const struct mk_check *check, uint32_t node)
{
	return parts_of(check->promised, check->nr_promised, node);
}

/* The same, and what the present instance has got so far */
static uint64_t taken(const struct mk_check *check,
		      const struct mk_checked *checked, uint32_t node)
{
	uint64_t own = parts_of(checked->parts, checked->nr_parts, node);
	uint64_t shares =
		parts_of(checked->share_parts, checked->nr_share_parts, node);

	return add(promised(check, node), add(own, shares));
}

static int check_node(const struct mk_pool_pieces *pool,
		      const struct mk_memory_part *part, uint64_t gone_bytes,
		      struct mk_error *err)
{
	uint64_t free_bytes =
		minus(sum(pool->free, pool->nr_free, part->node), gone_bytes);
	char who[16];

	if (part->bytes <= free_bytes)
		return 0;
	if (!sum(pool->ranges, pool->nr_ranges, part->node))
		return mk_refuse(err, &(struct mk_refused){
			.error = ENOMEM, .reason = MK_REASON_MEM_NODE,
			.a = part->node,
		}, NULL);
	snprintf(who, sizeof(who), "node%u", part->node);
	return mk_refuse(err, &(struct mk_refused){
		.error = ENOMEM, .reason = MK_REASON_MEM_NODE_FULL,
		.a = part->bytes, .b = free_bytes, .who = who,
	}, NULL);
}

static int check_nodes(const struct mk_check *check,
		       const struct mk_checked *checked, struct mk_error *err)
{
	struct mk_pool_pieces pool;
	int r;

	r = mk_pool_get(check->ctx, &pool, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < checked->nr_parts && r == 0; i++)
		r = check_node(&pool, &checked->parts[i],
			       promised(check, checked->parts[i].node), err);
	mk_pool_clear(&pool);
	return r;
}

int mk_check_memory(const struct mk_check *check,
		    const struct mk_config *config,
		    const struct mk_checked *checked, struct mk_error *err)
{
	const struct mk_info *info = &check->info;
	uint64_t free_bytes = minus(info->pool_free_bytes,
				    promised(check, MK_NODE_ANY));
	uint64_t largest = info->pool_largest_bytes;
	int r = 0;

	if (!check->on_host)
		return 0;
	if (config->memory_nodes.nr)
		r = check_nodes(check, checked, err);
	if (r < 0 || config->memory_bytes <= free_bytes)
		return r;
	return mk_refuse(err, &(struct mk_refused){
		.error = ENOMEM, .reason = MK_REASON_MEM_NO_SPACE,
		.a = free_bytes,
		.b = largest < free_bytes ? largest : free_bytes,
	}, NULL);
}

static int check_share_node(const struct mk_check *check,
			    const struct mk_checked *checked,
			    const struct mk_memory_part *part,
			    struct mk_error *err)
{
	struct mk_pool_pieces pool;
	int r;

	r = mk_pool_get(check->ctx, &pool, err);
	if (r < 0)
		return r;
	r = check_node(&pool, part, taken(check, checked, part->node), err);
	mk_pool_clear(&pool);
	return r;
}

int mk_check_share_memory(const struct mk_check *check,
			  const struct mk_checked *checked,
			  const struct mk_wanted_share *share,
			  struct mk_error *err)
{
	uint64_t free_bytes = minus(check->info.pool_free_bytes,
				    taken(check, checked, MK_NODE_ANY));
	struct mk_memory_part part = {
		.bytes = mk_wanted_share_bytes(share),
		.node = share->node,
	};

	if (part.bytes > free_bytes)
		return mk_refuse(err,
				 &(struct mk_refused){
					 .error = ENOMEM,
					 .reason = MK_REASON_SHARE_NO_SPACE,
					 .a = part.bytes,
					 .b = free_bytes,
					 .who = share->name,
				 },
				 NULL);
	if (part.node == MK_NODE_ANY)
		return 0;
	return check_share_node(check, checked, &part, err);
}

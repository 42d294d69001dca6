// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The pool in pieces.
 */
#include <stdlib.h>

#include "internal.h"

#define FIRST_TRY	64	/* pieces; another look is needed for more */

void mk_pool_clear(struct mk_pool_pieces *pool)
{
	free(pool->ranges);
	free(pool->free);
	*pool = (struct mk_pool_pieces){ 0 };
}

/* -E2BIG: there are more pieces than there was room for, as the counts say. */
static int look(struct mk_ctx *ctx, struct mk_pool_pieces *pool,
		struct mk_error *err)
{
	struct mk_pool req = {
		.size = sizeof(req),
		.nr_ranges = (uint32_t)pool->nr_ranges,
		.nr_free = (uint32_t)pool->nr_free,
		.ranges = (uintptr_t)pool->ranges,
		.free = (uintptr_t)pool->free,
	};
	bool all;
	int r;

	r = mk_ctx_ioctl(ctx, MK_IOC_POOL, &req, &req.refusal, NULL, err);
	if (r < 0)
		return r;
	all = req.nr_ranges <= pool->nr_ranges && req.nr_free <= pool->nr_free;
	pool->nr_ranges = req.nr_ranges;
	pool->nr_free = req.nr_free;
	return all ? 0 : -E2BIG;
}

int mk_pool_get(struct mk_ctx *ctx, struct mk_pool_pieces *ret_pool,
		struct mk_error *err)
{
	size_t nr_ranges = FIRST_TRY, nr_free = FIRST_TRY;
	struct mk_pool_pieces pool;
	int r;

	do {
		pool = (struct mk_pool_pieces){
			.ranges = calloc(nr_ranges, sizeof(*pool.ranges)),
			.nr_ranges = nr_ranges,
			.free = calloc(nr_free, sizeof(*pool.free)),
			.nr_free = nr_free,
		};
		if (!pool.ranges || !pool.free) {
			r = mk_no_memory(err);
		} else {
			r = look(ctx, &pool, err);
		}
		/* What comes between two looks may bring a few more. */
		nr_ranges = pool.nr_ranges + FIRST_TRY;
		nr_free = pool.nr_free + FIRST_TRY;
		if (r < 0)
			mk_pool_clear(&pool);
	} while (r == -E2BIG);
	if (r < 0)
		return r;
	*ret_pool = pool;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of libmk/pool.c: the pieces of the pool, however many there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mk/libmk.h>

#include "fake_kernel.h"

static void check_piece(const struct mk_range *range, uint64_t addr,
			uint64_t bytes, uint32_t node)
{
	assert_int_equal(range->addr, addr);
	assert_int_equal(range->bytes, bytes);
	assert_int_equal(range->node, node);
}

static void test_nodes(void **state)
{
	struct mk_pool_pieces pool;
	struct mk_error err = MK_ERROR_INIT;

	assert_int_equal(mk_pool_get(*state, &pool, &err), 0);
	assert_int_equal(pool.nr_ranges, 2);
	check_piece(&pool.ranges[0], FAKE_POOL_ADDR, 768 << 20, 0);
	check_piece(&pool.ranges[1], FAKE_NODE1_ADDR, 256 << 20, 1);
	assert_int_equal(pool.nr_free, 2);
	check_piece(&pool.free[1], FAKE_NODE1_ADDR, 256 << 20, 1);
	mk_pool_clear(&pool);
	assert_null(pool.ranges);
	assert_int_equal(pool.nr_free, 0);
}

/* More than the first look has room for */
static void test_many(void **state)
{
	static const uint32_t counts[] = { 1, 63, 64, 65, 1000 };
	struct mk_pool_pieces pool;
	size_t i;

	for (i = 0; i < MK_ARRAY_SIZE(counts); i++) {
		fake->crumbs = counts[i];
		assert_int_equal(mk_pool_get(*state, &pool, NULL), 0);
		assert_int_equal(pool.nr_free, counts[i]);
		check_piece(&pool.free[counts[i] - 1], FAKE_POOL_ADDR +
			    (counts[i] - 1) * (4ULL << 20), 2 << 20,
			    (counts[i] - 1) % 2);
		mk_pool_clear(&pool);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nodes, fake_setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(test_many, fake_setup,
						fake_teardown),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/distance.c: which nodes an instance is on, and what of
 * the host's sysfs is believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../../spawn/distance.h"

static char root[] = "/tmp/test_distance.XXXXXX";

static int setup(void **state)
{
	(void)state;
	strcpy(strrchr(root, '.'), ".XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void put(const char *name, const char *text)
{
	char path[160], command[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/sys/devices/system/node/%s", root,
		 name);
	snprintf(command, sizeof(command), "mkdir -p $(dirname %s)", path);
	assert_int_equal(system(command), 0);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "%s\n", text);
	assert_int_equal(fclose(f), 0);
}

/* CPUs and memory on the nodes given; the table as text, row by row */
static void check(const uint32_t *cpu_nodes, size_t nr_cpus,
		  const uint32_t *memory_nodes, size_t nr_ranges,
		  const char *want)
{
	struct mk_range ranges[4] = { 0 };
	struct mk_cpu cpus[4] = { 0 };
	struct mk_instance inst = {
		.get = { .nr_cpus = (uint32_t)nr_cpus,
			 .nr_ranges = (uint32_t)nr_ranges },
		.cpus = cpus,
		.ranges = ranges,
	};
	struct mk_distances d;
	struct mk_ctx *ctx;
	char text[256];
	size_t n = 0, i;

	for (i = 0; i < nr_cpus; i++)
		cpus[i].node = cpu_nodes[i];
	for (i = 0; i < nr_ranges; i++)
		ranges[i].node = memory_nodes[i];
	assert_int_equal(mk_ctx_new(root, &ctx, NULL), 0);
	assert_int_equal(mk_distances_get(ctx, &inst, &d, NULL), 0);
	for (i = 0; i < d.nr_nodes; i++)
		n += (size_t)sprintf(text + n, "%u ", d.nodes[i]);
	for (i = 0; i < d.nr_nodes * d.nr_nodes; i++)
		n += (size_t)sprintf(text + n, "%s%u", i % d.nr_nodes ? " " :
				     "/ ", d.table[i]);
	assert_string_equal(text, want);
	mk_distances_clear(&d);
	assert_null(d.nodes);
	mk_ctx_free(ctx);
}

#define CHECK(cpu_nodes, memory_nodes, want)				\
	check(cpu_nodes, MK_ARRAY_SIZE(cpu_nodes), memory_nodes,	\
	      MK_ARRAY_SIZE(memory_nodes), want)

static const uint32_t zero[] = { 0 };
static const uint32_t one[] = { 1 };
static const uint32_t four_two_four[] = { 4, 2, 4 };

static void test_no_numa(void **state)
{
	(void)state;
	CHECK(zero, zero, "0 / 10");
	CHECK(one, zero, "0 1 / 10 20/ 20 10");
}

/* The row has the nodes that are online, 2 and 4 are the 2nd and the 3rd. */
static void test_sparse(void **state)
{
	(void)state;
	put("online", "1-2,4,6");
	put("node2/distance", "21 10 17 25");
	put("node4/distance", "22 18 10 26");
	CHECK(four_two_four, four_two_four, "2 4 / 10 17/ 18 10");
	put("node1/distance", "10 21 22 23");
	CHECK(four_two_four, one, "1 2 4 / 10 21 22/ 21 10 17/ 22 18 10");
	/* Node 0 is not online: nobody knows how far it is. */
	CHECK(one, zero, "0 1 / 10 20/ 20 10");
}

static void test_nonsense(void **state)
{
	(void)state;
	put("online", "0-1");
	put("node0/distance", "10 10");
	put("node1/distance", "255 11");
	CHECK(one, zero, "0 1 / 10 20/ 20 10");
	put("node0/distance", "10");
	put("node1/distance", "near far");
	CHECK(one, zero, "0 1 / 10 20/ 20 10");
	put("online", "some");
	put("node0/distance", "10 15");
	CHECK(one, zero, "0 1 / 10 20/ 20 10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_numa, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sparse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
	};

	return cmocka_run_group_tests_name("distance", tests, NULL, NULL);
}

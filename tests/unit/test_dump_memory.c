// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/dump_memory.c and spawn/dump_stacks.c: the memory of an
 * instance that lies about it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dump_stacks.h"
#include "fake_dump.h"

#define PRESENT	0x63ULL
#define LARGE	0x80ULL

static const struct mk_range range = { FAKE_MEM, FAKE_MEM_BYTES, 0, 0 };

/** struct world - a fresh memory, and how it is mapped */
struct world {
	struct dump_memory mem;
	struct dump_map map;
	struct dump_pieces pieces;
	size_t tables;
};

static int setup(void **state)
{
	static struct world world;

	world = (struct world){
		.mem = { .fd = fake_memory(), .ranges = &range, .nr_ranges = 1 },
		.map = {
			.page_offset = FAKE_OFFSET,
			.text = FAKE_TEXT,
			.text_phys = FAKE_TEXT_PHYS,
			.text_bytes = FAKE_TEXT_BYTES,
			.table = FAKE_TEXT_PHYS + 0x1000,
			.levels = 4,
		},
		.pieces = { .most = 1000, .complete = true },
		.tables = 100,
	};
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	close(world->mem.fd);
	dump_pieces_clear(&world->pieces);
	return 0;
}

static void walk(struct world *world, uint64_t first, uint64_t last)
{
	assert_int_equal(dump_walk(&world->mem, &world->map, first, last,
				   &world->tables, &world->pieces), 0);
}

static void check_piece(const struct world *world, size_t i, uint64_t vaddr,
			uint64_t paddr, uint64_t bytes)
{
	assert_true(i < world->pieces.nr_items);
	assert_int_equal(world->pieces.items[i].vaddr, vaddr);
	assert_int_equal(world->pieces.items[i].paddr, paddr);
	assert_int_equal(world->pieces.items[i].bytes, bytes);
}

static void test_bounds(void **state)
{
	struct world *world = *state;
	const struct dump_memory *mem = &world->mem;
	char byte;

	assert_true(dump_has(mem, FAKE_MEM, FAKE_MEM_BYTES));
	assert_true(dump_has(mem, FAKE_MEM + FAKE_MEM_BYTES - 1, 1));
	assert_false(dump_has(mem, FAKE_MEM - 1, 1));
	assert_false(dump_has(mem, FAKE_MEM + FAKE_MEM_BYTES, 1));
	assert_false(dump_has(mem, FAKE_MEM, FAKE_MEM_BYTES + 1));
	assert_false(dump_has(mem, FAKE_MEM + 1, FAKE_MEM_BYTES));
	assert_false(dump_has(mem, FAKE_MEM, UINT64_MAX));
	assert_false(dump_has(mem, UINT64_MAX, 2));
	assert_false(dump_has(mem, UINT64_MAX - 4, FAKE_MEM));
	assert_int_equal(dump_read(mem, FAKE_MEM - 1, &byte, 1), -ENXIO);
	assert_int_equal(dump_read(mem, FAKE_MEM, &byte, 1), 0);
}

static void test_read_virt(void **state)
{
	struct world *world = *state;
	char buf[64], pages[2 * 4096];
	uint64_t value;

	assert_int_equal(dump_read_virt(&world->mem, &world->map, FAKE_TEXT,
					buf, 16), 0);
	assert_memory_equal(buf, "this is the text", 16);
	assert_int_equal(dump_read_virt(&world->mem, &world->map,
					FAKE_OFFSET + FAKE_TEXT_PHYS, buf, 16),
			 0);
	assert_memory_equal(buf, "this is the text", 16);
	/* The last page of the stack is the first one in memory. */
	assert_int_equal(dump_read_virt(&world->mem, &world->map,
					FAKE_STACK + 0x3000, buf, 16), 0);
	assert_memory_equal(buf, "top of the stack", 16);
	/* Over a page's end, to a page that lies in front of it */
	fake_put64(world->mem.fd, FAKE_STACK_PHYS + 0x1ff8, 0x1234);
	assert_int_equal(dump_read_virt(&world->mem, &world->map,
					FAKE_STACK + 0x2000, pages,
					sizeof(pages)), 0);
	memcpy(&value, pages + 0xff8, sizeof(value));
	assert_int_equal(value, 0x1234);
	assert_memory_equal(pages + 0x1000, "top of the stack", 16);
	/* A hole behind it */
	assert_int_equal(dump_read_virt(&world->mem, &world->map,
					FAKE_STACK + 0x3000, pages,
					sizeof(pages)), -EFAULT);
	assert_int_equal(dump_read_virt(&world->mem, &world->map, 0, buf, 1),
			 -EFAULT);
	assert_int_equal(dump_read_virt(&world->mem, &world->map, UINT64_MAX,
					buf, 2), -EFAULT);
	world->map.table = 0;
	assert_int_equal(dump_read_virt(&world->mem, &world->map, FAKE_STACK,
					buf, 1), -EFAULT);
}

static void test_walk(void **state)
{
	struct world *world = *state;

	walk(world, FAKE_VMALLOC, FAKE_VMALLOC + (1ULL << 40) - 1);
	assert_int_equal(world->pieces.nr_items, 4);
	check_piece(world, 0, FAKE_STACK, FAKE_STACK_PHYS + 0x3000, 0x1000);
	check_piece(world, 3, FAKE_STACK + 0x3000, FAKE_STACK_PHYS, 0x1000);
	assert_true(world->pieces.complete);
	assert_int_equal(world->tables, 96);
	/* What is on the list is not listed twice. */
	walk(world, FAKE_VMALLOC, FAKE_VMALLOC + (1ULL << 40) - 1);
	assert_int_equal(world->pieces.nr_items, 4);
}

static void test_walk_part(void **state)
{
	struct world *world = *state;

	walk(world, FAKE_STACK + 0x1800, FAKE_STACK + 0x2000);
	assert_int_equal(world->pieces.nr_items, 2);
	check_piece(world, 0, FAKE_STACK + 0x1000, FAKE_STACK_PHYS + 0x2000,
		    0x1000);
	walk(world, 1, 0);
	assert_int_equal(world->pieces.nr_items, 2);
}

/* Neighbours in both kinds of address are one piece. */
static void test_merge(void **state)
{
	struct world *world = *state;
	uint64_t pte = FAKE_TABLES + 0x2000 + (FAKE_STACK >> 12) % 512 * 8;
	uint64_t i;

	for (i = 0; i < 4; i++)
		fake_put64(world->mem.fd, pte + i * 8,
			   (FAKE_STACK_PHYS + i * 0x1000) | PRESENT);
	walk(world, FAKE_VMALLOC, FAKE_VMALLOC + (1ULL << 40) - 1);
	assert_int_equal(world->pieces.nr_items, 1);
	check_piece(world, 0, FAKE_STACK, FAKE_STACK_PHYS, 0x4000);
}

static void test_large_pages(void **state)
{
	struct world *world = *state;
	uint64_t pud = FAKE_TABLES + (FAKE_STACK >> 30) % 512 * 8;
	uint64_t pmd = FAKE_TABLES + 0x1000 + (FAKE_STACK >> 21) % 512 * 8;
	char buf[16];

	/* Low bits of a large page's address are flags (PAT) */
	fake_put64(world->mem.fd, pmd + 8,
		   (FAKE_MEM + 0x200000) | 0x1000 | LARGE | PRESENT);
	walk(world, FAKE_VMALLOC + 0x200000, FAKE_VMALLOC + 0x3fffff);
	assert_int_equal(world->pieces.nr_items, 1);
	check_piece(world, 0, FAKE_VMALLOC + 0x200000, FAKE_TEXT_PHYS,
		    0x200000);
	assert_int_equal(dump_read_virt(&world->mem, &world->map,
					FAKE_VMALLOC + 0x200000, buf, 16), 0);
	assert_memory_equal(buf, "this is the text", 16);
	/* 1 GiB is more than there is: left out, and not to be read through */
	fake_put64(world->mem.fd, pud + 8, FAKE_MEM | LARGE | PRESENT);
	walk(world, FAKE_VMALLOC + (1 << 30), FAKE_VMALLOC + (2ULL << 30) - 1);
	assert_int_equal(world->pieces.nr_items, 1);
}

static void test_five_levels(void **state)
{
	struct world *world = *state;
	const uint64_t base = 0xffa0000000000000ULL, vaddr = base + 0x40000;
	const uint64_t top = FAKE_TABLES + 0x10000;
	char buf[16];

	fake_put64(world->mem.fd, top + (vaddr >> 48) % 512 * 8,
		   (FAKE_TABLES + 0x11000) | PRESENT);
	fake_put64(world->mem.fd, FAKE_TABLES + 0x11000 +
			(vaddr >> 39) % 512 * 8, FAKE_TABLES | PRESENT);
	fake_put64(world->mem.fd, FAKE_TABLES + (vaddr >> 30) % 512 * 8,
		   (FAKE_TABLES + 0x1000) | PRESENT);
	world->map.table = top;
	world->map.levels = 5;
	walk(world, base, base + (12800ULL << 40) - 1);
	assert_int_equal(world->pieces.nr_items, 4);
	check_piece(world, 3, vaddr + 0x3000, FAKE_STACK_PHYS, 0x1000);
	assert_int_equal(dump_read_virt(&world->mem, &world->map,
					vaddr + 0x3000, buf, 16), 0);
	assert_memory_equal(buf, "top of the stack", 16);
}

/* A table that holds itself everywhere maps 2^36 pages. */
static void test_loop(void **state)
{
	struct world *world = *state;
	uint64_t table = fake_text_phys(FAKE_TOP_TABLE);
	uint64_t i;

	for (i = 0; i < 512; i++)
		fake_put64(world->mem.fd, table + i * 8, table | PRESENT);
	world->pieces.most = 50;
	walk(world, FAKE_VMALLOC, UINT64_MAX);
	assert_false(world->pieces.complete);
	assert_int_equal(world->tables, 0);
	assert_true(world->pieces.nr_items <= 50);
}

/* Tables and pages outside of its memory: the host's, devices */
static void test_outside(void **state)
{
	struct world *world = *state;
	uint64_t pte = FAKE_TABLES + 0x2000 + (FAKE_STACK >> 12) % 512 * 8;
	uint64_t pmd = FAKE_TABLES + 0x1000 + (FAKE_STACK >> 21) % 512 * 8;
	char byte;

	fake_put64(world->mem.fd, pte, 0xfee00000 | PRESENT);
	fake_put64(world->mem.fd, pte + 8, (FAKE_MEM + FAKE_MEM_BYTES) | PRESENT);
	fake_put64(world->mem.fd, pmd + 8, 0x1000 | PRESENT);
	walk(world, FAKE_VMALLOC, FAKE_VMALLOC + (1ULL << 40) - 1);
	assert_int_equal(world->pieces.nr_items, 2);
	assert_int_equal(dump_read_virt(&world->mem, &world->map, FAKE_STACK,
					&byte, 1), -EFAULT);
	assert_int_equal(dump_read_virt(&world->mem, &world->map,
					FAKE_VMALLOC + 0x200000, &byte, 1),
			 -EFAULT);
}

static void test_full(void **state)
{
	struct world *world = *state;

	world->pieces.most = 3;
	walk(world, FAKE_VMALLOC, FAKE_VMALLOC + (1ULL << 40) - 1);
	assert_int_equal(world->pieces.nr_items, 3);
	assert_false(world->pieces.complete);
}

/* --- what is found of it --------------------------------------------------- */

static void read_info(struct world *world, struct dump_info *info)
{
	assert_int_equal(dump_info_read(&world->mem, FAKE_VMCOREINFO, 4120,
					info), 0);
}

static struct mk_dump said(void)
{
	return (struct mk_dump){
		.page_offset = FAKE_OFFSET,
		.text = FAKE_TEXT,
		.text_phys = FAKE_TEXT_PHYS,
		.text_bytes = FAKE_TEXT_BYTES,
	};
}

static void test_map(void **state)
{
	struct world *world = *state;
	struct mk_dump dump = said();
	struct dump_info info;
	struct dump_map map;

	read_info(world, &info);
	dump_map_make(&world->mem, &dump, &info, &map);
	assert_int_equal(map.page_offset, FAKE_OFFSET);
	assert_int_equal(map.text, FAKE_TEXT);
	assert_int_equal(map.text_phys, FAKE_TEXT_PHYS);
	assert_int_equal(map.text_bytes, FAKE_TEXT_BYTES);
	assert_int_equal(map.table, FAKE_TEXT_PHYS + 0x1000);
	assert_int_equal(map.levels, 4);
	dump_info_clear(&info);
}

static void check_no_text(struct world *world, const struct dump_info *info,
			  const struct mk_dump *dump)
{
	struct dump_map map;

	dump_map_make(&world->mem, dump, info, &map);
	assert_int_equal(map.text_bytes, 0);
	assert_int_equal(map.table, 0);
}

static void test_map_lies(void **state)
{
	struct world *world = *state;
	struct mk_dump dump = said();
	struct dump_info info;
	struct dump_map map;

	read_info(world, &info);
	dump.text_phys = FAKE_MEM + FAKE_MEM_BYTES - 0x1000;
	check_no_text(world, &info, &dump);
	dump = said();
	dump.text_phys += 8;
	check_no_text(world, &info, &dump);
	dump = said();
	dump.text = 0x400000;
	check_no_text(world, &info, &dump);
	dump = said();
	dump.text = 0xfffffffffffff000ULL;
	check_no_text(world, &info, &dump);
	dump = said();
	dump.page_offset = 0x1000;
	dump_map_make(&world->mem, &dump, &info, &map);
	assert_int_equal(map.page_offset, 0);
	dump_info_clear(&info);
}

static void test_mapped(void **state)
{
	struct world *world = *state;
	struct mk_dump_cpu cpus[2] = {
		{ .saved = true, .rsp = FAKE_STACK + 0x3f00 },
		{ .cpu = 1, .saved = true, .rsp = UINT64_MAX },
	};
	struct mk_dump_result result = { .cpus = cpus, .nr_cpus = 2 };
	struct dump_pieces pieces;
	struct dump_info info;

	read_info(world, &info);
	assert_int_equal(dump_mapped_find(&world->mem, &world->map, &info,
					  &result, &pieces), 0);
	assert_int_equal(pieces.nr_items, 4);
	assert_true(pieces.complete);
	dump_pieces_clear(&pieces);
	world->map.table = 0;
	assert_int_equal(dump_mapped_find(&world->mem, &world->map, &info,
					  &result, &pieces), 0);
	assert_int_equal(pieces.nr_items, 0);
	assert_false(pieces.complete);
	dump_info_clear(&info);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_virt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk_part, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_five_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map_lies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mapped, setup, teardown),
	};

	return cmocka_run_group_tests_name("dump_memory", tests, NULL, NULL);
}

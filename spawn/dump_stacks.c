// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an instance's kernel maps outside of text and direct map: with
 * CONFIG_VMAP_STACK the stack of each task, interrupt stacks, modules, the
 * array of struct page. Without stacks gdb shows one frame of each CPU.
 *
 * Where such maps may be is fixed (Documentation/arch/x86/x86_64/mm.rst of
 * Linux) or in VMCOREINFO. Other parts of the address space are not looked at:
 * some of them map the same page thousands of times.
 */
#include "dump_stacks.h"

#define PIECES_MAX	16384u		/* more make gdb slow */
#define TABLES_MAX	65536u		/* 256 MiB of page tables */
#define STACK_AROUND	0x10000ULL	/* no stack is larger */

#define KERNEL_HALF	0xff00000000000000ULL
#define ENTRY_AREA	0xfffffe0000000000ULL
#define ENTRY_AREA_LAST	0xfffffe7fffffffffULL
#define MODULES_LAST	0xfffffffffeffffffULL
#define IMAGE_MAX	0x80000000ULL

/** struct area - of addresses; @last is included */
struct area {
	uint64_t first;
	uint64_t last;
};

#define AREAS	4

void dump_map_make(const struct dump_memory *mem, const struct mk_dump *dump,
		   const struct dump_info *info, struct dump_map *ret_map)
{
	struct dump_map map = { .levels = 4 };
	uint64_t table, five;

	if (dump->page_offset >= KERNEL_HALF &&
	    dump->page_offset % MK_MEMORY_ALIGN == 0)
		map.page_offset = dump->page_offset;
	if (dump->text >= DUMP_START_KERNEL_MAP &&
	    dump->text % DUMP_PAGE == 0 && dump->text_phys % DUMP_PAGE == 0 &&
	    dump->text_bytes && dump->text_bytes <= -dump->text &&
	    dump_has(mem, dump->text_phys, dump->text_bytes)) {
		map.text = dump->text;
		map.text_phys = dump->text_phys;
		map.text_bytes = dump->text_bytes;
	}
	if (dump_info_number(info, "NUMBER(pgtable_l5_enabled)", &five) == 0 &&
	    five == 1)
		map.levels = 5;
	if (dump_info_hex(info, "SYMBOL(init_top_pgt)", &table) == 0 &&
	    table % DUMP_PAGE == 0 && table >= map.text &&
	    table - map.text < map.text_bytes)
		map.table = map.text_phys + (table - map.text);
	*ret_map = map;
}

/* @bytes from an address on, if it is one of the kernel's half. */
static struct area area_at(uint64_t first, uint64_t bytes)
{
	if (first < KERNEL_HALF || bytes - 1 > ~first)
		return (struct area){ .first = 1 };	/* empty */
	return (struct area){ .first = first, .last = first + (bytes - 1) };
}

static void find_areas(const struct dump_map *map,
		       const struct dump_info *info, struct area areas[AREAS])
{
	const bool five = map->levels == 5;
	uint64_t vmalloc = 0, vmemmap = 0, image = 0;

	if (dump_info_number(info, "NUMBER(VMALLOC_START)", &vmalloc) < 0)
		vmalloc = 0;
	if (dump_info_hex(info, "SYMBOL(vmemmap)", &vmemmap) < 0)
		vmemmap = 0;
	if (dump_info_number(info, "NUMBER(KERNEL_IMAGE_SIZE)", &image) < 0 ||
	    image > IMAGE_MAX)
		image = IMAGE_MAX;	/* then there is no room for modules */
	areas[0] = area_at(vmalloc, (five ? 12800ULL : 32ULL) << 40);
	areas[1] = (struct area){ ENTRY_AREA, ENTRY_AREA_LAST };
	areas[2] = (struct area){ DUMP_START_KERNEL_MAP + image, MODULES_LAST };
	areas[3] = area_at(vmemmap, (five ? 512ULL : 1ULL) << 40);
}

/* Around the stack pointer, as far as the area goes */
static struct area around(const struct area *area, uint64_t rsp)
{
	struct area near = *area;

	if (rsp - near.first > STACK_AROUND)
		near.first = rsp - STACK_AROUND;
	if (near.last - rsp > STACK_AROUND)
		near.last = rsp + STACK_AROUND;
	return near;
}

static int walk_stack(const struct dump_memory *mem, const struct dump_map *map,
		      const struct area areas[AREAS], uint64_t rsp,
		      size_t *tables_left, struct dump_pieces *pieces)
{
	struct area near;
	size_t i;
	int r = 0;

	for (i = 0; i < AREAS && r == 0; i++) {
		if (rsp < areas[i].first || rsp > areas[i].last)
			continue;
		near = around(&areas[i], rsp);
		r = dump_walk(mem, map, near.first, near.last, tables_left,
			      pieces);
	}
	return r;
}

int dump_mapped_find(const struct dump_memory *mem, const struct dump_map *map,
		     const struct dump_info *info,
		     const struct mk_dump_result *result,
		     struct dump_pieces *ret_pieces)
{
	struct dump_pieces pieces = {
		.most = PIECES_MAX,
		.complete = map->table != 0,
	};
	size_t tables_left = TABLES_MAX;
	struct area areas[AREAS];
	size_t i;
	int r = 0;

	find_areas(map, info, areas);
	for (i = 0; i < result->nr_cpus && r == 0; i++)
		if (result->cpus[i].saved)
			r = walk_stack(mem, map, areas, result->cpus[i].rsp,
				       &tables_left, &pieces);
	for (i = 0; i < AREAS && r == 0; i++)
		r = dump_walk(mem, map, areas[i].first, areas[i].last,
			      &tables_left, &pieces);
	if (r < 0)
		dump_pieces_clear(&pieces);
	else
		*ret_pieces = pieces;
	return r;
}

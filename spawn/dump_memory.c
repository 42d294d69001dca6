// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading an instance's memory for a dump: see dump_memory.h. Page tables are
 * those of the Intel SDM, volume 3, section 4.5 (4-level and 5-level paging).
 */
#include <string.h>

#include "dump_memory.h"

#define ENTRIES		512
#define PRESENT		0x1ULL
#define LARGE		0x80ULL			/* in levels 2 and 3 */
#define ADDRESS		0x000ffffffffff000ULL

bool dump_has(const struct dump_memory *mem, uint64_t paddr, uint64_t bytes)
{
	const struct mk_range *range;
	size_t i;

	for (i = 0; i < mem->nr_ranges; i++) {
		range = &mem->ranges[i];
		if (paddr >= range->addr && bytes <= range->bytes &&
		    paddr - range->addr <= range->bytes - bytes)
			return true;
	}
	return false;
}

int dump_read(const struct dump_memory *mem, uint64_t paddr, void *buf,
	      size_t bytes)
{
	if (!dump_has(mem, paddr, bytes))
		return -ENXIO;
	return mk_memory_read(mem->fd, paddr, buf, bytes);
}

static unsigned int shift_of(unsigned int level)
{
	return 12 + 9 * (level - 1);
}

static bool is_page(uint64_t entry, unsigned int level)
{
	return level == 1 || (level <= 3 && (entry & LARGE));
}

/* One address through the tables: where it is, and the rest of its page. */
static int translate(const struct dump_memory *mem, const struct dump_map *map,
		     uint64_t vaddr, uint64_t *ret_paddr, uint64_t *ret_left)
{
	uint64_t table = map->table;
	unsigned int level, shift;
	uint64_t entry, mask;
	int r;

	if (!table)
		return -EFAULT;
	for (level = map->levels; ; level--) {	/* level 1 ends it */
		shift = shift_of(level);
		r = dump_read(mem, table + (vaddr >> shift) % ENTRIES * 8,
			      &entry, sizeof(entry));
		if (r < 0)
			return r == -ENXIO ? -EFAULT : r;
		if (!(entry & PRESENT))
			return -EFAULT;
		if (is_page(entry, level))
			break;
		table = entry & ADDRESS;
	}
	mask = (1ULL << shift) - 1;
	*ret_paddr = (entry & ADDRESS & ~mask) | (vaddr & mask);
	*ret_left = mask + 1 - (vaddr & mask);
	return 0;
}

/* The two large maps are known; a broken page table does not matter there. */
static bool is_known(const struct dump_memory *mem, const struct dump_map *map,
		     uint64_t vaddr, uint64_t *ret_paddr, uint64_t *ret_left)
{
	if (map->text && vaddr >= map->text &&
	    vaddr - map->text < map->text_bytes) {
		*ret_paddr = map->text_phys + (vaddr - map->text);
		*ret_left = map->text_bytes - (vaddr - map->text);
		return true;
	}
	if (map->page_offset && vaddr >= map->page_offset &&
	    dump_has(mem, vaddr - map->page_offset, 1)) {
		*ret_paddr = vaddr - map->page_offset;
		*ret_left = DUMP_PAGE - vaddr % DUMP_PAGE;
		return true;
	}
	return false;
}

int dump_read_virt(const struct dump_memory *mem, const struct dump_map *map,
		   uint64_t vaddr, void *buf, size_t bytes)
{
	uint64_t paddr, left;
	char *to = buf;
	size_t n;
	int r;

	while (bytes) {
		if (!is_known(mem, map, vaddr, &paddr, &left)) {
			r = translate(mem, map, vaddr, &paddr, &left);
			if (r < 0)
				return r;
		}
		n = left < bytes ? (size_t)left : bytes;
		r = dump_read(mem, paddr, to, n);
		if (r < 0)
			return r == -ENXIO ? -EFAULT : r;
		to += n;
		vaddr += n;
		bytes -= n;
	}
	return 0;
}

static bool is_listed(const struct dump_pieces *pieces, size_t nr,
		      uint64_t vaddr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (vaddr >= pieces->items[i].vaddr &&
		    vaddr - pieces->items[i].vaddr < pieces->items[i].bytes)
			return true;
	return false;
}

/* Grows by doubling, so that a list of thousands is cheap. */
static int make_room(struct dump_pieces *pieces)
{
	size_t nr = pieces->nr_items;
	struct dump_piece *grown;

	if (nr & (nr - 1) || (nr && nr < 16))
		return 0;
	grown = realloc(pieces->items, (nr ? 2 * nr : 16) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	pieces->items = grown;
	return 0;
}

/**
 * struct walk - one dump_walk()
 * @nr_before: pieces that were on the list before it
 */
struct walk {
	const struct dump_memory *mem;
	uint64_t first;
	uint64_t last;
	size_t *tables_left;
	struct dump_pieces *pieces;
	size_t nr_before;
};

static int add_piece(struct walk *walk, uint64_t vaddr, uint64_t paddr,
		     uint64_t bytes)
{
	struct dump_pieces *pieces = walk->pieces;
	struct dump_piece *last;

	if (!dump_has(walk->mem, paddr, bytes) ||
	    is_listed(pieces, walk->nr_before, vaddr))
		return 0;
	last = pieces->nr_items > walk->nr_before ?
	       &pieces->items[pieces->nr_items - 1] : NULL;
	if (last && last->vaddr + last->bytes == vaddr &&
	    last->paddr + last->bytes == paddr &&
	    dump_has(walk->mem, last->paddr, last->bytes + bytes)) {
		last->bytes += bytes;
		return 0;
	}
	if (pieces->nr_items >= pieces->most) {
		pieces->complete = false;
		return 0;
	}
	if (make_room(pieces) < 0)
		return -ENOMEM;
	pieces->items[pieces->nr_items++] = (struct dump_piece){
		.vaddr = vaddr,
		.paddr = paddr,
		.bytes = bytes,
	};
	return 0;
}

/* Of a canonical address the bits above those translated are copies. */
static uint64_t canonical(uint64_t vaddr, unsigned int levels)
{
	unsigned int unused = 64 - shift_of(levels + 1);

	return (uint64_t)((int64_t)(vaddr << unused) >> unused);
}

/* A table that points to itself ends with @tables_left, if not before. */
static int walk_table(struct walk *walk, uint64_t table, unsigned int level,
		      unsigned int levels, uint64_t base)
{
	const uint64_t bytes = 1ULL << shift_of(level);
	uint64_t entries[ENTRIES];
	uint64_t vaddr, entry;
	size_t i;
	int r;

	if (*walk->tables_left == 0) {
		walk->pieces->complete = false;
		return 0;
	}
	--*walk->tables_left;
	r = dump_read(walk->mem, table, entries, sizeof(entries));
	if (r < 0)
		return r == -ENXIO ? 0 : r;
	for (i = 0; i < ENTRIES && r == 0; i++) {
		entry = entries[i];
		vaddr = canonical(base + i * bytes, levels);
		if (!(entry & PRESENT) || vaddr > walk->last ||
		    vaddr + (bytes - 1) < walk->first)
			continue;
		if (is_page(entry, level))
			r = add_piece(walk, vaddr,
				      entry & ADDRESS & ~(bytes - 1), bytes);
		else
			r = walk_table(walk, entry & ADDRESS, level - 1,
				       levels, vaddr);
	}
	return r;
}

int dump_walk(const struct dump_memory *mem, const struct dump_map *map,
	      uint64_t first, uint64_t last, size_t *tables_left,
	      struct dump_pieces *pieces)
{
	struct walk walk = {
		.mem = mem,
		.first = first,
		.last = last,
		.tables_left = tables_left,
		.pieces = pieces,
		.nr_before = pieces->nr_items,
	};

	if (!map->table || first > last)
		return 0;
	return walk_table(&walk, map->table, map->levels, map->levels, 0);
}

void dump_pieces_clear(struct dump_pieces *pieces)
{
	free(pieces->items);
	pieces->items = NULL;
	pieces->nr_items = 0;
}

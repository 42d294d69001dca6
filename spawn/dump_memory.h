/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of an instance as a dump reads it: by physical address, and by the
 * addresses of its kernel, through its page tables. All of it was written by
 * another kernel, dying perhaps: nothing that is read here is believed.
 */
#ifndef SPAWN_DUMP_MEMORY_H
#define SPAWN_DUMP_MEMORY_H

#include <mk/libmk.h>

#define DUMP_PAGE		4096u
#define DUMP_START_KERNEL_MAP	0xffffffff80000000ULL

/**
 * struct dump_memory - its memory
 * @fd: of mk_memory_open(): an offset is a physical address
 * @ranges: @nr_ranges pieces, in the order of the file
 */
struct dump_memory {
	int fd;
	const struct mk_range *ranges;
	size_t nr_ranges;
};

/**
 * struct dump_map - how its kernel maps it; 0 for what is not known
 * @page_offset: virtual address of the direct map
 * @text: virtual address of _text, at @text_phys, @text_bytes long
 * @table: physical address of the top page table
 * @levels: of page tables, 4 or 5
 */
struct dump_map {
	uint64_t page_offset;
	uint64_t text;
	uint64_t text_phys;
	uint64_t text_bytes;
	uint64_t table;
	unsigned int levels;
};

/** struct dump_piece - memory that is contiguous in both kinds of address */
struct dump_piece {
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t bytes;
};

/**
 * struct dump_pieces - a list of them
 * @most: no more than that are taken
 * @complete: there was room for all, and all could be looked for
 */
struct dump_pieces {
	struct dump_piece *items;
	size_t nr_items;
	size_t most;
	bool complete;
};

/** dump_has() - does all of it lie in one piece of its memory? */
bool dump_has(const struct dump_memory *mem, uint64_t paddr, uint64_t bytes);

/** dump_read() - -ENXIO when it is not in one piece, or as mk_memory_read() */
int dump_read(const struct dump_memory *mem, uint64_t paddr, void *buf,
	      size_t bytes) MK_MUST_CHECK;

/** dump_read_virt() - the same by an address of its kernel; -EFAULT unmapped */
int dump_read_virt(const struct dump_memory *mem, const struct dump_map *map,
		   uint64_t vaddr, void *buf, size_t bytes) MK_MUST_CHECK;

/**
 * dump_walk() - what its page tables map
 * @first: address
 * @last: address, included
 * @tables_left: page tables that may still be read; counted down
 * @pieces: gets what lies in its memory and is not on the list
 *
 * Tables that cannot be are skipped. -ENOMEM, or -ENODEV it was removed.
 */
int dump_walk(const struct dump_memory *mem, const struct dump_map *map,
	      uint64_t first, uint64_t last, size_t *tables_left,
	      struct dump_pieces *pieces) MK_MUST_CHECK;

void dump_pieces_clear(struct dump_pieces *pieces);

#endif /* SPAWN_DUMP_MEMORY_H */

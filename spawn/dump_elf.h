/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The head of a dump: an ELF core file laid out as /proc/vmcore of x86 is.
 *
 * One PT_NOTE (registers of each CPU, VMCOREINFO), then PT_LOADs: the kernel's
 * text, each piece of memory at its place in the direct map, and what else the
 * kernel maps (stacks, modules). The memory stands in the file once, piece
 * after piece: the text and what is mapped elsewhere point into it.
 */
#ifndef SPAWN_DUMP_ELF_H
#define SPAWN_DUMP_ELF_H

#include <mk/dump.h>

#include "dump_info.h"

/**
 * struct dump_notes - the notes of the CPUs, one after the other
 */
struct dump_notes {
	unsigned char *data;
	size_t bytes;
};

/**
 * dump_notes_make() - take over what the instance's CPUs left
 * @info: its notes are checked; what is none is left out
 * @result: gets the CPUs
 *
 * Only -ENOMEM. A note says as "pid" the number of the CPU, from 1: readers
 * take it for the number of a thread, and all idle tasks have pid 0.
 */
int dump_notes_make(const struct mk_dump_info *info,
		    struct mk_dump_result *result,
		    struct dump_notes *ret_notes) MK_MUST_CHECK;

/**
 * dump_elf_make() - everything in front of the memory
 * @map: of its kernel; text only if it is known
 * @mapped: pieces beside text and direct map, all in its memory
 * @ret_bytes: a multiple of DUMP_PAGE; the memory follows there
 */
int dump_elf_make(const struct dump_memory *mem, const struct dump_map *map,
		  const struct dump_pieces *mapped,
		  const struct dump_notes *notes, const struct dump_info *info,
		  unsigned char **ret_head, size_t *ret_bytes) MK_MUST_CHECK;

#endif /* SPAWN_DUMP_ELF_H */

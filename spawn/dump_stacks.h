/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an instance's kernel maps outside of text and direct map.
 */
#ifndef SPAWN_DUMP_STACKS_H
#define SPAWN_DUMP_STACKS_H

#include <mk/dump.h>

#include "dump_info.h"

/** dump_map_make() - what is known of its maps; what cannot be is left out */
void dump_map_make(const struct dump_memory *mem, const struct mk_dump *dump,
		   const struct dump_info *info, struct dump_map *ret_map);

/**
 * dump_mapped_find() - stacks, modules and what else it has in vmalloc space
 * @result: has the CPUs, with the stack pointers of those that were stored
 *
 * The stacks of the CPUs come first, so that they are there if anything is.
 * -ENOMEM, or -ENODEV it was removed.
 */
int dump_mapped_find(const struct dump_memory *mem, const struct dump_map *map,
		     const struct dump_info *info,
		     const struct mk_dump_result *result,
		     struct dump_pieces *ret_pieces) MK_MUST_CHECK;

#endif /* SPAWN_DUMP_STACKS_H */

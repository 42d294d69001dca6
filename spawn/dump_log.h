/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel log in a dump: printk's own ring buffer, found through VMCOREINFO.
 */
#ifndef SPAWN_DUMP_LOG_H
#define SPAWN_DUMP_LOG_H

#include <mk/dump.h>

#include "dump_info.h"

/**
 * dump_log_each() - call @fn for each line, oldest first
 *
 * -ENODATA: nothing in the note leads to it, -EFAULT: what is there cannot be;
 * or what @fn returned if that was not 0.
 */
int dump_log_each(const struct dump_memory *mem, const struct dump_map *map,
		  const struct dump_info *info,
		  int (*fn)(void *arg, const struct mk_dump_line *line),
		  void *arg) MK_MUST_CHECK;

#endif /* SPAWN_DUMP_LOG_H */

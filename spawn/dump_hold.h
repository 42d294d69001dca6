/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Holding an instance still while it is dumped, and letting it go on whatever
 * happens.
 */
#ifndef SPAWN_DUMP_HOLD_H
#define SPAWN_DUMP_HOLD_H

#include <mk/dump.h>

/**
 * struct dump_hold - from the freeze to the thaw
 * @frozen: by us
 * @guard: process that thaws if this one is gone before it does, or -1
 * @guard_fd: says it that all is well
 */
struct dump_hold {
	struct mk_ctx *ctx;
	const struct mk_instance *inst;
	bool frozen;
	pid_t guard;
	int guard_fd;
	uint64_t since_ns;
};

#define DUMP_HOLD_NONE	{ .guard = -1, .guard_fd = -1 }

/**
 * dump_hold_begin() - freeze it, if that is possible and wanted
 *
 * One that has ended, or is frozen already, is left as it is. What can only be
 * dumped while it goes on is so, with a note.
 */
int dump_hold_begin(struct mk_ctx *ctx, const struct mk_instance *inst,
		    const struct mk_dump_options *options,
		    struct dump_hold *ret_hold,
		    struct mk_error *err) MK_MUST_CHECK;

/**
 * dump_hold_end() - thaw it, if we froze it; may be called again
 *
 * @ret_ns: how long it was frozen; written if it was
 */
int dump_hold_end(struct dump_hold *hold, uint64_t *ret_ns,
		  struct mk_error *err) MK_MUST_CHECK;

#endif /* SPAWN_DUMP_HOLD_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Moving what is bound to CPUs off them before they are lent, and back after.
 *
 * The record (moved.h) says where things belong and the kernel says which CPUs
 * are lent. mk_vacate_settle() brings the two together, whatever happened in
 * between: it is the undo, the end of an instance, and the repair.
 */
#ifndef MK_SPAWN_VACATE_H
#define MK_SPAWN_VACATE_H

#include <mk/spawn.h>

#include "cpumask.h"
#include "moved.h"

/**
 * mk_vacate() - move everything off CPUs that are about to be lent
 * @name: of the instance
 *
 * All or nothing, but for what is gone by itself. Followed by
 * mk_vacate_settle() when the CPUs are lent, or will not be.
 */
int mk_vacate(struct mk_ctx *ctx, const char *name, const unsigned int *cpus,
	      size_t nr_cpus, struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_vacate_settle() - everything where it belongs, as CPUs are lent now
 *
 * Costs next to nothing when nothing was moved. What cannot be brought back is
 * told once and then left as it is.
 */
int mk_vacate_settle(struct mk_ctx *ctx, struct mk_error *err);

/**
 * mk_vacate_lend() - lend CPUs that were vacated, and settle
 *
 * As mk_instance_set_cpus(): after an error instance @id has no CPUs.
 */
int mk_vacate_lend(struct mk_ctx *ctx, uint32_t id, const unsigned int *cpus,
		   size_t nr_cpus, uint32_t flags,
		   struct mk_error *err) MK_MUST_CHECK;

/** mk_vacate_describe() - what mk_vacate() would move, for people */
void mk_vacate_describe(struct mk_ctx *ctx, const unsigned int *cpus,
			size_t nr_cpus, char *buf, size_t size);

/** enum mk_vacate_verdict - what to do with a task or an interrupt */
enum mk_vacate_verdict {
	MK_VACATE_KEEP,		/* leave it where it is; it goes back later */
	MK_VACATE_MOVE,		/* to CPUs that stay; it goes back later */
	MK_VACATE_RESTORE,	/* to where it belongs, and forget it */
	MK_VACATE_FORGET,	/* as it is: it is back, or somebody moved it */
};

/**
 * mk_vacate_judge() - by where it is now
 * @old: where it belongs
 * @given: where mkctl put it
 */
enum mk_vacate_verdict mk_vacate_judge(const struct mk_leaving *leaving,
				       const struct mk_cpumask *old,
				       const struct mk_cpumask *given,
				       const struct mk_cpumask *present);

#endif /* MK_SPAWN_VACATE_H */

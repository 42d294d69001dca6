/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The NUMA nodes that an instance is on, and how far they are from each other.
 */
#ifndef MK_SPAWN_DISTANCE_H
#define MK_SPAWN_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

#include <mk/libmk.h>

#define MK_DISTANCE_LOCAL	10	/* as ACPI defines it */
#define MK_DISTANCE_REMOTE	20	/* what Linux assumes without a table */

/**
 * struct mk_distances - nodes of an instance
 * @nodes: of its CPUs and its memory, ascending
 * @nr_nodes: how many
 * @table: @nr_nodes rows of @nr_nodes: from the row's node to the column's
 */
struct mk_distances {
	uint32_t *nodes;
	size_t nr_nodes;
	uint32_t *table;
};

/**
 * mk_distances_get() - what the host's sysfs says
 *
 * Where it says nothing (no NUMA, or a node that is offline in the host because
 * all of its memory is in the pool and it has no CPU) Linux' defaults are used.
 *
 * Returns: 0 or -ENOMEM. To be cleared by mk_distances_clear().
 */
int mk_distances_get(struct mk_ctx *ctx, const struct mk_instance *inst,
		     struct mk_distances *ret, struct mk_error *err)
	MK_MUST_CHECK;
void mk_distances_clear(struct mk_distances *distances);

#endif /* MK_SPAWN_DISTANCE_H */

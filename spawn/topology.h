/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which CPUs share a core, a package, a node. The only file that knows hwloc
 * is topology.c.
 */
#ifndef MK_SPAWN_TOPOLOGY_H
#define MK_SPAWN_TOPOLOGY_H

#include <mk/libmk.h>

#define MK_TOPOLOGY_NO_CORE	0xffffffffU

struct mk_topology;

/**
 * struct mk_place - where an online CPU is
 * @core: the same for SMT siblings only; MK_TOPOLOGY_NO_CORE when not known
 * @package: number of the socket
 * @node: NUMA node, 0 on a machine without
 */
struct mk_place {
	unsigned int core;
	unsigned int package;
	unsigned int node;
};

/** mk_topology_load() - of the online CPUs; for mk_topology_free() */
int mk_topology_load(struct mk_ctx *ctx, struct mk_topology **ret,
		     struct mk_error *err) MK_MUST_CHECK;
void mk_topology_free(struct mk_topology *topology);

/** mk_topology_find() - -ENOENT for a CPU that is not online */
int mk_topology_find(const struct mk_topology *topology, unsigned int cpu,
		     struct mk_place *ret) MK_MUST_CHECK;

#endif /* MK_SPAWN_TOPOLOGY_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Choosing CPUs for {"count": N}.
 */
#ifndef MK_SPAWN_CHOOSE_H
#define MK_SPAWN_CHOOSE_H

#include "config.h"
#include "machine.h"

/**
 * mk_choose_cpus() - so many CPUs that the host can do without
 * @machine: with places
 * @config: nr_cpus, cpu_nodes and allow_split_core count
 * @ret_cpus: by ascending number; the caller frees
 *
 * Never CPU 0, only what is online and not lent. Without allow_split_core
 * whole cores: all online CPUs of a core or none, so that the core of CPU 0
 * stays with the host. Always the same for the same machine:
 *
 * - with several nodes, a core from each in turn;
 * - else from the first place (node, then package) that has enough, or if none
 *   has, from those with most free CPUs first, so that it lies on few;
 * - in a place, cores with more CPUs first, then by ascending number; single
 *   CPUs, if they are allowed at all, only when no whole core fits.
 *
 * Refusals: MK_REASON_CPU_NODE, MK_REASON_CPU_TOO_FEW.
 */
int mk_choose_cpus(const struct mk_machine *machine,
		   const struct mk_config *config, unsigned int **ret_cpus,
		   struct mk_error *err) MK_MUST_CHECK;

#endif /* MK_SPAWN_CHOOSE_H */

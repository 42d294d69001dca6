/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device tree of an instance, as docs/device-tree.md describes it.
 */
#ifndef MK_SPAWN_DTB_H
#define MK_SPAWN_DTB_H

#include <stddef.h>
#include <stdint.h>

#include <linux/multikernel.h>
#include <mk/error.h>

#include "distance.h"

#define MK_DTB_RNG_SEED_SIZE	64

/**
 * struct mk_dtb_params - what the tree of one instance says
 * @name: of the instance
 * @id: of the instance
 * @abi_version: MK_ABI_VERSION of the host's kernel
 * @cpus: the first one boots the instance; the order is kept
 * @nr_cpus: at most MK_MAX_CPUS
 * @ranges: pieces of memory
 * @nr_ranges: at most MK_MAX_RANGES
 * @distances: between the nodes of @cpus and @ranges; NULL: no distance-map
 * @region_addr: physical address of the shared region
 * @region_bytes: its size
 * @start_page: physical address, below 1 MiB
 * @handoff_addr: physical address of the hand-over area
 * @handoff_bytes: its size
 * @tsc_khz: frequency of the TSC
 * @lapic_khz: frequency of the local APIC's timer, 0: TSC deadline timer
 * @wall_ns: CLOCK_REALTIME in ns at @wall_tsc
 * @wall_tsc: TSC
 * @rng_seed: MK_DTB_RNG_SEED_SIZE fresh random bytes
 */
struct mk_dtb_params {
	const char *name;
	uint32_t id;
	uint32_t abi_version;
	const struct mk_cpu *cpus;
	size_t nr_cpus;
	const struct mk_range *ranges;
	size_t nr_ranges;
	const struct mk_distances *distances;
	uint64_t region_addr;
	uint64_t region_bytes;
	uint64_t start_page;
	uint64_t handoff_addr;
	uint64_t handoff_bytes;
	uint32_t tsc_khz;
	uint32_t lapic_khz;
	uint64_t wall_ns;
	uint64_t wall_tsc;
	const uint8_t *rng_seed;
};

/**
 * mk_dtb_build() - build the device tree of an instance
 * @p: what it says; numbers are not checked against the machine
 * @ret_dtb: the tree; the caller frees
 * @ret_bytes: its size, at most MK_DTB_MAX; both written only on success
 * @err: filled on failure, or NULL
 *
 * Returns: 0, -EINVAL for parameters that no tree can hold, -E2BIG beyond
 * MK_DTB_MAX, -ENOMEM.
 */
int mk_dtb_build(const struct mk_dtb_params *p, void **ret_dtb,
		 size_t *ret_bytes, struct mk_error *err)
	__attribute__((warn_unused_result));

#endif /* MK_SPAWN_DTB_H */

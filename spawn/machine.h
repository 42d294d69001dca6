/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine's CPUs as checking and choosing see them: where each is and who
 * has it.
 */
#ifndef MK_SPAWN_MACHINE_H
#define MK_SPAWN_MACHINE_H

#include <mk/libmk.h>

/**
 * struct mk_machine_cpu - a CPU that is present
 * @core: the same for SMT siblings only
 * @owner: the instance that has it, "" for the host
 * @path: of the file that names @owner, when only a check has given it away;
 *	NULL when it is lent
 */
struct mk_machine_cpu {
	unsigned int cpu;
	unsigned int core;
	unsigned int package;
	unsigned int node;
	bool online;
	char owner[MK_NAME_MAX];
	const char *path;
};

/**
 * struct mk_machine - all CPUs
 * @cpus: by ascending number; of a machine that is not @known, only those that
 *	a check has given away
 * @known: sysfs says which CPUs there are
 * @has_places: cores, packages and nodes have been filled in
 * @nodes: the NUMA nodes as sysfs lists them; NULL without NUMA
 * @core_shift: of the kernel: APIC ids of one core differ only below it
 */
struct mk_machine {
	struct mk_ctx *ctx;
	struct mk_machine_cpu *cpus;
	size_t nr_cpus;
	bool known;
	bool has_places;
	char *nodes;
	uint32_t core_shift;
};

/**
 * mk_machine_load() - CPUs, and to whom they are lent
 * @info: of the host; NULL when this is no host: then nothing is lent
 */
int mk_machine_load(struct mk_ctx *ctx, const struct mk_info *info,
		    struct mk_machine *ret, struct mk_error *err) MK_MUST_CHECK;
void mk_machine_clear(struct mk_machine *machine);

/** mk_machine_find() - NULL when there is no such CPU */
struct mk_machine_cpu *mk_machine_find(const struct mk_machine *machine,
				       unsigned int cpu);

/** mk_machine_places() - fill in cores, packages and nodes, if not done yet */
int mk_machine_places(struct mk_machine *machine,
		      struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_machine_check() - may an instance have just these CPUs
 * @split: SMT siblings may be left out
 *
 * They exist, are online, not lent, and not CPU 0.
 */
int mk_machine_check(struct mk_machine *machine, const unsigned int *cpus,
		     size_t nr_cpus, bool split,
		     struct mk_error *err) MK_MUST_CHECK;

/** mk_machine_claim() - from now on they are @owner's, which @path names */
int mk_machine_claim(struct mk_machine *machine, const unsigned int *cpus,
		     size_t nr_cpus, const char *owner,
		     const char *path) MK_MUST_CHECK;

#endif /* MK_SPAWN_MACHINE_H */

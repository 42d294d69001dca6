/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cpusets of the host, whichever way it has them.
 *
 * cgroup v1: taking a CPU offline takes it out of every cpuset for good, and
 * tasks of a cpuset that gets empty go to its parent. So cpusets are changed
 * before and changed back afterwards: cpusets.c says to what, cpuset_v1.c does
 * it.
 *
 * cgroup v2: a cpuset keeps what was asked for, and the kernel moves its tasks
 * away and back. cpuset_v2.c makes the short-lived partition that keeps other
 * tasks off CPUs that are about to leave.
 */
#ifndef MK_SPAWN_CPUSETS_H
#define MK_SPAWN_CPUSETS_H

#include <limits.h>

#include <mk/spawn.h>

#include "moved.h"
#include "tasks.h"

enum mk_cpusets_kind {
	MK_CPUSETS_NONE,
	MK_CPUSETS_LIB,		/* v1 at /dev/cpuset: by libcpuset */
	MK_CPUSETS_V1,		/* v1 mounted elsewhere, or as "cpuset.*" */
	MK_CPUSETS_V2,
};

/**
 * struct mk_cpusets - where the host has its cpusets
 * @mount: folder of the root cpuset
 * @prefix: of its files: "cpuset." or ""
 */
struct mk_cpusets {
	struct mk_ctx *ctx;
	enum mk_cpusets_kind kind;
	const char *prefix;
	char mount[PATH_MAX / 2];
};

/** struct mk_cpuset - one cpuset of cgroup v1 */
struct mk_cpuset {
	struct mk_cpumask cpus;
	bool exclusive;
	bool populated;		/* has tasks itself */
};

/** mk_cpusets_find() - look where they are mounted */
int mk_cpusets_find(struct mk_ctx *ctx, struct mk_cpusets *ret_sets,
		    struct mk_error *err) MK_MUST_CHECK;
static inline bool mk_cpusets_is_v1(const struct mk_cpusets *sets)
{
	return sets->kind == MK_CPUSETS_LIB || sets->kind == MK_CPUSETS_V1;
}

/** mk_cpusets_walk() - call @fn for each but the root, parents first */
int mk_cpusets_walk(const struct mk_cpusets *sets,
		    int (*fn)(void *arg, const char *path),
		    void *arg) MK_MUST_CHECK;

/** mk_cpuset_file() - the path of one of its files; false if it is too long */
bool mk_cpuset_file(const struct mk_cpusets *sets, const char *path,
		    const char *file, char buf[PATH_MAX]) MK_MUST_CHECK;
int mk_cpuset_file_read(const struct mk_cpusets *sets, const char *path,
			const char *file, char **ret_text) MK_MUST_CHECK;
int mk_cpuset_file_write(const struct mk_cpusets *sets, const char *path,
			 const char *file, const char *text) MK_MUST_CHECK;

/* cpuset_v1.c: -errno; -ENOENT when there is no such cpuset */
int mk_cpuset_v1_get(const struct mk_cpusets *sets, const char *path,
		     struct mk_cpuset *ret_set) MK_MUST_CHECK;
int mk_cpuset_v1_set(const struct mk_cpusets *sets, const char *path,
		     const struct mk_cpumask *cpus) MK_MUST_CHECK;

/**
 * mk_cpusets_plan() - bring a record up to what is to be, v1
 *
 * Adds what has CPUs that leave, drops what somebody else changed, and sets what
 * each is to be given. Changes no cpuset.
 *
 * Returns: 1 when there is something to change, 0, or -errno.
 */
int mk_cpusets_plan(const struct mk_cpusets *sets, struct mk_moved *moved,
		    const struct mk_leaving *leaving,
		    struct mk_error *err) MK_MUST_CHECK;
/** mk_cpusets_apply() - give them what the record says; goes on after errors */
int mk_cpusets_apply(const struct mk_cpusets *sets, struct mk_moved *moved,
		     struct mk_error *err) MK_MUST_CHECK;
/** mk_cpusets_forget() - drop those that have no CPU in @away any more */
void mk_cpusets_forget(struct mk_moved *moved, const struct mk_cpumask *away);

/* cpuset_v2.c */

/** mk_partitions_add() - record partitions of others with CPUs in @away */
int mk_partitions_add(const struct mk_cpusets *sets, struct mk_moved *moved,
		      const struct mk_cpumask *away) MK_MUST_CHECK;
/** mk_partitions_mend() - those that should be valid again are */
int mk_partitions_mend(const struct mk_cpusets *sets, struct mk_moved *moved,
		       const struct mk_cpumask *away,
		       struct mk_error *err) MK_MUST_CHECK;
/**
 * mk_partition_make() - ours, isolated
 * @name: below the root
 *
 * Returns: 0, or -errno when the host does not let us: others have the CPUs,
 * or cpusets are off. Nothing is left then.
 */
int mk_partition_make(const struct mk_cpusets *sets, const char *name,
		      const struct mk_cpumask *cpus) MK_MUST_CHECK;
/** mk_partition_remove() - 0 also when there is none */
int mk_partition_remove(const struct mk_cpusets *sets, const char *name);

#endif /* MK_SPAWN_CPUSETS_H */

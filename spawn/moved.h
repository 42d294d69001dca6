/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of what was moved off lent CPUs: /run/mkctl/moved.
 *
 * One for the host, not one for each instance: it says of each task, interrupt
 * and cpuset where it belongs and where mkctl put it. Where it may be at any
 * moment follows from that and from which CPUs are lent, which the kernel
 * knows. So the order in which instances come and go does not matter.
 */
#ifndef MK_SPAWN_MOVED_H
#define MK_SPAWN_MOVED_H

#include <mk/spawn.h>

#include "cpumask.h"

#define MK_MOVED_NAME	"moved"		/* below MK_RUN_DIR */
#define MK_MOVED_MAX	16384		/* items of one kind */
#define MK_BOOT_ID_MAX	48

/**
 * struct mk_leaving - the CPUs of the host at this moment
 * @away: lent, or about to be
 * @online: in the host
 * @stay: online and not about to be lent
 */
struct mk_leaving {
	struct mk_cpumask away;
	struct mk_cpumask online;
	struct mk_cpumask stay;
};

/**
 * struct mk_moved_task - one thread
 * @start: its start time in /proc/PID/stat: tells it from a later one
 * @kept: not moved; listed while our partition exists, see cpuset_v2.c
 * @old: where it belongs
 * @given: where mkctl put it; empty when @kept
 * @noted: written down, but not moved yet; not in the file
 */
struct mk_moved_task {
	int pid;
	int tid;
	uint64_t start;
	bool kept;
	bool noted;
	struct mk_cpumask old;
	struct mk_cpumask given;
};

struct mk_moved_irq {
	unsigned int irq;
	bool noted;
	struct mk_cpumask old;
	struct mk_cpumask given;
};

/**
 * struct mk_moved_cpuset - one cpuset
 * @path: below the root of its hierarchy, "/a/b"
 * @partition: of cgroup v2: "root" or "isolated", else empty. The kernel then
 *	changes and restores the CPUs; this only says what it should come to
 * @was: what it was given before @given, or @old: what it still has when mkctl
 *	was killed between writing this down and doing it
 */
struct mk_moved_cpuset {
	char *path;
	char partition[16];
	struct mk_cpumask old;
	struct mk_cpumask was;
	struct mk_cpumask given;
};

/**
 * struct mk_moved - the record
 * @boot_id: of the host's boot; after another one it means nothing
 * @partition: name of our partition, empty when there is none
 */
struct mk_moved {
	char boot_id[MK_BOOT_ID_MAX];
	char partition[MK_NAME_MAX + 16];
	struct mk_moved_task *tasks;
	size_t nr_tasks;
	struct mk_moved_irq *irqs;
	size_t nr_irqs;
	struct mk_moved_cpuset *cpusets;
	size_t nr_cpusets;
};

/** mk_moved_read() - -ENOENT without @err when there is none of this boot */
int mk_moved_read(struct mk_ctx *ctx, struct mk_moved **ret_moved,
		  struct mk_error *err) MK_MUST_CHECK;
/** mk_moved_new() - an empty one of this boot */
int mk_moved_new(struct mk_ctx *ctx, struct mk_moved **ret_moved,
		 struct mk_error *err) MK_MUST_CHECK;
/** mk_moved_save() - atomically and to the disk; removes it when empty */
int mk_moved_save(struct mk_ctx *ctx, const struct mk_moved *moved,
		  struct mk_error *err) MK_MUST_CHECK;
void mk_moved_free(struct mk_moved *moved);

/**
 * mk_moved_parse() - check and take apart the text of a record
 *
 * Returns: 0, -EINVAL when it is none, -E2BIG, -ENOMEM.
 */
int mk_moved_parse(const char *text, struct mk_moved **ret_moved) MK_MUST_CHECK;
/** mk_moved_format() - the caller frees; NULL when memory is out */
char *mk_moved_format(const struct mk_moved *moved);

/* These append; -E2BIG, -ENOMEM. */
int mk_moved_add_task(struct mk_moved *moved,
		      const struct mk_moved_task *task) MK_MUST_CHECK;
int mk_moved_add_irq(struct mk_moved *moved,
		     const struct mk_moved_irq *irq) MK_MUST_CHECK;
/** mk_moved_add_cpuset() - copies the path */
int mk_moved_add_cpuset(struct mk_moved *moved,
			const struct mk_moved_cpuset *set) MK_MUST_CHECK;

struct mk_moved_task *mk_moved_find_task(const struct mk_moved *moved, int tid,
					 uint64_t start);
struct mk_moved_irq *mk_moved_find_irq(const struct mk_moved *moved,
				       unsigned int irq);
struct mk_moved_cpuset *mk_moved_find_cpuset(const struct mk_moved *moved,
					     const char *path);

#endif /* MK_SPAWN_MOVED_H */

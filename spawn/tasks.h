/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks and interrupts of the host, and the CPUs that they are bound to.
 */
#ifndef MK_SPAWN_TASKS_H
#define MK_SPAWN_TASKS_H

#include <mk/spawn.h>

#include "cpumask.h"

#define MK_TASK_NO_SETAFFINITY	0x04000000	/* PF_NO_SETAFFINITY */

/**
 * struct mk_task - one thread as /proc tells it
 * @flags: PF_*
 * @start: in ticks since boot; with the number it is unique
 * @mask: all CPUs that it is bound to, those that are offline too
 */
struct mk_task {
	int pid;
	int tid;
	char state;
	char comm[64];
	unsigned int flags;
	uint64_t start;
	struct mk_cpumask mask;
};

typedef int (*mk_task_fn)(void *arg, const struct mk_task *task);
typedef int (*mk_irq_fn)(void *arg, unsigned int irq,
			 const struct mk_cpumask *mask);

/** mk_task_read() - -ESRCH when there is none, -EINVAL when /proc is odd */
int mk_task_read(struct mk_ctx *ctx, int pid, int tid,
		 struct mk_task *ret_task) MK_MUST_CHECK;

/**
 * mk_task_in_root() - is it in the root cpuset
 *
 * Outside of it the cpuset decides where a task runs. True when there are no
 * cpusets at all.
 */
bool mk_task_in_root(struct mk_ctx *ctx, const struct mk_task *task);

/** enum mk_task_filter - which tasks are looked for; only movable ones */
enum mk_task_filter {
	MK_TASKS_BOUND,		/* no CPU of theirs is in the given mask */
	MK_TASKS_RESTRICTED,	/* they lack some CPU of the given mask */
};

/**
 * mk_tasks_scan() - call @fn for each thread that passes the filter
 *
 * Stops when @fn returns other than 0, and returns that.
 */
int mk_tasks_scan(struct mk_ctx *ctx, enum mk_task_filter filter,
		  const struct mk_cpumask *mask, mk_task_fn fn,
		  void *arg) MK_MUST_CHECK;

/** mk_task_bind() - sched_setaffinity(2); -errno */
int mk_task_bind(int tid, const struct mk_cpumask *mask) MK_MUST_CHECK;

/** mk_irqs_scan() - call @fn for each interrupt, as mk_tasks_scan() */
int mk_irqs_scan(struct mk_ctx *ctx, mk_irq_fn fn, void *arg) MK_MUST_CHECK;
/** mk_irq_read() - what it is bound to; -ENOENT when there is none */
int mk_irq_read(struct mk_ctx *ctx, unsigned int irq,
		struct mk_cpumask *ret_mask) MK_MUST_CHECK;
/** mk_irq_bind() - -EIO when the kernel keeps it to itself */
int mk_irq_bind(struct mk_ctx *ctx, unsigned int irq,
		const struct mk_cpumask *mask) MK_MUST_CHECK;

/** mk_write_text() - into an existing file of procfs, sysfs or cgroupfs */
int mk_write_text(struct mk_ctx *ctx, const char *path,
		  const char *text) MK_MUST_CHECK;

#endif /* MK_SPAWN_TASKS_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pretended tasks below a folder: /proc/PID/task/TID/{stat,status,cpuset}, and
 * sched_getaffinity(2) and sched_setaffinity(2), linked in by --wrap, that
 * read and write these files. Without fake_tasks_root() there are no tasks at
 * all, so nothing that is tested can touch a real one.
 */
#ifndef FAKE_TASKS_H
#define FAKE_TASKS_H

#include <stdint.h>

/** fake_tasks_root() - below which folder; NULL for nowhere */
void fake_tasks_root(const char *root);

/** fake_task() - make or change one; @mask is of CPUs 0 to 31 */
void fake_task(int pid, int tid, uint64_t start, unsigned int flags,
	       const char *cpuset, uint32_t mask);
void fake_task_end(int pid, int tid);
/** fake_task_mask() - 0 when it is gone */
uint32_t fake_task_mask(int tid);
/** fake_irq() - make or change one */
void fake_irq(unsigned int irq, uint32_t mask);
uint32_t fake_irq_mask(unsigned int irq);

/** fake_tasks_refuse - this errno, from now on, for every change */
extern int fake_tasks_refuse;
/** fake_tasks_changes - how many there were */
extern unsigned int fake_tasks_changes;

#endif /* FAKE_TASKS_H */

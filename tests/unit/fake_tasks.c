// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pretended tasks: see fake_tasks.h.
 */
#include <errno.h>
#include <glob.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_tasks.h"

int __wrap_sched_getaffinity(pid_t tid, size_t size, cpu_set_t *mask);
int __wrap_sched_setaffinity(pid_t tid, size_t size, const cpu_set_t *mask);

static char root[128];
int fake_tasks_refuse;
unsigned int fake_tasks_changes;

void fake_tasks_root(const char *new_root)
{
	snprintf(root, sizeof(root), "%s", new_root ? new_root : "");
	fake_tasks_refuse = 0;
	fake_tasks_changes = 0;
}

static void make_dir(const char *fmt, int a, int b)
{
	char path[256];
	int n = snprintf(path, sizeof(path), "%s", root);

	snprintf(path + n, sizeof(path) - (size_t)n, fmt, a, b);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		abort();
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static void task_path(int pid, int tid, const char *file, char path[256])
{
	snprintf(path, 256, "%s/proc/%d/task/%d/%s", root, pid, tid, file);
}

static void write_status(int pid, int tid, uint32_t mask)
{
	char path[256], text[128];

	task_path(pid, tid, "status", path);
	snprintf(text, sizeof(text),
		 "Name:\tfake\nPid:\t%d\nCpus_allowed:\t%x\nMems_allowed:\t1\n",
		 tid, mask);
	write_file(path, text);
}

void fake_task(int pid, int tid, uint64_t start, unsigned int flags,
	       const char *cpuset, uint32_t mask)
{
	char path[256], text[256];

	make_dir("/proc", 0, 0);
	make_dir("/proc/%d", pid, 0);
	make_dir("/proc/%d/task", pid, 0);
	make_dir("/proc/%d/task/%d", pid, tid);
	task_path(pid, tid, "stat", path);
	snprintf(text, sizeof(text),
		 "%d (a) (b) S 1 1 1 0 -1 %u 1 2 3 4 5 6 7 8 20 0 1 0 %llu 9\n",
		 tid, flags, (unsigned long long)start);
	write_file(path, text);
	task_path(pid, tid, "cpuset", path);
	write_file(path, cpuset);
	write_status(pid, tid, mask);
}

void fake_task_end(int pid, int tid)
{
	static const char *const files[] = { "stat", "status", "cpuset", "" };
	char path[256];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		task_path(pid, tid, files[i], path);
		if (remove(path) < 0)
			abort();
	}
}

/* The process that a thread belongs to, or 0. */
static int process_of(int tid)
{
	char pattern[256];
	int pid = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/proc/*/task/%d", root, tid);
	if (!root[0] || glob(pattern, 0, NULL, &found) != 0)
		return 0;
	sscanf(found.gl_pathv[0] + strlen(root), "/proc/%d", &pid);
	globfree(&found);
	return pid;
}

static uint32_t read_hex(const char *path, const char *key)
{
	unsigned int mask = 0;
	char line[128];
	FILE *f = fopen(path, "r");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			sscanf(line + strlen(key), "%x", &mask);
	fclose(f);
	return mask;
}

uint32_t fake_task_mask(int tid)
{
	char path[256];

	task_path(process_of(tid), tid, "status", path);
	return read_hex(path, "Cpus_allowed:\t");
}

static void irq_path(unsigned int irq, char path[256])
{
	snprintf(path, 256, "%s/proc/irq/%u/smp_affinity", root, irq);
}

void fake_irq(unsigned int irq, uint32_t mask)
{
	char path[256], text[32];

	make_dir("/proc", 0, 0);
	make_dir("/proc/irq", 0, 0);
	make_dir("/proc/irq/%d", (int)irq, 0);
	irq_path(irq, path);
	snprintf(text, sizeof(text), "%x\n", mask);
	write_file(path, text);
}

uint32_t fake_irq_mask(unsigned int irq)
{
	char path[256];

	irq_path(irq, path);
	return read_hex(path, "");
}

int __wrap_sched_getaffinity(pid_t tid, size_t size, cpu_set_t *mask)
{
	uint32_t all = fake_task_mask(tid);

	if (!all) {
		errno = ESRCH;
		return -1;
	}
	memset(mask, 0, size);
	memcpy(mask, &all, sizeof(all));
	return 0;
}

int __wrap_sched_setaffinity(pid_t tid, size_t size, const cpu_set_t *mask)
{
	int pid = process_of(tid);
	uint32_t bits;

	(void)size;
	fake_tasks_changes++;
	if (!pid || fake_tasks_refuse) {
		errno = pid ? fake_tasks_refuse : ESRCH;
		return -1;
	}
	memcpy(&bits, mask, sizeof(bits));
	write_status(pid, tid, bits);
	return 0;
}

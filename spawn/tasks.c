// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks and interrupts of the host, through /proc and sched_setaffinity(2).
 *
 * sched_getaffinity(2) is cheap, but hides CPUs that are offline. So it only
 * picks the few threads whose files are then read.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"
#include "tasks.h"

#define PROC_FILE_MAX	16384	/* bytes of a status file */
#define IRQ_FILE_MAX	4096	/* a mask of 8192 CPUs has 2304 */

int mk_write_text(struct mk_ctx *ctx, const char *path, const char *text)
{
	mk_autoclose int fd = mk_ctx_open(ctx, path, O_WRONLY | O_TRUNC, 0);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

/* Opens a folder below the root for reading its names. */
static int open_folder(struct mk_ctx *ctx, const char *path, DIR **ret_dir)
{
	int fd = mk_ctx_open(ctx, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	*ret_dir = fdopendir(fd);
	if (!*ret_dir) {
		close(fd);
		return -ENOMEM;
	}
	return 0;
}

/* The next name in a folder that is a number; -1 at the end. */
static int next_number(DIR *dir)
{
	struct dirent *entry;
	char *end;
	long n;

	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		n = strtol(entry->d_name, &end, 10);
		if (!*end && n <= INT32_MAX)
			return (int)n;
	}
	return -1;
}

/* "PID (COMM) STATE PPID ...": a name may have anything in it, ')' too. */
static int parse_stat(char *text, struct mk_task *task)
{
	char *open = strchr(text, '(');
	char *close = strrchr(text, ')');
	unsigned long long start;

	if (!open || !close || close < open)
		return -EINVAL;
	*close = '\0';
	mk_text_visible(task->comm, sizeof(task->comm), open + 1,
			strlen(open + 1));
	if (sscanf(close + 1,
		   " %c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &task->state, &task->flags, &start) != 3)
		return -EINVAL;
	task->start = start;
	return 0;
}

static int parse_status(const char *text, struct mk_task *task)
{
	const char *line = strstr(text, "\nCpus_allowed:\t");
	mk_autofree char *mask = NULL;

	if (!line)
		return -EINVAL;
	line += strlen("\nCpus_allowed:\t");
	mask = strndup(line, strcspn(line, "\n"));
	if (!mask)
		return -ENOMEM;
	return mk_cpumask_from_hex(mask, &task->mask);
}

static int read_thread_file(struct mk_ctx *ctx, const struct mk_task *task,
			    const char *file, char **ret_text)
{
	char path[96];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", task->pid,
		 task->tid, file);
	r = mk_ctx_read_text(ctx, path, PROC_FILE_MAX, ret_text);
	return r == -ENOENT ? -ESRCH : r;
}

int mk_task_read(struct mk_ctx *ctx, int pid, int tid,
		 struct mk_task *ret_task)
{
	struct mk_task task = { .pid = pid, .tid = tid };
	mk_autofree char *status = NULL;
	mk_autofree char *stat = NULL;
	int r;

	r = read_thread_file(ctx, &task, "stat", &stat);
	if (r == 0)
		r = parse_stat(stat, &task);
	if (r == 0)
		r = read_thread_file(ctx, &task, "status", &status);
	if (r == 0)
		r = parse_status(status, &task);
	if (r == 0)
		*ret_task = task;
	return r;
}

bool mk_task_in_root(struct mk_ctx *ctx, const struct mk_task *task)
{
	mk_autofree char *text = NULL;

	return read_thread_file(ctx, task, "cpuset", &text) < 0 ||
	       !strcmp(text, "/");
}

int mk_task_bind(int tid, const struct mk_cpumask *mask)
{
	if (sched_setaffinity(tid, sizeof(*mask),
			      (const cpu_set_t *)mask->words) < 0)
		return -errno;
	return 0;
}

struct scan {
	struct mk_ctx *ctx;
	enum mk_task_filter filter;
	const struct mk_cpumask *mask;
	mk_task_fn fn;
	void *arg;
};

static bool passes(const struct scan *scan, const struct mk_cpumask *mask)
{
	if (scan->filter == MK_TASKS_BOUND)
		return !mk_cpumask_meet(mask, scan->mask);
	return !mk_cpumask_subset(scan->mask, mask);
}

/* A per-CPU thread of the kernel is the kernel's business, a dead one nobody's. */
static bool is_movable(const struct mk_task *task)
{
	return !(task->flags & MK_TASK_NO_SETAFFINITY) &&
	       !strchr("ZXx", task->state);
}

static int scan_thread(const struct scan *scan, int pid, int tid)
{
	struct mk_cpumask mask = { 0 };
	struct mk_task task;
	int r;

	if (sched_getaffinity(tid, sizeof(mask),
			      (cpu_set_t *)mask.words) < 0 ||
	    !passes(scan, &mask))
		return 0;
	r = mk_task_read(scan->ctx, pid, tid, &task);
	if (r == -ESRCH)
		return 0;
	if (r < 0)
		return r;
	if (!is_movable(&task) || !passes(scan, &task.mask))
		return 0;
	return scan->fn(scan->arg, &task);
}

/* A process that ends meanwhile has no threads. */
static int scan_process(const struct scan *scan, int pid)
{
	char path[64];
	DIR *dir;
	int tid;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	r = open_folder(scan->ctx, path, &dir);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	while (r == 0 && (tid = next_number(dir)) >= 0)
		r = scan_thread(scan, pid, tid);
	closedir(dir);
	return r;
}

int mk_tasks_scan(struct mk_ctx *ctx, enum mk_task_filter filter,
		  const struct mk_cpumask *mask, mk_task_fn fn, void *arg)
{
	const struct scan scan = { ctx, filter, mask, fn, arg };
	DIR *dir;
	int pid;
	int r;

	r = open_folder(ctx, "/proc", &dir);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	while (r == 0 && (pid = next_number(dir)) >= 0)
		r = scan_process(&scan, pid);
	closedir(dir);
	return r;
}

static void irq_path(unsigned int irq, char path[64])
{
	snprintf(path, 64, "/proc/irq/%u/smp_affinity", irq);
}

int mk_irq_read(struct mk_ctx *ctx, unsigned int irq,
		struct mk_cpumask *ret_mask)
{
	mk_autofree char *text = NULL;
	char path[64];
	int r;

	irq_path(irq, path);
	r = mk_ctx_read_text(ctx, path, IRQ_FILE_MAX, &text);
	return r < 0 ? r : mk_cpumask_from_hex(text, ret_mask);
}

int mk_irq_bind(struct mk_ctx *ctx, unsigned int irq,
		const struct mk_cpumask *mask)
{
	mk_autofree char *text = mk_cpumask_hex(mask);
	char path[64];

	if (!text)
		return -ENOMEM;
	irq_path(irq, path);
	return mk_write_text(ctx, path, text);
}

int mk_irqs_scan(struct mk_ctx *ctx, mk_irq_fn fn, void *arg)
{
	struct mk_cpumask mask;
	DIR *dir;
	int irq;
	int r;

	r = open_folder(ctx, "/proc/irq", &dir);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	while (r == 0 && (irq = next_number(dir)) >= 0)
		if (mk_irq_read(ctx, (unsigned int)irq, &mask) == 0)
			r = fn(arg, (unsigned int)irq, &mask);
	closedir(dir);
	return r;
}

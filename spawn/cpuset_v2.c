// SPDX-License-Identifier: GPL-2.0-only
/*
 * Partitions of cgroup v2.
 *
 * Ours is isolated and has no tasks. When it is made, the kernel moves every
 * task off its CPUs at once, and lets none come; it is removed when the CPUs
 * are lent. Those of others lose their CPUs while these are lent; the kernel
 * makes them valid again, and what it forgets is repaired here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cpusets.h"

static bool is_valid(const char *state)
{
	return !strcmp(state, "root") || !strcmp(state, "isolated");
}

/* "root invalid (...)": what it was before. */
static bool is_invalid_form(const char *state, const char *wanted)
{
	size_t len = strlen(wanted);

	return !strncmp(state, wanted, len) &&
	       !strncmp(state + len, " invalid", 8);
}

struct partition_walk {
	const struct mk_cpusets *sets;
	struct mk_moved *moved;
	const struct mk_cpumask *away;
};

static int add_partition(void *arg, const char *path)
{
	const struct partition_walk *walk = arg;
	struct mk_moved_cpuset item = { .path = (char *)path };
	mk_autofree char *state = NULL;
	mk_autofree char *cpus = NULL;

	if (mk_moved_find_cpuset(walk->moved, path) ||
	    mk_cpuset_file_read(walk->sets, path, "cpus.partition",
				&state) < 0 ||
	    !is_valid(state) ||
	    mk_cpuset_file_read(walk->sets, path, "cpus.exclusive.effective",
				&cpus) < 0 ||
	    mk_cpumask_from_list(cpus, &item.old) < 0 ||
	    !mk_cpumask_meet(&item.old, walk->away))
		return 0;
	snprintf(item.partition, sizeof(item.partition), "%s", state);
	return mk_moved_add_cpuset(walk->moved, &item);
}

int mk_partitions_add(const struct mk_cpusets *sets, struct mk_moved *moved,
		      const struct mk_cpumask *away)
{
	struct partition_walk walk = { sets, moved, away };

	return mk_cpusets_walk(sets, add_partition, &walk);
}

/* What is neither is what somebody else made of it. */
static int mend(const struct mk_cpusets *sets,
		const struct mk_moved_cpuset *item, struct mk_error *err)
{
	mk_autofree char *state = NULL;
	int r;

	r = mk_cpuset_file_read(sets, item->path, "cpus.partition", &state);
	if (r < 0 || !is_invalid_form(state, item->partition))
		return 0;
	r = mk_cpuset_file_write(sets, item->path, "cpus.partition",
				 item->partition);
	free(TAKE_PTR(state));
	if (r == 0)
		r = mk_cpuset_file_read(sets, item->path, "cpus.partition",
					&state);
	if (r == 0 && !strcmp(state, item->partition))
		return 0;
	mk_error_set(err, MK_ERR_FAILED, item->path,
		     "this partition is not valid again after its CPUs came back: %s",
		     r < 0 ? strerror(-r) : state);
	mk_error_hint(err, "write '%s' into its cpuset.cpus.partition",
		      item->partition);
	return r < 0 ? r : -EIO;
}

int mk_partitions_mend(const struct mk_cpusets *sets, struct mk_moved *moved,
		       const struct mk_cpumask *away, struct mk_error *err)
{
	const struct mk_moved_cpuset *item;
	int ret = 0;
	size_t i;
	int r;

	for (i = 0; i < moved->nr_cpusets; i++) {
		item = &moved->cpusets[i];
		if (!item->partition[0] || mk_cpumask_meet(&item->old, away))
			continue;
		r = mend(sets, item, ret == 0 ? err : NULL);
		if (ret == 0)
			ret = r;
	}
	return ret;
}

static bool folder_path(const struct mk_cpusets *sets, const char *name,
			char buf[PATH_MAX])
{
	return (size_t)snprintf(buf, PATH_MAX, "%s/%s", sets->mount, name) <
	       PATH_MAX;
}

/*
 * In a process of its own, which goes on when mkctl is killed: the kernel makes
 * new workers for its queues while it writes, and warns if a signal stops it.
 * The child has the lock of mk_change_begin() too, so the next mkctl waits.
 */
static int write_state(const struct mk_cpusets *sets, const char *path,
		       const char *state)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(-mk_cpuset_file_write(sets, path, "cpus.partition",
					    state));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int become_partition(const struct mk_cpusets *sets, const char *path,
			    const struct mk_cpumask *cpus)
{
	mk_autofree char *list = mk_cpumask_list(cpus);
	mk_autofree char *state = NULL;
	int r;

	if (!list)
		return -ENOMEM;
	r = mk_cpuset_file_write(sets, path, "cpus", list);
	if (r == 0)
		r = write_state(sets, path, "isolated");
	if (r == 0)
		r = mk_cpuset_file_read(sets, path, "cpus.partition", &state);
	if (r == 0 && strcmp(state, "isolated"))
		r = -EBUSY;
	return r;
}

int mk_partition_make(const struct mk_cpusets *sets, const char *name,
		      const struct mk_cpumask *cpus)
{
	char folder[PATH_MAX], path[MK_NAME_MAX + 32];
	int r;

	if (!folder_path(sets, name, folder))
		return -ENAMETOOLONG;
	if (mkdirat(mk_ctx_dirfd(sets->ctx), mk_ctx_relative(folder), 0755) <
	    0 && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "/%s", name);
	r = become_partition(sets, path, cpus);
	if (r < 0)
		(void)mk_partition_remove(sets, name);
	return r;
}

/*
 * First no partition any more, then the folder: its removal alone would give
 * the CPUs back some time later.
 */
int mk_partition_remove(const struct mk_cpusets *sets, const char *name)
{
	char folder[PATH_MAX], path[MK_NAME_MAX + 32];
	int r;

	if (sets->kind != MK_CPUSETS_V2)
		return 0;
	if (!folder_path(sets, name, folder))
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "/%s", name);
	r = write_state(sets, path, "member");
	if (r < 0 && r != -ENOENT)
		return r;
	if (unlinkat(mk_ctx_dirfd(sets->ctx), mk_ctx_relative(folder),
		     AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cpusets of cgroup v1, by libcpuset where it can.
 *
 * libcpuset knows one place, /dev/cpuset, and the file names that a hierarchy
 * mounted as "cpuset" has. One that was mounted as "cgroup -o cpuset" has the
 * same files with a prefix; those are read and written here.
 *
 * A struct cpuset in which only the CPUs are set makes cpuset_modify() write
 * only them: the other settings are left alone.
 */
#include <bitmask.h>
#include <cpuset.h>
#include <stdio.h>
#include <string.h>

#include "cpusets.h"

static void to_bitmask(const struct mk_cpumask *mask, struct bitmask *bits)
{
	unsigned int cpu;

	bitmask_clearall(bits);
	for (cpu = 0; cpu < bitmask_nbits(bits); cpu++)
		if (mk_cpumask_has(mask, cpu))
			bitmask_setbit(bits, cpu);
}

static void from_bitmask(const struct bitmask *bits, struct mk_cpumask *mask)
{
	unsigned int cpu;

	*mask = (struct mk_cpumask){ 0 };
	for (cpu = 0; cpu < bitmask_nbits(bits); cpu++)
		if (bitmask_isbitset(bits, cpu))
			mk_cpumask_add(mask, cpu);
}

static bool lib_populated(const char *path)
{
	struct cpuset_pidlist *pids = cpuset_init_pidlist(path, 0);
	bool populated = pids && cpuset_pidlist_length(pids) > 0;

	if (pids)
		cpuset_freepidlist(pids);
	return populated;
}

static int lib_get(const char *path, struct mk_cpuset *ret_set)
{
	struct bitmask *bits = bitmask_alloc((unsigned int)cpuset_cpus_nbits());
	struct cpuset *cp = cpuset_alloc();
	int r = 0;

	if (!bits || !cp)
		r = -ENOMEM;
	else if (cpuset_query(cp, path) < 0)
		r = -errno;
	else if (cpuset_getcpus(cp, bits) < 0)
		r = -errno;
	if (r == 0) {
		from_bitmask(bits, &ret_set->cpus);
		ret_set->exclusive = cpuset_get_iopt(cp, "cpu_exclusive") == 1;
		ret_set->populated = lib_populated(path);
	}
	if (cp)
		cpuset_free(cp);
	if (bits)
		bitmask_free(bits);
	return r;
}

static int lib_set(const char *path, const struct mk_cpumask *cpus)
{
	struct bitmask *bits = bitmask_alloc((unsigned int)cpuset_cpus_nbits());
	struct cpuset *cp = cpuset_alloc();
	int r = 0;

	if (!bits || !cp) {
		r = -ENOMEM;
	} else {
		to_bitmask(cpus, bits);
		if (cpuset_setcpus(cp, bits) < 0 || cpuset_modify(path, cp) < 0)
			r = -errno;
	}
	if (cp)
		cpuset_free(cp);
	if (bits)
		bitmask_free(bits);
	return r;
}

static int files_get(const struct mk_cpusets *sets, const char *path,
		     struct mk_cpuset *ret_set)
{
	mk_autofree char *exclusive = NULL;
	mk_autofree char *tasks = NULL;
	mk_autofree char *cpus = NULL;
	char file[PATH_MAX];
	int r;

	r = mk_cpuset_file_read(sets, path, "cpus", &cpus);
	if (r == 0)
		r = mk_cpumask_from_list(cpus, &ret_set->cpus);
	if (r == 0)
		r = mk_cpuset_file_read(sets, path, "cpu_exclusive",
					&exclusive);
	if (r < 0)
		return r;
	/* This one belongs to the cgroup and has no prefix. */
	if ((size_t)snprintf(file, sizeof(file), "%s%s/tasks", sets->mount,
			     path) >= sizeof(file))
		return -ENAMETOOLONG;
	r = mk_ctx_read_text(sets->ctx, file, 64, &tasks);
	if (r < 0)
		return r;
	ret_set->exclusive = !strcmp(exclusive, "1");
	ret_set->populated = tasks[0] != '\0';
	return 0;
}

/* A write of no bytes is none; a newline is the empty set. */
static int files_set(const struct mk_cpusets *sets, const char *path,
		     const struct mk_cpumask *cpus)
{
	mk_autofree char *text = mk_cpumask_list(cpus);

	if (!text)
		return -ENOMEM;
	return mk_cpuset_file_write(sets, path, "cpus", text[0] ? text : "\n");
}

int mk_cpuset_v1_get(const struct mk_cpusets *sets, const char *path,
		     struct mk_cpuset *ret_set)
{
	struct mk_cpuset set = { 0 };
	int r;

	r = sets->kind == MK_CPUSETS_LIB ? lib_get(path, &set) :
					   files_get(sets, path, &set);
	if (r == 0)
		*ret_set = set;
	return r;
}

int mk_cpuset_v1_set(const struct mk_cpusets *sets, const char *path,
		     const struct mk_cpumask *cpus)
{
	if (sets->kind == MK_CPUSETS_LIB && !mk_cpumask_empty(cpus))
		return lib_set(path, cpus);
	return files_set(sets, path, cpus);
}

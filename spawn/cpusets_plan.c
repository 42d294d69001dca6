// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the cpusets of cgroup v1 are given while CPUs are lent.
 *
 * Each keeps those of its CPUs that stay. One that has none left gets those of
 * its parent, as far as no exclusive cpuset beside it has them. A child is
 * always within its parent: so on the way to a new state all first get what
 * they had and will have, parents first, then what they will have, children
 * first.
 */
#include <stdio.h>
#include <string.h>

#include "cpusets.h"

struct plan {
	const struct mk_cpusets *sets;
	struct mk_moved *moved;
	const struct mk_leaving *leaving;
	struct mk_error *err;
};

static int cannot(struct mk_error *err, const char *path, const char *what,
		  int r)
{
	bool conflict = r == -EBUSY || r == -EINVAL || r == -EACCES;

	mk_error_set(err, conflict ? MK_ERR_BUSY : MK_ERR_FAILED, path,
		     "cannot %s this cpuset: %s", what, strerror(-r));
	mk_error_hint(err, "look for exclusive cpusets beside it and for SCHED_DEADLINE tasks in it");
	return r;
}

static void drop(struct mk_moved *moved, size_t i)
{
	free(moved->cpusets[i].path);
	moved->nr_cpusets--;
	memmove(&moved->cpusets[i], &moved->cpusets[i + 1],
		(moved->nr_cpusets - i) * sizeof(moved->cpusets[i]));
}

/* Is it @cpus or @more, as far as the kernel has not taken CPUs offline? */
static bool is_union(const struct mk_cpumask *present,
		     const struct mk_cpumask *cpus,
		     const struct mk_cpumask *more,
		     const struct mk_cpumask *online)
{
	struct mk_cpumask both = mk_cpumask_or(cpus, more);

	both = mk_cpumask_and(&both, online);
	return mk_cpumask_equal(present, &both);
}

/*
 * Does it have what mkctl gave it, or is half-way between two such states?
 * Else somebody changed it, who is then right.
 */
static bool is_ours(const struct mk_moved_cpuset *item,
		    const struct mk_cpumask *cpus,
		    const struct mk_cpumask *online)
{
	const struct mk_cpumask present = mk_cpumask_and(cpus, online);

	return is_union(&present, &item->given, &item->given, online) ||
	       is_union(&present, &item->was, &item->was, online) ||
	       is_union(&present, &item->old, &item->old, online) ||
	       is_union(&present, &item->given, &item->was, online) ||
	       is_union(&present, &item->given, &item->old, online);
}

/* Forgets cpusets that are gone or that somebody else has changed. */
static int look_again(const struct plan *plan)
{
	struct mk_moved *moved = plan->moved;
	struct mk_cpuset set;
	size_t i = 0;
	int r;

	while (i < moved->nr_cpusets) {
		if (moved->cpusets[i].partition[0]) {
			i++;
			continue;
		}
		r = mk_cpuset_v1_get(plan->sets, moved->cpusets[i].path, &set);
		if (r < 0 && r != -ENOENT)
			return cannot(plan->err, moved->cpusets[i].path, "read",
				      r);
		if (r == -ENOENT ||
		    !is_ours(&moved->cpusets[i], &set.cpus,
			     &plan->leaving->online)) {
			drop(moved, i);
			continue;
		}
		moved->cpusets[i++].was = set.cpus;
	}
	return 0;
}

static int add_new(void *arg, const char *path)
{
	const struct plan *plan = arg;
	struct mk_moved_cpuset item = { .path = (char *)path };
	struct mk_cpuset set;
	int r;

	if (mk_moved_find_cpuset(plan->moved, path))
		return 0;
	r = mk_cpuset_v1_get(plan->sets, path, &set);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return cannot(plan->err, path, "read", r);
	if (!mk_cpumask_meet(&set.cpus, &plan->leaving->away))
		return 0;
	item.old = item.was = item.given = set.cpus;
	return mk_moved_add_cpuset(plan->moved, &item);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct mk_moved_cpuset *)a)->path,
		      ((const struct mk_moved_cpuset *)b)->path);
}

static size_t parent_len(const char *path)
{
	return (size_t)(strrchr(path, '/') - path);
}

/* What the parent will have; it comes before its children. */
static int parent_cpus(const struct plan *plan, const char *path,
		       struct mk_cpumask *ret_cpus)
{
	const struct mk_moved_cpuset *item;
	char parent[PATH_MAX];
	struct mk_cpuset set;
	int r;

	snprintf(parent, sizeof(parent), "%.*s", (int)parent_len(path), path);
	if (!parent[0]) {
		*ret_cpus = plan->leaving->stay;
		return 0;
	}
	item = mk_moved_find_cpuset(plan->moved, parent);
	if (item) {
		*ret_cpus = item->given;
		return 0;
	}
	r = mk_cpuset_v1_get(plan->sets, parent, &set);
	if (r == 0)
		*ret_cpus = mk_cpumask_and(&set.cpus, &plan->leaving->stay);
	return r;
}

struct siblings {
	const struct plan *plan;
	const char *path;
	bool exclusive;
	struct mk_cpumask free;
};

static int leave_to_sibling(void *arg, const char *path)
{
	struct siblings *s = arg;
	const struct mk_moved_cpuset *item;
	size_t len = parent_len(path);
	struct mk_cpuset set;

	if (len != parent_len(s->path) || strncmp(path, s->path, len) ||
	    !strcmp(path, s->path) ||
	    mk_cpuset_v1_get(s->plan->sets, path, &set) < 0 ||
	    !(set.exclusive || s->exclusive))
		return 0;
	s->free = mk_cpumask_without(&s->free, &set.cpus);
	item = mk_moved_find_cpuset(s->plan->moved, path);
	if (item)
		s->free = mk_cpumask_without(&s->free, &item->given);
	return 0;
}

static int refuse_exclusive(const struct mk_moved_cpuset *item,
			    const struct mk_cpumask *away,
			    struct mk_error *err)
{
	const struct mk_cpumask gone = mk_cpumask_and(&item->old, away);
	mk_autofree char *list = mk_cpumask_list(&gone);

	mk_error_set(err, MK_ERR_BUSY, item->path,
		     "this cpuset has only CPUs that leave (%s), tasks in it, and no other CPU is free of exclusive cpusets",
		     list ? list : "?");
	mk_error_hint(err, "give the cpuset a further CPU or clear cpu_exclusive, or take other CPUs for the instance");
	return -EBUSY;
}

/* For a cpuset of which no CPU stays. */
static int borrow(const struct plan *plan, struct mk_moved_cpuset *item)
{
	struct siblings siblings = { .plan = plan, .path = item->path };
	struct mk_cpuset set;
	int r;

	r = mk_cpuset_v1_get(plan->sets, item->path, &set);
	if (r == 0)
		r = parent_cpus(plan, item->path, &siblings.free);
	if (r < 0)
		return cannot(plan->err, item->path, "read", r);
	siblings.exclusive = set.exclusive;
	r = mk_cpusets_walk(plan->sets, leave_to_sibling, &siblings);
	if (r < 0)
		return cannot(plan->err, item->path, "look beside", r);
	if (mk_cpumask_empty(&siblings.free) && set.populated)
		return refuse_exclusive(item, &plan->leaving->away,
					plan->err);
	item->given = siblings.free;
	return 0;
}

int mk_cpusets_plan(const struct mk_cpusets *sets, struct mk_moved *moved,
		    const struct mk_leaving *leaving, struct mk_error *err)
{
	struct plan plan = { sets, moved, leaving, err };
	struct mk_moved_cpuset *item;
	bool changed = false;
	size_t i;
	int r;

	r = look_again(&plan);
	if (r == 0)
		r = mk_cpusets_walk(sets, add_new, &plan);
	if (r < 0)
		return r;
	if (moved->nr_cpusets)
		qsort(moved->cpusets, moved->nr_cpusets,
		      sizeof(*moved->cpusets), by_path);
	for (i = 0; i < moved->nr_cpusets; i++) {
		item = &moved->cpusets[i];
		if (item->partition[0])
			continue;
		item->given = mk_cpumask_and(&item->old, &leaving->stay);
		if (mk_cpumask_empty(&item->given))
			r = borrow(&plan, item);
		if (r < 0)
			return r;
		changed |= !mk_cpumask_equal(&item->given, &item->was);
	}
	return changed;
}

/* With @both it also keeps what it has. */
static int apply_one(const struct mk_cpusets *sets,
		     const struct mk_moved_cpuset *item, bool both,
		     struct mk_error *err)
{
	struct mk_cpumask wanted = item->given;
	struct mk_cpuset set;
	int r;

	if (item->partition[0])
		return 0;
	r = mk_cpuset_v1_get(sets, item->path, &set);
	if (r == -ENOENT)
		return 0;
	if (r == 0 && both)
		wanted = mk_cpumask_or(&wanted, &set.cpus);
	if (r == 0 && !mk_cpumask_equal(&wanted, &set.cpus))
		r = mk_cpuset_v1_set(sets, item->path, &wanted);
	return r < 0 ? cannot(err, item->path, "change the CPUs of", r) : 0;
}

int mk_cpusets_apply(const struct mk_cpusets *sets, struct mk_moved *moved,
		     struct mk_error *err)
{
	int ret = 0;
	size_t i;
	int r;

	for (i = 0; i < moved->nr_cpusets; i++) {
		r = apply_one(sets, &moved->cpusets[i], true,
			      ret == 0 ? err : NULL);
		ret = ret ? ret : r;
	}
	for (i = moved->nr_cpusets; i-- > 0;) {
		r = apply_one(sets, &moved->cpusets[i], false,
			      ret == 0 ? err : NULL);
		ret = ret ? ret : r;
	}
	return ret;
}

void mk_cpusets_forget(struct mk_moved *moved, const struct mk_cpumask *away)
{
	size_t i = 0;

	while (i < moved->nr_cpusets)
		if (mk_cpumask_meet(&moved->cpusets[i].old, away))
			i++;
		else
			drop(moved, i);
}

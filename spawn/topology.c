// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's topology, from hwloc.
 *
 * hwloc reads sysfs, and of that only what is filtered in below. Its x86
 * backend would bind itself to one CPU after the other, which disturbs whoever
 * runs there and gives nothing more. A recorded tree is reached through the
 * variable that hwloc has for it.
 */
#include <hwloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "topology.h"

struct mk_topology {
	hwloc_topology_t hwloc;
};

static int keep_what_counts(hwloc_topology_t t)
{
	static const hwloc_obj_type_t types[] = {
		HWLOC_OBJ_CORE, HWLOC_OBJ_PACKAGE,
	};
	unsigned long blacklist = HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST;

	if (hwloc_topology_set_components(t, blacklist, "x86") < 0 ||
	    hwloc_topology_set_all_types_filter(t, HWLOC_TYPE_FILTER_KEEP_NONE) < 0)
		return -1;
	for (size_t i = 0; i < MK_ARRAY_SIZE(types); i++)
		if (hwloc_topology_set_type_filter(t, types[i],
						   HWLOC_TYPE_FILTER_KEEP_ALL) < 0)
			return -1;
	/* CPUs that the caller's cpuset leaves out can be lent all the same. */
	return hwloc_topology_set_flags(t, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
}

static bool is_real_root(struct mk_ctx *ctx)
{
	struct stat ours, real;

	return fstat(mk_ctx_dirfd(ctx), &ours) == 0 && stat("/", &real) == 0 &&
	       ours.st_dev == real.st_dev && ours.st_ino == real.st_ino;
}

/* hwloc has no call for these; it reads them when the topology is loaded. */
static int load_at(hwloc_topology_t t, struct mk_ctx *ctx)
{
	char root[64];
	int r;

	/* It must not print. */
	setenv("HWLOC_HIDE_ERRORS", "2", 0);
	if (is_real_root(ctx))
		return hwloc_topology_load(t);
	snprintf(root, sizeof(root), "/proc/self/fd/%d", mk_ctx_dirfd(ctx));
	setenv("HWLOC_FSROOT", root, 1);
	r = hwloc_topology_load(t);
	unsetenv("HWLOC_FSROOT");
	return r;
}

int mk_topology_load(struct mk_ctx *ctx, struct mk_topology **ret,
		     struct mk_error *err)
{
	mk_autofree struct mk_topology *t = calloc(1, sizeof(*t));

	if (!t || hwloc_topology_init(&t->hwloc) < 0) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	if (keep_what_counts(t->hwloc) < 0 || load_at(t->hwloc, ctx) < 0) {
		hwloc_topology_destroy(t->hwloc);
		mk_error_set(err, MK_ERR_FAILED, NULL,
			     "cannot read the machine's topology");
		mk_error_hint(err, "hwloc reads it from /sys: is that mounted?");
		return -EIO;
	}
	*ret = TAKE_PTR(t);
	return 0;
}

void mk_topology_free(struct mk_topology *topology)
{
	if (!topology)
		return;
	hwloc_topology_destroy(topology->hwloc);
	free(topology);
}

int mk_topology_find(const struct mk_topology *topology, unsigned int cpu,
		     struct mk_place *ret)
{
	hwloc_topology_t t = topology->hwloc;
	hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(t, cpu);
	hwloc_obj_t core, package;
	int node;

	if (!pu)
		return -ENOENT;
	core = hwloc_get_ancestor_obj_by_type(t, HWLOC_OBJ_CORE, pu);
	package = hwloc_get_ancestor_obj_by_type(t, HWLOC_OBJ_PACKAGE, pu);
	node = hwloc_bitmap_first(pu->nodeset);
	*ret = (struct mk_place){
		.core = core ? core->logical_index : MK_TOPOLOGY_NO_CORE,
		.package = package ? package->os_index : 0,
		.node = node < 0 ? 0 : (unsigned int)node,
	};
	return 0;
}

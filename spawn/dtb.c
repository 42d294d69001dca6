// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds the device tree of an instance with libfdt's sequential-write calls.
 *
 * The tree is written from front to back into a buffer; when that is too small
 * the whole is written again into one of twice the size. Errors stick: after
 * the first the writers do nothing, so that the tree below reads as a tree.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>
#include <mk/util.h>

#include "dtb.h"
#include "parse.h"

#define FIRST_TRY_BYTES		4096

struct tree {
	void *fdt;
	int rc;		/* of libfdt; the first error stays */
};

static void begin(struct tree *t, const char *name)
{
	if (!t->rc)
		t->rc = fdt_begin_node(t->fdt, name);
}

static void begin_at(struct tree *t, const char *name, uint64_t unit)
{
	char full[48];

	snprintf(full, sizeof(full), "%s@%llx", name,
		 (unsigned long long)unit);
	begin(t, full);
}

static void end(struct tree *t)
{
	if (!t->rc)
		t->rc = fdt_end_node(t->fdt);
}

static void bytes(struct tree *t, const char *name, const void *data, int n)
{
	if (!t->rc)
		t->rc = fdt_property(t->fdt, name, data, n);
}

static void string(struct tree *t, const char *name, const char *s)
{
	bytes(t, name, s, (int)strlen(s) + 1);
}

static void u32(struct tree *t, const char *name, uint32_t v)
{
	if (!t->rc)
		t->rc = fdt_property_u32(t->fdt, name, v);
}

static void u64(struct tree *t, const char *name, uint64_t v)
{
	if (!t->rc)
		t->rc = fdt_property_u64(t->fdt, name, v);
}

/* Two 64-bit values, two cells each. */
static void u64_pair(struct tree *t, const char *name, uint64_t a, uint64_t b)
{
	fdt64_t cells[] = { cpu_to_fdt64(a), cpu_to_fdt64(b) };

	bytes(t, name, cells, sizeof(cells));
}

static void chosen(struct tree *t, const struct mk_dtb_params *p)
{
	begin(t, "chosen");
	bytes(t, "rng-seed", p->rng_seed, MK_DTB_RNG_SEED_SIZE);
	end(t);
}

static void cpu(struct tree *t, const struct mk_cpu *c)
{
	begin_at(t, "cpu", c->apicid);
	string(t, "device_type", "cpu");
	u32(t, "reg", c->apicid);
	u32(t, "numa-node-id", c->node);
	end(t);
}

static void cpus(struct tree *t, const struct mk_dtb_params *p)
{
	begin(t, "cpus");
	u32(t, "#address-cells", 1);
	u32(t, "#size-cells", 0);
	for (size_t i = 0; i < p->nr_cpus; i++)
		cpu(t, &p->cpus[i]);
	end(t);
}

static void memory(struct tree *t, const struct mk_range *r)
{
	begin_at(t, "memory", r->addr);
	string(t, "device_type", "memory");
	u64_pair(t, "reg", r->addr, r->bytes);
	u32(t, "numa-node-id", r->node);
	end(t);
}

static void add_distance(fdt32_t *cells, size_t *n,
			 const struct mk_distances *d, size_t from, size_t to)
{
	cells[(*n)++] = cpu_to_fdt32(d->nodes[from]);
	cells[(*n)++] = cpu_to_fdt32(d->nodes[to]);
	cells[(*n)++] = cpu_to_fdt32(d->table[from * d->nr_nodes + to]);
}

/*
 * Linux takes the way back to be as long as the way there, if it comes later in
 * the matrix or not at all.
 */
static size_t distance_cells(fdt32_t *cells, const struct mk_distances *d)
{
	size_t from, to, n = 0;

	for (from = 0; from < d->nr_nodes; from++) {
		for (to = from; to < d->nr_nodes; to++) {
			add_distance(cells, &n, d, from, to);
			if (d->table[from * d->nr_nodes + to] !=
			    d->table[to * d->nr_nodes + from])
				add_distance(cells, &n, d, to, from);
		}
	}
	return n;
}

static void distance_map(struct tree *t, const struct mk_distances *d)
{
	mk_autofree fdt32_t *cells = NULL;

	if (!d || t->rc)
		return;
	cells = calloc(d->nr_nodes * d->nr_nodes + 1, 3 * sizeof(*cells));
	if (!cells) {
		t->rc = -FDT_ERR_INTERNAL;
		return;
	}
	begin(t, "distance-map");
	string(t, "compatible", "numa-distance-map-v1");
	bytes(t, "distance-matrix", cells,
	      (int)(distance_cells(cells, d) * sizeof(*cells)));
	end(t);
}

static void multikernel(struct tree *t, const struct mk_dtb_params *p)
{
	begin(t, "multikernel");
	string(t, "compatible", "multikernel,instance-v1");
	u32(t, "abi-version", p->abi_version);
	u32(t, "instance-id", p->id);
	string(t, "instance-name", p->name);
	u64_pair(t, "shared-memory", p->region_addr, p->region_bytes);
	u64(t, "start-page", p->start_page);
	u64_pair(t, "hand-over", p->handoff_addr, p->handoff_bytes);
	u32(t, "tsc-khz", p->tsc_khz);
	u32(t, "lapic-khz", p->lapic_khz);
	u64_pair(t, "wall-clock", p->wall_ns, p->wall_tsc);
	end(t);
}

static void root(struct tree *t, const struct mk_dtb_params *p)
{
	begin(t, "");
	string(t, "compatible", "multikernel,instance");
	string(t, "model", p->name);
	u32(t, "#address-cells", 2);
	u32(t, "#size-cells", 2);
	chosen(t, p);
	cpus(t, p);
	for (size_t i = 0; i < p->nr_ranges; i++)
		memory(t, &p->ranges[i]);
	distance_map(t, p->distances);
	multikernel(t, p);
	end(t);
}

/* Writes the tree; 0 or an error of libfdt. */
static int write_tree(const struct mk_dtb_params *p, void *buf, size_t size)
{
	struct tree t = { .fdt = buf };

	t.rc = fdt_create(buf, (int)size);
	if (!t.rc)
		t.rc = fdt_finish_reservemap(buf);
	root(&t, p);
	return t.rc ? t.rc : fdt_finish(buf);
}

static int check_params(const struct mk_dtb_params *p, struct mk_error *err)
{
	const char *what = NULL;

	if (!p->name || !mk_name_valid(p->name))
		what = "the name is not valid";
	else if (!p->nr_cpus)
		what = "there is no CPU";
	else if (!p->nr_ranges)
		what = "there is no memory";
	else if (!p->rng_seed)
		what = "there is no rng-seed";
	if (!what)
		return 0;
	mk_error_set(err, MK_ERR_FAILED, NULL,
		     "cannot build the device tree: %s", what);
	return -EINVAL;
}

static int too_large(struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, NULL,
		     "the device tree would be larger than %d KiB",
		     MK_DTB_MAX >> 10);
	mk_error_hint(err, "give the instance fewer CPUs");
	return -E2BIG;
}

int mk_dtb_build(const struct mk_dtb_params *p, void **ret_dtb,
		 size_t *ret_bytes, struct mk_error *err)
{
	mk_autofree void *buf = NULL;
	size_t size = FIRST_TRY_BYTES;
	int rc = check_params(p, err);

	if (rc)
		return rc;
	do {
		free(buf);
		buf = calloc(1, size);
		if (!buf) {
			mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
			return -ENOMEM;
		}
		rc = write_tree(p, buf, size);
		size *= 2;
	} while (rc == -FDT_ERR_NOSPACE && size <= MK_DTB_MAX);

	if (rc == -FDT_ERR_NOSPACE)
		return too_large(err);
	if (rc) {
		mk_error_set(err, MK_ERR_FAILED, NULL,
			     "cannot build the device tree: %s",
			     fdt_strerror(rc));
		return -EINVAL;
	}
	*ret_bytes = fdt_totalsize(buf);
	*ret_dtb = TAKE_PTR(buf);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the device tree that user space built for an instance say what the host
 * knows? A wrong APIC id or address would start somebody else's CPU or
 * overwrite somebody else's memory, so each is compared before START.
 */
#include <linux/libfdt.h>
#include <linux/math.h>
#include <linux/string.h>

#include "internal.h"

static int mk_mismatch(struct mk_refusal *r, const char *what, u64 there,
		       u64 expected)
{
	mk_refuse(r, MK_REASON_DTB_MISMATCH, there, expected, what);
	return -EINVAL;
}

/* A property of @cells u32 cells as one or two u64; false if of another size. */
static bool mk_cells(const void *dtb, int node, const char *name, int cells,
		     u64 *ret)
{
	const fdt32_t *p;
	int len, i;

	p = fdt_getprop(dtb, node, name, &len);
	if (!p || len != cells * 4)
		return false;
	if (cells == 1) {
		ret[0] = fdt32_to_cpu(p[0]);
		return true;
	}
	for (i = 0; i < cells / 2; i++)
		ret[i] = (u64)fdt32_to_cpu(p[2 * i]) << 32 |
			 fdt32_to_cpu(p[2 * i + 1]);
	return true;
}

static int mk_expect(const void *dtb, int node, const char *name, int cells,
		     u64 first, u64 second, struct mk_refusal *r)
{
	u64 there[2] = { };

	if (!mk_cells(dtb, node, name, cells, there))
		return mk_mismatch(r, name, 0, first);
	if (there[0] != first)
		return mk_mismatch(r, name, there[0], first);
	if (cells == 4 && there[1] != second)
		return mk_mismatch(r, name, there[1], second);
	return 0;
}

/* Linux refines the frequency of the TSC a second after its boot. */
static int mk_expect_khz(const void *dtb, int node, const char *name,
			 u32 khz, struct mk_refusal *r)
{
	u64 there = 0;

	if (!mk_cells(dtb, node, name, 1, &there) ||
	    abs_diff(there, (u64)khz) > khz / 1000)
		return mk_mismatch(r, name, there, khz);
	return 0;
}

static int mk_check_self(const void *dtb, const struct mk_instance *inst,
			 struct mk_refusal *r)
{
	const char *name;
	int node, len, ret;

	node = fdt_path_offset(dtb, "/multikernel");
	if (node < 0)
		return mk_mismatch(r, "/multikernel", 0, 1);
	ret = mk_expect(dtb, node, "abi-version", 1, MK_ABI_VERSION, 0, r) ?:
	      mk_expect(dtb, node, "instance-id", 1, inst->id, 0, r) ?:
	      mk_expect(dtb, node, "shared-memory", 4, mk_region_addr,
			mk_region_bytes, r) ?:
	      mk_expect(dtb, node, "start-page", 2, mk_arch_start_page(), 0,
			r) ?:
	      mk_expect(dtb, node, "hand-over", 4, mk_boot_handoff(inst),
			MK_HANDOFF_BYTES, r) ?:
	      mk_expect_khz(dtb, node, "tsc-khz", mk_arch_tsc_khz(), r) ?:
	      mk_expect(dtb, node, "lapic-khz", 1, mk_arch_lapic_khz(), 0, r);
	if (ret)
		return ret;
	name = fdt_getprop(dtb, node, "instance-name", &len);
	if (!name || len != strlen(inst->name) + 1 ||
	    memcmp(name, inst->name, len))
		return mk_mismatch(r, "instance-name", 0, 0);
	return 0;
}

static int mk_check_cpus(const void *dtb, const struct mk_instance *inst,
			 struct mk_refusal *r)
{
	int parent, node, ret;
	u32 i = 0;

	parent = fdt_path_offset(dtb, "/cpus");
	if (parent < 0)
		return mk_mismatch(r, "/cpus", 0, inst->nr_cpus);
	fdt_for_each_subnode(node, dtb, parent) {
		if (i == inst->nr_cpus)
			return mk_mismatch(r, "/cpus", i + 1, inst->nr_cpus);
		ret = mk_expect(dtb, node, "reg", 1, inst->cpus[i].apicid, 0,
				r) ?:
		      mk_expect(dtb, node, "numa-node-id", 1,
				inst->cpus[i].node, 0, r);
		if (ret)
			return ret;
		i++;
	}
	if (i != inst->nr_cpus)
		return mk_mismatch(r, "/cpus", i, inst->nr_cpus);
	return 0;
}

static int mk_check_memory(const void *dtb, const struct mk_instance *inst,
			   struct mk_refusal *r)
{
	const char *type;
	int node, len, ret;
	u32 i = 0;

	fdt_for_each_subnode(node, dtb, 0) {
		type = fdt_getprop(dtb, node, "device_type", &len);
		if (!type || len != sizeof("memory") ||
		    memcmp(type, "memory", len))
			continue;
		if (i == inst->nr_ranges)
			return mk_mismatch(r, "/memory", i + 1,
					   inst->nr_ranges);
		ret = mk_expect(dtb, node, "reg", 4, inst->ranges[i].addr,
				inst->ranges[i].bytes, r) ?:
		      mk_expect(dtb, node, "numa-node-id", 1,
				inst->ranges[i].node, 0, r);
		if (ret)
			return ret;
		i++;
	}
	if (i != inst->nr_ranges)
		return mk_mismatch(r, "/memory", i, inst->nr_ranges);
	return 0;
}

/**
 * mk_dtb_check() - compare a device tree with what the host knows
 * @dtb: private copy
 * @bytes: its size
 * @inst: instance that it is for; the caller holds mk_lock
 * @r: what differs, on failure
 *
 * Return: 0 or -EINVAL.
 */
int mk_dtb_check(const void *dtb, size_t bytes, const struct mk_instance *inst,
		 struct mk_refusal *r)
{
	int ret = bytes < sizeof(struct fdt_header) ? -FDT_ERR_TRUNCATED :
						      fdt_check_header(dtb);

	if (!ret && fdt_totalsize(dtb) > bytes)
		ret = -FDT_ERR_TRUNCATED;
	if (ret) {
		mk_refuse(r, MK_REASON_DTB_BAD, -ret, 0, NULL);
		return -EINVAL;
	}
	return mk_check_self(dtb, inst, r) ?: mk_check_cpus(dtb, inst, r) ?:
	       mk_check_memory(dtb, inst, r);
}

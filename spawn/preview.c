// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device tree that a spawn would build, for people who want to see it
 * before: APIC ids and nodes from /proc/cpuinfo and sysfs, 0 for what only the
 * kernel can decide.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "check.h"
#include "cpuinfo.h"

/* The link nodeN in the CPU's folder; 0 without NUMA. */
static uint32_t find_node(struct mk_ctx *ctx, unsigned int cpu)
{
	unsigned int node = 0;
	struct dirent *entry;
	char path[64];
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", cpu);
	fd = mk_ctx_open(ctx, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return 0;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return 0;
	}
	while ((entry = readdir(dir)))
		if (sscanf(entry->d_name, "node%u", &node) == 1)
			break;
	closedir(dir);
	return node;
}

static int fill_cpus(struct mk_ctx *ctx, const unsigned int *numbers,
		     size_t nr_cpus, struct mk_cpu *cpus, struct mk_error *err)
{
	mk_autofree char *cpuinfo = NULL;
	size_t i;
	int r;

	r = mk_cpuinfo_read(ctx, &cpuinfo);
	for (i = 0; i < nr_cpus && r == 0; i++) {
		cpus[i].cpu = numbers[i];
		cpus[i].node = find_node(ctx, numbers[i]);
		r = mk_cpuinfo_apicid(cpuinfo, numbers[i], &cpus[i].apicid);
	}
	if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, "/proc/cpuinfo",
			     "does not tell the APIC ids: %s", strerror(-r));
	return r;
}

/* What the kernel would make of the parts, if each came as one piece. */
static size_t fill_ranges(const struct mk_checked *checked,
			  struct mk_range *ranges)
{
	for (size_t i = 0; i < checked->nr_parts; i++)
		ranges[i] = (struct mk_range){
			.bytes = checked->parts[i].bytes,
			.node = checked->parts[i].node == MK_NODE_ANY ?
				0 : checked->parts[i].node,
		};
	return checked->nr_parts;
}

static int preview_dtb(struct mk_ctx *ctx, const struct mk_config *config,
		       const struct mk_checked *checked, void **ret_dtb,
		       size_t *ret_bytes, struct mk_error *err)
{
	struct mk_range ranges[MK_CONFIG_NODES];
	struct mk_instance inst = { .ranges = ranges };
	mk_autofree struct mk_cpu *cpus = NULL;
	int r;

	cpus = calloc(config->nr_cpus, sizeof(*cpus));
	if (!cpus) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	r = fill_cpus(ctx, checked->cpus, config->nr_cpus, cpus, err);
	if (r < 0)
		return r;
	inst.cpus = cpus;
	inst.get.nr_cpus = (uint32_t)config->nr_cpus;
	inst.get.nr_ranges = (uint32_t)fill_ranges(checked, ranges);
	snprintf(inst.get.name, sizeof(inst.get.name), "%s", config->name);
	return mk_boot_dtb(ctx, &inst, ret_dtb, ret_bytes, err);
}

int mk_spawn_preview_dtb(struct mk_ctx *ctx, const struct mk_config *config,
			 void **ret_dtb, size_t *ret_bytes,
			 struct mk_error *err)
{
	struct mk_checked checked;
	struct mk_check check;
	int r;

	r = mk_check_begin(ctx, true, &check, err);
	if (r < 0)
		return r;
	r = mk_check_instance(&check, config, "", &checked, err);
	if (r == 0) {
		r = preview_dtb(ctx, config, &checked, ret_dtb, ret_bytes, err);
		mk_checked_clear(&checked);
	}
	mk_check_end(&check);
	return r;
}

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
#include "config.h"

#define CPUINFO_MAX	(8 << 20)	/* bytes: 4096 CPUs of 2 KiB */

/* The number behind "KEY<blanks>: ", or -ENOENT when @line has another key. */
static int cpuinfo_number(const char *line, const char *key,
			  unsigned int *ret_number)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) || !strchr("\t :", line[len]))
		return -ENOENT;
	return sscanf(line + len, "%*[\t ]: %u", ret_number) == 1 ||
	       sscanf(line + len, ": %u", ret_number) == 1 ? 0 : -ENOENT;
}

static int find_apicid(char *cpuinfo, unsigned int cpu, uint32_t *ret_apicid)
{
	unsigned int number = 0, present = 0;
	bool seen = false;
	char *line, *next;

	for (line = cpuinfo; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			next++;
		if (cpuinfo_number(line, "processor", &present) == 0)
			seen = present == cpu;
		else if (seen && cpuinfo_number(line, "apicid", &number) == 0) {
			*ret_apicid = number;
			return 0;
		}
	}
	return -ENOENT;
}

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

static int fill_cpus(struct mk_ctx *ctx, const struct mk_config *config,
		     struct mk_cpu *cpus, struct mk_error *err)
{
	mk_autofree char *cpuinfo = NULL;
	size_t i;
	int r;

	r = mk_ctx_read_text(ctx, "/proc/cpuinfo", CPUINFO_MAX, &cpuinfo);
	for (i = 0; i < config->nr_cpus && r == 0; i++) {
		cpus[i].cpu = config->cpus[i];
		cpus[i].node = find_node(ctx, config->cpus[i]);
		r = find_apicid(cpuinfo, config->cpus[i], &cpus[i].apicid);
	}
	if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, "/proc/cpuinfo",
			     "does not tell the APIC ids: %s", strerror(-r));
	return r;
}

int mk_spawn_preview_dtb(struct mk_ctx *ctx, const struct mk_config *config,
			 void **ret_dtb, size_t *ret_bytes,
			 struct mk_error *err)
{
	struct mk_range range = { .bytes = config->memory_bytes };
	struct mk_instance inst = { .ranges = &range };
	mk_autofree struct mk_cpu *cpus = NULL;
	int r;

	cpus = calloc(config->nr_cpus, sizeof(*cpus));
	if (!cpus) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	r = fill_cpus(ctx, config, cpus, err);
	if (r < 0)
		return r;
	inst.cpus = cpus;
	inst.get.nr_cpus = (uint32_t)config->nr_cpus;
	inst.get.nr_ranges = 1;
	snprintf(inst.get.name, sizeof(inst.get.name), "%s", config->name);
	return mk_boot_dtb(ctx, &inst, ret_dtb, ret_bytes, err);
}

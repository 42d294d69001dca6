// SPDX-License-Identifier: GPL-2.0-only
/*
 * A folder that passes for the machine: see fake_machine.h.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <mk/util.h>

#include "fake_machine.h"
#include "kernel_file.h"

char fake_machine[64];
char fake_kernel_path[128];

static FILE *open_below(const char *path)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", fake_machine, path);
	f = fopen(full, "we");
	if (!f)
		abort();
	return f;
}

void fake_machine_write(const char *path, const char *text)
{
	FILE *f = open_below(path);

	fputs(text, f);
	fclose(f);
}

static void write_kernel(void)
{
	const struct kernel_file kernel = kernel_file();
	FILE *f = open_below("kernel");

	if (fwrite(&kernel, sizeof(kernel), 1, f) != 1)
		abort();
	fclose(f);
}

static void make_dirs(void)
{
	static const char *const dirs[] = {
		"dev",
		"proc",
		"run",
		"sys",
		"sys/devices",
		"sys/devices/system",
		"sys/devices/system/cpu",
	};
	char full[256];

	for (size_t i = 0; i < MK_ARRAY_SIZE(dirs); i++) {
		snprintf(full, sizeof(full), "%s/%s", fake_machine, dirs[i]);
		if (mkdir(full, 0755) < 0)
			abort();
	}
}

/* As the pretended kernel has it: an APIC id is twice the number. */
static void write_cpuinfo(void)
{
	FILE *f = open_below("proc/cpuinfo");

	for (int cpu = 0; cpu < 7; cpu++)
		fprintf(f, "processor\t: %d\napicid\t\t: %d\n\n", cpu, cpu * 2);
	fclose(f);
}

void fake_machine_make(void)
{
	snprintf(fake_machine, sizeof(fake_machine),
		 "/tmp/mk-test-machine.XXXXXX");
	if (!mkdtemp(fake_machine))
		abort();
	make_dirs();
	fake_machine_write("dev/multikernel", "");
	write_kernel();
	write_cpuinfo();
	fake_machine_write("sys/devices/system/cpu/present", "0-7\n");
	fake_machine_write("sys/devices/system/cpu/online", "0-6\n");
	snprintf(fake_kernel_path, sizeof(fake_kernel_path), "%s/kernel",
		 fake_machine);
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int fake_machine_remove(void)
{
	return nftw(fake_machine, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

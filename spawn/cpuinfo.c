// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/cpuinfo: which APIC id a CPU has.
 */
#include <stdio.h>
#include <string.h>

#include "cpuinfo.h"

#define CPUINFO_MAX	(8 << 20)	/* bytes: 4096 CPUs of 2 KiB */

int mk_cpuinfo_read(struct mk_ctx *ctx, char **ret_text)
{
	return mk_ctx_read_text(ctx, "/proc/cpuinfo", CPUINFO_MAX, ret_text);
}

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

int mk_cpuinfo_apicid(const char *text, unsigned int cpu,
		      uint32_t *ret_apicid)
{
	unsigned int number = 0, present = 0;
	bool seen = false;
	const char *line, *next;

	for (line = text; line; line = next) {
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

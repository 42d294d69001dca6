// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of CPUs as people write them.
 */
#include <stdio.h>

#include <mk/spawn.h>

/* How many CPUs from @cpus on ascend by one. */
static size_t run_length(const unsigned int *cpus, size_t nr_cpus)
{
	size_t n = 1;

	while (n < nr_cpus && cpus[n] == cpus[n - 1] + 1)
		n++;
	return n;
}

char *mk_cpulist_format(const unsigned int *cpus, size_t nr_cpus)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	size_t i, n;

	if (!f)
		return NULL;
	for (i = 0; i < nr_cpus; i += n) {
		n = run_length(cpus + i, nr_cpus - i);
		fprintf(f, "%s%u", i ? "," : "", cpus[i]);
		if (n > 1)
			fprintf(f, "-%u", cpus[i + n - 1]);
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

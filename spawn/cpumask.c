// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of CPUs: what is done with them, and how the kernel writes them.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cpumask.h"

#define WORDS	MK_ARRAY_SIZE(((struct mk_cpumask *)NULL)->words)

void mk_cpumask_add(struct mk_cpumask *mask, unsigned int cpu)
{
	if (cpu < MK_CPUMASK_BITS)
		mask->words[cpu / 64] |= 1ULL << cpu % 64;
}

bool mk_cpumask_has(const struct mk_cpumask *mask, unsigned int cpu)
{
	return cpu < MK_CPUMASK_BITS &&
	       (mask->words[cpu / 64] >> cpu % 64 & 1);
}

bool mk_cpumask_equal(const struct mk_cpumask *a, const struct mk_cpumask *b)
{
	return !memcmp(a->words, b->words, sizeof(a->words));
}

bool mk_cpumask_subset(const struct mk_cpumask *a, const struct mk_cpumask *b)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		if (a->words[i] & ~b->words[i])
			return false;
	return true;
}

bool mk_cpumask_meet(const struct mk_cpumask *a, const struct mk_cpumask *b)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		if (a->words[i] & b->words[i])
			return true;
	return false;
}

bool mk_cpumask_empty(const struct mk_cpumask *mask)
{
	return !mk_cpumask_meet(mask, mask);
}

struct mk_cpumask mk_cpumask_and(const struct mk_cpumask *a,
				 const struct mk_cpumask *b)
{
	struct mk_cpumask mask;
	size_t i;

	for (i = 0; i < WORDS; i++)
		mask.words[i] = a->words[i] & b->words[i];
	return mask;
}

struct mk_cpumask mk_cpumask_or(const struct mk_cpumask *a,
				const struct mk_cpumask *b)
{
	struct mk_cpumask mask;
	size_t i;

	for (i = 0; i < WORDS; i++)
		mask.words[i] = a->words[i] | b->words[i];
	return mask;
}

struct mk_cpumask mk_cpumask_without(const struct mk_cpumask *a,
				     const struct mk_cpumask *b)
{
	struct mk_cpumask mask;
	size_t i;

	for (i = 0; i < WORDS; i++)
		mask.words[i] = a->words[i] & ~b->words[i];
	return mask;
}

struct mk_cpumask mk_cpumask_of(const unsigned int *cpus, size_t nr_cpus)
{
	struct mk_cpumask mask = { 0 };
	size_t i;

	for (i = 0; i < nr_cpus; i++)
		mk_cpumask_add(&mask, cpus[i]);
	return mask;
}

/* A decimal number of a CPU; moves *s behind it. */
static int scan_cpu(const char **s, unsigned int *ret_cpu)
{
	unsigned int cpu = 0;

	if (!isdigit((unsigned char)**s))
		return -EINVAL;
	for (; isdigit((unsigned char)**s); ++*s) {
		cpu = cpu * 10 + (unsigned int)(**s - '0');
		if (cpu >= MK_CPUMASK_BITS)
			return -ERANGE;
	}
	*ret_cpu = cpu;
	return 0;
}

/* "2" or "2-3" */
static int scan_range(const char **s, struct mk_cpumask *mask)
{
	unsigned int first, last;
	int r;

	r = scan_cpu(s, &first);
	if (r < 0)
		return r;
	last = first;
	if (**s == '-') {
		++*s;
		r = scan_cpu(s, &last);
		if (r < 0)
			return r;
	}
	if (last < first)
		return -EINVAL;
	for (; first <= last; first++)
		mk_cpumask_add(mask, first);
	return 0;
}

static bool at_end(const char *s)
{
	return !*s || !strcmp(s, "\n");
}

int mk_cpumask_from_list(const char *s, struct mk_cpumask *ret_mask)
{
	struct mk_cpumask mask = { 0 };
	int r;

	while (!at_end(s)) {
		r = scan_range(&s, &mask);
		if (r < 0)
			return r;
		if (*s != ',')
			break;
		if (at_end(++s))
			return -EINVAL;
	}
	if (!at_end(s))
		return -EINVAL;
	*ret_mask = mask;
	return 0;
}

static unsigned int hex_value(char c)
{
	return isdigit((unsigned char)c) ? (unsigned int)(c - '0') :
	       (unsigned int)(tolower((unsigned char)c) - 'a') + 10;
}

/* From the end: the last digit has CPUs 0 to 3. Each comma ends 32 bits. */
int mk_cpumask_from_hex(const char *s, struct mk_cpumask *ret_mask)
{
	struct mk_cpumask mask = { 0 };
	size_t i = strcspn(s, "\n");
	unsigned int bit = 0;
	uint64_t value;

	if (!at_end(s + i) || !i || s[0] == ',' || s[i - 1] == ',')
		return -EINVAL;
	while (i-- > 0) {
		if (s[i] == ',' && bit && bit % 32 == 0 && s[i + 1] != ',')
			continue;
		if (!isxdigit((unsigned char)s[i]))
			return -EINVAL;
		value = hex_value(s[i]);
		if (value && bit >= MK_CPUMASK_BITS)
			return -ERANGE;
		if (value)
			mask.words[bit / 64] |= value << bit % 64;
		bit += 4;
	}
	*ret_mask = mask;
	return 0;
}

static unsigned int run_end(const struct mk_cpumask *mask, unsigned int cpu)
{
	while (mk_cpumask_has(mask, cpu + 1))
		cpu++;
	return cpu;
}

char *mk_cpumask_list(const struct mk_cpumask *mask)
{
	char *text = NULL;
	const char *comma = "";
	unsigned int cpu, last;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (cpu = 0; cpu < MK_CPUMASK_BITS; cpu++) {
		if (!mk_cpumask_has(mask, cpu))
			continue;
		last = run_end(mask, cpu);
		fprintf(f, last > cpu ? "%s%u-%u" : "%s%u", comma, cpu, last);
		comma = ",";
		cpu = last;
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static uint32_t half_word(const struct mk_cpumask *mask, size_t i)
{
	return (uint32_t)(mask->words[i / 2] >> 32 * (i % 2));
}

char *mk_cpumask_hex(const struct mk_cpumask *mask)
{
	size_t n = 2 * WORDS;
	char *text = malloc(n * 9 + 1);
	char *p = text;

	if (!text)
		return NULL;
	while (n > 1 && !half_word(mask, n - 1))
		n--;
	p += sprintf(p, "%x", half_word(mask, n - 1));
	while (--n > 0)
		p += sprintf(p, ",%08x", half_word(mask, n - 1));
	return text;
}

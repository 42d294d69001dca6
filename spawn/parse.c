// SPDX-License-Identifier: GPL-2.0-only
/*
 * Strict parsers: sizes, CPU lists, instance names.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <linux/multikernel.h>
#include <mk/util.h>

#include "parse.h"

/* Not isdigit() and its kind: those ask the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits and moves *s behind them. -EINVAL for none, -ERANGE. */
static int parse_digits(const char **s, uint64_t *ret)
{
	const char *p = *s;
	uint64_t v = 0;

	if (!is_digit(*p))
		return -EINVAL;
	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -ERANGE;
	*s = p;
	*ret = v;
	return 0;
}

/* What a suffix multiplies by; 0 when it is none. */
static uint64_t suffix_unit(const char *suffix)
{
	static const struct {
		char upper, lower;
		unsigned int shift;
	} units[] = {
		{ 'K', 'k', 10 },
		{ 'M', 'm', 20 },
		{ 'G', 'g', 30 },
		{ 'T', 't', 40 },
	};

	if (!*suffix)
		return 1;
	if (suffix[1])
		return 0;
	for (size_t i = 0; i < MK_ARRAY_SIZE(units); i++)
		if (*suffix == units[i].upper || *suffix == units[i].lower)
			return 1ULL << units[i].shift;
	return 0;
}

static int not_a_size(const char *s, struct mk_error *err)
{
	mk_error_set(err, MK_ERR_USAGE, NULL,
		     "expected a size, found \"%s\"", s);
	mk_error_hint(err, "digits, then at most one of K, M, G or T: 256M");
	return -EINVAL;
}

static int size_overflow(const char *s, struct mk_error *err)
{
	mk_error_set(err, MK_ERR_USAGE, NULL,
		     "size \"%s\" does not fit in 64 bits", s);
	return -ERANGE;
}

int mk_parse_size(const char *s, uint64_t *ret_bytes, struct mk_error *err)
{
	const char *p = s;
	uint64_t v, unit;
	int rc = parse_digits(&p, &v);

	if (rc == -ERANGE)
		return size_overflow(s, err);
	unit = rc ? 0 : suffix_unit(p);
	if (!unit)
		return not_a_size(s, err);
	if (__builtin_mul_overflow(v, unit, &v))
		return size_overflow(s, err);
	*ret_bytes = v;
	return 0;
}

struct cpulist {
	const char *text;	/* the whole list, for messages */
	unsigned int *cpus;
	size_t n;
};

static int not_a_list(const struct cpulist *l, struct mk_error *err)
{
	mk_error_set(err, MK_ERR_USAGE, NULL,
		     "expected a list of CPUs, found \"%s\"", l->text);
	mk_error_hint(err,
		      "numbers and ranges, separated by commas: 2-3,6");
	return -EINVAL;
}

static int parse_cpu(struct cpulist *l, const char **s, unsigned int *ret_cpu,
		     struct mk_error *err)
{
	uint64_t v = 0;
	int rc = parse_digits(s, &v);

	if (rc == -EINVAL)
		return not_a_list(l, err);
	if (rc || v > UINT_MAX) {
		mk_error_set(err, MK_ERR_USAGE, NULL,
			     "a CPU number in \"%s\" does not fit in 32 bits",
			     l->text);
		return -ERANGE;
	}
	*ret_cpu = (unsigned int)v;
	return 0;
}

static int add_cpu(struct cpulist *l, unsigned int cpu, struct mk_error *err)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->cpus[i] != cpu)
			continue;
		mk_error_set(err, MK_ERR_USAGE, NULL,
			     "CPU %u is twice in \"%s\"", cpu, l->text);
		return -EINVAL;
	}
	l->cpus[l->n++] = cpu;
	return 0;
}

static int add_range(struct cpulist *l, unsigned int first, unsigned int last,
		     struct mk_error *err)
{
	int rc = 0;

	if (last < first) {
		mk_error_set(err, MK_ERR_USAGE, NULL,
			     "range %u-%u runs backwards", first, last);
		mk_error_hint(err, "write %u-%u", last, first);
		return -EINVAL;
	}
	if (last - first >= MK_MAX_CPUS - l->n) {
		mk_error_set(err, MK_ERR_USAGE, NULL,
			     "more than %d CPUs in \"%s\"", MK_MAX_CPUS,
			     l->text);
		return -E2BIG;
	}
	/* By count: last may be UINT_MAX. */
	for (unsigned int i = 0; !rc && i <= last - first; i++)
		rc = add_cpu(l, first + i, err);
	return rc;
}

/* One number or range, and moves *s behind it. */
static int parse_item(struct cpulist *l, const char **s, struct mk_error *err)
{
	unsigned int first, last;
	int rc = parse_cpu(l, s, &first, err);

	if (rc)
		return rc;
	last = first;
	if (**s == '-') {
		(*s)++;
		rc = parse_cpu(l, s, &last, err);
		if (rc)
			return rc;
	}
	return add_range(l, first, last, err);
}

static int parse_list(struct cpulist *l, struct mk_error *err)
{
	const char *s = l->text;
	int rc;

	for (;;) {
		rc = parse_item(l, &s, err);
		if (rc)
			return rc;
		if (!*s)
			return 0;
		if (*s++ != ',')
			return not_a_list(l, err);
	}
}

int mk_parse_cpulist(const char *s, unsigned int **ret_cpus, size_t *ret_n,
		     struct mk_error *err)
{
	mk_autofree unsigned int *cpus = calloc(MK_MAX_CPUS, sizeof(*cpus));
	struct cpulist l = { .text = s, .cpus = cpus };
	int rc;

	if (!cpus) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	rc = parse_list(&l, err);
	if (rc)
		return rc;
	*ret_cpus = TAKE_PTR(cpus);
	*ret_n = l.n;
	return 0;
}

int mk_cpulist_has(const char *s, unsigned int cpu)
{
	uint64_t first, last;

	do {
		if (parse_digits(&s, &first))
			return -EINVAL;
		last = first;
		if (*s == '-') {
			s++;
			if (parse_digits(&s, &last))
				return -EINVAL;
		}
		if (cpu >= first && cpu <= last)
			return 1;
	} while (*s++ == ',');
	return s[-1] ? -EINVAL : 0;
}

bool mk_name_valid(const char *name)
{
	static const char head[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char tail[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";

	return *name && strchr(head, *name) &&
	       strspn(name, tail) == strlen(name) &&
	       strlen(name) < MK_NAME_MAX;
}

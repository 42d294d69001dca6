/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of CPUs as the kernel writes them: lists ("2-3,6") and words of hex
 * digits ("ff,ffffffff"). Of the machine, so larger than what an instance has.
 */
#ifndef MK_SPAWN_CPUMASK_H
#define MK_SPAWN_CPUMASK_H

#include <stdbool.h>
#include <stdint.h>

#include <mk/util.h>

#define MK_CPUMASK_BITS	8192	/* largest NR_CPUS of x86 */

/** struct mk_cpumask - a set of CPUs, laid out as cpu_set_t */
struct mk_cpumask {
	uint64_t words[MK_CPUMASK_BITS / 64];
};

void mk_cpumask_add(struct mk_cpumask *mask, unsigned int cpu);
bool mk_cpumask_has(const struct mk_cpumask *mask, unsigned int cpu);
bool mk_cpumask_empty(const struct mk_cpumask *mask);
bool mk_cpumask_equal(const struct mk_cpumask *a, const struct mk_cpumask *b);
/** mk_cpumask_subset() - is all of @a in @b */
bool mk_cpumask_subset(const struct mk_cpumask *a, const struct mk_cpumask *b);
bool mk_cpumask_meet(const struct mk_cpumask *a, const struct mk_cpumask *b);

struct mk_cpumask mk_cpumask_and(const struct mk_cpumask *a,
				 const struct mk_cpumask *b);
struct mk_cpumask mk_cpumask_or(const struct mk_cpumask *a,
				const struct mk_cpumask *b);
/** mk_cpumask_without() - what of @a is not in @b */
struct mk_cpumask mk_cpumask_without(const struct mk_cpumask *a,
				     const struct mk_cpumask *b);
/** mk_cpumask_of() - @cpus that do not fit are left out */
struct mk_cpumask mk_cpumask_of(const unsigned int *cpus, size_t nr_cpus);

/**
 * mk_cpumask_from_list() - "0-3,6"; "" and "\n" are the empty set
 *
 * Returns: 0, -EINVAL, or -ERANGE for a CPU that does not fit.
 */
int mk_cpumask_from_list(const char *s,
			 struct mk_cpumask *ret_mask) MK_MUST_CHECK;
/** mk_cpumask_from_hex() - "ff,ffffffff"; returns as above */
int mk_cpumask_from_hex(const char *s,
			struct mk_cpumask *ret_mask) MK_MUST_CHECK;
/** mk_cpumask_list() - the caller frees; NULL when memory is out */
char *mk_cpumask_list(const struct mk_cpumask *mask);
/** mk_cpumask_hex() - likewise; no leading words of zeros */
char *mk_cpumask_hex(const struct mk_cpumask *mask);

#endif /* MK_SPAWN_CPUMASK_H */

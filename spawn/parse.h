/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strict parsers for what people write in a config file or behind an option:
 * sizes, CPU lists and instance names.
 *
 * Each takes the whole string or refuses it. On a refusal the error has code
 * MK_ERR_USAGE, a message and perhaps a hint, and no object: the caller knows
 * where the string came from, and replaces the code where it was a file.
 */
#ifndef MK_SPAWN_PARSE_H
#define MK_SPAWN_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mk/spawn.h>

/**
 * mk_parse_cpulist() - parse a list of Linux CPU numbers
 * @s: numbers and ascending ranges, separated by commas: "2-3,6"
 * @ret_cpus: the numbers in the order written, never none; the caller frees
 * @ret_n: how many; both are written only on success
 * @err: filled on a refusal, or NULL
 *
 * CPU 0 is a number like any other here.
 *
 * Returns: 0, -EINVAL when @s is not a list, has a CPU twice or a range that
 * runs backwards, -ERANGE when a number does not fit, -E2BIG for more than
 * MK_MAX_CPUS, -ENOMEM.
 */
int mk_parse_cpulist(const char *s, unsigned int **ret_cpus, size_t *ret_n,
		     struct mk_error *err)
	__attribute__((warn_unused_result));

/**
 * mk_cpulist_has() - is a CPU in a list of sysfs
 * @s: as for mk_parse_cpulist(), of any length: the machine's, not ours
 *
 * Returns: 1, 0, or -EINVAL when @s is not a list as far as it was read.
 */
int mk_cpulist_has(const char *s, unsigned int cpu)
	__attribute__((warn_unused_result));

/**
 * mk_name_valid() - may an instance have this name
 *
 * [a-z0-9][a-z0-9_.-]{0,30}, as the kernel checks it on MK_IOC_CREATE.
 */
bool mk_name_valid(const char *name);

#endif /* MK_SPAWN_PARSE_H */

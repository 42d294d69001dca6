/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks of a spawn that need no change: what would be refused is refused
 * before anything is touched, in the kernel's own words.
 */
#ifndef MK_SPAWN_CHECK_H
#define MK_SPAWN_CHECK_H

#include <mk/spawn.h>

/** mk_check_name() - no instance has this name */
int mk_check_name(struct mk_ctx *ctx, const char *name,
		  struct mk_error *err) MK_MUST_CHECK;
/** mk_check_cpus() - they exist, are online, not lent, and not CPU 0 */
int mk_check_cpus(struct mk_ctx *ctx, const unsigned int *cpus, size_t nr_cpus,
		  struct mk_error *err) MK_MUST_CHECK;
/** mk_check_memory() - the pool has as much free */
int mk_check_memory(const struct mk_info *info, uint64_t bytes,
		    struct mk_error *err) MK_MUST_CHECK;
/**
 * mk_check_file() - open a kernel or initrd
 * @key: of the config that names it
 */
int mk_check_file(const char *path, const char *key, int *ret_fd,
		  struct mk_error *err) MK_MUST_CHECK;

#endif /* MK_SPAWN_CHECK_H */

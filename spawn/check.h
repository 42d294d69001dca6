/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks of a spawn that need no change: what would be refused is refused
 * before anything is touched, in the kernel's own words. `mkctl check` and
 * `mkctl spawn` call the same.
 */
#ifndef MK_SPAWN_CHECK_H
#define MK_SPAWN_CHECK_H

#include <mk/spawn.h>

#include "config.h"
#include "machine.h"

/**
 * struct mk_check - the machine, and what has been promised of it
 * @on_host: the machine is looked at; else only what a file says
 * @why: when not @on_host, why
 * @info: of the host
 * @machine: its CPUs; those of instances that were checked are claimed
 * @promised: memory of the instances that were checked, @nr_promised parts
 * @names: of those, @nr_names
 */
struct mk_check {
	struct mk_ctx *ctx;
	bool on_host;
	struct mk_error why;
	struct mk_info info;
	struct mk_machine machine;
	struct mk_memory_part *promised;
	size_t nr_promised;
	struct mk_check_name *names;
	size_t nr_names;
};

/**
 * struct mk_checked - what an instance would get
 * @cpus: named or chosen, config->nr_cpus of them; NULL for a count when the
 *	machine is not looked at
 * @parts: of its memory
 * @cmdline: with what mkctl adds
 * @kernel_fd: open
 * @initrd_fd: open, or -1
 */
struct mk_checked {
	unsigned int *cpus;
	struct mk_memory_part parts[MK_CONFIG_NODES];
	size_t nr_parts;
	char *cmdline;
	int kernel_fd;
	int initrd_fd;
};

#define MK_CHECKED_NONE	{ .kernel_fd = -1, .initrd_fd = -1 }

/**
 * mk_check_begin() - look at the machine
 * @must: it has to be a host; else that it is none is no error, but told in
 *	@ret->why
 */
int mk_check_begin(struct mk_ctx *ctx, bool must, struct mk_check *ret,
		   struct mk_error *err) MK_MUST_CHECK;
void mk_check_end(struct mk_check *check);

/**
 * mk_check_instance() - could it be spawned, after those checked before it
 * @path: of the file that @config is from; must outlive @check
 * @ret: for mk_checked_clear()
 */
int mk_check_instance(struct mk_check *check, const struct mk_config *config,
		      const char *path, struct mk_checked *ret,
		      struct mk_error *err) MK_MUST_CHECK;
void mk_checked_clear(struct mk_checked *checked);

/** mk_check_memory() - a part of mk_check_instance() */
int mk_check_memory(const struct mk_check *check,
		    const struct mk_config *config,
		    const struct mk_checked *checked,
		    struct mk_error *err) MK_MUST_CHECK;

/** mk_check_cpus() - for an instance that is started again */
int mk_check_cpus(struct mk_ctx *ctx, const unsigned int *cpus, size_t nr_cpus,
		  bool split, struct mk_error *err) MK_MUST_CHECK;

#endif /* MK_SPAWN_CHECK_H */

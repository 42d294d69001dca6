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
#include "shares.h"

/**
 * struct mk_check - the machine, and what has been promised of it
 * @on_host: the machine is looked at; else only what a file says
 * @why: when not @on_host, why
 * @info: of the host
 * @machine: its CPUs; those of instances that were checked are claimed
 * @promised: memory of the instances that were checked, @nr_promised parts
 * @names: of those, @nr_names
 * @expected: instances that are to be checked, @nr_expected
 * @shares: of those that were checked, @nr_shares
 * @note: NULL, or called with what is no fault but may be an oversight
 * @note_arg: for @note
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
	struct mk_check_name *expected;
	size_t nr_expected;
	struct mk_share_item *shares;
	size_t nr_shares;
	void (*note)(void *arg, const char *text);
	void *note_arg;
};

/**
 * struct mk_check_name - an instance of a file
 * @seen: of an expected one: its turn has come
 */
struct mk_check_name {
	char name[MK_NAME_MAX];
	const char *path;
	bool seen;
};

/**
 * struct mk_checked - what an instance would get
 * @cpus: named or chosen, config->nr_cpus of them; NULL for a count when the
 *	machine is not looked at
 * @parts: of its memory
 * @share_parts: memory of the shares that are made with it, @nr_share_parts
 * @cmdline: with what mkctl adds
 * @kernel_fd: open
 * @initrd_fd: open, or -1
 */
struct mk_checked {
	unsigned int *cpus;
	struct mk_memory_part parts[MK_CONFIG_NODES];
	size_t nr_parts;
	struct mk_memory_part *share_parts;
	size_t nr_share_parts;
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
 * mk_check_expect() - an instance that will be checked
 * @path: of its file; must outlive @check
 *
 * So that what others say of it is not said of nobody. Optional.
 */
int mk_check_expect(struct mk_check *check, const char *name, const char *path,
		    struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_check_instance() - could it be spawned, after those checked before it
 * @config: must outlive @check
 * @path: of the file that @config is from; likewise
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

/** mk_check_share_memory() - is there memory for a share, too? */
int mk_check_share_memory(const struct mk_check *check,
			  const struct mk_checked *checked,
			  const struct mk_wanted_share *share,
			  struct mk_error *err) MK_MUST_CHECK;

/** mk_check_peers() - channels and shares; a part of mk_check_instance() */
int mk_check_peers(struct mk_check *check, const struct mk_config *config,
		   const char *path, struct mk_checked *checked,
		   struct mk_error *err) MK_MUST_CHECK;
/** mk_check_remember_shares() - for those that are checked after it */
int mk_check_remember_shares(struct mk_check *check,
			     const struct mk_config *config,
			     const char *path) MK_MUST_CHECK;
/** mk_check_is_known() - is it there, or will it be before the next one? */
bool mk_check_is_known(const struct mk_check *check, const char *name);

/** mk_check_cpus() - for an instance that is started again */
int mk_check_cpus(struct mk_ctx *ctx, const unsigned int *cpus, size_t nr_cpus,
		  bool split, struct mk_error *err) MK_MUST_CHECK;

#endif /* MK_SPAWN_CHECK_H */

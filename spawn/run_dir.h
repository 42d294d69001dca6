/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files below /run/mkctl that add what the kernel cannot say.
 */
#ifndef MK_SPAWN_RUN_DIR_H
#define MK_SPAWN_RUN_DIR_H

#include <sys/uio.h>

#include <mk/spawn.h>

#define MK_RUN_DIR	"/run/mkctl"

/** mk_run_dir_open() - open the folder, making it */
int mk_run_dir_open(struct mk_ctx *ctx, int *ret_fd,
		    struct mk_error *err) MK_MUST_CHECK;
/** mk_run_dir_error() - @object, there or the folder, cannot be opened */
int mk_run_dir_error(struct mk_error *err, const char *object, int error);
/**
 * mk_run_dir_write() - write a file of the folder, atomically and synced
 * @dir: the folder
 * @file: its name, shorter than NAME_MAX - 8
 * @mode: permissions
 * @parts: what to write, one after the other
 * @nr_parts: how many
 *
 * A reader sees the old file or the new one. Returns 0 or -errno.
 */
int mk_run_dir_write(int dir, const char *file, mode_t mode,
		     const struct iovec *parts, size_t nr_parts) MK_MUST_CHECK;

#endif /* MK_SPAWN_RUN_DIR_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeping the logs of earlier boots; see <mk/spawn.h> for reading them.
 */
#ifndef MK_SPAWN_BOOT_LOG_H
#define MK_SPAWN_BOOT_LOG_H

#include <mk/spawn.h>

#define MK_BOOT_LOG_FILE_MAX	(MK_NAME_MAX + 32)

/** mk_boot_log_file() - name of the file of one boot, in /run/mkctl */
void mk_boot_log_file(const char *name, uint32_t epoch,
		      char buf[MK_BOOT_LOG_FILE_MAX]);
/**
 * mk_boot_log_keep() - write the log of the boot that has ended
 *
 * Atomically. 0 also when there was no boot.
 */
int mk_boot_log_keep(struct mk_ctx *ctx, const struct mk_get *get,
		     struct mk_error *err) MK_MUST_CHECK;
/** mk_boot_log_drop() - undo of mk_boot_log_keep() */
int mk_boot_log_drop(struct mk_ctx *ctx, const struct mk_get *get,
		     struct mk_error *err);
/** mk_boot_log_prune() - only the MK_BOOT_LOGS_KEPT up to this one stay */
int mk_boot_log_prune(struct mk_ctx *ctx, const struct mk_get *get,
		      struct mk_error *err);
/** mk_boot_log_remove() - all of @name; 0 also when there are none */
int mk_boot_log_remove(struct mk_ctx *ctx, const char *name,
		       struct mk_error *err);
/**
 * mk_boot_log_repair() - remove those that belong to no instance, and what a
 *	killed mkctl left half-written. Only under the lock.
 */
int mk_boot_log_repair(struct mk_ctx *ctx, struct mk_error *err) MK_MUST_CHECK;

#endif /* MK_SPAWN_BOOT_LOG_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last two steps of every start: START and the wait for running.
 */
#ifndef MK_SPAWN_BOOT_H
#define MK_SPAWN_BOOT_H

#include <mk/spawn.h>

/**
 * struct mk_boot - one boot of one instance
 * @id: set by whoever knows it, before mk_boot_start()
 * @inst: the running instance, once mk_boot_wait() has seen it
 * @log_tail: last lines of its log, when the boot failed
 */
struct mk_boot {
	struct mk_ctx *ctx;
	const struct mk_run_options *options;
	uint32_t id;
	uint32_t epoch;
	struct mk_instance *inst;
	char *log_tail;
};

/** mk_boot_start() - build the device tree and START */
int mk_boot_start(struct mk_boot *boot, struct mk_error *err) MK_MUST_CHECK;
/** mk_boot_wait() - until it runs; kills it when it takes too long */
int mk_boot_wait(struct mk_boot *boot, struct mk_error *err) MK_MUST_CHECK;
/** mk_boot_kill() - undo of mk_boot_start() */
int mk_boot_kill(struct mk_boot *boot, struct mk_error *err) MK_MUST_CHECK;
/** mk_boot_describe_wait() - for a dry run */
void mk_boot_describe_wait(const struct mk_boot *boot, char *buf, size_t size);

/** mk_boot_dtb() - device tree of an instance, with a fresh seed and clock */
int mk_boot_dtb(struct mk_ctx *ctx, const struct mk_instance *inst,
		void **ret_dtb, size_t *ret_bytes,
		struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_wait_for() - wait until @done says that an event is it
 *
 * -ETIMEDOUT, -EINTR when cancelled, -ENODEV when the instance is gone. Fills
 * no error for these: the caller knows what it waited for.
 */
int mk_wait_for(int events_fd, unsigned int timeout_ms,
		const volatile sig_atomic_t *cancel,
		bool (*done)(const struct mk_event *event),
		struct mk_event *ret_event) MK_MUST_CHECK;

#endif /* MK_SPAWN_BOOT_H */

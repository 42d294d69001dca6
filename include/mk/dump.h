/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Part of libspawn: dumps of instances, as ELF files that gdb, crash and
 * makedumpfile read like /proc/vmcore. See docs/dumps.md.
 */
#ifndef MK_DUMP_H
#define MK_DUMP_H

#include <signal.h>
#include <stdbool.h>

#include <mk/libmk.h>

/**
 * struct mk_dump_options - how a dump is made
 * @live: do not freeze an instance that runs: it notices nothing, and what it
 *	changes meanwhile is in the dump in part
 * @zstd: compress it (which leaves no holes)
 * @force: replace a file that is there
 * @cancel: NULL, or set by a signal handler: stop, undo
 * @progress: NULL, or called now and then with bytes of its memory
 * @note: NULL, or called with what a person should know and is no error
 */
struct mk_dump_options {
	bool live;
	bool zstd;
	bool force;
	const volatile sig_atomic_t *cancel;
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t all_bytes);
	void *progress_arg;
	void (*note)(void *arg, const char *text);
	void *note_arg;
};

/**
 * struct mk_dump_cpu - a CPU, in the instance's own numbering
 * @saved: its registers are in the dump, as those of thread @cpu + 1
 * @pid: of the task that it ran
 */
struct mk_dump_cpu {
	unsigned int cpu;
	bool saved;
	unsigned int pid;
	uint64_t rip;
	uint64_t rsp;
};

/**
 * struct mk_dump_result - what a dump has
 * @frozen: it was frozen meanwhile, by this call
 * @vmcoreinfo: it has that note
 * @mapped_complete: all that its kernel maps beside text and direct map (stacks,
 *	modules) is there by virtual address; else some of it only by physical
 * @memory_bytes: of the instance
 * @file_bytes: size of the file
 * @data_bytes: written to it; the rest are @hole_bytes
 * @frozen_ns: for so long
 * @cpus: @nr_cpus, of which @nr_saved have registers
 */
struct mk_dump_result {
	bool frozen;
	bool vmcoreinfo;
	bool mapped_complete;
	uint64_t memory_bytes;
	uint64_t file_bytes;
	uint64_t data_bytes;
	uint64_t hole_bytes;
	uint64_t frozen_ns;
	uint64_t total_ns;
	struct mk_dump_cpu *cpus;
	size_t nr_cpus;
	size_t nr_saved;
};

void mk_dump_result_clear(struct mk_dump_result *result);

/**
 * mk_dump_file() - dump an instance into a file
 * @path: appears when the dump is complete; -EEXIST when it is there, unless
 *	options->force
 *
 * One that runs is frozen meanwhile, see options->live, and goes on whatever
 * happens. No lock is needed: -ESTALE when it was started again meanwhile,
 * -ENODEV when it was removed. -EINTR on options->cancel.
 */
int mk_dump_file(struct mk_ctx *ctx, const struct mk_instance *inst,
		 const char *path, const struct mk_dump_options *options,
		 struct mk_dump_result *ret_result,
		 struct mk_error *err) MK_MUST_CHECK;

/** mk_dump_fd() - the same into a descriptor, which need not be a file */
int mk_dump_fd(struct mk_ctx *ctx, const struct mk_instance *inst, int fd,
	       const struct mk_dump_options *options,
	       struct mk_dump_result *ret_result,
	       struct mk_error *err) MK_MUST_CHECK;

/**
 * struct mk_dump_line - a line of the kernel log in its memory
 * @text: as in struct mk_log_line
 */
struct mk_dump_line {
	uint64_t seq;
	uint64_t time_us;
	char text[2048];
};

/**
 * mk_dump_log() - the log alone, from the printk buffer in its memory
 *
 * Freezes, like mk_dump_file(). -ENODATA when nothing leads to the buffer. Or
 * what @fn returned if that was not 0.
 */
int mk_dump_log(struct mk_ctx *ctx, const struct mk_instance *inst,
		const struct mk_dump_options *options,
		int (*fn)(void *arg, const struct mk_dump_line *line),
		void *arg, struct mk_error *err) MK_MUST_CHECK;

#endif /* MK_DUMP_H */

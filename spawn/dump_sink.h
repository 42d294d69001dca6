/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a dump goes: a file with holes in the place of zeros, a pipe, or
 * either of them compressed.
 */
#ifndef SPAWN_DUMP_SINK_H
#define SPAWN_DUMP_SINK_H

#include <signal.h>

#include <mk/libmk.h>

struct ZSTD_CCtx_s;

/**
 * struct dump_sink - an open one
 * @holes: zeros are left out, because it is a file
 * @zstd: NULL, or it is compressed
 * @out: @out_bytes for what zstd makes
 * @bytes: that it stands for, uncompressed
 * @data_bytes: written to @fd
 * @hole_bytes: left out
 * @cancel: NULL, or set by a signal handler: a write that waits is given up
 */
struct dump_sink {
	int fd;
	bool holes;
	bool is_file;
	struct ZSTD_CCtx_s *zstd;
	char *out;
	size_t out_bytes;
	uint64_t bytes;
	uint64_t data_bytes;
	uint64_t hole_bytes;
	const volatile sig_atomic_t *cancel;
};

/** dump_sink_open() - @fd stays the caller's; -ENOMEM, -errno */
int dump_sink_open(int fd, bool zstd, struct dump_sink *ret_sink) MK_MUST_CHECK;
/** dump_sink_write() - the next bytes; -EINTR on @cancel, or as write(2) */
int dump_sink_write(struct dump_sink *sink, const void *data,
		    size_t bytes) MK_MUST_CHECK;
/** dump_sink_finish() - nothing more comes; on the disk when it returns 0 */
int dump_sink_finish(struct dump_sink *sink) MK_MUST_CHECK;
/** dump_sink_close() - also after a failure, with or without the above */
void dump_sink_close(struct dump_sink *sink);

#endif /* SPAWN_DUMP_SINK_H */

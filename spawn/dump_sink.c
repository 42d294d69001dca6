// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where a dump goes: see dump_sink.h. The only file that knows zstd.
 */
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "dump_sink.h"

#define BLOCK	4096u	/* holes are made of whole ones */

static int write_all(struct dump_sink *sink, const char *data, size_t bytes)
{
	ssize_t n;

	while (bytes) {
		/* A pipe whose reader sleeps has taken a part, or none. */
		if (sink->cancel && *sink->cancel)
			return -EINTR;
		n = write(sink->fd, data, bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		bytes -= (size_t)n;
		sink->data_bytes += (uint64_t)n;
	}
	return 0;
}

static int open_zstd(struct dump_sink *sink)
{
	sink->out_bytes = ZSTD_CStreamOutSize();
	sink->out = malloc(sink->out_bytes);
	sink->zstd = ZSTD_createCCtx();
	if (!sink->out || !sink->zstd)
		return -ENOMEM;
	/* A damaged dump shall not look like a kernel's last moment. */
	ZSTD_CCtx_setParameter(sink->zstd, ZSTD_c_checksumFlag, 1);
	return 0;
}

int dump_sink_open(int fd, bool zstd, struct dump_sink *ret_sink)
{
	struct dump_sink sink = { .fd = fd };
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	sink.is_file = S_ISREG(st.st_mode);
	/* What stands behind it, as in a file opened to append, is no zero. */
	sink.holes = !zstd && sink.is_file &&
		     lseek(fd, 0, SEEK_CUR) == st.st_size;
	if (zstd)
		r = open_zstd(&sink);
	if (r < 0)
		dump_sink_close(&sink);
	else
		*ret_sink = sink;
	return r;
}

static int compress(struct dump_sink *sink, const void *data, size_t bytes,
		    ZSTD_EndDirective mode)
{
	ZSTD_inBuffer in = { .src = data, .size = bytes };
	ZSTD_outBuffer out;
	size_t left;
	int r;

	do {
		out = (ZSTD_outBuffer){
			.dst = sink->out,
			.size = sink->out_bytes,
		};
		left = ZSTD_compressStream2(sink->zstd, &out, &in, mode);
		if (ZSTD_isError(left))
			return -EIO;
		r = write_all(sink, sink->out, out.pos);
		if (r < 0)
			return r;
	} while (mode == ZSTD_e_end ? left != 0 : in.pos < in.size);
	return 0;
}

static bool is_zero(const char *data, size_t bytes)
{
	return data[0] == 0 && !memcmp(data, data + 1, bytes - 1);
}

/* How many bytes from @data on are of one kind, in whole blocks. */
static size_t run_of(const char *data, size_t bytes, bool *ret_zero)
{
	size_t n = bytes < BLOCK ? bytes : BLOCK;
	size_t next;

	*ret_zero = is_zero(data, n);
	while (n < bytes) {
		next = bytes - n < BLOCK ? bytes - n : BLOCK;
		if (is_zero(data + n, next) != *ret_zero)
			break;
		n += next;
	}
	return n;
}

static int write_sparse(struct dump_sink *sink, const char *data, size_t bytes)
{
	size_t n;
	bool zero;
	int r = 0;

	for (; bytes && r == 0; data += n, bytes -= n) {
		n = run_of(data, bytes, &zero);
		if (!zero) {
			r = write_all(sink, data, n);
		} else {
			sink->hole_bytes += n;
			if (lseek(sink->fd, (off_t)n, SEEK_CUR) < 0)
				r = -errno;
		}
	}
	return r;
}

int dump_sink_write(struct dump_sink *sink, const void *data, size_t bytes)
{
	sink->bytes += bytes;
	if (sink->zstd)
		return compress(sink, data, bytes, ZSTD_e_continue);
	if (sink->holes)
		return write_sparse(sink, data, bytes);
	return write_all(sink, data, bytes);
}

int dump_sink_finish(struct dump_sink *sink)
{
	off_t end;
	int r = 0;

	if (sink->zstd)
		r = compress(sink, NULL, 0, ZSTD_e_end);
	if (r < 0)
		return r;
	/* A hole at the end makes no file longer. */
	if (sink->holes) {
		end = lseek(sink->fd, 0, SEEK_CUR);
		if (end < 0 || ftruncate(sink->fd, end) < 0)
			return -errno;
	}
	/* Some file systems know only now that the disk is full. */
	if (sink->is_file && fsync(sink->fd) < 0)
		return -errno;
	return 0;
}

void dump_sink_close(struct dump_sink *sink)
{
	ZSTD_freeCCtx(sink->zstd);
	free(sink->out);
	sink->zstd = NULL;
	sink->out = NULL;
}

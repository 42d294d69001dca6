// SPDX-License-Identifier: GPL-2.0-only
/*
 * The folder /run/mkctl and how files get into it.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "run_dir.h"

int mk_run_dir_error(struct mk_error *err, const char *object, int error)
{
	bool denied = error == EACCES || error == EPERM;

	mk_error_set(err, denied ? MK_ERR_NOT_PERMITTED : MK_ERR_FAILED,
		     object, "cannot make or open it: %s", strerror(error));
	if (denied)
		mk_error_hint(err, "run it as root");
	return -error;
}

int mk_run_dir_open(struct mk_ctx *ctx, int *ret_fd, struct mk_error *err)
{
	int root = mk_ctx_dirfd(ctx);
	int fd;

	/* What mkdir has to say is said again, and better, by the open. */
	(void)mkdirat(root, mk_ctx_relative("/run"), 0755);
	(void)mkdirat(root, mk_ctx_relative(MK_RUN_DIR), 0755);
	fd = mk_ctx_open(ctx, MK_RUN_DIR, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return mk_run_dir_error(err, MK_RUN_DIR, -fd);
	*ret_fd = fd;
	return 0;
}

static int write_all(int fd, const char *data, size_t left)
{
	ssize_t n;

	while (left) {
		n = write(fd, data, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		left -= (size_t)n;
	}
	return 0;
}

int mk_run_dir_write(int dir, const char *file, mode_t mode,
		     const struct iovec *parts, size_t nr_parts)
{
	mk_autoclose int fd = -1;
	char tmp[NAME_MAX];
	size_t i;
	int r = 0;

	snprintf(tmp, sizeof(tmp), "%s.tmp", file);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
		    O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	for (i = 0; i < nr_parts && r == 0; i++)
		r = write_all(fd, parts[i].iov_base, parts[i].iov_len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dir, tmp, dir, file) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, tmp, 0);
	return r;
}

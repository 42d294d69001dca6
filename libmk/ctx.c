// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The context: the root that all sysfs, procfs and device access starts from,
 * and the device, opened when it is first needed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

int mk_ctx_new(const char *root, struct mk_ctx **ret_ctx,
	       struct mk_error *err)
{
	const char *path = root && root[0] ? root : "/";
	mk_autofree struct mk_ctx *ctx = calloc(1, sizeof(*ctx));
	int error;

	if (!ctx) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	ctx->device_fd = -1;
	ctx->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ctx->root_fd < 0) {
		error = errno;
		mk_error_set(err, MK_ERR_FAILED, path,
			     "cannot open this folder: %s", strerror(error));
		return -error;
	}
	*ret_ctx = TAKE_PTR(ctx);
	return 0;
}

void mk_ctx_free(struct mk_ctx *ctx)
{
	if (!ctx)
		return;
	if (ctx->device_fd >= 0)
		close(ctx->device_fd);
	close(ctx->root_fd);
	free(ctx);
}

int mk_ctx_dirfd(const struct mk_ctx *ctx)
{
	return ctx->root_fd;
}

const char *mk_ctx_relative(const char *path)
{
	path += strspn(path, "/");
	return *path ? path : ".";
}

int mk_ctx_open(const struct mk_ctx *ctx, const char *path, int flags,
		mode_t mode)
{
	int fd = openat(ctx->root_fd, mk_ctx_relative(path),
			flags | O_CLOEXEC, mode);

	return fd < 0 ? -errno : fd;
}

int mk_ctx_read_text(const struct mk_ctx *ctx, const char *path,
		     size_t limit, char **ret_text)
{
	mk_autofree char *text = malloc(limit + 1);
	mk_autoclose int fd = -1;
	size_t used = 0;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	fd = mk_ctx_open(ctx, path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	while (used < limit) {
		n = read(fd, text + used, limit - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	while (used && text[used - 1] == '\n')
		used--;
	text[used] = '\0';
	*ret_text = TAKE_PTR(text);
	return 0;
}

static void device_error(struct mk_error *err, int error)
{
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		mk_error_set(err, MK_ERR_NOT_PERMITTED, MK_DEVICE,
			     "no such device: this kernel has no CONFIG_MULTIKERNEL");
		mk_error_hint(err, "boot a kernel that was built with CONFIG_MULTIKERNEL=y and add mk_pool=SIZE to its command line");
		break;
	case EACCES:
	case EPERM:
		mk_error_set(err, MK_ERR_NOT_PERMITTED, MK_DEVICE,
			     "not permitted: %s", strerror(error));
		mk_error_hint(err, "run it as root");
		break;
	default:
		mk_error_set(err, MK_ERR_FAILED, MK_DEVICE,
			     "cannot open: %s", strerror(error));
	}
}

int mk_ctx_device(struct mk_ctx *ctx, struct mk_error *err)
{
	int fd;

	if (ctx->device_fd >= 0)
		return 0;
	fd = mk_ctx_open(ctx, MK_DEVICE, O_RDWR, 0);
	if (fd < 0) {
		device_error(err, -fd);
		return fd;
	}
	ctx->device_fd = fd;
	return 0;
}

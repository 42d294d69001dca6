// SPDX-License-Identifier: GPL-2.0-only
/*
 * A root folder with no more than the pretended kernel's device in it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mk/libmk.h>

#include "fake_kernel.h"

static char root[] = "/tmp/mk-root.XXXXXX";

static const char *below(const char *path)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s/%s", root, path);
	return text;
}

int fake_setup(void **state)
{
	struct mk_ctx *ctx;
	int fd;

	fake_reset();
	strcpy(strrchr(root, '.'), ".XXXXXX");
	if (!mkdtemp(root) || mkdir(below("dev"), 0700) < 0)
		return -1;
	fd = open(below("dev/multikernel"), O_CREAT | O_RDWR, 0600);
	if (fd < 0 || mk_ctx_new(root, &ctx, NULL) < 0)
		return -1;
	close(fd);
	*state = ctx;
	return 0;
}

int fake_teardown(void **state)
{
	mk_ctx_free(*state);
	unlink(below("dev/multikernel"));
	rmdir(below("dev"));
	return rmdir(root);
}

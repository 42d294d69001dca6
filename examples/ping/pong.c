// SPDX-License-Identifier: GPL-2.0-only
/*
 * pong: listens at a port and sends back what it gets, to one caller after the
 * other. Ends after COUNT callers, else never.
 *
 * usage: pong PORT [COUNT]
 */
#include <stdio.h>

#include <mk/libmk.h>

/* Until the caller closes: 0; or its kernel ends, or something fails. */
static int serve(int fd, struct mk_error *err)
{
	char message[MK_MESSAGE_MAX];
	ssize_t n;
	int r;

	r = mk_channel_wait(fd, -1, err);
	if (r < 0)
		return r;
	while ((n = mk_channel_recv(fd, message, sizeof(message), -1,
				    err)) > 0) {
		r = mk_channel_send(fd, message, (size_t)n, -1, err);
		if (r < 0)
			return r;
	}
	return (int)n;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	struct mk_error err = MK_ERROR_INIT;
	unsigned long i;
	struct mk_ctx *ctx;
	int r;
	int fd;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: pong PORT [COUNT]\n");
		return 2;
	}
	r = mk_ctx_new(NULL, &ctx, &err);
	for (i = 0; r == 0 && (i < count || !count); i++) {
		r = mk_channel_listen(ctx, NULL,
				      (uint32_t)strtoul(argv[1], NULL, 10),
				      &fd, &err);
		if (r < 0)
			break;
		/* What befell one caller is no reason to leave the next. */
		if (serve(fd, &err) < 0)
			fprintf(stderr, "pong: %s: %s\n", err.object,
				err.message);
		mk_channel_close(fd);
	}
	if (r < 0) {
		fprintf(stderr, "pong: %s: %s\n", err.object, err.message);
		return 1;
	}
	mk_ctx_free(ctx);
	return 0;
}

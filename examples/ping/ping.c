// SPDX-License-Identifier: GPL-2.0-only
/*
 * ping: calls pong in another kernel, sends it numbers, and checks that they
 * come back in order. Prints how long one took there and back.
 *
 * usage: ping KERNEL PORT COUNT
 */
#include <stdio.h>

#include <mk/libmk.h>

static int failed(const struct mk_error *err)
{
	fprintf(stderr, "ping: %s: %s\n", err->object, err->message);
	if (err->hint[0])
		fprintf(stderr, "hint: %s\n", err->hint);
	return 1;
}

/* One number there and back; at most a second each way. */
static int exchange(int fd, uint64_t number, struct mk_error *err)
{
	uint64_t back;
	ssize_t n;
	int r;

	r = mk_channel_send(fd, &number, sizeof(number), 1000, err);
	if (r < 0)
		return r;
	n = mk_channel_recv(fd, &back, sizeof(back), 1000, err);
	if (n < 0)
		return (int)n;
	if (n == sizeof(back) && back == number)
		return 0;
	mk_error_set(err, MK_ERR_FAILED, NULL,
		     "%zd bytes came back, not the number %llu", n,
		     (unsigned long long)number);
	return -EBADMSG;
}

int main(int argc, char **argv)
{
	struct mk_error err = MK_ERROR_INIT;
	uint64_t begin_ns, count, i;
	struct mk_ctx *ctx;
	int fd;

	if (argc != 4 || !(count = strtoull(argv[3], NULL, 10))) {
		fprintf(stderr, "usage: ping KERNEL PORT COUNT\n");
		return 2;
	}
	if (mk_ctx_new(NULL, &ctx, &err) < 0 ||
	    mk_channel_open(ctx, argv[1], (uint32_t)strtoul(argv[2], NULL, 10),
			    0, &fd, &err) < 0)
		return failed(&err);
	begin_ns = mk_now_ns();
	for (i = 0; i < count; i++)
		if (exchange(fd, i, &err) < 0)
			return failed(&err);
	printf("ping: %llu numbers to %s and back, %.1f us each\n",
	       (unsigned long long)count, argv[1],
	       (double)(mk_now_ns() - begin_ns) / 1e3 / (double)count);
	mk_channel_close(fd);
	mk_ctx_free(ctx);
	return 0;
}

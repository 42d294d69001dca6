// SPDX-License-Identifier: GPL-2.0-only
/*
 * consumer: gets a share from the producer in another kernel, checks it, owns
 * it in the end, and checks it again when the producer's kernel is dead.
 *
 * usage: consumer KERNEL
 */
#include <string.h>

#include "data.h"

static struct mk_ctx *ctx;

/* What comes over the channel is another kernel's: its size is checked, too. */
static int receive(int fd, void *what, size_t bytes, struct mk_error *err)
{
	ssize_t n = mk_channel_recv(fd, what, bytes, 60000, err);

	if (n < 0)
		return (int)n;
	if (n == (ssize_t)bytes)
		return 0;
	mk_error_set(err, MK_ERR_FAILED, NULL,
		     "a message of %zd bytes, not %zu", n, bytes);
	return -EBADMSG;
}

static int check(const struct offer *offer, const void *addr,
		 struct mk_error *err)
{
	size_t at = first_wrong(addr, SHARE_BYTES / 8, offer->seed);

	if (at == SHARE_BYTES / 8)
		return 0;
	mk_error_set(err, MK_ERR_FAILED, offer->name, "word %zu is wrong", at);
	return -EBADMSG;
}

static int attach(struct offer *offer, uint32_t rights, uint64_t generation,
		  struct mk_share_end *end, void **addr, struct mk_error *err)
{
	int r;

	offer->name[sizeof(offer->name) - 1] = '\0';
	r = mk_share_attach(ctx, offer->name, generation, rights, end, err);
	if (r < 0)
		return r;
	if (end->bytes == SHARE_BYTES)
		return mk_share_map(end, addr, err);
	mk_error_set(err, MK_ERR_FAILED, offer->name, "has %llu bytes",
		     (unsigned long long)end->bytes);
	return -EBADMSG;
}

/* The first half: what is lent. */
static int borrow(int fd, struct offer *offer, struct mk_error *err)
{
	struct mk_share_end end = MK_SHARE_END_NONE;
	const char checked = SAY_CHECKED;
	void *addr = NULL;
	char given;
	int r;

	r = attach(offer, MK_RIGHT_READ, offer->generation, &end, &addr, err);
	if (r == 0)
		r = check(offer, addr, err);
	mk_share_unmap(&end, addr);
	mk_share_close(&end);
	if (r == 0)
		r = mk_channel_send(fd, &checked, 1, 1000, err);
	if (r == 0)
		r = receive(fd, &given, 1, err);
	if (r < 0 || given == SAY_GIVEN)
		return r;
	mk_error_set(err, MK_ERR_FAILED, offer->name, "was not given");
	return -EBADMSG;
}

/* The second half: what is ours, whatever becomes of who made it. */
static int own(int fd, struct offer *offer, struct mk_error *err)
{
	struct mk_share_end end = MK_SHARE_END_NONE;
	void *addr = NULL;
	char byte;
	int r;

	r = attach(offer, MK_RIGHT_READ | MK_RIGHT_WRITE, 0, &end, &addr, err);
	if (r == 0) {
		printf("consumer: waiting for the end of the producer's kernel\n");
		fflush(stdout);
		/* Nothing more is sent, so this tells only of the end. */
		r = (int)mk_channel_recv(fd, &byte, 1, -1, NULL);
		printf("consumer: that has %s\n",
		       r == -EPIPE || r == -ESTALE ? "ended" : "closed");
		r = check(offer, addr, err);
	}
	if (r == 0) {
		fill(addr, SHARE_BYTES / 8, ~offer->seed);
		if (first_wrong(addr, SHARE_BYTES / 8, ~offer->seed) !=
		    SHARE_BYTES / 8)
			r = -EBADMSG;
	}
	mk_share_unmap(&end, addr);
	mk_share_close(&end);
	return r < 0 ? r : mk_share_revoke(ctx, offer->name, 0, NULL, 1000,
					   err);
}

int main(int argc, char **argv)
{
	struct mk_error err = MK_ERROR_INIT;
	struct offer offer;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: consumer KERNEL\n");
		return 2;
	}
	if (mk_ctx_new(NULL, &ctx, &err) < 0 ||
	    mk_channel_listen(ctx, argv[1], PORT, &fd, &err) < 0 ||
	    mk_channel_wait(fd, -1, &err) < 0 ||
	    receive(fd, &offer, sizeof(offer), &err) < 0 ||
	    borrow(fd, &offer, &err) < 0)
		return failed("consumer", &err);
	printf("consumer: 64 MiB are right, and ours\n");
	if (own(fd, &offer, &err) < 0)
		return failed("consumer", &err);
	printf("consumer: still right, rewritten, and given back to the pool\n");
	mk_channel_close(fd);
	mk_ctx_free(ctx);
	return 0;
}

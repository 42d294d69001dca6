// SPDX-License-Identifier: GPL-2.0-only
/*
 * producer: fills a share, offers it to the consumer in another kernel, and
 * when that has checked it, gives it away. Not a byte of it is copied.
 *
 * usage: producer KERNEL SEED
 */
#include <string.h>

#include "data.h"

static struct mk_ctx *ctx;

/* A share full of data that @peer may read. */
static int make_share(const char *peer, struct offer *offer,
		      struct mk_error *err)
{
	struct mk_share_end end = MK_SHARE_END_NONE;
	void *addr;
	int r;

	r = mk_share_create(ctx, offer->name, SHARE_BYTES, NULL, MK_NODE_ANY,
			    &offer->generation, err);
	if (r < 0)
		return r;
	r = mk_share_attach(ctx, offer->name, offer->generation,
			    MK_RIGHT_READ | MK_RIGHT_WRITE, &end, err);
	if (r < 0)
		return r;
	r = mk_share_map(&end, &addr, err);
	if (r == 0) {
		fill(addr, SHARE_BYTES / 8, offer->seed);
		mk_share_unmap(&end, addr);
	}
	mk_share_close(&end);
	if (r < 0)
		return r;
	return mk_share_grant(ctx, offer->name, offer->generation, peer,
			      MK_RIGHT_READ, 0, err);
}

/* Say what there is, and wait until the other one has looked at it. */
static int offer_it(int fd, const struct offer *offer, struct mk_error *err)
{
	char answer;
	ssize_t n;
	int r;

	r = mk_channel_send(fd, offer, sizeof(*offer), 1000, err);
	if (r < 0)
		return r;
	n = mk_channel_recv(fd, &answer, 1, 60000, err);
	if (n < 0)
		return (int)n;
	if (n == 1 && answer == SAY_CHECKED)
		return 0;
	mk_error_set(err, MK_ERR_FAILED, offer->name,
		     "the consumer did not accept it");
	return -EBADMSG;
}

int main(int argc, char **argv)
{
	struct offer offer = { .name = "frames" };
	struct mk_error err = MK_ERROR_INIT;
	const char given = SAY_GIVEN;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: producer KERNEL SEED\n");
		return 2;
	}
	offer.seed = strtoull(argv[2], NULL, 10);
	if (mk_ctx_new(NULL, &ctx, &err) < 0 ||
	    make_share(argv[1], &offer, &err) < 0)
		return failed("producer", &err);
	printf("producer: filled\n");
	if (mk_channel_open(ctx, argv[1], PORT, 0, &fd, &err) < 0 ||
	    offer_it(fd, &offer, &err) < 0 ||
	    mk_share_give(ctx, offer.name, offer.generation, argv[1],
			  &err) < 0 ||
	    mk_channel_send(fd, &given, 1, 1000, &err) < 0)
		return failed("producer", &err);
	printf("producer: given away\n");
	fflush(stdout);
	/* What becomes of this kernel is no concern of the share any more. */
	pause();
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl pfn cat: the bytes of a share.
 */
#include <string.h>

#include "pfn.h"

static const struct option_desc options[] = {
	OPTION_OFFSET,
	OPTION_LENGTH,
	{ "json", 'j', NULL, "print errors as JSON", OPT_BOOL,
	  offsetof(struct options, json) },
	OPTION_END
};

/* By way of a buffer: write(2) from a share does not work everywhere. */
static void write_out(const struct pfn_open *open)
{
	char buf[65536];
	uint64_t done, n;

	for (done = 0; done < open->bytes && !ferror(stdout); done += n) {
		n = open->bytes - done;
		n = n < sizeof(buf) ? n : sizeof(buf);
		memcpy(buf, open->at + done, n);
		fwrite(buf, 1, n, stdout);
	}
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct pfn_open open;
	int r;

	(void)argc;
	r = pfn_open(app, argv[0], 0, MK_RIGHT_READ, &open, err);
	if (r < 0)
		return r;
	write_out(&open);
	pfn_close(&open);
	return 0;
}

const struct command cmd_pfn_cat = {
	.name = "pfn cat",
	.args = "NAME",
	.summary = "Write the bytes of a share to stdout",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};

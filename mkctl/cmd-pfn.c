// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl pfn: shares, which are memory that several kernels have.
 */
#include "pfn.h"

static const struct option_desc options[] = {
	OPTION_JSON,
	OPTION_END
};

static const struct command *const subs[] = {
	&cmd_pfn_share,
	&cmd_pfn_give,
	&cmd_pfn_attach,
	&cmd_pfn_detach,
	&cmd_pfn_revoke,
	&cmd_pfn_cat,
	&cmd_pfn_fill,
	&cmd_pfn_ls,
	NULL
};

const struct command cmd_pfn = {
	.name = "pfn",
	.args = "share|give|attach|detach|revoke|cat|fill|ls",
	.summary = "Share memory with other kernels, and hand it over",
	.details =
		"On the host and inside an instance. The host's kernel is called 'host'.\n"
		"'mkctl pfn COMMAND --help' tells more about one.\n",
	.subs = subs,
	.options = options,
	.min_args = 1,
	.max_args = -1,
};

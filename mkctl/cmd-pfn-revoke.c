// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl pfn revoke: take a share back, from one kernel or from all.
 */
#include "pfn.h"

static const struct option_desc options[] = {
	OPTION_TIMEOUT("wait up to S seconds for the detach (10)"),
	OPTION_JSON,
	OPTION_END
};

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	const char *peer = argc > 1 ? argv[1] : NULL;
	struct json_object *doc;
	int r;

	r = mk_share_revoke(app->ctx, argv[0], 0, peer,
			    app->opts.timeout_s * 1000, err);
	if (r < 0)
		return r;
	if (peer)
		return pfn_done(app, argv[0], err);
	if (!app->opts.json)
		return 0;
	doc = json_document(app->verb);
	json_object_object_add(doc, "share", NULL);
	json_print(doc);
	return 0;
}

const struct command cmd_pfn_revoke = {
	.name = "pfn revoke",
	.args = "NAME [PEER]",
	.summary = "Take a share back from one kernel, or end it",
	.details =
		"Without PEER from all, and its memory goes back to the pool. Who has it attached\n"
		"is told. Exit status 7: still attached after the time limit; it stays revoked,\n"
		"and the memory is used again after the last detach.\n",
	.options = options,
	.min_args = 1,
	.max_args = 2,
	.timeout_s = 10,
	.run = run,
};

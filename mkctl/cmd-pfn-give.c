// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl pfn give: make another kernel the owner of a share.
 */
#include "pfn.h"

static const struct option_desc options[] = {
	OPTION_JSON,
	OPTION_END
};

/* Afterwards it may be none of this kernel's business: then it is not told. */
static void print_given(struct app *app, const char *name, const char *peer)
{
	struct json_object *doc;

	if (pfn_done(app, name, NULL) == 0)
		return;
	if (!app->opts.json) {
		printf("%s: given to %s\n", name, peer);
		return;
	}
	doc = json_document(app->verb);
	json_object_object_add(doc, "share", NULL);
	json_print(doc);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	int r;

	(void)argc;
	r = mk_share_give(app->ctx, argv[0], 0, argv[1], err);
	if (r == 0)
		print_given(app, argv[0], argv[1]);
	return r;
}

const struct command cmd_pfn_give = {
	.name = "pfn give",
	.args = "NAME PEER",
	.summary = "Make another kernel the owner of a share",
	.details =
		"The contents stay, also when the former owner ends. What that has attached it\n"
		"keeps; it cannot attach it again.\n",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl pfn attach and detach: the kernel itself holds a share under its name,
 * beyond the end of any program.
 */
#include <string.h>

#include "pfn.h"

static const struct option_desc attach_options[] = {
	{ "ro", 'r', NULL, "only to read, whatever is granted", OPT_BOOL,
	  offsetof(struct options, ro) },
	OPTION_JSON,
	OPTION_END
};

static const struct option_desc detach_options[] = {
	OPTION_JSON,
	OPTION_END
};

/* What this kernel may do with a share. */
static uint32_t own_rights(const struct mk_share *share,
			   const struct mk_info *info)
{
	uint32_t own_id = info->role == MK_ROLE_INSTANCE ?
			  info->instance_id : 0;
	uint32_t i;

	for (i = 0; i < share->get.nr_holders; i++)
		if (share->holders[i].id == own_id)
			return share->holders[i].rights;
	return 0;
}

static int attach(struct app *app, int argc, char **argv, struct mk_error *err)
{
	uint32_t rights = MK_RIGHT_READ;
	struct mk_share *share;
	struct mk_info info;
	int r;

	(void)argc;
	r = mk_info_get(app->ctx, &info, err);
	if (r < 0)
		return r;
	r = mk_share_find(app->ctx, argv[0], &share, err);
	if (r < 0)
		return r;
	if (!app->opts.ro)
		rights |= own_rights(share, &info);
	r = mk_share_hold(app->ctx, argv[0], share->get.generation, rights,
			  err);
	mk_share_free(share);
	return r < 0 ? r : pfn_done(app, argv[0], err);
}

static int detach(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct json_object *doc;
	int r;

	(void)argc;
	r = mk_share_detach(app->ctx, argv[0], 0, err);
	if (r < 0 || !app->opts.json)
		return r;
	doc = json_document(app->verb);
	json_add_string(doc, "name", argv[0]);
	json_add_bool(doc, "held", false);
	json_print(doc);
	return 0;
}

const struct command cmd_pfn_attach = {
	.name = "pfn attach",
	.args = "NAME",
	.summary = "Let this kernel hold a share until 'pfn detach'",
	.details =
		"With the rights that it was granted. What a program attaches itself goes with\n"
		"that program instead.\n",
	.options = attach_options,
	.min_args = 1,
	.max_args = 1,
	.run = attach,
};

const struct command cmd_pfn_detach = {
	.name = "pfn detach",
	.args = "NAME",
	.summary = "End what 'pfn attach' began",
	.options = detach_options,
	.min_args = 1,
	.max_args = 1,
	.run = detach,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl ready: inside an instance, tell the host that user space is up.
 */
#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_JSON,
	OPTION_END
};

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct json_object *doc;
	int r;

	(void)argc;
	(void)argv;
	r = mk_notify_ready(app->ctx, err);
	if (r < 0 || !app->opts.json)
		return r;
	doc = json_document(app->verb);
	json_add_bool(doc, "ready", true);
	json_print(doc);
	return 0;
}

const struct command cmd_ready = {
	.name = "ready",
	.args = "",
	.summary = "Inside an instance: tell the host that user space is up",
	.options = options,
	.run = run,
};

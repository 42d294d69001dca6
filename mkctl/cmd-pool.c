// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl pool: the memory that instances get theirs from.
 */
#include <string.h>

#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_JSON,
	OPTION_END
};

static void print_json(const struct app *app, const struct mk_info *info)
{
	struct json_object *doc = json_document(app->verb);

	json_add_u64(doc, "pool_bytes", info->pool_bytes);
	json_add_u64(doc, "free_bytes", info->pool_free_bytes);
	json_add_u64(doc, "largest_free_bytes", info->pool_largest_bytes);
	json_add_u64(doc, "ranges", info->nr_pool_ranges);
	json_add_u64(doc, "region_addr", info->region_addr);
	json_add_u64(doc, "region_bytes", info->region_bytes);
	json_add_u64(doc, "start_page", info->start_page);
	json_add_u64(doc, "instances", info->nr_instances);
	json_print(doc);
}

static void print_text(const struct mk_info *info)
{
	char text[MK_SIZE_TEXT_MAX];

	printf("pool:          %s", mk_size_format(info->pool_bytes, text));
	printf(" in %u piece%s\n", info->nr_pool_ranges,
	       info->nr_pool_ranges == 1 ? "" : "s");
	printf("free:          %s\n",
	       mk_size_format(info->pool_free_bytes, text));
	printf("largest piece: %s\n",
	       mk_size_format(info->pool_largest_bytes, text));
	printf("shared region: %s at %#llx\n",
	       mk_size_format(info->region_bytes, text),
	       (unsigned long long)info->region_addr);
	printf("start page:    %#llx\n", (unsigned long long)info->start_page);
	printf("instances:     %u\n", info->nr_instances);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct mk_info info;
	int r;

	(void)argc;
	if (strcmp(argv[0], "show")) {
		mk_error_set(err, MK_ERR_USAGE, NULL, "unknown command '%s'",
			     argv[0]);
		return -EINVAL;
	}
	r = mk_info_get_host(app->ctx, &info, err);
	if (r < 0)
		return r;
	if (app->opts.json)
		print_json(app, &info);
	else
		print_text(&info);
	return 0;
}

const struct command cmd_pool = {
	.name = "pool",
	.args = "show",
	.summary = "Show the memory that instances get theirs from",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};

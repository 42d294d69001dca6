// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl pfn ls: the shares that this kernel may know of; the host all.
 */
#include <string.h>

#include "pfn.h"

static const struct option_desc options[] = {
	{ "pfns", 'p', NULL, "with the ranges of their page frames", OPT_BOOL,
	  offsetof(struct options, pfns) },
	{ "quiet", 'q', NULL, "names only", OPT_BOOL,
	  offsetof(struct options, quiet) },
	OPTION_JSON,
	OPTION_END
};

static void print_extents(const struct mk_share *share)
{
	const struct mk_range *extent;
	uint32_t i;

	for (i = 0; i < share->get.nr_extents; i++) {
		extent = &share->extents[i];
		printf("  frames %#llx-%#llx, node %u\n",
		       (unsigned long long)extent->addr / 4096,
		       (unsigned long long)(extent->addr + extent->bytes) /
		       4096 - 1, extent->node);
	}
}

static void print_share(const struct mk_share *share, int width, bool pfns)
{
	const struct mk_share_get *get = &share->get;
	mk_autofree char *holders = pfn_holders_text(share);
	char size[MK_SIZE_TEXT_MAX];

	printf("%-*s  %4u  %10llu  %-9s  %-8s  %8s  %-4s  %s\n", width,
	       get->name[0] ? get->name : "-", get->id,
	       (unsigned long long)get->generation,
	       mk_share_kind_name(get->kind), mk_share_state_name(get->state),
	       mk_size_format(get->bytes, size), get->kept ? "yes" : "-",
	       holders ? holders : "?");
	if (pfns)
		print_extents(share);
}

static void print_table(const struct mk_share_list *list, bool pfns)
{
	size_t width = strlen("NAME");
	size_t i, len;

	for (i = 0; i < list->nr_items; i++) {
		len = strlen(list->items[i]->get.name);
		width = len > width ? len : width;
	}
	printf("%-*s  %4s  %10s  %-9s  %-8s  %8s  %-4s  %s\n", (int)width,
	       "NAME", "ID", "GENERATION", "KIND", "STATE", "SIZE", "HELD",
	       "HOLDERS");
	for (i = 0; i < list->nr_items; i++)
		print_share(list->items[i], (int)width, pfns);
}

static void print_json(const struct app *app,
		       const struct mk_share_list *list)
{
	struct json_object *doc = json_document(app->verb);
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < list->nr_items; i++)
		json_object_array_add(array, pfn_to_json(list->items[i],
							 app->opts.pfns));
	json_object_object_add(doc, "shares", array);
	json_print(doc);
}

static void print_names(const struct mk_share_list *list)
{
	size_t i;

	for (i = 0; i < list->nr_items; i++)
		if (list->items[i]->get.name[0])
			printf("%s\n", list->items[i]->get.name);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct mk_share_list list;
	int r;

	(void)argc;
	(void)argv;
	r = mk_share_list_get(app->ctx, &list, err);
	if (r < 0)
		return r;
	if (app->opts.json)
		print_json(app, &list);
	else if (app->opts.quiet)
		print_names(&list);
	else
		print_table(&list, app->opts.pfns);
	mk_share_list_clear(&list);
	return 0;
}

const struct command cmd_pfn_ls = {
	.name = "pfn ls",
	.args = "",
	.summary = "List the shares that this kernel owns or may attach",
	.details =
		"The host sees all. HOLDERS are those that may attach a share, the owner first:\n"
		"name, rights, attachments that it has now. HELD: by 'pfn attach' of this kernel.\n",
	.options = options,
	.run = run,
};

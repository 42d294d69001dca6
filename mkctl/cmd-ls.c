// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl ls: all instances, one line each.
 */
#include <string.h>

#include "cmd.h"

static const struct option_desc options[] = {
	{ "quiet", 'q', NULL, "names only", OPT_BOOL,
	  offsetof(struct options, quiet) },
	OPTION_JSON,
	OPTION_END
};

enum { COL_NAME, COL_ID, COL_STATE, COL_CAUSE, COL_CPUS, COL_APICIDS,
       COL_MEMORY, COL_EPOCH, COL_LAST_END, COL_BOOT_ID, NR_COLS };

static const char *const headings[NR_COLS] = {
	"NAME", "ID", "STATE", "CAUSE", "CPUS", "APICIDS", "MEMORY", "EPOCH",
	"LAST-END", "BOOT-ID",
};

#define CELL_MAX	64

/* A list that does not fit ends in "..."; 'mkctl show' has all of it. */
static void fill_list(char cell[CELL_MAX], char *list)
{
	mk_autofree char *text = list;

	if (snprintf(cell, CELL_MAX, "%s", text ? text : "?") >= CELL_MAX)
		strcpy(cell + CELL_MAX - sizeof("..."), "...");
}

static void fill_row(const struct mk_instance *inst,
		     char row[NR_COLS][CELL_MAX])
{
	const struct mk_get *get = &inst->get;
	char size[MK_SIZE_TEXT_MAX];
	char boot_id[BOOT_ID_TEXT_MAX];
	char text[END_TEXT_MAX];

	snprintf(row[COL_NAME], CELL_MAX, "%s", get->name);
	snprintf(row[COL_ID], CELL_MAX, "%u", get->id);
	snprintf(row[COL_STATE], CELL_MAX, "%s", mk_state_name(get->state));
	snprintf(row[COL_CAUSE], CELL_MAX, "%s", cause_text(get, text));
	fill_list(row[COL_CPUS], instance_cpulist(inst));
	fill_list(row[COL_APICIDS], instance_apicids(inst));
	snprintf(row[COL_MEMORY], CELL_MAX, "%s",
		 mk_size_format(get->memory_bytes, size));
	snprintf(row[COL_EPOCH], CELL_MAX, "%u", get->epoch);
	snprintf(row[COL_LAST_END], CELL_MAX, "%s", last_end_text(get, text));
	snprintf(row[COL_BOOT_ID], CELL_MAX, "%s",
		 boot_id_text(get, boot_id));
}

static void print_row(char row[NR_COLS][CELL_MAX], const size_t *widths)
{
	size_t col;

	for (col = 0; col < NR_COLS - 1; col++)
		printf("%-*s  ", (int)widths[col],
		       row[col][0] ? row[col] : "-");
	printf("%s\n", row[col][0] ? row[col] : "-");
}

static int print_table(const struct mk_instance_list *list,
		       struct mk_error *err)
{
	char (*rows)[NR_COLS][CELL_MAX];
	size_t widths[NR_COLS] = { 0 };
	size_t i, col, len;

	rows = calloc(list->nr_items + 1, sizeof(*rows));
	if (!rows) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	for (col = 0; col < NR_COLS; col++)
		snprintf(rows[0][col], CELL_MAX, "%s", headings[col]);
	for (i = 0; i < list->nr_items; i++)
		fill_row(list->items[i], rows[i + 1]);
	for (i = 0; i <= list->nr_items; i++)
		for (col = 0; col < NR_COLS; col++) {
			len = strlen(rows[i][col]);
			widths[col] = len > widths[col] ? len : widths[col];
		}
	for (i = 0; i <= list->nr_items; i++)
		print_row(rows[i], widths);
	free(rows);
	return 0;
}

static void print_json(const struct app *app,
		       const struct mk_instance_list *list)
{
	struct json_object *doc = json_document(app->verb);
	struct json_object *array = json_object_new_array();
	struct json_object *obj;
	size_t i;

	for (i = 0; i < list->nr_items; i++) {
		obj = json_object_new_object();
		json_add_brief(obj, list->items[i]);
		json_object_array_add(array, obj);
	}
	json_object_object_add(doc, "instances", array);
	json_print(doc);
}

static void print_names(const struct mk_instance_list *list)
{
	size_t i;

	for (i = 0; i < list->nr_items; i++)
		printf("%s\n", list->items[i]->get.name);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct mk_instance_list list;
	struct mk_info info;
	int r;

	(void)argc;
	(void)argv;
	r = mk_info_get_host(app->ctx, &info, err);
	if (r < 0)
		return r;
	r = mk_instance_list_get(app->ctx, &list, err);
	if (r < 0)
		return r;
	if (app->opts.json)
		print_json(app, &list);
	else if (app->opts.quiet)
		print_names(&list);
	else
		r = print_table(&list, err);
	mk_instance_list_clear(&list);
	return r;
}

const struct command cmd_ls = {
	.name = "ls",
	.args = "",
	.summary = "List the instances",
	.options = options,
	.run = run,
};

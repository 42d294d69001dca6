// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl pfn fill: write into a share.
 */
#include <string.h>

#include "pfn.h"

static const struct option_desc options[] = {
	OPTION_FROM("with what this file has, from --offset on"),
	OPTION_OFFSET,
	OPTION_LENGTH,
	OPTION_JSON,
	OPTION_END
};

/* "170" or "0xaa" */
static int parse_byte(const char *text, int *ret_byte, struct mk_error *err)
{
	unsigned int byte;
	char *end;

	if (!strncmp(text, "0x", 2) && text[2] && strlen(text) <= 4 &&
	    strspn(text + 2, "0123456789abcdefABCDEF") == strlen(text + 2))
		byte = (unsigned int)strtoul(text, &end, 16);
	else if (mk_number_parse(text, 0, 255, &byte) < 0)
		return usage_error(err, NULL,
				   "a byte is 0 to 255 or 0x00 to 0xff, not '%s'",
				   text);
	*ret_byte = (int)byte;
	return 0;
}

static void print_done(const struct app *app, const char *name,
		       uint64_t bytes)
{
	struct json_object *doc;

	if (!app->opts.json)
		return;
	doc = json_document(app->verb);
	json_add_string(doc, "name", name);
	json_add_u64(doc, "written_bytes", bytes);
	json_print(doc);
}

static int fill(struct app *app, const char *name, int byte,
		const struct pfn_file *file, struct mk_error *err)
{
	struct pfn_open open;
	uint64_t done;
	int r;

	r = pfn_open(app, name, 0, MK_RIGHT_READ | MK_RIGHT_WRITE, &open, err);
	if (r < 0)
		return r;
	done = open.bytes;
	if (file)
		r = pfn_file_read(file, open.at, open.bytes, &done, err);
	else
		memset(open.at, byte, open.bytes);
	pfn_close(&open);
	if (r == 0)
		print_done(app, name, done);
	return r;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	const char *from = app->opts.from;
	struct pfn_file file;
	int byte = 0;
	int r;

	if ((argc > 1) == (from != NULL))
		return usage_error(err, NULL, "needs either BYTE or --from");
	if (!from) {
		r = parse_byte(argv[1], &byte, err);
		return r < 0 ? r : fill(app, argv[0], byte, NULL, err);
	}
	r = pfn_file_open(from, &file, err);
	if (r < 0)
		return r;
	r = fill(app, argv[0], 0, &file, err);
	pfn_file_close(&file);
	return r;
}

const struct command cmd_pfn_fill = {
	.name = "pfn fill",
	.args = "NAME [BYTE]",
	.summary = "Write into a share: a byte everywhere, or a file",
	.options = options,
	.min_args = 1,
	.max_args = 2,
	.run = run,
};

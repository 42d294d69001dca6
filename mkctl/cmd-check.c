// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl check: what would a spawn say? Looks and changes nothing; needs
 * neither root nor a host, but says more on one.
 */
#include <string.h>

#include "../spawn/check.h"
#include "../spawn/config.h"
#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_JSON,
	OPTION_END
};

/*
 * struct report - one run
 * @files: of the JSON document, NULL in text mode
 * @instances: likewise, of the present file
 */
struct report {
	struct app *app;
	struct mk_check check;
	struct json_object *files;
	struct json_object *instances;
};

/* @err is NULL when all is well. */
static struct json_object *verdict_json(const char *key, const char *name,
					const struct mk_error *err)
{
	struct json_object *obj = json_object_new_object();

	json_add_string(obj, key, name);
	json_add_bool(obj, "ok", !err);
	json_object_object_add(obj, "error", err ? json_error(err) : NULL);
	return obj;
}

static void check_one(struct report *report, const char *path,
		      const struct mk_config *config)
{
	struct mk_checked checked = MK_CHECKED_NONE;
	struct mk_error err = MK_ERROR_INIT;
	bool ok;

	ok = mk_check_instance(&report->check, config, path, &checked,
			       &err) == 0;
	mk_checked_clear(&checked);
	if (ok)
		report->app->nr_done++;
	else
		app_add_error(report->app, &err);
	if (report->instances) {
		json_object_array_add(report->instances,
				      verdict_json("name", config->name,
						   ok ? NULL : &err));
		return;
	}
	put_visible(stdout, path);
	printf(": %s: %s\n", config->name, ok ? "ok" : "refused");
}

/* A file that cannot be loaded has no instances that could be checked. */
static void file_refused(struct report *report, const char *path,
			 const struct mk_error *err)
{
	struct json_object *obj;

	app_add_error(report->app, err);
	if (!report->files) {
		put_visible(stdout, path);
		printf(": refused\n");
		return;
	}
	obj = verdict_json("file", path, err);
	json_object_object_add(obj, "instances", json_object_new_array());
	json_object_array_add(report->files, obj);
}

static void check_file(struct report *report, const char *path)
{
	struct mk_error err = MK_ERROR_INIT;
	size_t errors = report->app->nr_errors;
	struct mk_config_file *file;
	struct json_object *obj;
	size_t i;

	if (mk_config_load(path, &file, &err) < 0) {
		file_refused(report, path, &err);
		return;
	}
	if (report->files)
		report->instances = json_object_new_array();
	for (i = 0; i < file->nr_instances; i++)
		check_one(report, path, &file->instances[i]);
	mk_config_file_free(file);
	if (!report->files)
		return;
	obj = verdict_json("file", path, NULL);
	json_add_bool(obj, "ok", report->app->nr_errors == errors);
	json_object_object_add(obj, "instances", report->instances);
	json_object_array_add(report->files, obj);
}

static void print_skipped(const struct mk_check *check)
{
	printf("CPUs, memory and names of this machine were not checked: ");
	if (check->why.object[0]) {
		put_visible(stdout, check->why.object);
		printf(": ");
	}
	put_visible(stdout, check->why.message);
	printf("\n");
}

static void print_json(const struct report *report)
{
	struct json_object *doc = json_document(report->app->verb);
	const struct mk_check *check = &report->check;

	json_add_bool(doc, "machine_checked", check->on_host);
	json_object_object_add(doc, "machine_error",
			       check->on_host ? NULL : json_error(&check->why));
	json_object_object_add(doc, "files", report->files);
	json_print(doc);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct report report = { .app = app };
	int i, r;

	r = mk_check_begin(app->ctx, false, &report.check, err);
	if (r < 0)
		return r;
	if (app->opts.json)
		report.files = json_object_new_array();
	for (i = 0; i < argc; i++)
		check_file(&report, argv[i]);
	if (app->opts.json)
		print_json(&report);
	else if (!report.check.on_host)
		print_skipped(&report.check);
	mk_check_end(&report.check);
	return 0;
}

const struct command cmd_check = {
	.name = "check",
	.args = "FILE.json...",
	.summary = "Check config files; changes nothing",
	.details =
		"Says what spawn would refuse, in the same words, as if the instances were\n"
		"spawned one after the other. On a machine that is no host only the files are\n"
		"checked, and the kernels and initrds that they name.\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};

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
 * struct loaded - one file
 * @file: NULL when it could not be loaded
 * @err: why
 */
struct loaded {
	const char *path;
	struct mk_config_file *file;
	struct mk_error err;
};

/*
 * struct report - one run
 * @files: of the JSON document, NULL in text mode
 * @instances: likewise, of the present file
 * @notes: of the present instance, an array of strings
 */
struct report {
	struct app *app;
	struct mk_check check;
	struct json_object *files;
	struct json_object *instances;
	struct json_object *notes;
};

static void take_note(void *arg, const char *text)
{
	struct report *report = arg;

	json_object_array_add(report->notes, json_object_new_string(text));
}

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

static void print_one(const struct report *report, const char *path,
		      const struct mk_config *config, bool ok)
{
	put_visible(stdout, path);
	printf(": %s: %s\n", config->name, ok ? "ok" : "refused");
	for (size_t i = 0; i < json_object_array_length(report->notes); i++) {
		put_visible(stdout, path);
		printf(": %s: note: %s\n", config->name,
		       json_object_get_string(
			       json_object_array_get_idx(report->notes, i)));
	}
}

static void check_one(struct report *report, const char *path,
		      const struct mk_config *config)
{
	struct mk_checked checked = MK_CHECKED_NONE;
	struct mk_error err = MK_ERROR_INIT;
	struct json_object *verdict;
	bool ok;

	report->notes = json_object_new_array();
	ok = mk_check_instance(&report->check, config, path, &checked,
			       &err) == 0;
	mk_checked_clear(&checked);
	if (ok)
		report->app->nr_done++;
	else
		app_add_error(report->app, &err);
	if (report->instances) {
		verdict = verdict_json("name", config->name, ok ? NULL : &err);
		json_object_object_add(verdict, "notes",
				       json_object_get(report->notes));
		json_object_array_add(report->instances, verdict);
	} else {
		print_one(report, path, config, ok);
	}
	json_object_put(TAKE_PTR(report->notes));
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

static void check_file(struct report *report, const struct loaded *loaded)
{
	const struct mk_config_file *file = loaded->file;
	size_t errors = report->app->nr_errors;
	const char *path = loaded->path;
	struct json_object *obj;
	size_t i;

	if (!file) {
		file_refused(report, path, &loaded->err);
		return;
	}
	if (report->files)
		report->instances = json_object_new_array();
	for (i = 0; i < file->nr_instances; i++)
		check_one(report, path, &file->instances[i]);
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

/* All are read before the first is checked: they speak of each other. */
static int load(struct report *report, char **paths, struct loaded *files,
		size_t nr_files, struct mk_error *err)
{
	const struct mk_config_file *file;
	int r = 0;

	for (size_t i = 0; i < nr_files && r == 0; i++) {
		files[i].path = paths[i];
		if (mk_config_load(paths[i], &files[i].file, &files[i].err) < 0)
			continue;
		file = files[i].file;
		for (size_t j = 0; j < file->nr_instances && r == 0; j++)
			r = mk_check_expect(&report->check,
					    file->instances[j].name, paths[i],
					    err);
	}
	return r;
}

static void check_files(struct report *report, const struct loaded *files,
			size_t nr_files)
{
	if (report->app->opts.json)
		report->files = json_object_new_array();
	for (size_t i = 0; i < nr_files; i++)
		check_file(report, &files[i]);
	if (report->app->opts.json)
		print_json(report);
	else if (!report->check.on_host)
		print_skipped(&report->check);
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct report report = { .app = app };
	size_t nr_files = (size_t)argc;
	struct loaded *files;
	int r;

	r = mk_check_begin(app->ctx, false, &report.check, err);
	if (r < 0)
		return r;
	report.check.note = take_note;
	report.check.note_arg = &report;
	files = calloc(nr_files, sizeof(*files));
	if (!files) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		r = -ENOMEM;
	}
	if (r == 0)
		r = load(&report, argv, files, nr_files, err);
	if (r == 0)
		check_files(&report, files, nr_files);
	mk_check_end(&report.check);
	for (size_t i = 0; files && i < nr_files; i++)
		mk_config_file_free(files[i].file);
	free(files);
	return r;
}

const struct command cmd_check = {
	.name = "check",
	.args = "FILE.json...",
	.summary = "Check config files; changes nothing",
	.details =
		"Says what spawn would refuse, in the same words, as if the instances were\n"
		"spawned one after the other. What two of them say of one share has to agree.\n"
		"A note tells what is no fault: an instance that is named and not there.\n"
		"On a machine that is no host only the files are\n"
		"checked, and the kernels and initrds that they name.\n",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};

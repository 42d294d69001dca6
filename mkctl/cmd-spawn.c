// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl spawn: make and start an instance from its config file.
 */
#include <fcntl.h>
#include <string.h>

#include "../spawn/config.h"
#include "cmd.h"

static const struct option_desc options[] = {
	{ "dry-run", 'n', NULL, "check everything, print the steps, change nothing",
	  OPT_BOOL, offsetof(struct options, dry_run) },
	{ "dtb", 0, "FILE", "with --dry-run: write the device tree to FILE",
	  OPT_STRING, offsetof(struct options, dtb) },
	{ "keep", 'k', NULL, "leave the instance when its start fails",
	  OPT_BOOL, offsetof(struct options, keep) },
	OPTION_TIMEOUT("give up when it does not run after S seconds (60)"),
	OPTION_JSON,
	OPTION_END
};

static void step_to_json(void *arg, const struct mk_step_text *step)
{
	struct json_object *obj = json_object_new_object();

	json_add_string(obj, "name", step->name);
	json_add_string(obj, "description", step->what);
	json_add_string(obj, "undo", step->undo);
	json_object_array_add(arg, obj);
}

static void step_to_text(void *arg, const struct mk_step_text *step)
{
	(void)arg;
	printf("  %-8s ", step->name);
	put_visible(stdout, step->what);
	if (step->undo)
		printf(" [undo: %s]", step->undo);
	printf("\n");
}

static int write_file(const char *path, const void *data, size_t bytes,
		      struct mk_error *err)
{
	FILE *f = fopen(path, "we");
	int error = 0;

	if (!f)
		error = errno;
	if (f && fwrite(data, 1, bytes, f) != bytes)
		error = errno;
	if (f && fclose(f) != 0)
		error = errno;
	if (error)
		mk_error_set(err, MK_ERR_FAILED, path, "cannot write: %s",
			     strerror(error));
	return -error;
}

static int write_dtb(struct app *app, const struct mk_config *config,
		     struct mk_error *err)
{
	mk_autofree void *dtb = NULL;
	size_t bytes;
	int r;

	r = mk_spawn_preview_dtb(app->ctx, config, &dtb, &bytes, err);
	if (r < 0)
		return r;
	return write_file(app->opts.dtb, dtb, bytes, err);
}

static int dry_run(struct app *app, const struct mk_config *config,
		   const char *path, const struct mk_run_options *run_options,
		   struct mk_error *err)
{
	struct json_object *doc;
	struct json_object *steps;
	int r;

	if (!app->opts.json) {
		r = mk_spawn_preview(app->ctx, config, path, run_options,
				     step_to_text, NULL, err);
		return r == 0 && app->opts.dtb ? write_dtb(app, config, err) :
						 r;
	}
	steps = json_object_new_array();
	r = mk_spawn_preview(app->ctx, config, path, run_options, step_to_json,
			     steps, err);
	if (r == 0 && app->opts.dtb)
		r = write_dtb(app, config, err);
	if (r < 0) {
		json_object_put(steps);
		return r;
	}
	doc = json_document(app->verb);
	json_add_string(doc, "name", config->name);
	json_add_bool(doc, "dry_run", true);
	json_object_object_add(doc, "steps", steps);
	json_add_notes(doc, run_options->note_arg);
	json_print(doc);
	return 0;
}

static void print_result(const struct app *app,
			 const struct mk_run_result *result,
			 const struct noting *noting)
{
	struct json_object *doc;

	if (!app->opts.json) {
		print_running(result);
		return;
	}
	doc = json_document(app->verb);
	json_add_brief(doc, result->inst);
	json_add_stages(doc, result);
	json_add_notes(doc, noting);
	json_print(doc);
}

static int spawn(struct app *app, const struct mk_config *config,
		 const char *path, const struct mk_run_options *run_options,
		 struct mk_error *err)
{
	struct mk_change change = MK_CHANGE_NONE;
	struct mk_run_result result;
	int r;

	r = app_begin_change(app, &change, err);
	if (r < 0)
		return r;
	r = mk_spawn(app->ctx, config, path, run_options, &result, err);
	mk_change_end(&change);
	app->log_tail = TAKE_PTR(result.log_tail);
	if (r == 0)
		print_result(app, &result, run_options->note_arg);
	mk_run_result_clear(&result);
	return r;
}

static int spawn_file(struct app *app, const struct mk_config_file *file,
		      struct mk_error *err)
{
	struct noting noting;
	const struct mk_run_options run_options = {
		.timeout_ms = app->opts.timeout_s * 1000,
		.note = print_note,
		.note_arg = &noting,
		.keep = app->opts.keep,
		.cancel = &interrupted,
		.stage = app->opts.json ? NULL : print_stage,
	};
	mk_autofree char *path = realpath(file->path, NULL);
	int r;

	if (file->nr_instances != 1) {
		mk_error_set(err, MK_ERR_CONFIG, file->path,
			     "has %zu instances; spawn takes a file with one",
			     file->nr_instances);
		return -EINVAL;
	}
	noting_begin(&noting, app, file->instances->name);
	r = (app->opts.dry_run ? dry_run : spawn)(app, file->instances,
						  path ? path : file->path,
						  &run_options, err);
	noting_end(&noting);
	return r;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct mk_config_file *file;
	int r;

	(void)argc;
	if (app->opts.dtb && !app->opts.dry_run) {
		mk_error_set(err, MK_ERR_USAGE, NULL,
			     "--dtb works only with --dry-run");
		return -EINVAL;
	}
	r = mk_config_load(argv[0], &file, err);
	if (r < 0)
		return r;
	r = spawn_file(app, file, err);
	mk_config_file_free(file);
	return r;
}

const struct command cmd_spawn = {
	.name = "spawn",
	.args = "FILE.json",
	.summary = "Make an instance from its config file and start it",
	.details =
		"Returns when the instance's kernel says that it starts PID 1, and prints how\n"
		"long each step took. When a step fails, the last lines of the instance's log\n"
		"are shown and everything is taken back.\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.timeout_s = 60,
	.run = run,
};

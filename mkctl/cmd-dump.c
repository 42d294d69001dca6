// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl dump: the memory of an instance as an ELF file for gdb, or the log out
 * of it.
 */
#include <string.h>

#include <mk/dump.h>

#include "cmd.h"

#define PROGRESS_NS	200000000ULL	/* between two lines of progress */

static const struct option_desc options[] = {
	{ "output", 'o', "FILE", "where to; - for standard output", OPT_STRING,
	  offsetof(struct options, output) },
	{ "force", 'f', NULL, "replace FILE if it exists", OPT_BOOL,
	  offsetof(struct options, force) },
	{ "zstd", 'z', NULL, "compress it", OPT_BOOL,
	  offsetof(struct options, zstd) },
	{ "live", 'l', NULL, "do not freeze one that runs", OPT_BOOL,
	  offsetof(struct options, live) },
	{ "dmesg", 'd', NULL, "print the kernel log in its memory, no dump",
	  OPT_BOOL, offsetof(struct options, dmesg) },
	OPTION_JSON,
	OPTION_END
};

/**
 * struct progress - the line on the terminal
 * @shown: there is one
 */
struct progress {
	const char *name;
	uint64_t begin_ns;
	uint64_t last_ns;
	bool shown;
};

static void show_progress(void *arg, uint64_t done_bytes, uint64_t all_bytes)
{
	struct progress *progress = arg;
	uint64_t now_ns = mk_now_ns();
	uint64_t ms = (now_ns - progress->begin_ns) / 1000000;

	if (now_ns - progress->last_ns < PROGRESS_NS &&
	    done_bytes < all_bytes)
		return;
	progress->last_ns = now_ns;
	progress->shown = true;
	fprintf(stderr, "\r%s: %3u%% of %llu MiB, %llu MiB/s\033[K",
		progress->name, (unsigned int)(done_bytes * 100 / all_bytes),
		(unsigned long long)all_bytes >> 20,
		(unsigned long long)((done_bytes >> 10) * 1000 / 1024 /
				     (ms + 1)));
}

static void end_progress(struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r\033[K");
	progress->shown = false;
}

static int check_options(const struct options *opts, struct mk_error *err)
{
	const bool to_stdout = opts->output && !strcmp(opts->output, "-");

	if (opts->dmesg && (opts->output || opts->zstd || opts->force))
		return usage_error(err, NULL,
				   "--dmesg makes no dump: it goes with --live and --json only");
	if (opts->dmesg)
		return 0;
	if (!opts->output)
		return usage_error(err, NULL,
				   "needs -o FILE, or --dmesg for the log alone");
	if (to_stdout && opts->json)
		return usage_error(err, NULL,
				   "-o - and --json both want standard output");
	if (to_stdout && isatty(STDOUT_FILENO)) {
		mk_error_set(err, MK_ERR_USAGE, "stdout",
			     "a dump is not for a terminal");
		mk_error_hint(err, "take -o FILE, or redirect it");
		return -EINVAL;
	}
	return 0;
}

static struct json_object *cpu_json(const struct mk_dump_cpu *cpu)
{
	struct json_object *obj = json_object_new_object();

	json_add_u64(obj, "cpu", cpu->cpu);
	json_add_bool(obj, "registers", cpu->saved);
	if (!cpu->saved)
		return obj;
	json_add_u64(obj, "pid", cpu->pid);
	json_add_u64(obj, "rip", cpu->rip);
	json_add_u64(obj, "rsp", cpu->rsp);
	return obj;
}

static void print_json(const struct app *app, const struct mk_instance *inst,
		       const struct mk_dump_result *result,
		       const struct noting *noting)
{
	struct json_object *doc = json_document(app->verb);
	struct json_object *cpus = json_object_new_array();
	size_t i;

	json_add_string(doc, "name", inst->get.name);
	json_add_string(doc, "state", mk_state_name(inst->get.state));
	json_add_u64(doc, "epoch", inst->get.epoch);
	json_add_string(doc, "file", app->opts.output);
	json_add_string(doc, "compression", app->opts.zstd ? "zstd" : NULL);
	json_add_u64(doc, "memory_bytes", result->memory_bytes);
	json_add_u64(doc, "file_bytes", result->file_bytes);
	json_add_u64(doc, "data_bytes", result->data_bytes);
	json_add_u64(doc, "hole_bytes", result->hole_bytes);
	json_add_bool(doc, "vmcoreinfo", result->vmcoreinfo);
	json_add_bool(doc, "mapped_complete", result->mapped_complete);
	json_add_bool(doc, "frozen", result->frozen);
	json_add_ns(doc, "frozen_ns", result->frozen_ns);
	json_add_u64(doc, "total_ns", result->total_ns);
	json_add_u64(doc, "nr_registers", result->nr_saved);
	for (i = 0; i < result->nr_cpus; i++)
		json_object_array_add(cpus, cpu_json(&result->cpus[i]));
	json_object_object_add(doc, "cpus", cpus);
	json_add_notes(doc, noting);
	json_print(doc);
}

/* To stderr when the dump itself has stdout. */
static void print_text(const struct app *app, const struct mk_instance *inst,
		       const struct mk_dump_result *result)
{
	FILE *out = strcmp(app->opts.output, "-") ? stdout : stderr;
	char file[MK_SIZE_TEXT_MAX], data[MK_SIZE_TEXT_MAX];
	char ms[32];

	fprintf(out, "%s: ", inst->get.name);
	put_visible(out, app->opts.output);
	fprintf(out, ": %s, %s written, registers of %zu of %zu CPUs",
		mk_size_format(result->file_bytes, file),
		mk_size_format(result->data_bytes, data), result->nr_saved,
		result->nr_cpus);
	if (result->frozen)
		fprintf(out, ", frozen for %s ms",
			ms_text(result->frozen_ns, ms));
	fprintf(out, "\n");
}

static void print_missing(const struct mk_dump_result *result,
			  struct noting *noting)
{
	if (!result->vmcoreinfo)
		print_note(noting, "no VMCOREINFO: its kernel had not got so far, or it was overwritten");
	else if (!result->mapped_complete)
		print_note(noting, "not all that its kernel maps could be found: some stacks or modules may be missing");
}

static int write_dump(struct app *app, const struct mk_instance *inst,
		      struct mk_dump_options *how, struct noting *noting,
		      struct mk_error *err)
{
	struct progress progress = {
		.name = inst->get.name,
		.begin_ns = mk_now_ns(),
	};
	struct mk_dump_result result;
	int r;

	if (isatty(STDERR_FILENO)) {
		how->progress = show_progress;
		how->progress_arg = &progress;
	}
	if (!strcmp(app->opts.output, "-")) {
		r = mk_dump_fd(app->ctx, inst, STDOUT_FILENO, how, &result,
			       err);
		mk_error_object(err, "stdout");
	} else {
		r = mk_dump_file(app->ctx, inst, app->opts.output, how,
				 &result, err);
	}
	end_progress(&progress);
	if (r < 0)
		return r;
	print_missing(&result, noting);
	if (app->opts.json)
		print_json(app, inst, &result, noting);
	else
		print_text(app, inst, &result);
	mk_dump_result_clear(&result);
	return 0;
}

/* As mkctl logs prints it. One object a line: a log may be long. */
static int print_line(void *arg, const struct mk_dump_line *line)
{
	const struct app *app = arg;
	struct json_object *obj;

	if (ferror(stdout))
		return 1;	/* main() reports it */
	if (!app->opts.json) {
		printf("[%6llu.%06llu] %s\n",
		       (unsigned long long)line->time_us / 1000000,
		       (unsigned long long)line->time_us % 1000000,
		       line->text);
		return 0;
	}
	obj = json_document("dump-dmesg");
	json_add_u64(obj, "seq", line->seq);
	json_add_u64(obj, "time_us", line->time_us);
	json_add_string(obj, "text", line->text);
	printf("%s\n",
	       json_object_to_json_string_ext(obj,
					      JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(obj);
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct mk_dump_options how = {
		.live = app->opts.live,
		.zstd = app->opts.zstd,
		.force = app->opts.force,
		.cancel = &interrupted,
		.note = print_note,
	};
	struct mk_instance *inst;
	struct noting noting;
	int r;

	(void)argc;
	r = check_options(&app->opts, err);
	if (r < 0)
		return r;
	r = mk_instance_find(app->ctx, argv[0], &inst, err);
	if (r < 0) {
		mk_error_object(err, "%s", argv[0]);
		return r;
	}
	app_catch_signals();
	noting_begin(&noting, app, inst->get.name);
	how.note_arg = &noting;
	if (app->opts.dmesg)
		r = mk_dump_log(app->ctx, inst, &how, print_line, app, err);
	else
		r = write_dump(app, inst, &how, &noting, err);
	noting_end(&noting);
	mk_instance_free(inst);
	return r < 0 ? r : 0;
}

const struct command cmd_dump = {
	.name = "dump",
	.args = "NAME",
	.summary = "Write the memory of an instance into a file for gdb",
	.details =
		"An ELF file like /proc/vmcore, with holes for zeros. One that runs is frozen\n"
		"meanwhile and then goes on. FILE appears when it is complete.\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};

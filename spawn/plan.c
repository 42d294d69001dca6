// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plan engine.
 *
 * A step that fails has changed nothing (each request to the kernel is all or
 * nothing), so exactly the steps before it are undone. The first error is what
 * the user is told; what could not be undone is added to it.
 */
#include <stdio.h>
#include <string.h>

#include "plan.h"

static bool fault_injected(const char *variable, const char *step)
{
	const char *wanted = secure_getenv(variable);

	return wanted && !strcmp(wanted, step);
}

static int run_step(const struct mk_step *step, void *job,
		    const struct mk_run_options *options, struct mk_error *err)
{
	if (options->cancel && *options->cancel) {
		mk_error_set(err, MK_ERR_FAILED, NULL,
			     "interrupted before step '%s'", step->name);
		return -EINTR;
	}
	if (fault_injected("MKCTL_FAIL_STEP", step->name)) {
		mk_error_set(err, MK_ERR_FAILED, NULL,
			     "step '%s' failed on request (MKCTL_FAIL_STEP)",
			     step->name);
		return -ECANCELED;
	}
	return step->run(job, err);
}

static int undo_step(const struct mk_step *step, void *job,
		     struct mk_error *err)
{
	if (!step->undo)
		return 0;
	if (fault_injected("MKCTL_FAIL_UNDO", step->name)) {
		mk_error_set(err, MK_ERR_FAILED, NULL,
			     "failed on request (MKCTL_FAIL_UNDO)");
		return -ECANCELED;
	}
	return step->undo(job, err);
}

static void add_undo_failure(struct mk_error *err, const char *step,
			     const struct mk_error *undo_err)
{
	size_t used;

	if (!err)
		return;
	used = strlen(err->message);
	snprintf(err->message + used, sizeof(err->message) - used,
		 "; and undo of '%s' failed: %s", step, undo_err->message);
	snprintf(err->hint, sizeof(err->hint),
		 "'mkctl ls' shows what is left; the next mkctl that changes something removes it, 'mkctl rm NAME' too");
	err->code = MK_ERR_UNDO;
}

static void undo_steps(const struct mk_step *steps, size_t nr_done, void *job,
		       struct mk_error *err)
{
	while (nr_done-- > 0) {
		struct mk_error undo_err = MK_ERROR_INIT;

		if (undo_step(&steps[nr_done], job, &undo_err) < 0)
			add_undo_failure(err, steps[nr_done].name, &undo_err);
	}
}

static void add_stage(struct mk_stages *stages, const char *name, uint64_t ns,
		      const struct mk_run_options *options)
{
	stages->items[stages->nr_items].name = name;
	stages->items[stages->nr_items].ns = ns;
	stages->nr_items++;
	if (options->stage)
		options->stage(options->stage_arg, name, ns);
}

int mk_plan_run(const struct mk_step *steps, size_t nr_steps, void *job,
		const char *object, const struct mk_run_options *options,
		struct mk_stages *stages, struct mk_error *err)
{
	uint64_t begin_ns = mk_now_ns();
	uint64_t step_ns;
	size_t i;
	int r = 0;

	*stages = (struct mk_stages){ 0 };
	for (i = 0; i < nr_steps && i < MK_STAGES_MAX; i++) {
		step_ns = mk_now_ns();
		r = run_step(&steps[i], job, options, err);
		if (r < 0)
			break;
		add_stage(stages, steps[i].name, mk_now_ns() - step_ns,
			  options);
	}
	if (r < 0) {
		mk_error_object(err, "%s", object);
		if (!options->keep)
			undo_steps(steps, i, job, err);
	}
	stages->total_ns = mk_now_ns() - begin_ns;
	return r < 0 ? r : 0;
}

void mk_plan_describe(const struct mk_step *steps, size_t nr_steps,
		      const void *job,
		      void (*fn)(void *arg, const struct mk_step_text *step),
		      void *arg)
{
	struct mk_step_text text;
	size_t i;

	for (i = 0; i < nr_steps; i++) {
		text.name = steps[i].name;
		text.undo = steps[i].undo ? steps[i].undo_text : NULL;
		steps[i].describe(job, text.what, sizeof(text.what));
		fn(arg, &text);
	}
}

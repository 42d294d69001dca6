/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plan engine: steps forward, and back when one fails.
 */
#ifndef MK_SPAWN_PLAN_H
#define MK_SPAWN_PLAN_H

#include <mk/spawn.h>

/**
 * struct mk_step - one step
 * @name: also the stage's name in output
 * @describe: what it would do, for people
 * @run: does it, all or nothing
 * @undo: takes it back; NULL when there is nothing to take back
 * @undo_text: what @undo does, for people; NULL without @undo
 */
struct mk_step {
	const char *name;
	void (*describe)(const void *job, char *buf, size_t size);
	int (*run)(void *job, struct mk_error *err);
	int (*undo)(void *job, struct mk_error *err);
	const char *undo_text;
};

/**
 * mk_plan_run() - run the steps
 * @object: name for errors that have no object
 * @stages: filled with the steps that were done
 *
 * When a step fails (or options->cancel is set), the steps that were done are
 * undone in reverse, unless options->keep. An undo that fails does not stop
 * the others; the error's code is then MK_ERR_UNDO.
 *
 * Test aids, from the environment: MKCTL_FAIL_STEP=NAME lets that step fail
 * instead of running, MKCTL_FAIL_UNDO=NAME its undo.
 */
int mk_plan_run(const struct mk_step *steps, size_t nr_steps, void *job,
		const char *object, const struct mk_run_options *options,
		struct mk_stages *stages, struct mk_error *err) MK_MUST_CHECK;

/** mk_plan_describe() - call @fn for each step; runs none */
void mk_plan_describe(const struct mk_step *steps, size_t nr_steps,
		      const void *job,
		      void (*fn)(void *arg, const struct mk_step_text *step),
		      void *arg);

#endif /* MK_SPAWN_PLAN_H */

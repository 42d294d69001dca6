// SPDX-License-Identifier: GPL-2.0-only
/*
 * START of an instance that ran before.
 *
 * A start scrubs the memory of the instance. The kernel refuses it while other
 * kernels have frames of that memory attached: those would see the scrub and
 * then a stranger's data. What is done about it is in the config: "references".
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "again.h"
#include "config.h"

#define WAIT_POLL_NS 100000000 /* nobody tells of a detach */

static void note(const struct mk_run_options *options, const char *text)
{
	if (options->note)
		options->note(options->note_arg, text);
}

/* As its config says; without facts as much as it had, anywhere. */
static size_t wanted_memory(const struct mk_instance *inst,
			    const struct mk_facts *facts,
			    struct mk_memory_part parts[MK_CONFIG_NODES])
{
	struct mk_config config = { .memory_bytes = inst->get.memory_bytes };

	_Static_assert(MK_CONFIG_NODES == MK_MAX_RANGES, "nodes of facts");
	if (facts && facts->memory_bytes) {
		config.memory_bytes = facts->memory_bytes;
		config.memory_nodes.nr = facts->nr_memory_nodes;
		memcpy(config.memory_nodes.node, facts->memory_nodes,
		       sizeof(facts->memory_nodes));
	}
	return mk_config_memory_parts(&config, parts);
}

/* An earlier start may have given it back and got no other. */
static int give_memory(struct mk_boot *boot, const struct mk_facts *facts,
		       struct mk_error *err)
{
	struct mk_memory_part parts[MK_CONFIG_NODES];
	struct mk_instance *inst;
	size_t nr_parts;
	bool has_some;
	int r;

	r = mk_instance_get(boot->ctx, boot->id, &inst, err);
	if (r < 0)
		return r;
	has_some = inst->get.memory_bytes;
	nr_parts = wanted_memory(inst, facts, parts);
	mk_instance_free(inst);
	if (has_some || !facts)
		return 0;
	return mk_instance_set_memory(boot->ctx, boot->id, parts, nr_parts,
				      err);
}

static int move(struct mk_boot *boot, const struct mk_facts *facts,
		struct mk_error *err)
{
	struct mk_memory_part parts[MK_CONFIG_NODES];
	struct mk_instance *inst;
	size_t nr_parts;
	int r;

	r = mk_instance_get(boot->ctx, boot->id, &inst, err);
	if (r < 0)
		return r;
	nr_parts = wanted_memory(inst, facts, parts);
	mk_instance_free(inst);
	r = mk_instance_set_memory(boot->ctx, boot->id, NULL, 0, err);
	if (r == 0)
		r = mk_instance_set_memory(boot->ctx, boot->id, parts, nr_parts,
					   err);
	if (r < 0)
		return r;
	note(boot->options,
	     "other kernels still have frames of the boot before: it starts in other memory");
	return mk_boot_start(boot, err);
}

static int refuse_wait(const struct mk_boot *boot, struct mk_error *err)
{
	char why[sizeof(err->message)];

	if (!err)
		return -ETIMEDOUT;
	snprintf(why, sizeof(why), "%s", err->message);
	mk_error_set(err, MK_ERR_TIMEOUT, NULL, "after %u s %s",
		     boot->options->timeout_ms / 1000, why);
	mk_error_hint(
		err,
		"'mkctl pfn ls' names who has them; with \"references\": \"move\" in its config it starts in other memory");
	err->reason = MK_REASON_FRAMES_LENT;
	return -ETIMEDOUT;
}

static int wait_for_detach(struct mk_boot *boot, struct mk_error *err)
{
	const struct timespec pause = { .tv_nsec = WAIT_POLL_NS };
	const struct mk_run_options *options = boot->options;
	uint64_t end_ns = mk_now_ns() + (uint64_t)options->timeout_ms * 1000000;
	struct mk_error why;
	int r;

	note(options,
	     "other kernels still have frames of the boot before: it waits for their detach");
	for (;;) {
		nanosleep(&pause, NULL);
		why = (struct mk_error)MK_ERROR_INIT;
		r = mk_boot_start(boot, &why);
		if (r == 0 || why.reason != MK_REASON_FRAMES_LENT)
			break;
		if (options->cancel && *options->cancel) {
			mk_error_set(
				&why, MK_ERR_FAILED, NULL,
				"interrupted while it waited for a detach");
			r = -EINTR;
			break;
		}
		if (mk_now_ns() >= end_ns) {
			r = refuse_wait(boot, &why);
			break;
		}
	}
	if (r < 0 && err)
		*err = why;
	return r;
}

int mk_boot_start_again(struct mk_boot *boot, const struct mk_facts *facts,
			struct mk_error *err)
{
	struct mk_error why = MK_ERROR_INIT;
	int r;

	r = give_memory(boot, facts, &why);
	if (r == 0)
		r = mk_boot_start(boot, &why);
	if (r < 0 && why.reason == MK_REASON_FRAMES_LENT)
		return facts && facts->peers.references == MK_REFERENCES_WAIT
			       ? wait_for_detach(boot, err)
			       : move(boot, facts, err);
	if (r < 0 && err)
		*err = why;
	return r;
}

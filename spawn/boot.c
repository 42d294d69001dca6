// SPDX-License-Identifier: GPL-2.0-only
/*
 * START and the wait for running, for a new instance and for one that is
 * started again.
 *
 * The device tree is built at the last moment: it carries the wall clock and a
 * seed that no other boot has.
 */
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "dtb.h"

#define LOG_TAIL_LINES	30	/* a panic with its backtrace */
#define CANCEL_POLL_MS	250	/* a signal just before poll(2) is seen then */

int mk_boot_dtb(struct mk_ctx *ctx, const struct mk_instance *inst,
		void **ret_dtb, size_t *ret_bytes, struct mk_error *err)
{
	uint8_t seed[MK_DTB_RNG_SEED_SIZE];
	struct mk_info info;
	struct mk_distances distances;
	struct mk_dtb_params params;
	int r;

	if (getentropy(seed, sizeof(seed)) < 0) {
		r = -errno;
		mk_error_set(err, MK_ERR_FAILED, NULL,
			     "no random bytes: %s", strerror(-r));
		return r;
	}
	r = mk_info_get_host(ctx, &info, err);
	if (r < 0)
		return r;
	r = mk_distances_get(ctx, inst, &distances, err);
	if (r < 0)
		return r;
	params = (struct mk_dtb_params){
		.name = inst->get.name,
		.id = inst->get.id,
		.abi_version = info.abi_version,
		.cpus = inst->cpus,
		.nr_cpus = inst->get.nr_cpus,
		.ranges = inst->ranges,
		.nr_ranges = inst->get.nr_ranges,
		.distances = &distances,
		.region_addr = info.region_addr,
		.region_bytes = info.region_bytes,
		.start_page = info.start_page,
		.handoff_addr = inst->get.handoff_addr,
		.handoff_bytes = inst->get.handoff_bytes,
		.tsc_khz = info.tsc_khz,
		.lapic_khz = info.lapic_khz,
		.wall_ns = info.realtime_ns,
		.wall_tsc = info.tsc,
		.rng_seed = seed,
	};
	r = mk_dtb_build(&params, ret_dtb, ret_bytes, err);
	mk_distances_clear(&distances);
	return r;
}

int mk_boot_start(struct mk_boot *boot, struct mk_error *err)
{
	mk_autofree void *dtb = NULL;
	struct mk_instance *inst;
	size_t dtb_bytes;
	int r;

	r = mk_instance_get(boot->ctx, boot->id, &inst, err);
	if (r < 0)
		return r;
	r = mk_boot_dtb(boot->ctx, inst, &dtb, &dtb_bytes, err);
	mk_instance_free(inst);
	if (r < 0)
		return r;
	return mk_instance_start(boot->ctx, boot->id, dtb, dtb_bytes,
				 &boot->epoch, err);
}

int mk_boot_kill(struct mk_boot *boot, struct mk_error *err)
{
	return mk_instance_kill(boot->ctx, boot->id, MK_CAUSE_KILL, err);
}

void mk_boot_describe_wait(const struct mk_boot *boot, char *buf, size_t size)
{
	snprintf(buf, size, "wait up to %u s until its kernel starts PID 1",
		 boot->options->timeout_ms / 1000);
}

int mk_wait_for(int events_fd, unsigned int timeout_ms,
		const volatile sig_atomic_t *cancel,
		bool (*done)(const struct mk_event *event),
		struct mk_event *ret_event)
{
	uint64_t end_ns = mk_now_ns() + (uint64_t)timeout_ms * 1000000;
	struct mk_event event;
	uint64_t now_ns;
	uint64_t left_ms;
	int r;

	for (;;) {
		now_ns = mk_now_ns();
		left_ms = now_ns < end_ns ? (end_ns - now_ns) / 1000000 + 1 : 0;
		if (left_ms > CANCEL_POLL_MS)
			left_ms = CANCEL_POLL_MS;
		r = mk_events_wait(events_fd, (int)left_ms, &event);
		if (cancel && *cancel)
			return -EINTR;
		if (r == 0 && done(&event))
			break;
		if (r == -ETIMEDOUT && mk_now_ns() >= end_ns)
			return r;
		if (r < 0 && r != -ETIMEDOUT && r != -EINTR)
			return r;
	}
	*ret_event = event;
	return 0;
}

/*
 * The last lines of a log, oldest first in a ring.
 */
struct tail {
	char *lines[LOG_TAIL_LINES];
	size_t nr_seen;
};

static int tail_add(void *arg, const struct mk_log_line *line)
{
	struct tail *tail = arg;
	char **slot = &tail->lines[tail->nr_seen % LOG_TAIL_LINES];

	free(*slot);
	if (asprintf(slot, "[%6llu.%06llu] %s\n",
		     (unsigned long long)line->time_us / 1000000,
		     (unsigned long long)line->time_us % 1000000,
		     line->text) < 0)
		*slot = NULL;
	tail->nr_seen++;
	return 0;
}

static char *tail_join(struct tail *tail)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	char **slot;
	size_t i;

	for (i = 0; i < LOG_TAIL_LINES; i++) {
		slot = &tail->lines[(tail->nr_seen + i) % LOG_TAIL_LINES];
		if (f && *slot)
			fputs(*slot, f);
		free(*slot);
		*slot = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

/* Best effort: it explains an error and must not replace it. */
static char *read_log_tail(struct mk_ctx *ctx, uint32_t id)
{
	struct tail tail = { 0 };
	mk_autoclose int fd = -1;

	if (mk_log_open(ctx, id, &fd, NULL) < 0)
		return NULL;
	if (mk_log_read(fd, tail_add, &tail) < 0 || tail.nr_seen == 0) {
		free(tail_join(&tail));
		return NULL;
	}
	return tail_join(&tail);
}

static bool booted_or_ended(const struct mk_event *event)
{
	return event->state != MK_STATE_STARTING;
}

static int boot_timed_out(struct mk_boot *boot, struct mk_error *err)
{
	struct mk_error kill_err = MK_ERROR_INIT;
	int r;

	mk_error_set(err, MK_ERR_TIMEOUT, NULL,
		     "its kernel did not start PID 1 within %u s",
		     boot->options->timeout_ms / 1000);
	mk_error_hint(err, "a slow machine may need --timeout SECONDS; --keep leaves the instance to look at");
	r = mk_instance_kill(boot->ctx, boot->id, MK_CAUSE_BOOT_TIMEOUT,
			     &kill_err);
	if (r < 0)
		mk_error_set(err, MK_ERR_UNDO, NULL,
			     "its kernel did not start PID 1 within %u s, and it cannot be killed: %s",
			     boot->options->timeout_ms / 1000,
			     kill_err.message);
	return -ETIMEDOUT;
}

static int boot_ended(const struct mk_event *event, struct mk_error *err)
{
	const char *cause = mk_cause_name(event->cause);

	mk_error_set(err, MK_ERR_FAILED, NULL,
		     "it ended while it booted: %s%s%s%s",
		     mk_state_name(event->state), cause[0] ? " (" : "", cause,
		     cause[0] ? ")" : "");
	mk_error_hint(err, "its log says why; --keep leaves the instance to look at");
	return -EIO;
}

static int boot_wait_event(struct mk_boot *boot, int fd, struct mk_error *err)
{
	struct mk_event event;
	int r;

	r = mk_wait_for(fd, boot->options->timeout_ms, boot->options->cancel,
			booted_or_ended, &event);
	if (r == -ETIMEDOUT)
		return boot_timed_out(boot, err);
	if (r == -EINTR) {
		mk_error_set(err, MK_ERR_FAILED, NULL,
			     "interrupted while it booted");
		return r;
	}
	if (r < 0) {
		mk_error_set(err, MK_ERR_FAILED, NULL,
			     "lost sight of it while it booted: %s",
			     strerror(-r));
		return r;
	}
	/* Already asked to stop: it was running, and somebody ends it. */
	if (mk_state_is_end(event.state) || event.state == MK_STATE_STOPPING)
		return boot_ended(&event, err);
	return 0;
}

int mk_boot_wait(struct mk_boot *boot, struct mk_error *err)
{
	mk_autoclose int fd = -1;
	int r;

	r = mk_events_open(boot->ctx, boot->id, &fd, err);
	if (r == 0)
		r = boot_wait_event(boot, fd, err);
	if (r == 0)
		return mk_instance_get(boot->ctx, boot->id, &boot->inst, err);
	boot->log_tail = read_log_tail(boot->ctx, boot->id);
	return r;
}

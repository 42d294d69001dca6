// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pretended kernel: states and who is told of them, watchdog, freezing.
 *
 * A descriptor for events is a pipe into which all that there will be is
 * written when it is opened: what is under way is done while somebody watches.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fake_kernel.h"

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static struct mk_event event_of(const struct fake_instance *inst)
{
	struct mk_event event = {
		.change_seq = inst->get.change_seq,
		.time_ns = now_ns(CLOCK_BOOTTIME),
		.realtime_ns = now_ns(CLOCK_REALTIME),
		.id = inst->get.id,
		.state = inst->get.state,
		.cause = inst->get.cause,
		.epoch = inst->get.epoch,
		.stuck_cpu = inst->get.stuck_cpu,
	};

	memcpy(event.name, inst->get.name, sizeof(event.name));
	return event;
}

void fake_event(const struct fake_instance *inst, uint32_t state)
{
	struct mk_event *event =
		&fake->events[fake->nr_events % FAKE_EVENTS];

	*event = event_of(inst);
	event->state = state;
	event->change_seq = ++fake->nr_events;
}

void fake_state(struct fake_instance *inst, uint32_t state, uint32_t cause)
{
	inst->get.state = state;
	inst->get.cause = cause;
	inst->get.change_seq++;
	fake_event(inst, state);
}

static void send_event(int fd, const struct mk_event *event)
{
	if (write(fd, event, sizeof(*event)) != sizeof(*event))
		abort();
}

static void alive(struct fake_instance *inst)
{
	inst->get.alive_ns = fake_tick();
	inst->get.beats = 5;
	inst->get.features = MK_FEATURES;
	memset(inst->get.boot_id, 0x10 + (int)inst->get.epoch,
	       MK_BOOT_ID_SIZE);
	fake_state(inst, MK_STATE_RUNNING, MK_CAUSE_NONE);
}

static void go_on(struct fake_instance *inst)
{
	if (inst->get.state == MK_STATE_STARTING && fake->boot == FAKE_OK)
		alive(inst);
	else if (inst->get.state == MK_STATE_STARTING &&
		 fake->boot == FAKE_PANIC)
		fake_end(inst, MK_STATE_PANICKED, MK_CAUSE_PANIC);
	else if (inst->get.state == MK_STATE_STOPPING &&
		 fake->stop == FAKE_OK)
		fake_end(inst, MK_STATE_STOPPED, MK_CAUSE_STOP);
}

static void happen(struct fake_instance *inst, const char *what)
{
	if (inst->get.state != MK_STATE_RUNNING)
		return;
	if (!strcmp(what, "panic")) {
		fake_end(inst, MK_STATE_PANICKED, MK_CAUSE_PANIC);
	} else if (!strcmp(what, "hang")) {
		inst->get.nr_stuck = 1;
		inst->get.stuck_cpu = inst->cpus[0];
		fake_state(inst, MK_STATE_UNRESPONSIVE, MK_CAUSE_HANG);
	}
}

static void send_all(int fd)
{
	const char *later = getenv("MKFAKE_LATER");
	uint64_t n = 0, lost = 0;
	struct mk_event event;
	uint32_t id;

	for (id = 1; later && id <= FAKE_INSTANCES; id++)
		if (fake->instances[id].used)
			happen(&fake->instances[id], later);
	if (fake->nr_events > FAKE_EVENTS)
		n = lost = fake->nr_events - FAKE_EVENTS;
	for (; n < fake->nr_events; n++) {
		event = fake->events[n % FAKE_EVENTS];
		event.lost = (uint32_t)lost;
		lost = 0;
		send_event(fd, &event);
	}
}

int fake_events_open(struct fake_instance *inst, int *ret_fd)
{
	struct mk_event event;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		abort();
	*ret_fd = fds[0];
	if (!inst) {
		send_all(fds[1]);
		return 0;
	}
	event = event_of(inst);
	send_event(fds[1], &event);
	go_on(inst);
	event = event_of(inst);
	send_event(fds[1], &event);
	return 0;	/* the writing end stays open: no more events, no end */
}

static int op_watchdog(struct mk_set_watchdog *w)
{
	struct fake_instance *inst = fake_by_id(w->id, &w->refusal);
	int r;

	if (!inst)
		return -ENOENT;
	r = fake_enter("watchdog", &w->refusal);
	if (r < 0)
		return r;
	if (w->timeout_ms && (w->timeout_ms < MK_WATCHDOG_MIN ||
			      w->timeout_ms > MK_WATCHDOG_MAX))
		return fake_refuse(&w->refusal, EINVAL, MK_REASON_WATCHDOG_TIME,
				   w->timeout_ms, MK_WATCHDOG_MIN, NULL);
	inst->get.watchdog_ms = w->timeout_ms;
	return 0;
}

static int op_freeze(struct mk_by_id *b, uint32_t from, uint32_t to,
		     const char *what)
{
	struct fake_instance *inst = fake_by_id(b->id, &b->refusal);
	int r;

	if (!inst)
		return -ENOENT;
	r = fake_enter(what, &b->refusal);
	if (r < 0)
		return r;
	if (inst->get.state == MK_STATE_UNRESPONSIVE && to == MK_STATE_FROZEN)
		return fake_refuse(&b->refusal, ETIMEDOUT,
				   MK_REASON_CPU_NO_ANSWER,
				   inst->get.stuck_cpu, 0, NULL);
	if (inst->get.state != from)
		return fake_refuse(&b->refusal, EBUSY, MK_REASON_BAD_STATE,
				   inst->get.state, 0, NULL);
	fake_state(inst, to, MK_CAUSE_NONE);
	return 0;
}

int fake_health_ioctl(unsigned long request, void *arg)
{
	switch (request) {
	case MK_IOC_SET_WATCHDOG:
		return op_watchdog(arg);
	case MK_IOC_FREEZE:
		return op_freeze(arg, MK_STATE_RUNNING, MK_STATE_FROZEN,
				 "freeze");
	default:
		return op_freeze(arg, MK_STATE_FROZEN, MK_STATE_RUNNING,
				 "thaw");
	}
}

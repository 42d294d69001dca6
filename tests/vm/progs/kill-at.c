// SPDX-License-Identifier: GPL-2.0-only
/*
 * End an instance at a given moment of a boot, to the microsecond as far as the
 * host runs us: a shell would be tens of milliseconds late.
 *
 * usage: kill-at NAME EPOCH US
 *
 * Waits for boot EPOCH of the instance to begin, then until US microseconds
 * after its first CPU was kicked, and kills it without a look at its state.
 * Prints "STATE LATE": in what state it was just before, by its number, and by
 * how many microseconds the request came too late. When it returns with 0, the
 * CPUs are back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <mk/libmk.h>

#define PATIENCE_MS 30000 /* for the boot to begin */

static void __attribute__((noreturn))
fail(const char *what, const struct mk_error *err)
{
	fprintf(stderr, "kill-at: %s: %s\n", what, err ? err->message : "");
	exit(1);
}

static uint64_t boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000),
	};

	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &ts, NULL) ==
	       EINTR)
		;
}

static uint32_t id_of(struct mk_ctx *ctx, const char *name)
{
	struct mk_error err = MK_ERROR_INIT;
	struct mk_instance *inst;
	uint32_t id;

	if (mk_instance_find(ctx, name, &inst, &err) < 0)
		fail("no such instance", &err);
	id = inst->get.id;
	mk_instance_free(inst);
	return id;
}

static void wait_for_boot(struct mk_ctx *ctx, uint32_t id, uint32_t epoch)
{
	struct mk_error err = MK_ERROR_INIT;
	struct mk_event event;
	int fd;

	if (mk_events_open(ctx, id, &fd, &err) < 0)
		fail("no events", &err);
	do {
		if (mk_events_wait(fd, PATIENCE_MS, &event) < 0)
			fail("it does not start", NULL);
	} while (event.epoch < epoch || event.state < MK_STATE_STARTING ||
		 mk_state_is_end(event.state));
	close(fd);
}

/* It is set a moment after the state; the first CPU runs by then. */
static uint64_t kicked_ns(struct mk_ctx *ctx, uint32_t id, uint32_t *ret_state)
{
	struct mk_error err = MK_ERROR_INIT;
	struct mk_instance *inst;
	uint64_t ns;

	if (mk_instance_get(ctx, id, &inst, &err) < 0)
		fail("cannot look at it", &err);
	ns = inst->get.sipi_ns;
	*ret_state = inst->get.state;
	mk_instance_free(inst);
	return ns;
}

int main(int argc, char **argv)
{
	struct mk_error err = MK_ERROR_INIT;
	struct mk_ctx *ctx;
	uint64_t at, now;
	uint32_t id, state;

	if (argc != 4)
		return 2;
	if (mk_ctx_new(NULL, &ctx, &err) < 0)
		fail("no context", &err);
	id = id_of(ctx, argv[1]);
	wait_for_boot(ctx, id, (uint32_t)strtoul(argv[2], NULL, 10));
	at = kicked_ns(ctx, id, &state);
	if (!at)
		fail("its first CPU was not kicked", NULL);
	at += strtoull(argv[3], NULL, 10) * 1000;
	sleep_until(at);
	(void)kicked_ns(ctx, id, &state);
	now = boot_ns();
	if (mk_instance_kill(ctx, id, MK_CAUSE_KILL, &err) < 0)
		fail("cannot kill", &err);
	printf("%u %llu\n", state, (unsigned long long)(now - at) / 1000);
	mk_ctx_free(ctx);
	return 0;
}

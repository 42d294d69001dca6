// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Freeze and thaw around a dump: see dump_hold.h.
 *
 * A dump may take minutes, and whoever gets tired of it may use kill -9. So a
 * second process waits on a pipe, and thaws when the first one is gone.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "dump_hold.h"

static void note(const struct mk_dump_options *options, const char *text)
{
	if (options->note)
		options->note(options->note_arg, text);
}

/* @fd gives a byte when all is well, and its end when nobody is there. */
static void guard(struct mk_ctx *ctx, uint32_t id, int fd)
{
	ssize_t n;
	char byte;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 0 && mk_instance_thaw(ctx, id, NULL) < 0);
}

static int guard_begin(struct dump_hold *hold, struct mk_error *err)
{
	int fds[2];
	int error;

	if (pipe2(fds, O_CLOEXEC) < 0)
		goto out_errno;
	hold->guard = fork();
	if (hold->guard < 0) {
		error = errno;
		close(fds[0]);
		close(fds[1]);
		errno = error;
		goto out_errno;
	}
	if (hold->guard == 0) {
		close(fds[1]);
		guard(hold->ctx, hold->inst->get.id, fds[0]);
	}
	close(fds[0]);
	hold->guard_fd = fds[1];
	return 0;

out_errno:
	error = errno;
	mk_error_set(err, MK_ERR_FAILED, NULL,
		     "cannot start what would thaw it: %s", strerror(error));
	return -error;
}

static void guard_end(struct dump_hold *hold)
{
	if (hold->guard < 0)
		return;
	if (write(hold->guard_fd, "", 1) != 1)
		kill(hold->guard, SIGKILL);
	close(hold->guard_fd);
	while (waitpid(hold->guard, NULL, 0) < 0 && errno == EINTR)
		;
	hold->guard = -1;
	hold->guard_fd = -1;
}

static uint32_t state_now(const struct dump_hold *hold)
{
	uint32_t state = MK_NR_STATES;
	struct mk_instance *inst;

	if (mk_instance_get(hold->ctx, hold->inst->get.id, &inst, NULL) == 0) {
		state = inst->get.state;
		mk_instance_free(inst);
	}
	return state;
}

/* The guard first: there is no moment in which nobody would thaw. */
static int freeze(struct dump_hold *hold, struct mk_error *err)
{
	int r = guard_begin(hold, err);

	if (r < 0)
		return r;
	r = mk_instance_freeze(hold->ctx, hold->inst->get.id, err);
	if (r == 0) {
		hold->frozen = true;
		hold->since_ns = mk_now_ns();
	} else {
		guard_end(hold);
	}
	return r;
}

/* One that hangs does not, and one may end just now: neither is a reason. */
static int freeze_or_note(struct dump_hold *hold,
			  const struct mk_dump_options *options,
			  struct mk_error *err)
{
	struct mk_error why = MK_ERROR_INIT;
	char text[640];
	int r;

	r = freeze(hold, &why);
	if (r == 0 || mk_state_is_end(state_now(hold)))
		return 0;
	if (hold->inst->get.state == MK_STATE_UNRESPONSIVE) {
		snprintf(text, sizeof(text),
			 "not frozen (%s): what it changes meanwhile is in the dump in part",
			 why.message);
		note(options, text);
		return 0;
	}
	if (err)
		*err = why;
	if (err && why.reason != MK_REASON_NO_INSTANCE)
		snprintf(err->hint, sizeof(err->hint),
			 "--live dumps it without freezing it");
	return r;
}

int dump_hold_begin(struct mk_ctx *ctx, const struct mk_instance *inst,
		    const struct mk_dump_options *options,
		    struct dump_hold *ret_hold, struct mk_error *err)
{
	*ret_hold = (struct dump_hold)DUMP_HOLD_NONE;
	ret_hold->ctx = ctx;
	ret_hold->inst = inst;
	switch (inst->get.state) {
	case MK_STATE_RUNNING:
	case MK_STATE_UNRESPONSIVE:
		if (!options->live)
			return freeze_or_note(ret_hold, options, err);
		break;
	case MK_STATE_STARTING:
	case MK_STATE_STOPPING:
		note(options, "it is starting or stopping and cannot be frozen: what it changes meanwhile is in the dump in part");
		break;
	}
	return 0;
}

int dump_hold_end(struct dump_hold *hold, uint64_t *ret_ns,
		  struct mk_error *err)
{
	struct mk_error why = MK_ERROR_INIT;
	int r = 0;

	if (hold->frozen) {
		r = mk_instance_thaw(hold->ctx, hold->inst->get.id, &why);
		*ret_ns = mk_now_ns() - hold->since_ns;
		hold->frozen = false;
	}
	guard_end(hold);
	/* Somebody else may have thawed or killed it. */
	if (r == 0 || state_now(hold) != MK_STATE_FROZEN)
		return 0;
	mk_error_set(err, MK_ERR_UNDO, hold->inst->get.name,
		     "dumped, but it does not go on: %s", why.message);
	mk_error_hint(err, "'mkctl thaw %s' tries again",
		      hold->inst->get.name);
	return r;
}

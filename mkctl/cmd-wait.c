// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl wait: until an instance is in one of some states.
 *
 * Events of all instances tell every state, also one that lasts only for a
 * moment; those of one instance only the last. Where events were lost, and at
 * the beginning, the present state is looked at.
 */
#include <string.h>
#include <time.h>

#include "cmd.h"

#define STATES_ALL	((1u << MK_NR_STATES) - 1)
#define STATE_GONE	(1u << MK_NR_STATES)
#define ENDS		(1u << MK_STATE_STOPPED | 1u << MK_STATE_PANICKED | \
			 1u << MK_STATE_KILLED | 1u << MK_STATE_FAILED)

static const struct option_desc options[] = {
	{ "for", 'f', "STATE,...",
	  "until it is in one of these states; 'ended': in any end", OPT_STRING,
	  offsetof(struct options, states) },
	OPTION_TIMEOUT("give up after S seconds; else it waits for ever"),
	{ "ended", 'e', NULL,
	  "an end is no reason to give up: it may be started again", OPT_BOOL,
	  offsetof(struct options, ended) },
	OPTION_JSON,
	OPTION_END
};

/**
 * struct waiting - what is waited for
 * @wanted: bits by enum mk_state, STATE_GONE
 * @again: it may be started again after an end
 * @since_ns: on CLOCK_BOOTTIME: what was before is not meant
 * @end_ns: on CLOCK_MONOTONIC: when to give up; 0 for never
 */
struct waiting {
	struct mk_ctx *ctx;
	const char *name;
	uint32_t id;
	uint32_t wanted;
	bool again;
	uint64_t since_ns;
	uint64_t end_ns;
};

static uint32_t state_bit(uint32_t state)
{
	return state == MK_STATE_GONE ? STATE_GONE : 1u << state;
}

static int parse_states(const char *text, uint32_t *ret_wanted,
			struct mk_error *err)
{
	char word[24];
	uint32_t wanted = 0;
	uint32_t state;
	size_t n;

	if (!text)
		return usage_error(err, NULL, "needs --for STATE");
	for (;; text += n + 1) {
		n = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", (int)n, text);
		if (!strcmp(word, "ended")) {
			wanted |= ENDS;
		} else if (mk_state_parse(word, &state) == 0) {
			wanted |= state_bit(state);
		} else {
			usage_error(err, NULL, "--for: '%.*s' is no state",
				    (int)n, text);
			mk_error_hint(err, "created, loaded, starting, running, unresponsive, frozen, stopping, stopped, panicked, killed, failed, gone, or ended for any of the four ends");
			return -EINVAL;
		}
		if (!text[n])
			break;
	}
	*ret_wanted = wanted;
	return 0;
}

/* What may come after a state: a life goes one way, but for its middle. */
static uint32_t reachable(uint32_t state, bool again)
{
	const uint32_t started = STATES_ALL & ~(1u << MK_STATE_CREATED |
						1u << MK_STATE_LOADED);
	uint32_t to = STATE_GONE;

	if (mk_state_is_end(state))
		return again ? to | started : to;
	to |= again ? started : ENDS | 1u << MK_STATE_STOPPING;
	switch (state) {
	case MK_STATE_CREATED:
		return to | STATES_ALL;
	case MK_STATE_LOADED:
		return to | started | 1u << MK_STATE_LOADED;
	case MK_STATE_STARTING:
		return to | started;
	case MK_STATE_RUNNING:
	case MK_STATE_UNRESPONSIVE:
	case MK_STATE_FROZEN:
		return to | (started & ~(1u << MK_STATE_STARTING));
	default:
		return to;
	}
}

static int unreachable(const struct mk_get *get, struct mk_error *err)
{
	const char *cause = mk_cause_name(get->cause);
	bool ended = mk_state_is_end(get->state);

	mk_error_set(err, MK_ERR_BUSY, get->name,
		     "it %s %s%s%s%s, so what is waited for cannot come any more",
		     ended ? "has ended:" : "is", mk_state_name(get->state),
		     cause[0] ? " (" : "", cause, cause[0] ? ")" : "");
	if (ended)
		mk_error_hint(err, "with --ended it is waited for until somebody starts it again");
	return -EBUSY;
}

static int gone(const struct waiting *w, struct mk_error *err)
{
	mk_error_set(err, MK_ERR_NOT_FOUND, w->name,
		     "it was removed meanwhile");
	return -ENODEV;
}

static void event_of(const struct mk_get *get, struct mk_event *event)
{
	*event = (struct mk_event){
		.id = get->id,
		.state = get->state,
		.cause = get->cause,
		.epoch = get->epoch,
		.stuck_cpu = get->stuck_cpu,
	};
}

/* 1 when it is in a wanted state, 0 when it may still come there. */
static int look(const struct waiting *w, struct mk_event *ret_event,
		struct mk_error *err)
{
	struct mk_instance *inst;
	int r;

	r = mk_instance_get(w->ctx, w->id, &inst, err);
	if (r == -ENOENT)
		return gone(w, err);
	if (r < 0)
		return r;
	if (w->wanted & state_bit(inst->get.state)) {
		event_of(&inst->get, ret_event);
		r = 1;
	} else if (!(w->wanted & reachable(inst->get.state, w->again))) {
		r = unreachable(&inst->get, err);
	}
	mk_instance_free(inst);
	return r;
}

/* -1: as long as it takes */
static int left_ms(const struct waiting *w)
{
	uint64_t now_ns = mk_now_ns();

	if (!w->end_ns)
		return -1;
	return now_ns < w->end_ns ?
	       (int)((w->end_ns - now_ns) / 1000000) + 1 : 0;
}

static int lost_sight(const struct waiting *w, int r, struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, w->name, "lost sight of it: %s",
		     strerror(-r));
	return r;
}

/* 1 when an event is a wanted one, 0 for another, -errno for none in time. */
static int next_event(const struct waiting *w, int fd, int timeout_ms,
		      struct mk_event *ret_event, struct mk_error *err)
{
	struct mk_event event;
	int r = mk_events_wait(fd, timeout_ms, &event);

	if (r == -ETIMEDOUT)
		return r;
	if (r < 0)
		return lost_sight(w, r, err);
	if (event.id != w->id || event.time_ns < w->since_ns)
		return 0;
	if (w->wanted & state_bit(event.state)) {
		*ret_event = event;
		return 1;
	}
	return event.state == MK_STATE_GONE ? gone(w, err) : 0;
}

static int wait_for_state(const struct waiting *w, int fd,
			  struct mk_event *ret_event, struct mk_error *err)
{
	int r;

	for (;;) {
		/* All that is there already, then how it is now */
		do
			r = next_event(w, fd, 0, ret_event, err);
		while (r == 0);
		if (r == -ETIMEDOUT)
			r = look(w, ret_event, err);
		if (r == 0 && left_ms(w) == 0)
			return -ETIMEDOUT;
		if (r == 0)
			r = next_event(w, fd, left_ms(w), ret_event, err);
		if (r && r != -ETIMEDOUT)
			return r < 0 ? r : 0;
	}
}

static void print_reached(const struct app *app, const char *name,
			  const struct mk_event *event)
{
	const char *cause = mk_cause_name(event->cause);
	struct json_object *doc;

	if (!app->opts.json) {
		printf("%s: %s%s%s%s\n", name, mk_state_name(event->state),
		       cause[0] ? " (" : "", cause, cause[0] ? ")" : "");
		return;
	}
	doc = json_document(app->verb);
	json_add_string(doc, "name", name);
	json_add_u64(doc, "id", event->id);
	json_add_string(doc, "state", mk_state_name(event->state));
	json_add_string(doc, "cause", cause[0] ? cause : NULL);
	json_add_u64(doc, "epoch", event->epoch);
	json_print(doc);
}

static int timed_out(const struct app *app, const char *name,
		     struct mk_error *err)
{
	mk_error_set(err, MK_ERR_TIMEOUT, name, "not %s after %u s",
		     app->opts.states, app->opts.timeout_s);
	mk_error_hint(err, "'mkctl show %s' tells how it is", name);
	return -ETIMEDOUT;
}

static uint64_t boottime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	struct waiting w = {
		.ctx = app->ctx,
		.name = argv[0],
		.again = app->opts.ended,
		.since_ns = boottime_ns(),
	};
	struct mk_event event = { .state = MK_STATE_GONE };
	struct mk_instance *inst;
	mk_autoclose int fd = -1;
	int r;

	(void)argc;
	r = parse_states(app->opts.states, &w.wanted, err);
	if (r < 0)
		return r;
	if (app->opts.timeout_s)
		w.end_ns = mk_now_ns() + app->opts.timeout_s * 1000000000ull;
	r = mk_events_open(app->ctx, 0, &fd, err);
	if (r == 0)
		r = mk_instance_find(app->ctx, w.name, &inst, err);
	if (r == 0) {
		w.id = inst->get.id;
		mk_instance_free(inst);
		r = wait_for_state(&w, fd, &event, err);
	}
	/* What is waited for may be that it is gone. */
	if ((r == -ENOENT || r == -ENODEV) && (w.wanted & STATE_GONE))
		r = 0;
	if (r == 0)
		print_reached(app, w.name, &event);
	else if (r == -ETIMEDOUT)
		r = timed_out(app, w.name, err);
	mk_error_object(err, "%s", w.name);
	return r;
}

const struct command cmd_wait = {
	.name = "wait",
	.args = "NAME",
	.summary = "Wait until an instance is in a state",
	.details =
		"Returns at once when it is there already. Status 7 when time is up, 5 when it\n"
		"has ended otherwise or the state cannot come any more, 4 when it was removed.\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};

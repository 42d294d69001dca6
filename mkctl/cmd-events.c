// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl events: what states instances came into, as far back as the kernel
 * remembers, and as it happens.
 */
#include <string.h>
#include <time.h>

#include "cmd.h"

static const struct option_desc options[] = {
	{ "follow", 'f', NULL, "go on as they come", OPT_BOOL,
	  offsetof(struct options, follow) },
	OPTION_JSON,
	OPTION_END
};

static void print_json(const struct mk_event *event)
{
	const char *cause = mk_cause_name(event->cause);
	bool stuck = event->state == MK_STATE_UNRESPONSIVE;
	struct json_object *doc = json_document("events");

	json_add_u64(doc, "seq", event->change_seq);
	json_add_u64(doc, "time_ns", event->time_ns);
	json_add_u64(doc, "realtime_ns", event->realtime_ns);
	json_add_string(doc, "name", event->name);
	json_add_u64(doc, "id", event->id);
	json_add_string(doc, "state", mk_state_name(event->state));
	json_add_string(doc, "cause", cause[0] ? cause : NULL);
	json_add_u64(doc, "epoch", event->epoch);
	json_object_object_add(doc, "stuck_cpu", stuck ?
			       json_object_new_uint64(event->stuck_cpu) : NULL);
	json_add_u64(doc, "lost", event->lost);
	printf("%s\n",
	       json_object_to_json_string_ext(doc,
					      JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

static void print_text(const struct mk_event *event)
{
	const char *cause = mk_cause_name(event->cause);
	time_t seconds = (time_t)(event->realtime_ns / 1000000000);
	char when[32] = "?";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%F %T", &tm);
	printf("%s.%03u  %-12s  boot %-3u  %s", when,
	       (unsigned int)(event->realtime_ns / 1000000 % 1000),
	       event->name, event->epoch, mk_state_name(event->state));
	if (cause[0])
		printf(" (%s)", cause);
	if (event->state == MK_STATE_UNRESPONSIVE)
		printf(", CPU %u", event->stuck_cpu);
	printf("\n");
}

static void print_event(const struct app *app, const struct mk_event *event)
{
	if (app->opts.json) {
		print_json(event);
		return;
	}
	if (event->lost)
		fprintf(stderr, "mkctl: events: %u older events are lost\n",
			event->lost);
	print_text(event);
}

/* 0 at the end of what there is; of one that is followed, at its end. */
static int print_all(struct app *app, int fd, const char *name,
		     size_t *nr_printed)
{
	struct mk_event event;
	bool history = true;
	int r;

	for (;;) {
		r = mk_events_wait(fd, history ? 0 : -1, &event);
		if (r == -ETIMEDOUT && app->opts.follow) {
			history = false;
			fflush(stdout);
			if (ferror(stdout))
				return 0;	/* main() reports it */
			continue;
		}
		if (r == -EINTR)
			continue;
		if (r < 0)
			return r == -ETIMEDOUT ? 0 : r;
		event.name[sizeof(event.name) - 1] = '\0';
		if (name && strcmp(name, event.name))
			continue;
		print_event(app, &event);
		(*nr_printed)++;
		if (!history)
			fflush(stdout);
		if (!history && name && event.state == MK_STATE_GONE)
			return 0;
	}
}

/* A name that no event speaks of is perhaps none. */
static int check_name(struct app *app, const char *name, struct mk_error *err)
{
	struct mk_instance *inst;
	int r = mk_instance_find(app->ctx, name, &inst, err);

	if (r < 0) {
		mk_error_object(err, "%s", name);
		return r;
	}
	mk_instance_free(inst);
	return 0;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	const char *name = argc ? argv[0] : NULL;
	mk_autoclose int fd = -1;
	size_t nr_printed = 0;
	struct mk_info info;
	int r;

	r = mk_info_get_host(app->ctx, &info, err);
	if (r == 0)
		r = mk_events_open(app->ctx, 0, &fd, err);
	if (r == 0 && name && app->opts.follow)
		r = check_name(app, name, err);
	if (r < 0)
		return r;
	r = print_all(app, fd, name, &nr_printed);
	if (r < 0) {
		mk_error_set(err, MK_ERR_FAILED, NULL,
			     "cannot read the events: %s", strerror(-r));
		return r;
	}
	return name && !nr_printed ? check_name(app, name, err) : 0;
}

const struct command cmd_events = {
	.name = "events",
	.args = "[NAME]",
	.summary = "Print what states instances came into, and when",
	.details =
		"As far back as the kernel remembers (256 events of all instances), oldest\n"
		"first; with a name only those of instances of that name. With --follow it goes\n"
		"on; of one instance until that is removed.\n",
	.options = options,
	.max_args = 1,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mkd does, a line each on stderr; with the level in front as
 * sd-daemon(3) has it when the journal reads it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "mkd.h"

/* JOURNAL_STREAM is inherited; only its own stream counts. */
static bool journal_reads(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	       st.st_ino == ino;
}

void mkd_say(int level, const char *name, const char *fmt, ...)
{
	char text[1400], visible[MK_TEXT_VISIBLE_MAX(sizeof(text))];
	char prefix[8] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mk_text_visible(visible, sizeof(visible), text, strlen(text));
	if (journal_reads())
		snprintf(prefix, sizeof(prefix), "<%d>", level);
	fprintf(stderr, "%smkd: %s%s%s\n", prefix, name ? name : "",
		name ? ": " : "", visible);
}

void mkd_say_error(const char *name, const char *what,
		   const struct mk_error *err)
{
	bool same = name && !strcmp(err->object, name);

	mkd_say(LOG_ERR, name, "%s: %s%s%s%s%s", what,
		same ? "" : err->object, same || !err->object[0] ? "" : ": ",
		err->message, err->hint[0] ? "; " : "", err->hint);
}

const char *mkd_state_text(uint32_t state, uint32_t cause,
			   char buf[MKD_STATE_TEXT_MAX])
{
	const char *why = mk_cause_name(cause);

	snprintf(buf, MKD_STATE_TEXT_MAX, "%s%s%s%s", mk_state_name(state),
		 why[0] ? " (" : "", why, why[0] ? ")" : "");
	return buf;
}

const char *mkd_try_text(const struct mk_policy *policy,
			 const struct mkd_record *record,
			 char buf[MKD_TRY_TEXT_MAX])
{
	if (policy->max)
		snprintf(buf, MKD_TRY_TEXT_MAX, "try %u of %u", record->tries,
			 policy->max);
	else
		snprintf(buf, MKD_TRY_TEXT_MAX, "try %u", record->tries);
	return buf;
}

static void say_left(const struct mk_policy *policy,
		     const struct mkd_view *view, const char *name,
		     const char *state)
{
	if (view->held_epoch == view->epoch)
		mkd_say(LOG_NOTICE, name, "%s: stays so, somebody stopped it",
			state);
	else if (view->cause == MK_CAUSE_STOP || view->cause == MK_CAUSE_KILL)
		mkd_say(LOG_INFO, name, "%s: stays so, somebody asked for it",
			state);
	else
		mkd_say(LOG_INFO, name,
			"%s: stays so, its policy is restart %s, on reboot %s",
			state, mk_restart_name(policy->restart),
			policy->start_after_reboot ? "start" : "stop");
}

void mkd_say_decided(enum mkd_action action, const struct mk_policy *policy,
		     const struct mkd_view *view,
		     const struct mkd_record *record)
{
	uint64_t ns = record->due_ns > view->now_ns ?
		      record->due_ns - view->now_ns : 0;
	char state[MKD_STATE_TEXT_MAX], try[MKD_TRY_TEXT_MAX];

	mkd_state_text(view->state, view->cause, state);
	mkd_try_text(policy, record, try);
	if (action == MKD_PLAN)
		mkd_say(LOG_WARNING, record->name,
			"%s: starts again in %llu.%llu s, %s", state,
			(unsigned long long)ns / 1000000000,
			(unsigned long long)ns / 100000000 % 10, try);
	else if (action == MKD_GIVE_UP)
		mkd_say(LOG_ERR, record->name,
			"%s: given up after %u starts in a row, none ran for %u s; 'mkctl start %s' begins anew",
			state, record->tries, policy->window_s, record->name);
	else
		say_left(policy, view, record->name, state);
}

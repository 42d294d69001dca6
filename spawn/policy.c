// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy of an instance: its words, and its form in state files.
 */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "policy.h"

static const char *const restart_names[] = {
	[MK_RESTART_NEVER]	= "never",
	[MK_RESTART_ON_FAILURE]	= "on-failure",
	[MK_RESTART_ALWAYS]	= "always",
};

static const char *const on_hang_names[] = {
	[MK_ON_HANG_REPORT]	= "report",
	[MK_ON_HANG_KILL]	= "kill",
	[MK_ON_HANG_DUMP]	= "dump-and-restart",
};

void mk_policy_init(struct mk_policy *policy)
{
	*policy = (struct mk_policy){
		.max = MK_POLICY_MAX_DEFAULT,
		.window_s = MK_POLICY_WINDOW_DEFAULT,
		.backoff_s = MK_POLICY_BACKOFF_DEFAULT,
		.backoff_max_s = MK_POLICY_BACKOFF_MAX_DEFAULT,
	};
}

const char *mk_restart_name(enum mk_restart restart)
{
	return restart_names[restart];
}

const char *mk_on_hang_name(enum mk_on_hang on_hang)
{
	return on_hang_names[on_hang];
}

static int parse_word(const char *const *names, size_t nr, const char *name)
{
	for (size_t i = 0; name && i < nr; i++)
		if (!strcmp(name, names[i]))
			return (int)i;
	return -EINVAL;
}

int mk_restart_parse(const char *name, enum mk_restart *ret_restart)
{
	int i = parse_word(restart_names, MK_ARRAY_SIZE(restart_names), name);

	if (i >= 0)
		*ret_restart = (enum mk_restart)i;
	return i < 0 ? i : 0;
}

int mk_on_hang_parse(const char *name, enum mk_on_hang *ret_on_hang)
{
	int i = parse_word(on_hang_names, MK_ARRAY_SIZE(on_hang_names), name);

	if (i >= 0)
		*ret_on_hang = (enum mk_on_hang)i;
	return i < 0 ? i : 0;
}

static int put_limits(char *buf, size_t size, const struct mk_policy *p)
{
	char max[32] = "as often as needed";

	if (p->max)
		snprintf(max, sizeof(max), "at most %u times", p->max);
	return snprintf(buf, size, " (%s until it ran for %u s, after %u to %u s)",
			max, p->window_s, p->backoff_s, p->backoff_max_s);
}

char *mk_policy_text(const struct mk_policy *p)
{
	char limits[128] = "", watchdog[32] = "";
	char *text;

	if (!p->given)
		return strdup("none");
	if (p->restart || p->start_after_reboot || p->on_hang == MK_ON_HANG_DUMP)
		put_limits(limits, sizeof(limits), p);
	if (p->watchdog_given && !p->watchdog_ms)
		snprintf(watchdog, sizeof(watchdog), " off");
	else if (p->watchdog_given)
		snprintf(watchdog, sizeof(watchdog), " %u ms",
			 p->watchdog_ms);
	if (asprintf(&text, "restart %s%s, on reboot %s, watchdog%s: %s",
		     mk_restart_name(p->restart), limits,
		     p->start_after_reboot ? "start" : "stop", watchdog,
		     mk_on_hang_name(p->on_hang)) < 0)
		return NULL;
	return text;
}

static void add_number(struct json_object *obj, const char *key,
		       unsigned int number)
{
	json_object_object_add(obj, key, json_object_new_int64(number));
}

static void add_word(struct json_object *obj, const char *key,
		     const char *word)
{
	json_object_object_add(obj, key, json_object_new_string(word));
}

void mk_policy_to_json(const struct mk_policy *p, struct json_object *doc)
{
	struct json_object *obj, *restart, *watchdog;

	json_object_object_add(doc, "policy", NULL);
	if (!p->given)
		return;
	obj = json_object_new_object();
	restart = json_object_new_object();
	watchdog = json_object_new_object();
	add_word(restart, "when", mk_restart_name(p->restart));
	add_number(restart, "max", p->max);
	add_number(restart, "window", p->window_s);
	add_number(restart, "backoff", p->backoff_s);
	add_number(restart, "backoff_max", p->backoff_max_s);
	json_object_object_add(watchdog, "timeout_ms", p->watchdog_given ?
			       json_object_new_int64(p->watchdog_ms) : NULL);
	add_word(watchdog, "action", mk_on_hang_name(p->on_hang));
	json_object_object_add(obj, "restart", restart);
	add_word(obj, "on_reboot", p->start_after_reboot ? "start" : "stop");
	json_object_object_add(obj, "watchdog", watchdog);
	json_object_object_add(doc, "policy", obj);
}

static const char *get_word(struct json_object *obj, const char *key)
{
	struct json_object *v = json_object_object_get(obj, key);

	return json_object_is_type(v, json_type_string) ?
	       json_object_get_string(v) : NULL;
}

static int get_number(struct json_object *obj, const char *key,
		      unsigned int most, unsigned int *ret_number)
{
	struct json_object *v = json_object_object_get(obj, key);
	int64_t number = json_object_get_int64(v);

	if (!json_object_is_type(v, json_type_int) || number < 0 ||
	    number > most)
		return -EINVAL;
	*ret_number = (unsigned int)number;
	return 0;
}

static int read_restart(struct json_object *obj, struct mk_policy *p)
{
	int r = mk_restart_parse(get_word(obj, "when"), &p->restart);

	if (r == 0)
		r = get_number(obj, "max", MK_CONFIG_RESTARTS, &p->max);
	if (r == 0)
		r = get_number(obj, "window", MK_CONFIG_SECONDS, &p->window_s);
	if (r == 0)
		r = get_number(obj, "backoff", MK_CONFIG_SECONDS,
			       &p->backoff_s);
	if (r == 0)
		r = get_number(obj, "backoff_max", MK_CONFIG_SECONDS,
			       &p->backoff_max_s);
	return r;
}

static int read_watchdog(struct json_object *obj, struct mk_policy *p)
{
	int r = mk_on_hang_parse(get_word(obj, "action"), &p->on_hang);

	if (r < 0 || !json_object_object_get(obj, "timeout_ms"))
		return r;
	p->watchdog_given = true;
	return get_number(obj, "timeout_ms", MK_WATCHDOG_MAX, &p->watchdog_ms);
}

int mk_policy_from_json(struct json_object *doc, struct mk_policy *ret_policy)
{
	struct json_object *obj = json_object_object_get(doc, "policy");
	const char *on_reboot;
	struct mk_policy p;
	int r;

	mk_policy_init(&p);
	if (obj) {
		p.given = true;
		r = read_restart(json_object_object_get(obj, "restart"), &p);
		if (r == 0)
			r = read_watchdog(json_object_object_get(obj,
								 "watchdog"),
					  &p);
		on_reboot = get_word(obj, "on_reboot");
		if (r < 0 || !on_reboot)
			return -EINVAL;
		p.start_after_reboot = !strcmp(on_reboot, "start");
	}
	*ret_policy = p;
	return 0;
}

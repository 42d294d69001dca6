// SPDX-License-Identifier: GPL-2.0-only
/*
 * The config's key policy: what is done when the instance ends or hangs.
 */
#include <errno.h>
#include <string.h>

#include "config_loader.h"
#include "policy.h"

/* While it is read: what the rest of the object depends on */
struct reading {
	struct mk_policy *policy;
	bool on_reboot_given;
};

static int set_when(struct mk_loader *l, const char *key, struct json_object *v,
		    void *dst)
{
	const char *word = json_object_get_string(v);
	int rc;

	if (!mk_restart_parse(word, &((struct mk_policy *)dst)->restart))
		return 0;
	rc = mk_loader_refuse(l, key,
			      "expected \"never\", \"on-failure\" or \"always\", found \"%s\"",
			      word);
	mk_error_hint(l->err, "\"on-failure\": when it panicked, failed to boot or was killed because it hung; \"always\": also when it powered off by itself");
	return rc;
}

static int set_max(struct mk_loader *l, const char *key, struct json_object *v,
		   void *dst)
{
	return mk_loader_get_number(l, key, v, 0, MK_CONFIG_RESTARTS,
				    &((struct mk_policy *)dst)->max);
}

static int set_window(struct mk_loader *l, const char *key,
		      struct json_object *v, void *dst)
{
	return mk_loader_get_number(l, key, v, 1, MK_CONFIG_SECONDS,
				    &((struct mk_policy *)dst)->window_s);
}

static int set_backoff(struct mk_loader *l, const char *key,
		       struct json_object *v, void *dst)
{
	struct mk_policy *policy = dst;
	int rc;

	rc = mk_loader_get_number(l, key, v, 0, MK_CONFIG_SECONDS,
				  &policy->backoff_s);
	/* As long as nothing is said of the longest. */
	if (!rc && policy->backoff_max_s < policy->backoff_s)
		policy->backoff_max_s = policy->backoff_s;
	return rc;
}

static int set_backoff_max(struct mk_loader *l, const char *key,
			   struct json_object *v, void *dst)
{
	struct mk_policy *policy = dst;

	return mk_loader_get_number(l, key, v, policy->backoff_s,
				    MK_CONFIG_SECONDS, &policy->backoff_max_s);
}

static const struct mk_loader_key restart_keys[] = {
	{ "when",	true,	MK_JSON_STRING,	set_when },
	{ "max",	false,	MK_JSON_INT,	set_max },
	{ "window",	false,	MK_JSON_INT,	set_window },
	{ "backoff",	false,	MK_JSON_INT,	set_backoff },
	{ "backoff_max", false,	MK_JSON_INT,	set_backoff_max },
};

const struct mk_loader_keys mk_loader_restart_keys = {
	restart_keys, MK_ARRAY_SIZE(restart_keys)
};

static int set_restart(struct mk_loader *l, const char *key,
		       struct json_object *v, void *dst)
{
	struct reading *reading = dst;
	size_t mark;
	int rc;

	if (json_object_is_type(v, json_type_string))
		return set_when(l, key, v, reading->policy);
	mark = mk_loader_enter(l, key);
	rc = mk_loader_read_object(l, &mk_loader_restart_keys, v,
				   reading->policy);
	mk_loader_leave(l, mark);
	return rc;
}

static int set_on_reboot(struct mk_loader *l, const char *key,
			 struct json_object *v, void *dst)
{
	const char *word = json_object_get_string(v);
	struct reading *reading = dst;
	int rc;

	reading->on_reboot_given = true;
	reading->policy->start_after_reboot = !strcmp(word, "start");
	if (reading->policy->start_after_reboot || !strcmp(word, "stop"))
		return 0;
	rc = mk_loader_refuse(l, key,
			      "expected \"start\" or \"stop\", found \"%s\"",
			      word);
	mk_error_hint(l->err, "what is done when it reboots by itself: start it again, or leave it stopped");
	return rc;
}

static int set_timeout(struct mk_loader *l, const char *key,
		       struct json_object *v, void *dst)
{
	struct mk_policy *policy = dst;
	unsigned int seconds;
	int rc;

	rc = mk_loader_get_number(l, key, v, 0, MK_WATCHDOG_MAX / 1000,
				  &seconds);
	if (rc) {
		mk_error_hint(l->err, "seconds without a heartbeat; 0 switches it off");
		return rc;
	}
	policy->watchdog_given = true;
	policy->watchdog_ms = seconds * 1000;
	return 0;
}

static int set_action(struct mk_loader *l, const char *key,
		      struct json_object *v, void *dst)
{
	const char *word = json_object_get_string(v);
	struct mk_policy *policy = dst;

	if (mk_on_hang_parse(word, &policy->on_hang))
		return mk_loader_refuse(l, key,
					"expected \"report\", \"kill\" or \"dump-and-restart\", found \"%s\"",
					word);
	if (policy->on_hang != MK_ON_HANG_REPORT && policy->watchdog_given &&
	    !policy->watchdog_ms)
		return mk_loader_refuse(l, key,
					"\"%s\" never comes, because \"timeout\" is 0",
					word);
	return 0;
}

static const struct mk_loader_key watchdog_keys[] = {
	{ "timeout",	false,	MK_JSON_INT,	set_timeout },
	{ "action",	false,	MK_JSON_STRING,	set_action },
};

const struct mk_loader_keys mk_loader_watchdog_keys = {
	watchdog_keys, MK_ARRAY_SIZE(watchdog_keys)
};

static int set_watchdog(struct mk_loader *l, const char *key,
			struct json_object *v, void *dst)
{
	struct reading *reading = dst;
	size_t mark = mk_loader_enter(l, key);
	int rc = mk_loader_read_object(l, &mk_loader_watchdog_keys, v,
				       reading->policy);

	mk_loader_leave(l, mark);
	return rc;
}

static const struct mk_loader_key policy_keys[] = {
	{ "restart",	false,	MK_JSON_STRING | MK_JSON_OBJECT, set_restart },
	{ "on_reboot",	false,	MK_JSON_STRING,	set_on_reboot },
	{ "watchdog",	false,	MK_JSON_OBJECT,	set_watchdog },
};

const struct mk_loader_keys mk_loader_policy_keys = {
	policy_keys, MK_ARRAY_SIZE(policy_keys)
};

int mk_loader_set_policy(struct mk_loader *l, const char *key,
			 struct json_object *v, void *dst)
{
	struct mk_policy *policy = &((struct mk_config *)dst)->policy;
	struct reading reading = { .policy = policy };
	size_t mark;
	int rc;

	mk_policy_init(policy);
	policy->given = true;
	mark = mk_loader_enter(l, key);
	rc = mk_loader_read_object(l, &mk_loader_policy_keys, v, &reading);
	mk_loader_leave(l, mark);
	/* Who wants it to run always does not want a reboot to be its end. */
	if (!rc && !reading.on_reboot_given)
		policy->start_after_reboot =
			policy->restart == MK_RESTART_ALWAYS;
	return rc;
}

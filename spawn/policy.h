/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy of an instance: its words, and its form in state files.
 */
#ifndef MK_SPAWN_POLICY_H
#define MK_SPAWN_POLICY_H

#include <json-c/json.h>

#include <mk/spawn.h>

/** mk_policy_init() - as if the config had "policy": {}; but not given */
void mk_policy_init(struct mk_policy *policy);

/** mk_restart_parse(), mk_on_hang_parse() - 0, or -EINVAL */
int mk_restart_parse(const char *name,
		     enum mk_restart *ret_restart) MK_MUST_CHECK;
int mk_on_hang_parse(const char *name,
		     enum mk_on_hang *ret_on_hang) MK_MUST_CHECK;

/** mk_policy_to_json() - adds "policy", null when there is none */
void mk_policy_to_json(const struct mk_policy *policy, struct json_object *doc);
/** mk_policy_from_json() - -EINVAL when it makes no sense */
int mk_policy_from_json(struct json_object *doc,
			struct mk_policy *ret_policy) MK_MUST_CHECK;

#endif /* MK_SPAWN_POLICY_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Channels and shares in state files and in what mkctl prints.
 */
#ifndef MK_SPAWN_PEERS_JSON_H
#define MK_SPAWN_PEERS_JSON_H

#include <json-c/json.h>

#include <mk/spawn.h>

/** mk_wanted_peers_to_json() - adds "channels", "shares", "references" */
void mk_wanted_peers_to_json(const struct mk_wanted_peers *peers,
			     struct json_object *doc);

/**
 * mk_wanted_peers_from_json() - reads them; what is missing is empty
 * @ret_peers: also to be cleared after an error
 *
 * 0, -EINVAL when it makes no sense, -ENOMEM.
 */
int mk_wanted_peers_from_json(struct json_object *doc,
			      struct mk_wanted_peers *ret_peers) MK_MUST_CHECK;

#endif /* MK_SPAWN_PEERS_JSON_H */

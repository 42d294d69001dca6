/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What show says of an instance and others: channels, shares, counters.
 */
#ifndef MKCTL_SHOW_H
#define MKCTL_SHOW_H

#include "cmd.h"

/**
 * struct show_peers - what an instance has to do with others
 * @counters: of its rings with the host, "NAME VALUE" lines; NULL when the
 *	kernel does not tell
 * @shares: all of the machine; those are shown of which it is a holder
 */
struct show_peers {
	char *counters;
	struct mk_share_list shares;
};

/** show_peers_get() - what cannot be had is left out */
void show_peers_get(struct app *app, const char *name,
		    struct show_peers *ret_peers);
void show_peers_clear(struct show_peers *peers);

/** show_peers_to_json() - "channels", "references", "counters", "shares" */
void show_peers_to_json(const struct show_peers *peers, const char *name,
			const struct mk_facts *facts, struct json_object *obj);
void show_peers_print(const struct show_peers *peers, const char *name,
		      const struct mk_facts *facts);

#endif /* MKCTL_SHOW_H */

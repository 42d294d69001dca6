/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shares that configs ask for: which are to be there when an instance
 * starts, making them, and taking them back.
 *
 * A share is made when its owner starts, and ends with that by itself. One
 * that is owned by another kernel than the instance whose config names it is
 * made when the later of the two starts, and ends when its owner ends or that
 * instance is removed.
 */
#ifndef MK_SPAWN_SHARES_H
#define MK_SPAWN_SHARES_H

#include <mk/spawn.h>

#include "facts.h"

/**
 * struct mk_share_item - one share that is to be there
 * @share: borrowed from a config, or from @facts of the plan
 * @by: the instance whose config says so
 * @config: path of that
 * @needed: it has to be made: it is not there, and its owner starts or runs
 * @unknown: its owner does not exist
 * @generation: of the one that was made, 0 for none
 */
struct mk_share_item {
	const struct mk_wanted_share *share;
	const char *by;
	const char *config;
	bool needed;
	bool unknown;
	uint64_t generation;
};

/**
 * struct mk_share_plan - the shares of one start
 * @name: of the instance that starts
 * @facts: of all instances that there are
 */
struct mk_share_plan {
	struct mk_ctx *ctx;
	const char *name;
	struct mk_facts_list facts;
	struct mk_share_item *items;
	size_t nr_items;
};

/**
 * mk_share_plan_init() - which shares are to be there
 * @peers: of the instance that starts; lives longer than @ret_plan
 * @config: path of its config, likewise
 *
 * Refuses what is there already and is not what is wanted, and what two configs
 * say differently. Changes nothing.
 */
int mk_share_plan_init(struct mk_ctx *ctx, const char *name,
		       const struct mk_wanted_peers *peers, const char *config,
		       struct mk_share_plan *ret_plan,
		       struct mk_error *err) MK_MUST_CHECK;
void mk_share_plan_clear(struct mk_share_plan *plan);

/** mk_share_plan_fits() - does the pool have the memory? */
int mk_share_plan_fits(const struct mk_share_plan *plan,
		       struct mk_error *err) MK_MUST_CHECK;

/** mk_share_plan_describe() - for a dry run */
void mk_share_plan_describe(const struct mk_share_plan *plan, char *buf,
			    size_t size);
/** mk_share_plan_make() - make those that are needed; all or none */
int mk_share_plan_make(struct mk_share_plan *plan,
		       struct mk_error *err) MK_MUST_CHECK;
/** mk_share_plan_undo() - end those that were made */
int mk_share_plan_undo(struct mk_share_plan *plan, struct mk_error *err);

/**
 * mk_shares_forget() - an instance is gone: end what its config asked for
 * @facts: of the instance
 *
 * Not what was given to somebody else meanwhile, and not what the config of
 * another instance asks for, too.
 */
int mk_shares_forget(struct mk_ctx *ctx, const struct mk_facts *facts,
		     struct mk_error *err) MK_MUST_CHECK;

/** mk_wanted_share_same() - do two configs mean the same share? */
bool mk_wanted_share_same(const struct mk_wanted_share *a,
			  const struct mk_wanted_share *b);
#define MK_SHARE_TEXT_MAX 160
/** mk_wanted_share_text() - "64M of 'web' for db:ro, host:rw", for people */
const char *mk_wanted_share_text(const struct mk_wanted_share *share,
				 char buf[MK_SHARE_TEXT_MAX]);
/** mk_wanted_share_bytes() - what it takes of the pool */
uint64_t mk_wanted_share_bytes(const struct mk_wanted_share *share);
/**
 * mk_shares_differ() - refuse a share that two configs say differently
 * @item: the other one
 */
int mk_shares_differ(const struct mk_wanted_share *share,
		     const struct mk_share_item *item, struct mk_error *err);

#endif /* MK_SPAWN_SHARES_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shares that configs ask for. The kernel's books are the truth; what a
 * config asks for is compared with them, and only what is missing is made.
 */
#include <stdio.h>
#include <string.h>

#include "refuse.h"
#include "shares.h"

static const struct mk_wanted_grant *
find_grant(const struct mk_wanted_share *share, const char *peer)
{
	for (size_t i = 0; i < share->nr_grants; i++)
		if (!strcmp(share->grants[i].peer, peer))
			return &share->grants[i];
	return NULL;
}

bool mk_wanted_share_same(const struct mk_wanted_share *a,
			  const struct mk_wanted_share *b)
{
	const struct mk_wanted_grant *grant;

	if (strcmp(a->name, b->name) || strcmp(a->owner, b->owner) ||
	    a->bytes != b->bytes || a->node != b->node ||
	    a->nr_grants != b->nr_grants)
		return false;
	for (size_t i = 0; i < a->nr_grants; i++) {
		grant = find_grant(b, a->grants[i].peer);
		if (!grant || grant->rights != a->grants[i].rights)
			return false;
	}
	return true;
}

const char *mk_wanted_share_text(const struct mk_wanted_share *share,
				 char buf[MK_SHARE_TEXT_MAX])
{
	char size[MK_SIZE_TEXT_MAX], node[24] = "";
	size_t n;

	if (share->node != MK_NODE_ANY)
		snprintf(node, sizeof(node), " on node %u", share->node);
	n = (size_t)snprintf(buf, MK_SHARE_TEXT_MAX, "%s%s of '%s' for",
			     mk_size_format(share->bytes, size), node,
			     share->owner);
	for (size_t i = 0; i < share->nr_grants && n < MK_SHARE_TEXT_MAX; i++)
		n += (size_t)snprintf(buf + n, MK_SHARE_TEXT_MAX - n,
				      "%s %s:%s", i ? "," : "",
				      share->grants[i].peer,
				      mk_rights_name(share->grants[i].rights));
	if (n >= MK_SHARE_TEXT_MAX)
		memcpy(buf + MK_SHARE_TEXT_MAX - 4, "...", 4);
	return buf;
}

uint64_t mk_wanted_share_bytes(const struct mk_wanted_share *share)
{
	uint64_t over = share->bytes % MK_MEMORY_ALIGN;

	if (!over)
		return share->bytes;
	if (share->bytes > UINT64_MAX - MK_MEMORY_ALIGN)
		return UINT64_MAX;
	return share->bytes - over + MK_MEMORY_ALIGN;
}

int mk_shares_differ(const struct mk_wanted_share *share,
		     const struct mk_share_item *item, struct mk_error *err)
{
	char here[MK_SHARE_TEXT_MAX], there[MK_SHARE_TEXT_MAX];

	mk_error_set(err, MK_ERR_CONFIG, NULL,
		     "share '%s' is %s, and %s as instance '%s' of %s has it",
		     share->name, mk_wanted_share_text(share, here),
		     mk_wanted_share_text(item->share, there), item->by,
		     item->config ? item->config : "an unknown file");
	mk_error_hint(err,
		      "say the same in both, or give one of them another name");
	return -EINVAL;
}

static int out_of_memory(struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
	return -ENOMEM;
}

/* One more, unless another config has said the same. */
static int add_item(struct mk_share_plan *plan,
		    const struct mk_wanted_share *share, const char *by,
		    const char *config, struct mk_error *err)
{
	struct mk_share_item *grown;

	for (size_t i = 0; i < plan->nr_items; i++) {
		if (strcmp(plan->items[i].share->name, share->name))
			continue;
		if (mk_wanted_share_same(plan->items[i].share, share))
			return 0;
		return mk_shares_differ(plan->items[i].share,
					&(struct mk_share_item){
						.share = share,
						.by = by,
						.config = config,
					},
					err);
	}
	grown = realloc(plan->items, (plan->nr_items + 1) * sizeof(*grown));
	if (!grown)
		return out_of_memory(err);
	plan->items = grown;
	plan->items[plan->nr_items++] = (struct mk_share_item){
		.share = share,
		.by = by,
		.config = config,
	};
	return 0;
}

/* Those of others that this instance owns, and what they say of its own */
static int add_facts(struct mk_share_plan *plan, const struct mk_facts *facts,
		     struct mk_error *err)
{
	const struct mk_wanted_peers *peers = &facts->peers;
	size_t nr_own = plan->nr_items;
	bool ours;
	int r = 0;

	if (!strcmp(facts->name, plan->name))
		return 0;
	for (size_t i = 0; i < peers->nr_shares && r == 0; i++) {
		ours = !strcmp(peers->shares[i].owner, plan->name);
		for (size_t j = 0; j < nr_own; j++)
			ours |= !strcmp(plan->items[j].share->name,
					peers->shares[i].name);
		if (ours)
			r = add_item(plan, &peers->shares[i], facts->name,
				     facts->config, err);
	}
	return r;
}

static const struct mk_share_holder *find_holder(const struct mk_share *share,
						 const char *name)
{
	for (uint32_t i = 0; i < share->get.nr_holders; i++)
		if (!strcmp(share->holders[i].name, name))
			return &share->holders[i];
	return NULL;
}

static bool as_wanted(const struct mk_share *there,
		      const struct mk_wanted_share *share)
{
	const struct mk_share_holder *holder;

	if (there->get.bytes != share->bytes || !there->get.nr_holders ||
	    strcmp(there->holders[0].name, share->owner))
		return false;
	for (size_t i = 0; i < share->nr_grants; i++) {
		holder = find_holder(there, share->grants[i].peer);
		if (!holder || holder->flags & MK_HOLDER_REVOKED ||
		    holder->rights != share->grants[i].rights)
			return false;
	}
	return true;
}

static int refuse_other(const struct mk_share *there,
			const struct mk_wanted_share *share,
			struct mk_error *err)
{
	char size[MK_SIZE_TEXT_MAX], text[MK_SHARE_TEXT_MAX];

	mk_error_set(
		err, MK_ERR_BUSY, NULL,
		"there is a share '%s' (id %u) that is not the same: %s of '%s'; wanted is %s",
		share->name, there->get.id,
		mk_size_format(there->get.bytes, size),
		there->get.nr_holders ? there->holders[0].name : "?",
		mk_wanted_share_text(share, text));
	mk_error_hint(
		err,
		"choose another name, or end that one: 'mkctl pfn revoke %s'",
		share->name);
	if (err)
		err->reason = MK_REASON_SHARE_NAME_TAKEN;
	return -EEXIST;
}

/* Is it there already? */
static int look_for(struct mk_ctx *ctx, struct mk_share_item *item,
		    struct mk_error *err)
{
	struct mk_share *there;
	int r;

	r = mk_share_find(ctx, item->share->name, &there, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	/* One that is not live has given up its name. */
	if (there->get.state == MK_SHARE_LIVE) {
		item->needed = false;
		if (!as_wanted(there, item->share))
			r = refuse_other(there, item->share, err);
	}
	mk_share_free(there);
	return r;
}

static int look_at_owner(struct mk_share_plan *plan, struct mk_share_item *item,
			 struct mk_error *err)
{
	const char *owner = item->share->owner;
	struct mk_instance *inst;
	int r;

	item->needed = true;
	if (!strcmp(owner, plan->name) || !strcmp(owner, MK_PEER_HOST))
		return 0;
	r = mk_instance_find(plan->ctx, owner, &inst, err);
	item->unknown = r == -ENOENT;
	item->needed = !item->unknown;
	if (r < 0)
		return item->unknown ? 0 : r;
	/* One that has ended makes it when it starts again. */
	item->needed = !mk_state_is_end(inst->get.state);
	mk_instance_free(inst);
	return 0;
}

static int look_at_items(struct mk_share_plan *plan, struct mk_error *err)
{
	int r = 0;

	for (size_t i = 0; i < plan->nr_items && r == 0; i++) {
		r = look_at_owner(plan, &plan->items[i], err);
		if (r == 0)
			r = look_for(plan->ctx, &plan->items[i], err);
	}
	return r;
}

int mk_share_plan_init(struct mk_ctx *ctx, const char *name,
		       const struct mk_wanted_peers *peers, const char *config,
		       struct mk_share_plan *ret_plan, struct mk_error *err)
{
	struct mk_share_plan plan = { .ctx = ctx, .name = name };
	struct mk_error why = MK_ERROR_INIT;
	int r;

	r = mk_facts_list_get(ctx, &plan.facts, &why);
	for (size_t i = 0; i < peers->nr_shares && r == 0; i++)
		r = add_item(&plan, &peers->shares[i], name, config, &why);
	for (size_t i = 0; i < plan.facts.nr_items && r == 0; i++)
		r = add_facts(&plan, plan.facts.items[i], &why);
	if (r == 0)
		r = look_at_items(&plan, &why);
	if (r < 0) {
		if (err)
			*err = why;
		mk_share_plan_clear(&plan);
		return r;
	}
	*ret_plan = plan;
	return 0;
}

void mk_share_plan_clear(struct mk_share_plan *plan)
{
	mk_facts_list_clear(&plan->facts);
	free(plan->items);
	*plan = (struct mk_share_plan){ 0 };
}

int mk_share_plan_fits(const struct mk_share_plan *plan, struct mk_error *err)
{
	const struct mk_share_item *item;
	struct mk_info info;
	uint64_t free_bytes, bytes;
	int r;

	r = mk_info_get_host(plan->ctx, &info, err);
	if (r < 0)
		return r;
	free_bytes = info.pool_free_bytes;
	for (item = plan->items; item < plan->items + plan->nr_items; item++) {
		bytes = item->needed ? mk_wanted_share_bytes(item->share) : 0;
		if (bytes > free_bytes)
			return mk_refuse(
				err,
				&(struct mk_refused){
					.error = ENOMEM,
					.reason = MK_REASON_SHARE_NO_SPACE,
					.a = bytes,
					.b = free_bytes,
					.who = item->share->name,
				},
				item->share->name);
		free_bytes -= bytes;
	}
	return 0;
}

void mk_share_plan_describe(const struct mk_share_plan *plan, char *buf,
			    size_t size)
{
	char text[MK_SHARE_TEXT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < plan->nr_items && n < size; i++)
		if (plan->items[i].needed)
			n += (size_t)snprintf(
				buf + n, size - n, "%s'%s': %s",
				n ? "; " : "make share ",
				plan->items[i].share->name,
				mk_wanted_share_text(plan->items[i].share,
						     text));
	if (!n)
		snprintf(buf, size, "no share to make");
}

/* Of one that is still attached the memory comes back with the last detach. */
static int end_share(struct mk_ctx *ctx, const char *name, uint64_t generation,
		     struct mk_error *err)
{
	struct mk_error why = MK_ERROR_INIT;
	int r;

	r = mk_share_revoke(ctx, name, generation, NULL, 0, &why);
	/* It is over, or somebody else's: there is nothing to end any more. */
	if (r == -EBUSY || r == -ETIMEDOUT || r == -ENOENT || r == -ESTALE ||
	    r == -EOWNERDEAD || r == -EKEYREVOKED)
		return 0;
	if (r < 0 && err)
		*err = why;
	return r;
}

static int make_one(struct mk_ctx *ctx, struct mk_share_item *item,
		    struct mk_error *err)
{
	const struct mk_wanted_share *share = item->share;
	bool of_host = !strcmp(share->owner, MK_PEER_HOST);
	uint64_t generation = 0;
	int r;

	r = mk_share_create(ctx, share->name, share->bytes,
			    of_host ? NULL : share->owner, share->node,
			    &generation, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < share->nr_grants && r == 0; i++)
		r = mk_share_grant(
			ctx, share->name, generation, share->grants[i].peer,
			share->grants[i].rights, MK_SHARE_LATER, err);
	if (r < 0)
		(void)end_share(ctx, share->name, generation, NULL);
	else
		item->generation = generation;
	return r;
}

int mk_share_plan_make(struct mk_share_plan *plan, struct mk_error *err)
{
	int r = 0;

	for (size_t i = 0; i < plan->nr_items && r == 0; i++)
		if (plan->items[i].needed)
			r = make_one(plan->ctx, &plan->items[i], err);
	if (r < 0)
		(void)mk_share_plan_undo(plan, NULL);
	return r;
}

int mk_share_plan_undo(struct mk_share_plan *plan, struct mk_error *err)
{
	struct mk_share_item *item;
	int first = 0, r;

	for (size_t i = plan->nr_items; i-- > 0;) {
		item = &plan->items[i];
		if (!item->generation)
			continue;
		r = end_share(plan->ctx, item->share->name, item->generation,
			      first ? NULL : err);
		if (r == 0)
			item->generation = 0;
		if (first == 0)
			first = r;
	}
	return first;
}

static bool named_by_others(const struct mk_facts_list *list, const char *name,
			    const char *share)
{
	for (size_t i = 0; i < list->nr_items; i++) {
		const struct mk_wanted_peers *peers = &list->items[i]->peers;

		if (!strcmp(list->items[i]->name, name))
			continue;
		for (size_t j = 0; j < peers->nr_shares; j++)
			if (!strcmp(peers->shares[j].name, share))
				return true;
	}
	return false;
}

static int forget_one(struct mk_ctx *ctx, const struct mk_wanted_share *share,
		      struct mk_error *err)
{
	struct mk_error why = MK_ERROR_INIT;
	struct mk_share *there;
	int r;

	r = mk_share_find(ctx, share->name, &there, &why);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		if (err)
			*err = why;
		return r;
	}
	if (there->get.state == MK_SHARE_LIVE && there->get.nr_holders &&
	    !strcmp(there->holders[0].name, share->owner))
		r = end_share(ctx, share->name, there->get.generation, err);
	mk_share_free(there);
	return r;
}

int mk_shares_forget(struct mk_ctx *ctx, const struct mk_facts *facts,
		     struct mk_error *err)
{
	const struct mk_wanted_peers *peers = &facts->peers;
	struct mk_facts_list list = { 0 };
	int r;

	if (!peers->nr_shares)
		return 0;
	r = mk_facts_list_get(ctx, &list, err);
	for (size_t i = 0; i < peers->nr_shares && r == 0; i++)
		if (!named_by_others(&list, facts->name, peers->shares[i].name))
			r = forget_one(ctx, &peers->shares[i], err);
	mk_facts_list_clear(&list);
	return r;
}

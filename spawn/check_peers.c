// SPDX-License-Identifier: GPL-2.0-only
/*
 * Do the channels and shares of a config go with the machine, and with what
 * the configs that were checked before say?
 *
 * A share of one name is one share: all who name it have to say the same.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

static const struct mk_check_name *find(const struct mk_check_name *names,
					size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(names[i].name, name))
			return &names[i];
	return NULL;
}

static bool exists(struct mk_ctx *ctx, const char *name)
{
	struct mk_instance *inst;

	if (mk_instance_find(ctx, name, &inst, NULL) < 0)
		return false;
	mk_instance_free(inst);
	return true;
}

bool mk_check_is_known(const struct mk_check *check, const char *name)
{
	return !strcmp(name, MK_PEER_HOST) ||
	       find(check->names, check->nr_names, name) ||
	       exists(check->ctx, name);
}

static int compare(const struct mk_check *check,
		   const struct mk_wanted_share *share, struct mk_error *err)
{
	const struct mk_share_item *item = check->shares;

	for (; item < check->shares + check->nr_shares; item++)
		if (!strcmp(item->share->name, share->name) &&
		    !mk_wanted_share_same(item->share, share))
			return mk_shares_differ(share, item, err);
	return 0;
}

/* Of a share that one checked before has, too, the memory is promised. */
static bool is_promised(const struct mk_check *check,
			const struct mk_wanted_share *share)
{
	for (size_t i = 0; i < check->nr_shares; i++)
		if (!strcmp(check->shares[i].share->name, share->name))
			return true;
	return false;
}

/* Its turn is still to come. */
static const struct mk_check_name *comes_after(const struct mk_check *check,
					       const char *name)
{
	const struct mk_check_name *later;

	later = find(check->expected, check->nr_expected, name);
	return later && !later->seen ? later : NULL;
}

static int refuse_owner(const struct mk_check *check,
			const struct mk_wanted_share *share,
			struct mk_error *err)
{
	const struct mk_check_name *later = comes_after(check, share->owner);
	bool refused = find(check->expected, check->nr_expected, share->owner);

	if (later) {
		mk_error_set(err, MK_ERR_CONFIG, NULL,
			     "share '%s': its owner '%s' comes after it, in %s",
			     share->name, share->owner, later->path);
		mk_error_hint(err,
			      "the owner of a share has to be there first");
	} else {
		mk_error_set(err, MK_ERR_CONFIG, NULL,
			     "share '%s': its owner '%s' %s", share->name,
			     share->owner,
			     refused ? "is refused" : "does not exist");
		mk_error_hint(err, "spawn '%s' first, or leave \"owner\" out",
			      share->owner);
	}
	return -EINVAL;
}

static int add_part(struct mk_checked *checked,
		    const struct mk_wanted_share *share, struct mk_error *err)
{
	struct mk_memory_part *grown;

	grown = realloc(checked->share_parts,
			(checked->nr_share_parts + 1) * sizeof(*grown));
	if (!grown) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	checked->share_parts = grown;
	grown[checked->nr_share_parts++] = (struct mk_memory_part){
		.bytes = mk_wanted_share_bytes(share),
		.node = share->node,
	};
	return 0;
}

static int check_item(const struct mk_check *check,
		      const struct mk_share_item *item,
		      struct mk_checked *checked, struct mk_error *err)
{
	bool needed = item->needed;
	int r;

	if (item->unknown) {
		if (!find(check->names, check->nr_names, item->share->owner))
			return refuse_owner(check, item->share, err);
		needed = true;
	}
	if (!needed || is_promised(check, item->share))
		return 0;
	r = mk_check_share_memory(check, checked, item->share, err);
	return r < 0 ? r : add_part(checked, item->share, err);
}

static int check_on_host(const struct mk_check *check,
			 const struct mk_config *config, const char *path,
			 struct mk_checked *checked, struct mk_error *err)
{
	struct mk_share_plan plan;
	int r;

	r = mk_share_plan_init(check->ctx, config->name, &config->peers, path,
			       &plan, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plan.nr_items && r == 0; i++)
		r = check_item(check, &plan.items[i], checked, err);
	mk_share_plan_clear(&plan);
	return r;
}

/* Those of others may be missing for good reason: said once, and no fault. */
static void note_unknown(const struct mk_check *check, const char *name,
			 const char *what)
{
	char text[256];

	if (mk_check_is_known(check, name) ||
	    find(check->expected, check->nr_expected, name))
		return;
	snprintf(text, sizeof(text), "%s: there is no instance '%s' so far",
		 what, name);
	check->note(check->note_arg, text);
}

static void note_all(const struct mk_check *check,
		     const struct mk_config *config)
{
	const struct mk_wanted_peers *peers = &config->peers;
	const struct mk_wanted_share *share;
	char what[64];

	for (size_t i = 0; i < peers->nr_channels; i++)
		note_unknown(check, peers->channels[i].name, "channels");
	for (size_t i = 0; i < peers->nr_shares; i++) {
		share = &peers->shares[i];
		snprintf(what, sizeof(what), "share '%s'", share->name);
		for (size_t j = 0; j < share->nr_grants; j++)
			if (strcmp(share->grants[j].peer, config->name))
				note_unknown(check, share->grants[j].peer,
					     what);
	}
}

int mk_check_peers(struct mk_check *check, const struct mk_config *config,
		   const char *path, struct mk_checked *checked,
		   struct mk_error *err)
{
	const struct mk_wanted_peers *peers = &config->peers;
	int r = 0;

	for (size_t i = 0; i < peers->nr_shares && r == 0; i++) {
		r = compare(check, &peers->shares[i], err);
		if (r == 0 && comes_after(check, peers->shares[i].owner))
			r = refuse_owner(check, &peers->shares[i], err);
	}
	/* Who there is on a machine that is not looked at, nobody knows. */
	if (r < 0 || !check->on_host)
		return r;
	r = check_on_host(check, config, path, checked, err);
	if (r == 0 && check->note)
		note_all(check, config);
	return r;
}

int mk_check_remember_shares(struct mk_check *check,
			     const struct mk_config *config, const char *path)
{
	const struct mk_wanted_peers *peers = &config->peers;
	struct mk_share_item *grown;

	if (!peers->nr_shares)
		return 0;
	grown = realloc(check->shares,
			(check->nr_shares + peers->nr_shares) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	check->shares = grown;
	for (size_t i = 0; i < peers->nr_shares; i++)
		grown[check->nr_shares++] = (struct mk_share_item){
			.share = &peers->shares[i],
			.by = config->name,
			.config = path,
		};
	return 0;
}

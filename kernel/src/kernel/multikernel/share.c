// SPDX-License-Identifier: GPL-2.0-only
/*
 * The books of shares: who owns what, who may attach it, what is attached.
 *
 * Nothing here locks, sends, or touches the memory that a share is about: it
 * is told what happens, step by step, and says when a share is over. The life
 * cycle is told in share.h; tests/model has it as a model, step by function.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"
#include "share.h"

/** mk_share_name_valid() - [a-z0-9][a-z0-9_.-]*, NUL-terminated, not empty */
bool mk_share_name_valid(const char *name)
{
	size_t i, len = strnlen(name, MK_SHARE_NAME_MAX);

	if (!len || len == MK_SHARE_NAME_MAX ||
	    (!islower(name[0]) && !isdigit(name[0])))
		return false;
	for (i = 1; i < len; i++)
		if (!islower(name[i]) && !isdigit(name[i]) &&
		    !strchr("_.-", name[i]))
			return false;
	return true;
}

/* Finding */

struct mk_share *mk_share_find(struct mk_books *books, u32 id)
{
	struct mk_share *share;

	list_for_each_entry(share, &books->shares, node)
		if (share->id == id)
			return share;
	return NULL;
}

/** mk_share_after() - the one with the next larger id */
struct mk_share *mk_share_after(struct mk_books *books, u32 id)
{
	struct mk_share *share;

	list_for_each_entry(share, &books->shares, node)
		if (share->id > id)
			return share;
	return NULL;
}

/**
 * mk_share_find_name() - the live one, else the youngest that bore the name
 *
 * References are found by id only.
 */
struct mk_share *mk_share_find_name(struct mk_books *books, const char *name)
{
	struct mk_share *share, *found = NULL;

	list_for_each_entry(share, &books->shares, node) {
		if (share->kind == MK_SHARE_REFERENCE ||
		    strcmp(share->name, name))
			continue;
		if (share->state == MK_SHARE_LIVE)
			return share;
		if (!found || found->generation < share->generation)
			found = share;
	}
	return found;
}

struct mk_party *mk_share_party(struct mk_share *share, const char *name)
{
	struct mk_party *party;

	list_for_each_entry(party, &share->parties, node)
		if (!strcmp(party->name, name))
			return party;
	return NULL;
}

struct mk_party *mk_share_owner(struct mk_share *share)
{
	return list_first_entry(&share->parties, struct mk_party, node);
}

struct mk_party *mk_share_party_at(struct mk_share *share, u32 index)
{
	struct mk_party *party;

	list_for_each_entry(party, &share->parties, node)
		if (!index--)
			return party;
	return NULL;
}

/** mk_share_may_see() - is it any business of this kernel? */
bool mk_share_may_see(struct mk_share *share, const char *name)
{
	struct mk_party *party = mk_share_party(share, name);

	return party && (!party->revoked || party->attached);
}

static struct mk_att *mk_party_att(struct mk_party *party, u32 number)
{
	struct mk_att *att;

	list_for_each_entry(att, &party->atts, node)
		if (att->number == number)
			return att;
	return NULL;
}

/* Checks */

int mk_share_check_generation(struct mk_share *share, u64 generation,
			      struct mk_refusal *r)
{
	if (!generation || generation == share->generation)
		return 0;
	mk_refuse(r, MK_REASON_SHARE_STALE, generation, share->generation,
		  share->name);
	return -ESTALE;
}

int mk_share_check_live(struct mk_share *share, struct mk_refusal *r)
{
	switch (share->state) {
	case MK_SHARE_LIVE:
		return 0;
	case MK_SHARE_ORPHANED:
		mk_refuse(r, MK_REASON_SHARE_ORPHANED, 0, 0, share->name);
		return -EOWNERDEAD;
	default:
		mk_refuse(r, MK_REASON_SHARE_REVOKED, 0, 0, share->name);
		return -EKEYREVOKED;
	}
}

static int mk_party_check(struct mk_share *share, struct mk_party *party,
			  u32 rights, struct mk_refusal *r)
{
	if (party && party->revoked) {
		mk_refuse(r, MK_REASON_SHARE_REVOKED, 0, 0, share->name);
		return -EKEYREVOKED;
	}
	if (!party || !rights || rights & ~party->rights) {
		mk_refuse(r, MK_REASON_SHARE_RIGHTS, rights,
			  party ? party->rights : 0, share->name);
		return -EACCES;
	}
	return 0;
}

/* Parties */

static struct mk_party *mk_party_add(struct mk_share *share, const char *name,
				     u32 rights)
{
	struct mk_party *party = kzalloc(sizeof(*party), GFP_KERNEL);

	if (!party)
		return NULL;
	strscpy(party->name, name, sizeof(party->name));
	party->rights = rights;
	INIT_LIST_HEAD(&party->atts);
	list_add_tail(&party->node, &share->parties);
	share->nr_parties++;
	return party;
}

static void mk_party_drop_att(struct mk_share *share, struct mk_party *party,
			      struct mk_att *att)
{
	list_del(&att->node);
	kfree(att);
	party->attached--;
	share->attached--;
}

static void mk_party_remove(struct mk_share *share, struct mk_party *party)
{
	list_del(&party->node);
	kfree(party);
	share->nr_parties--;
}

/* A party that may not attach again goes with its last attachment. */
static void mk_party_settle(struct mk_share *share, struct mk_party *party)
{
	if (party->revoked && !party->attached &&
	    party != mk_share_owner(share))
		mk_party_remove(share, party);
}

static void mk_party_pend(struct mk_party *party, u32 what, u32 timeout_ms)
{
	struct mk_att *att;

	list_for_each_entry(att, &party->atts, node) {
		att->pending |= BIT(what);
		if (what == MK_SHARE_EVENT_REVOKED)
			att->timeout_ms = timeout_ms;
	}
}

static void mk_share_pend(struct mk_share *share, u32 what, u32 timeout_ms)
{
	struct mk_party *party;

	list_for_each_entry(party, &share->parties, node)
		mk_party_pend(party, what, timeout_ms);
}

/* Making and ending */

/* Smallest free id, and the place in the list that keeps it sorted */
static u32 mk_share_free_id(struct mk_books *books,
			    struct list_head **ret_before)
{
	struct mk_share *share;
	u32 id = 1;

	list_for_each_entry(share, &books->shares, node) {
		if (share->id != id)
			break;
		id++;
	}
	*ret_before = &share->node;
	return id;
}

static int mk_share_check_new(struct mk_books *books,
			      const struct mk_share_spec *spec,
			      struct mk_refusal *r)
{
	struct mk_share *other;

	if (books->nr >= MK_SHARES_MAX) {
		mk_refuse(r, MK_REASON_SHARE_TOO_MANY, MK_SHARES_MAX, 0,
			  spec->name);
		return -ENOSPC;
	}
	if (spec->kind == MK_SHARE_REFERENCE)
		return 0;
	other = mk_share_find_name(books, spec->name);
	if (other && other->state == MK_SHARE_LIVE) {
		mk_refuse(r, MK_REASON_SHARE_NAME_TAKEN, other->id, 0,
			  spec->name);
		return -EEXIST;
	}
	return 0;
}

/**
 * mk_share_add() - put a new share into the books
 * @books: of the machine
 * @spec: what it is
 * @ret_share: the share
 * @r: refusal to fill
 *
 * Its memory is still to come: mk_share_made() says that it is there. Return:
 * 0, -EEXIST, -ENOSPC, -ENOMEM.
 */
int mk_share_add(struct mk_books *books, const struct mk_share_spec *spec,
		 struct mk_share **ret_share, struct mk_refusal *r)
{
	struct list_head *before;
	struct mk_share *share;
	int ret = mk_share_check_new(books, spec, r);

	if (ret)
		return ret;
	share = kzalloc(sizeof(*share), GFP_KERNEL);
	if (!share)
		return -ENOMEM;
	INIT_LIST_HEAD(&share->parties);
	if (!mk_party_add(share, spec->owner, MK_RIGHTS)) {
		kfree(share);
		return -ENOMEM;
	}
	strscpy(share->name, spec->name, sizeof(share->name));
	share->bytes = spec->bytes;
	share->kind = spec->kind;
	share->making = true;
	share->owner_id = spec->owner_id;
	share->owner_epoch = spec->owner_epoch;
	share->generation = ++books->generation;
	share->id = mk_share_free_id(books, &before);
	list_add_tail(&share->node, before);
	books->nr++;
	*ret_share = share;
	return 0;
}

static bool mk_share_is_over(const struct mk_share *share)
{
	if (share->making || share->attached)
		return false;
	return share->state != MK_SHARE_LIVE ||
	       (share->kind == MK_SHARE_REFERENCE && share->used);
}

/**
 * mk_share_settle() - take it out of the books if it is over
 *
 * To be called after each step that may have ended it; @share is not to be used
 * any more when this returns true.
 */
bool mk_share_settle(struct mk_books *books, struct mk_share *share)
{
	if (!mk_share_is_over(share))
		return false;
	list_move_tail(&share->node, &books->over);
	books->nr--;
	return true;
}

/** mk_share_made() - its memory is there, or will not come; settles it */
void mk_share_made(struct mk_books *books, struct mk_share *share)
{
	share->making = false;
	mk_share_settle(books, share);
}

/** mk_share_free() - forget one that is in no list */
void mk_share_free(struct mk_share *share)
{
	struct mk_party *party, *next_party;
	struct mk_att *att, *next;

	list_for_each_entry_safe(party, next_party, &share->parties, node) {
		list_for_each_entry_safe(att, next, &party->atts, node)
			mk_party_drop_att(share, party, att);
		mk_party_remove(share, party);
	}
	kfree(share);
}

/* Rights */

/**
 * mk_share_add_grant() - let a kernel attach
 *
 * Return: 0, -EEXIST, -EBUSY what was revoked is still attached, -EINVAL,
 * -ENOSPC, -ENOMEM.
 */
int mk_share_add_grant(struct mk_share *share, const char *name, u32 rights,
		       struct mk_refusal *r)
{
	struct mk_party *party = mk_share_party(share, name);

	if (!(rights & MK_RIGHT_READ) || rights & ~MK_RIGHTS) {
		mk_refuse(r, MK_REASON_SHARE_RIGHTS, rights, MK_RIGHTS,
			  share->name);
		return -EINVAL;
	}
	if (party && party->revoked) {
		mk_refuse(r, MK_REASON_SHARE_STILL_HELD, party->attached, 0,
			  name);
		return -EBUSY;
	}
	if (party) {
		mk_refuse(r, MK_REASON_SHARE_GRANTED, party->rights, 0, name);
		return -EEXIST;
	}
	if (share->nr_parties >= MK_SHARE_HOLDERS_MAX) {
		mk_refuse(r, MK_REASON_SHARE_TOO_MANY, MK_SHARE_HOLDERS_MAX, 0,
			  share->name);
		return -ENOSPC;
	}
	return mk_party_add(share, name, rights) ? 0 : -ENOMEM;
}

static int mk_share_check_give(struct mk_share *share, struct mk_party *to,
			       const char *name, struct mk_refusal *r)
{
	if (share->kind != MK_SHARE_POOL) {
		mk_refuse(r, MK_REASON_SHARE_KIND, share->kind, 0,
			  share->name);
		return -EINVAL;
	}
	if (to && to == mk_share_owner(share)) {
		mk_refuse(r, MK_REASON_SHARE_GRANTED, to->rights, 0, name);
		return -EEXIST;
	}
	if (!to && share->nr_parties >= MK_SHARE_HOLDERS_MAX) {
		mk_refuse(r, MK_REASON_SHARE_TOO_MANY, MK_SHARE_HOLDERS_MAX, 0,
			  share->name);
		return -ENOSPC;
	}
	return 0;
}

/**
 * mk_share_set_owner() - give a live share to another kernel
 *
 * The former owner keeps what it has attached, and no right. Return: 0,
 * -EINVAL a reference, -EEXIST it is the owner, -ENOSPC, -ENOMEM.
 */
int mk_share_set_owner(struct mk_books *books, struct mk_share *share,
		       const char *name, u32 id, struct mk_refusal *r)
{
	struct mk_party *from = mk_share_owner(share);
	struct mk_party *to = mk_share_party(share, name);
	int ret = mk_share_check_give(share, to, name, r);

	if (ret)
		return ret;
	if (!to)
		to = mk_party_add(share, name, MK_RIGHTS);
	if (!to)
		return -ENOMEM;
	to->rights = MK_RIGHTS;
	to->revoked = false;
	list_move(&to->node, &share->parties);
	from->revoked = true;
	share->owner_id = id;
	share->generation = ++books->generation;
	mk_share_pend(share, MK_SHARE_EVENT_GIVEN, 0);
	mk_party_settle(share, from);
	return 0;
}

/* Attaching */

static int mk_share_check_number(struct mk_party *party, u32 number,
				 struct mk_refusal *r)
{
	if (!number || mk_party_att(party, number)) {
		mk_refuse(r, MK_REASON_SHARE_HELD, number, 0, party->name);
		return -EEXIST;
	}
	if (party->attached >= MK_ATTACHED_MAX) {
		mk_refuse(r, MK_REASON_SHARE_TOO_MANY, MK_ATTACHED_MAX, 0,
			  party->name);
		return -ENOSPC;
	}
	return 0;
}

/**
 * mk_share_add_att() - a kernel attaches
 * @share: that is made
 * @name: of the kernel
 * @att: number, rights, peer_id and epoch; copied
 * @r: refusal to fill
 *
 * Return: 0, -EOWNERDEAD, -EKEYREVOKED, -EACCES, -EEXIST, -ENOSPC, -ENOMEM.
 */
int mk_share_add_att(struct mk_share *share, const char *name,
		     const struct mk_att *att, struct mk_refusal *r)
{
	struct mk_party *party = mk_share_party(share, name);
	struct mk_att *added;
	int ret;

	ret = mk_share_check_live(share, r) ?:
	      mk_party_check(share, party, att->rights, r) ?:
	      mk_share_check_number(party, att->number, r);
	if (ret)
		return ret;
	added = kmemdup(att, sizeof(*att), GFP_KERNEL);
	if (!added)
		return -ENOMEM;
	list_add_tail(&added->node, &party->atts);
	party->attached++;
	share->attached++;
	share->attaches++;
	/* A look at its own frame is not what it was lent for. */
	share->used |= party != mk_share_owner(share);
	return 0;
}

/**
 * mk_share_drop_att() - a kernel detaches
 * @books: of the machine
 * @name: of the kernel
 * @number: of its attachment, whatever share it is of
 * @r: refusal to fill
 *
 * Return: 0 or -ENOTCONN.
 */
int mk_share_drop_att(struct mk_books *books, const char *name, u32 number,
		      struct mk_refusal *r)
{
	struct mk_share *share;
	struct mk_party *party;
	struct mk_att *att;

	list_for_each_entry(share, &books->shares, node) {
		party = mk_share_party(share, name);
		att = party ? mk_party_att(party, number) : NULL;
		if (!att)
			continue;
		mk_party_drop_att(share, party, att);
		mk_party_settle(share, party);
		mk_share_settle(books, share);
		return 0;
	}
	mk_refuse(r, MK_REASON_SHARE_NOT_HELD, number, 0, name);
	return -ENOTCONN;
}

/* Taking back */

/**
 * mk_share_revoke_party() - a grantee may not attach any more
 * @timeout_ms: what it is told
 * @ret_attached: what it still has attached
 * @r: refusal to fill
 *
 * Again for one that has been revoked says how far it is. Return: 0, -ENOENT
 * no grant, -EINVAL the owner.
 */
int mk_share_revoke_party(struct mk_books *books, struct mk_share *share,
			  const char *name, u32 timeout_ms, u32 *ret_attached,
			  struct mk_refusal *r)
{
	struct mk_party *party = mk_share_party(share, name);

	if (!party) {
		mk_refuse(r, MK_REASON_SHARE_NO_GRANT, 0, 0, name);
		return -ENOENT;
	}
	if (party == mk_share_owner(share)) {
		mk_refuse(r, MK_REASON_PEER_SELF, 0, 0, name);
		return -EINVAL;
	}
	if (!party->revoked)
		mk_party_pend(party, MK_SHARE_EVENT_REVOKED, timeout_ms);
	party->revoked = true;
	*ret_attached = party->attached;
	mk_party_settle(share, party);
	return 0;
}

/**
 * mk_share_revoke_all() - nobody may attach any more; over with the last detach
 *
 * Does not settle it: the caller wants to look at it.
 */
void mk_share_revoke_all(struct mk_books *books, struct mk_share *share,
			 u32 timeout_ms)
{
	if (share->state != MK_SHARE_LIVE)
		return;
	share->state = MK_SHARE_REVOKED;
	mk_share_pend(share, MK_SHARE_EVENT_REVOKED, timeout_ms);
}

/* What the end of a kernel means for one share that it is a party of */
static void mk_share_party_gone(struct mk_share *share, struct mk_party *party)
{
	struct mk_att *att, *next;

	list_for_each_entry_safe(att, next, &party->atts, node)
		mk_party_drop_att(share, party, att);
	/* Another instance may get its id, and come to the same start. */
	if (party == mk_share_owner(share))
		share->owner_epoch = 0;
	if (share->state != MK_SHARE_LIVE)
		return;
	if (party == mk_share_owner(share)) {
		share->state = MK_SHARE_ORPHANED;
		mk_share_pend(share, MK_SHARE_EVENT_ORPHANED, 0);
	} else if (share->kind == MK_SHARE_REFERENCE) {
		/* A frame is lent to one start of a kernel. */
		share->state = MK_SHARE_REVOKED;
	}
}

/**
 * mk_share_kernel_gone() - a kernel has ended, and none of its CPUs runs it
 *
 * Its attachments are none any more, its shares are orphaned. Its grants stay.
 */
void mk_share_kernel_gone(struct mk_books *books, const char *name)
{
	struct mk_share *share, *next;
	struct mk_party *party;

	list_for_each_entry_safe(share, next, &books->shares, node) {
		party = mk_share_party(share, name);
		if (!party)
			continue;
		mk_share_party_gone(share, party);
		mk_party_settle(share, party);
		mk_share_settle(books, share);
	}
}

/* References */

/** mk_share_frames_of() - references that a kernel has out */
u32 mk_share_frames_of(struct mk_books *books, const char *owner)
{
	struct mk_share *share;
	u32 nr = 0;

	list_for_each_entry(share, &books->shares, node)
		nr += share->kind == MK_SHARE_REFERENCE &&
		      !strcmp(mk_share_owner(share)->name, owner);
	return nr;
}

/** mk_share_frames_in() - references to frames in a piece of memory */
u32 mk_share_frames_in(struct mk_books *books, u64 addr, u64 bytes)
{
	struct mk_share *share;
	u32 nr = 0;

	list_for_each_entry(share, &books->shares, node)
		nr += share->kind == MK_SHARE_REFERENCE && share->nr_ranges &&
		      share->ranges[0].addr >= addr &&
		      share->ranges[0].addr - addr < bytes;
	return nr;
}

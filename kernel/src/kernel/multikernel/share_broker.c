// SPDX-License-Identifier: GPL-2.0-only
/*
 * The broker: requests about shares, of every kernel of the machine, against
 * the one set of books. The host's own come by mk_share_request() directly,
 * those of instances as control messages.
 *
 * Who asks is known by the ring. A request of a start that has ended is refused
 * under the lock under which mk_shares_instance_gone() cleans up after it, so
 * none slips in behind.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/nodemask.h>

#include "internal.h"
#include "peer.h"
#include "share.h"

DEFINE_MUTEX(mk_share_lock);
struct mk_books mk_books = MK_BOOKS_INIT(mk_books);

/* A request: its payload is copied, and as long as its type says. */
struct mk_share_ask {
	const struct mk_caller *caller;
	const struct mk_wire_share_op *op;
	struct mk_answer *answer;
	struct mk_refusal *r;
	struct mk_share *share;		/* that it is about */
};

static bool mk_is_host(const struct mk_caller *caller)
{
	return !caller->peer;
}

static int mk_caller_check(const struct mk_caller *caller)
{
	return mk_is_host(caller) || mk_peer_is_up(caller->peer) ? 0 : -EPIPE;
}

static bool mk_text_ok(const char *s, size_t size)
{
	return strnlen(s, size) < size;
}

static int mk_share_unknown(const struct mk_wire_share_op *op,
			    struct mk_refusal *r)
{
	mk_refuse(r, MK_REASON_SHARE_UNKNOWN, op->id & ~MK_GET_NEXT, 0,
		  op->name);
	return -ENOENT;
}

/* Under mk_share_lock, as all that follows */
static struct mk_share *mk_ask_find(const struct mk_wire_share_op *op)
{
	struct mk_share *share = op->id ? mk_share_find(&mk_books, op->id) :
				 mk_share_find_name(&mk_books, op->name);

	return share && !share->making ? share : NULL;
}

static int mk_ask_owner(struct mk_share_ask *ask)
{
	struct mk_share *share = ask->share;

	if (mk_is_host(ask->caller) ||
	    !strcmp(mk_share_owner(share)->name, ask->caller->name))
		return mk_share_check_live(share, ask->r);
	mk_refuse(ask->r, MK_REASON_SHARE_NOT_OWNER, 0, 0, share->name);
	return -EPERM;
}

/* The instance that a grant is for; mk_lock is held. Id 0 is the host's. */
static int mk_ask_peer(struct mk_share_ask *ask, bool later, u32 *ret_id)
{
	const char *name = ask->op->peer;
	struct mk_instance *inst;

	if (!mk_share_name_valid(name)) {
		mk_refuse(ask->r, MK_REASON_BAD_NAME, 0, 0, name);
		return -EINVAL;
	}
	*ret_id = 0;
	if (!strcmp(name, MK_PEER_HOST))
		return 0;
	inst = mk_instance_by_name(name);
	if (inst)
		*ret_id = inst->id;
	if (inst || later)
		return 0;
	mk_refuse(ask->r, MK_REASON_PEER_UNKNOWN, 0, 0, name);
	return -ENOENT;
}

static int mk_ask_grant(struct mk_share_ask *ask)
{
	bool later = ask->op->flags & MK_SHARE_LATER &&
		     mk_is_host(ask->caller);
	u32 id;

	if (!strcmp(mk_share_owner(ask->share)->name, ask->op->peer)) {
		mk_refuse(ask->r, MK_REASON_PEER_SELF, 0, 0, ask->op->peer);
		return -EINVAL;
	}
	return mk_ask_owner(ask) ?: mk_ask_peer(ask, later, &id) ?:
	       mk_share_add_grant(ask->share, ask->op->peer, ask->op->rights,
				  ask->r);
}

static int mk_ask_give(struct mk_share_ask *ask)
{
	u32 id;

	return mk_ask_owner(ask) ?: mk_ask_peer(ask, false, &id) ?:
	       mk_share_set_owner(&mk_books, ask->share, ask->op->peer, id,
				  ask->r);
}

/* One of those who have it attached */
static const char *mk_share_held_by(struct mk_share *share)
{
	struct mk_party *party;

	list_for_each_entry(party, &share->parties, node)
		if (party->attached)
			return party->name;
	return "";
}

static int mk_ask_revoke_owner(struct mk_share_ask *ask)
{
	struct mk_share *share = ask->share;

	if (mk_is_host(ask->caller) ||
	    !strcmp(mk_share_owner(share)->name, ask->caller->name))
		return 0;
	mk_refuse(ask->r, MK_REASON_SHARE_NOT_OWNER, 0, 0, share->name);
	return -EPERM;
}

static int mk_ask_revoke(struct mk_share_ask *ask)
{
	struct mk_wire_share_revoked *out = &ask->answer->revoked;
	const struct mk_wire_share_op *op = ask->op;
	struct mk_share *share = ask->share;
	int ret = mk_ask_revoke_owner(ask);

	if (ret)
		return ret;
	ask->answer->bytes = sizeof(*out);
	out->id = share->id;
	out->generation = share->generation;
	if (*op->peer) {
		strscpy(out->by, op->peer, sizeof(out->by));
		return mk_share_revoke_party(&mk_books, share, op->peer,
					     op->timeout_ms, &out->attached,
					     ask->r);
	}
	mk_share_revoke_all(&mk_books, share, op->timeout_ms);
	strscpy(out->by, mk_share_held_by(share), sizeof(out->by));
	out->attached = share->attached;
	mk_share_settle(&mk_books, share);
	return 0;
}

/* What of the share's memory can be mapped, told in extents */
static void mk_share_describe(struct mk_share *share,
			      const struct mk_caller *caller,
			      struct mk_answer *answer)
{
	struct mk_party *party = mk_share_party(share, caller->name);
	struct mk_wire_share *out = &answer->share;
	u64 bytes, left = share->bytes;
	u32 i;

	answer->bytes = sizeof(*out);
	out->id = share->id;
	out->rights = party && !party->revoked ? party->rights : 0;
	out->generation = share->generation;
	out->bytes = share->bytes;
	out->kind = share->kind;
	out->state = share->state;
	out->owner = share->owner_id;
	out->charged_bytes = share->charged_bytes;
	out->attaches = share->attaches;
	out->refused = share->refused;
	strscpy(out->name, share->name, sizeof(out->name));
	for (i = 0; i < share->nr_ranges && left; i++, left -= bytes) {
		bytes = min(left, share->ranges[i].bytes);
		out->extents[i] = MK_EXTENT(share->ranges[i].addr >> 12,
					    bytes >> 12);
	}
	out->nr_extents = i;
}

static int mk_ask_attach(struct mk_share_ask *ask)
{
	const struct mk_att att = {
		.number = ask->op->holder,
		.rights = ask->op->rights,
		.peer_id = ask->caller->id,
		.epoch = ask->caller->epoch,
	};
	int ret = mk_share_add_att(ask->share, ask->caller->name, &att,
				   ask->r);

	if (!ret)
		mk_share_describe(ask->share, ask->caller, ask->answer);
	return ret;
}

static int mk_ask_get(struct mk_share_ask *ask)
{
	mk_share_describe(ask->share, ask->caller, ask->answer);
	return 0;
}

static int mk_ask_holder(struct mk_share_ask *ask)
{
	struct mk_share_holder *out = &ask->answer->holder;
	struct mk_share *share = ask->share;
	struct mk_party *party = mk_share_party_at(share, ask->op->holder);
	struct mk_instance *inst;

	if (!party)
		return -ERANGE;
	inst = mk_instance_by_name(party->name);
	ask->answer->bytes = sizeof(*out);
	strscpy(out->name, party->name, sizeof(out->name));
	if (strcmp(party->name, MK_PEER_HOST))
		out->id = inst ? inst->id : MK_GET_NEXT;
	out->rights = party->rights;
	out->attached = party->attached;
	out->flags = (party->revoked ? MK_HOLDER_REVOKED : 0) |
		     (party == mk_share_owner(share) ? MK_HOLDER_OWNER : 0);
	return 0;
}

/* All requests about one share that is there */
struct mk_share_verb {
	u32 type;
	bool under_mk_lock;	/* looks at instances */
	bool looks;		/* changes nothing */
	int (*fn)(struct mk_share_ask *ask);
};

static const struct mk_share_verb mk_share_verbs[] = {
	{ MK_MSG_SHARE_GRANT, true, false, mk_ask_grant },
	{ MK_MSG_SHARE_GIVE, true, false, mk_ask_give },
	{ MK_MSG_SHARE_REVOKE, false, false, mk_ask_revoke },
	{ MK_MSG_SHARE_ATTACH, false, false, mk_ask_attach },
	{ MK_MSG_SHARE_GET, false, true, mk_ask_get },
	{ MK_MSG_SHARE_HOLDER, true, true, mk_ask_holder },
};

static bool mk_ask_may_see(struct mk_share_ask *ask, struct mk_share *share)
{
	return mk_is_host(ask->caller) ||
	       mk_share_may_see(share, ask->caller->name);
}

/* The next one that the caller may see */
static struct mk_share *mk_ask_next(struct mk_share_ask *ask)
{
	u32 id = ask->op->id & ~MK_GET_NEXT;
	struct mk_share *share;

	while ((share = mk_share_after(&mk_books, id))) {
		if (!share->making && mk_ask_may_see(ask, share))
			return share;
		id = share->id;
	}
	return NULL;
}

static int mk_ask_run(const struct mk_share_verb *verb,
		      struct mk_share_ask *ask)
{
	int ret = mk_caller_check(ask->caller);

	if (ret)
		return ret;
	if (verb->type == MK_MSG_SHARE_GET && ask->op->id & MK_GET_NEXT)
		ask->share = mk_ask_next(ask);
	else
		ask->share = mk_ask_find(ask->op);
	if (!ask->share || (verb->looks && !mk_ask_may_see(ask, ask->share)))
		return mk_share_unknown(ask->op, ask->r);
	ret = mk_share_check_generation(ask->share, ask->op->generation,
					ask->r) ?: verb->fn(ask);
	if (ret && ret != -ERANGE)
		ask->share->refused++;
	return ret;
}

static int mk_ask_about(const struct mk_share_verb *verb,
			struct mk_share_ask *ask)
{
	int ret;

	if (!mk_text_ok(ask->op->name, sizeof(ask->op->name)) ||
	    !mk_text_ok(ask->op->peer, sizeof(ask->op->peer))) {
		mk_refuse(ask->r, MK_REASON_SHARE_NAME_BAD, 0, 0, NULL);
		return -EINVAL;
	}
	if (verb->under_mk_lock)
		mutex_lock(&mk_lock);
	mutex_lock(&mk_share_lock);
	ret = mk_ask_run(verb, ask);
	mutex_unlock(&mk_share_lock);
	if (verb->under_mk_lock)
		mutex_unlock(&mk_lock);
	return ret;
}

static int mk_share_detach_number(const struct mk_caller *caller,
				  const struct mk_wire_share_op *op,
				  struct mk_refusal *r)
{
	guard(mutex)(&mk_share_lock);
	return mk_caller_check(caller) ?:
	       mk_share_drop_att(&mk_books, caller->name, op->holder, r);
}

/* Making one */

static int mk_create_too_large(const struct mk_wire_share_create *c,
			       struct mk_refusal *r)
{
	u64 free, largest;
	u32 nr;

	guard(mutex)(&mk_lock);
	mk_pool_stat(&free, &largest, &nr);
	mk_refuse(r, MK_REASON_SHARE_NO_SPACE, c->bytes, free, c->name);
	return -ENOMEM;
}

static int mk_create_check(const struct mk_wire_share_create *c,
			   struct mk_refusal *r)
{
	if (!mk_text_ok(c->name, sizeof(c->name)) ||
	    !mk_share_name_valid(c->name)) {
		mk_refuse(r, MK_REASON_SHARE_NAME_BAD, 0, 0,
			  mk_text_ok(c->name, sizeof(c->name)) ? c->name : "");
		return -EINVAL;
	}
	if (!c->bytes || c->bytes % 4096) {
		mk_refuse(r, MK_REASON_SHARE_SIZE, c->bytes, 0, c->name);
		return -EINVAL;
	}
	if (c->node != MK_NODE_ANY &&
	    (c->node >= MAX_NUMNODES || !node_possible(c->node))) {
		mk_refuse(r, MK_REASON_MEM_NODE, c->node, 0, c->name);
		return -EINVAL;
	}
	return c->bytes > mk_pool_bytes ? mk_create_too_large(c, r) : 0;
}

static int mk_share_begin(const struct mk_caller *caller,
			  const struct mk_wire_share_create *c,
			  struct mk_share **ret_share, struct mk_refusal *r)
{
	const struct mk_share_spec spec = {
		.name = c->name,
		.owner = caller->name,
		.owner_id = caller->id,
		.owner_epoch = caller->epoch,
		.bytes = c->bytes,
		.kind = MK_SHARE_POOL,
	};

	guard(mutex)(&mk_share_lock);
	return mk_caller_check(caller) ?:
	       mk_share_add(&mk_books, &spec, ret_share, r);
}

/* Its memory is there, or will not come. */
static int mk_share_finish(const struct mk_caller *caller,
			   struct mk_share *share, int err,
			   struct mk_answer *answer)
{
	int ret = err;

	mutex_lock(&mk_share_lock);
	if (!ret && share->state != MK_SHARE_LIVE)
		ret = -EPIPE;	/* its owner has ended meanwhile */
	if (ret)
		share->state = MK_SHARE_REVOKED;
	else
		mk_share_describe(share, caller, answer);
	mk_share_made(&mk_books, share);
	mutex_unlock(&mk_share_lock);
	return ret;
}

static int mk_share_make(const struct mk_caller *caller,
			 const struct mk_wire_share_create *c,
			 struct mk_answer *answer, struct mk_refusal *r)
{
	struct mk_share *share;
	int ret = mk_create_check(c, r) ?: mk_share_begin(caller, c, &share, r);

	if (ret)
		return ret;
	ret = mk_share_take(share, c->bytes, c->node, r);
	return mk_share_finish(caller, share, ret, answer);
}

/* As an instance would, which need not run; it does not end meanwhile. */
static int mk_share_begin_for(const char *owner, struct mk_caller *ret_caller,
			      const struct mk_wire_share_create *c,
			      struct mk_share **ret_share,
			      struct mk_refusal *r)
{
	struct mk_instance *inst;

	guard(mutex)(&mk_lock);
	inst = mk_instance_by_name(owner);
	if (!inst) {
		mk_refuse(r, MK_REASON_PEER_UNKNOWN, 0, 0, owner);
		return -ENOENT;
	}
	*ret_caller = (struct mk_caller){
		.name = owner,
		.id = inst->id,
		.epoch = inst->epoch,
	};
	return mk_share_begin(ret_caller, c, ret_share, r);
}

/**
 * mk_share_create_for() - the host makes a share that an instance owns
 * @owner: name of the instance
 * @c: what it is
 * @answer: the share
 * @r: refusal to fill
 *
 * Return: 0, -ENOENT, or as MK_IOC_SHARE_CREATE.
 */
int mk_share_create_for(const char *owner, const struct mk_wire_share_create *c,
			struct mk_answer *answer, struct mk_refusal *r)
{
	struct mk_caller caller;
	struct mk_share *share;
	int ret;

	ret = mk_create_check(c, r) ?:
	      mk_share_begin_for(owner, &caller, c, &share, r);
	if (ret)
		return ret;
	ret = mk_share_take(share, c->bytes, c->node, r);
	ret = mk_share_finish(&caller, share, ret, answer);
	mk_shares_reap();
	return ret;
}

/* References */

/* RAM of the host itself that a page allocator may have given out */
static bool mk_frame_is_host(u64 pfn)
{
	return pfn < BIT_ULL(MK_EXTENT_PFN_BITS) && pfn_valid(pfn) &&
	       page_is_ram(pfn) &&
	       !mk_pool_contains(pfn << 12, (pfn + 1) << 12);
}

/* mk_lock is held. */
static bool mk_frame_is_of(const struct mk_caller *caller, u64 pfn)
{
	const struct mk_instance *inst;
	u32 i;

	if (mk_is_host(caller))
		return mk_frame_is_host(pfn);
	inst = mk_instance_find(caller->id);
	for (i = 0; inst && i < inst->nr_ranges; i++)
		if (pfn >= inst->ranges[i].addr >> 12 &&
		    pfn < (inst->ranges[i].addr + inst->ranges[i].bytes) >> 12)
			return true;
	return false;
}

/* Its grantee: an instance that runs, or the host; mk_lock is held. */
static int mk_frame_grantee(const struct mk_caller *caller, u32 id,
			    const char **ret_name, struct mk_refusal *r)
{
	struct mk_instance *inst = mk_instance_find(id);

	if (id == caller->id) {
		mk_refuse(r, MK_REASON_PEER_SELF, 0, 0, caller->name);
		return -EINVAL;
	}
	*ret_name = MK_PEER_HOST;
	if (!id)
		return 0;
	if (!inst || !mk_state_has_cpus(mk_get_state(inst))) {
		mk_refuse(r, MK_REASON_PEER_DOWN, inst ? mk_get_state(inst) : 0,
			  0, inst ? inst->name : NULL);
		return -ENODEV;
	}
	*ret_name = inst->name;
	return 0;
}

static int mk_frame_check(const struct mk_caller *caller, u64 pfn,
			  struct mk_refusal *r)
{
	if (!mk_frame_is_of(caller, pfn)) {
		mk_refuse(r, MK_REASON_FRAME_NOT_OWNED, pfn, 0, caller->name);
		return -EPERM;
	}
	if (mk_share_frames_of(&mk_books, caller->name) >= MK_FRAMES_MAX) {
		mk_refuse(r, MK_REASON_SHARE_TOO_MANY, MK_FRAMES_MAX, 0,
			  caller->name);
		return -ENOSPC;
	}
	return 0;
}

/* One page of the caller's RAM, lent to one start of another kernel */
static int mk_frame_lend(const struct mk_caller *caller, u64 pfn,
			 const char *grantee, struct mk_answer *answer,
			 struct mk_refusal *r)
{
	struct mk_share_spec spec = {
		.name = "frame",
		.owner = caller->name,
		.owner_id = caller->id,
		.owner_epoch = caller->epoch,
		.bytes = 4096,
		.kind = MK_SHARE_REFERENCE,
	};
	struct mk_share *share;
	int ret = mk_share_add(&mk_books, &spec, &share, r);

	if (ret)
		return ret;
	ret = mk_share_add_grant(share, grantee, MK_RIGHTS, r);
	if (ret) {
		share->state = MK_SHARE_REVOKED;
	} else {
		share->ranges[0].addr = pfn << 12;
		share->ranges[0].bytes = 4096;
		share->nr_ranges = 1;
		mk_share_describe(share, caller, answer);
	}
	mk_share_made(&mk_books, share);
	return ret;
}

static int mk_frame_request(const struct mk_caller *caller,
			    const struct mk_wire_frame *frame,
			    struct mk_answer *answer, struct mk_refusal *r)
{
	const char *grantee;
	int ret;

	guard(mutex)(&mk_lock);
	guard(mutex)(&mk_share_lock);
	ret = mk_caller_check(caller) ?:
	      mk_frame_grantee(caller, frame->peer_id, &grantee, r) ?:
	      mk_frame_check(caller, frame->pfn, r);
	return ret ?: mk_frame_lend(caller, frame->pfn, grantee, answer, r);
}

/* Everything */

static int mk_share_dispatch(const struct mk_caller *caller, u32 type,
			     const void *payload, struct mk_answer *answer,
			     struct mk_refusal *r)
{
	struct mk_share_ask ask = {
		.caller = caller,
		.op = payload,
		.answer = answer,
		.r = r,
	};
	u32 i;

	switch (type) {
	case MK_MSG_SHARE_CREATE:
		return mk_share_make(caller, payload, answer, r);
	case MK_MSG_SHARE_DETACH:
		return mk_share_detach_number(caller, payload, r);
	case MK_MSG_FRAME_SEND:
		return mk_frame_request(caller, payload, answer, r);
	}
	for (i = 0; i < ARRAY_SIZE(mk_share_verbs); i++)
		if (mk_share_verbs[i].type == type)
			return mk_ask_about(&mk_share_verbs[i], &ask);
	return -ENOSYS;
}

/**
 * mk_share_request() - a request about shares, on the host
 * @caller: who makes it
 * @type: MK_MSG_SHARE_*, MK_MSG_FRAME_SEND
 * @payload: its struct of mk_wire.h, private and complete
 * @answer: for what it gives back; zeros
 * @r: refusal to fill
 *
 * The caller holds none of our locks. Return: 0 or a negative error.
 */
int mk_share_request(const struct mk_caller *caller, u32 type,
		     const void *payload, struct mk_answer *answer,
		     struct mk_refusal *r)
{
	int ret = mk_share_dispatch(caller, type, payload, answer, r);

	if (type == MK_MSG_SHARE_GET || type == MK_MSG_SHARE_HOLDER)
		return ret;
	mk_shares_tell();
	mk_shares_reap();
	return ret;
}

/* Deaths */

/**
 * mk_shares_instance_gone() - an instance has ended and its CPUs are back
 *
 * The caller holds mk_lock, and has taken its peer down before.
 */
void mk_shares_instance_gone(struct mk_instance *inst)
{
	mutex_lock(&mk_share_lock);
	mk_share_kernel_gone(&mk_books, inst->name);
	mutex_unlock(&mk_share_lock);
	mk_shares_tell();
	mk_shares_reap();
}

/* Instances' requests */

static void mk_share_message(struct mk_peer *peer, const struct mk_msg *msg)
{
	const struct mk_caller caller = {
		.name = mk_peer_name(peer),
		.id = mk_peer_id(peer),
		.epoch = mk_peer_epoch(peer),
		.peer = peer,
	};
	struct mk_answer answer = { };
	struct mk_refusal r = { };
	int ret;

	ret = mk_share_request(&caller, msg->head.type, msg->payload, &answer,
			       &r);
	mk_peer_answer(peer, msg, ret, &r, &answer.share, answer.bytes);
}

#define REQUEST(_type, _struct) { \
	.type = _type, \
	.bytes = sizeof(struct _struct), \
	.request = true, \
	.deferred = true, \
	.fn = mk_share_message, \
}

static const struct mk_control mk_share_control[] = {
	REQUEST(MK_MSG_SHARE_CREATE, mk_wire_share_create),
	REQUEST(MK_MSG_SHARE_GRANT, mk_wire_share_op),
	REQUEST(MK_MSG_SHARE_GIVE, mk_wire_share_op),
	REQUEST(MK_MSG_SHARE_REVOKE, mk_wire_share_op),
	REQUEST(MK_MSG_SHARE_ATTACH, mk_wire_share_op),
	REQUEST(MK_MSG_SHARE_DETACH, mk_wire_share_op),
	REQUEST(MK_MSG_SHARE_GET, mk_wire_share_op),
	REQUEST(MK_MSG_SHARE_HOLDER, mk_wire_share_op),
	REQUEST(MK_MSG_FRAME_SEND, mk_wire_frame),
	{ }
};

static int __init mk_share_broker_init(void)
{
	if (multikernel_is_host())
		mk_control_add(mk_share_control);
	return 0;
}
subsys_initcall(mk_share_broker_init);

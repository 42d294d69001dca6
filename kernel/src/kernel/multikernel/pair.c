// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host: connections between two instances. It makes the rings on request
 * of one of the two, tells the other one, and has nothing to do with what they
 * say to each other.
 *
 *	CONNECT from A		allowed? B runs? then: two rings in the region,
 *				LINK to B, reply to A
 *	the end of B,		UNLINK to A (and to B, when it lives)
 *	or no longer allowed
 *	UNLINKED from A,	that end does not use the rings any more
 *	or its end
 *
 * When that is true of both ends, the memory may be used again. An end that
 * never answers keeps it until it ends. Serial numbers of pairs are never given
 * twice, so nothing that is late can be taken for something newer.
 *
 * All under mk_lock.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/cleanup.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"
#include "peer.h"

#define MK_PAIR_BYTES	(2 * MK_RING_BYTES)
#define MK_PAIR_RETRY	(HZ / 50)

/**
 * struct mk_pair_end - one of the two instances
 * @inst: with a reference
 * @peer: its start, with a reference
 * @link_due: LINK is to be sent
 * @unlink_due: UNLINK is to be sent
 * @gone: it does not use the rings (any more)
 */
struct mk_pair_end {
	struct mk_instance *inst;
	struct mk_peer *peer;
	bool link_due, unlink_due;
	bool gone;
};

/**
 * struct mk_pair - two rings: the first is written by end 0
 * @node: in mk_pairs
 * @serial: of the rings
 * @over: no longer to be used
 * @offset: of the rings, from the region's start
 */
struct mk_pair {
	struct list_head node;
	u32 serial;
	bool over;
	u64 offset;
	struct mk_pair_end end[2];
};

static LIST_HEAD(mk_pairs);
static u32 mk_pair_serial;

static void mk_pairs_retry(struct work_struct *work);
static DECLARE_DELAYED_WORK(mk_pairs_work, mk_pairs_retry);

static struct mk_ring *mk_pair_ring(const struct mk_pair *pair, int end)
{
	return (void *)mk_region + pair->offset + end * MK_RING_BYTES;
}

static void mk_pair_free(struct mk_pair *pair)
{
	int i;

	list_del(&pair->node);
	memset(mk_pair_ring(pair, 0), 0, MK_PAIR_BYTES);
	mk_region_give_pages(pair->offset, MK_PAIR_BYTES / MK_REGION_PAGE);
	for (i = 0; i < 2; i++) {
		mk_peer_put(pair->end[i].peer);
		mk_instance_put(pair->end[i].inst);
	}
	kfree(pair);
}

/* What one end is told. Its doorbell CPU is checked to be its own. */
static int mk_pair_link(const struct mk_pair *pair, int i,
			struct mk_wire_link *ret)
{
	struct mk_peer *other = pair->end[!i].peer;
	u32 apicid, vector;
	int err = other->bell(other, &apicid, &vector);

	if (err)
		return err;
	*ret = (struct mk_wire_link){
		.serial = pair->serial,
		.peer_id = other->id,
		.peer_epoch = other->epoch,
		.bell_apicid = apicid,
		.tx_offset = pair->offset + i * MK_RING_BYTES,
		.rx_offset = pair->offset + !i * MK_RING_BYTES,
	};
	strscpy(ret->name, other->name, sizeof(ret->name));
	return 0;
}

static int mk_pair_send_link(struct mk_pair *pair, int i)
{
	struct mk_msg_head head = {
		.kind = MK_KIND_CONTROL,
		.type = MK_MSG_LINK,
	};
	struct mk_wire_link link;

	return mk_pair_link(pair, i, &link) ?:
	       mk_peer_send(pair->end[i].peer, &head, &link, sizeof(link));
}

static int mk_pair_send_unlink(struct mk_pair *pair, int i)
{
	struct mk_msg_head head = {
		.kind = MK_KIND_CONTROL,
		.type = MK_MSG_UNLINK,
	};
	struct mk_wire_unlink wire = {
		.serial = pair->serial,
		.peer_id = pair->end[!i].peer->id,
	};

	return mk_peer_send(pair->end[i].peer, &head, &wire, sizeof(wire));
}

/* Not to be used any more. Who was never told of it does not use it. */
static void mk_pair_over(struct mk_pair *pair)
{
	struct mk_pair_end *end;

	if (pair->over)
		return;
	pair->over = true;
	for (end = pair->end; end < pair->end + 2; end++) {
		if (end->link_due)
			end->gone = true;
		end->link_due = false;
		end->unlink_due = !end->gone;
	}
}

/* Says what is due to one end; -EAGAIN when its ring is full. */
static int mk_pair_tell(struct mk_pair *pair, int i)
{
	struct mk_pair_end *end = &pair->end[i];
	int ret = 0;

	if (end->link_due)
		ret = mk_pair_send_link(pair, i);
	if (ret == -EAGAIN)
		return ret;
	if (ret)
		mk_pair_over(pair);	/* it cannot be told */
	end->link_due = false;
	if (end->unlink_due)
		ret = mk_pair_send_unlink(pair, i);
	if (ret != -EAGAIN)
		end->unlink_due = false;
	return ret;
}

/* Says what is due, frees the pair when nobody uses it any more. */
static void mk_pair_go_on(struct mk_pair *pair)
{
	bool later, over;
	int i;

	/* Once more if it is over since one end could not be told. */
	do {
		later = false;
		over = pair->over;
		for (i = 0; i < 2; i++)
			if (!pair->end[i].gone)
				later |= mk_pair_tell(pair, i) == -EAGAIN;
	} while (pair->over != over);
	if (pair->end[0].gone && pair->end[1].gone)
		mk_pair_free(pair);
	else if (later)
		queue_delayed_work(mk_wq, &mk_pairs_work, MK_PAIR_RETRY);
}

static void mk_pairs_retry(struct work_struct *work)
{
	struct mk_pair *pair, *next;

	guard(mutex)(&mk_lock);
	list_for_each_entry_safe(pair, next, &mk_pairs, node)
		mk_pair_go_on(pair);
}

/* Making one */

static bool mk_lists(const struct mk_instance *inst, const char *name)
{
	u32 i;

	for (i = 0; i < inst->nr_allowed; i++)
		if (!strcmp(inst->allowed[i], name))
			return true;
	return false;
}

static bool mk_pair_allowed(const struct mk_instance *a,
			    const struct mk_instance *b)
{
	return mk_lists(a, b->name) || mk_lists(b, a->name);
}

/* It has come up, and has not ended. */
static bool mk_talks(struct mk_instance *inst)
{
	enum mk_state state = mk_get_state(inst);

	return mk_state_has_cpus(state) && state != MK_STATE_STARTING &&
	       inst->peer && READ_ONCE(inst->peer->up);
}

static void mk_pair_end_init(struct mk_pair_end *end, struct mk_instance *inst)
{
	kref_get(&inst->ref);
	end->inst = inst;
	end->peer = mk_peer_hold(inst->peer);
}

static struct mk_pair *mk_pair_new(struct mk_instance *a, struct mk_instance *b,
				   struct mk_refusal *r)
{
	struct mk_pair *pair = kzalloc(sizeof(*pair), GFP_KERNEL);

	if (!pair)
		return ERR_PTR(-ENOMEM);
	pair->offset = mk_region_take_pages(MK_PAIR_BYTES / MK_REGION_PAGE, r);
	if (!pair->offset) {
		kfree(pair);
		return ERR_PTR(-ENOSPC);
	}
	pair->serial = ++mk_pair_serial;
	mk_ring_format(mk_pair_ring(pair, 0), pair->serial);
	mk_ring_format(mk_pair_ring(pair, 1), pair->serial);
	mk_pair_end_init(&pair->end[0], a);
	mk_pair_end_init(&pair->end[1], b);
	pair->end[1].link_due = true;
	list_add_tail(&pair->node, &mk_pairs);
	return pair;
}

/* The pair of two instances; which end is @a? */
static struct mk_pair *mk_pair_find(const struct mk_instance *a,
				    const struct mk_instance *b, int *ret_end)
{
	struct mk_pair *pair;
	int i;

	list_for_each_entry(pair, &mk_pairs, node) {
		for (i = 0; i < 2; i++) {
			if (pair->end[i].inst != a || pair->end[!i].inst != b)
				continue;
			*ret_end = i;
			return pair;
		}
	}
	return NULL;
}

/* Whom does @a want to talk to? Checks all that can be said without a pair. */
static struct mk_instance *mk_connect_check(const struct mk_instance *a,
					    const char *name,
					    struct mk_refusal *r, int *ret_error)
{
	struct mk_instance *b = mk_instance_by_name(name);

	if (!b) {
		mk_refuse(r, MK_REASON_PEER_UNKNOWN, 0, 0, name);
		*ret_error = -ENOENT;
	} else if (b == a) {
		mk_refuse(r, MK_REASON_PEER_SELF, 0, 0, name);
		*ret_error = -EINVAL;
	} else if (!mk_pair_allowed(a, b)) {
		mk_refuse(r, MK_REASON_PEER_NOT_ALLOWED, 0, 0, name);
		*ret_error = -EACCES;
	} else if (!mk_talks(b)) {
		mk_refuse(r, MK_REASON_PEER_DOWN, mk_get_state(b), 0, name);
		*ret_error = -EHOSTDOWN;
	} else {
		return b;
	}
	return NULL;
}

static int mk_pair_connect(struct mk_instance *a, const char *name,
			   struct mk_wire_link *ret_link, struct mk_refusal *r)
{
	struct mk_instance *b;
	struct mk_pair *pair;
	int i = 0, ret = 0;

	b = mk_connect_check(a, name, r, &ret);
	if (!b)
		return ret;
	pair = mk_pair_find(a, b, &i);
	/* One that is over is gone as soon as both have said so. */
	if (pair && pair->over) {
		mk_refuse(r, MK_REASON_BUSY, 0, 0, name);
		return -EBUSY;
	}
	if (!pair)
		pair = mk_pair_new(a, b, r);
	if (IS_ERR(pair))
		return PTR_ERR(pair);
	ret = mk_pair_link(pair, i, ret_link);
	if (ret) {
		mk_refuse(r, MK_REASON_PEER_DOWN, mk_get_state(b), 0, name);
		mk_pair_over(pair);
	}
	mk_pair_go_on(pair);
	return ret;
}

static void mk_on_connect(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct mk_refusal r = { };
	struct mk_wire_link link;
	struct mk_wire_name wire;
	int ret;

	memcpy(&wire, msg->payload, sizeof(wire));
	wire.name[sizeof(wire.name) - 1] = '\0';
	mutex_lock(&mk_lock);
	/* It may have ended while this waited. */
	if (READ_ONCE(peer->up))
		ret = mk_pair_connect(peer->inst, wire.name, &link, &r);
	else
		ret = -EPIPE;
	mutex_unlock(&mk_lock);
	mk_peer_answer(peer, msg, ret, &r, &link, sizeof(link));
}

static void mk_on_unlinked(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct mk_wire_unlink wire;
	struct mk_pair *pair;
	int i;

	memcpy(&wire, msg->payload, sizeof(wire));
	guard(mutex)(&mk_lock);
	list_for_each_entry(pair, &mk_pairs, node) {
		if (pair->serial != wire.serial)
			continue;
		for (i = 0; i < 2; i++)
			if (pair->end[i].peer == peer)
				pair->end[i].gone = true;
		if (pair->end[0].gone || pair->end[1].gone)
			mk_pair_over(pair);
		mk_pair_go_on(pair);
		return;
	}
}

static const struct mk_control mk_pair_controls[] = {
	{ .type = MK_MSG_CONNECT, .bytes = sizeof(struct mk_wire_name),
	  .request = true, .deferred = true, .fn = mk_on_connect },
	{ .type = MK_MSG_UNLINKED, .bytes = sizeof(struct mk_wire_unlink),
	  .deferred = true, .fn = mk_on_unlinked },
	{ }
};

/**
 * mk_pairs_instance_gone() - an instance has ended; under mk_lock
 *
 * Those that it was connected to are told. Its own end is free once none of its
 * CPUs can write any more.
 */
void mk_pairs_instance_gone(struct mk_instance *inst)
{
	struct mk_pair *pair, *next;
	int i;

	lockdep_assert_held(&mk_lock);
	list_for_each_entry_safe(pair, next, &mk_pairs, node) {
		for (i = 0; i < 2; i++)
			if (pair->end[i].inst == inst)
				break;
		if (i == 2)
			continue;
		mk_pair_over(pair);
		pair->end[i].unlink_due = false;
		pair->end[i].gone |= !inst->cpu_stuck;
		mk_pair_go_on(pair);
	}
}

/**
 * mk_instance_set_channels() - whom an instance may talk to
 * @id: instance
 * @names: of others; taken over on success
 * @nr: how many
 * @r: why not, on failure
 *
 * Connections that are no longer allowed are ended. Return: 0, -ENOENT, -EBUSY,
 * -EINVAL.
 */
int mk_instance_set_channels(u32 id, char (*names)[MK_NAME_MAX], u32 nr,
			     struct mk_refusal *r)
{
	struct mk_pair *pair, *next;
	struct mk_instance *inst;
	u32 i;

	for (i = 0; i < nr; i++) {
		if (strnlen(names[i], MK_NAME_MAX) < MK_NAME_MAX &&
		    mk_name_valid(names[i]))
			continue;
		names[i][MK_NAME_MAX - 1] = '\0';
		mk_refuse(r, MK_REASON_BAD_NAME, 0, 0, names[i]);
		return -EINVAL;
	}
	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(id, r);
	if (!inst)
		return mk_lookup_errno(r);
	swap(inst->allowed, names);
	kfree(names);
	inst->nr_allowed = nr;
	list_for_each_entry_safe(pair, next, &mk_pairs, node) {
		if (mk_pair_allowed(pair->end[0].inst, pair->end[1].inst))
			continue;
		mk_pair_over(pair);
		mk_pair_go_on(pair);
	}
	return 0;
}

/** mk_host_connect() - mk_peer_connect() on the host */
struct mk_peer *mk_host_connect(const char *name, struct mk_refusal *r)
{
	struct mk_instance *inst;

	if (!strcmp(name, MK_PEER_HOST)) {
		mk_refuse(r, MK_REASON_PEER_SELF, 0, 0, name);
		return ERR_PTR(-EINVAL);
	}
	guard(mutex)(&mk_lock);
	inst = mk_instance_by_name(name);
	if (!inst) {
		mk_refuse(r, MK_REASON_PEER_UNKNOWN, 0, 0, name);
		return ERR_PTR(-ENOENT);
	}
	if (!mk_talks(inst)) {
		mk_refuse(r, MK_REASON_PEER_DOWN, mk_get_state(inst), 0, name);
		return ERR_PTR(-EHOSTDOWN);
	}
	return mk_peer_hold(inst->peer);
}

static int __init mk_pair_init(void)
{
	if (multikernel_is_host())
		mk_control_add(mk_pair_controls);
	return 0;
}
core_initcall(mk_pair_init);

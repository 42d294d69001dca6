// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding a peer by its name; and in an instance, the connections to others
 * ("siblings"), which the host makes on request (pair.c).
 *
 * A connection is a pair of rings in the region. Exactly these two are mapped.
 * The host ends it with UNLINK, and does not use their memory for anything else
 * until this kernel has answered UNLINKED, or has ended. What tells of a
 * connection may come late: one that was ended is never made again, as serial
 * numbers only grow.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"
#include "peer.h"

/**
 * struct mk_sibling - a connection to another instance
 * @node: in mk_siblings
 * @peer: with a reference
 * @tx: ring to write, mapped
 * @rx: ring to read, mapped
 */
struct mk_sibling {
	struct list_head node;
	struct mk_peer *peer;
	struct mk_ring *tx, *rx;
};

/* Connections are made and ended under this one. */
static DEFINE_MUTEX(mk_siblings_lock);
static LIST_HEAD(mk_siblings);
/* By instance id: connections up to this serial number are over. */
static u32 mk_unlinked[MK_MAX_INSTANCES + 1];

/* A CPU that is not the sibling's (any more) is not rung. */
static int mk_sibling_bell(struct mk_peer *peer, u32 *ret_apicid,
			   u32 *ret_vector)
{
	return mk_cpu_owner(*ret_apicid) == peer->id ? 0 : -EPIPE;
}

static void mk_sibling_unmap(struct mk_sibling *s)
{
	mk_unmap_phys(s->tx);
	mk_unmap_phys(s->rx);
	kfree(s);
}

static int mk_sibling_map(struct mk_sibling *s, const struct mk_wire_link *link)
{
	s->tx = mk_map_phys(mk_guest.region_addr + link->tx_offset,
			    MK_RING_BYTES, true);
	s->rx = mk_map_phys(mk_guest.region_addr + link->rx_offset,
			    MK_RING_BYTES, true);
	if (!s->tx || !s->rx)
		return -ENOMEM;
	return mk_ring_check(s->tx, link->serial) ?:
	       mk_ring_check(s->rx, link->serial);
}

static struct mk_peer *mk_sibling_peer(const struct mk_sibling *s,
				       const struct mk_wire_link *link)
{
	struct mk_peer_setup setup = {
		.id = link->peer_id,
		.epoch = link->peer_epoch,
		.serial = link->serial,
		.name = link->name,
		.tx = s->tx,
		.rx = s->rx,
		.rings = (void *)s,
		.bell = mk_sibling_bell,
		.bell_apicid = link->bell_apicid,
		.bell_vector = mk_arch_vector(),
	};

	return mk_peer_new(&setup);
}

static bool mk_link_valid(const struct mk_wire_link *link)
{
	u64 apart = link->tx_offset > link->rx_offset ?
		    link->tx_offset - link->rx_offset :
		    link->rx_offset - link->tx_offset;

	return link->peer_id && link->peer_id <= MK_MAX_INSTANCES &&
	       link->peer_id != mk_guest.id &&
	       strnlen(link->name, sizeof(link->name)) < sizeof(link->name) &&
	       strcmp(link->name, mk_guest.name) &&
	       strcmp(link->name, MK_PEER_HOST) &&
	       mk_guest_pair_placed(link->tx_offset, MK_RING_BYTES) &&
	       mk_guest_pair_placed(link->rx_offset, MK_RING_BYTES) &&
	       apart >= MK_RING_BYTES;
}

static struct mk_sibling *mk_sibling_find(u32 id)
{
	struct mk_sibling *s;

	list_for_each_entry(s, &mk_siblings, node)
		if (s->peer->id == id)
			return s;
	return NULL;
}

static void mk_sibling_end(struct mk_sibling *s)
{
	list_del(&s->node);
	mk_peer_down(s->peer);
	mk_peer_put(s->peer);
	mk_sibling_unmap(s);
}

static void mk_say_unlinked(u32 serial, u32 id)
{
	struct mk_msg_head head = {
		.kind = MK_KIND_CONTROL,
		.type = MK_MSG_UNLINKED,
	};
	struct mk_wire_unlink wire = { .serial = serial, .peer_id = id };
	struct mk_peer *host = mk_peer_find(0);

	if (!host)
		return;
	if (mk_peer_send_wait(host, &head, &wire, sizeof(wire),
			      msecs_to_jiffies(MK_CALL_TIMEOUT_MS)))
		pr_warn("the host does not take messages\n");
	mk_peer_put(host);
}

/* Everything up to @serial is over; the host may use the memory again. */
static void mk_unlink(u32 serial, u32 id)
{
	struct mk_sibling *s = mk_sibling_find(id);

	lockdep_assert_held(&mk_siblings_lock);
	if ((s32)(serial - mk_unlinked[id]) > 0)
		mk_unlinked[id] = serial;
	if (s && s->peer->serial == serial)
		mk_sibling_end(s);
	mk_say_unlinked(serial, id);
}

static struct mk_peer *mk_link_new(const struct mk_wire_link *link)
{
	struct mk_sibling *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int ret;

	if (!s)
		return ERR_PTR(-ENOMEM);
	ret = mk_sibling_map(s, link);
	if (!ret) {
		s->peer = mk_sibling_peer(s, link);
		if (!s->peer)
			ret = -ENOMEM;
	}
	if (ret) {
		mk_sibling_unmap(s);
		return ERR_PTR(ret);
	}
	list_add_tail(&s->node, &mk_siblings);
	mk_peer_up(s->peer);
	mk_peer_announce(s->peer);
	return mk_peer_hold(s->peer);
}

/* The host says that there is a connection: once in a reply, or unasked. */
static struct mk_peer *mk_link(const struct mk_wire_link *link)
{
	struct mk_sibling *s;

	if (!mk_link_valid(link)) {
		pr_warn("the host gave rings to instance %u that cannot be\n",
			link->peer_id);
		return ERR_PTR(-EPROTO);
	}
	guard(mutex)(&mk_siblings_lock);
	if ((s32)(link->serial - mk_unlinked[link->peer_id]) <= 0)
		return ERR_PTR(-EPIPE);
	s = mk_sibling_find(link->peer_id);
	if (s && s->peer->serial == link->serial)
		return mk_peer_hold(s->peer);
	if (s)
		mk_unlink(s->peer->serial, link->peer_id);
	return mk_link_new(link);
}

static void mk_on_link(struct mk_peer *host, const struct mk_msg *msg)
{
	struct mk_wire_link link;
	struct mk_peer *peer;

	memcpy(&link, msg->payload, sizeof(link));
	peer = mk_link(&link);
	if (!IS_ERR(peer)) {
		mk_peer_put(peer);
		return;
	}
	/* Who called us hears that the connection is over. */
	if (link.peer_id && link.peer_id <= MK_MAX_INSTANCES &&
	    PTR_ERR(peer) != -EPIPE) {
		guard(mutex)(&mk_siblings_lock);
		mk_unlink(link.serial, link.peer_id);
	}
}

static void mk_on_unlink(struct mk_peer *host, const struct mk_msg *msg)
{
	struct mk_wire_unlink wire;

	memcpy(&wire, msg->payload, sizeof(wire));
	if (!wire.peer_id || wire.peer_id > MK_MAX_INSTANCES)
		return;
	guard(mutex)(&mk_siblings_lock);
	mk_unlink(wire.serial, wire.peer_id);
}

static const struct mk_control mk_sibling_controls[] = {
	{ .type = MK_MSG_LINK, .bytes = sizeof(struct mk_wire_link),
	  .deferred = true, .fn = mk_on_link },
	{ .type = MK_MSG_UNLINK, .bytes = sizeof(struct mk_wire_unlink),
	  .deferred = true, .fn = mk_on_unlink },
	{ }
};

/* Finding */

static struct mk_peer *mk_refuse_peer(struct mk_refusal *r, int error,
				      u32 reason, u64 a, const char *name)
{
	mk_refuse(r, reason, a, 0, name);
	return ERR_PTR(error);
}

/* Busy: the last connection to that one is just being taken down. */
static int mk_call_connect(struct mk_peer *host, struct mk_wire_name *wire,
			   struct mk_wire_link *link, struct mk_refusal *r)
{
	unsigned long end = jiffies + HZ;
	int ret;

	for (;;) {
		ret = mk_peer_call(host, MK_MSG_CONNECT, wire, sizeof(*wire),
				   link, sizeof(*link), MK_CALL_TIMEOUT_MS, r);
		if (ret != -EBUSY || time_after(jiffies, end))
			return ret;
		if (schedule_timeout_killable(HZ / 50) &&
		    fatal_signal_pending(current))
			return -EINTR;
	}
}

static struct mk_peer *mk_ask_host(struct mk_peer *host, const char *name,
				   struct mk_refusal *r)
{
	struct mk_wire_name wire = { };
	struct mk_wire_link link;
	struct mk_peer *peer;
	int ret;

	if (strscpy(wire.name, name, sizeof(wire.name)) < 0)
		return mk_refuse_peer(r, -ENOENT, MK_REASON_PEER_UNKNOWN, 0,
				      name);
	ret = mk_call_connect(host, &wire, &link, r);
	if (ret)
		return ERR_PTR(ret);
	link.name[sizeof(link.name) - 1] = '\0';
	if (strcmp(link.name, name))
		return ERR_PTR(-EPROTO);
	peer = mk_link(&link);
	if (peer == ERR_PTR(-EPIPE))
		return mk_refuse_peer(r, -EHOSTDOWN, MK_REASON_PEER_DIED, 0,
				      name);
	return peer;
}

static struct mk_peer *mk_instance_connect(const char *name,
					   struct mk_refusal *r)
{
	struct mk_peer *host, *peer;

	host = mk_peer_find(0);
	if (!host)
		return mk_refuse_peer(r, -ENXIO, MK_REASON_NOT_JOINED, 0, NULL);
	if (!strcmp(name, MK_PEER_HOST))
		return host;
	if (!strcmp(name, mk_guest.name))
		peer = mk_refuse_peer(r, -EINVAL, MK_REASON_PEER_SELF, 0, name);
	else
		peer = mk_peer_find_name(name) ?: mk_ask_host(host, name, r);
	mk_peer_put(host);
	return peer;
}

struct mk_peer *mk_peer_connect(const char *name, struct mk_refusal *r)
{
	switch (multikernel_role) {
	case MK_ROLE_HOST:
		return mk_host_connect(name, r);
	case MK_ROLE_INSTANCE:
		return mk_instance_connect(name, r);
	default:
		return mk_refuse_peer(r, -ENXIO, MK_REASON_NOT_JOINED, 0, NULL);
	}
}

static int __init mk_sibling_init(void)
{
	if (multikernel_is_instance())
		mk_control_add(mk_sibling_controls);
	return 0;
}
core_initcall(mk_sibling_init);

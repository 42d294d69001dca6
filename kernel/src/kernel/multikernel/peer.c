// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peers: life of a connection to another kernel, sending, and the work that
 * drains its ring. See peer.h.
 *
 * A doorbell only queues the work of those peers that have something to say;
 * what they wrote is copied once and then checked. A peer that always has more
 * gets MK_RX_TURNS turns in a row and then a pause that is about as long, so it
 * can starve neither the others nor the CPU.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "internal.h"
#include "peer.h"

#define MK_RX_BUDGET	64	/* messages of one ring in one turn */
#define MK_STARVE_JIFFIES HZ	/* to wait for a doorbell at space */
#define MK_MUTE_MAX	((unsigned long)HZ / 10)	/* longest pause */
#define MK_RX_TURNS	16	/* full turns in a row, then a pause */

struct workqueue_struct *mk_wq;

static LIST_HEAD(mk_peers);		/* those that are up, by id */
static DEFINE_RAW_SPINLOCK(mk_peers_lock);

static void mk_peer_count(u64 *counter)
{
	WRITE_ONCE(*counter, *counter + 1);
}

static void mk_dispatch(struct mk_peer *peer, const struct mk_msg *msg)
{
	switch (msg->head.kind) {
	case MK_KIND_CONTROL:
		mk_control_message(peer, msg);
		break;
	case MK_KIND_REPLY:
		mk_control_reply(peer, msg);
		break;
	case MK_KIND_CHANNEL:
		mk_channel_message(peer, msg);
		break;
	case MK_KIND_USER:
	case MK_KIND_USER_ACK:
	case MK_KIND_IPI:
	case MK_KIND_USER_REPLY:
		mk_handler_message(peer, msg);
		break;
	default:
		mk_peer_count(&peer->counters.unknown);
	}
}

/* One turn; returns true when there is more than the budget allows. */
static bool mk_peer_drain(struct mk_peer *peer)
{
	u32 budget = MK_RX_BUDGET;
	struct mk_msg msg;
	int ret;

	do {
		while (budget && (ret = mk_ring_recv(&peer->rx, &msg)) != 0) {
			budget--;
			if (ret > 0)
				mk_dispatch(peer, &msg);
		}
		if (mk_ring_rx_kick(&peer->rx))
			mk_peer_ring(peer);
		/* That costs, too: an index may move to and fro for ever. */
	} while (budget && mk_ring_rx_arm(&peer->rx) && --budget);
	return !budget;
}

/* Who found the ring full is woken when a part of it is free. */
static void mk_peer_look_for_space(struct mk_peer *peer)
{
	unsigned long flags;
	bool space = false;

	if (!READ_ONCE(peer->tx_starved))
		return;
	raw_spin_lock_irqsave(&peer->tx_lock, flags);
	if (peer->up && peer->tx_starved && mk_ring_tx_arm(&peer->tx)) {
		WRITE_ONCE(peer->tx_starved, false);
		space = true;
	}
	raw_spin_unlock_irqrestore(&peer->tx_lock, flags);
	if (!space)
		return;
	mk_handler_space(peer);
	mk_channel_space(peer);
	wake_up_all(&peer->space);
}

static void mk_peer_turn(struct mk_peer *peer)
{
	bool more = mk_peer_drain(peer);

	mk_peer_look_for_space(peer);
	if (peer->look)
		peer->look(peer);
	if (!more) {
		peer->turns = 0;
		return;
	}
	mk_peer_count(&peer->counters.polled);
	if (!peer->turns++)
		peer->busy_since = jiffies;
	if (peer->turns < MK_RX_TURNS) {
		queue_delayed_work(mk_wq, &peer->rx_work, 0);
		return;
	}
	peer->turns = 0;
	mk_peer_count(&peer->counters.muted);
	queue_delayed_work(mk_wq, &peer->rx_work,
			   clamp(jiffies - peer->busy_since, 1UL, MK_MUTE_MAX));
}

static void mk_peer_rx(struct work_struct *work)
{
	struct mk_peer *peer = container_of(to_delayed_work(work),
					    struct mk_peer, rx_work);

	if (READ_ONCE(peer->up))
		mk_peer_turn(peer);
}

/*
 * The doorbell for space did not come for a while: a stray store may have hit
 * an event index, or the other end's index. What it publishes when it is rung
 * mends both.
 */
static void mk_peer_starve(struct work_struct *work)
{
	struct mk_peer *peer = container_of(to_delayed_work(work),
					    struct mk_peer, starve_work);

	mk_peer_look_for_space(peer);
	if (!READ_ONCE(peer->up) || !READ_ONCE(peer->tx_starved))
		return;
	mk_peer_ring(peer);
	queue_delayed_work(mk_wq, &peer->starve_work, MK_STARVE_JIFFIES);
}

/* Only a look, from any context: a peer that lies costs itself a turn. */
static bool mk_peer_has_news(const struct mk_peer *peer)
{
	return READ_ONCE(peer->rx.sh->head) != READ_ONCE(peer->rx.tail) ||
	       READ_ONCE(peer->tx_starved) ||
	       (peer->has_news && peer->has_news(peer));
}

/** mk_peers_doorbell() - somebody rang; hard interrupt */
void mk_peers_doorbell(void)
{
	struct mk_peer *peer;
	unsigned long flags;

	raw_spin_lock_irqsave(&mk_peers_lock, flags);
	list_for_each_entry(peer, &mk_peers, node)
		if (mk_peer_has_news(peer))
			queue_delayed_work(mk_wq, &peer->rx_work, 0);
	raw_spin_unlock_irqrestore(&mk_peers_lock, flags);
}

/* Under tx_lock, as @bell looks at what goes away after mk_peer_down(). */
static void mk_peer_ring_locked(struct mk_peer *peer)
{
	u32 apicid = peer->bell_apicid, vector = peer->bell_vector;

	if (peer->up && (!peer->bell || !peer->bell(peer, &apicid, &vector)))
		mk_arch_doorbell(apicid, vector);
}

void mk_peer_ring(struct mk_peer *peer)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&peer->tx_lock, flags);
	mk_peer_ring_locked(peer);
	raw_spin_unlock_irqrestore(&peer->tx_lock, flags);
}

/*
 * Full: ask for a doorbell at space; there may be some by now. A consumer's
 * index that cannot be is published anew when it is rung.
 */
static int mk_peer_send_locked(struct mk_peer *peer,
			       const struct mk_msg_head *head,
			       const void *payload, u32 len)
{
	bool kick = false;
	int ret;

	if (!peer->up)
		return -EPIPE;
	ret = mk_ring_send(&peer->tx, head, payload, len, &kick);
	if (ret == -EAGAIN && mk_ring_tx_arm(&peer->tx))
		ret = mk_ring_send(&peer->tx, head, payload, len, &kick);
	if (ret == -EBADMSG) {
		kick = true;
		ret = -EAGAIN;
	}
	if (ret == -EAGAIN && !peer->tx_starved) {
		WRITE_ONCE(peer->tx_starved, true);
		queue_delayed_work(mk_wq, &peer->starve_work,
				   MK_STARVE_JIFFIES);
	}
	if (kick)
		mk_peer_ring_locked(peer);
	return ret;
}

int mk_peer_send(struct mk_peer *peer, const struct mk_msg_head *head,
		 const void *payload, u32 len)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&peer->tx_lock, flags);
	ret = mk_peer_send_locked(peer, head, payload, len);
	raw_spin_unlock_irqrestore(&peer->tx_lock, flags);
	return ret == -EPIPE ? mk_peer_gone(peer) : ret;
}

int mk_peer_send_wait(struct mk_peer *peer, const struct mk_msg_head *head,
		      const void *payload, u32 len, unsigned long timeout)
{
	unsigned long end = jiffies + timeout;
	long left;
	int err;

	for (;;) {
		err = mk_peer_send(peer, head, payload, len);
		if (err != -EAGAIN)
			return err;
		left = end - jiffies;	/* read once: it goes on */
		if (left <= 0)
			return -ETIMEDOUT;
		if (wait_event_killable_timeout(peer->space,
				!READ_ONCE(peer->tx_starved) ||
				!READ_ONCE(peer->up), left) < 0)
			return -EINTR;
	}
}

/* Life */

static void mk_peer_free(struct work_struct *work)
{
	struct mk_peer *peer = container_of(work, struct mk_peer, free_work);

	mk_handler_free_peer(peer);
	if (peer->inst)
		mk_instance_put(peer->inst);
	kfree(peer);
}

/* In any context, as references are. */
static void mk_peer_release(struct kref *ref)
{
	struct mk_peer *peer = container_of(ref, struct mk_peer, ref);

	queue_work(mk_wq, &peer->free_work);
}

struct mk_peer *mk_peer_hold(struct mk_peer *peer)
{
	kref_get(&peer->ref);
	return peer;
}
EXPORT_SYMBOL_GPL(mk_peer_hold);

void mk_peer_put(struct mk_peer *peer)
{
	if (!IS_ERR_OR_NULL(peer))
		kref_put(&peer->ref, mk_peer_release);
}
EXPORT_SYMBOL_GPL(mk_peer_put);

u32 mk_peer_id(const struct mk_peer *peer)
{
	return peer->id;
}
EXPORT_SYMBOL_GPL(mk_peer_id);

const char *mk_peer_name(const struct mk_peer *peer)
{
	return peer->name;
}
EXPORT_SYMBOL_GPL(mk_peer_name);

u32 mk_peer_epoch(const struct mk_peer *peer)
{
	return peer->epoch;
}
EXPORT_SYMBOL_GPL(mk_peer_epoch);

bool mk_peer_is_up(const struct mk_peer *peer)
{
	return READ_ONCE(peer->up) && READ_ONCE(peer->announced);
}
EXPORT_SYMBOL_GPL(mk_peer_is_up);

/* The notifiers may wait for messages: not in the work that receives them. */
static void mk_peer_tell(struct work_struct *work)
{
	struct mk_peer *peer = container_of(work, struct mk_peer, tell_work);

	if (READ_ONCE(peer->announced) && !peer->told_up) {
		peer->told_up = true;
		mk_peer_notify(peer, MK_PEER_UP);
	}
	if (!READ_ONCE(peer->up) && peer->told_up && !peer->told_down) {
		peer->told_down = true;
		mk_peer_notify(peer, MK_PEER_DOWN);
	}
	mk_peer_put(peer);
}

static void mk_peer_queue_tell(struct mk_peer *peer)
{
	mk_peer_hold(peer);
	if (!queue_work(mk_wq, &peer->tell_work))
		mk_peer_put(peer);
}

struct mk_peer *mk_peer_new(const struct mk_peer_setup *setup)
{
	struct mk_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL);

	if (!peer)
		return NULL;
	kref_init(&peer->ref);
	INIT_LIST_HEAD(&peer->node);
	peer->id = setup->id;
	peer->epoch = setup->epoch;
	peer->serial = setup->serial;
	strscpy(peer->name, setup->name, sizeof(peer->name));
	peer->rings = setup->rings;
	peer->bell = setup->bell;
	peer->bell_apicid = setup->bell_apicid;
	peer->bell_vector = setup->bell_vector;
	peer->look = setup->look;
	peer->has_news = setup->has_news;
	peer->inst = setup->inst;
	if (peer->inst)
		kref_get(&peer->inst->ref);
	raw_spin_lock_init(&peer->tx_lock);
	mk_ring_tx_init(&peer->tx, setup->tx);
	mk_ring_rx_init(&peer->rx, setup->rx);
	init_waitqueue_head(&peer->space);
	INIT_DELAYED_WORK(&peer->rx_work, mk_peer_rx);
	INIT_DELAYED_WORK(&peer->starve_work, mk_peer_starve);
	INIT_WORK(&peer->tell_work, mk_peer_tell);
	INIT_WORK(&peer->free_work, mk_peer_free);
	mk_control_init_peer(peer);
	mk_handler_init_peer(peer);
	mk_channel_init_peer(peer);
	return peer;
}

static void mk_peer_list(struct mk_peer *peer)
{
	struct list_head *before = &mk_peers;
	struct mk_peer *other;
	unsigned long flags;

	raw_spin_lock_irqsave(&mk_peers_lock, flags);
	list_for_each_entry(other, &mk_peers, node) {
		if (other->id > peer->id) {
			before = &other->node;
			break;
		}
	}
	list_add_tail(&peer->node, before);
	raw_spin_unlock_irqrestore(&mk_peers_lock, flags);
}

static bool mk_peer_unlist(struct mk_peer *peer)
{
	unsigned long flags;
	bool listed;

	raw_spin_lock_irqsave(&mk_peers_lock, flags);
	listed = !list_empty(&peer->node);
	list_del_init(&peer->node);
	raw_spin_unlock_irqrestore(&mk_peers_lock, flags);
	return listed;
}

void mk_peer_up(struct mk_peer *peer)
{
	WRITE_ONCE(peer->up, true);
	mk_peer_hold(peer);	/* the list's */
	mk_peer_list(peer);
	mk_show_add_peer(peer);
	/* Doorbells of what was sent before have gone nowhere. */
	queue_delayed_work(mk_wq, &peer->rx_work, 0);
}

void mk_peer_announce(struct mk_peer *peer)
{
	if (peer->announced)
		return;
	WRITE_ONCE(peer->announced, true);
	mk_peer_queue_tell(peer);
}

void mk_peer_down(struct mk_peer *peer)
{
	unsigned long flags;

	if (!mk_peer_unlist(peer))
		return;
	cancel_delayed_work_sync(&peer->rx_work);
	/* What it sent before its end has arrived: a full ring at most. */
	mk_peer_drain(peer);
	raw_spin_lock_irqsave(&peer->tx_lock, flags);
	WRITE_ONCE(peer->up, false);
	raw_spin_unlock_irqrestore(&peer->tx_lock, flags);
	/* Somebody may have queued them meanwhile. */
	cancel_delayed_work_sync(&peer->starve_work);
	cancel_delayed_work_sync(&peer->rx_work);
	mk_control_peer_down(peer);
	mk_handler_peer_down(peer);
	mk_channel_peer_down(peer);
	wake_up_all(&peer->space);
	mk_show_remove_peer(peer);
	mk_peer_queue_tell(peer);
	mk_peer_put(peer);
}

struct mk_peer *mk_peer_find(u32 id)
{
	struct mk_peer *peer, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&mk_peers_lock, flags);
	list_for_each_entry(peer, &mk_peers, node)
		if (peer->id == id)
			found = mk_peer_hold(peer);
	raw_spin_unlock_irqrestore(&mk_peers_lock, flags);
	return found;
}

struct mk_peer *mk_peer_find_name(const char *name)
{
	struct mk_peer *peer, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&mk_peers_lock, flags);
	list_for_each_entry(peer, &mk_peers, node)
		if (!strcmp(peer->name, name))
			found = mk_peer_hold(peer);
	raw_spin_unlock_irqrestore(&mk_peers_lock, flags);
	return found;
}

struct mk_peer *mk_peer_next(struct mk_peer *prev)
{
	struct mk_peer *peer, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&mk_peers_lock, flags);
	list_for_each_entry(peer, &mk_peers, node) {
		if (!prev || peer->id > prev->id) {
			found = mk_peer_hold(peer);
			break;
		}
	}
	raw_spin_unlock_irqrestore(&mk_peers_lock, flags);
	mk_peer_put(prev);
	return found;
}

int mk_peer_gone(struct mk_peer *peer)
{
	u32 epoch = multikernel_is_host() ? mk_region_epoch(peer->id) :
					    mk_guest_epoch(peer->id);

	/* 0: it does not exist any more, or is the host */
	return epoch && epoch != peer->epoch ? -ESTALE : -EPIPE;
}

/* Counters */

ssize_t mk_peer_counters_show(struct mk_peer *peer, char *buf)
{
	const struct mk_ring_counters *tx = &peer->tx.counters;
	const struct mk_ring_counters *rx = &peer->rx.counters;
	const struct mk_peer_counters *c = &peer->counters;

	return sysfs_emit(buf,
			  "sent %llu\nfull %llu\ndoorbells %llu\n"
			  "doorbells_suppressed %llu\nreceived %llu\n"
			  "lost %llu\nbad_length %llu\nbad_index %llu\n"
			  "polled %llu\nmuted %llu\nunknown %llu\n"
			  "refused %llu\nlate_replies %llu\nrestarts %u\n"
			  "stream_lost %llu\nstream_bad %llu\n",
			  READ_ONCE(tx->sent), READ_ONCE(tx->full),
			  READ_ONCE(tx->kicks) + READ_ONCE(rx->kicks),
			  READ_ONCE(tx->kicks_suppressed) +
			  READ_ONCE(rx->kicks_suppressed),
			  READ_ONCE(rx->received), READ_ONCE(rx->lost),
			  READ_ONCE(rx->bad_len),
			  READ_ONCE(tx->bad_index) + READ_ONCE(rx->bad_index),
			  READ_ONCE(c->polled), READ_ONCE(c->muted),
			  READ_ONCE(c->unknown), READ_ONCE(c->refused),
			  READ_ONCE(c->late_replies),
			  peer->epoch ? peer->epoch - 1 : 0,
			  READ_ONCE(peer->user.lost),
			  READ_ONCE(peer->user.bad));
}

static int __init mk_peer_init(void)
{
	if (multikernel_role == MK_ROLE_NONE)
		return 0;
	mk_wq = alloc_workqueue("multikernel", WQ_HIGHPRI | WQ_UNBOUND, 0);
	return mk_wq ? 0 : -ENOMEM;
}
core_initcall(mk_peer_init);

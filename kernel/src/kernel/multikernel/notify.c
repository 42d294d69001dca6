// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is told when peers come and go.
 *
 * A peer is in a list from its UP until its DOWN, with a reference as long.
 * Whoever registers is told of all in it, and from then on of each change, under
 * one mutex: so for every peer it sees UP, then DOWN, once each.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/mutex.h>

#include "peer.h"

static DEFINE_MUTEX(notify_lock);
static BLOCKING_NOTIFIER_HEAD(notifiers);
static LIST_HEAD(told_up);
/* who holds notify_lock, to refuse what would wait for itself */
static struct task_struct *notifying;

static void notify_begin(void)
{
	mutex_lock(&notify_lock);
	WRITE_ONCE(notifying, current);
}

static void notify_end(void)
{
	WRITE_ONCE(notifying, NULL);
	mutex_unlock(&notify_lock);
}

static bool is_within(const char *what)
{
	if (READ_ONCE(notifying) != current)
		return false;
	pr_warn("a notifier of peers cannot be %s from within one\n", what);
	return true;
}

void mk_peer_notify(struct mk_peer *peer, enum mk_peer_event event)
{
	notify_begin();
	if (event == MK_PEER_UP) {
		mk_peer_hold(peer);
		list_add_tail(&peer->notify_node, &told_up);
	}
	blocking_notifier_call_chain(&notifiers, event, peer);
	if (event == MK_PEER_DOWN) {
		list_del(&peer->notify_node);
		mk_peer_put(peer);
	}
	notify_end();
}

int mk_peer_notifier_register(struct notifier_block *nb)
{
	struct mk_peer *peer;
	int err;

	if (is_within("registered"))
		return -EDEADLK;
	notify_begin();
	err = blocking_notifier_chain_register(&notifiers, nb);
	if (!err)
		list_for_each_entry(peer, &told_up, notify_node)
			nb->notifier_call(nb, MK_PEER_UP, peer);
	notify_end();
	return err;
}
EXPORT_SYMBOL_GPL(mk_peer_notifier_register);

int mk_peer_notifier_unregister(struct notifier_block *nb)
{
	int err;

	if (is_within("removed"))
		return -EDEADLK;
	notify_begin();
	err = blocking_notifier_chain_unregister(&notifiers, nb);
	notify_end();
	return err;
}
EXPORT_SYMBOL_GPL(mk_peer_notifier_unregister);

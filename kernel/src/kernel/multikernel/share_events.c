// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of shares, on the host: who has one attached is told that it has been
 * revoked, orphaned or given.
 *
 * An attachment has one bit for each type that it has not been told. So a
 * kernel that takes no messages delays only its own, and what waits for it is
 * bounded.
 */
#include <linux/bitops.h>

#include "internal.h"
#include "peer.h"
#include "share.h"

static void mk_tell(struct work_struct *work);
static DECLARE_DELAYED_WORK(mk_tell_work, mk_tell);

/* The next attachment of the host's with an event that is not told */
static struct mk_att *mk_pending(struct mk_share **ret_share)
{
	struct mk_share *share;
	struct mk_party *party;
	struct mk_att *att;

	list_for_each_entry(share, &mk_books.shares, node)
		list_for_each_entry(party, &share->parties, node)
			list_for_each_entry(att, &party->atts, node) {
				if (!att->pending || att->peer_id)
					continue;
				*ret_share = share;
				return att;
			}
	return NULL;
}

static void mk_event_take(struct mk_att *att, const struct mk_share *share,
			  struct mk_wire_share_event *ret)
{
	u32 what = __ffs(att->pending);

	att->pending &= ~BIT(what);
	*ret = (struct mk_wire_share_event){
		.id = share->id,
		.what = what,
		.generation = share->generation,
		.timeout_ms = what == MK_SHARE_EVENT_REVOKED ?
			      att->timeout_ms : 0,
		.holder = att->number,
	};
}

/* -EAGAIN: no room in its ring now */
static int mk_event_send(const struct mk_att *att,
			 const struct mk_wire_share_event *event)
{
	struct mk_msg_head head = {
		.kind = MK_KIND_CONTROL,
		.type = MK_MSG_SHARE_EVENT,
	};
	struct mk_peer *peer = mk_peer_find(att->peer_id);
	int ret = 0;

	if (!peer)
		return 0;
	if (mk_peer_epoch(peer) == att->epoch)
		ret = mk_peer_send(peer, &head, event, sizeof(*event));
	mk_peer_put(peer);
	return ret == -EAGAIN ? ret : 0;
}

/* All that can be told; returns whether something is left for later. */
static bool mk_tell_instances(void)
{
	struct mk_wire_share_event event;
	bool left = false;
	struct mk_share *share;
	struct mk_party *party;
	struct mk_att *att;

	guard(mutex)(&mk_share_lock);
	list_for_each_entry(share, &mk_books.shares, node)
		list_for_each_entry(party, &share->parties, node)
			list_for_each_entry(att, &party->atts, node)
				while (att->peer_id && att->pending) {
					mk_event_take(att, share, &event);
					if (!mk_event_send(att, &event))
						continue;
					att->pending |= BIT(event.what);
					left = true;
					break;
				}
	return left;
}

/* Without the lock: who is told may have something to ask. */
static void mk_tell_host(void)
{
	struct mk_wire_share_event event;
	struct mk_share *share;
	struct mk_att *att;

	for (;;) {
		mutex_lock(&mk_share_lock);
		att = mk_pending(&share);
		if (att)
			mk_event_take(att, share, &event);
		mutex_unlock(&mk_share_lock);
		if (!att)
			return;
		mk_attachment_event(&event);
	}
}

static void mk_tell(struct work_struct *work)
{
	mk_tell_host();
	if (mk_tell_instances())
		queue_delayed_work(mk_wq, &mk_tell_work, 1);
}

/** mk_shares_tell() - send the events that are due; any locks may be held */
void mk_shares_tell(void)
{
	mod_delayed_work(mk_wq, &mk_tell_work, 0);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares as the code of this kernel uses them, in both roles: on the host the
 * books are asked directly, in an instance by requests to the host.
 *
 * An attachment has a number that this kernel chose. So when no answer comes to
 * an ATTACH, or to a DETACH, the number is asked to be dropped until there is
 * one: the host handles the requests of one kernel in order.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/delay.h>
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "internal.h"
#include "peer.h"
#include "share.h"

#define MK_CREATE_TIMEOUT_MS	30000	/* its memory may have to be scrubbed */
#define MK_REVOKE_STEP_MS	50
#define MK_BUSY_TRIES		100
#define MK_BUSY_STEP_MS		20

/**
 * struct mk_attachment - what this kernel has attached
 * @node: in mk_attachments, later in mk_forgotten; mk_attachments_lock
 * @ref: one until its DETACH has been answered, one while its work is queued,
 *	one of whoever had it attached to be kept and still looks at it
 * @number: by which the host knows it
 * @id: of the share
 * @generation: of the share, when it was attached
 * @rights: MK_RIGHT_*
 * @name: of the share
 * @kept: held under that name
 * @pages: its memory
 * @lock: @area
 * @area: its mapping, or NULL
 * @chain: notifiers
 * @work: calls them
 * @untold: types that they have not been told, bits; under mk_attachments_lock,
 *	as what follows
 * @events: types that have not been read
 * @event: the last one of each type
 * @wait: for @events
 */
struct mk_attachment {
	struct list_head node;
	struct kref ref;
	u32 number;
	u32 id;
	u64 generation;
	u32 rights;
	char name[MK_SHARE_NAME_MAX];
	bool kept;
	struct mk_pages pages;
	struct mutex lock;
	struct vm_struct *area;
	struct blocking_notifier_head chain;
	struct work_struct work;
	u32 untold;
	u32 events;
	struct mk_share_event event[MK_SHARE_EVENT_GIVEN + 1];
	wait_queue_head_t wait;
};

static DEFINE_SPINLOCK(mk_attachments_lock);
static LIST_HEAD(mk_attachments);
static LIST_HEAD(mk_forgotten);		/* to be detached at the host */
static u32 mk_last_number;

/* Held while one is attached that is to be kept, so that no name is kept twice */
static DEFINE_MUTEX(mk_keep_lock);

static void mk_forget(struct work_struct *work);
static DECLARE_DELAYED_WORK(mk_forget_work, mk_forget);

/* Requests */

static u32 mk_answer_bytes(u32 type)
{
	switch (type) {
	case MK_MSG_SHARE_CREATE:
	case MK_MSG_SHARE_ATTACH:
	case MK_MSG_SHARE_GET:
	case MK_MSG_FRAME_SEND:
		return sizeof(struct mk_wire_share);
	case MK_MSG_SHARE_HOLDER:
		return sizeof(struct mk_share_holder);
	case MK_MSG_SHARE_REVOKE:
		return sizeof(struct mk_wire_share_revoked);
	default:
		return 0;
	}
}

/* What another kernel wrote ends somewhere. */
static void mk_answer_seal(u32 type, struct mk_answer *answer)
{
	switch (mk_answer_bytes(type)) {
	case sizeof(struct mk_wire_share):
		answer->share.name[MK_SHARE_NAME_MAX - 1] = 0;
		break;
	case sizeof(struct mk_share_holder):
		answer->holder.name[MK_NAME_MAX - 1] = 0;
		break;
	}
	if (type == MK_MSG_SHARE_REVOKE)
		answer->revoked.by[MK_NAME_MAX - 1] = 0;
}

static int mk_share_call_host(u32 type, const void *payload, u32 len,
			      struct mk_answer *answer, struct mk_refusal *r)
{
	u32 timeout_ms = type == MK_MSG_SHARE_CREATE ? MK_CREATE_TIMEOUT_MS :
						       MK_CALL_TIMEOUT_MS;
	struct mk_peer *peer = mk_peer_find(0);
	int ret, tries;

	if (!peer) {
		mk_refuse(r, MK_REASON_NOT_JOINED, 0, 0, NULL);
		return -ENXIO;
	}
	for (tries = MK_BUSY_TRIES; tries; tries--) {
		ret = mk_peer_call(peer, type, payload, len, &answer->share,
				   mk_answer_bytes(type), timeout_ms, r);
		/* The host has many requests of this kernel to do already. */
		if (ret != -EBUSY || r->reason != MK_REASON_BUSY ||
		    fatal_signal_pending(current))
			break;
		msleep(MK_BUSY_STEP_MS);
	}
	mk_peer_put(peer);
	if (!ret)
		mk_answer_seal(type, answer);
	return ret;
}

/**
 * mk_share_call() - a request to the books, from this kernel
 * @type: MK_MSG_SHARE_*, MK_MSG_FRAME_SEND
 * @payload: its struct of mk_wire.h
 * @len: of that
 * @answer: for what it gives back
 * @r: refusal to fill
 *
 * Sleeps. Return: 0 or a negative error.
 */
int mk_share_call(u32 type, const void *payload, u32 len,
		  struct mk_answer *answer, struct mk_refusal *r)
{
	const struct mk_caller self = { .name = MK_PEER_HOST };

	memset(answer, 0, sizeof(*answer));
	if (multikernel_is_host())
		return mk_share_request(&self, type, payload, answer, r);
	return mk_share_call_host(type, payload, len, answer, r);
}

static int mk_op_call(u32 type, const struct mk_wire_share_op *op,
		      struct mk_answer *answer, struct mk_refusal *r)
{
	return mk_share_call(type, op, sizeof(*op), answer, r);
}

/* Attachments */

static void mk_attachment_free(struct kref *ref)
{
	kfree(container_of(ref, struct mk_attachment, ref));
}

void mk_attachment_put(struct mk_attachment *att)
{
	kref_put(&att->ref, mk_attachment_free);
}

/* One of the types of events that wait in @from; false: none does */
static bool mk_event_take(struct mk_attachment *att, u32 *from,
			  struct mk_share_event *ret)
{
	u32 what;

	guard(spinlock)(&mk_attachments_lock);
	if (!*from)
		return false;
	what = __ffs(*from);
	*from &= ~BIT(what);
	*ret = att->event[what];
	return true;
}

static void mk_attachment_notify(struct work_struct *work)
{
	struct mk_attachment *att = container_of(work, struct mk_attachment,
						 work);
	struct mk_share_event event;

	while (mk_event_take(att, &att->untold, &event))
		blocking_notifier_call_chain(&att->chain, event.what, &event);
	mk_attachment_put(att);
}

/* Before it is asked for, so that no event for it can come too early */
static struct mk_attachment *mk_attachment_new(void)
{
	struct mk_attachment *att = kzalloc(sizeof(*att), GFP_KERNEL);

	if (!att)
		return NULL;
	kref_init(&att->ref);
	mutex_init(&att->lock);
	BLOCKING_INIT_NOTIFIER_HEAD(&att->chain);
	INIT_WORK(&att->work, mk_attachment_notify);
	init_waitqueue_head(&att->wait);
	spin_lock(&mk_attachments_lock);
	att->number = ++mk_last_number ?: ++mk_last_number;
	list_add_tail(&att->node, &mk_attachments);
	spin_unlock(&mk_attachments_lock);
	return att;
}

static bool mk_is_answer(int err)
{
	return err != -ETIMEDOUT && err != -EINTR && err != -EAGAIN &&
	       err != -EBUSY && err != -EPROTO && err != -ENOMEM;
}

static int mk_detach_number(u32 number)
{
	const struct mk_wire_share_op op = { .holder = number };
	struct mk_answer answer;
	struct mk_refusal r = { };

	return mk_op_call(MK_MSG_SHARE_DETACH, &op, &answer, &r);
}

/* Not ours any more, whatever it takes to tell the host. */
static void mk_attachment_forget(struct mk_attachment *att, bool ask)
{
	spin_lock(&mk_attachments_lock);
	list_del_init(&att->node);
	spin_unlock(&mk_attachments_lock);
	if (!ask || mk_is_answer(mk_detach_number(att->number))) {
		mk_attachment_put(att);
		return;
	}
	spin_lock(&mk_attachments_lock);
	list_add_tail(&att->node, &mk_forgotten);
	spin_unlock(&mk_attachments_lock);
	queue_delayed_work(system_unbound_wq, &mk_forget_work, HZ / 10);
}

static void mk_forget(struct work_struct *work)
{
	struct mk_attachment *att;

	for (;;) {
		spin_lock(&mk_attachments_lock);
		att = list_first_entry_or_null(&mk_forgotten,
					       struct mk_attachment, node);
		spin_unlock(&mk_attachments_lock);
		if (!att)
			return;
		if (!mk_is_answer(mk_detach_number(att->number)))
			break;
		spin_lock(&mk_attachments_lock);
		list_del_init(&att->node);
		spin_unlock(&mk_attachments_lock);
		mk_attachment_put(att);
	}
	queue_delayed_work(system_unbound_wq, &mk_forget_work, HZ);
}

/* What the host said of the share that is attached now, checked */
static int mk_attachment_fill(struct mk_attachment *att,
			      const struct mk_wire_share *share, u32 rights,
			      struct mk_refusal *r)
{
	int ret = mk_pages_parse(share, &att->pages, r);

	if (ret)
		return ret;
	att->id = share->id;
	att->generation = share->generation;
	att->rights = rights;
	memcpy(att->name, share->name, sizeof(att->name));
	ret = mk_pages_hold(&att->pages);
	if (ret)
		mk_refuse(r, MK_REASON_SHARE_BAD_PAGES,
			  att->pages.range[0].addr >> 12, 0, att->name);
	return ret;
}

static struct mk_attachment *mk_attach_now(const struct mk_wanted *wanted,
					   struct mk_refusal *r)
{
	struct mk_wire_share_op op = {
		.id = wanted->id,
		.generation = wanted->generation,
		.rights = wanted->rights,
	};
	struct mk_attachment *att = mk_attachment_new();
	struct mk_answer answer;
	int ret;

	if (!att)
		return ERR_PTR(-ENOMEM);
	if (wanted->name)
		strscpy(op.name, wanted->name, sizeof(op.name));
	op.holder = att->number;
	ret = mk_op_call(MK_MSG_SHARE_ATTACH, &op, &answer, r);
	if (ret) {
		mk_attachment_forget(att, !mk_is_answer(ret));
		return ERR_PTR(ret);
	}
	ret = mk_attachment_fill(att, &answer.share, wanted->rights, r);
	if (ret) {
		mk_attachment_forget(att, true);
		return ERR_PTR(ret);
	}
	return att;
}

/* By name, or by id when there is none */
static struct mk_attachment *mk_kept_find(const char *name, u32 id)
{
	struct mk_attachment *att, *found = NULL;

	spin_lock(&mk_attachments_lock);
	list_for_each_entry(att, &mk_attachments, node)
		if (att->kept &&
		    (id ? att->id == id : !strcmp(att->name, name)))
			found = att;
	spin_unlock(&mk_attachments_lock);
	return found;
}

static struct mk_attachment *mk_attach_kept(const struct mk_wanted *wanted,
					    struct mk_refusal *r)
{
	struct mk_attachment *att;

	guard(mutex)(&mk_keep_lock);
	att = mk_kept_find(wanted->name ?: "", wanted->id);
	if (!att)
		att = mk_attach_now(wanted, r);
	else
		goto held;
	if (IS_ERR(att))
		return att;
	if (!mk_kept_find(att->name, 0)) {
		att->kept = true;
		kref_get(&att->ref);	/* the caller's */
		return att;
	}
	mk_share_detach(att);
held:
	mk_refuse(r, MK_REASON_SHARE_HELD, 0, 0, wanted->name);
	return ERR_PTR(-EEXIST);
}

/**
 * mk_attach() - attach a share to this kernel
 * @wanted: which one, and how
 * @r: refusal to fill
 *
 * One that is kept may be released by anybody at any time: the caller has a
 * reference to look at it, for mk_attachment_put(). Return: attachment, or
 * ERR_PTR.
 */
struct mk_attachment *mk_attach(const struct mk_wanted *wanted,
				struct mk_refusal *r)
{
	if (!(wanted->rights & MK_RIGHT_READ) || wanted->rights & ~MK_RIGHTS) {
		mk_refuse(r, MK_REASON_SHARE_RIGHTS, wanted->rights, MK_RIGHTS,
			  wanted->name);
		return ERR_PTR(-EINVAL);
	}
	return wanted->keep ? mk_attach_kept(wanted, r) :
			      mk_attach_now(wanted, r);
}

/**
 * mk_attachment_release() - end what is kept
 * @name: of the share
 * @id: of the share, or 0
 * @generation: that is meant, 0 for any
 * @r: refusal to fill
 *
 * Return: 0, -ENOTCONN or -ESTALE.
 */
int mk_attachment_release(const char *name, u32 id, u64 generation,
			  struct mk_refusal *r)
{
	struct mk_attachment *att;

	guard(mutex)(&mk_keep_lock);
	att = mk_kept_find(name, id);
	if (!att) {
		mk_refuse(r, MK_REASON_SHARE_NOT_HELD, id, 0, name);
		return -ENOTCONN;
	}
	if (generation && generation != att->generation) {
		mk_refuse(r, MK_REASON_SHARE_STALE, generation,
			  att->generation, att->name);
		return -ESTALE;
	}
	mk_share_detach(att);
	return 0;
}

/** mk_attachment_is_kept() - does this kernel keep that share attached? */
bool mk_attachment_is_kept(u32 id)
{
	return mk_kept_find("", id);
}

/**
 * mk_share_detach() - end the use of a share
 * @att: from mk_share_attach(), or ERR_PTR
 *
 * Its mapping is gone. Waits for notifiers that run.
 */
void mk_share_detach(struct mk_attachment *att)
{
	struct vm_struct *area;

	if (IS_ERR_OR_NULL(att))
		return;
	spin_lock(&mk_attachments_lock);
	list_del_init(&att->node);
	spin_unlock(&mk_attachments_lock);
	if (cancel_work_sync(&att->work))
		mk_attachment_put(att);
	mutex_lock(&att->lock);
	area = att->area;
	att->area = NULL;
	mutex_unlock(&att->lock);
	mk_pages_unmap(area);
	mk_pages_drop(&att->pages);
	mk_attachment_forget(att, true);
}
EXPORT_SYMBOL_GPL(mk_share_detach);

struct mk_attachment *mk_share_attach(const char *name, u32 rights)
{
	struct mk_wanted wanted = { .name = name, .rights = rights };
	struct mk_refusal r = { };

	return mk_attach(&wanted, &r);
}
EXPORT_SYMBOL_GPL(mk_share_attach);

void *mk_attachment_map(struct mk_attachment *att)
{
	guard(mutex)(&att->lock);
	if (!att->area)
		att->area = mk_pages_map(&att->pages,
					 att->rights & MK_RIGHT_WRITE);
	return att->area ? att->area->addr : NULL;
}
EXPORT_SYMBOL_GPL(mk_attachment_map);

u64 mk_attachment_bytes(const struct mk_attachment *att)
{
	return att->pages.bytes;
}
EXPORT_SYMBOL_GPL(mk_attachment_bytes);

u64 mk_attachment_generation(const struct mk_attachment *att)
{
	return att->generation;
}
EXPORT_SYMBOL_GPL(mk_attachment_generation);

const struct mk_pages *mk_attachment_pages(const struct mk_attachment *att)
{
	return &att->pages;
}

u32 mk_attachment_rights(const struct mk_attachment *att)
{
	return att->rights;
}

u32 mk_attachment_id(const struct mk_attachment *att)
{
	return att->id;
}

const char *mk_attachment_name(const struct mk_attachment *att)
{
	return att->name;
}

/* Events */

int mk_attachment_notifier_register(struct mk_attachment *att,
				    struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&att->chain, nb);
}
EXPORT_SYMBOL_GPL(mk_attachment_notifier_register);

int mk_attachment_notifier_unregister(struct mk_attachment *att,
				      struct notifier_block *nb)
{
	return blocking_notifier_chain_unregister(&att->chain, nb);
}
EXPORT_SYMBOL_GPL(mk_attachment_notifier_unregister);

/**
 * mk_attachment_event() - tell an attachment
 * @wire: what, and of which one
 *
 * Does not sleep: who reads is woken, notifiers are called by a work.
 */
void mk_attachment_event(const struct mk_wire_share_event *wire)
{
	struct mk_attachment *att;

	if (wire->what < MK_SHARE_EVENT_REVOKED ||
	    wire->what > MK_SHARE_EVENT_GIVEN)
		return;
	guard(spinlock)(&mk_attachments_lock);
	list_for_each_entry(att, &mk_attachments, node) {
		if (att->number != wire->holder)
			continue;
		att->event[wire->what] = (struct mk_share_event){
			.what = wire->what,
			.timeout_ms = wire->timeout_ms,
			.generation = wire->generation,
		};
		att->events |= BIT(wire->what);
		att->untold |= BIT(wire->what);
		wake_up_interruptible_all(&att->wait);
		if (queue_work(system_unbound_wq, &att->work))
			kref_get(&att->ref);
		return;
	}
}

bool mk_attachment_has_event(struct mk_attachment *att)
{
	return READ_ONCE(att->events);
}

/** mk_attachment_next_event() - one that has not been read; false: none */
bool mk_attachment_next_event(struct mk_attachment *att,
			      struct mk_share_event *ret)
{
	return mk_event_take(att, &att->events, ret);
}

wait_queue_head_t *mk_attachment_wait(struct mk_attachment *att)
{
	return &att->wait;
}

static void mk_share_event_message(struct mk_peer *peer,
				   const struct mk_msg *msg)
{
	mk_attachment_event((const struct mk_wire_share_event *)msg->payload);
}

/* Owners */

static int mk_name_into(char *to, const char *name, size_t size)
{
	return strscpy(to, name, size) < 0 ? -EINVAL : 0;
}

int mk_share_create(const char *name, u64 bytes, int node)
{
	struct mk_wire_share_create c = {
		.bytes = bytes,
		.node = node == NUMA_NO_NODE ? MK_NODE_ANY : node,
	};
	struct mk_answer answer;
	struct mk_refusal r = { };

	return mk_name_into(c.name, name, sizeof(c.name)) ?:
	       mk_share_call(MK_MSG_SHARE_CREATE, &c, sizeof(c), &answer, &r);
}
EXPORT_SYMBOL_GPL(mk_share_create);

static int mk_op_names(struct mk_wire_share_op *op, const char *name,
		       const char *peer)
{
	return mk_name_into(op->name, name, sizeof(op->name)) ?:
	       mk_name_into(op->peer, peer ?: "", sizeof(op->peer));
}

int mk_share_grant(const char *name, const char *peer, u32 rights)
{
	struct mk_wire_share_op op = { .rights = rights };
	struct mk_answer answer;
	struct mk_refusal r = { };

	return mk_op_names(&op, name, peer) ?:
	       mk_op_call(MK_MSG_SHARE_GRANT, &op, &answer, &r);
}
EXPORT_SYMBOL_GPL(mk_share_grant);

int mk_share_give(const char *name, const char *peer)
{
	struct mk_wire_share_op op = { };
	struct mk_answer answer;
	struct mk_refusal r = { };

	return mk_op_names(&op, name, peer) ?:
	       mk_op_call(MK_MSG_SHARE_GIVE, &op, &answer, &r);
}
EXPORT_SYMBOL_GPL(mk_share_give);

/*
 * What has been revoked is gone: nothing of it is attached any more. The first
 * time the same error says that there is nothing to revoke.
 */
static bool mk_is_revoked(const struct mk_wire_share_op *op, int err)
{
	return err == -ENOENT || (err == -ESTALE && !*op->peer);
}

static int mk_revoke_refuse(const struct mk_answer *answer, u32 timeout_ms,
			    struct mk_refusal *r)
{
	mk_refuse(r, MK_REASON_SHARE_STILL_HELD, answer->revoked.attached,
		  timeout_ms, answer->revoked.by);
	return timeout_ms ? -ETIMEDOUT : -EBUSY;
}

/**
 * mk_share_revoke_wait() - revoke, and wait until nothing is attached
 * @op: id or name, peer, timeout_ms; changed
 * @r: refusal to fill
 *
 * Return: as mk_share_revoke().
 */
int mk_share_revoke_wait(struct mk_wire_share_op *op, struct mk_refusal *r)
{
	unsigned long end = jiffies + msecs_to_jiffies(op->timeout_ms);
	struct mk_answer answer;
	bool again = false;
	int ret;

	for (;; again = true) {
		ret = mk_op_call(MK_MSG_SHARE_REVOKE, op, &answer, r);
		if (ret && !(again && mk_is_revoked(op, ret)))
			return ret;
		if (ret || !answer.revoked.attached)
			break;
		if (!op->timeout_ms || time_after(jiffies, end))
			return mk_revoke_refuse(&answer, op->timeout_ms, r);
		op->id = answer.revoked.id;
		op->generation = answer.revoked.generation;
		if (msleep_interruptible(MK_REVOKE_STEP_MS))
			return -EINTR;
	}
	if (multikernel_is_host())
		mk_shares_reap_now();
	memset(r, 0, sizeof(*r));
	return 0;
}

int mk_share_revoke(const char *name, const char *peer,
		    unsigned int timeout_ms)
{
	struct mk_wire_share_op op = { .timeout_ms = timeout_ms };
	struct mk_refusal r = { };

	return mk_op_names(&op, name, peer) ?: mk_share_revoke_wait(&op, &r);
}
EXPORT_SYMBOL_GPL(mk_share_revoke);

static const struct mk_control mk_share_events[] = {
	{
		.type = MK_MSG_SHARE_EVENT,
		.bytes = sizeof(struct mk_wire_share_event),
		.fn = mk_share_event_message,
	},
	{ }
};

static int __init mk_share_client_init(void)
{
	if (multikernel_is_instance())
		mk_control_add(mk_share_events);
	return 0;
}
subsys_initcall(mk_share_client_init);

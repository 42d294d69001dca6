// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages between kernel code of different kernels, <linux/mk_message.h>:
 * receiving them, and the handlers. See request.c for the other half.
 *
 * The rx work of a peer puts its messages into a queue, which the window bounds.
 * One work for each peer calls the handlers, in order; a message has used up its
 * credit until its handler has returned. What had arrived when the peer ended is
 * still handled.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/irq_work.h>
#include <linux/slab.h>

#include "hooks.h"
#include "peer.h"

/**
 * struct mk_handler - who handles messages of some types
 */
struct mk_handler {
	struct mk_hook hook;
	mk_handler_fn fn;
	void *context;
	unsigned int flags;
};

/* A message that was received and not yet handled */
struct arrived {
	struct list_head node;
	struct mk_msg msg;
};

/* A call of a handler in interrupt context */
struct irq_run {
	struct irq_work work;
	const struct mk_handler *handler;
	const struct mk_message *message;
};

static struct workqueue_struct *handlers_wq;

static void free_forgotten(struct mk_hook *hook)
{
	kfree(container_of(hook, struct mk_handler, hook));
}

static struct mk_hooks handlers = MK_HOOKS_INIT(handlers, "message handler",
						true, free_forgotten);

/* --- handlers ---------------------------------------------------------- */

struct mk_handler *__mk_handler_add(struct module *owner, u32 first, u32 last,
				    mk_handler_fn fn, void *context,
				    unsigned int flags)
{
	struct mk_handler *handler;
	int err;

	if (!fn || (flags & ~MK_HANDLER_IRQ))
		return ERR_PTR(-EINVAL);
	handler = kzalloc(sizeof(*handler), GFP_KERNEL);
	if (!handler)
		return ERR_PTR(-ENOMEM);
	handler->hook.owner = owner;
	handler->hook.first = first;
	handler->hook.last = last;
	handler->fn = fn;
	handler->context = context;
	handler->flags = flags;
	err = mk_hooks_add(&handlers, &handler->hook);
	if (err) {
		kfree(handler);
		return ERR_PTR(err);
	}
	return handler;
}
EXPORT_SYMBOL_GPL(__mk_handler_add);

int mk_handler_remove(struct mk_handler *handler)
{
	int err;

	if (IS_ERR_OR_NULL(handler))
		return 0;
	err = mk_hooks_remove(&handlers, &handler->hook);
	if (!err)
		kfree(handler);
	return err;
}
EXPORT_SYMBOL_GPL(mk_handler_remove);

static void irq_call(struct irq_work *work)
{
	struct irq_run *run = container_of(work, struct irq_run, work);

	run->handler->fn(run->message, run->handler->context);
}

static void handler_call(const struct mk_handler *handler,
			 const struct mk_message *message)
{
	struct irq_run run = {
		.work = IRQ_WORK_INIT_HARD(irq_call),
		.handler = handler,
		.message = message,
	};

	if (!(handler->flags & MK_HANDLER_IRQ)) {
		handler->fn(message, handler->context);
		return;
	}
	irq_work_queue(&run.work);
	irq_work_sync(&run.work);
}

/* --- receiving: in the rx work ----------------------------------------- */

/* The work has a reference to the peer each time that it is queued. */
static void queue_user_work(struct mk_peer *peer)
{
	mk_peer_hold(peer);
	if (!queue_work(handlers_wq, &peer->user_work))
		mk_peer_put(peer);
}

/* The peer has filled no more than its window, so this is bounded. */
static void receive_message(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct arrived *arrived = kmalloc(sizeof(*arrived), GFP_KERNEL);
	unsigned long flags;
	bool taken;

	if (arrived)
		arrived->msg = *msg;
	raw_spin_lock_irqsave(&peer->user_lock, flags);
	taken = mk_stream_take(&peer->user, msg->head.nr);
	if (taken && arrived) {
		list_add_tail(&arrived->node, &peer->user_queue);
	} else if (taken) {
		/* No memory: lost, and counted as such. */
		mk_stream_consume(&peer->user);
		peer->user.lost++;
	}
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
	if (!taken || !arrived) {
		kfree(arrived);
		return;
	}
	queue_user_work(peer);
}

/* An ack alone. Its number tells what got lost before it. */
static void receive_ack(struct mk_peer *peer, const struct mk_msg *msg)
{
	unsigned long flags;
	bool lost;

	raw_spin_lock_irqsave(&peer->user_lock, flags);
	lost = mk_stream_take_gap(&peer->user, msg->head.nr);
	if (lost || msg->head.type == MK_USER_ACK_ASK)
		mk_user_send_ack(peer, MK_USER_ACK_TELL);
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
}

/** mk_handler_message() - one of the kinds MK_KIND_USER*, MK_KIND_IPI */
void mk_handler_message(struct mk_peer *peer, const struct mk_msg *msg)
{
	unsigned long flags;
	bool room;

	raw_spin_lock_irqsave(&peer->user_lock, flags);
	room = mk_stream_take_ack(&peer->user, msg->head.ack);
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
	if (room)
		wake_up_all(&peer->space);
	switch (msg->head.kind) {
	case MK_KIND_USER:
	case MK_KIND_IPI:
		receive_message(peer, msg);
		break;
	case MK_KIND_USER_ACK:
		receive_ack(peer, msg);
		break;
	case MK_KIND_USER_REPLY:
		mk_user_reply(peer, msg);
		break;
	}
}

void mk_handler_space(struct mk_peer *peer)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&peer->user_lock, flags);
	if (peer->user_ack_due)
		mk_user_send_ack(peer, MK_USER_ACK_TELL);
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
}

/* --- handling: in the peer's user work --------------------------------- */

/* Note a request until it is answered; or answer that it cannot be. */
static bool note_request(struct mk_peer *peer, u32 id)
{
	unsigned long flags;
	int err;

	raw_spin_lock_irqsave(&peer->user_lock, flags);
	err = mk_asked_add(&peer->asked, id);
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
	if (!err)
		return true;
	mk_ring_count(&peer->counters.refused);
	if (err == -ENOSPC)
		mk_user_answer_error(peer, id, -EBUSY);
	return false;
}

static void handle_message(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct mk_message message = {
		.peer = peer,
		.type = msg->head.type,
		.len = msg->len,
		.data = msg->payload,
		.request = msg->head.id,
	};
	struct mk_hook *hook;
	struct mk_run run;

	hook = mk_hooks_find(&handlers, msg->head.type, &run);
	if (!hook) {
		mk_ring_count(&peer->counters.unknown);
		if (message.request)
			mk_user_answer_error(peer, message.request, -ENOSYS);
		return;
	}
	if (!message.request || note_request(peer, message.request))
		handler_call(container_of(hook, struct mk_handler, hook),
			     &message);
	mk_run_end(&run);
}

static struct arrived *next_arrived(struct mk_peer *peer)
{
	struct arrived *arrived;
	unsigned long flags;

	raw_spin_lock_irqsave(&peer->user_lock, flags);
	arrived = list_first_entry_or_null(&peer->user_queue, struct arrived,
					   node);
	if (arrived)
		list_del(&arrived->node);
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
	return arrived;
}

static void consumed(struct mk_peer *peer)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&peer->user_lock, flags);
	mk_stream_consume(&peer->user);
	if (mk_stream_ack_due(&peer->user))
		mk_user_send_ack(peer, MK_USER_ACK_TELL);
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
}

static void user_work(struct work_struct *work)
{
	struct mk_peer *peer = container_of(work, struct mk_peer, user_work);
	struct arrived *arrived;
	u32 budget = MK_WINDOW;

	while (budget && (arrived = next_arrived(peer)) != NULL) {
		if (arrived->msg.head.kind == MK_KIND_IPI)
			mk_ipi_message(peer, &arrived->msg);
		else
			handle_message(peer, &arrived->msg);
		kfree(arrived);
		consumed(peer);
		cond_resched();
		budget--;
	}
	/* Others of this workqueue get their turn. */
	if (!budget)
		queue_user_work(peer);
	mk_peer_put(peer);
}

/* --- life of a peer ---------------------------------------------------- */

void mk_handler_init_peer(struct mk_peer *peer)
{
	raw_spin_lock_init(&peer->user_lock);
	INIT_LIST_HEAD(&peer->user_queue);
	INIT_LIST_HEAD(&peer->user_calls);
	INIT_WORK(&peer->user_work, user_work);
}

/** mk_handler_free_peer() - the last reference is gone, so its work is, too */
void mk_handler_free_peer(struct mk_peer *peer)
{
	WARN_ON_ONCE(!list_empty(&peer->user_queue));
}

static int __init mk_handler_init(void)
{
	handlers_wq = alloc_workqueue("mk_handlers", WQ_UNBOUND, 0);
	if (!handlers_wq)
		return -ENOMEM;
	mk_hooks_register(&handlers);
	return 0;
}
core_initcall(mk_handler_init);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The older interface for kernel code, <linux/multikernel.h>: messages to a CPU
 * of whatever kernel, and callbacks that get all of them.
 *
 * Messages to other kernels go through the peer's stream, as those of
 * <linux/mk_message.h>. What arrives is checked against the map of CPUs, which
 * the sender cannot write, and copied for each callback. The callback runs on
 * the CPU that was addressed: in a work of that CPU, or in an irq_work. Messages
 * of one kernel are delivered one after the other, those to this kernel's own
 * CPUs through a queue of their own.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/cpu.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "hooks.h"
#include "internal.h"
#include "peer.h"

/* Messages to own CPUs under way: as many as a peer may have. */
#define OWN_MAX		MK_WINDOW

/**
 * struct callback - a registration
 * @hook: in the table
 * @handler: what the caller got
 * @irq: run it in interrupt context
 * @lock: one message at a time
 */
struct callback {
	struct mk_hook hook;
	struct mk_ipi_handler handler;
	bool irq;
	struct mutex lock;
};

/* A call on a certain CPU; on the stack of who waits for it */
struct cpu_run {
	struct work_struct work;
	struct mk_ipi_handler *handler;
	struct mk_run *run;
};

/* A message to an own CPU */
struct own {
	struct list_head node;
	u32 apicid;
	struct mk_ipi_data data;
};

static struct workqueue_struct *cpu_wq, *own_wq;
static DEFINE_RAW_SPINLOCK(own_lock);
/* Not allocated: PREEMPT_RT cannot do that in a hard interrupt. */
static struct own owns[OWN_MAX];
static LIST_HEAD(own_unused);
static LIST_HEAD(own_queue);

static void free_forgotten(struct mk_hook *hook)
{
	kfree(container_of(hook, struct callback, hook));
}

static struct mk_hooks callbacks = MK_HOOKS_INIT(callbacks, "callback", false,
						 free_forgotten);

/* --- registration --------------------------------------------------------- */

static void callback_irq(struct irq_work *work)
{
	struct mk_ipi_handler *handler =
		container_of(work, struct mk_ipi_handler, work);

	handler->callback(handler->saved_data, handler->context);
}

/* The module that has this code, or NULL. The caller is in it, or uses it. */
static struct module *module_of(mk_ipi_callback_t callback)
{
	struct module *module;

	preempt_disable();
	module = __module_address((unsigned long)callback);
	preempt_enable();
	return module;
}

static struct mk_ipi_handler *register_callback(mk_ipi_callback_t callback,
						void *ctx, bool irq)
{
	struct callback *new;

	if (!callback)
		return NULL;
	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return NULL;
	new->hook.owner = module_of(callback);
	new->hook.last = U32_MAX;
	new->handler.callback = callback;
	new->handler.context = ctx;
	new->handler.work = IRQ_WORK_INIT_HARD(callback_irq);
	new->irq = irq;
	mutex_init(&new->lock);
	if (mk_hooks_add(&callbacks, &new->hook)) {
		kfree(new);
		return NULL;
	}
	return &new->handler;
}

/**
 * multikernel_register_handler() - get all messages to CPUs of this kernel
 * @callback: called for each message in process context, on the CPU that it was
 *	sent to (on any, when that one has gone offline), one at a time
 * @ctx: for @callback
 *
 * The exit function of a module unregisters its handlers.
 *
 * Return: the handler, or NULL: no memory, no @callback, or its module is going
 * away.
 */
struct mk_ipi_handler *multikernel_register_handler(mk_ipi_callback_t callback,
						    void *ctx)
{
	return register_callback(callback, ctx, false);
}
EXPORT_SYMBOL_GPL(multikernel_register_handler);

/**
 * multikernel_register_irq_handler() - the same, in hard interrupt context
 * @callback: called for each message, on the CPU that it was sent to
 * @ctx: for @callback
 *
 * Return: as multikernel_register_handler().
 */
struct mk_ipi_handler *
multikernel_register_irq_handler(mk_ipi_callback_t callback, void *ctx)
{
	return register_callback(callback, ctx, true);
}
EXPORT_SYMBOL_GPL(multikernel_register_irq_handler);

/**
 * multikernel_unregister_handler() - no more messages for a handler
 * @handler: from multikernel_register_handler()
 *
 * Waits until its callback runs no more, and frees it. One that is not
 * registered (any more), and a call from within a callback, are refused with a
 * message in the log.
 */
void multikernel_unregister_handler(struct mk_ipi_handler *handler)
{
	struct callback *old = container_of(handler, struct callback, handler);

	if (!handler || mk_hooks_remove(&callbacks, &old->hook))
		return;
	kfree(old);
}
EXPORT_SYMBOL_GPL(multikernel_unregister_handler);

/* --- delivery -------------------------------------------------------------- */

/* Linux's number of an own CPU that is online, or -1. */
static int own_cpu(u32 apicid)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (mk_arch_apicid(cpu) == apicid)
			return cpu;
	return -1;
}

static void callback_work(struct work_struct *work)
{
	struct cpu_run *cpu_run = container_of(work, struct cpu_run, work);
	struct mk_ipi_handler *handler = cpu_run->handler;

	WRITE_ONCE(cpu_run->run->task, current);
	handler->callback(handler->saved_data, handler->context);
}

/* Only the start is under the lock: a callback may take CPUs on- and offline. */
static void run_on(u32 apicid, struct callback *callback, struct mk_run *run)
{
	struct cpu_run cpu_run = { .handler = &callback->handler, .run = run };
	int cpu;

	INIT_WORK_ONSTACK(&cpu_run.work, callback_work);
	cpus_read_lock();
	cpu = own_cpu(apicid);
	if (callback->irq && cpu >= 0)
		irq_work_queue_on(&callback->handler.work, cpu);
	else if (callback->irq)
		irq_work_queue(&callback->handler.work);
	else
		queue_work_on(cpu >= 0 ? cpu : WORK_CPU_UNBOUND, cpu_wq,
			      &cpu_run.work);
	cpus_read_unlock();
	if (callback->irq)
		irq_work_sync(&callback->handler.work);
	else
		flush_work(&cpu_run.work);
	destroy_work_on_stack(&cpu_run.work);
}

/* To all callbacks, each with a copy of its own. False: there is none. */
static bool deliver(u32 apicid, const struct mk_ipi_data *data)
{
	struct callback *callback;
	struct mk_ipi_data copy;
	struct mk_hook *hook;
	struct mk_run run;
	u64 serial = 0;

	while ((hook = mk_hooks_next(&callbacks, serial, &run)) != NULL) {
		serial = hook->serial;
		callback = container_of(hook, struct callback, hook);
		copy = *data;
		mutex_lock(&callback->lock);
		callback->handler.saved_data = &copy;
		run_on(apicid, callback, &run);
		callback->handler.saved_data = NULL;
		mutex_unlock(&callback->lock);
		mk_run_end(&run);
	}
	return serial != 0;
}

static u32 own_id(void)
{
	return multikernel_is_host() ? 0 : mk_guest.id;
}

void mk_ipi_message(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct mk_ipi_data data = {
		.sender_cpu = msg->head.from,
		.type = msg->head.type,
		.data_size = msg->len,
	};

	if (msg->head.from > INT_MAX ||
	    mk_cpu_owner(msg->head.from) != peer->id) {
		pr_warn_ratelimited("'%s' sent a message from CPU %u (APIC id), which is not its own: dropped\n",
				    peer->name, msg->head.from);
		mk_ring_count(&peer->counters.refused);
		return;
	}
	if (own_cpu(msg->head.to) < 0 &&
	    mk_cpu_owner(msg->head.to) != own_id()) {
		pr_warn_ratelimited("'%s' sent a message to CPU %u (APIC id), which is not this kernel's: dropped\n",
				    peer->name, msg->head.to);
		mk_ring_count(&peer->counters.refused);
		return;
	}
	memcpy(data.buffer, msg->payload, msg->len);
	if (!deliver(msg->head.to, &data))
		mk_ring_count(&peer->counters.unknown);
}

/* --- messages to own CPUs ---------------------------------------------------- */

static struct own *own_take(struct list_head *list)
{
	struct own *own;
	unsigned long flags;

	raw_spin_lock_irqsave(&own_lock, flags);
	own = list_first_entry_or_null(list, struct own, node);
	if (own)
		list_del(&own->node);
	raw_spin_unlock_irqrestore(&own_lock, flags);
	return own;
}

static void own_put(struct own *own, struct list_head *list)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&own_lock, flags);
	list_add_tail(&own->node, list);
	raw_spin_unlock_irqrestore(&own_lock, flags);
}

static void own_work(struct work_struct *work)
{
	struct own *own;

	while ((own = own_take(&own_queue)) != NULL) {
		deliver(own->apicid, &own->data);
		own_put(own, &own_unused);
		cond_resched();
	}
}
static DECLARE_WORK(own_deliver, own_work);

static int own_send(u32 apicid, const void *data, size_t bytes, u32 type)
{
	struct own *own = own_take(&own_unused);

	if (!own)
		return -EAGAIN;
	memset(&own->data, 0, sizeof(own->data));
	own->apicid = apicid;
	own->data.sender_cpu = mk_arch_apicid(raw_smp_processor_id());
	own->data.type = type;
	own->data.data_size = bytes;
	if (bytes)
		memcpy(own->data.buffer, data, bytes);
	own_put(own, &own_queue);
	queue_work(own_wq, &own_deliver);
	return 0;
}

/**
 * multikernel_send_ipi_data() - send a message to a CPU
 * @cpu: its APIC id; of any kernel that this one is connected to, or of this one
 * @data: message, may be NULL when @data_size is 0
 * @data_size: bytes, at most MK_MAX_DATA_SIZE
 * @type: for the callbacks; 32 bits
 *
 * Any context but NMI; does not sleep. mk_peer_get() connects an instance to
 * another one.
 *
 * Return: 0; -EINVAL @cpu is no APIC id, @data_size is too large, @data is
 * missing, @type does not fit; -ENODEV @cpu belongs to no kernel that is
 * connected, or is an offline one of this kernel; -EAGAIN no room, try again;
 * -EPIPE or -ESTALE the kernel has just ended.
 */
int multikernel_send_ipi_data(int cpu, void *data, size_t data_size,
			      unsigned long type)
{
	struct mk_peer *peer;
	u32 owner;
	int err;

	if (cpu < 0 || data_size > MK_MAX_DATA_SIZE || (data_size && !data) ||
	    type > U32_MAX)
		return -EINVAL;
	if (!multikernel_is_host() && !multikernel_is_instance())
		return -ENODEV;
	if (own_cpu(cpu) >= 0)
		return own_send(cpu, data, data_size, type);
	owner = mk_cpu_owner(cpu);
	if (owner == MK_CPU_NOBODY || owner == own_id())
		return -ENODEV;
	peer = mk_peer_find(owner);
	if (!peer)
		return -ENODEV;
	err = mk_user_send_ipi(peer, type,
			       mk_arch_apicid(raw_smp_processor_id()), cpu,
			       data, data_size);
	mk_peer_put(peer);
	return err;
}
EXPORT_SYMBOL_GPL(multikernel_send_ipi_data);

static int __init mk_ipi_init(void)
{
	u32 i;

	cpu_wq = alloc_workqueue("mk_callbacks", 0, 0);
	own_wq = alloc_workqueue("mk_own", WQ_UNBOUND, 0);
	if (!cpu_wq || !own_wq)
		return -ENOMEM;
	for (i = 0; i < OWN_MAX; i++)
		own_put(&owns[i], &own_unused);
	mk_hooks_register(&callbacks);
	return 0;
}
core_initcall(mk_ipi_init);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's end of the rings: messages to instances, and what instances say.
 *
 * A doorbell only queues work; the work looks at every ring. What an instance
 * wrote is copied once and then checked; nothing of it is believed beyond its
 * own ring and slot.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/poll.h>
#include <linux/ktime.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>

#include "internal.h"

#define MK_RX_BUDGET	64	/* messages of one ring in one go */
#define MK_WHEN_MAX_MS	(60ULL * 60 * 1000)

DEFINE_MUTEX(mk_rx_lock);
struct workqueue_struct *mk_wq;

static DECLARE_DELAYED_WORK(mk_messages, mk_messages_work);

/* Hard interrupt on the host's doorbell CPU. */
void mk_doorbell_host(void)
{
	if (mk_wq)
		queue_delayed_work(mk_wq, &mk_messages, 0);
}

/* Where an instance wants to be woken; 0 while it has not joined. */
static int mk_ring_doorbell(struct mk_instance *inst)
{
	u32 apicid = READ_ONCE(inst->slot->doorbell_apicid);
	u32 vector = READ_ONCE(inst->slot->doorbell_vector);
	u32 i;

	if (READ_ONCE(inst->slot->epoch) != inst->epoch)
		return -EAGAIN;
	if (vector != mk_arch_vector())
		return -EINVAL;
	for (i = 0; i < inst->nr_cpus; i++)
		if (inst->cpus[i].apicid == apicid)
			return mk_arch_doorbell(apicid, vector);
	pr_warn_ratelimited("instance '%s' names APIC id %u as its doorbell, which is not its own\n",
			    inst->name, apicid);
	return -EINVAL;
}

/**
 * mk_message_send() - send a message to an instance
 * @inst: instance; the caller holds mk_lock
 * @type: enum mk_message
 * @payload: or NULL
 * @bytes: of payload
 *
 * One that has not joined yet finds the message when it does. Return: 0 or
 * -EAGAIN for a full ring.
 */
int mk_message_send(struct mk_instance *inst, u32 type, const void *payload,
		    u32 bytes)
{
	unsigned long flags;
	bool kick;
	int ret;

	spin_lock_irqsave(&inst->tx_lock, flags);
	ret = mk_ring_send(&inst->tx, type, 0, payload, bytes, &kick);
	spin_unlock_irqrestore(&inst->tx_lock, flags);
	if (!ret && kick)
		mk_ring_doorbell(inst);
	return ret;
}

/* When on the host's clock was @tsc, which an instance wrote? */
static u64 mk_when(u64 tsc)
{
	u64 now = ktime_get_boottime_ns();
	u64 cycles = mk_arch_tsc() - tsc;
	u64 ago;

	if (cycles > MK_WHEN_MAX_MS * mk_arch_tsc_khz())
		return now;	/* in the future, or nonsense */
	ago = mk_arch_tsc_to_ns(cycles);
	return ago < now ? now - ago : now;
}

/* When did the clock of its log show 0? Not before it had a CPU to run on. */
static u64 mk_log_zero(const struct mk_instance *inst)
{
	u64 clock = READ_ONCE(inst->slot->alive_clock_ns);

	return clock && clock < inst->alive_ns - inst->sipi_ns ?
	       inst->alive_ns - clock : inst->sipi_ns;
}

static void mk_on_alive(struct mk_instance *inst)
{
	u64 when = mk_when(READ_ONCE(inst->slot->alive_tsc));
	u8 boot_id[MK_BOOT_ID_SIZE];
	unsigned long flags;

	memcpy(boot_id, inst->slot->boot_id, sizeof(boot_id));
	spin_lock_irqsave(&inst->lock, flags);
	if (!inst->alive_ns) {
		memcpy(inst->boot_id, boot_id, sizeof(boot_id));
		inst->alive_ns = max(when, inst->sipi_ns);
		inst->log_zero_ns = mk_log_zero(inst);
	}
	spin_unlock_irqrestore(&inst->lock, flags);
	mk_set_state(inst, MK_STATE_RUNNING, MK_CAUSE_NONE);
}

static void mk_on_ready(struct mk_instance *inst)
{
	u64 when = mk_when(READ_ONCE(inst->slot->ready_tsc));
	unsigned long flags;

	spin_lock_irqsave(&inst->lock, flags);
	if (!inst->ready_ns) {
		inst->ready_ns = when;
		inst->change_seq++;
	}
	spin_unlock_irqrestore(&inst->lock, flags);
	wake_up_interruptible_poll(&inst->changed, EPOLLIN);
}

static void mk_on_message(struct mk_instance *inst, const struct mk_msg *msg)
{
	switch (msg->type) {
	case MK_MSG_ALIVE:
		mk_on_alive(inst);
		break;
	case MK_MSG_READY:
		mk_on_ready(inst);
		break;
	default:
		pr_warn_ratelimited("instance '%s' sent a message of unknown type %u\n",
				    inst->name, msg->type);
	}
}

/* The end is a word in the slot: a panic can write it with any lock held. */
static void mk_look_for_end(struct mk_instance *inst)
{
	u32 cause = READ_ONCE(inst->slot->end_cause);

	switch (cause) {
	case MK_CAUSE_NONE:
		return;
	case MK_CAUSE_POWEROFF:
	case MK_CAUSE_HALT:
	case MK_CAUSE_REBOOT:
	case MK_CAUSE_PANIC:
		mk_instance_end(inst, cause);
		return;
	default:
		pr_warn_ratelimited("instance '%s' gives %u as its end\n",
				    inst->name, cause);
	}
}

/* Returns true if there is more than the budget allowed. */
static bool mk_receive(struct mk_instance *inst)
{
	u32 budget = MK_RX_BUDGET;
	struct mk_msg msg;
	int ret;

	do {
		while (budget && (ret = mk_ring_recv(&inst->rx, &msg)) != 0) {
			budget--;
			if (ret > 0)
				mk_on_message(inst, &msg);
		}
		if (mk_ring_rx_kick(&inst->rx))
			mk_ring_doorbell(inst);
	} while (budget && mk_ring_rx_arm(&inst->rx));
	mk_look_for_end(inst);
	if (!budget)
		inst->polled++;
	return !budget;
}

void mk_messages_work(struct work_struct *work)
{
	struct mk_instance *inst;
	bool more = false;

	mutex_lock(&mk_rx_lock);
	list_for_each_entry(inst, &mk_instances, node)
		if (mk_state_has_cpus(mk_get_state(inst)))
			more |= mk_receive(inst);
	mutex_unlock(&mk_rx_lock);
	/* Past the budget the ring is polled: a flood costs one turn a tick. */
	if (more)
		queue_delayed_work(mk_wq, &mk_messages, 1);
}

/** mk_message_counters() - "NAME VALUE" lines; @buf is a page of sysfs */
ssize_t mk_message_counters(struct mk_instance *inst, char *buf)
{
	const struct mk_ring_counters *tx = &inst->tx.counters;
	const struct mk_ring_counters *rx = &inst->rx.counters;

	return sysfs_emit(buf,
			  "sent %llu\nfull %llu\ndoorbells %llu\n"
			  "doorbells_suppressed %llu\nreceived %llu\n"
			  "lost %llu\nbad_length %llu\nbad_index %llu\n"
			  "polled %llu\n",
			  READ_ONCE(tx->sent), READ_ONCE(tx->full),
			  READ_ONCE(tx->kicks),
			  READ_ONCE(tx->kicks_suppressed),
			  READ_ONCE(rx->received), READ_ONCE(rx->lost),
			  READ_ONCE(rx->bad_len),
			  READ_ONCE(tx->bad_index) + READ_ONCE(rx->bad_index),
			  READ_ONCE(inst->polled));
}

static int __init mk_message_init(void)
{
	if (!multikernel_is_host())
		return 0;
	mk_wq = alloc_workqueue("multikernel", WQ_HIGHPRI | WQ_UNBOUND, 0);
	return mk_wq ? 0 : -ENOMEM;
}
core_initcall(mk_message_init);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's end of the connection to each instance: where it is rung, what it
 * says of its life, and how it is asked to stop.
 *
 * Nothing that an instance wrote is believed beyond its own rings and slot.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/poll.h>
#include <linux/ktime.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>

#include "internal.h"
#include "peer.h"

#define MK_WHEN_MAX_MS	(60ULL * 60 * 1000)

/* Where an instance wants to be woken; not before it has joined. */
static int mk_message_bell(struct mk_peer *peer, u32 *ret_apicid,
			   u32 *ret_vector)
{
	struct mk_instance *inst = peer->inst;
	u32 apicid = READ_ONCE(inst->slot->doorbell_apicid);
	u32 i;

	if (READ_ONCE(inst->slot->epoch) != peer->epoch)
		return -EAGAIN;
	if (READ_ONCE(inst->slot->doorbell_vector) != mk_arch_vector())
		return -EINVAL;
	for (i = 0; i < inst->nr_cpus; i++) {
		if (inst->cpus[i].apicid != apicid)
			continue;
		*ret_apicid = apicid;
		*ret_vector = mk_arch_vector();
		return 0;
	}
	pr_warn_ratelimited("instance '%s' names APIC id %u as its doorbell, which is not its own\n",
			    inst->name, apicid);
	return -EINVAL;
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

static void mk_on_alive(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct mk_instance *inst = peer->inst;
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
	mk_watch_begin(inst);
	mk_set_state(inst, MK_STATE_RUNNING, MK_CAUSE_NONE);
	mk_peer_announce(peer);
}

static void mk_on_ready(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct mk_instance *inst = peer->inst;
	u64 when = mk_when(READ_ONCE(inst->slot->ready_tsc));
	unsigned long flags;

	spin_lock_irqsave(&inst->lock, flags);
	if (!inst->ready_ns) {
		inst->ready_ns = when;
		inst->change_seq++;
		mk_event_add(inst);
	}
	spin_unlock_irqrestore(&inst->lock, flags);
	wake_up_interruptible_poll(&inst->changed, EPOLLIN);
	mk_events_wake();
}

/* The end is a word in the slot: a panic can write it with any lock held. */
static void mk_look_for_end(struct mk_peer *peer)
{
	struct mk_instance *inst = peer->inst;
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

static bool mk_may_have_ended(const struct mk_peer *peer)
{
	return READ_ONCE(peer->inst->slot->end_cause);
}

static const struct mk_control mk_host_controls[] = {
	{ .type = MK_MSG_ALIVE, .fn = mk_on_alive },
	{ .type = MK_MSG_READY, .fn = mk_on_ready },
	{ }
};

static struct mk_peer *mk_message_swap(struct mk_instance *inst,
				       struct mk_peer *peer)
{
	unsigned long flags;

	spin_lock_irqsave(&inst->lock, flags);
	swap(inst->peer, peer);
	spin_unlock_irqrestore(&inst->lock, flags);
	return peer;
}

/**
 * mk_message_connect() - be ready for what a new start says
 * @inst: instance whose rings are those of the new epoch; under mk_lock
 *
 * Return: 0 or -ENOMEM.
 */
int mk_message_connect(struct mk_instance *inst)
{
	struct mk_peer_setup setup = {
		.id = inst->id,
		.epoch = inst->epoch,
		.serial = inst->epoch,
		.name = inst->name,
		.tx = inst->ring_in,
		.rx = inst->ring_out,
		.inst = inst,
		.bell = mk_message_bell,
		.look = mk_look_for_end,
		.has_news = mk_may_have_ended,
	};
	struct mk_peer *peer = mk_peer_new(&setup);

	if (!peer)
		return -ENOMEM;
	mk_peer_up(peer);
	mk_peer_put(mk_message_swap(inst, peer));
	return 0;
}

/**
 * mk_message_end() - its CPUs have stopped: whoever waits for it is told
 *
 * Under mk_lock. The peer stays for its counters.
 */
void mk_message_end(struct mk_instance *inst)
{
	if (inst->peer)
		mk_peer_down(inst->peer);
}

/** mk_message_disconnect() - forget the peer; under mk_lock */
void mk_message_disconnect(struct mk_instance *inst)
{
	mk_message_end(inst);
	mk_peer_put(mk_message_swap(inst, NULL));
}

/**
 * mk_message_send() - send a message without payload to an instance
 * @inst: instance; the caller holds mk_lock
 * @type: enum mk_control_type
 *
 * One that has not joined yet finds the message when it does. Return: 0,
 * -EAGAIN for a full ring, -EPIPE.
 */
int mk_message_send(struct mk_instance *inst, u32 type)
{
	struct mk_msg_head head = { .kind = MK_KIND_CONTROL, .type = type };

	return inst->peer ? mk_peer_send(inst->peer, &head, NULL, 0) : -EPIPE;
}

/** mk_message_counters() - "NAME VALUE" lines; @buf is a page of sysfs */
ssize_t mk_message_counters(struct mk_instance *inst, char *buf)
{
	struct mk_peer *peer;
	unsigned long flags;
	ssize_t ret;

	spin_lock_irqsave(&inst->lock, flags);
	peer = inst->peer ? mk_peer_hold(inst->peer) : NULL;
	spin_unlock_irqrestore(&inst->lock, flags);
	if (!peer)
		return 0;
	ret = mk_peer_counters_show(peer, buf);
	mk_peer_put(peer);
	return ret;
}

static int __init mk_message_init(void)
{
	if (multikernel_is_host())
		mk_control_add(mk_host_controls);
	return 0;
}
core_initcall(mk_message_init);

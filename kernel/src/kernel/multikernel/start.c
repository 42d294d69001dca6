// SPDX-License-Identifier: GPL-2.0-only
/*
 * START, STOP and KILL: how an instance gets its CPUs moving, and how the host
 * takes them back.
 *
 * START	checks the device tree; scrubs memory that was used before; places
 *		pristine copies of kernel and initrd (every boot consumes
 *		them); lets the architecture write boot parameters and start
 *		slots; kicks the first CPU.
 * end		an instance that ends says why in its slot (guest.c), or KILL
 *		says it for it. Either way mk_take_back() runs: slots
 *		cleared, registers stored (freeze.c), INIT to all its CPUs, twice, CPUs online in the host,
 *		then the end state is visible. It needs nothing of the dying
 *		kernel.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/timekeeping.h>

#include "internal.h"
#include "peer.h"
#include "share.h"

/* Copies @bytes to physical memory that has no direct map. */
static int mk_copy_to_phys(u64 addr, const void *from, u64 bytes)
{
	void *to;

	if (!bytes)
		return 0;
	to = memremap(addr, bytes, MEMREMAP_WB);
	if (!to)
		return -ENOMEM;
	memcpy(to, from, bytes);
	memunmap(to);
	return 0;
}

/* Where all is, as mk_boot_room() found it at the load */
static int mk_boot_layout(struct mk_instance *inst, struct mk_boot *boot)
{
	const struct mk_image *image = mk_payload_image(&inst->payload);
	struct mk_layout layout;
	int ret;

	boot->kernel_bytes = image->span;
	boot->initrd_bytes = inst->payload.initrd_bytes;
	boot->cmdline = inst->payload.cmdline;
	boot->ranges = inst->ranges;
	boot->nr_ranges = inst->nr_ranges;
	ret = mk_layout_find(inst->ranges, inst->nr_ranges, image->span,
			     boot->initrd_bytes, &layout, NULL);
	if (ret)
		return ret;
	boot->handoff_addr = layout.handoff_addr;
	boot->kernel_addr = layout.kernel_addr;
	boot->entry = layout.kernel_addr + image->entry;
	boot->initrd_addr = layout.initrd_addr;
	return 0;
}

/**
 * mk_boot_room() - do a kernel and an initrd fit into an instance's memory?
 * @inst: instance with memory
 * @span: size of the kernel from its base to the end of its bss, bytes
 * @initrd_bytes: size of the initrd
 * @r: refusal to fill
 *
 * Return: 0 or -ENOSPC.
 */
int mk_boot_room(const struct mk_instance *inst, u64 span, u64 initrd_bytes,
		 struct mk_refusal *r)
{
	struct mk_layout layout;

	return mk_layout_find(inst->ranges, inst->nr_ranges, span,
			      initrd_bytes, &layout, r);
}

/** mk_boot_handoff() - where the hand-over area is; 0 as long as none is loaded */
u64 mk_boot_handoff(const struct mk_instance *inst)
{
	struct mk_layout layout;

	if (!inst->payload.kernel ||
	    mk_layout_find(inst->ranges, inst->nr_ranges,
			   mk_payload_image(&inst->payload)->span,
			   inst->payload.initrd_bytes, &layout, NULL))
		return 0;
	return layout.handoff_addr;
}

static int mk_place_image(const struct mk_image *image, struct mk_boot *boot)
{
	void *to = memremap(boot->kernel_addr, image->span, MEMREMAP_WB);

	if (!to)
		return -ENOMEM;
	boot->moved = mk_image_may_move(image, boot->cmdline);
	mk_image_place(image, to,
		       boot->moved ? mk_image_random_move(image) : 0);
	memunmap(to);
	return 0;
}

/* Fills the memory. It is scrubbed before, so bss needs no clearing. */
static int mk_place(struct mk_instance *inst, struct mk_boot *boot)
{
	int ret;

	ret = mk_instance_scrub(inst);
	if (ret)
		return ret;
	inst->memory_clean = false;
	mutex_lock(&inst->mem_lock);
	inst->memory_used = true;
	mutex_unlock(&inst->mem_lock);
	ret = mk_place_image(mk_payload_image(&inst->payload), boot);
	if (!ret)
		ret = mk_copy_to_phys(boot->initrd_addr, inst->payload.initrd,
				      boot->initrd_bytes);
	if (ret)
		return ret;
	boot->handoff = memremap(boot->handoff_addr, MK_HANDOFF_BYTES,
				 MEMREMAP_WB);
	if (!boot->handoff)
		return -ENOMEM;
	ret = mk_arch_hand_over(boot);
	memunmap(boot->handoff);
	return ret;
}

static int mk_start_check(struct mk_instance *inst, struct mk_refusal *r)
{
	const u32 may = BIT(MK_STATE_LOADED) | BIT(MK_STATE_STOPPED) |
			BIT(MK_STATE_PANICKED) | BIT(MK_STATE_KILLED) |
			BIT(MK_STATE_FAILED);
	u32 lent;
	int ret;

	if (!inst->nr_ranges) {
		mk_refuse(r, MK_REASON_MEM_NONE, 0, 0, inst->name);
		return -ENXIO;
	}
	if (!inst->payload.kernel) {
		mk_refuse(r, MK_REASON_IMAGE_NONE, 0, 0, inst->name);
		return -ENXIO;
	}
	ret = mk_instance_need_state(inst, may, r);
	if (ret)
		return ret;
	if (!inst->cpus_lent) {
		mk_refuse(r, MK_REASON_CPU_NONE, 0, 0, inst->name);
		return -ENXIO;
	}
	/* Its memory is scrubbed and used again. */
	lent = mk_shares_lent(inst);
	if (lent) {
		mk_refuse(r, MK_REASON_FRAMES_LENT, lent, 0, inst->name);
		return -EBUSY;
	}
	return mk_instance_need_quiet(inst, r);
}

/* From here on its CPUs may run. */
static void mk_go(struct mk_instance *inst, const struct mk_boot *boot)
{
	unsigned long flags;
	int ret;
	u32 i;

	for (i = 0; i < inst->nr_cpus; i++)
		mk_cpu_set_owner(inst->cpus[i].apicid, inst->id);
	mk_set_state(inst, MK_STATE_STARTING, MK_CAUSE_NONE);
	mk_arch_slots_set(inst->cpus, inst->nr_cpus, boot);
	ret = mk_arch_cpu_kick(inst->cpus[0].apicid);
	spin_lock_irqsave(&inst->lock, flags);
	inst->sipi_ns = ktime_get_boottime_ns();
	spin_unlock_irqrestore(&inst->lock, flags);
	if (ret)
		mk_instance_end(inst, MK_CAUSE_CPU_START);
}

/**
 * mk_instance_start() - start the loaded image
 * @id: instance
 * @dtb: private copy of the device tree
 * @dtb_bytes: its size
 * @ret_epoch: number of this start
 * @r: why not, on failure
 */
int mk_instance_start(u32 id, void *dtb, size_t dtb_bytes, u32 *ret_epoch,
		      struct mk_refusal *r)
{
	struct mk_boot boot = { .dtb = dtb, .dtb_bytes = dtb_bytes };
	struct mk_instance *inst;
	int ret;

	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(id, r);
	if (!inst)
		return mk_lookup_errno(r);
	inst->start_asked_ns = ktime_get_boottime_ns();
	ret = mk_start_check(inst, r);
	if (ret)
		return ret;
	ret = mk_dtb_check(dtb, dtb_bytes, inst, r);
	if (ret)
		return ret;
	ret = mk_boot_layout(inst, &boot);
	if (ret)
		return ret;
	mk_instance_busy(inst);
	ret = mk_place(inst, &boot);
	mk_instance_idle(inst);
	if (!ret)
		ret = mk_closing_check(r);
	if (ret)
		return ret;
	mutex_lock(&inst->log_lock);
	inst->epoch++;
	ret = mk_region_start_epoch(inst);
	mutex_unlock(&inst->log_lock);
	mk_watch_clear(inst->watch);
	if (!ret)
		ret = mk_message_connect(inst);
	if (ret)
		return ret;
	*ret_epoch = inst->epoch;
	mk_go(inst, &boot);
	return 0;
}

static void mk_stop_asked(struct mk_instance *inst, bool asked)
{
	unsigned long flags;

	spin_lock_irqsave(&inst->lock, flags);
	inst->stop_asked = asked;
	spin_unlock_irqrestore(&inst->lock, flags);
}

/**
 * mk_instance_stop() - ask an instance to power off
 * @id: instance
 * @r: why not, on failure
 */
int mk_instance_stop(u32 id, struct mk_refusal *r)
{
	const u32 may = BIT(MK_STATE_STARTING) | BIT(MK_STATE_RUNNING) |
			BIT(MK_STATE_UNRESPONSIVE) | BIT(MK_STATE_STOPPING);
	struct mk_instance *inst;
	int ret;

	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(id, r);
	if (!inst)
		return mk_lookup_errno(r);
	ret = mk_instance_need_state(inst, may, r);
	if (ret)
		return ret;
	if (inst->stop_asked)
		return 0;
	/* First of all: the instance may be gone before this returns. */
	mk_stop_asked(inst, true);
	if (mk_message_send(inst, MK_MSG_STOP)) {
		mk_stop_asked(inst, false);
		mk_refuse(r, MK_REASON_BUSY, 0, 0, inst->name);
		return -EBUSY;
	}
	mk_set_state(inst, MK_STATE_STOPPING, MK_CAUSE_STOP);
	return 0;
}

static enum mk_state mk_end_state(enum mk_cause cause)
{
	switch (cause) {
	case MK_CAUSE_PANIC:
		return MK_STATE_PANICKED;
	case MK_CAUSE_KILL:
	case MK_CAUSE_HANG:
		return MK_STATE_KILLED;
	case MK_CAUSE_BOOT_TIMEOUT:
	case MK_CAUSE_CPU_START:
		return MK_STATE_FAILED;
	default:
		return MK_STATE_STOPPED;
	}
}

/* Notes when and why an instance ended; the first reason counts. */
static bool mk_note_end(struct mk_instance *inst, enum mk_cause cause)
{
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&inst->lock, flags);
	first = mk_state_has_cpus(inst->state) && !inst->ended_ns;
	if (first) {
		if (cause == MK_CAUSE_POWEROFF && inst->stop_asked)
			cause = MK_CAUSE_STOP;
		inst->end_asked = cause;
		inst->ended_ns = ktime_get_boottime_ns();
		inst->ended_realtime_ns = ktime_get_real_ns();
	}
	spin_unlock_irqrestore(&inst->lock, flags);
	return first;
}

/* Takes the CPUs back, whatever they are doing; the caller holds mk_lock. */
static int mk_take_back(struct mk_instance *inst, struct mk_refusal *r)
{
	unsigned long flags;
	int ret;

	mk_arch_slots_clear(inst->cpus, inst->nr_cpus);
	if (mk_state_has_cpus(mk_get_state(inst)))
		mk_save_registers(inst);
	mk_arch_cpu_reset(inst->cpus, inst->nr_cpus);
	/* From here on it neither writes nor reads anything. */
	mk_message_end(inst);
	ret = mk_lend_return(inst, r);
	inst->cpu_stuck = ret;
	mk_pairs_instance_gone(inst);
	if (!ret)
		mk_shares_instance_gone(inst);
	spin_lock_irqsave(&inst->lock, flags);
	inst->cpus_back_ns = ret ? 0 : ktime_get_boottime_ns();
	spin_unlock_irqrestore(&inst->lock, flags);
	mk_set_state(inst, mk_end_state(inst->end_asked), inst->end_asked);
	pr_info("instance '%s' ended: %s (%s)\n", inst->name,
		mk_state_name(inst->state), mk_cause_name(inst->cause));
	return ret;
}

void mk_end_work(struct work_struct *work)
{
	struct mk_instance *inst = container_of(work, struct mk_instance,
						end_work);

	mutex_lock(&mk_lock);
	/* A KILL, or even the next START, may have been faster. */
	if (!inst->gone && mk_state_has_cpus(mk_get_state(inst)) &&
	    READ_ONCE(inst->ended_ns))
		mk_take_back(inst, NULL);
	mutex_unlock(&mk_lock);
	mk_instance_put(inst);
}

/**
 * mk_instance_end() - an instance has ended: take its CPUs back, soon
 * @inst: instance
 * @cause: why
 *
 * May be called in any context that may not sleep.
 */
void mk_instance_end(struct mk_instance *inst, enum mk_cause cause)
{
	if (!mk_note_end(inst, cause))
		return;
	kref_get(&inst->ref);
	if (!queue_work(mk_wq, &inst->end_work))
		mk_instance_put(inst);
}

/* The caller holds mk_lock. 0, or -EIO for a CPU that did not come back. */
static int mk_kill(struct mk_instance *inst, enum mk_cause cause,
		   struct mk_refusal *r)
{
	if (mk_state_has_cpus(mk_get_state(inst)))
		mk_note_end(inst, cause);
	else if (!inst->cpu_stuck)
		return mk_lend_return(inst, r);
	return mk_take_back(inst, r);
}

/**
 * mk_instance_kill() - end an instance without its help
 * @id: instance
 * @cause: MK_CAUSE_KILL, MK_CAUSE_HANG or MK_CAUSE_BOOT_TIMEOUT
 * @r: why not, on failure
 *
 * Returns when its CPUs are back. One that has ended already stays as it is;
 * for a CPU that did not come back at its end, this tries again.
 */
int mk_instance_kill(u32 id, enum mk_cause cause, struct mk_refusal *r)
{
	struct mk_instance *inst;

	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(id, r);
	if (!inst)
		return mk_lookup_errno(r);
	if (mk_state_is_end(mk_get_state(inst)))
		return inst->cpu_stuck ? mk_take_back(inst, r) : 0;
	if (!mk_state_has_cpus(mk_get_state(inst)))
		return mk_instance_need_state(inst, 0, r);
	mk_note_end(inst, cause);
	return mk_take_back(inst, r);
}

/**
 * mk_kill_all() - end every instance and take every lent CPU back
 * @why: for the log
 *
 * The host itself goes down or is replaced; the caller holds mk_lock.
 */
void mk_kill_all(const char *why)
{
	struct mk_instance *inst;

	lockdep_assert_held(&mk_lock);
	list_for_each_entry(inst, &mk_instances, node) {
		if (mk_state_has_cpus(mk_get_state(inst)))
			pr_notice("instance '%s' is killed: %s\n", inst->name,
				  why);
		else if (inst->busy)
			continue;
		mk_kill(inst, MK_CAUSE_KILL, NULL);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instance's answer to the host's NMI: each CPU stores its registers where a
 * dump finds them, says so in the slot, and waits, until the host lets it go on
 * (a freeze) or resets it (an end).
 *
 * What is asked for stands in the table of the region, which is read-only here.
 * All of this may run in an NMI: no lock, no print, nothing that can fault.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/clocksource.h>
#include <linux/elf.h>
#include <linux/elfcore.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/nmi.h>
#include <linux/panic.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "internal.h"

#define MK_NOTE_CORE	"CORE"

/* A note is its head, the name, and this; all are whole words. */
#define MK_NOTE_NAME_BYTES	ALIGN(sizeof(MK_NOTE_CORE), 4)
static_assert(sizeof(struct elf64_note) + MK_NOTE_NAME_BYTES +
	      sizeof(struct elf_prstatus) <= MK_DUMP_NOTE_BYTES);

static struct mk_slot *mk_slot __ro_after_init;
static const struct mk_region_entry *mk_entry __ro_after_init;
static u8 *mk_notes __ro_after_init;
static u32 mk_nr_notes __ro_after_init;

/* The last request that a CPU knows of */
static DEFINE_PER_CPU(u32, mk_seen);

/* The CPU that panics, which has the others wait for the end */
static atomic_t mk_ending_cpu = ATOMIC_INIT(-1);

static u32 mk_request(u32 cpu)
{
	int ending = atomic_read(&mk_ending_cpu);

	if (ending >= 0 && ending != cpu)
		return MK_REQUEST_SAVE;
	return READ_ONCE(mk_entry->request);
}

static void mk_note_write(u8 *note, struct pt_regs *regs)
{
	struct elf_prstatus status = { .common.pr_pid = current->pid };
	struct elf64_note head = {
		.n_namesz = sizeof(MK_NOTE_CORE),
		.n_descsz = sizeof(status),
		.n_type = NT_PRSTATUS,
	};

	elf_core_copy_regs(&status.pr_reg, regs);
	memcpy(note, &head, sizeof(head));
	memcpy(note + sizeof(head), MK_NOTE_CORE, sizeof(MK_NOTE_CORE));
	memcpy(note + sizeof(head) + MK_NOTE_NAME_BYTES, &status,
	       sizeof(status));
}

/* What was stored first stays: it is nearer to what happened. */
static bool mk_save(u32 cpu, struct pt_regs *regs)
{
	unsigned long *saved = (unsigned long *)mk_slot->saved;

	if (cpu >= mk_nr_notes || test_bit(cpu, saved))
		return false;
	mk_note_write(mk_notes + cpu * MK_DUMP_NOTE_BYTES, regs);
	/* Who sees the bit finds the note. */
	smp_wmb();
	set_bit(cpu, saved);
	return true;
}

/* Nobody is to blame for the time that this CPU was not there. */
static void mk_excuse(void)
{
	touch_nmi_watchdog();
	clocksource_touch_watchdog();
	rcu_cpu_stall_reset();
	reset_hung_task_detector();
}

/**
 * mk_park() - a CPU has got an NMI
 * @regs: of what it interrupted
 *
 * Return: false if it was not the host's.
 */
bool mk_park(struct pt_regs *regs)
{
	unsigned long *parked = (unsigned long *)mk_slot->parked;
	u32 seq = READ_ONCE(mk_entry->request_seq);
	u32 cpu = raw_smp_processor_id();
	bool mine, stored;

	/* One that comes late, when the request is over, was the host's too. */
	mine = seq != __this_cpu_read(mk_seen);
	__this_cpu_write(mk_seen, seq);
	if (cpu >= mk_nr_notes || mk_request(cpu) == MK_REQUEST_NONE)
		return mine;
	stored = mk_save(cpu, regs);
	set_bit(cpu, parked);
	while (mk_request(cpu) != MK_REQUEST_NONE)
		cpu_relax();
	__this_cpu_write(mk_seen, READ_ONCE(mk_entry->request_seq));
	mk_excuse();
	if (stored)
		clear_bit(cpu, (unsigned long *)mk_slot->saved);
	clear_bit(cpu, parked);
	return true;
}

/**
 * mk_park_others() - this CPU panics: the others store their registers and wait
 *
 * Return: false if another CPU has done so, or if there is no answer to NMIs;
 * then nothing has changed. The caller sends the NMIs.
 */
bool mk_park_others(void)
{
	int nobody = -1;

	return mk_nr_notes &&
	       atomic_try_cmpxchg(&mk_ending_cpu, &nobody,
				  raw_smp_processor_id());
}

/** mk_parked() - does a CPU wait? */
bool mk_parked(u32 cpu)
{
	return cpu < mk_nr_notes &&
	       test_bit(cpu, (unsigned long *)mk_slot->parked);
}

/**
 * mk_park_end() - this CPU is about to tell the host of a panic
 * @regs: of it, or of what it died of
 */
void mk_park_end(struct pt_regs *regs)
{
	if (mk_nr_notes)
		mk_save(raw_smp_processor_id(), regs);
}

/**
 * mk_park_init() - answer the host's NMIs from now on
 * @slot: of this instance
 * @entry: of this instance, as the host may change it any time
 *
 * Return: 0, or -errno; then no CPU may say that it answers.
 */
int __init mk_park_init(struct mk_slot *slot,
			const struct mk_region_entry *entry)
{
	u32 cpu, nr = min(nr_cpu_ids, MK_SLOT_CPUS);
	int ret;

	mk_slot = slot;
	mk_entry = entry;
	mk_notes = alloc_pages_exact(nr * MK_DUMP_NOTE_BYTES,
				     GFP_KERNEL | __GFP_ZERO);
	if (!mk_notes)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		per_cpu(mk_seen, cpu) = READ_ONCE(entry->request_seq);
	ret = mk_arch_park_init();
	if (ret) {
		free_pages_exact(mk_notes, nr * MK_DUMP_NOTE_BYTES);
		return ret;
	}
	mk_nr_notes = nr;
	WRITE_ONCE(slot->notes, virt_to_phys(mk_notes));
	WRITE_ONCE(slot->nr_notes, nr);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what the host makes of an instance's slot: which of its CPUs beat,
 * which are stuck, what a dump may believe; on slots of a sane instance and on
 * slots that somebody overwrote. Also the events of all instances.
 */
#include <kunit/test.h>
#include <linux/elf.h>
#include <linux/elfcore.h>
#include <linux/gfp.h>
#include <linux/io.h>

#include "../internal.h"

#define NR_CPUS_LENT	3
#define TIMEOUT_MS	4000
#define LOOK_MS		250
#define LOOKS(ms)	((ms) / LOOK_MS)
#define NO_CPU		12345

struct fixture {
	struct mk_instance inst;
	struct mk_slot slot;
	struct mk_cpu cpus[NR_CPUS_LENT];
	u32 cpu;		/* that mk_watch_look() named */
};

static void set_beating(struct mk_slot *slot, u32 n, u32 apicid)
{
	slot->beating[n / 64] |= BIT_ULL(n % 64);
	slot->apicids[n] = apicid;
}

static int health_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	u32 i;

	if (!f)
		return -ENOMEM;
	test->priv = f;
	spin_lock_init(&f->inst.lock);
	f->inst.slot = &f->slot;
	f->inst.cpus = f->cpus;
	f->inst.nr_cpus = NR_CPUS_LENT;
	strscpy(f->inst.name, "health", sizeof(f->inst.name));
	/* The host's CPUs 5, 6, 7 with ids 10, 11, 12 */
	for (i = 0; i < NR_CPUS_LENT; i++) {
		f->cpus[i].cpu = 5 + i;
		f->cpus[i].apicid = 10 + i;
		set_beating(&f->slot, i, 10 + i);
	}
	return mk_watch_add(&f->inst);
}

static void health_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (f)
		mk_watch_remove(&f->inst);
}

static u32 look(struct fixture *f, u32 passed_ms)
{
	f->cpu = NO_CPU;
	return mk_watch_look(f->inst.watch, &f->slot, f->cpus, NR_CPUS_LENT,
			     passed_ms, TIMEOUT_MS, &f->cpu);
}

static void beat(struct fixture *f, u32 n)
{
	f->slot.cpus[n].irq_beats++;
	f->slot.cpus[n].task_beats++;
}

static void beat_all(struct fixture *f)
{
	u32 n;

	for (n = 0; n < NR_CPUS_LENT; n++)
		beat(f, n);
}

/* All beat: nobody is stuck, however long one looks, also over the wrap. */
static void watch_beating(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 i;

	f->slot.cpus[1].irq_beats = U32_MAX - 5;
	for (i = 0; i < 10 * LOOKS(TIMEOUT_MS); i++) {
		beat_all(f);
		KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), 0U);
	}
	KUNIT_EXPECT_EQ(test, f->cpu, (u32)NO_CPU);
}

/* Looks while CPU @n beats only so; after how many ms is it stuck? */
static u32 silent_ms(struct kunit *test, u32 n, bool irq, bool task)
{
	struct fixture *f = test->priv;
	u32 ms, stuck = 0;

	beat_all(f);
	KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), 0U);
	for (ms = 0; !stuck && ms < 10 * TIMEOUT_MS; ms += LOOK_MS) {
		beat_all(f);
		f->slot.cpus[n].irq_beats -= !irq;
		f->slot.cpus[n].task_beats -= !task;
		stuck = look(f, LOOK_MS);
	}
	KUNIT_EXPECT_EQ(test, stuck, 1U);
	KUNIT_EXPECT_EQ(test, f->cpu, 5 + n);
	return ms;
}

static void watch_stuck(struct kunit *test)
{
	struct fixture *f = test->priv;

	/* Interrupts off stops both, preemption off only the task. */
	KUNIT_EXPECT_EQ(test, silent_ms(test, 1, false, false), TIMEOUT_MS);
	KUNIT_EXPECT_EQ(test, silent_ms(test, 2, true, false), TIMEOUT_MS);
	KUNIT_EXPECT_EQ(test, silent_ms(test, 0, false, true), TIMEOUT_MS);
	/* It is well again with its next beats. */
	beat_all(f);
	KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), 0U);
}

/* A task beats once a second: half of that is no reason, whatever is asked. */
static void watch_short(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 i, cpu;

	beat_all(f);
	mk_watch_look(f->inst.watch, &f->slot, f->cpus, NR_CPUS_LENT, 0, 1000,
		      &cpu);
	for (i = 0; i < LOOKS(1900); i++) {
		f->slot.cpus[0].irq_beats++;
		f->slot.cpus[1].irq_beats++;
		f->slot.cpus[2].irq_beats++;
		KUNIT_EXPECT_EQ(test,
				mk_watch_look(f->inst.watch, &f->slot, f->cpus,
					      NR_CPUS_LENT, LOOK_MS, 1000,
					      &cpu), 0U);
	}
}

/* One that goes offline is not stuck; when it comes back it has time again. */
static void watch_offline(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 i;

	for (i = 0; i < 2 * LOOKS(TIMEOUT_MS); i++) {
		if (i == LOOKS(TIMEOUT_MS) / 2)
			f->slot.beating[0] &= ~BIT_ULL(2);
		beat(f, 0);
		beat(f, 1);
		KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), 0U);
	}
	f->slot.beating[0] |= BIT_ULL(2);
	for (i = 0; i < LOOKS(TIMEOUT_MS) - 1; i++) {
		beat(f, 0);
		beat(f, 1);
		KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), 0U);
	}
	beat(f, 0);
	beat(f, 1);
	look(f, LOOK_MS);
	KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), 1U);
	KUNIT_EXPECT_EQ(test, f->cpu, 7U);
}

/* Nobody says that he beats, or only CPUs that are not the instance's own */
static void watch_nobody(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 i;

	memset(f->slot.beating, 0, sizeof(f->slot.beating));
	set_beating(&f->slot, 200, 9);
	set_beating(&f->slot, 255, U32_MAX);
	for (i = 0; i < LOOKS(TIMEOUT_MS) - 1; i++) {
		beat_all(f);
		f->slot.cpus[200].irq_beats++;
		KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), 0U);
	}
	KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), (u32)NR_CPUS_LENT);
	KUNIT_EXPECT_EQ(test, f->cpu, 5U);
	set_beating(&f->slot, 0, 10);
	beat(f, 0);
	KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), 0U);
}

/* All ones, as a module that overwrites all it can reach might leave it */
static void watch_overwritten(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 i;

	memset(&f->slot, 0xff, sizeof(f->slot));
	for (i = 0; i < LOOKS(TIMEOUT_MS) - 1; i++)
		KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), 0U);
	KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), (u32)NR_CPUS_LENT);
	/* And with ids of its own everywhere: each of these is silent. */
	for (i = 0; i < MK_SLOT_CPUS; i++)
		f->slot.apicids[i] = 12;
	for (i = 0; i < LOOKS(TIMEOUT_MS); i++)
		look(f, LOOK_MS);
	KUNIT_EXPECT_EQ(test, look(f, LOOK_MS), (u32)MK_SLOT_CPUS);
	KUNIT_EXPECT_EQ(test, f->cpu, 7U);
}

static void beating_cpu(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 n;

	for (n = 0; n < MK_SLOT_CPUS; n++)
		KUNIT_EXPECT_PTR_EQ(test,
				    mk_beating_cpu(&f->slot, f->cpus,
						   NR_CPUS_LENT, n),
				    n < NR_CPUS_LENT ? &f->cpus[n] : NULL);
	/* The host's boot CPU, a neighbour's, none at all */
	set_beating(&f->slot, 0, 0);
	set_beating(&f->slot, 1, 13);
	set_beating(&f->slot, 2, U32_MAX);
	for (n = 0; n < MK_SLOT_CPUS; n++)
		KUNIT_EXPECT_NULL(test, mk_beating_cpu(&f->slot, f->cpus,
						       NR_CPUS_LENT, n));
	set_beating(&f->slot, 255, 11);
	KUNIT_EXPECT_PTR_EQ(test, mk_beating_cpu(&f->slot, f->cpus,
						 NR_CPUS_LENT, 255),
			    &f->cpus[1]);
}

/* Dumps. The instance's memory are two pages of our own. */

#define MEMORY_ORDER	1
#define MEMORY_BYTES	(PAGE_SIZE << MEMORY_ORDER)

static u8 *give_memory(struct kunit *test)
{
	struct fixture *f = test->priv;
	u8 *memory = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
					    MEMORY_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, memory);
	f->inst.ranges[0].addr = 0x1000;
	f->inst.ranges[0].bytes = 0x1000;
	f->inst.ranges[1].addr = virt_to_phys(memory);
	f->inst.ranges[1].bytes = MEMORY_BYTES;
	f->inst.nr_ranges = 2;
	return memory;
}

static void dump_inside(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_instance *inst = &f->inst;

	inst->ranges[0].addr = 0x10000;
	inst->ranges[0].bytes = 0x1000;
	inst->ranges[1].addr = 0x11000;
	inst->ranges[1].bytes = 0x2000;
	inst->nr_ranges = 2;
	KUNIT_EXPECT_TRUE(test, mk_dump_inside(inst, 0x10000, 0x1000));
	KUNIT_EXPECT_TRUE(test, mk_dump_inside(inst, 0x12fff, 1));
	KUNIT_EXPECT_FALSE(test, mk_dump_inside(inst, 0x10000, 0));
	KUNIT_EXPECT_FALSE(test, mk_dump_inside(inst, 0xffff, 2));
	KUNIT_EXPECT_FALSE(test, mk_dump_inside(inst, 0x13000, 1));
	KUNIT_EXPECT_FALSE(test, mk_dump_inside(inst, 0x11000, 0x2001));
	/* Pieces that touch are two all the same. */
	KUNIT_EXPECT_FALSE(test, mk_dump_inside(inst, 0x10800, 0x1000));
	KUNIT_EXPECT_FALSE(test, mk_dump_inside(inst, 0x11000, U64_MAX));
	KUNIT_EXPECT_FALSE(test, mk_dump_inside(inst, U64_MAX, 2));
	inst->nr_ranges = 0;
	KUNIT_EXPECT_FALSE(test, mk_dump_inside(inst, 0x10000, 1));
}

static void write_note(u8 *note, u32 type, const char *name, u32 desc)
{
	struct elf64_note head = {
		.n_namesz = strlen(name) + 1,
		.n_descsz = desc,
		.n_type = type,
	};

	memset(note, 0x77, MK_DUMP_NOTE_BYTES);
	memcpy(note, &head, sizeof(head));
	memcpy(note + sizeof(head), name, head.n_namesz);
}

static bool is_zero(const u8 *note)
{
	return !memchr_inv(note, 0, MK_DUMP_NOTE_BYTES);
}

static void dump_notes(struct kunit *test)
{
	const u32 desc = sizeof(struct elf_prstatus);
	struct fixture *f = test->priv;
	u8 *memory = give_memory(test), *notes;
	u32 nr;

	notes = kunit_kzalloc(test, MK_SLOT_CPUS * MK_DUMP_NOTE_BYTES,
			      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, notes);
	f->slot.notes = virt_to_phys(memory);
	f->slot.nr_notes = 6;
	f->slot.saved[0] = 0x2f;	/* all but 4 */
	write_note(memory, NT_PRSTATUS, "CORE", desc);
	write_note(memory + 512, NT_PRSTATUS, "Core", desc);
	write_note(memory + 1024, NT_PRPSINFO, "CORE", desc);
	write_note(memory + 1536, NT_PRSTATUS, "CORE", desc + 4);
	write_note(memory + 2048, NT_PRSTATUS, "CORE", desc);
	write_note(memory + 2560, NT_PRSTATUS, "CORE", desc);
	KUNIT_EXPECT_EQ(test, mk_dump_notes(&f->inst, notes, &nr), 2);
	KUNIT_EXPECT_EQ(test, nr, 6U);
	KUNIT_EXPECT_MEMEQ(test, notes, memory, MK_DUMP_NOTE_BYTES);
	for (nr = 1; nr < 5; nr++)
		KUNIT_EXPECT_TRUE_MSG(test,
				      is_zero(notes + nr * MK_DUMP_NOTE_BYTES),
				      "note %u", nr);
	KUNIT_EXPECT_MEMEQ(test, notes + 2560, memory + 2560,
			   MK_DUMP_NOTE_BYTES);
	free_pages((unsigned long)memory, MEMORY_ORDER);
}

/* Notes that are not in its memory, or not all of them */
static void dump_notes_outside(struct kunit *test)
{
	struct fixture *f = test->priv;
	u8 *memory = give_memory(test), *notes;
	u64 addr = virt_to_phys(memory);
	const struct { u64 addr; u32 nr; } bad[] = {
		{ 0, 1 }, { addr - 512, 1 }, { addr + MEMORY_BYTES, 1 },
		{ addr + MEMORY_BYTES - 511, 1 }, { addr, 17 },
		{ addr, U32_MAX }, { U64_MAX - 100, 256 }, { addr, 0 },
	};
	u32 i, nr;

	notes = kunit_kzalloc(test, MK_SLOT_CPUS * MK_DUMP_NOTE_BYTES,
			      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, notes);
	for (i = 0; i < MEMORY_BYTES; i += 512)
		write_note(memory + i, NT_PRSTATUS, "CORE",
			   sizeof(struct elf_prstatus));
	memset(f->slot.saved, 0xff, sizeof(f->slot.saved));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		f->slot.notes = bad[i].addr;
		f->slot.nr_notes = bad[i].nr;
		nr = 99;
		KUNIT_EXPECT_EQ_MSG(test, mk_dump_notes(&f->inst, notes, &nr),
				    0, "case %u", i);
		KUNIT_EXPECT_EQ(test, nr, 0U);
		KUNIT_EXPECT_TRUE(test, is_zero(notes));
	}
	f->slot.notes = addr;
	f->slot.nr_notes = 16;
	KUNIT_EXPECT_EQ(test, mk_dump_notes(&f->inst, notes, &nr), 16);
	free_pages((unsigned long)memory, MEMORY_ORDER);
}

static void dump_facts(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 text = 0xffffffff81000000;
	struct mk_dump d = { };

	f->inst.ranges[0].addr = 0x40000000;
	f->inst.ranges[0].bytes = 0x4000000;
	f->inst.nr_ranges = 1;
	f->slot.text = text;
	f->slot.text_bytes = 0x800000;
	f->slot.phys_base = 0x40200000 - mk_arch_text_phys(text, 0);
	f->slot.page_offset = 0xffff888000000000;
	f->slot.vmcoreinfo = 0x40100000;
	f->slot.vmcoreinfo_bytes = 4096;
	mk_dump_facts(&f->inst, &d);
	KUNIT_EXPECT_EQ(test, d.text, text);
	KUNIT_EXPECT_EQ(test, d.text_phys, 0x40200000ULL);
	KUNIT_EXPECT_EQ(test, d.text_bytes, 0x800000ULL);
	KUNIT_EXPECT_EQ(test, d.phys_base, f->slot.phys_base);
	KUNIT_EXPECT_EQ(test, d.page_offset, f->slot.page_offset);
	KUNIT_EXPECT_EQ(test, d.vmcoreinfo, 0x40100000ULL);
	KUNIT_EXPECT_EQ(test, d.vmcoreinfo_bytes, 4096ULL);

	memset(&d, 0, sizeof(d));
	f->slot.text_bytes = 0x4000000;
	f->slot.vmcoreinfo = 0x43fff800;
	mk_dump_facts(&f->inst, &d);
	KUNIT_EXPECT_EQ(test, d.text | d.text_phys | d.text_bytes |
			d.phys_base, 0ULL);
	KUNIT_EXPECT_EQ(test, d.vmcoreinfo | d.vmcoreinfo_bytes, 0ULL);

	memset(&f->slot, 0xff, sizeof(f->slot));
	mk_dump_facts(&f->inst, &d);
	KUNIT_EXPECT_EQ(test, d.text | d.text_phys | d.text_bytes |
			d.phys_base, 0ULL);
	KUNIT_EXPECT_EQ(test, d.vmcoreinfo | d.vmcoreinfo_bytes, 0ULL);
}

/* Other suites make events, too, but not at the same time. */
static void add_event(struct fixture *f, u32 epoch)
{
	unsigned long flags;

	f->inst.epoch = epoch;
	spin_lock_irqsave(&f->inst.lock, flags);
	mk_event_add(&f->inst);
	spin_unlock_irqrestore(&f->inst.lock, flags);
}

/* The number of the newest event */
static u64 newest(void)
{
	struct mk_event e;
	u64 seen = 0;

	while (mk_event_next(seen, &e))
		seen = e.change_seq;
	return seen;
}

static void events_in_order(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 seen = newest();
	struct mk_event e;
	u32 i;

	KUNIT_EXPECT_FALSE(test, mk_event_next(seen, &e));
	for (i = 1; i <= MK_EVENTS_KEPT; i++)
		add_event(f, i);
	for (i = 1; i <= MK_EVENTS_KEPT; i++) {
		KUNIT_ASSERT_TRUE(test, mk_event_next(seen, &e));
		KUNIT_EXPECT_EQ(test, e.change_seq, seen + 1);
		KUNIT_EXPECT_EQ(test, e.epoch, i);
		KUNIT_EXPECT_EQ(test, e.lost, 0U);
		KUNIT_EXPECT_STREQ(test, e.name, "health");
		seen = e.change_seq;
	}
	KUNIT_EXPECT_FALSE(test, mk_event_next(seen, &e));
}

/* A reader that is too slow learns how many he missed, a new one of none. */
static void events_lost(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 seen = newest();
	struct mk_event e;
	u32 i;

	add_event(f, 1000);
	KUNIT_ASSERT_TRUE(test, mk_event_next(seen, &e));
	seen = e.change_seq;
	for (i = 1; i <= MK_EVENTS_KEPT + 7; i++)
		add_event(f, i);
	KUNIT_ASSERT_TRUE(test, mk_event_next(seen, &e));
	KUNIT_EXPECT_EQ(test, e.lost, 7U);
	KUNIT_EXPECT_EQ(test, e.epoch, 8U);
	KUNIT_EXPECT_EQ(test, e.change_seq, seen + 8);
	KUNIT_ASSERT_TRUE(test, mk_event_next(e.change_seq, &e));
	KUNIT_EXPECT_EQ(test, e.lost, 0U);
	KUNIT_EXPECT_EQ(test, e.epoch, 9U);
	KUNIT_ASSERT_TRUE(test, mk_event_next(0, &e));
	KUNIT_EXPECT_EQ(test, e.lost, 0U);
	KUNIT_EXPECT_EQ(test, e.epoch, 8U);
}

static void events_say_what(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 seen = newest();
	struct mk_event e;

	f->inst.stuck_cpu = 6;
	f->inst.state = MK_STATE_UNRESPONSIVE;
	f->inst.cause = MK_CAUSE_HANG;
	add_event(f, 1);
	f->inst.state = MK_STATE_RUNNING;
	f->inst.cause = MK_CAUSE_NONE;
	add_event(f, 1);
	f->inst.gone = true;
	add_event(f, 1);
	KUNIT_ASSERT_TRUE(test, mk_event_next(seen, &e));
	KUNIT_EXPECT_EQ(test, e.state, MK_STATE_UNRESPONSIVE);
	KUNIT_EXPECT_EQ(test, e.cause, MK_CAUSE_HANG);
	KUNIT_EXPECT_EQ(test, e.stuck_cpu, 6U);
	KUNIT_ASSERT_TRUE(test, mk_event_next(seen + 1, &e));
	KUNIT_EXPECT_EQ(test, e.state, MK_STATE_RUNNING);
	KUNIT_EXPECT_EQ(test, e.stuck_cpu, 0U);
	KUNIT_ASSERT_TRUE(test, mk_event_next(seen + 2, &e));
	KUNIT_EXPECT_EQ(test, e.state, MK_STATE_GONE);
}

static struct kunit_case health_cases[] = {
	KUNIT_CASE(watch_beating),
	KUNIT_CASE(watch_stuck),
	KUNIT_CASE(watch_short),
	KUNIT_CASE(watch_offline),
	KUNIT_CASE(watch_nobody),
	KUNIT_CASE(watch_overwritten),
	KUNIT_CASE(beating_cpu),
	KUNIT_CASE(dump_inside),
	KUNIT_CASE(dump_notes),
	KUNIT_CASE(dump_notes_outside),
	KUNIT_CASE(dump_facts),
	KUNIT_CASE(events_in_order),
	KUNIT_CASE(events_lost),
	KUNIT_CASE(events_say_what),
	{}
};

static struct kunit_suite health_suite = {
	.name = "multikernel_health",
	.init = health_test_init,
	.exit = health_test_exit,
	.test_cases = health_cases,
};

kunit_test_suites(&health_suite);

MODULE_DESCRIPTION("Tests of the multikernel's view of an instance's health");
MODULE_LICENSE("GPL");

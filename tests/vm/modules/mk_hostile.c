// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mad kernel: writes to every byte that this kernel shares with others and
 * may write, for some seconds, and rings everybody's doorbell meanwhile. Only
 * for instances that a test wants to go mad.
 *
 * What it may write is what its page tables say: it walks the area in which the
 * kernel maps memory, and takes each page that is writable and no RAM of this
 * kernel. So it needs no knowledge of who maps what, nor a hook in anybody.
 *
 * It writes in five ways, by turns: random words anywhere; whole random pages;
 * fields of headers, changed by a little, so that they stay plausible; messages
 * that are well-formed up to their contents, put into the rings as their
 * producer would; and of these as many as the host takes. The last three get
 * behind the checks that noise does not pass.
 *
 * One word is spared: the end that an instance gives itself is believed, and
 * this one shall live. Noise hits it, values that mean something do not.
 */
#define pr_fmt(fmt) "mk_hostile: " fmt

#include <asm/irq_vectors.h>
#include <linux/io.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mk_region.h>
#include <linux/mk_share.h>
#include <linux/mk_wire.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched/clock.h>

#include "mk_ipi.h"

#define MAX_PIECES  64
#define MAX_RINGS   32
#define MAX_TARGETS 64

static ulong region;
module_param(region, ulong, 0444);
MODULE_PARM_DESC(region, "physical address of the shared region");

static uint id;
module_param(id, uint, 0444);
MODULE_PARM_DESC(id, "of this instance");

static uint seconds = 10;
module_param(seconds, uint, 0444);

static ulong seed = 1;
module_param(seed, ulong, 0444);

static bool flood = true;
module_param(flood, bool, 0444);
MODULE_PARM_DESC(flood, "ring doorbells as well");

static bool noise = true;
module_param(noise, bool, 0444);
MODULE_PARM_DESC(noise, "write everywhere; else only messages to the host");

static bool sweep;
module_param(sweep, bool, 0444);
MODULE_PARM_DESC(sweep, "overwrite all of it, before anything else");

static char *share, *only_read;
module_param(share, charp, 0444);
MODULE_PARM_DESC(share, "attach and map this one first");
module_param(only_read, charp, 0444);
MODULE_PARM_DESC(only_read, "and this one, to read");

/* Pages in a row that this kernel may write and that are not its own */
struct piece {
	u8 *virt;
	u64 phys;
	u64 bytes;
};

static struct piece pieces[MAX_PIECES];
static unsigned int nr_pieces;
static struct mk_ring *rings[MAX_RINGS];
static unsigned int nr_rings;
static u32 targets[MAX_TARGETS];
static unsigned int nr_targets;
static u64 end_cause_phys;
/* From the host: who forges here tells this kernel itself to stop */
static u64 own_ring_phys, host_ring_phys;
static struct mk_ring *host_ring; /* to the host */
static struct rnd_state rnd;
static u64 words, pages, nudges, forged, pumped, doorbells;

static u32 below(u32 limit)
{
	return prandom_u32_state(&rnd) % limit;
}

/* --- what is there -------------------------------------------------------- */

static void add_page(u8 *virt, u64 phys)
{
	struct piece *last = &pieces[nr_pieces - 1];

	if (nr_pieces && last->virt + last->bytes == virt &&
	    last->phys + last->bytes == phys) {
		last->bytes += PAGE_SIZE;
		return;
	}
	if (nr_pieces == MAX_PIECES)
		return;
	pieces[nr_pieces++] = (struct piece){ virt, phys, PAGE_SIZE };
}

static void take_pages(unsigned long virt, u64 phys, u64 bytes)
{
	u64 at;

	for (at = 0; at < bytes; at += PAGE_SIZE)
		if (!page_is_ram((phys + at) >> PAGE_SHIFT))
			add_page((u8 *)virt + at, phys + at);
}

static void walk_ptes(pmd_t *pmd, unsigned long at)
{
	pte_t *pte = pte_offset_kernel(pmd, at);
	int i;

	for (i = 0; i < PTRS_PER_PTE; i++, at += PAGE_SIZE)
		if (pte_present(pte[i]) && (pte_flags(pte[i]) & _PAGE_RW))
			take_pages(at, (u64)pte_pfn(pte[i]) << PAGE_SHIFT,
				   PAGE_SIZE);
}

static void walk_pmds(pud_t *pud, unsigned long at)
{
	pmd_t *pmd = pmd_offset(pud, at);
	int i;

	for (i = 0; i < PTRS_PER_PMD; i++, at += PMD_SIZE) {
		if (!pmd_present(pmd[i]))
			continue;
		if (!pmd_leaf(pmd[i]))
			walk_ptes(&pmd[i], at);
		else if (pmd_flags(pmd[i]) & _PAGE_RW)
			take_pages(at, (u64)pmd_pfn(pmd[i]) << PAGE_SHIFT,
				   PMD_SIZE);
	}
}

/* A leaf of 1 GiB is not to be expected here, and would be no shared memory. */
static void walk_all(void)
{
	pgd_t *top = __va(read_cr3_pa());
	unsigned long at;
	pgd_t *pgd;
	p4d_t *p4d;
	pud_t *pud;

	for (at = VMALLOC_START & PUD_MASK; at < VMALLOC_END; at += PUD_SIZE) {
		pgd = top + pgd_index(at);
		if (pgd_none(*pgd))
			continue;
		p4d = p4d_offset(pgd, at);
		if (p4d_none(*p4d))
			continue;
		pud = pud_offset(p4d, at);
		if (pud_present(*pud) && !pud_leaf(*pud))
			walk_pmds(pud, at);
	}
}

static void find_rings(const struct piece *p)
{
	struct mk_ring *ring;
	u64 at;

	for (at = 0; at + MK_RING_BYTES <= p->bytes; at += PAGE_SIZE) {
		ring = (struct mk_ring *)(p->virt + at);
		if (ring->magic != MK_RING_MAGIC || nr_rings == MAX_RINGS ||
		    p->phys + at == own_ring_phys)
			continue;
		if (p->phys + at == host_ring_phys)
			host_ring = ring;
		rings[nr_rings++] = ring;
	}
}

/* Whose doorbells there are: all CPUs of all other kernels */
static void find_targets(const struct mk_region_header *h)
{
	const struct mk_region_cpu *cpu = (void *)h + h->cpus_offset;
	u32 i;

	for (i = 0; i < h->cpus_entries && nr_targets < MAX_TARGETS; i++)
		if (cpu[i].owner != id && cpu[i].owner != MK_CPU_NOBODY)
			targets[nr_targets++] = cpu[i].apicid;
}

static int look_around(void)
{
	const struct mk_region_entry *entry;
	struct mk_region_header *h;
	u64 bytes = 0, block;
	unsigned int i;

	h = memremap(region, MK_REGION_MIN, MEMREMAP_WB);
	if (!h)
		return -ENOMEM;
	entry = (void *)h + h->table_offset + (id - 1) * sizeof(*entry);
	block = region + entry->block_offset;
	end_cause_phys = block + entry->slot_offset +
			 offsetof(struct mk_slot, end_cause);
	own_ring_phys = block + entry->ring_in_offset;
	host_ring_phys = block + entry->ring_out_offset;
	find_targets(h);
	memunmap(h);

	walk_all();
	for (i = 0; i < nr_pieces; i++) {
		pr_info("may write %llu bytes at %#llx\n", pieces[i].bytes,
			pieces[i].phys);
		bytes += pieces[i].bytes;
		find_rings(&pieces[i]);
	}
	pr_info("shared: %llu bytes in %u pieces, %u rings to forge in, %u CPUs of others\n",
		bytes, nr_pieces, nr_rings, nr_targets);
	return host_ring && nr_targets ? 0 : -ENOENT;
}

/* --- writing -----------------------------------------------------------------
 */

static void put_word(const struct piece *p, u64 at, u32 value)
{
	if (p->phys + at == end_cause_phys && value < MK_NR_CAUSES)
		value |= 0x100;
	WRITE_ONCE(*(u32 *)(p->virt + at), value);
}

static const struct piece *some_piece(void)
{
	return &pieces[below(nr_pieces)];
}

static void write_words(void)
{
	const struct piece *p = some_piece();
	int i;

	for (i = 0; i < 64; i++, words++)
		put_word(p, below(p->bytes / 4) * 4ULL,
			 prandom_u32_state(&rnd));
}

static void write_page(void)
{
	const struct piece *p = some_piece();
	u64 at = (u64)below(p->bytes / PAGE_SIZE) * PAGE_SIZE;
	u32 i;

	for (i = 0; i < PAGE_SIZE; i += 4)
		put_word(p, at + i, prandom_u32_state(&rnd));
	pages++;
}

/* Every byte, several times; the rest of the time is for what comes of it. */
static void write_all_over(void)
{
	static const u32 patterns[] = { ~0U, 0xa5a5a5a5, 0, 0x01010101 };
	unsigned int i, n;
	u64 at, bytes = 0;

	for (n = 0; n < ARRAY_SIZE(patterns); n++)
		for (i = 0; i < nr_pieces; i++)
			for (at = 0; at < pieces[i].bytes; at += 4, bytes += 4)
				put_word(&pieces[i], at, patterns[n]);
	words += bytes / 4;
}

/* A page may be the head of a ring or a log: its fields are at these places. */
static void nudge(void)
{
	static const u16 at[] = {
		0, 8, 12, 16, 20, 24, 128, 132, 136, 256, 260
	};
	const struct piece *p = some_piece();
	u64 where = (u64)below(p->bytes / PAGE_SIZE) * PAGE_SIZE +
		    at[below(ARRAY_SIZE(at))];
	u32 value = READ_ONCE(*(u32 *)(p->virt + where));

	put_word(p, where, value + below(130) - 65);
	nudges++;
}

/* Small numbers, of which some mean something to whoever reads them */
static u32 plausible(void)
{
	switch (below(4)) {
	case 0:
		return below(4);
	case 1:
		return below(70);
	case 2:
		return MK_GET_NEXT | below(4);
	default:
		return prandom_u32_state(&rnd);
	}
}

static void fill_payload(u8 *payload)
{
	static const char names[][8] = { "host", "a", "b", "mad", "mem" };
	u32 i;

	for (i = 0; i < MK_MSG_MAX; i += 4)
		WRITE_ONCE(*(u32 *)(payload + i), plausible());
	i = below(9) * 4;
	if (below(2))
		strscpy_pad((char *)payload + i, names[below(5)], 8);
	else if (below(2))
		memset(payload, 'x', MK_MSG_MAX);
}

static void forge_slot(struct mk_ring_slot *slot, u32 seq)
{
	slot->len = below(10) ? below(MK_MSG_MAX + 1) : plausible();
	slot->head = (struct mk_msg_head){
		.type = plausible(),
		.id = below(3) ? 0 : plausible(),
		.kind = below(9),
		.from = plausible(),
		.to = below(8),
		.nr = plausible(),
		.ack = plausible(),
	};
	fill_payload(slot->payload);
	WRITE_ONCE(slot->seq, seq);
}

/* As many as there is room for, from where the consumer says that it is */
static void forge(void)
{
	struct mk_ring *ring = rings[below(nr_rings)];
	u32 tail = READ_ONCE(ring->tail), i;

	for (i = 0; i < MK_RING_SLOTS; i++)
		forge_slot(&ring->slots[(tail + i) & (MK_RING_SLOTS - 1)],
			   tail + i + 1);
	smp_store_release(&ring->head, tail + i);
	forged += i;
}

static void ring_bell(u32 apicid)
{
	send_any_ipi(apicid, APIC_DM_FIXED | MULTIKERNEL_VECTOR);
}

/* The ring to the host, full again as soon as the host has taken something */
static void pump(void)
{
	struct mk_ring_slot *slot;
	u32 head = READ_ONCE(host_ring->tail), i;

	for (i = 0; i < MK_RING_SLOTS; i++, head++) {
		slot = &host_ring->slots[head & (MK_RING_SLOTS - 1)];
		WRITE_ONCE(slot->len, 0);
		WRITE_ONCE(slot->head.kind, 99);
		WRITE_ONCE(slot->seq, head + 1);
	}
	smp_store_release(&host_ring->head, head);
	/* It may have found nothing, and sleep. */
	if (!flood && pumped / MK_RING_SLOTS % 256 == 0)
		ring_bell(targets[0]);
	pumped += i;
}

static bool go_on(u64 end)
{
	cond_resched();
	return local_clock() < end;
}

static int write_all(void *unused)
{
	u64 end;
	u32 phase;

	/* The log is among what it overwrites: time to read what was found. */
	ssleep(3);
	end = local_clock() + seconds * NSEC_PER_SEC;
	if (sweep)
		write_all_over();
	while (go_on(end)) {
		/*
		 * By turns of a quarter of a second: noise; messages only, so
		 * that indices heal and those arrive; as many as possible.
		 */
		phase = noise ? local_clock() / (NSEC_PER_SEC / 4) % 4 : 3;
		if (phase == 2)
			forge();
		if (phase == 3)
			pump();
		if (phase >= 2)
			continue;
		switch (below(64)) {
		case 0:
			write_page();
			break;
		case 1 ... 9:
			write_words();
			break;
		case 10 ... 29:
			forge();
			break;
		default:
			nudge();
		}
	}
	pr_info("wrote %llu words, %llu pages, %llu fields, %llu messages, %llu to flood\n",
		words, pages, nudges, forged, pumped);
	return 0;
}

/* --- ringing
 * ------------------------------------------------------------------ */

static int ring_all(void *unused)
{
	u64 end = local_clock() + seconds * NSEC_PER_SEC;

	while (go_on(end)) {
		ring_bell(targets[doorbells % nr_targets]);
		doorbells++;
	}
	pr_info("rang %llu doorbells\n", doorbells);
	return 0;
}

/* --- module
 * ------------------------------------------------------------------- */

/* Attached as long as this kernel lives: nobody takes it back from the mad. */
static int attach(const char *name, u32 rights)
{
	struct mk_attachment *attachment;

	if (!name)
		return 0;
	attachment = mk_share_attach(name, rights);
	if (IS_ERR(attachment))
		return PTR_ERR(attachment);
	return mk_attachment_map(attachment) ? 0 : -ENOMEM;
}

/* There is no way to unload it: its threads run to their end. */
static int __init mk_hostile_init(void)
{
	struct task_struct *task;
	int ret;

	if (!region || !id || !seconds)
		return -EINVAL;
	prandom_seed_state(&rnd, seed);
	ret = attach(share, MK_RIGHT_READ | MK_RIGHT_WRITE) ?:
	      attach(only_read, MK_RIGHT_READ) ?: look_around();
	if (ret) {
		pr_err("cannot begin: %d\n", ret);
		return ret;
	}
	task = flood ? kthread_run(ring_all, NULL, "mk_hostile_ring") : NULL;
	if (!IS_ERR(task))
		task = kthread_run(write_all, NULL, "mk_hostile");
	return PTR_ERR_OR_ZERO(task);
}
module_init(mk_hostile_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A kernel gone mad");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pretended instance's memory: see fake_dump.h.
 */
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <unistd.h>

#include "fake_dump.h"

#define PRESENT		0x63ULL	/* and writable, accessed, dirty */

void fake_put(int fd, uint64_t paddr, const void *data, size_t bytes)
{
	if (pwrite(fd, data, bytes, (off_t)paddr) != (ssize_t)bytes)
		abort();
}

void fake_put64(int fd, uint64_t paddr, uint64_t value)
{
	fake_put(fd, paddr, &value, sizeof(value));
}

uint64_t fake_text_phys(uint64_t vaddr)
{
	return vaddr - FAKE_TEXT + FAKE_TEXT_PHYS;
}

uint64_t fake_log_add(int fd, uint64_t id, uint64_t lpos, unsigned int state,
		      const char *text)
{
	const uint64_t size = 1ULL << FAKE_LOG_BITS;
	uint64_t bytes = (8 + strlen(text) + 7) / 8 * 8;
	uint64_t next = lpos + bytes;
	struct fake_desc desc = {
		.state = (uint64_t)state << 62 | id,
		.begin = lpos,
	};
	struct fake_record record = {
		.seq = id & 0xff,
		.ts_nsec = (id & 0xff) * 1000001000,
		.text_len = (uint16_t)strlen(text),
	};
	uint64_t slot = id % (1 << FAKE_COUNT_BITS);
	uint64_t at = lpos % size;

	/* A block that does not fit begins anew at the start. */
	if (lpos / size != next / size) {
		next = next / size * size + bytes;
		at = 0;
	}
	desc.next = next;
	fake_put(fd, FAKE_DESCS + slot * sizeof(desc), &desc, sizeof(desc));
	fake_put(fd, FAKE_INFOS + slot * sizeof(record), &record,
		 sizeof(record));
	fake_put64(fd, FAKE_LOG + at, id);
	fake_put(fd, FAKE_LOG + at + 8, text, strlen(text));
	return next;
}

#define RING(member)	offsetof(struct fake_ring, member)

const char *fake_vmcoreinfo(void)
{
	static char text[4096];

	snprintf(text, sizeof(text),
		 "OSRELEASE=6.12.0-fake\nPAGESIZE=4096\n"
		 "SYMBOL(init_top_pgt)=%llx\nNUMBER(pgtable_l5_enabled)=0\n"
		 "NUMBER(VMALLOC_START)=0x%llx\nNUMBER(KERNEL_IMAGE_SIZE)=1073741824\n"
		 "SYMBOL(prb)=%llx\n"
		 "SIZE(printk_ringbuffer)=%zu\n"
		 "OFFSET(printk_ringbuffer.desc_ring)=0\n"
		 "OFFSET(printk_ringbuffer.text_data_ring)=%zu\n"
		 "OFFSET(prb_desc_ring.count_bits)=%zu\n"
		 "OFFSET(prb_desc_ring.descs)=%zu\n"
		 "OFFSET(prb_desc_ring.infos)=%zu\n"
		 "OFFSET(prb_desc_ring.head_id)=%zu\n"
		 "OFFSET(prb_desc_ring.tail_id)=%zu\n"
		 "SIZE(prb_desc)=%zu\nOFFSET(prb_desc.state_var)=0\n"
		 "OFFSET(prb_desc.text_blk_lpos)=8\n"
		 "OFFSET(prb_data_blk_lpos.begin)=0\n"
		 "OFFSET(prb_data_blk_lpos.next)=8\n"
		 "SIZE(printk_info)=%zu\nOFFSET(printk_info.seq)=0\n"
		 "OFFSET(printk_info.ts_nsec)=8\nOFFSET(printk_info.text_len)=16\n"
		 "OFFSET(prb_data_ring.size_bits)=0\n"
		 "OFFSET(prb_data_ring.data)=8\n"
		 "OFFSET(atomic_long_t.counter)=0\n",
		 FAKE_TOP_TABLE, FAKE_VMALLOC, FAKE_PRB,
		 sizeof(struct fake_ring), RING(size_bits), RING(count_bits),
		 RING(descs), RING(infos), RING(head_id), RING(tail_id),
		 sizeof(struct fake_desc), sizeof(struct fake_record));
	return text;
}

void fake_put_vmcoreinfo(int fd, const char *text)
{
	Elf64_Nhdr head = {
		.n_namesz = 11,
		.n_descsz = (Elf64_Word)strlen(text),
	};

	fake_put(fd, FAKE_VMCOREINFO, &head, sizeof(head));
	fake_put(fd, FAKE_VMCOREINFO + sizeof(head), "VMCOREINFO\0", 12);
	fake_put(fd, FAKE_VMCOREINFO + sizeof(head) + 12, text, strlen(text));
}

/* Four levels down to the stack, whose pages lie in reverse order. */
static void put_tables(int fd)
{
	uint64_t top = fake_text_phys(FAKE_TOP_TABLE);
	uint64_t i;

	fake_put64(fd, top + (FAKE_STACK >> 39) % 512 * 8,
		   FAKE_TABLES | PRESENT);
	fake_put64(fd, FAKE_TABLES + (FAKE_STACK >> 30) % 512 * 8,
		   (FAKE_TABLES + 0x1000) | PRESENT);
	fake_put64(fd, FAKE_TABLES + 0x1000 + (FAKE_STACK >> 21) % 512 * 8,
		   (FAKE_TABLES + 0x2000) | PRESENT);
	for (i = 0; i < 4; i++)
		fake_put64(fd, FAKE_TABLES + 0x2000 +
				((FAKE_STACK >> 12) % 512 + i) * 8,
			   (FAKE_STACK_PHYS + (3 - i) * 4096) | PRESENT);
}

static void put_log(int fd)
{
	struct fake_ring ring = {
		.count_bits = FAKE_COUNT_BITS,
		.descs = FAKE_DESCS + FAKE_OFFSET,
		.infos = FAKE_INFOS + FAKE_OFFSET,
		.tail_id = 0x100,
		.head_id = 0x103,
		.size_bits = FAKE_LOG_BITS,
		.data = FAKE_LOG + FAKE_OFFSET,
	};
	uint64_t lpos = 0x10000;

	lpos = fake_log_add(fd, 0x100, lpos, 2, "Linux version 6.12.0-fake");
	lpos = fake_log_add(fd, 0x101, lpos, 2, "two\nlines");
	lpos = fake_log_add(fd, 0x102, lpos, 0, "not finished");
	fake_log_add(fd, 0x103, lpos, 1, "Kernel panic \033[31m");
	fake_put64(fd, fake_text_phys(FAKE_PRB), FAKE_RING);
	fake_put(fd, fake_text_phys(FAKE_RING), &ring, sizeof(ring));
}

int fake_memory(void)
{
	int fd = memfd_create("fake-memory", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)(FAKE_POOL_ADDR + FAKE_POOL)) < 0)
		abort();
	put_tables(fd);
	put_log(fd);
	fake_put_vmcoreinfo(fd, fake_vmcoreinfo());
	fake_put(fd, FAKE_TEXT_PHYS, "this is the text", 16);
	fake_put(fd, FAKE_STACK_PHYS, "top of the stack", 16);
	return fd;
}

void fake_note(unsigned char note[MK_DUMP_NOTE_BYTES], int pid, uint64_t rip,
	       uint64_t rsp)
{
	Elf64_Nhdr head = {
		.n_namesz = 5,
		.n_descsz = sizeof(struct elf_prstatus),
		.n_type = NT_PRSTATUS,
	};
	struct user_regs_struct regs = { .rip = rip, .rsp = rsp };
	struct elf_prstatus status = { .pr_pid = pid };

	memcpy(status.pr_reg, &regs, sizeof(regs));
	memset(note, 0, MK_DUMP_NOTE_BYTES);
	memcpy(note, &head, sizeof(head));
	memcpy(note + sizeof(head), "CORE", 5);
	memcpy(note + sizeof(head) + 8, &status, sizeof(status));
}

/* Of three CPUs the second one did not answer. */
static void fill_notes(struct mk_dump *d)
{
	unsigned char *notes = (unsigned char *)(uintptr_t)d->notes;

	if (notes && d->nr_notes >= 3) {
		fake_note(notes, 0, FAKE_TEXT + 0x100, FAKE_STACK + 0x3f00);
		fake_note(notes + 2 * MK_DUMP_NOTE_BYTES, 77,
			  FAKE_TEXT + 0x200, FAKE_OFFSET + FAKE_MEM);
	}
	d->nr_notes = 3;
	d->nr_saved = 2;
}

static struct fake_instance *by_id(uint32_t id, struct mk_refusal *r)
{
	if (id && id <= FAKE_INSTANCES && fake->instances[id].used)
		return &fake->instances[id];
	fake_refuse(r, ENOENT, MK_REASON_NO_INSTANCE, id, 0, NULL);
	return NULL;
}

static int op_freeze(struct mk_by_id *b, const char *what, uint32_t from,
		     uint32_t to)
{
	struct fake_instance *inst = by_id(b->id, &b->refusal);
	int r;

	if (!inst)
		return -ENOENT;
	r = fake_enter(what, &b->refusal);
	if (r < 0)
		return r;
	if (inst->get.state != from)
		return fake_refuse(&b->refusal, EBUSY, MK_REASON_BAD_STATE,
				   inst->get.state, 0, NULL);
	inst->get.state = to;
	return 0;
}

static int op_dump(struct mk_dump *d)
{
	struct fake_instance *inst = by_id(d->id, &d->refusal);
	int r;

	if (!inst)
		return -ENOENT;
	r = fake_enter("dump", &d->refusal);
	if (r < 0)
		return r;
	if (!inst->get.epoch)
		return fake_refuse(&d->refusal, ENODATA,
				   MK_REASON_NOTHING_TO_DUMP, 0, 0, NULL);
	d->vmcoreinfo = FAKE_VMCOREINFO;
	d->vmcoreinfo_bytes = 4096 + 24;
	d->phys_base = FAKE_TEXT_PHYS - (FAKE_TEXT - 0xffffffff80000000ULL);
	d->page_offset = FAKE_OFFSET;
	d->text = FAKE_TEXT;
	d->text_phys = FAKE_TEXT_PHYS;
	d->text_bytes = FAKE_TEXT_BYTES;
	fill_notes(d);
	return 0;
}

int fake_dump_ioctl(unsigned long request, void *arg)
{
	switch (request) {
	case MK_IOC_FREEZE:
		return op_freeze(arg, "freeze", MK_STATE_RUNNING,
				 MK_STATE_FROZEN);
	case MK_IOC_THAW:
		return op_freeze(arg, "thaw", MK_STATE_FROZEN,
				 MK_STATE_RUNNING);
	default:
		return op_dump(arg);
	}
}

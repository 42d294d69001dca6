/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pretended instance's memory: a memfd in which an offset is a physical
 * address, with what a dump looks for in it: VMCOREINFO, page tables with a
 * stack in vmalloc space, printk's ring buffer, the registers of two CPUs.
 */
#ifndef FAKE_DUMP_H
#define FAKE_DUMP_H

#include <stdint.h>

#include <linux/multikernel.h>

#include "fake_kernel.h"

/* Physical addresses */
#define FAKE_MEM	FAKE_POOL_ADDR
#define FAKE_MEM_BYTES	(32ULL << 20)
#define FAKE_TEXT_PHYS	(FAKE_MEM + 0x200000)
#define FAKE_TEXT_BYTES	0x100000
#define FAKE_VMCOREINFO	(FAKE_MEM + 0x400000)
#define FAKE_STACK_PHYS	(FAKE_MEM + 0x500000)	/* 4 pages, the last one first */
#define FAKE_DESCS	(FAKE_MEM + 0x600000)
#define FAKE_INFOS	(FAKE_MEM + 0x601000)
#define FAKE_LOG	(FAKE_MEM + 0x602000)
#define FAKE_TABLES	(FAKE_MEM + 0x700000)

/* Virtual ones */
#define FAKE_TEXT	0xffffffff81000000ULL
#define FAKE_OFFSET	0xffff888000000000ULL
#define FAKE_VMALLOC	0xffffc90000000000ULL
#define FAKE_STACK	(FAKE_VMALLOC + 0x40000)
#define FAKE_TOP_TABLE	(FAKE_TEXT + 0x1000)
#define FAKE_PRB	(FAKE_TEXT + 0x2000)	/* the pointer */
#define FAKE_RING	(FAKE_TEXT + 0x2100)

#define FAKE_COUNT_BITS	3
#define FAKE_LOG_BITS	9

/* struct printk_ringbuffer of Linux 6.12, as far as VMCOREINFO tells it */
struct fake_desc {
	uint64_t state;
	uint64_t begin;
	uint64_t next;
};
struct fake_record {
	uint64_t seq;
	uint64_t ts_nsec;
	uint16_t text_len;
	uint8_t rest[70];
};
struct fake_ring {
	uint32_t count_bits;
	uint64_t descs;
	uint64_t infos;
	uint64_t head_id;
	uint64_t tail_id;
	uint64_t last_finalized_seq;
	uint32_t size_bits;
	uint64_t data;
	uint64_t head_lpos;
	uint64_t tail_lpos;
};

/** fake_put() - write into the memory; aborts if that fails */
void fake_put(int fd, uint64_t paddr, const void *data, size_t bytes);
void fake_put64(int fd, uint64_t paddr, uint64_t value);
/** fake_text_phys() - of an address in its text */
uint64_t fake_text_phys(uint64_t vaddr);
/** fake_log_add() - a record whose text begins at @lpos; returns the next */
uint64_t fake_log_add(int fd, uint64_t id, uint64_t lpos, unsigned int state,
		      const char *text);
/** fake_vmcoreinfo() - the note's text; the same always */
const char *fake_vmcoreinfo(void);
/** fake_put_vmcoreinfo() - a note with this text */
void fake_put_vmcoreinfo(int fd, const char *text);
/** fake_memory() - a new memfd with all of the above; the caller closes */
int fake_memory(void);
/** fake_note() - a NT_PRSTATUS note as the kernel leaves it */
void fake_note(unsigned char note[MK_DUMP_NOTE_BYTES], int pid, uint64_t rip,
	       uint64_t rsp);

/* For the pretended kernel; see fake_kernel.h */
int fake_dump_ioctl(unsigned long request, void *arg);

#endif /* FAKE_DUMP_H */

/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * Layout of the shared region: the one piece of memory that all kernels of the
 * machine have in common.
 *
 * The host makes it once and is the only one that ever clears any of it;
 * instances join. It is cut into whole pages by owner, so that an instance can
 * map what the host writes read-only, its own block read-write, and nothing
 * else but the rings that it is an end of:
 *
 *	page 0		struct mk_region_header		written by the host
 *	table		struct mk_region_entry[]	written by the host
 *	CPUs		struct mk_region_cpu[]		written by the host
 *	block of each	slot | ring to instance | ring to host | log ring
 *	instance
 *	pairs		ring | ring			by two instances
 *
 * A block is made when its instance is created, anywhere in the rest of the
 * region, so nothing is sized per instance before it exists.
 *
 * Everything is fixed-width, little-endian and independent of NR_CPUS,
 * PAGE_SIZE and any kernel-internal struct: the kernels may be different
 * builds. Change anything here and MK_ABI_VERSION changes too.
 */
#ifndef _LINUX_MK_REGION_H
#define _LINUX_MK_REGION_H

#include <uapi/linux/multikernel.h>
#include <linux/mk_logring.h>
#include <linux/mk_ring.h>

#define MK_REGION_MAGIC		0x6e6f69676572636bULL	/* "kcregion" */
#define MK_REGION_PAGE		4096U
#define MK_REGION_MIN		(1U << 20)
#define MK_REGION_DEFAULT	(16U << 20)
#define MK_LOG_DATA_BYTES	(128U << 10)	/* of kernel log an instance */
#define MK_SLOT_CPUS		256		/* heartbeats in a slot */

/**
 * struct mk_region_header - page 0 of the region, read-only to instances
 * @magic: MK_REGION_MAGIC, written last
 * @abi_version: MK_ABI_VERSION of the host
 * @header_bytes: sizeof(struct mk_region_header)
 * @total_bytes: of the region
 * @features: MK_FEATURE_* that the host offers; unknown bits mean nothing
 * @generation: random number of this host's boot
 * @table_offset: of the first struct mk_region_entry, from the region's start
 * @table_entries: how many; entry i belongs to instance id i + 1
 * @entry_bytes: sizeof(struct mk_region_entry)
 * @host_apicid: where instances ring the host's doorbell
 * @host_vector: with which vector
 * @features_needed: MK_FEATURE_* that a joiner has to have
 * @cpus_offset: of the first struct mk_region_cpu, from the region's start, in
 *	whole pages
 * @cpus_entries: CPUs of the machine
 *
 * The first two fields are the same in every version.
 */
struct mk_region_header {
	__u64 magic;
	__u32 abi_version;
	__u32 header_bytes;
	__u64 total_bytes;
	__u64 features;
	__u64 generation;
	__u32 table_offset;
	__u32 table_entries;
	__u32 entry_bytes;
	__u32 host_apicid;
	__u32 host_vector;
	__u32 reserved0;
	__u64 features_needed;
	__u32 cpus_offset;
	__u32 cpus_entries;
	__u32 reserved[12];
};
static_assert(sizeof(struct mk_region_header) == 128);

/**
 * struct mk_region_entry - one instance, as the host knows it
 * @id: of the instance, 0 for an unused entry
 * @epoch: number of its present start
 * @block_offset: of its block from the region's start, in whole pages
 * @block_bytes: size of the block
 * @slot_offset: of struct mk_slot, from the block's start; likewise the others
 * @ring_in_offset: ring from the host to the instance
 * @ring_out_offset: ring from the instance to the host
 * @log_offset: struct mk_logring
 * @log_data_bytes: size of the log ring's data
 * @name: of the instance
 * @request: enum mk_request; its CPUs look there when they get an NMI
 * @request_seq: counts requests, so that a CPU knows an NMI of the host that
 *	comes when the request is over already
 */
struct mk_region_entry {
	__u32 id;
	__u32 epoch;
	__u64 block_offset;
	__u32 block_bytes;
	__u32 slot_offset;
	__u32 ring_in_offset;
	__u32 ring_out_offset;
	__u32 log_offset;
	__u32 log_data_bytes;
	char name[MK_NAME_MAX];
	__u32 request;
	__u32 request_seq;
	__u32 reserved[12];
};
static_assert(sizeof(struct mk_region_entry) == 128);

/**
 * enum mk_request - what the host wants of a CPU that gets an NMI
 * @MK_REQUEST_NONE: nothing; those that wait go on
 * @MK_REQUEST_FREEZE: store the registers, wait until the request is another
 * @MK_REQUEST_SAVE: store the registers unless they are, wait for the INIT
 */
enum mk_request {
	MK_REQUEST_NONE		= 0,
	MK_REQUEST_FREEZE	= 1,
	MK_REQUEST_SAVE		= 2,
};

/**
 * struct mk_region_cpu - which kernel has a CPU
 * @apicid: of the CPU
 * @owner: instance id, 0 for the host, MK_CPU_NOBODY while it executes none
 */
struct mk_region_cpu {
	__u32 apicid;
	__u32 owner;
};

#define MK_CPU_NOBODY		0xffffffffU

/**
 * struct mk_slot_cpu - one CPU of an instance
 * @irq_beats: counted up ten times a second by an interrupt
 * @task_beats: counted up once a second by a task of the highest priority
 */
struct mk_slot_cpu {
	__u32 irq_beats;
	__u32 task_beats;
};

#define MK_SLOT_WORDS		(MK_SLOT_CPUS / 64)

/**
 * struct mk_slot - what an instance says of itself; only it writes here
 * @epoch: of the start that these values belong to, written last when joining
 * @abi_version: MK_ABI_VERSION of the instance
 * @doorbell_apicid: where the host rings its doorbell
 * @doorbell_vector: with which vector
 * @alive_tsc: TSC when its kernel started PID 1, 0 before
 * @ready_tsc: TSC when its user space said so, 0 before
 * @end_cause: enum mk_cause of its end, 0 while it lives
 * @nr_cpus: that it brought up
 * @boot_id: valid once @alive_tsc is set
 * @vmcoreinfo: physical address and size of its vmcoreinfo note
 * @phys_base: of its kernel text, to read a dump with
 * @features: MK_FEATURE_* that it uses: what it and the host have
 * @alive_clock_ns: what the clock of its log showed at @alive_tsc, 0 for not
 *	said
 * @page_offset: virtual address of its direct map
 * @text: virtual address of its _text
 * @text_bytes: _end - _text
 * @notes: physical address of the notes of its CPUs: MK_DUMP_NOTE_BYTES each
 * @nr_notes: how many
 * @reserved0: zero
 * @beating: bit n: CPU n beats and answers NMIs; the host sends one to no other
 * @saved: bit n: the registers of CPU n are in its note
 * @parked: bit n: CPU n waits as MK_REQUEST_FREEZE or _SAVE asks for
 * @cpus: by its own numbering
 * @apicids: of @cpus; valid where @beating is set
 */
struct mk_slot {
	__u32 epoch;
	__u32 abi_version;
	__u32 doorbell_apicid;
	__u32 doorbell_vector;
	__u64 alive_tsc;
	__u64 ready_tsc;
	__u32 end_cause;
	__u32 nr_cpus;
	__u8 boot_id[MK_BOOT_ID_SIZE];
	__u64 vmcoreinfo;
	__u64 vmcoreinfo_bytes;
	__u64 phys_base;
	__u64 features;
	__u64 alive_clock_ns;
	__u64 page_offset;
	__u64 text;
	__u64 text_bytes;
	__u64 notes;
	__u32 nr_notes;
	__u32 reserved0;
	__u64 beating[MK_SLOT_WORDS];
	__u64 saved[MK_SLOT_WORDS];
	__u64 parked[MK_SLOT_WORDS];
	__u8 reserved[280];
	struct mk_slot_cpu cpus[MK_SLOT_CPUS];
	__u32 apicids[MK_SLOT_CPUS];
};
static_assert(offsetof(struct mk_slot, cpus) == 512);
static_assert(sizeof(struct mk_slot) == 512 + 12 * MK_SLOT_CPUS);
static_assert(sizeof(struct mk_slot) <= MK_REGION_PAGE);

#endif /* _LINUX_MK_REGION_H */

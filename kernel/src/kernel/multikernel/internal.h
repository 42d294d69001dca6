/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of kernel/multikernel share. Prototypes are grouped by the
 * file that has them.
 *
 * Locks, in the order in which they are taken:
 *	mk_lock		the list of instances, pool, region, CPU lending; every
 *			request that changes something holds it
 *	inst->log_lock	the block in the region against readers of the log
 *	inst->mem_lock	the memory of one instance against readers of it
 *	inst->lock	state, cause and times of one instance (spinlock)
 *	the events' own	the last events of all (spinlock)
 *
 * Those of messages are in peer.h.
 */
#ifndef _MULTIKERNEL_INTERNAL_H
#define _MULTIKERNEL_INTERNAL_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mk_region.h>
#include <linux/mk_wire.h>
#include <linux/multikernel.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/numa_memblks.h>
#include <linux/spinlock.h>
#include <linux/uuid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "image.h"
#include "layout.h"
#include "ranges.h"

struct mk_peer;
struct mk_shown;
struct mk_watch;
struct pt_regs;
struct seq_file;

/**
 * struct mk_payload - what START puts into an instance's memory
 * @kernel: parsed image, shared by all instances that loaded the same one
 * @initrd: vmalloc'ed, or NULL
 * @initrd_bytes: its size
 * @cmdline: NUL-terminated
 */
struct mk_payload {
	struct mk_shared_image *kernel;
	void *initrd;
	size_t initrd_bytes;
	char *cmdline;
};

/**
 * struct mk_instance - one instance, as the host sees it
 *
 * Made by CREATE, freed when DESTROY has run and the last reference is gone.
 */
struct mk_instance {
	struct kref ref;
	struct list_head node;			/* in mk_instances */
	u32 id;
	char name[MK_NAME_MAX];
	struct mutex log_lock;
	bool gone;				/* DESTROY has run; log_lock */
	struct mutex mem_lock;
	bool memory_used;			/* by a kernel; mem_lock */

	/* under mk_lock */
	bool busy;				/* see mk_instance_busy() */
	struct mk_cpu *cpus;
	u32 nr_cpus;
	bool cpus_lent;
	bool cpu_stuck;				/* did not come back at the end */
	struct mk_range ranges[MK_MAX_RANGES];
	u32 nr_ranges;
	u64 memory_bytes;
	bool memory_clean;			/* scrubbed and not used since */
	struct resource *resources;		/* nr_ranges of them */
	struct mk_shown *shown;			/* its folder in sysfs */
	struct mk_payload payload;
	struct mk_refusal load_refusal;
	char (*allowed)[MK_NAME_MAX];		/* whom it may talk to */
	u32 nr_allowed;
	u32 epoch;

	/* its block of the region; the entry is the host's own to write */
	struct mk_region_entry *entry;
	u64 block_offset;
	u32 block_bytes;
	struct mk_slot *slot;
	struct mk_ring *ring_in;
	struct mk_ring *ring_out;
	struct mk_logring *log;

	/* under lock */
	spinlock_t lock;
	struct mk_peer *peer;			/* of the last start, or NULL */
	enum mk_state state;
	enum mk_cause cause;
	bool stop_asked;			/* STOP, in this epoch */
	enum mk_cause end_asked;		/* why the end work runs */
	u64 change_seq;
	u64 change_ns, change_realtime_ns;
	u8 boot_id[MK_BOOT_ID_SIZE];
	u64 start_asked_ns;			/* under mk_lock */
	u64 created_ns, loaded_ns, started_ns, sipi_ns, alive_ns, ready_ns;
	u64 log_zero_ns;
	u64 ended_ns, cpus_back_ns, ended_realtime_ns;
	enum mk_state last_state;		/* of the last end; survives START */
	enum mk_cause last_cause;
	u64 last_ended_realtime_ns;
	u64 features;				/* that it had when it was alive */
	u32 nr_stuck;				/* while unresponsive */
	u32 stuck_cpu;

	struct mk_watch *watch;			/* beats seen; under mk_lock */
	u32 watchdog_ms;			/* under mk_lock */
	struct work_struct end_work;
	wait_queue_head_t changed;
};

extern struct mutex mk_lock;
extern struct list_head mk_instances;	/* by id */
extern struct workqueue_struct *mk_wq;

#define MK_HANDOFF_BYTES	0x40000		/* below its kernel */

/**
 * mk_refuse() - fill a refusal
 * @r: to fill, or NULL
 * @reason: enum mk_reason
 * @a: first number, as the reason says
 * @b: second number
 * @object: name of what was refused, or NULL
 */
void mk_refuse(struct mk_refusal *r, u32 reason, u64 a, u64 b,
	       const char *object);

/* carve.c */
extern u64 mk_pool_bytes;
bool mk_pool_early(void);
bool mk_pool_contains(u64 start, u64 end);
const struct mk_range *mk_pool_carved(u32 *ret_nr);

/* pool.c */
void mk_pool_stat(u64 *ret_free, u64 *ret_largest, u32 *ret_ranges);
int mk_pool_take(const struct mk_memory_part *parts, u32 nr_parts,
		 struct mk_range *ret, u32 max, u32 *ret_nr, bool *ret_clean,
		 struct mk_refusal *r);
void mk_pool_give(const struct mk_range *range, bool clean);
int mk_pool_list(struct mk_range **ret_ranges, u32 *ret_nr_ranges,
		 struct mk_range **ret_free, u32 *ret_nr_free);
int mk_scrub(u64 addr, u64 bytes);

/* region.c */
extern u64 mk_region_addr, mk_region_bytes;
extern struct mk_region_header *mk_region;
bool mk_region_param(u64 *ret_addr, u64 *ret_bytes);
void mk_region_param_drop(void);
int mk_region_param_parse(const char *s, u64 *ret_addr, u64 *ret_bytes);
int mk_parse_bytes(const char **s, u64 *ret);
int mk_region_add_instance(struct mk_instance *inst, struct mk_refusal *r);
void mk_region_remove_instance(struct mk_instance *inst);
int mk_region_start_epoch(struct mk_instance *inst);
u32 mk_region_epoch(u32 id);
u64 mk_region_take_pages(u32 pages, struct mk_refusal *r);
void mk_region_give_pages(u64 offset, u32 pages);
const char *mk_region_header_check(const struct mk_region_header *h,
				   u64 total);
const char *mk_region_entry_check(const struct mk_region_entry *e, u32 id,
				  u64 total);

/* state.c */
bool mk_state_is_end(enum mk_state state);
bool mk_state_has_cpus(enum mk_state state);
bool mk_state_may_become(enum mk_state from, enum mk_state to);
const char *mk_state_name(enum mk_state state);
const char *mk_cause_name(enum mk_cause cause);
bool mk_set_state(struct mk_instance *inst, enum mk_state to,
		  enum mk_cause cause);
enum mk_state mk_get_state(struct mk_instance *inst);

/* instance.c */
struct mk_instance *mk_instance_find(u32 id);
struct mk_instance *mk_instance_lookup(u32 id, struct mk_refusal *r);
int mk_lookup_errno(const struct mk_refusal *r);
void mk_instance_busy(struct mk_instance *inst);
void mk_instance_idle(struct mk_instance *inst);
struct mk_instance *mk_instance_get(u32 id);
struct mk_instance *mk_instance_by_name(const char *name);
struct mk_instance *mk_instance_after(u32 id);
void mk_instance_put(struct mk_instance *inst);
bool mk_name_valid(const char *name);
int mk_instance_create(const char *name, u32 *ret_id, struct mk_refusal *r);
int mk_instance_destroy(u32 id, struct mk_refusal *r);
int mk_instance_set_memory(u32 id, const struct mk_memory_part *parts, u32 nr,
			   struct mk_refusal *r);
int mk_instance_need_state(struct mk_instance *inst, u32 states,
			   struct mk_refusal *r);
int mk_instance_scrub(struct mk_instance *inst);
int mk_instance_need_quiet(struct mk_instance *inst, struct mk_refusal *r);

/* lend.c */
int mk_instance_set_cpus(u32 id, const u32 *cpus, u32 nr, u32 flags,
			 struct mk_refusal *r);
int mk_lend_return(struct mk_instance *inst, struct mk_refusal *r);
bool mk_lend_has(const struct mk_instance *inst);

/* load.c */
void mk_payload_free(struct mk_payload *payload);
const struct mk_image *mk_payload_image(const struct mk_payload *payload);

/* dtb.c */
int mk_dtb_check(const void *dtb, size_t bytes, const struct mk_instance *inst,
		 struct mk_refusal *r);

/* watch.c */
extern const u32 mk_watched_states;
int mk_watch_add(struct mk_instance *inst);
void mk_watch_remove(struct mk_instance *inst);
void mk_watch_begin(struct mk_instance *inst);
void mk_watch_clear(struct mk_watch *watch);
const struct mk_cpu *mk_beating_cpu(const struct mk_slot *slot,
				    const struct mk_cpu *cpus, u32 nr, u32 n);
u32 mk_watch_look(struct mk_watch *watch, const struct mk_slot *slot,
		  const struct mk_cpu *cpus, u32 nr, u32 passed_ms,
		  u32 timeout_ms, u32 *ret_cpu);
int mk_instance_set_watchdog(u32 id, u32 timeout_ms, struct mk_refusal *r);

/* events.c */
void mk_event_add(const struct mk_instance *inst);
void mk_events_wake(void);
bool mk_event_next(u64 seen, struct mk_event *ret);
int mk_open_events(struct mk_instance *inst);

/* dump.c */
bool mk_dump_inside(const struct mk_instance *inst, u64 addr, u64 bytes);
int mk_dump_notes(const struct mk_instance *inst, u8 *notes, u32 *ret_nr);
void mk_dump_facts(const struct mk_instance *inst, struct mk_dump *d);
int mk_instance_dump(struct mk_dump *d, struct mk_refusal *r);
int mk_open_memory(struct mk_instance *inst);

/* freeze.c */
void mk_save_registers(struct mk_instance *inst);
int mk_instance_freeze(u32 id, struct mk_refusal *r);
int mk_instance_thaw(u32 id, struct mk_refusal *r);

/* start.c */
int mk_instance_start(u32 id, void *dtb, size_t dtb_bytes, u32 *ret_epoch,
		      struct mk_refusal *r);
int mk_instance_stop(u32 id, struct mk_refusal *r);
int mk_instance_kill(u32 id, enum mk_cause cause, struct mk_refusal *r);
void mk_instance_end(struct mk_instance *inst, enum mk_cause cause);
int mk_boot_room(const struct mk_instance *inst, u64 span, u64 initrd_bytes,
		 struct mk_refusal *r);
u64 mk_boot_handoff(const struct mk_instance *inst);
void mk_end_work(struct work_struct *work);
void mk_kill_all(const char *why);

/* closing.c */
int mk_closing_check(struct mk_refusal *r);

/* message.c */
int mk_message_connect(struct mk_instance *inst);
void mk_message_end(struct mk_instance *inst);
void mk_message_disconnect(struct mk_instance *inst);
int mk_message_send(struct mk_instance *inst, u32 type);
ssize_t mk_message_counters(struct mk_instance *inst, char *buf);

/* cpumap.c */
u32 mk_cpu_map_bytes(void);
void mk_cpu_map_make(struct mk_region_cpu *cpus);
void mk_cpu_set_owner(u32 apicid, u32 owner);
void mk_cpu_map_join(const struct mk_region_cpu *cpus, u32 nr);

/* map.c */
void *mk_map_phys(u64 addr, u64 bytes, bool write);
void mk_unmap_phys(const void *p);

/* guest.c */
void mk_guest_end(enum mk_cause cause);
int mk_guest_notify_ready(void);
u32 mk_guest_epoch(u32 id);
bool mk_guest_pair_placed(u64 offset, u64 bytes);

/* beat.c, park.c */
int mk_beat_init(struct mk_slot *slot);
int mk_park_init(struct mk_slot *slot, const struct mk_region_entry *entry);
bool mk_park(struct pt_regs *regs);
bool mk_park_others(void);
bool mk_parked(u32 cpu);
void mk_park_end(struct pt_regs *regs);
void mk_park_panicked(struct pt_regs *own);

/* console.c */
void mk_console_early(struct mk_logring *log, size_t bytes, u32 epoch);
void mk_console_switch(struct mk_logring *log, size_t bytes, u32 epoch);
void mk_console_stop_early(void);

/* device.c, fd.c, show.c */
int mk_fd_open(struct mk_instance *inst, u32 kind);
void mk_show_add(struct mk_instance *inst);
void mk_show_remove(struct mk_instance *inst);
void mk_show_changed(struct mk_instance *inst);
void mk_show_add_peer(struct mk_peer *peer);
void mk_show_remove_peer(struct mk_peer *peer);

/* arch: what a port to another architecture has to provide */

/**
 * struct mk_boot - where things are in an instance's memory at START
 */
struct mk_boot {
	u64 handoff_addr;	/* MK_HANDOFF_BYTES, physical */
	void *handoff;		/* the same, mapped */
	u64 kernel_addr;	/* base of the image */
	u64 kernel_bytes;	/* with its bss */
	u64 entry;		/* physical address of its entry */
	bool moved;		/* its virtual address is a random one */
	u64 initrd_addr;
	u64 initrd_bytes;
	const char *cmdline;
	const void *dtb;
	u32 dtb_bytes;
	const struct mk_range *ranges;
	u32 nr_ranges;
};

#ifdef CONFIG_NUMA_MEMBLKS
#define MK_EARLY_RANGES		NR_NODE_MEMBLKS
#else
#define MK_EARLY_RANGES		1
#endif

/**
 * struct mk_early_nodes - NUMA nodes as Linux is going to number them
 * @known: with memory, processors or both
 * @nr_ranges: used
 * @range: memory by address; no two that touch are of one node
 */
struct mk_early_nodes {
	nodemask_t known;
	u32 nr_ranges;
	struct mk_range range[MK_EARLY_RANGES];
};

#ifdef CONFIG_ACPI_NUMA
const struct mk_early_nodes *mk_arch_early_nodes(void);
#else
static inline const struct mk_early_nodes *mk_arch_early_nodes(void)
{
	return NULL;
}
#endif

void mk_arch_want_early(void);	/* call mk_pool_early() before mapping RAM */
u64 mk_arch_start_page(void);
u32 mk_arch_max_lent(void);		/* start slots */
int mk_arch_hand_over(const struct mk_boot *boot);
void mk_arch_slots_set(const struct mk_cpu *cpus, u32 nr,
		       const struct mk_boot *boot);
void mk_arch_slots_clear(const struct mk_cpu *cpus, u32 nr);
int mk_arch_cpu_kick(u32 apicid);
void mk_arch_cpu_reset(const struct mk_cpu *cpus, u32 nr);
int mk_arch_doorbell(u32 apicid, u32 vector);
int mk_arch_nmi(u32 apicid);
int mk_arch_park_init(void);
u32 mk_arch_apicid(unsigned int cpu);
u32 mk_arch_core_shift(void);		/* low bits of an APIC id below the core */
u32 mk_arch_core(unsigned int cpu);	/* the same for SMT siblings only */
void mk_arch_shorthand_off(void);
void mk_arch_carve(u64 addr, u64 bytes);
bool mk_arch_is_reserved(u64 addr, u64 bytes);
void mk_arch_zero(void *p, u64 bytes);
u32 mk_arch_lapic_khz(void);
u32 mk_arch_tsc_khz(void);
u64 mk_arch_tsc(void);
u64 mk_arch_phys_base(void);
u64 mk_arch_text_phys(u64 text, u64 phys_base);
u64 mk_arch_tsc_to_ns(u64 cycles);
u32 mk_arch_vector(void);
bool mk_arch_confidential(void);
/* Memory type of pages that another kernel owns, as long as they are mapped */
int mk_arch_memtype_hold(u64 addr, u64 bytes);
void mk_arch_memtype_drop(u64 addr, u64 bytes);
bool mk_arch_memtype_tracking(void);

/**
 * struct mk_guest_info - what an instance read from its device tree
 */
struct mk_guest_info {
	u32 id;
	char name[MK_NAME_MAX];
	u64 region_addr, region_bytes;
	u64 start_page;
	u64 handoff_addr, handoff_bytes;
};
extern struct mk_guest_info mk_guest;
void mk_guest_early(void);

#endif /* _MULTIKERNEL_INTERNAL_H */

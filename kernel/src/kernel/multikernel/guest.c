// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instance's end: join the region, say that it is alive, listen to the host,
 * and say why it ends. How it beats is in beat.c, how it waits in park.c.
 *
 * mk_guest was filled by the architecture from the device tree, early. The
 * region is joined in two steps: the log ring through an early mapping, as soon
 * as there is one, so that the log holds the boot from its first lines; all
 * else from console_init() on, when vmalloc works. Only header and table
 * (read-only) and the instance's own block are ever mapped.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/reboot.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/uuid.h>
#include <linux/vmcore_info.h>
#include <asm/cmdline.h>
#include <asm/early_ioremap.h>
#include <asm/sections.h>
#include <asm/setup.h>

#include "internal.h"
#include "peer.h"

struct mk_guest_info mk_guest __ro_after_init;

static struct mk_region_entry mk_self __ro_after_init;
static struct mk_slot *mk_slot __ro_after_init;
static struct mk_region_header mk_header __ro_after_init;
static void *mk_early_log __initdata;

static struct mk_peer *mk_host __ro_after_init;
/* What the host writes for all, mapped read-only: header, table, CPUs */
static const void *mk_common __ro_after_init;

static size_t __init mk_log_bytes(void)
{
	return MK_LOGRING_HEADER_BYTES + mk_self.log_data_bytes;
}

/* What the command line says has to be what the device tree says. */
static const char *__init mk_check_param(void)
{
	u64 addr, bytes;
	char arg[64];

	if (cmdline_find_option(boot_command_line, "mk_shared_memory", arg,
				sizeof(arg)) <= 0)
		return "no mk_shared_memory= on the command line";
	if (mk_region_param_parse(arg, &addr, &bytes))
		return "mk_shared_memory= cannot be parsed";
	if (addr != mk_guest.region_addr || bytes != mk_guest.region_bytes)
		return "mk_shared_memory= and device tree disagree";
	return NULL;
}

/* Private copies of header and own table entry, checked. */
static const char *__init mk_read_region(void)
{
	const char *why;
	void *p;

	p = early_memremap_ro(mk_guest.region_addr, sizeof(mk_header));
	if (!p)
		return "cannot map the header";
	memcpy(&mk_header, p, sizeof(mk_header));
	early_memunmap(p, sizeof(mk_header));
	why = mk_region_header_check(&mk_header, mk_guest.region_bytes);
	if (why)
		return why;
	if (!mk_guest.id || mk_guest.id > mk_header.table_entries)
		return "no table entry for this instance id";
	p = early_memremap_ro(mk_guest.region_addr + mk_header.table_offset +
			      (mk_guest.id - 1) * sizeof(mk_self),
			      sizeof(mk_self));
	if (!p)
		return "cannot map the table";
	memcpy(&mk_self, p, sizeof(mk_self));
	early_memunmap(p, sizeof(mk_self));
	return mk_region_entry_check(&mk_self, mk_guest.id,
				     mk_guest.region_bytes);
}

static void __init mk_open_early_log(void)
{
	mk_early_log = early_memremap(mk_guest.region_addr +
				      mk_self.block_offset +
				      mk_self.log_offset, mk_log_bytes());
	if (mk_early_log)
		mk_console_early(mk_early_log, mk_log_bytes(), mk_self.epoch);
}

/* What this kernel and the host both have */
static bool mk_uses(u64 feature)
{
	return mk_header.features & MK_FEATURES & feature;
}

static void __init mk_say_refusal(const char *why)
{
	pr_err("not joining the shared memory: %s\n", why);
	if (mk_header.magic != MK_REGION_MAGIC)
		return;
	pr_err("the host has ABI version %u, features %#llx, needs %#llx; this kernel has version %u, features %#llx\n",
	       mk_header.abi_version, mk_header.features,
	       mk_header.features_needed, MK_ABI_VERSION, MK_FEATURES);
}

/**
 * mk_guest_early() - join the region as far as early mappings allow
 *
 * After this the kernel log goes to the host. A region that cannot be trusted
 * is left alone: the feature is off, and the host's boot timeout says so.
 */
void __init mk_guest_early(void)
{
	const char *why;

	why = mk_check_param() ?: mk_read_region();
	if (why) {
		mk_guest.region_addr = 0;
		mk_guest.region_bytes = 0;
		mk_say_refusal(why);
		return;
	}
	if (mk_uses(MK_FEATURE_LOG))
		mk_open_early_log();
	pr_info("instance %u '%s', start %u\n", mk_guest.id, mk_guest.name,
		mk_self.epoch);
}

static void *__init mk_map_block(void)
{
	u64 phys = mk_guest.region_addr + mk_self.block_offset;

	return memremap(phys, mk_self.block_bytes, MEMREMAP_WB);
}

static void __init mk_join_slot(void)
{
	mk_slot->abi_version = MK_ABI_VERSION;
	mk_slot->doorbell_apicid = mk_arch_apicid(smp_processor_id());
	mk_slot->doorbell_vector = mk_arch_vector();
	mk_slot->phys_base = mk_arch_phys_base();
	mk_slot->page_offset = PAGE_OFFSET;
	mk_slot->text = (u64)_text;
	mk_slot->text_bytes = _end - _text;
	mk_slot->features = mk_header.features & MK_FEATURES;
	/* The host looks at the rest once it sees its own epoch. */
	smp_store_release(&mk_slot->epoch, mk_self.epoch);
}

/* Header, table and CPUs lie in front of all blocks, in this order. */
static int __init mk_map_common(void)
{
	u64 bytes = mk_header.cpus_offset + (u64)mk_header.cpus_entries *
		    sizeof(struct mk_region_cpu);

	mk_common = mk_map_phys(mk_guest.region_addr,
				ALIGN(bytes, MK_REGION_PAGE), false);
	if (!mk_common)
		return -ENOMEM;
	mk_cpu_map_join(mk_common + mk_header.cpus_offset,
			mk_header.cpus_entries);
	return 0;
}

/** mk_guest_epoch() - number of another instance's last start */
u32 mk_guest_epoch(u32 id)
{
	const struct mk_region_entry *table;

	if (!id || id > mk_header.table_entries || !mk_common)
		return 0;
	table = mk_common + mk_header.table_offset;
	return READ_ONCE(table[id - 1].epoch);
}

/**
 * mk_guest_pair_placed() - may rings to another instance lie there?
 * @offset: from the region's start
 * @bytes: of them
 *
 * Whole pages, behind what the host writes for all, and not in this instance's
 * own block.
 */
bool mk_guest_pair_placed(u64 offset, u64 bytes)
{
	u64 common = mk_header.cpus_offset + (u64)mk_header.cpus_entries *
		     sizeof(struct mk_region_cpu);
	u64 block_end = mk_self.block_offset + mk_self.block_bytes;

	return offset % MK_REGION_PAGE == 0 && offset >= common &&
	       offset <= mk_guest.region_bytes &&
	       bytes <= mk_guest.region_bytes - offset &&
	       (offset >= block_end || offset + bytes <= mk_self.block_offset);
}

static int __init mk_join_host(void *block)
{
	struct mk_peer_setup setup = {
		.name = MK_PEER_HOST,
		.serial = mk_self.epoch,
		.tx = block + mk_self.ring_out_offset,
		.rx = block + mk_self.ring_in_offset,
		.bell_apicid = mk_header.host_apicid,
		.bell_vector = mk_header.host_vector,
	};

	if (mk_ring_check(setup.tx, mk_self.epoch) ||
	    mk_ring_check(setup.rx, mk_self.epoch)) {
		pr_err("the rings are not of this start\n");
		return -ESTALE;
	}
	mk_host = mk_peer_new(&setup);
	return mk_host ? 0 : -ENOMEM;
}

static int __init mk_join(void)
{
	void *block;
	int ret;

	/* By now the kernel knows what it takes for its own RAM. */
	if (region_intersects(mk_guest.region_addr, mk_guest.region_bytes,
			      IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
	    REGION_DISJOINT) {
		pr_err("the shared memory lies in this kernel's own RAM\n");
		return -EBUSY;
	}
	block = mk_map_block();
	if (!block)
		return -ENOMEM;
	ret = mk_map_common() ?: mk_join_host(block);
	if (ret) {
		memunmap(block);
		return ret;
	}
	mk_slot = block + mk_self.slot_offset;
	mk_join_slot();
	if (mk_uses(MK_FEATURE_LOG))
		mk_console_switch(block + mk_self.log_offset, mk_log_bytes(),
				  mk_self.epoch);
	return 0;
}

/* From console_init(): vmalloc works, the early mapping has had its time. */
static int __init mk_guest_map(void)
{
	int ret;

	if (!multikernel_is_instance() || !mk_guest.region_addr)
		return 0;
	ret = mk_join();
	if (ret) {
		pr_err("not joining the shared memory: %d\n", ret);
		mk_console_stop_early();
	}
	if (mk_early_log)
		early_memunmap(mk_early_log, mk_log_bytes());
	mk_early_log = NULL;
	return ret;
}
console_initcall(mk_guest_map);

static void mk_ring_host(void)
{
	mk_arch_doorbell(mk_header.host_apicid, mk_header.host_vector);
}

static int mk_tell_host(u32 type)
{
	struct mk_msg_head head = { .kind = MK_KIND_CONTROL, .type = type };

	return mk_peer_send(mk_host, &head, NULL, 0);
}

static void mk_on_stop(struct mk_peer *peer, const struct mk_msg *msg)
{
	pr_info("the host asks this kernel to stop\n");
	orderly_poweroff(true);
}

static const struct mk_control mk_guest_controls[] = {
	{ .type = MK_MSG_STOP, .fn = mk_on_stop },
	{ }
};

/*
 * A CPU that beats promises to answer NMIs, so that comes first. Without either
 * an instance still does its work: the host just knows less of it.
 */
static void __init mk_health_init(void)
{
	const struct mk_region_entry *table = mk_common +
					      mk_header.table_offset;

	if (mk_uses(MK_FEATURE_PARK) &&
	    mk_park_init(mk_slot, &table[mk_guest.id - 1])) {
		pr_err("cannot answer the host's NMIs\n");
		return;
	}
	if (mk_uses(MK_FEATURE_BEATS) && mk_beat_init(mk_slot))
		pr_err("no heartbeats\n");
}

static int __init mk_guest_init(void)
{
	if (!mk_slot)
		return 0;
	mk_health_init();
	mk_control_add(mk_guest_controls);
	mk_peer_up(mk_host);
	mk_peer_announce(mk_host);
	return 0;
}
subsys_initcall(mk_guest_init);

#ifdef CONFIG_VMCORE_INFO
/* It is made in a subsys_initcall. */
static int __init mk_tell_vmcoreinfo(void)
{
	if (!mk_slot)
		return 0;
	WRITE_ONCE(mk_slot->vmcoreinfo_bytes, VMCOREINFO_NOTE_SIZE);
	WRITE_ONCE(mk_slot->vmcoreinfo, paddr_vmcoreinfo_note());
	return 0;
}
subsys_initcall_sync(mk_tell_vmcoreinfo);
#endif

/**
 * multikernel_alive() - PID 1 has been started
 *
 * What "running" means to the host: said by the kernel, so that any initramfs
 * will do.
 */
void multikernel_alive(void)
{
	u8 id[UUID_SIZE];

	if (!mk_slot || mk_slot->alive_tsc)
		return;
	get_boot_id(id);
	memcpy(mk_slot->boot_id, id, sizeof(mk_slot->boot_id));
	mk_slot->nr_cpus = num_online_cpus();
	WRITE_ONCE(mk_slot->alive_clock_ns, local_clock());
	WRITE_ONCE(mk_slot->alive_tsc, mk_arch_tsc());
	if (mk_tell_host(MK_MSG_ALIVE))
		pr_err("cannot tell the host that this kernel is alive\n");
}

/** mk_guest_notify_ready() - user space is up; 0, -ENXIO or -EAGAIN */
int mk_guest_notify_ready(void)
{
	if (!mk_slot)
		return -ENXIO;
	if (!mk_slot->ready_tsc)
		WRITE_ONCE(mk_slot->ready_tsc, mk_arch_tsc());
	return mk_tell_host(MK_MSG_READY);
}

/**
 * mk_guest_end() - tell the host that this kernel ends
 * @cause: MK_CAUSE_POWEROFF, _HALT, _REBOOT or _PANIC
 *
 * Takes no lock: it may run in the panic of a CPU that holds any of them. The
 * first cause stays.
 */
void mk_guest_end(enum mk_cause cause)
{
	if (!mk_slot)
		return;
	if (!READ_ONCE(mk_slot->end_cause))
		WRITE_ONCE(mk_slot->end_cause, cause);
	/* The cause is there before the host is rung. */
	smp_mb();
	mk_ring_host();
}

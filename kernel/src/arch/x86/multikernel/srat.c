// SPDX-License-Identifier: GPL-2.0-only
/*
 * NUMA nodes before Linux knows of any.
 *
 * mk_pool=SIZE@nodeN is carved out before RAM is mapped, but Linux reads the
 * SRAT (ACPI specification, "System Resource Affinity Table") only later. So it
 * is found and read here too. Firmware speaks of proximity domains; Linux
 * numbers its nodes in the order in which it first meets a domain: the enabled
 * processors of the table, then its memory (acpi_numa_init()). The same is done
 * here, and mk_pool_init() compares when Linux has its own numbers.
 *
 * Where Linux would give up the table, so does this: then all is node 0.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/nodemask.h>
#include <linux/overflow.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <asm/apic.h>
#include <asm/early_ioremap.h>
#include <asm/fixmap.h>
#include <asm/numa.h>

#include "srat.h"

/* What early_memremap() maps at once, wherever in its page it begins */
#define MK_TABLE_MAX	((NR_FIX_BTMAPS - 1) * PAGE_SIZE)
#define MK_NO_NODE	0xffff
#define MK_FLAT_APICID	0xfe	/* the largest without x2APIC */

/* The node of a proximity domain, a new one if it is new; -ERANGE: too many. */
static int mk_srat_node(struct mk_srat *s, u32 pxm)
{
	if (pxm >= MAX_PXM_DOMAINS)
		return -ERANGE;
	if (s->node_of[pxm] == MK_NO_NODE) {
		if (s->nr_nodes == MAX_NUMNODES)
			return -ERANGE;
		s->node_of[pxm] = s->nr_nodes++;
		node_set(s->node_of[pxm], s->nodes.known);
	}
	return s->node_of[pxm];
}

static int mk_srat_cpu(struct mk_srat *s, const void *entry, u32 len)
{
	const struct acpi_srat_cpu_affinity *cpu = entry;
	u32 pxm;

	if (len != sizeof(*cpu))
		return -EINVAL;
	if (!(cpu->flags & ACPI_SRAT_CPU_ENABLED))
		return 0;
	pxm = cpu->proximity_domain_lo;
	if (s->revision >= 2)
		pxm |= cpu->proximity_domain_hi[0] << 8 |
		       cpu->proximity_domain_hi[1] << 16 |
		       (u32)cpu->proximity_domain_hi[2] << 24;
	return min(mk_srat_node(s, pxm), 0);
}

static int mk_srat_x2apic(struct mk_srat *s, const void *entry, u32 len)
{
	const struct acpi_srat_x2apic_cpu_affinity *cpu = entry;

	if (len < sizeof(*cpu))
		return -EINVAL;
	if (!(cpu->flags & ACPI_SRAT_CPU_ENABLED) ||
	    cpu->apic_id > s->max_apicid)
		return 0;
	return min(mk_srat_node(s, cpu->proximity_domain), 0);
}

/* 1: Linux looks no further in this walk */
static int mk_srat_generic(struct mk_srat *s, const void *entry, u32 len)
{
	const struct acpi_srat_generic_affinity *gi = entry;

	if (len < sizeof(*gi))
		return -EINVAL;
	if (!(gi->flags & ACPI_SRAT_GENERIC_AFFINITY_ENABLED))
		return 1;
	return mk_srat_node(s, gi->proximity_domain) < 0;
}

/* What has a node in Linux beside memory: processors and such */
static int mk_srat_initiator(struct mk_srat *s, const void *entry, u32 type,
			     u32 len)
{
	switch (type) {
	case ACPI_SRAT_TYPE_CPU_AFFINITY:
		return mk_srat_cpu(s, entry, len);
	case ACPI_SRAT_TYPE_X2APIC_CPU_AFFINITY:
		return mk_srat_x2apic(s, entry, len);
	case ACPI_SRAT_TYPE_GENERIC_AFFINITY:
		return mk_srat_generic(s, entry, len);
	default:
		return 0;
	}
}

static int mk_srat_memory(struct mk_srat *s, const void *entry, u32 type,
			  u32 len)
{
	const struct acpi_srat_mem_affinity *mem = entry;
	struct mk_early_nodes *nodes = &s->nodes;
	u32 pxm;
	u64 end;
	int node;

	if (type != ACPI_SRAT_TYPE_MEMORY_AFFINITY)
		return 0;
	if (len < sizeof(*mem))
		return -EINVAL;
	if (!(mem->flags & ACPI_SRAT_MEM_ENABLED))
		return 0;
	pxm = mem->proximity_domain;
	node = mk_srat_node(s, s->revision <= 1 ? pxm & 0xff : pxm);
	if (node < 0)
		return node;
	if (!mem->length ||
	    check_add_overflow(mem->base_address, mem->length, &end))
		return 0;
	if (nodes->nr_ranges == MK_EARLY_RANGES)
		return -E2BIG;
	nodes->range[nodes->nr_ranges++] = (struct mk_range){
		.addr = mem->base_address,
		.bytes = mem->length,
		.node = node,
	};
	return 0;
}

/* Show @look every entry, until it does not return 0. */
static int mk_srat_walk(struct mk_srat *s, const void *table, u32 bytes,
			int (*look)(struct mk_srat *s, const void *entry,
				    u32 type, u32 len))
{
	const struct acpi_subtable_header *h;
	u32 at = sizeof(struct acpi_table_srat);
	int ret = 0;

	for (; !ret && at + sizeof(*h) < bytes; at += h->length) {
		h = table + at;
		if (h->length < sizeof(*h) || h->length > bytes - at)
			return -EINVAL;
		ret = look(s, h, h->type, h->length);
	}
	return min(ret, 0);
}

static int mk_compare_ranges(const void *a, const void *b)
{
	const struct mk_range *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* Sorted, and what touches and is of one node is one. False: nodes overlap. */
static bool mk_srat_merge(struct mk_early_nodes *nodes)
{
	struct mk_range *range = nodes->range;
	u64 end;
	u32 i, n = 0;

	sort(range, nodes->nr_ranges, sizeof(*range), mk_compare_ranges, NULL);
	for (i = 1; i < nodes->nr_ranges; i++) {
		end = range[n].addr + range[n].bytes;
		if (range[i].addr > end || (range[i].node != range[n].node &&
					    range[i].addr == end)) {
			range[++n] = range[i];
			continue;
		}
		if (range[i].node != range[n].node)
			return false;
		end = max(end, range[i].addr + range[i].bytes);
		range[n].bytes = end - range[n].addr;
	}
	nodes->nr_ranges = n + 1;
	return true;
}

static u8 mk_sum(const u8 *p, u32 bytes)
{
	u8 sum = 0;

	while (bytes--)
		sum += *p++;
	return sum;
}

/**
 * mk_srat_parse() - read a SRAT
 * @s: to fill; of no use on failure
 * @table: all of it
 * @bytes: its size
 * @max_apicid: see struct mk_srat
 *
 * Return: NULL, or what is wrong with the table.
 */
const char *mk_srat_parse(struct mk_srat *s, const void *table, u32 bytes,
			  u32 max_apicid)
{
	const struct acpi_table_header *header = table;
	int ret;

	if (bytes < sizeof(struct acpi_table_srat) || header->length != bytes)
		return "it is cut short";
	if (mk_sum(table, bytes))
		return "its checksum is wrong";
	memset(s, 0, sizeof(*s));
	memset(s->node_of, 0xff, sizeof(s->node_of));
	s->max_apicid = max_apicid;
	s->revision = header->revision;
	ret = mk_srat_walk(s, table, bytes, mk_srat_initiator) ?:
	      mk_srat_walk(s, table, bytes, mk_srat_memory);
	if (ret == -EINVAL)
		return "an entry has a bad length";
	if (ret)
		return "it has too many nodes or ranges";
	if (!s->nodes.nr_ranges)
		return "it lists no memory";
	if (!mk_srat_merge(&s->nodes))
		return "memory of two nodes overlaps";
	return NULL;
}

/* Finding it. Addresses come from firmware: nothing is mapped unchecked. */

static void __init *mk_table_map(u64 addr, u32 bytes)
{
	if (!addr || bytes > MK_TABLE_MAX ||
	    addr > BIT_ULL(boot_cpu_data.x86_phys_bits) - bytes)
		return NULL;
	return early_memremap(addr, bytes);
}

static bool __init mk_table_read(u64 addr, void *to, u32 bytes)
{
	void *p = mk_table_map(addr, bytes);

	if (!p)
		return false;
	memcpy(to, p, bytes);
	early_memunmap(p, bytes);
	return true;
}

/* XSDT or RSDT; @ret_width is the size of its addresses. */
static u64 __init mk_root_table(u32 *ret_width)
{
	const u32 old_bytes = offsetof(struct acpi_table_rsdp, length);
	struct acpi_table_rsdp rsdp = { };
	u64 addr = acpi_os_get_root_pointer();

	if (!mk_table_read(addr, &rsdp, old_bytes) ||
	    memcmp(rsdp.signature, ACPI_SIG_RSDP, sizeof(rsdp.signature)) ||
	    mk_sum((u8 *)&rsdp, old_bytes))
		return 0;
	if (rsdp.revision >= 2 && mk_table_read(addr, &rsdp, sizeof(rsdp)) &&
	    !mk_sum((u8 *)&rsdp, sizeof(rsdp)) &&
	    rsdp.xsdt_physical_address) {
		*ret_width = sizeof(u64);
		return rsdp.xsdt_physical_address;
	}
	*ret_width = sizeof(u32);
	return rsdp.rsdt_physical_address;
}

static bool __init mk_is_srat(u64 addr, u32 *ret_bytes)
{
	struct acpi_table_header header;

	if (!mk_table_read(addr, &header, sizeof(header)) ||
	    memcmp(header.signature, ACPI_SIG_SRAT, sizeof(header.signature)))
		return false;
	*ret_bytes = header.length;
	return true;
}

/* The address and size of the first SRAT in a root table that is mapped. */
static u64 __init mk_search_root(const void *root, u32 bytes, u32 width,
				 u32 *ret_bytes)
{
	u32 at = sizeof(struct acpi_table_header);
	u64 addr = 0;

	for (; at + width <= bytes; at += width) {
		memcpy(&addr, root + at, width);
		if (mk_is_srat(addr, ret_bytes))
			return addr;
	}
	return 0;
}

static u64 __init mk_find_srat(u32 *ret_bytes)
{
	struct acpi_table_header header;
	u64 addr = 0, root_addr;
	u32 width;
	void *root;

	root_addr = mk_root_table(&width);
	if (!mk_table_read(root_addr, &header, sizeof(header)))
		return 0;
	root = mk_table_map(root_addr, header.length);
	if (!root)
		return 0;
	if (!mk_sum(root, header.length))
		addr = mk_search_root(root, header.length, width, ret_bytes);
	early_memunmap(root, header.length);
	return addr;
}

static struct mk_srat mk_srat __initdata;

static const char *__init mk_srat_read(void)
{
	u32 bytes, max_apicid = x2apic_enabled() ? U32_MAX : MK_FLAT_APICID;
	const char *why;
	void *table;
	u64 addr;

	if (acpi_disabled || numa_off || srat_disabled())
		return "NUMA is off";
	addr = mk_find_srat(&bytes);
	if (!addr)
		return "there is none";
	table = mk_table_map(addr, bytes);
	if (!table)
		return "it is too large";
	why = mk_srat_parse(&mk_srat, table, bytes, max_apicid);
	early_memunmap(table, bytes);
	return why;
}

/**
 * mk_arch_early_nodes() - the NUMA nodes that Linux is going to find
 *
 * To be called once, before memory is mapped. Return: NULL where Linux will
 * have node 0 only.
 */
const struct mk_early_nodes *__init mk_arch_early_nodes(void)
{
	const char *why = mk_srat_read();

	if (!why)
		return &mk_srat.nodes;
	pr_info("no NUMA nodes from the SRAT: %s\n", why);
	return NULL;
}

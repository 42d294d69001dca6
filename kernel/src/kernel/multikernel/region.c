// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shared region, seen by its maker: where it lies, its header and table,
 * and the block that each instance gets of it. Also the checks by which a
 * joiner decides whether to believe a header (used by guest.c and KUnit).
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/bitmap.h>
#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kstrtox.h>
#include <linux/overflow.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"

#define PAGES(bytes)	DIV_ROUND_UP(bytes, MK_REGION_PAGE)
#define WHOLE_PAGES(bytes) (PAGES(bytes) * MK_REGION_PAGE)

u64 mk_region_addr, mk_region_bytes;
struct mk_region_header *mk_region;

static u64 mk_param_addr, mk_param_bytes;
static bool mk_param_given, mk_param_refused;
static unsigned long *mk_region_pages;	/* bitmap: pages given to blocks */

/** mk_parse_bytes() - memparse() that refuses what does not fit */
int mk_parse_bytes(const char **s, u64 *ret)
{
	static const char suffixes[] = "kmgtpe";
	const char *suffix;
	char digits[32];
	char *end;
	size_t len;

	if (**s < '0' || **s > '9')
		return -EINVAL;
	/* Only to find the end: it does not tell an overflow. */
	simple_strtoull(*s, &end, 0);
	len = end - *s;
	if (len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, *s, len);
	digits[len] = '\0';
	if (kstrtou64(digits, 0, ret))
		return -EINVAL;
	suffix = *end ? strchr(suffixes, tolower(*end)) : NULL;
	if (suffix && check_shl_overflow(*ret, 10 * (suffix - suffixes + 1),
					 ret))
		return -EINVAL;
	*s = suffix ? end + 1 : end;
	return 0;
}

/**
 * mk_region_param_parse() - parse SIZE[@ADDR] or a bare ADDR
 * @s: as after "mk_shared_memory="
 * @ret_addr: physical address, 0 for anywhere
 * @ret_bytes: size, 0 for the default
 *
 * A bare number is a size up to 1 GiB and an address above it: the published
 * interface had only the address. Return: 0 or -EINVAL.
 */
int mk_region_param_parse(const char *s, u64 *ret_addr, u64 *ret_bytes)
{
	u64 bytes, end, addr = 0;

	if (!s || mk_parse_bytes(&s, &bytes))
		return -EINVAL;
	if (*s == '@') {
		s++;
		if (mk_parse_bytes(&s, &addr) || !addr)
			return -EINVAL;
	}
	if ((u8)*s > ' ')
		return -EINVAL;
	if (!addr && bytes > SZ_1G) {
		addr = bytes;
		bytes = 0;
	} else if (bytes < MK_REGION_MIN || bytes > SZ_1G) {
		return -EINVAL;
	}
	if ((addr | bytes) % MK_REGION_PAGE ||
	    check_add_overflow(addr, bytes ?: MK_REGION_DEFAULT, &end))
		return -EINVAL;
	*ret_addr = addr;
	*ret_bytes = bytes;
	return 0;
}

static int __init mk_shared_memory_param(char *s)
{
	if (mk_region_param_parse(s, &mk_param_addr, &mk_param_bytes)) {
		pr_err("mk_shared_memory=%s refused: not SIZE[@ADDR] with a page-aligned address and a size of 1M to 1G\n",
		       s ?: "");
		return -EINVAL;
	}
	mk_param_given = true;
	mk_arch_want_early();
	return 0;
}
early_param("mk_shared_memory", mk_shared_memory_param);

/** mk_region_param_drop() - the address cannot be had: no region, then */
void __init mk_region_param_drop(void)
{
	mk_param_given = false;
	mk_param_refused = true;
}

/** mk_region_param() - what mk_shared_memory= said; false if it was not given */
bool mk_region_param(u64 *ret_addr, u64 *ret_bytes)
{
	*ret_addr = mk_param_given ? mk_param_addr : 0;
	*ret_bytes = mk_param_given ? mk_param_bytes : 0;
	return mk_param_given;
}

/*
 * Joiner's checks. They look at a private copy and return what is wrong with
 * it, or NULL.
 */
const char *mk_region_header_check(const struct mk_region_header *h, u64 total)
{
	u64 table;

	if (h->magic != MK_REGION_MAGIC)
		return "no magic: not a region, or its maker has not finished";
	if (h->abi_version != MK_ABI_VERSION)
		return "another ABI version";
	if (h->header_bytes < sizeof(*h))
		return "header too small";
	if (h->entry_bytes != sizeof(struct mk_region_entry))
		return "table entries of another size";
	if (h->features_needed & ~MK_FEATURES)
		return "it needs features that this kernel does not have";
	if (h->total_bytes != total)
		return "size disagrees with mk_shared_memory=";
	if (!h->table_entries || h->table_entries > MK_MAX_INSTANCES)
		return "impossible number of table entries";
	table = (u64)h->table_entries * h->entry_bytes;
	if (h->table_offset < h->header_bytes ||
	    (u64)h->table_offset + table > total)
		return "table outside the region";
	if (!h->cpus_entries || h->cpus_offset % MK_REGION_PAGE ||
	    h->cpus_offset < h->header_bytes ||
	    h->cpus_offset + (u64)h->cpus_entries *
			     sizeof(struct mk_region_cpu) > total)
		return "list of CPUs outside the region";
	return NULL;
}

static bool mk_in_block(const struct mk_region_entry *e, u32 offset, u64 bytes)
{
	return offset % MK_REGION_PAGE == 0 && offset + bytes <= e->block_bytes;
}

const char *mk_region_entry_check(const struct mk_region_entry *e, u32 id,
				  u64 total)
{
	if (e->id != id)
		return "table entry of another instance";
	if (!e->block_offset || e->block_offset % MK_REGION_PAGE ||
	    e->block_bytes % MK_REGION_PAGE || e->block_offset > total ||
	    e->block_bytes > total - e->block_offset)
		return "block outside the region";
	if (!is_power_of_2(e->log_data_bytes) ||
	    e->log_data_bytes < MK_REGION_PAGE)
		return "impossible size of the log ring";
	if (!mk_in_block(e, e->slot_offset, sizeof(struct mk_slot)) ||
	    !mk_in_block(e, e->ring_in_offset, sizeof(struct mk_ring)) ||
	    !mk_in_block(e, e->ring_out_offset, sizeof(struct mk_ring)) ||
	    !mk_in_block(e, e->log_offset, sizeof(struct mk_logring)) ||
	    !mk_in_block(e, e->log_offset,
			 (u64)MK_LOGRING_HEADER_BYTES + e->log_data_bytes))
		return "part of the block outside it";
	return NULL;
}

static struct resource mk_region_resource = {
	.name = "Multikernel Shared Memory",
	.flags = IORESOURCE_MEM | IORESOURCE_BUSY | IORESOURCE_EXCLUSIVE,
};

static void mk_region_format(void)
{
	u32 table_bytes = MK_MAX_INSTANCES * sizeof(struct mk_region_entry);
	u32 cpus_offset = MK_REGION_PAGE + WHOLE_PAGES(table_bytes);
	u32 pages = PAGES(cpus_offset + mk_cpu_map_bytes());

	memset(mk_region, 0, pages * MK_REGION_PAGE);
	mk_region->abi_version = MK_ABI_VERSION;
	mk_region->header_bytes = sizeof(*mk_region);
	mk_region->total_bytes = mk_region_bytes;
	mk_region->features = MK_FEATURES;
	mk_region->features_needed = MK_FEATURES_NEEDED;
	mk_region->generation = get_random_u64();
	mk_region->table_offset = MK_REGION_PAGE;
	mk_region->table_entries = MK_MAX_INSTANCES;
	mk_region->entry_bytes = sizeof(struct mk_region_entry);
	mk_region->host_apicid = mk_arch_apicid(0);
	mk_region->host_vector = mk_arch_vector();
	mk_region->cpus_offset = cpus_offset;
	mk_region->cpus_entries = mk_cpu_map_bytes() /
				  sizeof(struct mk_region_cpu);
	mk_cpu_map_make((void *)mk_region + cpus_offset);
	bitmap_set(mk_region_pages, 0, pages);
	/* Joiners believe the rest as soon as they see the magic. */
	smp_store_release(&mk_region->magic, MK_REGION_MAGIC);
}

/* The region lies in the pool: at the given address, or wherever there is room. */
static int mk_region_place(void)
{
	struct mk_memory_part part = { .node = MK_NODE_ANY };
	struct mk_range range;
	bool clean;
	u32 nr;
	int ret;

	if (mk_param_refused)
		return -EBUSY;
	mk_region_bytes = mk_param_bytes ?: MK_REGION_DEFAULT;
	part.bytes = ALIGN(mk_region_bytes, MK_MEMORY_ALIGN);
	if (mk_param_addr) {
		mk_region_addr = mk_param_addr;
		return 0;
	}
	ret = mk_pool_take(&part, 1, &range, 1, &nr, &clean, NULL);
	if (!ret)
		mk_region_addr = range.addr;
	return ret;
}

/** mk_region_init() - make the region (host, once the pool is there) */
static int __init mk_region_init(void)
{
	int ret;

	if (!multikernel_is_host())
		return 0;
	mutex_lock(&mk_lock);
	ret = mk_region_place();
	mutex_unlock(&mk_lock);
	if (ret)
		goto fail;
	ret = -ENOMEM;
	mk_region_pages = bitmap_zalloc(mk_region_bytes / MK_REGION_PAGE,
					GFP_KERNEL);
	if (!mk_region_pages)
		goto fail;
	mk_region = memremap(mk_region_addr, mk_region_bytes, MEMREMAP_WB);
	if (!mk_region)
		goto fail_free;
	mk_region_format();
	mk_region_resource.start = mk_region_addr;
	mk_region_resource.end = mk_region_addr + mk_region_bytes - 1;
	ret = insert_resource(&iomem_resource, &mk_region_resource);
	if (ret)
		pr_warn("shared memory is not in /proc/iomem: %d\n", ret);
	pr_info("shared memory: %llu KiB at %#llx\n", mk_region_bytes >> 10,
		mk_region_addr);
	return 0;

fail_free:
	bitmap_free(mk_region_pages);
fail:
	pr_err("no shared memory: %d; no instance can be created\n", ret);
	mk_region_addr = 0;
	mk_region_bytes = 0;
	return ret;
}
subsys_initcall_sync(mk_region_init);

/* Cuts the block of @inst into its parts; returns the size of the whole. */
static u32 mk_block_layout(struct mk_region_entry *e)
{
	u32 at = 0;

	e->slot_offset = at;
	at += WHOLE_PAGES(sizeof(struct mk_slot));
	e->ring_in_offset = at;
	at += WHOLE_PAGES(sizeof(struct mk_ring));
	e->ring_out_offset = at;
	at += WHOLE_PAGES(sizeof(struct mk_ring));
	e->log_offset = at;
	e->log_data_bytes = MK_LOG_DATA_BYTES;
	at += WHOLE_PAGES(MK_LOGRING_HEADER_BYTES + MK_LOG_DATA_BYTES);
	return at;
}

static struct mk_region_entry *mk_region_entry(u32 id)
{
	void *table = (void *)mk_region + MK_REGION_PAGE;

	return (struct mk_region_entry *)table + (id - 1);
}

static u64 mk_region_free_bytes(void)
{
	unsigned long pages = mk_region_bytes / MK_REGION_PAGE;

	return (u64)(pages - bitmap_weight(mk_region_pages, pages)) *
		MK_REGION_PAGE;
}

/**
 * mk_region_take_pages() - so many pages in a row; under mk_lock
 * @pages: how many
 * @r: why not, on failure
 *
 * Return: where, from the region's start, or 0.
 */
u64 mk_region_take_pages(u32 pages, struct mk_refusal *r)
{
	unsigned long all = mk_region_bytes / MK_REGION_PAGE;
	unsigned long page;

	lockdep_assert_held(&mk_lock);
	page = bitmap_find_next_zero_area(mk_region_pages, all, 0, pages, 0);
	if (page >= all) {
		mk_refuse(r, MK_REASON_REGION_FULL,
			  (u64)pages * MK_REGION_PAGE, mk_region_free_bytes(),
			  NULL);
		return 0;
	}
	bitmap_set(mk_region_pages, page, pages);
	return (u64)page * MK_REGION_PAGE;
}

/** mk_region_give_pages() - what mk_region_take_pages() gave; under mk_lock */
void mk_region_give_pages(u64 offset, u32 pages)
{
	lockdep_assert_held(&mk_lock);
	bitmap_clear(mk_region_pages, offset / MK_REGION_PAGE, pages);
}

/**
 * mk_region_add_instance() - give an instance its block and table entry
 * @inst: instance with id and name
 * @r: why not, on failure
 *
 * The caller holds mk_lock. Return: 0, -ENXIO or -ENOSPC.
 */
int mk_region_add_instance(struct mk_instance *inst, struct mk_refusal *r)
{
	struct mk_region_entry e = { .id = inst->id };
	unsigned long pages, page;
	void *block;

	if (!mk_region) {
		mk_refuse(r, MK_REASON_NO_REGION, 0, 0, NULL);
		return -ENXIO;
	}
	e.block_bytes = mk_block_layout(&e);
	pages = mk_region_bytes / MK_REGION_PAGE;
	page = bitmap_find_next_zero_area(mk_region_pages, pages, 0,
					  PAGES(e.block_bytes), 0);
	if (page >= pages) {
		mk_refuse(r, MK_REASON_REGION_FULL, e.block_bytes,
			  mk_region_free_bytes(), inst->name);
		return -ENOSPC;
	}
	bitmap_set(mk_region_pages, page, PAGES(e.block_bytes));
	e.block_offset = (u64)page * MK_REGION_PAGE;
	strscpy(e.name, inst->name, sizeof(e.name));

	block = (void *)mk_region + e.block_offset;
	memset(block, 0, e.block_bytes);
	inst->block_offset = e.block_offset;
	inst->block_bytes = e.block_bytes;
	inst->slot = block + e.slot_offset;
	inst->ring_in = block + e.ring_in_offset;
	inst->ring_out = block + e.ring_out_offset;
	inst->log = block + e.log_offset;
	inst->entry = mk_region_entry(inst->id);
	*inst->entry = e;
	return 0;
}

/** mk_region_remove_instance() - take the block back, with all that is in it */
void mk_region_remove_instance(struct mk_instance *inst)
{
	if (!inst->entry)
		return;
	memset(inst->entry, 0, sizeof(*inst->entry));
	inst->entry = NULL;
	memset((void *)mk_region + inst->block_offset, 0, inst->block_bytes);
	bitmap_clear(mk_region_pages, inst->block_offset / MK_REGION_PAGE,
		     PAGES(inst->block_bytes));
}

/** mk_region_epoch() - number of an instance's last start; on the host only */
u32 mk_region_epoch(u32 id)
{
	if (!id || id > MK_MAX_INSTANCES || !mk_region)
		return 0;
	return READ_ONCE(mk_region_entry(id)->epoch);
}

/**
 * mk_region_start_epoch() - make the block ready for a new start
 * @inst: instance whose epoch was counted up; none of its CPUs runs
 *
 * A new epoch never sees the messages of an old one. Return: 0 or -EINVAL.
 */
int mk_region_start_epoch(struct mk_instance *inst)
{
	int ret;

	memset(inst->slot, 0, sizeof(*inst->slot));
	WRITE_ONCE(inst->entry->request, MK_REQUEST_NONE);
	mk_ring_format(inst->ring_in, inst->epoch);
	mk_ring_format(inst->ring_out, inst->epoch);
	ret = mk_logring_format(inst->log, MK_LOG_DATA_BYTES, inst->epoch);
	if (!ret)
		WRITE_ONCE(inst->entry->epoch, inst->epoch);
	return ret;
}

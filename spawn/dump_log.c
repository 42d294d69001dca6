// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel log in a dump.
 *
 * Since Linux 5.10 printk keeps records in a ring of descriptors, each with a
 * block of text in a second ring (kernel/printk/printk_ringbuffer.h). Where
 * they are and where their members lie is in VMCOREINFO. A descriptor's state
 * word says which record it holds and how far that is; head_id and tail_id
 * count the records. Any of it may have been overwritten by whatever killed
 * the kernel: sizes are bounded, and records that do not fit are left out.
 */
#include <string.h>

#include "dump_log.h"

#define COUNT_BITS_MAX	22	/* of descriptors; Linux: log_buf_len / 32 */
#define SIZE_BITS_MAX	31	/* of text: LOG_BUF_LEN_MAX */
#define STRUCT_MAX	4096	/* bytes of any of the structs */

#define STATE_SHIFT	62
#define STATE_COMMITTED	1	/* may still be continued */
#define STATE_FINALIZED	2
#define ID_MASK		((1ULL << STATE_SHIFT) - 1)
#define NO_DATA		1ULL	/* in a position: there is no block */
#define EMPTY_LINE	3ULL	/* because there is no text */

/**
 * struct layout - sizes and offsets, as VMCOREINFO tells them
 */
struct layout {
	uint64_t rb_desc_ring, rb_text_ring, rb_size;
	uint64_t dr_count_bits, dr_descs, dr_infos, dr_head_id, dr_tail_id;
	uint64_t desc_size, desc_state, desc_lpos, lpos_begin, lpos_next;
	uint64_t info_size, info_seq, info_ts, info_len;
	uint64_t tr_size_bits, tr_data;
	uint64_t counter;
};

static const struct {
	const char *key;
	size_t member;
} keys[] = {
	{ "OFFSET(printk_ringbuffer.desc_ring)", offsetof(struct layout, rb_desc_ring) },
	{ "OFFSET(printk_ringbuffer.text_data_ring)", offsetof(struct layout, rb_text_ring) },
	{ "SIZE(printk_ringbuffer)", offsetof(struct layout, rb_size) },
	{ "OFFSET(prb_desc_ring.count_bits)", offsetof(struct layout, dr_count_bits) },
	{ "OFFSET(prb_desc_ring.descs)", offsetof(struct layout, dr_descs) },
	{ "OFFSET(prb_desc_ring.infos)", offsetof(struct layout, dr_infos) },
	{ "OFFSET(prb_desc_ring.head_id)", offsetof(struct layout, dr_head_id) },
	{ "OFFSET(prb_desc_ring.tail_id)", offsetof(struct layout, dr_tail_id) },
	{ "SIZE(prb_desc)", offsetof(struct layout, desc_size) },
	{ "OFFSET(prb_desc.state_var)", offsetof(struct layout, desc_state) },
	{ "OFFSET(prb_desc.text_blk_lpos)", offsetof(struct layout, desc_lpos) },
	{ "OFFSET(prb_data_blk_lpos.begin)", offsetof(struct layout, lpos_begin) },
	{ "OFFSET(prb_data_blk_lpos.next)", offsetof(struct layout, lpos_next) },
	{ "SIZE(printk_info)", offsetof(struct layout, info_size) },
	{ "OFFSET(printk_info.seq)", offsetof(struct layout, info_seq) },
	{ "OFFSET(printk_info.ts_nsec)", offsetof(struct layout, info_ts) },
	{ "OFFSET(printk_info.text_len)", offsetof(struct layout, info_len) },
	{ "OFFSET(prb_data_ring.size_bits)", offsetof(struct layout, tr_size_bits) },
	{ "OFFSET(prb_data_ring.data)", offsetof(struct layout, tr_data) },
	{ "OFFSET(atomic_long_t.counter)", offsetof(struct layout, counter) },
};

/**
 * struct log - the rings, copied
 * @rb: struct printk_ringbuffer
 * @text_mask: size of the text ring less one
 */
struct log {
	struct layout at;
	unsigned char *rb;
	unsigned char *descs;
	unsigned char *infos;
	unsigned char *text;
	uint64_t count_mask;
	unsigned int text_bits;
	uint64_t text_mask;
	uint64_t head_id;
	uint64_t tail_id;
};

static void log_clear(struct log *log)
{
	free(log->rb);
	free(log->descs);
	free(log->infos);
	free(log->text);
}

static int read_layout(const struct dump_info *info, struct layout *at)
{
	uint64_t *member;
	size_t i;

	for (i = 0; i < MK_ARRAY_SIZE(keys); i++) {
		member = (uint64_t *)((char *)at + keys[i].member);
		if (dump_info_number(info, keys[i].key, member) < 0)
			return -ENODATA;
		if (*member > STRUCT_MAX)
			return -EFAULT;
	}
	return 0;
}

/* Every member that is used has to lie inside of its struct. */
static bool layout_fits(const struct layout *at)
{
	const uint64_t desc_ring = at->rb_desc_ring;

	return desc_ring + at->dr_count_bits + 4 <= at->rb_size &&
	       desc_ring + at->dr_descs + 8 <= at->rb_size &&
	       desc_ring + at->dr_infos + 8 <= at->rb_size &&
	       desc_ring + at->dr_head_id + at->counter + 8 <= at->rb_size &&
	       desc_ring + at->dr_tail_id + at->counter + 8 <= at->rb_size &&
	       at->rb_text_ring + at->tr_size_bits + 4 <= at->rb_size &&
	       at->rb_text_ring + at->tr_data + 8 <= at->rb_size &&
	       at->desc_state + at->counter + 8 <= at->desc_size &&
	       at->desc_lpos + at->lpos_begin + 8 <= at->desc_size &&
	       at->desc_lpos + at->lpos_next + 8 <= at->desc_size &&
	       at->info_seq + 8 <= at->info_size &&
	       at->info_ts + 8 <= at->info_size &&
	       at->info_len + 2 <= at->info_size;
}

static uint64_t get64(const unsigned char *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static uint32_t get32(const unsigned char *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static uint64_t memory_bytes(const struct dump_memory *mem)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < mem->nr_ranges; i++)
		bytes += mem->ranges[i].bytes;
	return bytes;
}

static int copy(const struct dump_memory *mem, const struct dump_map *map,
		uint64_t vaddr, uint64_t bytes, unsigned char **ret_copy)
{
	mk_autofree unsigned char *buf = NULL;
	int r;

	/* So that a lie cannot make us take more than the instance has. */
	if (bytes > memory_bytes(mem))
		return -EFAULT;
	buf = malloc(bytes);
	if (!buf)
		return -ENOMEM;
	r = dump_read_virt(mem, map, vaddr, buf, bytes);
	if (r == 0)
		*ret_copy = TAKE_PTR(buf);
	return r;
}

static int copy_ring_buffer(const struct dump_memory *mem,
			    const struct dump_map *map,
			    const struct dump_info *info, struct log *log)
{
	unsigned char pointer[8];
	uint64_t prb;
	int r;

	if (dump_info_hex(info, "SYMBOL(prb)", &prb) < 0)
		return -ENODATA;
	r = read_layout(info, &log->at);
	if (r < 0)
		return r;
	if (!layout_fits(&log->at))
		return -EFAULT;
	r = dump_read_virt(mem, map, prb, pointer, sizeof(pointer));
	if (r < 0)
		return r;
	return copy(mem, map, get64(pointer), log->at.rb_size, &log->rb);
}

static int copy_rings(const struct dump_memory *mem, const struct dump_map *map,
		      struct log *log)
{
	const struct layout *at = &log->at;
	const unsigned char *descs = log->rb + at->rb_desc_ring;
	const unsigned char *text = log->rb + at->rb_text_ring;
	uint32_t count_bits = get32(descs + at->dr_count_bits);
	uint64_t count;
	int r;

	log->text_bits = get32(text + at->tr_size_bits);
	if (count_bits > COUNT_BITS_MAX || log->text_bits < 3 ||
	    log->text_bits > SIZE_BITS_MAX)
		return -EFAULT;
	count = 1ULL << count_bits;
	log->count_mask = count - 1;
	log->text_mask = (1ULL << log->text_bits) - 1;
	log->head_id = get64(descs + at->dr_head_id + at->counter) & ID_MASK;
	log->tail_id = get64(descs + at->dr_tail_id + at->counter) & ID_MASK;
	r = copy(mem, map, get64(descs + at->dr_descs),
		 count * at->desc_size, &log->descs);
	if (r == 0)
		r = copy(mem, map, get64(descs + at->dr_infos),
			 count * at->info_size, &log->infos);
	if (r == 0)
		r = copy(mem, map, get64(text + at->tr_data),
			 log->text_mask + 1, &log->text);
	return r;
}

/*
 * The text of one record: a block begins with the record's id. One that does
 * not fit in at the end of the ring begins at its start.
 */
static const unsigned char *block_text(const struct log *log,
				       const unsigned char *desc, uint64_t id,
				       uint64_t *ret_bytes)
{
	const unsigned char *lpos = desc + log->at.desc_lpos;
	uint64_t begin = get64(lpos + log->at.lpos_begin);
	uint64_t next = get64(lpos + log->at.lpos_next);
	uint64_t from = begin & log->text_mask;
	uint64_t to = next & log->text_mask;

	*ret_bytes = 0;
	if ((begin & NO_DATA) && (next & NO_DATA))
		return begin == EMPTY_LINE && next == EMPTY_LINE ?
		       log->text : NULL;
	if ((begin >> log->text_bits) + 1 == next >> log->text_bits) {
		if (to)
			from = 0;
		else
			to = log->text_mask + 1;
	} else if (begin >> log->text_bits != next >> log->text_bits) {
		return NULL;
	}
	if (to < from || to - from < 8 ||
	    (get64(log->text + from) & ID_MASK) != id)
		return NULL;
	*ret_bytes = to - from - 8;
	return log->text + from + 8;
}

/* A record with a newline is several lines of the same time. */
static int give_lines(const unsigned char *text, uint64_t bytes,
		      struct mk_dump_line *line,
		      int (*fn)(void *arg, const struct mk_dump_line *line),
		      void *arg)
{
	const char *from = (const char *)text;
	const char *end = from + bytes;
	const char *newline;
	int r;

	do {
		newline = from < end ?
			  memchr(from, '\n', (size_t)(end - from)) : NULL;
		if (!newline)
			newline = end;
		mk_text_visible(line->text, sizeof(line->text), from,
				(size_t)(newline - from));
		r = fn(arg, line);
		from = newline + 1;
	} while (r == 0 && from < end);
	return r;
}

static int give_record(const struct log *log, uint64_t id,
		       int (*fn)(void *arg, const struct mk_dump_line *line),
		       void *arg)
{
	uint64_t i = id & log->count_mask;
	const unsigned char *desc = log->descs + i * log->at.desc_size;
	const unsigned char *info = log->infos + i * log->at.info_size;
	uint64_t state = get64(desc + log->at.desc_state + log->at.counter);
	struct mk_dump_line line = {
		.seq = get64(info + log->at.info_seq),
		.time_us = get64(info + log->at.info_ts) / 1000,
	};
	const unsigned char *text;
	uint64_t bytes;
	uint16_t len;

	if ((state & ID_MASK) != id ||
	    (state >> STATE_SHIFT != STATE_COMMITTED &&
	     state >> STATE_SHIFT != STATE_FINALIZED))
		return 0;
	text = block_text(log, desc, id, &bytes);
	if (!text)
		return 0;
	memcpy(&len, info + log->at.info_len, sizeof(len));
	return give_lines(text, len < bytes ? len : bytes, &line, fn, arg);
}

int dump_log_each(const struct dump_memory *mem, const struct dump_map *map,
		  const struct dump_info *info,
		  int (*fn)(void *arg, const struct mk_dump_line *line),
		  void *arg)
{
	struct log log = { .rb = NULL };
	uint64_t i;
	int r;

	if (!info->note)
		return -ENODATA;
	r = copy_ring_buffer(mem, map, info, &log);
	if (r == 0)
		r = copy_rings(mem, map, &log);
	/* Ids count on over the mask, so the number of them bounds this. */
	for (i = 0; r == 0 && i <= log.count_mask; i++) {
		r = give_record(&log, (log.tail_id + i) & ID_MASK, fn, arg);
		if (((log.tail_id + i) & ID_MASK) == log.head_id)
			break;
	}
	log_clear(&log);
	return r;
}

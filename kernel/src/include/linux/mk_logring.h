/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * The kernel log of an instance, in memory that the host reads, also after the
 * instance has died: a ring of text with one writer that never waits and
 * overwrites the oldest whole lines.
 *
 * Life cycle: the host formats the ring before it starts the instance. The
 * instance opens a writer on an early mapping, later another one on the final
 * mapping, which goes on where the first one was (mk_log_writer_init()). The
 * host reads with a private position; it never writes after the format.
 *
 * head and tail count bytes and never wrap; byte i is data[i & mask]. Valid
 * text is [tail, head), starts at a line and ends with '\n'. The writer's
 * steps, each of which leaves a ring that is whole:
 *
 *	1. tail is raised over the lines that will be overwritten
 *	2. smp_wmb(): no byte of them changes before that is seen
 *	3. the new text is copied, where it is not valid yet
 *	4. head is raised with release
 *
 * In 1 and 4 the writer's private copy moves first and the shared one after
 * it. So a writer in NMI or panic that takes over for good at any instruction
 * may use the same struct mk_log_writer, or a new one made from the header: it
 * goes on before or behind the line that was being written, never inside it.
 * Writers that return exclude each other by the caller's lock.
 *
 * The reader copies, then reads tail again (smp_rmb() pairs with step 2) and
 * drops what may have changed under the copy. It takes no size from shared
 * memory, and head and tail only after comparing them with that size.
 */
#ifndef _LINUX_MK_LOGRING_H
#define _LINUX_MK_LOGRING_H

#include <linux/mk_shared.h>

#define MK_LOGRING_MAGIC	0x000000676f6c6b6dULL	/* "mklog" */
#define MK_LOGRING_VERSION	1
#define MK_LOGRING_HEADER_BYTES	4096
#define MK_LOGRING_MIN_BYTES	4096	/* of data */
#define MK_LOGRING_MAX_BYTES	0x40000000U

/* How often the reader looks again when the writer is ahead of it. */
#define MK_LOG_READ_TRIES	8

/**
 * struct mk_logring - header page and data
 * @magic: MK_LOGRING_MAGIC, written last by mk_logring_format()
 * @version: MK_LOGRING_VERSION
 * @data_bytes: size of @data, a power of two
 * @epoch: of the instance
 * @head: writer: bytes ever published
 * @tail: writer: oldest byte that is still valid
 * @data: text
 */
struct mk_logring {
	u64 magic;
	u32 version;
	u32 data_bytes;
	u32 epoch;
	u8 pad_host[108];

	u64 head;
	u64 tail;
	u8 pad_writer[3952];

	u8 data[];
};

MK_ASSERT_OFFSET(struct mk_logring, magic, 0);
MK_ASSERT_OFFSET(struct mk_logring, version, 8);
MK_ASSERT_OFFSET(struct mk_logring, data_bytes, 12);
MK_ASSERT_OFFSET(struct mk_logring, epoch, 16);
MK_ASSERT_OFFSET(struct mk_logring, head, 128);
MK_ASSERT_OFFSET(struct mk_logring, tail, 136);
MK_ASSERT_OFFSET(struct mk_logring, data, MK_LOGRING_HEADER_BYTES);
static_assert(sizeof(struct mk_logring) == MK_LOGRING_HEADER_BYTES, "header");

/**
 * struct mk_log_writer - the writer's private state
 * @lr: the ring
 * @head: bytes ever written
 * @tail: oldest valid byte, always at the start of a line
 * @size: of the data, bytes
 * @mask: @size - 1
 */
struct mk_log_writer {
	struct mk_logring *lr;
	u64 head;
	u64 tail;
	u32 size;
	u32 mask;
};

/**
 * struct mk_log_reader - the reader's private state; zero reads from the start
 * @pos: next byte to read
 * @lost: bytes that were overwritten before they were read, or that vanished
 *	because the writer's indices were bad
 */
struct mk_log_reader {
	u64 pos;
	u64 lost;
};

static inline bool mk_logring_size_ok(u32 data_bytes)
{
	return data_bytes >= MK_LOGRING_MIN_BYTES &&
	       data_bytes <= MK_LOGRING_MAX_BYTES &&
	       (data_bytes & (data_bytes - 1)) == 0;
}

/*
 * Text is copied while the other kernel may be changing it; what changed is
 * found out afterwards. ThreadSanitizer rightly calls that a race, so for it
 * bytes are moved one by one with atomic accesses.
 */
static inline void mk_log_copy(u8 *dst, const u8 *src, size_t n)
{
#if defined(__SANITIZE_THREAD__) && !defined(__KERNEL__)
	size_t i;

	for (i = 0; i < n; i++)
		WRITE_ONCE(dst[i], READ_ONCE(src[i]));
#else
	memcpy(dst, src, n);
	barrier();
#endif
}

/**
 * mk_logring_format() - make an empty log; the host only, no writer alive
 * @lr: MK_LOGRING_HEADER_BYTES + @data_bytes bytes, page-aligned
 * @data_bytes: a power of two, MK_LOGRING_MIN_BYTES to MK_LOGRING_MAX_BYTES
 * @epoch: of the instance that will write
 *
 * Return: 0, -EINVAL bad size.
 */
static inline int __must_check mk_logring_format(struct mk_logring *lr,
						 u32 data_bytes, u32 epoch)
{
	if (!mk_logring_size_ok(data_bytes))
		return -EINVAL;
	WRITE_ONCE(lr->magic, 0);
	smp_wmb();	/* no joiner sees the magic with half a header */
	memset((u8 *)lr + sizeof(lr->magic), 0,
	       sizeof(*lr) - sizeof(lr->magic));
	memset(lr->data, 0, data_bytes);
	WRITE_ONCE(lr->version, MK_LOGRING_VERSION);
	WRITE_ONCE(lr->data_bytes, data_bytes);
	WRITE_ONCE(lr->epoch, epoch);
	/* Pairs with the acquire in mk_logring_get_size(). */
	smp_store_release(&lr->magic, MK_LOGRING_MAGIC);
	return 0;
}

/* Check the header; the size is read once, so that it is what was checked. */
static inline int mk_logring_get_size(const struct mk_logring *lr,
				      u64 max_bytes, u32 *ret_size)
{
	u32 size;

	/* Pairs with the release in mk_logring_format(). */
	if (smp_load_acquire(&lr->magic) != MK_LOGRING_MAGIC)
		return -ENXIO;
	if (READ_ONCE(lr->version) != MK_LOGRING_VERSION)
		return -EPROTONOSUPPORT;
	size = READ_ONCE(lr->data_bytes);
	if (!mk_logring_size_ok(size))
		return -EINVAL;
	if (max_bytes < MK_LOGRING_HEADER_BYTES ||
	    size > max_bytes - MK_LOGRING_HEADER_BYTES)
		return -EFBIG;
	*ret_size = size;
	return 0;
}

/**
 * mk_logring_check() - is there a log ring, and does it fit?
 * @lr: at least the header is mapped
 * @max_bytes: room for header and data
 *
 * Return: 0, -ENXIO not formatted, -EPROTONOSUPPORT another version, -EINVAL
 * bad size, -EFBIG larger than @max_bytes.
 */
static inline int __must_check mk_logring_check(const struct mk_logring *lr,
						u64 max_bytes)
{
	u32 size;

	return mk_logring_get_size(lr, max_bytes, &size);
}

/**
 * mk_log_writer_init() - open a writer where the last one of this epoch was
 * @w: state to fill, untouched on failure
 * @lr: the ring, mapped whole
 * @max_bytes: bytes mapped at @lr
 * @epoch: the epoch that this kernel was told
 *
 * Indices that contradict each other are no reason to stay silent: what is
 * there is given up.
 *
 * Return: 0, -ESTALE another epoch, or as mk_logring_check().
 */
static inline int __must_check mk_log_writer_init(struct mk_log_writer *w,
						  struct mk_logring *lr,
						  u64 max_bytes, u32 epoch)
{
	u64 head, tail;
	u32 size;
	int ret;

	ret = mk_logring_get_size(lr, max_bytes, &size);
	if (ret)
		return ret;
	if (READ_ONCE(lr->epoch) != epoch)
		return -ESTALE;
	head = READ_ONCE(lr->head);
	tail = READ_ONCE(lr->tail);
	if (tail > head || head - tail > size)
		tail = head;
	w->lr = lr;
	w->head = head;
	w->tail = tail;
	w->size = size;
	w->mask = size - 1;
	return 0;
}

/* The longest line; bounds the search for the end of one. */
static inline u32 mk_log_max_line(u32 size)
{
	return size / 4;
}

/*
 * First start of a line at or after @pos. All lines end within the longest
 * line's length, unless somebody else wrote here: then all is given up.
 */
static inline u64 mk_log_line_start(const struct mk_log_writer *w, u64 pos)
{
	u32 n;

	for (n = 0; n <= mk_log_max_line(w->size) && pos < w->head; n++, pos++)
		if (READ_ONCE(w->lr->data[(pos - 1) & w->mask]) == '\n')
			return pos;
	return w->head;
}

/* Make room for @len bytes by giving up whole lines. Steps 1 and 2 above. */
static inline void mk_log_evict(struct mk_log_writer *w, u32 len)
{
	if (w->head - w->tail + len > w->size)
		WRITE_ONCE(w->tail, mk_log_line_start(w, w->head + len -
							 w->size));
	barrier();	/* private before shared, for a writer taking over */
	/*
	 * Always, because the writer that was taken over may have come no
	 * further than its private tail.
	 */
	WRITE_ONCE(w->lr->tail, w->tail);
	smp_wmb();	/* tail before data, pairs with mk_log_overtaken() */
}

/* Copy to the ring at @pos, in at most two pieces. */
static inline void mk_log_put(struct mk_log_writer *w, u64 pos,
			      const char *text, u32 len)
{
	u32 at = (u32)pos & w->mask;
	u32 first = w->size - at < len ? w->size - at : len;

	mk_log_copy(w->lr->data + at, (const u8 *)text, first);
	mk_log_copy(w->lr->data, (const u8 *)text + first, len - first);
}

/**
 * mk_log_write() - append text; never waits
 * @w: the writer; the caller excludes others, but see the top of this file
 * @text: one line or several
 * @len: bytes; more than a quarter of the ring is cut off
 *
 * Text that does not end in '\n' gets one, so each call makes whole lines.
 */
static inline void mk_log_write(struct mk_log_writer *w, const char *text,
				size_t len)
{
	u32 max = mk_log_max_line(w->size);
	u32 n = len < max ? (u32)len : max;
	bool newline;
	u64 head;

	if (!n)
		return;
	newline = text[n - 1] != '\n';
	if (newline && n == max)
		n--;

	mk_log_evict(w, n + newline);
	mk_log_put(w, w->head, text, n);
	if (newline)
		mk_log_put(w, w->head + n, "\n", 1);

	head = w->head + n + newline;
	barrier();	/* text before private head, for a writer taking over */
	WRITE_ONCE(w->head, head);
	barrier();	/* private before shared, as in mk_log_evict() */
	/* Pairs with the acquire in mk_log_snapshot(). */
	smp_store_release(&w->lr->head, head);
}

/**
 * struct mk_log_window - what the reader found
 * @head: end of the text
 * @tail: start of the text; @head - @tail <= size
 * @raw_tail: tail as it stood in the header
 */
struct mk_log_window {
	u64 head;
	u64 tail;
	u64 raw_tail;
};

/*
 * Get head and tail that belong together: tail never falls, so when it is the
 * same before and after, it was that when head was read, and a sane writer's
 * head - tail is at most size. If it is more, the header is damaged; then the
 * last @size bytes are taken for text. False: the writer was too fast.
 */
static inline bool mk_log_snapshot(const struct mk_logring *lr, u32 size,
				   struct mk_log_window *ret_win)
{
	u64 head, tail;
	int i;

	for (i = 0; i < MK_LOG_READ_TRIES; i++) {
		/* Tail, head, tail: in this order. */
		tail = smp_load_acquire(&lr->tail);
		/* Pairs with the release in mk_log_write(). */
		head = smp_load_acquire(&lr->head);
		if (READ_ONCE(lr->tail) != tail)
			continue;
		ret_win->head = head;
		ret_win->raw_tail = tail;
		if (tail > head || head - tail > size)
			tail = head > size ? head - size : 0;
		ret_win->tail = tail;
		return true;
	}
	return false;
}

/* Bring the reader's position into the window. */
static inline void mk_log_resync(struct mk_log_reader *r,
				 const struct mk_log_window *win)
{
	if (r->pos > win->head) {
		/* Text that was there has vanished: start over. */
		r->lost += r->pos - win->head;
		r->pos = win->tail;
	} else if (r->pos < win->tail) {
		r->lost += win->tail - r->pos;
		r->pos = win->tail;
	}
}

/* Copy from the ring at @pos, in at most two pieces; @n is at most @size. */
static inline void mk_log_get(const struct mk_logring *lr, u32 size, u64 pos,
			      char *buf, size_t n)
{
	u32 at = (u32)pos & (size - 1);
	size_t first = size - at < n ? size - at : n;

	mk_log_copy((u8 *)buf, lr->data + at, first);
	mk_log_copy((u8 *)buf + first, lr->data, n - first);
}

/*
 * How many of the @n bytes copied from @pos may have been overwritten under
 * the copy? A tail that was bad before and is still the same says nothing.
 */
static inline size_t mk_log_overtaken(const struct mk_logring *lr,
				      const struct mk_log_window *win,
				      u64 pos, size_t n)
{
	u64 tail;

	smp_rmb();	/* data before tail, pairs with mk_log_evict() */
	tail = READ_ONCE(lr->tail);
	if (tail == win->raw_tail || tail <= pos)
		return 0;
	return tail - pos < n ? tail - pos : n;
}

/*
 * How many of the @n bytes to hand out: up to the last '\n'. A line that does
 * not fit, or is longer than lines get, is split.
 */
static inline size_t mk_log_whole_lines(const char *buf, size_t n, size_t len,
					u32 size)
{
	size_t end = n;

	while (end && buf[end - 1] != '\n')
		end--;
	if (!end && (n == len || n >= mk_log_max_line(size)))
		return n;
	return end;
}

/**
 * mk_log_read() - read whole lines
 * @lr: the ring; nothing in it is trusted
 * @data_bytes: its size as the host knows it
 * @r: where this reader is
 * @buf: private memory
 * @len: bytes at @buf
 *
 * A line longer than @len is split. Work is bounded whatever the writer does,
 * and each call that finds text brings the reader forward.
 *
 * Return: bytes put into @buf, 0 when there is no (whole) line, -EINVAL for
 * a bad @data_bytes or @len 0.
 */
static inline ssize_t __must_check mk_log_read(const struct mk_logring *lr,
					       u32 data_bytes,
					       struct mk_log_reader *r,
					       char *buf, size_t len)
{
	struct mk_log_window win;
	size_t n, bad;
	int i;

	if (!mk_logring_size_ok(data_bytes) || !len)
		return -EINVAL;

	for (i = 0; i < MK_LOG_READ_TRIES; i++) {
		if (!mk_log_snapshot(lr, data_bytes, &win))
			return 0;
		mk_log_resync(r, &win);
		n = win.head - r->pos < len ? win.head - r->pos : len;
		mk_log_get(lr, data_bytes, r->pos, buf, n);
		bad = mk_log_overtaken(lr, &win, r->pos, n);
		if (!bad) {
			n = mk_log_whole_lines(buf, n, len, data_bytes);
			r->pos += n;
			return (ssize_t)n;
		}
		/* The writer was here: go on behind it. */
		r->lost += bad;
		r->pos += bad;
	}
	return 0;
}

#endif /* _LINUX_MK_LOGRING_H */

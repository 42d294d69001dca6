// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: the log ring (mk_logring.h) with a hostile peer, see
 * peer.h. The host reads what a mad instance wrote; an instance opens a writer
 * on whatever it finds, and writes while others do.
 *
 * What must hold: no access out of bounds (the ring and each buffer have their
 * exact size on the heap), the reader writes nothing, the writer only head,
 * tail and data within the size that it checked, the work of each call is
 * bounded, and once the peer keeps still the reader comes to an end within one
 * ring of text.
 */
#include "peer.h"

#include <linux/mk_logring.h>

#define EPOCH		1
#define READ_MAX	256	/* accesses of one call */
#define INIT_MAX	8

enum side { NOBODY, READER, WRITER };

static struct {
	enum side side;		/* whose call is running */
	struct mk_logring *lr;
	u32 data_bytes;
	struct mk_log_reader r;
	struct mk_log_writer w;
	bool w_open;
	const void *private;	/* the buffer of the call */
	size_t private_bytes;
} f;

static void put64(u64 *field, u64 value)
{
	(memcpy)(field, &value, sizeof(value));
}

static void put_text(char c)
{
	size_t at = peer_take(2) % f.data_bytes;
	size_t n = peer_take(1) * 16 + 1;

	if (n > f.data_bytes - at)
		n = f.data_bytes - at;
	memset(f.lr->data + at, c, n);
}

static void peer_act(uint8_t op)
{
	switch (op % 8) {
	case 0:
		return peer_poke();
	case 1:
		return put64(&f.lr->head, f.r.pos + peer_take(2));
	case 2:
		return put64(&f.lr->tail, f.lr->tail + (u64)(int16_t)peer_take(2));
	case 3:
		return put64(&f.lr->head, peer_take(8));
	case 4:
		return put64(&f.lr->tail, peer_take(8));
	case 5:
		f.lr->data[peer_take(2) % f.data_bytes] = '\n';
		return;
	case 6:
		return put_text('x');
	case 7:
		f.lr->data_bytes = (u32)peer_take(4);
		return;
	}
}

static void peer_check_store(size_t offset, size_t size, uint64_t value)
{
	must(f.side == WRITER && size == sizeof(u64));
	if (offset == offsetof(struct mk_logring, head))
		must(value == f.w.head);
	else
		must(offset == offsetof(struct mk_logring, tail) &&
		     value == f.w.tail);
}

static bool within(const void *p, size_t n, const void *area, size_t bytes)
{
	size_t at = (size_t)((const u8 *)p - (const u8 *)area);

	return at <= bytes && n <= bytes - at;
}

static void peer_check_copy(const void *dst, const void *src, size_t n)
{
	const void *shared = f.side == WRITER ? dst : src;
	const void *private = f.side == WRITER ? src : dst;

	if (!n)
		return;
	must(within(shared, n, f.lr->data, f.data_bytes));
	/* The writer's other source is the "\n" that it adds. */
	must(within(private, n, f.private, f.private_bytes) ||
	     (f.side == WRITER && n == 1));
}

static ssize_t read_once(size_t len)
{
	struct mk_log_reader before = f.r;
	char *buf = malloc(len ? len : 1);
	ssize_t ret;

	must(buf);
	f.side = READER;
	f.private = buf;
	f.private_bytes = len;
	peer_begin(READ_MAX);
	ret = mk_log_read(f.lr, f.data_bytes, &f.r, buf, len);
	if (!len) {
		must(ret == -EINVAL);
		must(f.r.pos == before.pos && f.r.lost == before.lost);
	} else {
		must(ret >= 0 && (size_t)ret <= len);
		must((size_t)ret <= f.data_bytes);
		/* Forward, unless all the text had vanished */
		must(f.r.pos - before.pos >= (u64)ret ||
		     f.r.lost != before.lost);
	}
	free(buf);
	return ret;
}

static void check_writer(void)
{
	must(mk_logring_size_ok(f.w.size) && f.w.mask == f.w.size - 1);
	must(f.w.size <= f.data_bytes);
	must(f.w.head - f.w.tail <= f.w.size);
}

static void open_writer(void)
{
	struct mk_log_writer w = { 0 };
	int ret;

	f.side = WRITER;
	peer_begin(INIT_MAX);
	ret = mk_log_writer_init(&w, f.lr, peer.size, EPOCH);
	must(ret == 0 || ret == -ENXIO || ret == -EPROTONOSUPPORT ||
	     ret == -EINVAL || ret == -EFBIG || ret == -ESTALE);
	if (ret) {
		must(!w.lr);
		return;
	}
	f.w = w;
	f.w_open = true;
	check_writer();
}

static void write_once(size_t len)
{
	u64 head = f.w.head;
	char *text;

	if (!f.w_open)
		return;
	text = malloc(len ? len : 1);
	must(text);
	memset(text, 'w', len);
	if (len % 3 == 1)
		text[len - 1] = '\n';
	f.side = WRITER;
	f.private = text;
	f.private_bytes = len;
	peer_begin(mk_log_max_line(f.w.size) + 16);
	mk_log_write(&f.w, text, len);
	must(f.w.head - head <= mk_log_max_line(f.w.size));
	must((f.w.head != head) == !!len);
	check_writer();
	free(text);
}

static void one_call(u8 op)
{
	switch (op % 8) {
	case 0:
		read_once(f.data_bytes);
		return;
	case 1:
		read_once(peer_take(1));
		return;
	case 2:
		read_once(peer_take(2));
		return;
	case 3:
		return open_writer();
	case 4:
		return write_once(peer_take(1));
	case 5:
		return write_once(peer_take(2));
	case 6:
		f.side = NOBODY;
		return peer_act((u8)peer_take(1));
	case 7:
		f.r.pos = peer_take(8);
		return;
	}
}

/* The peer keeps still: at most one ring of text, then nothing more. */
static void come_to_rest(void)
{
	u64 total = 0;
	ssize_t ret;

	peer.frozen = true;
	while ((ret = read_once(100)) > 0) {
		total += (u64)ret;
		must(total <= f.data_bytes);
	}
	must(read_once(f.data_bytes) == 0 ||
	     total + 100 <= f.data_bytes);
}

static void setup(const u8 *data, size_t size)
{
	memset(&f, 0, sizeof(f));
	memset(&peer, 0, sizeof(peer));
	peer.in = data;
	peer.end = data + size;
	f.data_bytes = MK_LOGRING_MIN_BYTES << peer_take(1) % 3;
	peer.size = MK_LOGRING_HEADER_BYTES + f.data_bytes;
	f.lr = aligned_alloc(4096, peer.size);
	must(f.lr);
	must(!mk_logring_format(f.lr, f.data_bytes, EPOCH));
	peer.bytes = (u8 *)f.lr;
	open_writer();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	setup(data, size);
	while (peer_input_left())
		one_call((u8)peer_take(1));
	come_to_rest();
	free(f.lr);
	return 0;
}

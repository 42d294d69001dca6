// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The log ring: layout, lines, overwriting, a second writer that goes on, a
 * header that lies, and a reader beside a running writer. Writers that die in
 * the middle are in test_logring_takeover.c.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/mk_logring.h>

#define SIZE	4096
#define MAX	(SIZE / 4)
#define BYTES	(MK_LOGRING_HEADER_BYTES + SIZE)
#define EPOCH	3

struct fixture {
	struct mk_logring *lr;
	struct mk_log_writer w;
	struct mk_log_reader r;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->lr = aligned_alloc(4096, BYTES);
	if (!f->lr)
		return -1;
	memset(f->lr, 0xa5, BYTES);
	if (mk_logring_format(f->lr, SIZE, EPOCH) ||
	    mk_log_writer_init(&f->w, f->lr, BYTES, EPOCH))
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->lr);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *text)
{
	mk_log_write(&f->w, text, strlen(text));
}

/* Read into a buffer of exactly @len bytes, so that ASan sees the end. */
static ssize_t get(struct fixture *f, size_t len, char **ret_text)
{
	char *buf = malloc(len);
	ssize_t n;

	assert_non_null(buf);
	n = mk_log_read(f->lr, SIZE, &f->r, buf, len);
	*ret_text = buf;
	return n;
}

static void expect(struct fixture *f, size_t len, const char *text)
{
	char *buf;
	ssize_t n = get(f, len, &buf);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, n);
	free(buf);
}

static void test_format(void **state)
{
	static const u32 bad[] = { 0, 1, 2048, 4095, 4097, 6144, 0x80000000,
				   0xffffffff };
	struct fixture *f = *state;
	u32 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mk_logring_format(f->lr, bad[i], 1), -EINVAL);
	assert_int_equal(f->lr->epoch, EPOCH);
	for (i = 0; i < SIZE; i++)
		assert_int_equal(f->lr->data[i], 0);
}

static void test_check(void **state)
{
	struct fixture *f = *state;
	struct mk_log_writer w = { .size = 5 };

	assert_int_equal(mk_logring_check(f->lr, BYTES), 0);
	assert_int_equal(mk_logring_check(f->lr, BYTES - 1), -EFBIG);
	assert_int_equal(mk_logring_check(f->lr, 0), -EFBIG);
	assert_int_equal(mk_log_writer_init(&w, f->lr, BYTES, EPOCH + 1),
			 -ESTALE);
	f->lr->data_bytes = 0x80000000;
	assert_int_equal(mk_logring_check(f->lr, BYTES), -EINVAL);
	f->lr->data_bytes = 5000;
	assert_int_equal(mk_logring_check(f->lr, BYTES), -EINVAL);
	f->lr->data_bytes = 2 * SIZE;
	assert_int_equal(mk_log_writer_init(&w, f->lr, BYTES, EPOCH), -EFBIG);
	f->lr->version = 2;
	assert_int_equal(mk_logring_check(f->lr, BYTES), -EPROTONOSUPPORT);
	f->lr->magic = 0;
	assert_int_equal(mk_logring_check(f->lr, BYTES), -ENXIO);
	assert_int_equal(w.size, 5);
}

static void test_lines(void **state)
{
	struct fixture *f = *state;

	expect(f, 100, "");
	put(f, "one\n");
	put(f, "two");			/* gets its '\n' */
	put(f, "");
	put(f, "\n");
	put(f, "three\nfour\n");
	expect(f, 100, "one\ntwo\n\nthree\nfour\n");
	expect(f, 100, "");
	assert_int_equal(f->r.lost, 0);
}

/* Only whole lines that fit; a line that never fits is split. */
static void test_small_buffer(void **state)
{
	struct fixture *f = *state;

	put(f, "abc\ndefg\nhijklmnop\n");
	expect(f, 8, "abc\n");
	expect(f, 5, "defg\n");
	expect(f, 4, "hijk");
	expect(f, 100, "lmnop\n");
	put(f, "xyz\n");
	expect(f, 1, "x");
	expect(f, 1, "y");
	expect(f, 1, "z");
	expect(f, 1, "\n");
	expect(f, 1, "");
}

static void test_arguments(void **state)
{
	struct fixture *f = *state;
	char c;

	put(f, "x\n");
	assert_int_equal(mk_log_read(f->lr, SIZE, &f->r, &c, 0), -EINVAL);
	assert_int_equal(mk_log_read(f->lr, SIZE - 1, &f->r, &c, 1), -EINVAL);
	assert_int_equal(mk_log_read(f->lr, 0, &f->r, &c, 1), -EINVAL);
}

static void test_too_long(void **state)
{
	struct fixture *f = *state;
	char text[2 * SIZE];
	char *buf;
	u32 len;

	memset(text, 'x', sizeof(text));
	for (len = MAX - 2; len < MAX + 3; len++) {
		mk_log_write(&f->w, text, len);
		assert_int_equal(get(f, SIZE, &buf),
				 len + 1 < MAX ? len + 1 : MAX);
		assert_int_equal(buf[(len + 1 < MAX ? len + 1 : MAX) - 1],
				 '\n');
		free(buf);
	}
	mk_log_write(&f->w, text, sizeof(text));
	assert_int_equal(get(f, SIZE, &buf), MAX);
	free(buf);
	text[MAX - 1] = '\n';
	mk_log_write(&f->w, text, MAX);
	assert_int_equal(get(f, SIZE, &buf), MAX);
	free(buf);
}

/* Line @i: its number, then a pattern of its own of @len bytes in all. */
static u32 make_line(char *buf, u32 i)
{
	u32 len = 10 + (i * 2654435761U >> 7) % (i % 13 ? 120 : MAX - 10);
	u32 j;

	snprintf(buf, 10, "%08x ", i);
	for (j = 9; j < len - 1; j++)
		buf[j] = 'a' + (i + j) % 26;
	buf[len - 1] = '\n';
	return len;
}

/* Text must be whole lines, in order; returns the number after the last. */
static u32 verify_lines(const char *text, size_t n, u32 next, bool gap)
{
	char line[MAX + 1], number[9] = "";
	u32 i, len;

	while (n) {
		assert_true(n > 9);
		memcpy(number, text, 8);
		i = strtoul(number, NULL, 16);
		if (!gap)
			assert_int_equal(i, next);
		assert_true(i >= next);
		len = make_line(line, i);
		assert_true(len <= n);
		assert_memory_equal(text, line, len);
		text += len;
		n -= len;
		next = i + 1;
		gap = false;
	}
	return next;
}

/* Overwriting drops whole lines, the oldest ones, and counts each byte. */
static void test_overwrite(void **state)
{
	struct fixture *f = *state;
	u64 kept, longest = MAX;
	char line[MAX + 1];
	char *buf;
	ssize_t n;
	u32 i;

	for (i = 0; i < 3000; i++) {
		mk_log_write(&f->w, line, make_line(line, i));
		kept = f->lr->head - f->lr->tail;
		assert_true(kept <= SIZE);
		if (f->lr->tail)
			assert_true(kept > SIZE - 2 * longest);
		f->r.pos = 0;
		f->r.lost = 0;
		n = get(f, SIZE, &buf);
		assert_int_equal(n, kept);
		assert_int_equal(f->r.lost, f->lr->tail);
		assert_int_equal(verify_lines(buf, n, 0, true), i + 1);
		free(buf);
	}
}

/* A reader that follows slowly gets all there is, or knows what it lost. */
static void test_follow(void **state)
{
	struct fixture *f = *state;
	char line[MAX + 1];
	u64 got = 0, lost;
	u32 i, next = 0;
	char *buf;
	ssize_t n;

	for (i = 0; i < 5000; i++) {
		mk_log_write(&f->w, line, make_line(line, i));
		if (i % 60 && i % 400 < 300)
			continue;
		lost = f->r.lost;
		n = get(f, MAX + i % 900, &buf);
		assert_true(n > 0);
		next = verify_lines(buf, n, next, f->r.lost != lost);
		got += n;
		free(buf);
		assert_int_equal(got + f->r.lost, f->r.pos);
	}
	assert_true(f->r.lost > 0);
}

/* The final mapping's writer goes on where the early one was. */
static void test_second_writer(void **state)
{
	struct fixture *f = *state;
	struct mk_log_writer w;
	char line[MAX + 1];
	char *buf;
	ssize_t n;
	u32 i;

	for (i = 0; i < 500; i++) {
		assert_int_equal(mk_log_writer_init(&w, f->lr, BYTES, EPOCH),
				 0);
		mk_log_write(&w, line, make_line(line, i));
	}
	n = get(f, SIZE, &buf);
	assert_int_equal(verify_lines(buf, n, 0, true), 500);
	free(buf);
}

/* A damaged header makes the next writer start over, not fall silent. */
static void test_writer_after_damage(void **state)
{
	static const u64 heads[] = { 0, 1, 5000, 1ULL << 40, ~0ULL - 2000 };
	struct fixture *f = *state;
	char line[MAX + 1];
	u32 i, j;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		f->lr->head = heads[i];
		f->lr->tail = heads[i] + 1;
		assert_int_equal(mk_log_writer_init(&f->w, f->lr, BYTES,
						    EPOCH), 0);
		for (j = 0; j < 200; j++)
			mk_log_write(&f->w, line, make_line(line, j));
		assert_true(f->lr->head - f->lr->tail <= SIZE);
	}
	f->lr->head = 5;
	f->lr->tail = ~0ULL;		/* only six bytes, modulo 2^64 */
	assert_int_equal(mk_log_writer_init(&f->w, f->lr, BYTES, EPOCH), 0);
	assert_int_equal(f->w.tail, 5);
}

/* Somebody else wrote over the text: no line ends. The search is bounded. */
static void test_writer_without_newlines(void **state)
{
	struct fixture *f = *state;
	char line[MAX + 1];
	u32 i;

	for (i = 0; i < 100; i++)
		mk_log_write(&f->w, line, make_line(line, i));
	memset(f->lr->data, 'z', SIZE);
	/* Too far behind to be the end of the line that is cut. */
	f->lr->data[(f->w.head - 10) % SIZE] = '\n';
	memset(line, 'n', MAX);
	line[MAX - 1] = '\n';
	mk_log_write(&f->w, line, MAX);
	assert_int_equal(f->lr->head - f->lr->tail, MAX);
	line[MAX] = '\0';
	expect(f, 2 * MAX, line);
}

/* The next line repairs indices that a stray store hit. */
static void test_indices_heal(void **state)
{
	struct fixture *f = *state;

	put(f, "one\n");
	f->lr->head = 77777;
	f->lr->tail = 99999;
	put(f, "two\n");
	expect(f, 100, "one\ntwo\n");
}

/* Every kind of head and tail: bounded, inside, and the text is given once. */
static void test_hostile_indices(void **state)
{
	static const u64 v[] = { 0, 1, 9, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE,
				 0x7fffffff, 0x80000000, 0xffffffff,
				 0x100000000, 1ULL << 63, ~0ULL - SIZE,
				 ~0ULL - 1, ~0ULL };
	const u32 n = sizeof(v) / sizeof(v[0]);
	struct fixture *f = *state;
	u32 h, t, p, calls;
	ssize_t got;
	char *buf;

	memset(f->lr->data, 'q', SIZE);
	for (h = 0; h < n; h++) {
		for (t = 0; t < n; t++) {
			for (p = 0; p < n; p++) {
				f->lr->head = v[h];
				f->lr->tail = v[t];
				f->r.pos = v[p];
				calls = 0;
				do {
					got = get(f, 100 + p, &buf);
					free(buf);
					assert_in_range(got, 0, 100 + p);
					assert_true(++calls < SIZE / 100 + 3);
				} while (got);
				/* What is left is less than a line. */
				assert_true(v[h] - f->r.pos < 100 + p);
			}
		}
	}
}

/* A ring of garbage without one '\n' is read to its end, in pieces. */
static void test_no_newline_at_all(void **state)
{
	struct fixture *f = *state;
	ssize_t n;
	char *buf;

	memset(f->lr->data, 'q', SIZE);
	f->lr->head = SIZE;
	n = get(f, 2 * SIZE, &buf);
	assert_int_equal(n, SIZE);
	free(buf);
	expect(f, 10, "");

	/* A short rest may be a line in the making: left alone. */
	f->lr->head = SIZE + 5;
	f->lr->tail = 5;
	expect(f, 10, "");
	f->lr->data[4] = '\n';
	expect(f, 10, "qqqq\n");
}

/* The instance died with a wrecked tail: its last text can be read. */
static void test_dead_with_bad_tail(void **state)
{
	struct fixture *f = *state;

	put(f, "last words\n");
	f->lr->tail = 0x4242424242424242;
	expect(f, 100, "last words\n");
	expect(f, 100, "");
}

/* A head that falls back is a new start; the reader does not hang. */
static void test_head_falls_back(void **state)
{
	struct fixture *f = *state;

	put(f, "a long first line\n");
	expect(f, 100, "a long first line\n");
	assert_int_equal(mk_logring_format(f->lr, SIZE, EPOCH + 1), 0);
	assert_int_equal(mk_log_writer_init(&f->w, f->lr, BYTES, EPOCH + 1),
			 0);
	put(f, "new\n");
	expect(f, 100, "new\n");
	assert_true(f->r.lost > 0);
}

#define LINES	60000

static void *write_lines(void *arg)
{
	struct fixture *f = arg;
	char line[MAX + 1];
	volatile u32 pause;
	u32 i;

	for (i = 0; i < LINES; i++) {
		mk_log_write(&f->w, line, make_line(line, i));
		for (pause = i / 64 % 1024; pause; pause--)
			;
	}
	return NULL;
}

/* Beside a writer of all speeds: no torn line, and all bytes accounted for. */
static void test_reader_beside_writer(void **state)
{
	struct fixture *f = *state;
	u64 got = 0, lost;
	char buf[3 * MAX];
	u32 next = 0;
	pthread_t thread;
	ssize_t n;

	assert_int_equal(pthread_create(&thread, NULL, write_lines, f), 0);
	while (next < LINES) {
		lost = f->r.lost;
		n = mk_log_read(f->lr, SIZE, &f->r, buf, sizeof(buf));
		assert_true(n >= 0);
		next = verify_lines(buf, n, next, f->r.lost != lost);
		got += n;
		assert_int_equal(got + f->r.lost, f->r.pos);
	}
	pthread_join(thread, NULL);
	assert_int_equal(f->r.pos, f->lr->head);
	print_message("read %llu bytes, lost %llu\n", (unsigned long long)got,
		      (unsigned long long)f->r.lost);
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_format),
		T(test_check),
		T(test_lines),
		T(test_small_buffer),
		T(test_arguments),
		T(test_too_long),
		T(test_overwrite),
		T(test_follow),
		T(test_second_writer),
		T(test_writer_after_damage),
		T(test_writer_without_newlines),
		T(test_indices_heal),
		T(test_hostile_indices),
		T(test_no_newline_at_all),
		T(test_dead_with_bad_tail),
		T(test_head_falls_back),
		T(test_reader_beside_writer),
	};

	return cmocka_run_group_tests_name("logring", tests, NULL, NULL);
}

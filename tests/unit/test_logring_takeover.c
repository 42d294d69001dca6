// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A log writer that dies at each of its stores, and in the middle of each
 * copy: what the host then reads, and what it reads after a panic writer has
 * taken over, with the same state or with one made from the header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static long die_in = -1;	/* stores until death; -1: live on */
static jmp_buf death;

static void mortal(void)
{
	if (die_in >= 0 && die_in-- == 0)
		longjmp(death, 1);
}

/* One death before the copy, one in its middle. */
static void *mortal_copy(void *dst, const void *src, size_t n)
{
	mortal();
	memmove(dst, src, n / 2);
	mortal();
	return memmove((char *)dst + n / 2, (const char *)src + n / 2,
		       n - n / 2);
}

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) \
	(mortal(), (void)(*(volatile __typeof__(x) *)&(x) = (v)))
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	WRITE_ONCE(*(p), (v))
#define smp_mb()		((void)0)
#define smp_rmb()		((void)0)
#define smp_wmb()		((void)0)
#define memcpy(d, s, n)		mortal_copy(d, s, n)

#include <linux/mk_logring.h>

#undef memcpy

#define SIZE	4096
#define MAX	(SIZE / 4)
#define BYTES	(MK_LOGRING_HEADER_BYTES + SIZE)
#define PANIC	3		/* lines of the panic writer */

static struct mk_logring *lr;

static u32 make_line(char *buf, u32 i)
{
	u32 len = 10 + (i * 2654435761U >> 7) % (i % 5 ? 300 : MAX - 10);
	u32 j;

	snprintf(buf, 10, "%08x ", i);
	for (j = 9; j < len - 1; j++)
		buf[j] = 'a' + (i + j) % 26;
	buf[len - 1] = '\n';
	return len - i % 2;	/* every other one without its '\n' */
}

static void write_line(struct mk_log_writer *w, u32 i)
{
	char line[MAX + 1];
	u32 len = make_line(line, i);

	mk_log_write(w, line, len);
}

/* Everything there is: whole lines without a gap. Returns the first's number. */
static u32 read_all(u32 *ret_end)
{
	struct mk_log_reader r = { 0 };
	char buf[SIZE], line[MAX + 1], number[9] = "";
	ssize_t n, at = 0;
	u32 i, len, first = 0, next = 0;

	n = mk_log_read(lr, SIZE, &r, buf, sizeof(buf));
	assert_true(n >= 0);
	assert_true(lr->head - lr->tail <= SIZE);
	assert_int_equal(n, lr->head - lr->tail);
	for (; at < n; at += len, next = i + 1) {
		memmove(number, buf + at, 8);
		i = strtoul(number, NULL, 16);
		if (at == 0)
			first = i;
		else
			assert_int_equal(i, next);
		len = make_line(line, i) + i % 2;
		assert_true(at + len <= n);
		assert_memory_equal(buf + at, line, len);
	}
	*ret_end = next;
	return first;
}

/*
 * Write @lines, die at store @store of the last one, let a panic writer take
 * over. False: the writer lived.
 */
static bool takeover(u32 lines, long store, bool same_state)
{
	static struct mk_log_writer w;	/* static: kept over longjmp() */
	u32 end, i, first;

	assert_int_equal(mk_logring_format(lr, SIZE, 1), 0);
	assert_int_equal(mk_log_writer_init(&w, lr, BYTES, 1), 0);
	for (i = 0; i < lines - 1; i++)
		write_line(&w, i);
	if (!setjmp(death)) {
		die_in = store;
		write_line(&w, lines - 1);
		die_in = -1;
		return false;
	}

	/* The host looks at the dead instance. */
	first = read_all(&end);
	if (lines > 1)
		assert_in_range(end, lines - 1, lines);

	/*
	 * The panic writer's lines have the numbers that follow; a line that
	 * was complete in private only may appear or not.
	 */
	if (!same_state)
		assert_int_equal(mk_log_writer_init(&w, lr, BYTES, 1), 0);
	if (same_state)
		end = w.head == lr->head ? end : lines;
	for (i = 0; i < PANIC; i++) {
		write_line(&w, end + i);
		assert_true(read_all(&first) <= end + i);
		assert_int_equal(first, end + i + 1);
	}
	return true;
}

static void test_every_store(bool same_state)
{
	u32 lines, deaths = 0;
	long store;

	for (lines = 1; lines < 150; lines++) {
		for (store = 0; takeover(lines, store, same_state); store++)
			deaths++;
		assert_true(store >= 6);
	}
	print_message("%u deaths\n", deaths);
}

static void test_same_state(void **state)
{
	(void)state;
	test_every_store(true);
}

static void test_state_from_header(void **state)
{
	(void)state;
	test_every_store(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_state),
		cmocka_unit_test(test_state_from_header),
	};
	int ret;

	lr = aligned_alloc(4096, BYTES);
	if (!lr)
		return 1;
	ret = cmocka_run_group_tests_name("logring_takeover", tests, NULL,
					  NULL);
	free(lr);
	return ret;
}

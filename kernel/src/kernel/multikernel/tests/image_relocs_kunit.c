// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the tables of a kernel that can be moved: applied right, refused when
 * they are broken, and how far such a kernel is moved.
 */
#include <linux/unaligned.h>

#include "image_test.h"

#define MOVE	0x1200000ULL

static struct sample_moving *moving_sample(struct kunit *test)
{
	struct sample_moving *moving = kunit_kzalloc(test, sizeof(*moving),
						     GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, moving);
	fill_moving(moving);
	return moving;
}

/*
 * The parser does not look behind the ELF file of a vmlinux, so that these tests
 * can hand its tables to mk_image_read_relocs() themselves.
 */
static void parse_moving(struct kunit *test, const struct sample_moving *moving,
			 struct mk_image *image)
{
	void *buf = copy_of(test, moving, sizeof(*moving));
	struct mk_refusal refusal;

	KUNIT_ASSERT_EQ(test, mk_image_parse(buf, sizeof(*moving), image,
					     &refusal), 0);
	KUNIT_ASSERT_FALSE(test, image->relocatable);
}

/* Where the image's base is 0 */
static u32 place_at(const struct mk_image *image, u32 kind, u32 i)
{
	return get_unaligned_le32(image->relocs[kind].places + 4 * i) -
	       0x80000000U - SAMPLE_TEXT_PADDR;
}

static void relocs_read(struct kunit *test)
{
	struct mk_refusal refusal;
	struct mk_image image;

	parse_moving(test, moving_sample(test), &image);
	KUNIT_ASSERT_EQ(test, mk_image_read_relocs(&image,
						   sizeof(struct sample_elf),
						   &refusal), 0);
	KUNIT_EXPECT_TRUE(test, image.relocatable);
	KUNIT_ASSERT_EQ(test, image.relocs[MK_RELOC_ADD32].nr, 2U);
	KUNIT_ASSERT_EQ(test, image.relocs[MK_RELOC_SUB32].nr, 1U);
	KUNIT_ASSERT_EQ(test, image.relocs[MK_RELOC_ADD64].nr, 2U);
	KUNIT_EXPECT_EQ(test, place_at(&image, MK_RELOC_ADD64, 0), 1U);
	KUNIT_EXPECT_EQ(test, place_at(&image, MK_RELOC_ADD64, 1), 24U);
	KUNIT_EXPECT_EQ(test, place_at(&image, MK_RELOC_SUB32, 0), 18U);
	KUNIT_EXPECT_EQ(test, place_at(&image, MK_RELOC_ADD32, 0), 11U);
	mk_image_free(&image);
}

/* What the sample's text and data are once it was moved */
static void move_sample(struct sample_elf *elf, u64 move)
{
	u8 *text = elf->text, *data = elf->data;

	put_unaligned_le64(0xccccccccccccccccULL + move, text + 1);
	put_unaligned_le64(0xccccccccccccccccULL + move, text + 24);
	put_unaligned_le32(0xccccccccU - move, text + 18);
	put_unaligned_le32(0xccccccccU + move, text + 11);
	put_unaligned_le32(0xdadadadaU + move, data + 28);
}

static void relocs_applied(struct kunit *test)
{
	const u64 data = SAMPLE_DATA_PADDR - SAMPLE_TEXT_PADDR;
	struct sample_elf *want = sample(test);
	struct mk_refusal refusal;
	struct mk_image image;
	u8 *to = vzalloc(SAMPLE_SPAN);

	KUNIT_ASSERT_NOT_NULL(test, to);
	parse_moving(test, moving_sample(test), &image);
	KUNIT_ASSERT_EQ(test, mk_image_read_relocs(&image, sizeof(*want),
						   &refusal), 0);
	mk_image_place(&image, to, 0);
	KUNIT_EXPECT_MEMEQ(test, to, want->text, sizeof(want->text));
	KUNIT_EXPECT_MEMEQ(test, to + data, want->data, sizeof(want->data));

	mk_image_place(&image, to, MOVE);
	move_sample(want, MOVE);
	KUNIT_EXPECT_MEMEQ(test, to, want->text, sizeof(want->text));
	KUNIT_EXPECT_MEMEQ(test, to + data, want->data, sizeof(want->data));
	KUNIT_EXPECT_NULL(test, memchr_inv(to + sizeof(want->text), 0,
					   data - sizeof(want->text)));
	KUNIT_EXPECT_NULL(test, memchr_inv(to + data + sizeof(want->data), 0,
					   SAMPLE_SPAN - data -
					   sizeof(want->data)));
	vfree(to);
	mk_image_free(&image);
}

/* A word of the tables, what to write there, and the place that is blamed */
struct table_case {
	const char *name;
	size_t offset;
	u32 value;
	u64 a;
	u64 b;
};

#define WRONG_PLACE(_name, word, _value, bytes) {			\
	.name = _name,							\
	.offset = offsetof(struct sample_moving, word),			\
	.value = _value,						\
	.a = (u64)(s64)(s32)(_value),					\
	.b = bytes,							\
}

#define WRONG_TABLE(_name, word, _value) {				\
	.name = _name,							\
	.offset = offsetof(struct sample_moving, word),			\
	.value = _value,						\
}

static const struct table_case table_cases[] = {
	WRONG_PLACE("64 bits over the end", add64[1], TEXT_PLACE(25), 8),
	WRONG_PLACE("64 bits in bss", add64[0], DATA_PLACE(32), 8),
	WRONG_PLACE("64 bits far away", add64[0], TEXT_PLACE(0x70000000), 8),
	WRONG_PLACE("less over the end", sub32, TEXT_PLACE(29), 4),
	WRONG_PLACE("less before the text", sub32, TEXT_PLACE(-1), 4),
	WRONG_PLACE("32 bits over the end", add32[1], DATA_PLACE(29), 4),
	WRONG_PLACE("32 bits between segments", add32[0], TEXT_PLACE(0x1000),
		    4),
	WRONG_PLACE("32 bits at the start", add32[0], 0x80000000, 4),
	WRONG_PLACE("32 bits below the kernel", add32[0], 0x7fffffff, 4),
	WRONG_PLACE("32 bits of user space", add32[0], 1, 4),
	WRONG_PLACE("32 bits at the end of all", add32[0], 0xffffffff, 4),
	WRONG_TABLE("no first zero", zero64, TEXT_PLACE(0)),
	WRONG_TABLE("no second zero", zero_sub32, TEXT_PLACE(0)),
	WRONG_TABLE("no third zero", zero32, TEXT_PLACE(0)),
	WRONG_TABLE("zero too early", add64[1], 0),
	WRONG_TABLE("zero in the last table", add32[1], 0),
};

KUNIT_ARRAY_PARAM_DESC(table_cases, table_cases, name);

static void relocs_broken(struct kunit *test)
{
	const struct table_case *c = test->param_value;
	struct sample_moving *moving = moving_sample(test);
	struct mk_refusal refusal;
	struct mk_image image;

	memcpy((u8 *)moving + c->offset, &c->value, sizeof(c->value));
	parse_moving(test, moving, &image);
	KUNIT_EXPECT_EQ(test, mk_image_read_relocs(&image,
						   sizeof(struct sample_elf),
						   &refusal), -ENOEXEC);
	KUNIT_EXPECT_EQ(test, refusal.reason, (u32)MK_REASON_IMAGE_RELOCS);
	KUNIT_EXPECT_EQ(test, refusal.a, c->a);
	KUNIT_EXPECT_EQ(test, refusal.b, c->b);
	KUNIT_EXPECT_FALSE(test, image.relocatable);
	mk_image_free(&image);
}

/* They start too late, at every byte where they can. */
static void relocs_truncated(struct kunit *test)
{
	const size_t start = sizeof(struct sample_elf);
	struct mk_refusal refusal;
	struct mk_image image;
	size_t cut;

	parse_moving(test, moving_sample(test), &image);
	for (cut = 1; cut < SAMPLE_TABLES_BYTES; cut++) {
		KUNIT_ASSERT_EQ_MSG(test,
				    mk_image_read_relocs(&image, start + cut,
							 &refusal),
				    -ENOEXEC, "%zu bytes", cut);
		KUNIT_EXPECT_EQ(test, refusal.reason,
				(u32)MK_REASON_IMAGE_RELOCS);
	}
	KUNIT_EXPECT_EQ(test, mk_image_read_relocs(&image, image.len,
						   &refusal), 0);
	KUNIT_EXPECT_FALSE(test, image.relocatable);
	mk_image_free(&image);
}

static void expect_places_inside(struct kunit *test,
				 const struct mk_image *image)
{
	const u32 data = SAMPLE_DATA_PADDR - SAMPLE_TEXT_PADDR;
	u32 kind, i, at, last;

	for (kind = 0; kind < MK_NR_RELOCS; kind++) {
		last = kind == MK_RELOC_ADD64 ? 24 : 28;
		for (i = 0; i < image->relocs[kind].nr; i++) {
			at = place_at(image, kind, i);
			KUNIT_EXPECT_TRUE(test, at <= last ||
					  (at >= data && at - data <= last));
		}
	}
}

/* Any bit may be wrong: refused, or the places are still inside. */
static void relocs_flips(struct kunit *test)
{
	const size_t start = sizeof(struct sample_elf);
	u32 i, accepted = 0, bits = 8 * SAMPLE_TABLES_BYTES;
	struct mk_refusal refusal;
	struct mk_image image;
	u8 *tables;

	parse_moving(test, moving_sample(test), &image);
	tables = image.buf + start;
	for (i = 0; i < bits; i++) {
		flip(tables, i);
		if (!mk_image_read_relocs(&image, start, &refusal)) {
			expect_places_inside(test, &image);
			accepted++;
		}
		flip(tables, i);
	}
	KUNIT_EXPECT_GT(test, accepted, 0U);
	KUNIT_EXPECT_LT(test, accepted, bits / 2);
	mk_image_free(&image);
}

static void relocs_how_far(struct kunit *test)
{
	struct mk_image image = {
		.relocatable = true,
		.base = SZ_16M,
		.span = SZ_16M,
	};
	u64 move, least = U64_MAX, most = 0;
	u32 i;

	/* From 16M to 1G - 16M, both included */
	KUNIT_EXPECT_EQ(test, mk_image_slots(&image), 497U);
	for (i = 0; i < 5000; i++) {
		move = mk_image_random_move(&image);
		KUNIT_ASSERT_EQ(test, move % MK_IMAGE_ALIGN, 0ULL);
		least = min(least, move);
		most = max(most, move);
	}
	/* That none of them is among the 20 at an end does not happen. */
	KUNIT_EXPECT_LT(test, least, 20ULL * MK_IMAGE_ALIGN);
	KUNIT_EXPECT_LE(test, most, 496ULL * MK_IMAGE_ALIGN);
	KUNIT_EXPECT_GT(test, most, 476ULL * MK_IMAGE_ALIGN);

	image.span = SZ_1G - SZ_16M;
	KUNIT_EXPECT_EQ(test, mk_image_slots(&image), 1U);
	KUNIT_EXPECT_EQ(test, mk_image_random_move(&image), 0ULL);
}

static void relocs_whether(struct kunit *test)
{
	struct mk_image image = {
		.relocatable = true,
		.base = SZ_16M,
		.span = SZ_16M,
	};

	KUNIT_EXPECT_TRUE(test, mk_image_may_move(&image, ""));
	KUNIT_EXPECT_TRUE(test, mk_image_may_move(&image, "kaslr nokaslrs"));
	KUNIT_EXPECT_FALSE(test, mk_image_may_move(&image, "nokaslr"));
	KUNIT_EXPECT_FALSE(test, mk_image_may_move(&image, "a nokaslr b"));
	image.span = SZ_1G - SZ_16M + PAGE_SIZE;
	KUNIT_EXPECT_FALSE(test, mk_image_may_move(&image, ""));
	image.base = -(u64)SZ_16M;
	KUNIT_EXPECT_FALSE(test, mk_image_may_move(&image, ""));
	image.base = SZ_16M;
	image.span = SZ_16M;
	image.relocatable = false;
	KUNIT_EXPECT_FALSE(test, mk_image_may_move(&image, ""));
}

static struct kunit_case relocs_cases[] = {
	KUNIT_CASE(relocs_read),
	KUNIT_CASE(relocs_applied),
	KUNIT_CASE_PARAM(relocs_broken, table_cases_gen_params),
	KUNIT_CASE(relocs_truncated),
	KUNIT_CASE(relocs_flips),
	KUNIT_CASE(relocs_how_far),
	KUNIT_CASE(relocs_whether),
	{}
};

static struct kunit_suite relocs_suite = {
	.name = "multikernel_image_relocs",
	.test_cases = relocs_cases,
};

kunit_test_suites(&relocs_suite);

MODULE_DESCRIPTION("Tests of the multikernel's image parser: moved kernels");
MODULE_LICENSE("GPL");

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the image parser share: buffers to break, and what every
 * image that was accepted has to fulfil.
 */
#ifndef _MULTIKERNEL_IMAGE_TEST_H
#define _MULTIKERNEL_IMAGE_TEST_H

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/vmalloc.h>

#include "../image.h"
#include "image_sample.h"

#define FLIP_ROUNDS	2000

/* vmalloc'ed with nothing behind it, so that KASAN sees a read past the end */
static __maybe_unused void *copy_of(struct kunit *test, const void *data,
				    size_t len)
{
	void *buf = vmalloc(len);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	memcpy(buf, data, len);
	return buf;
}

/* A valid ELF file, freed with the test */
static __maybe_unused struct sample_elf *sample(struct kunit *test)
{
	struct sample_elf *elf = kunit_kzalloc(test, sizeof(*elf), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, elf);
	fill_elf(elf);
	return elf;
}

/* What every accepted image promises, whatever was flipped in it. */
static __maybe_unused void expect_sane(struct kunit *test,
				       const struct mk_image *image)
{
	u32 i;

	KUNIT_EXPECT_GE(test, image->nr_segments, 1U);
	KUNIT_EXPECT_LE(test, image->nr_segments, (u32)MK_IMAGE_SEGMENTS);
	KUNIT_EXPECT_LE(test, image->span, (u64)MK_IMAGE_SPAN_MAX);
	KUNIT_EXPECT_LT(test, image->entry, image->span);
	KUNIT_EXPECT_EQ(test, image->abi_version, (u32)MK_ABI_VERSION);
	KUNIT_EXPECT_EQ(test, image->features & MK_FEATURES_NEEDED,
			MK_FEATURES_NEEDED);
	for (i = 0; i < image->nr_segments; i++) {
		const struct mk_image_segment *s = &image->segment[i];
		size_t offset = s->data - image->buf;

		KUNIT_EXPECT_LE(test, s->filesz, s->memsz);
		KUNIT_EXPECT_LE(test, s->memsz, image->span);
		KUNIT_EXPECT_LE(test, s->offset, image->span - s->memsz);
		KUNIT_EXPECT_LE(test, s->filesz, (u64)image->len);
		KUNIT_EXPECT_LE(test, offset, image->len - s->filesz);
	}
}

static __maybe_unused void expect_sample(struct kunit *test,
					 const struct mk_image *image)
{
	const struct mk_image_segment *s = image->segment;
	const struct sample_elf *elf = sample(test);

	expect_sane(test, image);
	KUNIT_ASSERT_EQ(test, image->len, sizeof(*elf));
	KUNIT_EXPECT_MEMEQ(test, image->buf, elf, sizeof(*elf));
	KUNIT_EXPECT_EQ(test, image->entry, (u64)SAMPLE_ENTRY);
	KUNIT_EXPECT_EQ(test, image->span, (u64)SAMPLE_SPAN);
	KUNIT_EXPECT_EQ(test, image->base, (u64)SAMPLE_TEXT_PADDR);
	KUNIT_EXPECT_EQ(test, image->features, MK_FEATURES);
	KUNIT_EXPECT_FALSE(test, image->relocatable);
	KUNIT_ASSERT_EQ(test, image->nr_segments, 2U);
	KUNIT_EXPECT_EQ(test, s[0].offset, 0ULL);
	KUNIT_EXPECT_EQ(test, s[0].memsz, (u64)SAMPLE_TEXT_MEMSZ);
	KUNIT_EXPECT_MEMEQ(test, s[0].data, elf->text, sizeof(elf->text));
	KUNIT_EXPECT_EQ(test, s[1].offset,
			(u64)SAMPLE_DATA_PADDR - SAMPLE_TEXT_PADDR);
	KUNIT_EXPECT_EQ(test, s[1].filesz, (u64)sizeof(elf->data));
	KUNIT_EXPECT_MEMEQ(test, s[1].data, elf->data, sizeof(elf->data));
}

static __maybe_unused void flip(u8 *buf, u32 bit)
{
	buf[bit / 8] ^= 1 << bit % 8;
}

#endif /* _MULTIKERNEL_IMAGE_TEST_H */

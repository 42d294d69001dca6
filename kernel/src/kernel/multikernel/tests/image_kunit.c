// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the image parser with ELF files: a small one made in memory, then
 * broken one field, one length or a few bits at a time. What must be refused
 * is refused for the right reason, and what is accepted stays in its buffer.
 */
#include "image_test.h"

static void elf_good(struct kunit *test)
{
	struct mk_refusal refusal;
	struct mk_image image;
	struct sample_elf *elf = sample(test);
	void *buf;

	buf = copy_of(test, elf, sizeof(*elf));
	KUNIT_ASSERT_EQ(test, mk_image_parse(buf, sizeof(*elf), &image,
					     &refusal), 0);
	KUNIT_EXPECT_PTR_EQ(test, image.buf, buf);
	expect_sample(test, &image);
	mk_image_free(&image);
	KUNIT_EXPECT_NULL(test, image.buf);
	mk_image_free(NULL);
}

/*
 * Segments that touch are no overlap, and the base is rounded down: here both
 * lie behind the first page of it.
 */
static void elf_placed(struct kunit *test)
{
	struct sample_elf *elf = sample(test);
	struct mk_refusal refusal;
	struct mk_image image;
	void *buf;

	elf->phdr[0].p_paddr += SAMPLE_TEXT_MEMSZ;
	elf->ehdr.e_entry += SAMPLE_TEXT_MEMSZ;
	elf->phdr[1].p_paddr = SAMPLE_TEXT_PADDR + 2 * SAMPLE_TEXT_MEMSZ;
	buf = copy_of(test, elf, sizeof(*elf));
	KUNIT_ASSERT_EQ(test, mk_image_parse(buf, sizeof(*elf), &image,
					     &refusal), 0);
	expect_sane(test, &image);
	KUNIT_EXPECT_EQ(test, image.segment[0].offset,
			(u64)SAMPLE_TEXT_MEMSZ);
	KUNIT_EXPECT_EQ(test, image.segment[1].offset,
			2ULL * SAMPLE_TEXT_MEMSZ);
	KUNIT_EXPECT_EQ(test, image.entry,
			(u64)SAMPLE_TEXT_MEMSZ + SAMPLE_ENTRY);
	KUNIT_EXPECT_EQ(test, image.span,
			(u64)ALIGN(2 * SAMPLE_TEXT_MEMSZ +
				   SAMPLE_DATA_MEMSZ, PAGE_SIZE));
	mk_image_free(&image);
}

/* The order in the file is not that in memory. */
static void elf_descending(struct kunit *test)
{
	struct sample_elf *elf = sample(test);
	struct mk_refusal refusal;
	struct mk_image image;
	void *buf;

	elf->phdr[1].p_paddr = SAMPLE_TEXT_PADDR - MK_IMAGE_ALIGN;
	buf = copy_of(test, elf, sizeof(*elf));
	KUNIT_ASSERT_EQ(test, mk_image_parse(buf, sizeof(*elf), &image,
					     &refusal), 0);
	expect_sane(test, &image);
	KUNIT_EXPECT_EQ(test, image.segment[0].offset, (u64)MK_IMAGE_ALIGN);
	KUNIT_EXPECT_EQ(test, image.segment[1].offset, 0ULL);
	KUNIT_EXPECT_EQ(test, image.entry,
			(u64)MK_IMAGE_ALIGN + SAMPLE_ENTRY);
	mk_image_free(&image);
}

/* A field of the sample, what to write there, and what must be said of it */
struct elf_case {
	const char *name;
	size_t offset;
	size_t bytes;
	u64 value;
	enum mk_reason reason;
	u64 a;
	u64 b;
};

#define ELF_CASE(_name, field, _value, _reason, _a, _b) {		\
	.name = _name,							\
	.offset = offsetof(struct sample_elf, field),			\
	.bytes = sizeof_field(struct sample_elf, field),		\
	.value = _value,						\
	.reason = MK_REASON_IMAGE_##_reason,				\
	.a = _a,							\
	.b = _b,							\
}

static const struct elf_case elf_cases[] = {
	ELF_CASE("magic", ehdr.e_ident[EI_MAG1], 'e', FORMAT, 0, 0),
	ELF_CASE("32 bit", ehdr.e_ident[EI_CLASS], ELFCLASS32, MACHINE,
		 EM_X86_64, 0),
	ELF_CASE("big endian", ehdr.e_ident[EI_DATA], ELFDATA2MSB, MACHINE,
		 EM_X86_64, 0),
	ELF_CASE("ident version", ehdr.e_ident[EI_VERSION], 2, FORMAT, 0, 0),
	ELF_CASE("machine", ehdr.e_machine, EM_AARCH64, MACHINE, EM_AARCH64,
		 0),
	ELF_CASE("object file", ehdr.e_type, ET_REL, FORMAT, 0, 0),
	ELF_CASE("phentsize", ehdr.e_phentsize, 55, FORMAT, 0, 0),
	ELF_CASE("phoff past the end", ehdr.e_phoff, 0x10000, TRUNCATED,
		 0x10000 + 3 * sizeof(Elf64_Phdr), sizeof(struct sample_elf)),
	ELF_CASE("phoff wraps", ehdr.e_phoff, -8ULL, SEGMENT, -8ULL,
		 3 * sizeof(Elf64_Phdr)),
	ELF_CASE("phnum past the end", ehdr.e_phnum, 0xffff, TRUNCATED,
		 sizeof(Elf64_Ehdr) + 0xffff * sizeof(Elf64_Phdr),
		 sizeof(struct sample_elf)),
	ELF_CASE("no program headers", ehdr.e_phnum, 0, SEGMENT, 0, 0),
	ELF_CASE("shoff past the end", ehdr.e_shoff, 0x10000, TRUNCATED,
		 0x10000 + sizeof(Elf64_Shdr), sizeof(struct sample_elf)),
	ELF_CASE("entry before the text", ehdr.e_entry, SAMPLE_TEXT_PADDR - 1,
		 ENTRY, SAMPLE_TEXT_PADDR - 1, 0),
	ELF_CASE("entry virtual", ehdr.e_entry, 0xffffffff81000010, ENTRY,
		 0xffffffff81000010, 0),
	ELF_CASE("entry in what is zeroed", ehdr.e_entry,
		 SAMPLE_TEXT_PADDR + 32, ENTRY, SAMPLE_TEXT_PADDR + 32, 0),
	ELF_CASE("entry in data", ehdr.e_entry, SAMPLE_DATA_PADDR, ENTRY,
		 SAMPLE_DATA_PADDR, 0),
	ELF_CASE("text not executable", phdr[0].p_flags, PF_R, ENTRY,
		 SAMPLE_TEXT_PADDR + SAMPLE_ENTRY, 0),
	ELF_CASE("filesz above memsz", phdr[1].p_memsz, 31, SEGMENT,
		 SAMPLE_DATA_PADDR, 31),
	ELF_CASE("filesz past the end", phdr[0].p_filesz, 0x1000, TRUNCATED,
		 offsetof(struct sample_elf, text) + 0x1000,
		 sizeof(struct sample_elf)),
	ELF_CASE("offset wraps", phdr[0].p_offset, -16ULL, SEGMENT, -16ULL,
		 32),
	ELF_CASE("paddr wraps", phdr[1].p_paddr, -16ULL, SEGMENT, -16ULL,
		 SAMPLE_DATA_MEMSZ),
	ELF_CASE("memsz wraps", phdr[1].p_memsz, -16ULL, SEGMENT,
		 SAMPLE_DATA_PADDR, -16ULL),
	ELF_CASE("overlap", phdr[1].p_paddr, SAMPLE_TEXT_PADDR + 0xfff,
		 SEGMENT, SAMPLE_TEXT_PADDR + 0xfff, SAMPLE_DATA_MEMSZ),
	ELF_CASE("overlap from below", phdr[1].p_paddr,
		 SAMPLE_TEXT_PADDR - 0x3000, SEGMENT,
		 SAMPLE_TEXT_PADDR - 0x3000, SAMPLE_DATA_MEMSZ),
	ELF_CASE("far apart", phdr[1].p_paddr, 0x80000000, TOO_LARGE,
		 0x80000000 + SAMPLE_DATA_MEMSZ - SAMPLE_TEXT_PADDR,
		 MK_IMAGE_SPAN_MAX),
	ELF_CASE("huge bss", phdr[1].p_memsz, 0x40000000, TOO_LARGE,
		 0x40000000 + SAMPLE_DATA_PADDR - SAMPLE_TEXT_PADDR,
		 MK_IMAGE_SPAN_MAX),
	ELF_CASE("no note segment", phdr[2].p_type, PT_NULL, NO_NOTE, 0, 0),
	ELF_CASE("note past the end", phdr[2].p_filesz, 0x1000, TRUNCATED,
		 offsetof(struct sample_elf, other_note) + 0x1000,
		 sizeof(struct sample_elf)),
	ELF_CASE("note cut short", phdr[2].p_filesz,
		 2 * sizeof(struct sample_note) - 1, NO_NOTE, 0, 0),
	ELF_CASE("note of another type", note.nhdr.n_type, 0x6d6b0002,
		 NO_NOTE, 0, 0),
	ELF_CASE("note of another name", note.name[0], 'l', NO_NOTE, 0, 0),
	ELF_CASE("note name too long", note.nhdr.n_namesz, 7, NO_NOTE, 0, 0),
	ELF_CASE("note name huge", note.nhdr.n_namesz, 0xffffffff, NO_NOTE, 0,
		 0),
	ELF_CASE("note before it huge", other_note.nhdr.n_descsz, 0xfffffffd,
		 NO_NOTE, 0, 0),
	ELF_CASE("note without content", note.nhdr.n_descsz, 0, NO_NOTE, 0,
		 0),
	ELF_CASE("ABI newer", note.desc.abi_version, MK_ABI_VERSION + 1, ABI,
		 MK_ABI_VERSION + 1, MK_ABI_VERSION),
	ELF_CASE("feature missing", note.desc.features_low,
		 MK_FEATURES & ~MK_FEATURE_STOP, FEATURES,
		 MK_FEATURES & ~MK_FEATURE_STOP, MK_FEATURES_NEEDED),
	ELF_CASE("other features only", note.desc.features_low, 0xffff0000,
		 FEATURES, 0xffff0000, MK_FEATURES_NEEDED),
	ELF_CASE("note without features", note.nhdr.n_descsz, 4, FEATURES, 0,
		 MK_FEATURES_NEEDED),
};

KUNIT_ARRAY_PARAM_DESC(elf_cases, elf_cases, name);

static void elf_broken(struct kunit *test)
{
	const struct elf_case *c = test->param_value;
	struct mk_refusal refusal;
	struct mk_image image = {};
	struct sample_elf *elf = sample(test);
	void *buf;
	int err;

	memcpy((u8 *)elf + c->offset, &c->value, c->bytes);
	buf = copy_of(test, elf, sizeof(*elf));
	err = mk_image_parse(buf, sizeof(*elf), &image, &refusal);
	KUNIT_ASSERT_LT(test, err, 0);
	KUNIT_EXPECT_EQ(test, refusal.reason, (u32)c->reason);
	KUNIT_EXPECT_EQ(test, refusal.a, c->a);
	KUNIT_EXPECT_EQ(test, refusal.b, c->b);
	KUNIT_EXPECT_NULL(test, image.buf);
	vfree(buf);
}

static void elf_too_many_segments(struct kunit *test)
{
	const u32 nr = MK_IMAGE_SEGMENTS + 1;
	Elf64_Ehdr ehdr = {
		.e_ident = {
			ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			ELFDATA2LSB, EV_CURRENT,
		},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_phoff = sizeof(ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = nr,
	};
	size_t len = sizeof(ehdr) + nr * sizeof(Elf64_Phdr);
	struct mk_refusal refusal;
	struct mk_image image;
	Elf64_Phdr *phdr;
	void *buf;
	u32 i;

	buf = vzalloc(len);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	memcpy(buf, &ehdr, sizeof(ehdr));
	phdr = buf + sizeof(ehdr);
	for (i = 0; i < nr; i++) {
		phdr[i].p_type = PT_LOAD;
		phdr[i].p_paddr = i * PAGE_SIZE;
		phdr[i].p_memsz = PAGE_SIZE;
	}
	KUNIT_ASSERT_LT(test, mk_image_parse(buf, len, &image, &refusal), 0);
	KUNIT_EXPECT_EQ(test, refusal.reason, (u32)MK_REASON_IMAGE_SEGMENT);
	KUNIT_EXPECT_EQ(test, refusal.a, (u64)(nr - 1) * PAGE_SIZE);
	vfree(buf);
}

static void elf_truncated(struct kunit *test)
{
	struct mk_refusal refusal;
	struct mk_image image;
	struct sample_elf *elf = sample(test);
	size_t len;

	for (len = 1; len < sizeof(*elf); len++) {
		void *buf = copy_of(test, elf, len);
		int err = mk_image_parse(buf, len, &image, &refusal);

		KUNIT_ASSERT_LT(test, err, 0);
		if (len < SELFMAG) {
			KUNIT_EXPECT_EQ(test, refusal.reason,
					(u32)MK_REASON_IMAGE_FORMAT);
		} else {
			KUNIT_EXPECT_EQ(test, refusal.reason,
					(u32)MK_REASON_IMAGE_TRUNCATED);
			KUNIT_EXPECT_GT(test, refusal.a, (u64)len);
			KUNIT_EXPECT_EQ(test, refusal.b, (u64)len);
		}
		vfree(buf);
	}
}

/* Any result will do as long as it keeps its promises. */
static void elf_random_flips(struct kunit *test)
{
	struct mk_refusal refusal;
	struct rnd_state rnd;
	struct mk_image image;
	struct sample_elf *elf = sample(test);
	u32 i, j, accepted = 0;
	u8 *buf;

	buf = copy_of(test, elf, sizeof(*elf));
	prandom_seed_state(&rnd, 1);
	for (i = 0; i < FLIP_ROUNDS; i++) {
		memcpy(buf, elf, sizeof(*elf));
		for (j = 0; j <= i % 4; j++)
			flip(buf, prandom_u32_state(&rnd) %
			     (8 * sizeof(*elf)));
		if (!mk_image_parse(buf, sizeof(*elf), &image, &refusal)) {
			expect_sane(test, &image);
			accepted++;
		} else {
			KUNIT_EXPECT_NE(test, refusal.reason,
					(u32)MK_REASON_NONE);
		}
	}
	/* Flips in the text change nothing that is parsed. */
	KUNIT_EXPECT_GT(test, accepted, 0U);
	KUNIT_EXPECT_LT(test, accepted, (u32)FLIP_ROUNDS);
	vfree(buf);
}

static struct kunit_case image_cases[] = {
	KUNIT_CASE(elf_good),
	KUNIT_CASE(elf_placed),
	KUNIT_CASE(elf_descending),
	KUNIT_CASE_PARAM(elf_broken, elf_cases_gen_params),
	KUNIT_CASE(elf_too_many_segments),
	KUNIT_CASE(elf_truncated),
	KUNIT_CASE(elf_random_flips),
	{}
};

static struct kunit_suite image_suite = {
	.name = "multikernel_image",
	.test_cases = image_cases,
};

kunit_test_suites(&image_suite);

MODULE_DESCRIPTION("Tests of the multikernel's image parser: ELF");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the image parser with an ELF file that has section headers, as a
 * vmlinux has: each bit of its tables is flipped, and fields are changed. Either
 * it is refused, or what the loader reads of it is what it was.
 */
#include <linux/mm.h>

#include "image_test.h"

#define SECTION_TEXT	1	/* 0 is none */
#define SECTION_BSS	2
#define SECTION_PERCPU	3
#define SECTION_ZEROS	4	/* behind it */
#define SECTION_COMMENT	5	/* takes no memory */
#define NR_SECTIONS	6

struct sectioned {
	struct sample_elf elf;
	Elf64_Shdr shdr[NR_SECTIONS];
};

#define TEXT_VADDR	0xffffffff81000000
#define TEXT_BYTES	sizeof_field(struct sample_elf, text)
#define DATA_BYTES	sizeof_field(struct sample_elf, data)
#define PERCPU_PADDR	(SAMPLE_TEXT_PADDR + SAMPLE_TEXT_MEMSZ)

static void fill_section(Elf64_Shdr *s, u32 type, u64 flags, u64 addr,
			 u64 offset, u64 size)
{
	*s = (Elf64_Shdr){
		.sh_type = type,
		.sh_flags = flags,
		.sh_addr = addr,
		.sh_offset = offset,
		.sh_size = size,
	};
}

static struct sectioned *sectioned(struct kunit *test)
{
	struct sectioned *file = kunit_kzalloc(test, sizeof(*file),
					       GFP_KERNEL);
	const u64 text = offsetof(struct sample_elf, text);
	const u64 data = offsetof(struct sample_elf, data);

	KUNIT_ASSERT_NOT_NULL(test, file);
	fill_elf(&file->elf);
	file->elf.ehdr.e_entry = SAMPLE_TEXT_PADDR;
	file->elf.ehdr.e_shoff = offsetof(struct sectioned, shdr);
	file->elf.ehdr.e_shnum = NR_SECTIONS;
	file->elf.phdr[1].p_paddr = PERCPU_PADDR;
	fill_section(&file->shdr[SECTION_TEXT], SHT_PROGBITS,
		     SHF_ALLOC | SHF_EXECINSTR, TEXT_VADDR, text, TEXT_BYTES);
	fill_section(&file->shdr[SECTION_BSS], SHT_NOBITS,
		     SHF_ALLOC | SHF_WRITE, TEXT_VADDR + TEXT_BYTES, text,
		     SAMPLE_TEXT_MEMSZ - TEXT_BYTES);
	fill_section(&file->shdr[SECTION_PERCPU], SHT_PROGBITS,
		     SHF_ALLOC | SHF_WRITE, 0, data, DATA_BYTES);
	fill_section(&file->shdr[SECTION_ZEROS], SHT_NOBITS,
		     SHF_ALLOC | SHF_WRITE, DATA_BYTES, data,
		     SAMPLE_DATA_MEMSZ - DATA_BYTES);
	fill_section(&file->shdr[SECTION_COMMENT], SHT_PROGBITS, 0, 0, text,
		     1);
	return file;
}

/* Is it read as the sample is? */
static void expect_as_good(struct kunit *test, const struct mk_image *image)
{
	const struct mk_image_segment *s = image->segment;
	const struct sectioned *file = image->buf;

	KUNIT_ASSERT_EQ(test, image->nr_segments, 2U);
	KUNIT_EXPECT_EQ(test, image->base, (u64)SAMPLE_TEXT_PADDR);
	KUNIT_EXPECT_EQ(test, image->entry, 0ULL);
	KUNIT_EXPECT_EQ(test, image->span,
			PAGE_ALIGN(SAMPLE_TEXT_MEMSZ + SAMPLE_DATA_MEMSZ));
	KUNIT_EXPECT_EQ(test, s[0].offset, 0ULL);
	KUNIT_EXPECT_EQ(test, s[0].memsz, (u64)SAMPLE_TEXT_MEMSZ);
	KUNIT_EXPECT_EQ(test, s[0].filesz, (u64)TEXT_BYTES);
	KUNIT_EXPECT_PTR_EQ(test, s[0].data, (const void *)file->elf.text);
	KUNIT_EXPECT_EQ(test, s[1].offset, (u64)SAMPLE_TEXT_MEMSZ);
	KUNIT_EXPECT_EQ(test, s[1].memsz, (u64)SAMPLE_DATA_MEMSZ);
	KUNIT_EXPECT_EQ(test, s[1].filesz, (u64)DATA_BYTES);
	KUNIT_EXPECT_PTR_EQ(test, s[1].data, (const void *)file->elf.data);
}

static void sections_good(struct kunit *test)
{
	struct sectioned *file = sectioned(test);
	struct mk_refusal refusal = {};
	struct mk_image image;
	void *buf = copy_of(test, file, sizeof(*file));

	KUNIT_ASSERT_EQ_MSG(test, mk_image_parse(buf, sizeof(*file), &image,
						 &refusal), 0,
			    "refused for reason %u, %llx", refusal.reason,
			    refusal.a);
	expect_as_good(test, &image);
	mk_image_free(&image);
}

/* Each bit of the header, of the program headers and of the section headers */
static void sections_flips(struct kunit *test)
{
	const u32 tables = 8 * offsetof(struct sample_elf, other_note);
	const u32 bits = tables + 8 * NR_SECTIONS * sizeof(Elf64_Shdr);
	struct sectioned *file = sectioned(test);
	u32 i, bit, refused = 0, equal = 0;
	struct mk_refusal refusal;
	struct mk_image image;
	u8 *buf = copy_of(test, file, sizeof(*file));

	for (i = 0; i < bits; i++) {
		bit = i < tables ? i : i - tables +
		      8 * offsetof(struct sectioned, shdr);
		flip(buf, bit);
		memset(&refusal, 0, sizeof(refusal));
		if (mk_image_parse(buf, sizeof(*file), &image, &refusal)) {
			KUNIT_EXPECT_NE(test, refusal.reason,
					(u32)MK_REASON_NONE);
			refused++;
		} else {
			expect_as_good(test, &image);
			equal++;
		}
		flip(buf, bit);
	}
	/* e_flags, p_align and the like say nothing; most other bits do. */
	KUNIT_EXPECT_GT(test, equal, bits / 10);
	KUNIT_EXPECT_GT(test, refused, bits / 3);
	vfree(buf);
}

struct section_case {
	const char *name;
	size_t offset;
	size_t bytes;
	u64 value;
	enum mk_reason reason;
	u64 a;
};

#define SECTION_CASE(_name, field, _value, _reason, _a) {		\
	.name = _name,							\
	.offset = offsetof(struct sectioned, field),			\
	.bytes = sizeof_field(struct sectioned, field),			\
	.value = _value,						\
	.reason = MK_REASON_IMAGE_##_reason,				\
	.a = _a,							\
}

static const struct section_case section_cases[] = {
	SECTION_CASE("entry in the middle", elf.ehdr.e_entry,
		     SAMPLE_TEXT_PADDR + SAMPLE_ENTRY, ENTRY,
		     SAMPLE_TEXT_PADDR + SAMPLE_ENTRY),
	SECTION_CASE("no code", shdr[SECTION_TEXT].sh_flags, SHF_ALLOC,
		     ENTRY, SAMPLE_TEXT_PADDR),
	SECTION_CASE("size of a section header", elf.ehdr.e_shentsize, 63,
		     FORMAT, 0),
	SECTION_CASE("segment forgotten", elf.phdr[1].p_type, PT_NULL,
		     SEGMENT, 0),
	SECTION_CASE("segment moved in the file", elf.phdr[0].p_offset,
		     offsetof(struct sample_elf, note), SEGMENT, TEXT_VADDR),
	SECTION_CASE("segment moved in memory", elf.phdr[1].p_paddr,
		     PERCPU_PADDR + PAGE_SIZE, SEGMENT,
		     PERCPU_PADDR + PAGE_SIZE),
	SECTION_CASE("segment moved by bytes", elf.phdr[1].p_paddr,
		     PERCPU_PADDR + 8, SEGMENT, PERCPU_PADDR + 8),
	SECTION_CASE("virtual address moved", elf.phdr[0].p_vaddr,
		     TEXT_VADDR + PAGE_SIZE, SEGMENT, SAMPLE_TEXT_PADDR),
	SECTION_CASE("less in the file", elf.phdr[1].p_filesz, DATA_BYTES - 1,
		     SEGMENT, PERCPU_PADDR),
	SECTION_CASE("more in memory", elf.phdr[1].p_memsz,
		     SAMPLE_DATA_MEMSZ + 1, SEGMENT, PERCPU_PADDR),
	SECTION_CASE("less in memory", elf.phdr[1].p_memsz,
		     SAMPLE_DATA_MEMSZ - 1, SEGMENT, PERCPU_PADDR),
	SECTION_CASE("section outside", shdr[SECTION_ZEROS].sh_addr,
		     -16ULL, SEGMENT, PERCPU_PADDR),
	SECTION_CASE("sections elsewhere", elf.ehdr.e_shoff, 8, SEGMENT,
		     SAMPLE_TEXT_PADDR),
};

KUNIT_ARRAY_PARAM_DESC(section_cases, section_cases, name);

static void sections_broken(struct kunit *test)
{
	const struct section_case *c = test->param_value;
	struct sectioned *file = sectioned(test);
	struct mk_refusal refusal = {};
	struct mk_image image;
	void *buf;

	memcpy((u8 *)file + c->offset, &c->value, c->bytes);
	buf = copy_of(test, file, sizeof(*file));
	KUNIT_ASSERT_LT(test, mk_image_parse(buf, sizeof(*file), &image,
					     &refusal), 0);
	KUNIT_EXPECT_EQ(test, refusal.reason, (u32)c->reason);
	KUNIT_EXPECT_EQ(test, refusal.a, c->a);
	vfree(buf);
}

/* Removed, as sstrip does: there is nothing to compare. */
static void sections_none(struct kunit *test)
{
	struct sectioned *file = sectioned(test);
	struct mk_refusal refusal;
	struct mk_image image;
	void *buf;

	file->elf.ehdr.e_shoff = 0;
	file->elf.ehdr.e_shnum = 0;
	buf = copy_of(test, file, sizeof(*file));
	KUNIT_ASSERT_EQ(test, mk_image_parse(buf, sizeof(*file), &image,
					     &refusal), 0);
	expect_as_good(test, &image);
	mk_image_free(&image);
}

static struct kunit_case sections_kunit_cases[] = {
	KUNIT_CASE(sections_good),
	KUNIT_CASE(sections_flips),
	KUNIT_CASE_PARAM(sections_broken, section_cases_gen_params),
	KUNIT_CASE(sections_none),
	{}
};

static struct kunit_suite sections_suite = {
	.name = "multikernel_image_sections",
	.test_cases = sections_kunit_cases,
};

kunit_test_suites(&sections_suite);

MODULE_DESCRIPTION("Tests of the multikernel's image parser: section headers");
MODULE_LICENSE("GPL");

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sample images of image_kunit.c: a tiny ELF file that is a valid kernel
 * image to the parser, and the builder of a bzImage around a payload.
 *
 * image_payloads.h holds what fill_elf() makes, compressed by each method, and
 * what fill_moving() makes; changing them means making it anew.
 */
#ifndef _MULTIKERNEL_IMAGE_SAMPLE_H
#define _MULTIKERNEL_IMAGE_SAMPLE_H

#include <linux/elf.h>
#include <linux/string.h>
#include <uapi/linux/multikernel.h>

#define SAMPLE_TEXT_PADDR	0x1000000
#define SAMPLE_DATA_PADDR	0x1201000
#define SAMPLE_TEXT_MEMSZ	0x1000
#define SAMPLE_DATA_MEMSZ	0x3001	/* with bss, up to the middle of a page */
#define SAMPLE_SPAN		0x205000
#define SAMPLE_ENTRY		0x10	/* from the base */

struct sample_note {
	Elf64_Nhdr nhdr;
	char name[8];
	struct mk_note desc;
};

struct sample_elf {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[3];
	struct sample_note other_note;
	struct sample_note note;
	u8 text[32];
	u8 data[32];
	Elf64_Shdr shdr;
};

/* A kernel that can be moved, as the file in its bzImage has it */
struct sample_moving {
	struct sample_elf elf;
	u32 zero64;
	u32 add64[2];
	u32 zero_sub32;
	u32 sub32;
	u32 zero32;
	u32 add32[2];
};

#define SAMPLE_TABLES_BYTES \
	(sizeof(struct sample_moving) - offsetof(struct sample_moving, zero64))

/* Low half of the virtual address that byte @n has in text or data */
#define TEXT_PLACE(n)	(0x80000000U + SAMPLE_TEXT_PADDR + (n))
#define DATA_PLACE(n)	(0x80000000U + SAMPLE_DATA_PADDR + (n))

static void fill_note(struct sample_note *note, u32 type)
{
	*note = (struct sample_note){
		.nhdr = {
			.n_namesz = sizeof(MK_NOTE_NAME),
			.n_descsz = sizeof(note->desc),
			.n_type = type,
		},
		.name = MK_NOTE_NAME,
		.desc.abi_version = MK_ABI_VERSION,
		.desc.features_low = (u32)MK_FEATURES,
		.desc.features_high = MK_FEATURES >> 32,
	};
}

static void fill_phdrs(Elf64_Phdr *phdr)
{
	phdr[0] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = offsetof(struct sample_elf, text),
		.p_vaddr = 0xffffffff81000000,
		.p_paddr = SAMPLE_TEXT_PADDR,
		.p_filesz = sizeof_field(struct sample_elf, text),
		.p_memsz = SAMPLE_TEXT_MEMSZ,
	};
	/* Like the per-CPU segment: p_vaddr is 0. */
	phdr[1] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = offsetof(struct sample_elf, data),
		.p_paddr = SAMPLE_DATA_PADDR,
		.p_filesz = sizeof_field(struct sample_elf, data),
		.p_memsz = SAMPLE_DATA_MEMSZ,
	};
	phdr[2] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = offsetof(struct sample_elf, other_note),
		.p_filesz = 2 * sizeof(struct sample_note),
		.p_align = 4,
	};
}

static void fill_elf(struct sample_elf *elf)
{
	memset(elf, 0, sizeof(*elf));
	elf->ehdr = (Elf64_Ehdr){
		.e_ident = {
			ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			ELFDATA2LSB, EV_CURRENT,
		},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = SAMPLE_TEXT_PADDR + SAMPLE_ENTRY,
		.e_phoff = offsetof(struct sample_elf, phdr),
		.e_shoff = offsetof(struct sample_elf, shdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = ARRAY_SIZE(elf->phdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 1,
	};
	fill_phdrs(elf->phdr);
	fill_note(&elf->other_note, 0x100);
	fill_note(&elf->note, MK_NOTE_TYPE);
	memset(elf->text, 0xcc, sizeof(elf->text));
	memset(elf->data, 0xda, sizeof(elf->data));
}

/* One of each kind at the end of a segment; nothing is aligned. */
static inline void fill_moving(struct sample_moving *moving)
{
	memset(moving, 0, sizeof(*moving));
	fill_elf(&moving->elf);
	moving->add64[0] = TEXT_PLACE(1);
	moving->add64[1] = TEXT_PLACE(24);
	moving->sub32 = TEXT_PLACE(18);
	moving->add32[0] = TEXT_PLACE(11);
	moving->add32[1] = DATA_PLACE(28);
}

#endif /* _MULTIKERNEL_IMAGE_SAMPLE_H */

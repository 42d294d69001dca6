// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vmlinux has no checksum, but where its parts belong stands in it twice: in
 * the program headers, which the loader follows, and in the section headers. The
 * linker made both from the same numbers. In a file that was damaged they
 * disagree, and a kernel that was placed by one of them alone would run into
 * what is missing long before it could say a word.
 *
 * What every x86-64 kernel fulfils:
 *
 *  - each section that takes memory lies in a segment, as far from its start in
 *    the file as in memory
 *  - a segment begins with its first section and ends with its last one, in the
 *    file and in memory
 *  - a physical address follows from the virtual one; only the per-CPU segment,
 *    whose virtual addresses begin at 0, lies at the first page behind another
 *  - the entry is the first byte of code
 *
 * A file from which the section headers were removed has nothing to compare.
 */
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include <asm/page_types.h>

#include "image.h"

/* Both tables; that they are in the file is known. */
struct tables {
	const u8 *phdrs;
	const u8 *shdrs;
	u32 phnum;
	u32 shnum;
};

/* The next segment from @pos on that takes memory */
static bool next_segment(const struct tables *t, u32 *pos, Elf64_Phdr *ret)
{
	while (*pos < t->phnum) {
		memcpy(ret, t->phdrs + *pos * sizeof(*ret), sizeof(*ret));
		++*pos;
		if (ret->p_type == PT_LOAD && ret->p_memsz)
			return true;
	}
	return false;
}

/* The next section from @pos on that takes memory */
static bool next_section(const struct tables *t, u32 *pos, Elf64_Shdr *ret)
{
	while (*pos < t->shnum) {
		memcpy(ret, t->shdrs + *pos * sizeof(*ret), sizeof(*ret));
		++*pos;
		if ((ret->sh_flags & SHF_ALLOC) && ret->sh_size)
			return true;
	}
	return false;
}

static bool is_within(const Elf64_Shdr *s, const Elf64_Phdr *p)
{
	return s->sh_addr >= p->p_vaddr && s->sh_size <= p->p_memsz &&
	       s->sh_addr - p->p_vaddr <= p->p_memsz - s->sh_size;
}

/* For one that is within it */
static bool is_same_in_file(const Elf64_Shdr *s, const Elf64_Phdr *p)
{
	u64 distance = s->sh_addr - p->p_vaddr;

	return s->sh_type == SHT_NOBITS ||
	       (s->sh_offset - p->p_offset == distance &&
		distance + s->sh_size <= p->p_filesz);
}

static bool has_segment(const struct tables *t, const Elf64_Shdr *s)
{
	Elf64_Phdr p;
	u32 i = 0;

	while (next_segment(t, &i, &p))
		if (is_within(s, &p) && is_same_in_file(s, &p))
			return true;
	return false;
}

/* Do its sections fill it, from its first to its last byte? */
static bool is_filled(const struct tables *t, const Elf64_Phdr *p)
{
	u64 start = p->p_memsz, end = 0, file_end = 0;
	Elf64_Shdr s;
	u32 i = 0;

	while (next_section(t, &i, &s)) {
		u64 distance = s.sh_addr - p->p_vaddr;

		if (!is_within(&s, p))
			continue;
		start = min(start, distance);
		end = max(end, distance + s.sh_size);
		if (s.sh_type != SHT_NOBITS)
			file_end = max(file_end, distance + s.sh_size);
	}
	return !start && end == p->p_memsz && file_end == p->p_filesz;
}

static bool is_behind_another(const struct tables *t, const Elf64_Phdr *p)
{
	Elf64_Phdr q;
	u32 i = 0;

	while (next_segment(t, &i, &q))
		if (p->p_paddr == PAGE_ALIGN(q.p_paddr + q.p_memsz))
			return true;
	return false;
}

static bool is_placed(const struct tables *t, const Elf64_Phdr *p)
{
	if (p->p_vaddr)
		return p->p_paddr == p->p_vaddr - __START_KERNEL_map;
	return is_behind_another(t, p);
}

static int check_segments(const struct tables *t, struct mk_refusal *refusal)
{
	Elf64_Phdr p;
	u32 i = 0;

	while (next_segment(t, &i, &p))
		if (!is_filled(t, &p) || !is_placed(t, &p))
			return mk_image_refuse(refusal, -ENOEXEC,
					       MK_REASON_IMAGE_SEGMENT,
					       p.p_paddr, p.p_memsz);
	return 0;
}

/* All sections have their place, and the lowest with code begins with the entry. */
static int check_sections(const struct tables *t, u64 entry,
			  struct mk_refusal *refusal)
{
	u64 code = U64_MAX;
	Elf64_Shdr s;
	u32 i = 0;

	while (next_section(t, &i, &s)) {
		if (!has_segment(t, &s))
			return mk_image_refuse(refusal, -ENOEXEC,
					       MK_REASON_IMAGE_SEGMENT,
					       s.sh_addr, s.sh_size);
		if (s.sh_flags & SHF_EXECINSTR)
			code = min(code, s.sh_addr);
	}
	if (entry != code - __START_KERNEL_map)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_ENTRY, entry, 0);
	return 0;
}

/**
 * mk_image_check_sections() - do the two tables of an ELF file say the same?
 * @buf: the file
 * @ehdr: its header; that both tables are in the file has been checked
 * @refusal: which check failed
 *
 * Return: 0; -ENOEXEC with IMAGE_FORMAT, IMAGE_SEGMENT, IMAGE_ENTRY
 */
int mk_image_check_sections(const void *buf, const Elf64_Ehdr *ehdr,
			    struct mk_refusal *refusal)
{
	const struct tables tables = {
		.phdrs = buf + ehdr->e_phoff,
		.shdrs = buf + ehdr->e_shoff,
		.phnum = ehdr->e_phnum,
		.shnum = ehdr->e_shnum,
	};
	int err;

	/* The first entry is none, by the format. */
	if (!ehdr->e_shoff || ehdr->e_shnum <= 1)
		return 0;
	if (ehdr->e_shentsize != sizeof(Elf64_Shdr))
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_FORMAT, 0, 0);
	err = check_segments(&tables, refusal);
	return err ?: check_sections(&tables, ehdr->e_entry, refusal);
}

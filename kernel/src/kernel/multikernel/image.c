// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel image of an instance: checks an ELF64 x86-64 vmlinux held in a
 * buffer and lists what is to be copied where.
 *
 * Whatever would make the instance's first CPU triple-fault (and so reset the
 * whole machine) is refused here: segments that overlap or leave the file, an
 * entry that is not code, a kernel that does not say by its note that it can
 * be an instance. Segments are placed by p_paddr; p_vaddr says nothing (that
 * of the per-CPU segment is 0).
 */
#include <linux/align.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "image.h"

/* What is known while the program headers are read one by one */
struct elf_file {
	const u8 *buf;
	size_t len;
	size_t end;			/* of all that was looked at */
	Elf64_Ehdr ehdr;
	bool has_entry;
	bool has_note;
	u32 abi_version;
	u64 features;
};

/**
 * mk_image_refuse() - fill in why an image is refused, and pass the errno on
 * @refusal: to fill
 * @err: negative errno
 * @reason: which check
 * @a: see the comment at @reason
 * @b: the same
 *
 * Return: @err
 */
int mk_image_refuse(struct mk_refusal *refusal, int err, enum mk_reason reason,
		    u64 a, u64 b)
{
	*refusal = (struct mk_refusal){ .reason = reason, .a = a, .b = b };
	return err;
}

/* Are @bytes bytes from @offset on in the file? */
static int check_in_file(struct elf_file *elf, u64 offset, u64 bytes,
			 struct mk_refusal *refusal)
{
	u64 end;

	if (check_add_overflow(offset, bytes, &end))
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_SEGMENT, offset, bytes);
	if (end > elf->len)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_TRUNCATED, end,
				       elf->len);
	elf->end = max(elf->end, end);
	return 0;
}

/*
 * The section headers place nothing, but they are the last thing in the file, so
 * that a file that was cut short is noticed by them; see image_sections.c for
 * what else.
 */
static int check_tables(struct elf_file *elf, struct mk_refusal *refusal)
{
	const Elf64_Ehdr *ehdr = &elf->ehdr;
	u64 shnum = ehdr->e_shnum ?: 1;
	int err;

	err = check_in_file(elf, ehdr->e_phoff,
			    (u64)ehdr->e_phnum * sizeof(Elf64_Phdr), refusal);
	if (err || !ehdr->e_shoff)
		return err;
	return check_in_file(elf, ehdr->e_shoff, shnum * ehdr->e_shentsize,
			     refusal);
}

static int read_header(struct elf_file *elf, struct mk_refusal *refusal)
{
	Elf64_Ehdr *ehdr = &elf->ehdr;

	if (elf->len < sizeof(*ehdr))
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_TRUNCATED,
				       sizeof(*ehdr), elf->len);
	memcpy(ehdr, elf->buf, sizeof(*ehdr));

	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) ||
	    ehdr->e_ident[EI_VERSION] != EV_CURRENT)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_FORMAT, 0, 0);
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr->e_ident[EI_DATA] != ELFDATA2LSB ||
	    ehdr->e_machine != EM_X86_64)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_MACHINE,
				       ehdr->e_machine, 0);
	if ((ehdr->e_type != ET_EXEC && ehdr->e_type != ET_DYN) ||
	    ehdr->e_phentsize != sizeof(Elf64_Phdr))
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_FORMAT, 0, 0);
	return check_tables(elf, refusal);
}

/* Until place_segments() has seen them all, offset is the physical address. */
static int add_segment(struct elf_file *elf, const Elf64_Phdr *phdr,
		       struct mk_image *image, struct mk_refusal *refusal)
{
	u64 entry = elf->ehdr.e_entry;
	u64 end;
	int err;

	if (!phdr->p_memsz && !phdr->p_filesz)
		return 0;
	if (phdr->p_filesz > phdr->p_memsz ||
	    check_add_overflow(phdr->p_paddr, phdr->p_memsz, &end) ||
	    image->nr_segments == MK_IMAGE_SEGMENTS)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_SEGMENT, phdr->p_paddr,
				       phdr->p_memsz);
	err = check_in_file(elf, phdr->p_offset, phdr->p_filesz, refusal);
	if (err)
		return err;

	/* In the file's part of it: bss is not code. */
	if ((phdr->p_flags & PF_X) && entry >= phdr->p_paddr &&
	    entry - phdr->p_paddr < phdr->p_filesz)
		elf->has_entry = true;

	image->segment[image->nr_segments++] = (struct mk_image_segment){
		.offset = phdr->p_paddr,
		.memsz = phdr->p_memsz,
		.data = elf->buf + phdr->p_offset,
		.filesz = phdr->p_filesz,
	};
	return 0;
}

/* Is it our note? The caller has checked that all of it is in the file. */
static bool is_abi_note(const Elf64_Nhdr *nhdr, const u8 *name)
{
	return nhdr->n_type == MK_NOTE_TYPE &&
	       nhdr->n_descsz >= sizeof(u32) &&
	       nhdr->n_namesz == sizeof(MK_NOTE_NAME) &&
	       !memcmp(name, MK_NOTE_NAME, sizeof(MK_NOTE_NAME));
}

/*
 * The version comes first in every version. What behind it is ours to read is
 * there if the version is ours.
 */
static void read_abi_note(struct elf_file *elf, const u8 *desc, u32 bytes)
{
	struct mk_note note = { };

	memcpy(&note, desc, min_t(u32, bytes, sizeof(note)));
	elf->abi_version = note.abi_version;
	elf->features = (u64)note.features_high << 32 | note.features_low;
	elf->has_note = true;
}

/*
 * Sizes in a note are 32 bits wide and @bytes is that of something in memory,
 * so the sums cannot overflow 64 bits.
 */
static void find_note(struct elf_file *elf, const u8 *notes, u64 bytes,
		      u64 align)
{
	Elf64_Nhdr nhdr;
	u64 pos = 0;

	while (pos < bytes && bytes - pos >= sizeof(nhdr)) {
		u64 name = pos + sizeof(nhdr);
		u64 desc;

		memcpy(&nhdr, notes + pos, sizeof(nhdr));
		desc = ALIGN(name + nhdr.n_namesz, align);
		if (desc + nhdr.n_descsz > bytes)
			return;
		if (is_abi_note(&nhdr, notes + name)) {
			read_abi_note(elf, notes + desc, nhdr.n_descsz);
			return;
		}
		pos = ALIGN(desc + nhdr.n_descsz, align);
	}
}

static int read_notes(struct elf_file *elf, const Elf64_Phdr *phdr,
		      struct mk_refusal *refusal)
{
	int err;

	err = check_in_file(elf, phdr->p_offset, phdr->p_filesz, refusal);
	if (err || elf->has_note)
		return err;
	/* Linkers align notes to 8 when the segment says so, else to 4. */
	find_note(elf, elf->buf + phdr->p_offset, phdr->p_filesz,
		  phdr->p_align == 8 ? 8 : 4);
	return 0;
}

static int read_segments(struct elf_file *elf, struct mk_image *image,
			 struct mk_refusal *refusal)
{
	const u8 *pos = elf->buf + elf->ehdr.e_phoff;
	Elf64_Phdr phdr;
	int err = 0;
	u32 i;

	for (i = 0; i < elf->ehdr.e_phnum && !err; i++) {
		memcpy(&phdr, pos, sizeof(phdr));
		pos += sizeof(phdr);
		if (phdr.p_type == PT_LOAD)
			err = add_segment(elf, &phdr, image, refusal);
		else if (phdr.p_type == PT_NOTE)
			err = read_notes(elf, &phdr, refusal);
	}
	if (!err && !image->nr_segments)
		err = mk_image_refuse(refusal, -ENOEXEC,
				      MK_REASON_IMAGE_SEGMENT, 0, 0);
	return err;
}

static bool segments_overlap(const struct mk_image_segment *x,
			     const struct mk_image_segment *y)
{
	return x->offset < y->offset + y->memsz &&
	       y->offset < x->offset + x->memsz;
}

static int check_overlap(const struct mk_image *image,
			 struct mk_refusal *refusal)
{
	u32 i, j;

	for (i = 0; i < image->nr_segments; i++) {
		const struct mk_image_segment *x = &image->segment[i];

		for (j = 0; j < i; j++) {
			if (segments_overlap(x, &image->segment[j]))
				return mk_image_refuse(refusal, -ENOEXEC,
						       MK_REASON_IMAGE_SEGMENT,
						       x->offset, x->memsz);
		}
	}
	return 0;
}

/* Turn physical addresses into offsets from the base. */
static int place_segments(struct mk_image *image, u64 entry,
			  struct mk_refusal *refusal)
{
	struct mk_image_segment *segment;
	u64 base = U64_MAX, end = 0;
	u32 i;

	for (i = 0; i < image->nr_segments; i++) {
		segment = &image->segment[i];
		base = min(base, segment->offset);
		end = max(end, segment->offset + segment->memsz);
	}
	base = ALIGN_DOWN(base, MK_IMAGE_ALIGN);
	if (end - base > MK_IMAGE_SPAN_MAX)
		return mk_image_refuse(refusal, -EFBIG,
				       MK_REASON_IMAGE_TOO_LARGE, end - base,
				       MK_IMAGE_SPAN_MAX);

	for (i = 0; i < image->nr_segments; i++)
		image->segment[i].offset -= base;
	image->base = base;
	image->entry = entry - base;
	image->span = PAGE_ALIGN(end - base);
	return 0;
}

static int check_note(const struct elf_file *elf, struct mk_refusal *refusal)
{
	if (!elf->has_note)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_NO_NOTE, 0, 0);
	if (elf->abi_version != MK_ABI_VERSION)
		return mk_image_refuse(refusal, -ENOEXEC, MK_REASON_IMAGE_ABI,
				       elf->abi_version, MK_ABI_VERSION);
	if ((elf->features & MK_FEATURES_NEEDED) != MK_FEATURES_NEEDED)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_FEATURES, elf->features,
				       MK_FEATURES_NEEDED);
	return 0;
}

/* Only what was in a bzImage has tables behind it. */
static int parse_elf(struct mk_image *image, bool unpacked,
		     struct mk_refusal *refusal)
{
	struct elf_file elf = { .buf = image->buf, .len = image->len };
	int err;

	err = read_header(&elf, refusal);
	if (!err)
		err = read_segments(&elf, image, refusal);
	if (!err)
		err = check_overlap(image, refusal);
	if (!err && !elf.has_entry)
		err = mk_image_refuse(refusal, -ENOEXEC,
				      MK_REASON_IMAGE_ENTRY, elf.ehdr.e_entry,
				      0);
	if (!err)
		err = place_segments(image, elf.ehdr.e_entry, refusal);
	if (!err)
		err = mk_image_check_sections(image->buf, &elf.ehdr, refusal);
	if (!err)
		err = check_note(&elf, refusal);
	if (!err && unpacked)
		err = mk_image_read_relocs(image, elf.end, refusal);
	image->abi_version = elf.abi_version;
	image->features = elf.features;
	return err;
}

static bool is_elf(const void *buf, size_t len)
{
	return len >= SELFMAG && !memcmp(buf, ELFMAG, SELFMAG);
}

/* Put the ELF file that is in a bzImage into @image->buf, newly allocated. */
static int unpack_bzimage(const void *buf, size_t len, struct mk_image *image,
			  struct mk_refusal *refusal)
{
	const void *payload;
	size_t payload_len;
	int err;

	err = mk_bzimage_payload(buf, len, &payload, &payload_len, refusal);
	if (err)
		return err;
	return mk_image_unpack(payload, payload_len, &image->buf, &image->len,
			       refusal);
}

/**
 * mk_image_parse() - check a kernel image and list its segments
 * @buf: the file, vmalloc'ed: an ELF vmlinux or a bzImage
 * @len: its bytes
 * @ret: the image, written on success only; give it to mk_image_free()
 * @refusal: which check failed, written on failure only
 *
 * Takes ownership of @buf on success only; that of a bzImage is freed at once,
 * its decompressed payload stays. May sleep, takes as long as decompression.
 *
 * Errors: -ENOEXEC, -EBADMSG (a checksum or the compressed data is wrong),
 * -EFBIG, -EOPNOTSUPP (compression method), -ENOMEM; the reasons are IMAGE_*.
 *
 * Return: 0 or -errno
 */
int mk_image_parse(void *buf, size_t len, struct mk_image *ret,
		   struct mk_refusal *refusal)
{
	struct mk_image image = {};
	int err;

	if (is_elf(buf, len)) {
		image.buf = buf;
		image.len = len;
	} else {
		err = unpack_bzimage(buf, len, &image, refusal);
		if (err)
			return err;
	}

	err = parse_elf(&image, image.buf != buf, refusal);
	if (image.buf != buf)
		vfree(err ? image.buf : buf);
	if (!err)
		*ret = image;
	return err;
}

/**
 * mk_image_free() - free what an image owns
 * @image: image, or NULL, or one all zero
 */
void mk_image_free(struct mk_image *image)
{
	if (!image)
		return;
	vfree(image->buf);
	*image = (struct mk_image){};
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A first look at a kernel file: what `mkctl check` can say without a host.
 * The file is hostile: every offset in it is checked before it is used, and
 * the file is read, not mapped, because it may be cut while we look.
 */
#include <elf.h>
#include <string.h>

#include "image.h"
#include "refuse.h"

#define NOTES_MAX	(1 << 20)	/* bytes of one segment of notes */
#define PLACE_ALIGN	0x200000ULL	/* of a kernel in memory */
#define PAGE_BYTES	4096

/* Documentation/arch/x86/boot.rst: the header of a bzImage. */
#define SETUP_HEADER	0x1f1
#define SETUP_HEADER_END 0x26c		/* of struct setup_header */
#define SECTOR_BYTES	512
#define PARAGRAPH_BYTES	16
#define BOOT_FLAG	0xaa55
#define HEADER_MAGIC	0x53726448	/* "HdrS" */
#define VERSION_MIN	0x020c		/* the first with xloadflags */
#define XLF_KERNEL_64	1

struct image {
	int fd;
	uint64_t bytes;
	const char *path;
	struct mk_error *err;
	Elf64_Ehdr ehdr;
	uint64_t start, end;	/* of the segments in memory */
	bool has_segment;
	bool has_entry;
	bool has_note;
	uint32_t abi_version;
};

static int refuse(const struct image *image, uint32_t reason, uint64_t a,
		  uint64_t b)
{
	return mk_refuse(image->err, &(struct mk_refused){
		.error = ENOEXEC, .reason = reason, .a = a, .b = b,
	}, image->path);
}

/* The caller has checked that it is in the file. */
static int read_at(const struct image *image, void *buf, size_t bytes,
		   uint64_t offset)
{
	size_t done = 0;
	ssize_t n;

	while (done < bytes) {
		n = pread(image->fd, (char *)buf + done, bytes - done,
			  (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse(image, MK_REASON_IMAGE_READ, 0,
				      (uint64_t)errno);
		if (n == 0)
			return refuse(image, MK_REASON_IMAGE_TRUNCATED,
				      offset + bytes, offset + done);
		done += (size_t)n;
	}
	return 0;
}

static int check_in_file(const struct image *image, uint64_t offset,
			 uint64_t bytes)
{
	uint64_t end;

	if (__builtin_add_overflow(offset, bytes, &end))
		return refuse(image, MK_REASON_IMAGE_SEGMENT, offset, bytes);
	if (end > image->bytes)
		return refuse(image, MK_REASON_IMAGE_TRUNCATED, end,
			      image->bytes);
	return 0;
}

static int check_header(struct image *image)
{
	const Elf64_Ehdr *ehdr = &image->ehdr;
	uint64_t shnum = ehdr->e_shnum ? ehdr->e_shnum : 1;
	int r;

	if (ehdr->e_ident[EI_VERSION] != EV_CURRENT)
		return refuse(image, MK_REASON_IMAGE_FORMAT, 0, 0);
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr->e_ident[EI_DATA] != ELFDATA2LSB ||
	    ehdr->e_machine != EM_X86_64)
		return refuse(image, MK_REASON_IMAGE_MACHINE, ehdr->e_machine,
			      0);
	if ((ehdr->e_type != ET_EXEC && ehdr->e_type != ET_DYN) ||
	    ehdr->e_phentsize != sizeof(Elf64_Phdr))
		return refuse(image, MK_REASON_IMAGE_FORMAT, 0, 0);
	r = check_in_file(image, ehdr->e_phoff,
			  (uint64_t)ehdr->e_phnum * sizeof(Elf64_Phdr));
	/* The sections are the last thing in the file: is it whole? */
	if (r == 0 && ehdr->e_shoff)
		r = check_in_file(image, ehdr->e_shoff,
				  shnum * ehdr->e_shentsize);
	return r;
}

static int check_segment(struct image *image, const Elf64_Phdr *phdr)
{
	uint64_t entry = image->ehdr.e_entry;
	uint64_t end;

	if (!phdr->p_memsz && !phdr->p_filesz)
		return 0;
	if (phdr->p_filesz > phdr->p_memsz ||
	    __builtin_add_overflow(phdr->p_paddr, phdr->p_memsz, &end))
		return refuse(image, MK_REASON_IMAGE_SEGMENT, phdr->p_paddr,
			      phdr->p_memsz);
	if (!image->has_segment || phdr->p_paddr < image->start)
		image->start = phdr->p_paddr;
	if (end > image->end)
		image->end = end;
	image->has_segment = true;
	if ((phdr->p_flags & PF_X) && entry >= phdr->p_paddr &&
	    entry - phdr->p_paddr < phdr->p_filesz)
		image->has_entry = true;
	return check_in_file(image, phdr->p_offset, phdr->p_filesz);
}

static uint64_t align_up(uint64_t n, uint64_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* The version is the first word of the note in every version. */
static void find_note(struct image *image, const char *notes, uint64_t bytes,
		      uint64_t align)
{
	uint64_t pos = 0, desc;
	Elf64_Nhdr nhdr;

	while (pos < bytes && bytes - pos >= sizeof(nhdr)) {
		memcpy(&nhdr, notes + pos, sizeof(nhdr));
		pos += sizeof(nhdr);
		desc = align_up(pos + nhdr.n_namesz, align);
		if (desc + nhdr.n_descsz > bytes)
			return;
		if (nhdr.n_type == MK_NOTE_TYPE &&
		    nhdr.n_descsz >= sizeof(image->abi_version) &&
		    nhdr.n_namesz == sizeof(MK_NOTE_NAME) &&
		    !memcmp(notes + pos, MK_NOTE_NAME, sizeof(MK_NOTE_NAME))) {
			memcpy(&image->abi_version, notes + desc,
			       sizeof(image->abi_version));
			image->has_note = true;
			return;
		}
		pos = align_up(desc + nhdr.n_descsz, align);
	}
}

static int read_notes(struct image *image, const Elf64_Phdr *phdr)
{
	mk_autofree char *notes = NULL;
	int r = check_in_file(image, phdr->p_offset, phdr->p_filesz);

	/* Nobody has so many; the kernel will see. */
	if (r < 0 || image->has_note || phdr->p_filesz > NOTES_MAX)
		return r;
	notes = malloc(phdr->p_filesz + 1);
	if (!notes) {
		mk_error_set(image->err, MK_ERR_FAILED, image->path,
			     "out of memory");
		return -ENOMEM;
	}
	r = read_at(image, notes, phdr->p_filesz, phdr->p_offset);
	if (r == 0)
		find_note(image, notes, phdr->p_filesz,
			  phdr->p_align == 8 ? 8 : 4);
	return r;
}

static int check_segments(struct image *image)
{
	uint64_t at = image->ehdr.e_phoff;
	Elf64_Phdr phdr;
	int r = 0;

	for (unsigned int i = 0; i < image->ehdr.e_phnum && r == 0; i++) {
		r = read_at(image, &phdr, sizeof(phdr), at);
		at += sizeof(phdr);
		if (r == 0 && phdr.p_type == PT_LOAD)
			r = check_segment(image, &phdr);
		else if (r == 0 && phdr.p_type == PT_NOTE)
			r = read_notes(image, &phdr);
	}
	return r;
}

static int check_elf(struct image *image)
{
	int r;

	if (image->bytes < sizeof(image->ehdr))
		return refuse(image, MK_REASON_IMAGE_TRUNCATED,
			      sizeof(image->ehdr), image->bytes);
	r = read_at(image, &image->ehdr, sizeof(image->ehdr), 0);
	if (r == 0)
		r = check_header(image);
	if (r == 0)
		r = check_segments(image);
	if (r < 0)
		return r;
	if (!image->has_segment)
		return refuse(image, MK_REASON_IMAGE_SEGMENT, 0, 0);
	if (!image->has_entry)
		return refuse(image, MK_REASON_IMAGE_ENTRY,
			      image->ehdr.e_entry, 0);
	if (!image->has_note)
		return refuse(image, MK_REASON_IMAGE_NO_NOTE, 0, 0);
	if (image->abi_version != MK_ABI_VERSION)
		return refuse(image, MK_REASON_IMAGE_ABI, image->abi_version,
			      MK_ABI_VERSION);
	return 0;
}

static uint32_t get_le(const unsigned char *p, size_t bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static int check_bzimage(const struct image *image)
{
	unsigned char h[SETUP_HEADER_END];
	uint32_t setup_sects, syssize;
	uint64_t end;
	int r;

	if (image->bytes < sizeof(h))
		return refuse(image, MK_REASON_IMAGE_FORMAT, 0, 0);
	r = read_at(image, h, sizeof(h), 0);
	if (r < 0)
		return r;
	if (get_le(h + 0x1fe, 2) != BOOT_FLAG ||
	    get_le(h + 0x202, 4) != HEADER_MAGIC ||
	    get_le(h + 0x206, 2) < VERSION_MIN)
		return refuse(image, MK_REASON_IMAGE_FORMAT, 0, 0);
	if (!(get_le(h + 0x236, 2) & XLF_KERNEL_64))
		return refuse(image, MK_REASON_IMAGE_MACHINE, EM_386, 0);
	setup_sects = h[SETUP_HEADER] ? h[SETUP_HEADER] : 4;
	syssize = get_le(h + 0x1f4, 4);
	end = (setup_sects + 1) * SECTOR_BYTES +
	      (uint64_t)syssize * PARAGRAPH_BYTES;
	if (end > image->bytes)
		return refuse(image, MK_REASON_IMAGE_TRUNCATED, end,
			      image->bytes);
	return syssize ? 0 : refuse(image, MK_REASON_IMAGE_FORMAT, 0, 0);
}

/* As the kernel places it: from a multiple of 2 MiB, in whole pages. */
static uint64_t span_of(const struct image *image)
{
	return align_up(image->end - (image->start & ~(PLACE_ALIGN - 1)),
			PAGE_BYTES);
}

int mk_image_check(int fd, uint64_t bytes, const char *path,
		   uint64_t *ret_span, struct mk_error *err)
{
	struct image image = {
		.fd = fd, .bytes = bytes, .path = path, .err = err,
	};
	char magic[SELFMAG] = "";
	int r;

	if (bytes >= sizeof(magic)) {
		r = read_at(&image, magic, sizeof(magic), 0);
		if (r < 0)
			return r;
	}
	if (memcmp(magic, ELFMAG, SELFMAG)) {
		*ret_span = 0;
		return check_bzimage(&image);
	}
	r = check_elf(&image);
	if (r == 0)
		*ret_span = span_of(&image);
	return r;
}

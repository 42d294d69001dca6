/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel images for instances: a file that user space handed over (an ELF
 * vmlinux or a bzImage) becomes a list of segments that can be copied into an
 * instance's memory any number of times, because every boot consumes its copy.
 *
 * image.c parses the ELF file, image_sections.c looks whether all that it says of
 * itself agrees, image_bzimage.c finds the compressed payload of
 * a bzImage, image_unpack.c decompresses it, image_relocs.c copies the kernel to
 * its place and moves its addresses. The file is hostile until checked.
 */
#ifndef _MULTIKERNEL_IMAGE_H
#define _MULTIKERNEL_IMAGE_H

#include <linux/compiler.h>
#include <linux/elf.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <uapi/linux/multikernel.h>

#define MK_IMAGE_SEGMENTS	16
#define MK_IMAGE_ALIGN		SZ_2M	/* of the address it is placed at */
#define MK_IMAGE_SPAN_MAX	SZ_1G
#define MK_IMAGE_UNPACKED_MAX	SZ_256M

/**
 * struct mk_image_segment - one PT_LOAD
 * @offset: where it goes, in bytes from the image's base
 * @memsz: bytes that it takes there; what is beyond @filesz is to be zeroed
 * @data: its pristine content, inside the image's buffer
 * @filesz: bytes at @data, at most @memsz
 */
struct mk_image_segment {
	u64 offset;
	u64 memsz;
	const void *data;
	u64 filesz;
};

/* Places that hold an address of the kernel, by what becomes of the address. */
enum mk_reloc_kind {
	MK_RELOC_ADD32,
	MK_RELOC_SUB32,
	MK_RELOC_ADD64,
	MK_NR_RELOCS
};

/**
 * struct mk_image_relocs - the places of one kind
 * @places: @nr words of 32 bits, inside the image's buffer, not aligned
 * @nr: how many
 */
struct mk_image_relocs {
	const u8 *places;
	u32 nr;
};

/**
 * struct mk_image - a checked kernel image
 * @buf: the ELF file, owned, vmalloc'ed
 * @len: its bytes
 * @nr_segments: used entries of @segment, at least 1
 * @segment: in the file's order; they do not overlap and end within @span
 * @entry: physical 64-bit entry point (startup_64), in bytes from the base;
 *	lies in the file content of an executable segment
 * @base: the base as it was linked: physical, and also its distance from the
 *	start of the virtual addresses that kernels have
 * @span: bytes from the base to the end with bss, a multiple of PAGE_SIZE
 * @abi_version: from the image's note, equals MK_ABI_VERSION
 * @features: from the image's note, with all of MK_FEATURES_NEEDED
 * @relocatable: the tables in @relocs are there; each place lies in the file
 *	content of a segment
 * @relocs: by enum mk_reloc_kind
 *
 * The base, where offset 0 is to be placed, must be a multiple of
 * MK_IMAGE_ALIGN. It is the lowest p_paddr, rounded down to MK_IMAGE_ALIGN.
 */
struct mk_image {
	void *buf;
	size_t len;
	u32 nr_segments;
	struct mk_image_segment segment[MK_IMAGE_SEGMENTS];
	u64 entry;
	u64 base;
	u64 span;
	u32 abi_version;
	u64 features;
	bool relocatable;
	struct mk_image_relocs relocs[MK_NR_RELOCS];
};

int __must_check mk_image_parse(void *buf, size_t len, struct mk_image *ret,
				struct mk_refusal *refusal);
void mk_image_free(struct mk_image *image);
bool mk_image_may_move(const struct mk_image *image, const char *cmdline);
u64 mk_image_random_move(const struct mk_image *image);
void mk_image_place(const struct mk_image *image, void *to, u64 move);

/* Between the files of the image parser, and its tests */
int mk_image_refuse(struct mk_refusal *refusal, int err, enum mk_reason reason,
		    u64 a, u64 b);
int __must_check mk_image_check_sections(const void *buf,
					 const Elf64_Ehdr *ehdr,
					 struct mk_refusal *refusal);
int __must_check mk_image_read_relocs(struct mk_image *image, size_t elf_len,
				      struct mk_refusal *refusal);
u32 mk_image_slots(const struct mk_image *image);
int __must_check mk_bzimage_payload(const void *buf, size_t len,
				    const void **ret_payload, size_t *ret_len,
				    struct mk_refusal *refusal);
int __must_check mk_image_unpack(const void *payload, size_t len,
				 void **ret_buf, size_t *ret_len,
				 struct mk_refusal *refusal);

#endif /* _MULTIKERNEL_IMAGE_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies an image into an instance's memory, at its linked virtual address or,
 * for a kernel that can lie anywhere (CONFIG_RANDOMIZE_BASE), at another one.
 *
 * What such a kernel's build puts behind the ELF file, before it compresses
 * both (arch/x86/tools/relocs.c): tables of the places that hold an address of
 * the kernel. Read from the end of the file to its front, in 4 byte words:
 *
 *	places of 32 bits to add to, zero
 *	places of 32 bits to subtract from (relative to the per-CPU area), zero
 *	places of 64 bits to add to, zero
 *
 * A place is the low half of its linked virtual address. In a vmlinux file
 * there are no tables; it always lies where it was linked to.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <asm/cmdline.h>

#include "image.h"

/* Where all kernels with these tables lie: 1 GiB from __START_KERNEL_map on */
#define WINDOW_VADDR	0xffffffff80000000ULL
#define WINDOW_BYTES	SZ_1G

static const u32 place_bytes[MK_NR_RELOCS] = {
	[MK_RELOC_ADD32] = 4,
	[MK_RELOC_SUB32] = 4,
	[MK_RELOC_ADD64] = 8,
};

/* The order of the tables, from the end of the file. */
static const enum mk_reloc_kind order[] = {
	MK_RELOC_ADD32, MK_RELOC_SUB32, MK_RELOC_ADD64,
};

/* Offset of a place from the image's base; of nonsense, something huge. */
static u64 place_offset(const struct mk_image *image, u32 place)
{
	return (u64)(s64)(s32)place - WINDOW_VADDR - image->base;
}

/* Is the place inside of what the file holds of one segment? */
static bool place_is_good(const struct mk_image *image, u32 place, u32 bytes)
{
	u64 offset = place_offset(image, place);
	u32 i;

	for (i = 0; i < image->nr_segments; i++) {
		const struct mk_image_segment *s = &image->segment[i];

		if (offset >= s->offset && s->filesz >= bytes &&
		    offset - s->offset <= s->filesz - bytes)
			return true;
	}
	return false;
}

/* One table, whose last word ends at @end; @ret_start is where its zero is. */
static int read_table(struct mk_image *image, enum mk_reloc_kind kind,
		      const u8 *start, const u8 *end, const u8 **ret_start,
		      struct mk_refusal *refusal)
{
	const u8 *pos = end;
	u32 place;

	for (;;) {
		if (pos - start < sizeof(place))
			return mk_image_refuse(refusal, -ENOEXEC,
					       MK_REASON_IMAGE_RELOCS, 0, 0);
		pos -= sizeof(place);
		place = get_unaligned_le32(pos);
		if (!place)
			break;
		if (!place_is_good(image, place, place_bytes[kind]))
			return mk_image_refuse(refusal, -ENOEXEC,
					       MK_REASON_IMAGE_RELOCS,
					       (s64)(s32)place,
					       place_bytes[kind]);
	}
	image->relocs[kind].places = pos + sizeof(place);
	image->relocs[kind].nr = (end - pos) / sizeof(place) - 1;
	*ret_start = pos;
	return 0;
}

/**
 * mk_image_read_relocs() - find and check the tables behind an ELF file
 * @image: with buf, len, base and segments
 * @elf_len: bytes of the ELF file; all behind it are tables
 * @refusal: to fill
 *
 * Return: 0, or -ENOEXEC with IMAGE_RELOCS
 */
int mk_image_read_relocs(struct mk_image *image, size_t elf_len,
			 struct mk_refusal *refusal)
{
	const u8 *start = image->buf + elf_len;
	const u8 *end = image->buf + image->len;
	u32 i;
	int err;

	if (start == end)
		return 0;
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		err = read_table(image, order[i], start, end, &end, refusal);
		if (err)
			return err;
	}
	if (start != end)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_RELOCS, 0, 0);
	image->relocatable = true;
	return 0;
}

/**
 * mk_image_may_move() - is the kernel to lie at a random address?
 * @image: checked image
 * @cmdline: that it is started with
 *
 * Its own word against it is nokaslr, as on a kernel that firmware boots.
 */
bool mk_image_may_move(const struct mk_image *image, const char *cmdline)
{
	return image->relocatable && image->base < WINDOW_BYTES &&
	       image->span <= WINDOW_BYTES - image->base &&
	       !cmdline_find_option_bool(cmdline, "nokaslr");
}

/** mk_image_slots() - to how many virtual addresses may a kernel be moved? */
u32 mk_image_slots(const struct mk_image *image)
{
	return 1 + (WINDOW_BYTES - image->base - image->span) / MK_IMAGE_ALIGN;
}

/** mk_image_random_move() - by how many bytes, for one that may move */
u64 mk_image_random_move(const struct mk_image *image)
{
	return (u64)get_random_u32_below(mk_image_slots(image)) *
	       MK_IMAGE_ALIGN;
}

static void move_place(void *at, enum mk_reloc_kind kind, u64 move)
{
	switch (kind) {
	case MK_RELOC_ADD32:
		put_unaligned_le32(get_unaligned_le32(at) + move, at);
		break;
	case MK_RELOC_SUB32:
		put_unaligned_le32(get_unaligned_le32(at) - move, at);
		break;
	default:
		put_unaligned_le64(get_unaligned_le64(at) + move, at);
	}
}

/**
 * mk_image_place() - copy an image to where it will run
 * @image: checked image
 * @to: its base there; @image->span bytes, all zero
 * @move: bytes by which its virtual address is above the linked one, 0 unless
 *	mk_image_may_move()
 */
void mk_image_place(const struct mk_image *image, void *to, u64 move)
{
	const struct mk_image_segment *s = image->segment;
	const struct mk_image_relocs *relocs;
	u32 i, kind;

	for (i = 0; i < image->nr_segments; i++)
		memcpy(to + s[i].offset, s[i].data, s[i].filesz);
	if (!move)
		return;
	for (kind = 0; kind < MK_NR_RELOCS; kind++) {
		relocs = &image->relocs[kind];
		for (i = 0; i < relocs->nr; i++) {
			u32 place = get_unaligned_le32(relocs->places + 4 * i);

			move_place(to + place_offset(image, place), kind, move);
		}
	}
}

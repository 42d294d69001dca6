// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bzImage as a container: checks the real-mode header and the checksum of
 * the file and finds the compressed vmlinux in it.
 *
 * Layout (Documentation/arch/x86/boot.rst):
 *
 *	setup		(setup_sects + 1) * 512 bytes, header at 0x1f1
 *	body		syssize * 16 bytes; payload_offset counts from here;
 *			its last 4 bytes are a CRC32 of all before them
 *	certificates	when signed for UEFI: see struct win_certificate
 *
 * The 32-bit code in the body, which would decompress the payload at boot, is
 * never run: it touches low memory, which is the host's.
 *
 * Linux 6.15 dropped the tool that wrote the CRC32 and leaves zero there. Then
 * only the payload's own checksum is left.
 */
#include <linux/crc32.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/pe.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include <asm/bootparam.h>

#include "image.h"

#define SECTOR_BYTES		512
#define PARAGRAPH_BYTES		16
#define CRC_BYTES		sizeof(__le32)

#define BOOT_FLAG		0xaa55
#define HEADER_MAGIC		0x53726448	/* "HdrS" */
/* 2.12 (Linux 3.8): the first with xloadflags */
#define HEADER_VERSION_MIN	0x020c

struct bzimage {
	const u8 *buf;
	size_t len;
	struct setup_header hdr;
	u64 setup_bytes;
	u64 end;			/* of setup and body */
};

/* Offsets of what signing changes in the PE header, zero in a fresh build */
struct pe_fields {
	u64 csum;
	u64 certs;
};

static int read_header(struct bzimage *bz, struct mk_refusal *refusal)
{
	const size_t offset = offsetof(struct boot_params, hdr);
	struct setup_header *hdr = &bz->hdr;

	if (bz->len < offset + sizeof(*hdr))
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_FORMAT, 0, 0);
	memcpy(hdr, bz->buf + offset, sizeof(*hdr));

	if (hdr->boot_flag != BOOT_FLAG || hdr->header != HEADER_MAGIC ||
	    hdr->version < HEADER_VERSION_MIN)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_FORMAT, 0, 0);
	if (!(hdr->xloadflags & XLF_KERNEL_64))
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_MACHINE, EM_386, 0);
	return 0;
}

static int read_sizes(struct bzimage *bz, struct mk_refusal *refusal)
{
	/* 0 means 4, from the time before it was written */
	u32 setup_sects = bz->hdr.setup_sects ?: 4;
	u64 body_bytes = (u64)bz->hdr.syssize * PARAGRAPH_BYTES;

	bz->setup_bytes = (setup_sects + 1) * SECTOR_BYTES;
	bz->end = bz->setup_bytes + body_bytes;
	if (bz->end > bz->len)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_TRUNCATED, bz->end,
				       bz->len);
	if (!body_bytes)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_FORMAT, 0, 0);
	return 0;
}

/* Find the PE header of an EFI-bootable image; all of it is before the body. */
static bool find_pe_fields(const struct bzimage *bz, struct pe_fields *ret)
{
	const u64 opt_bytes = sizeof(struct pe32plus_opt_hdr) +
			      offsetofend(struct data_directory, certs);
	struct pe32plus_opt_hdr opt;
	u64 pe, dirs;

	if (get_unaligned_le16(bz->buf) != MZ_MAGIC)
		return false;
	pe = get_unaligned_le32(bz->buf + offsetof(struct mz_hdr, peaddr));
	if (pe + sizeof(struct pe_hdr) + opt_bytes > bz->setup_bytes ||
	    get_unaligned_le32(bz->buf + pe) != PE_MAGIC)
		return false;

	pe += sizeof(struct pe_hdr);
	dirs = pe + sizeof(opt);
	memcpy(&opt, bz->buf + pe, sizeof(opt));
	if (opt.magic != PE_OPT_MAGIC_PE32PLUS ||
	    opt.data_dirs * sizeof(struct data_dirent) <
	    offsetofend(struct data_directory, certs))
		return false;
	ret->csum = pe + offsetof(struct pe32plus_opt_hdr, csum);
	ret->certs = dirs + offsetof(struct data_directory, certs);
	return true;
}

/* Is what follows the body a table of certificates, and nothing else? */
static bool is_signed(const struct bzimage *bz, const struct pe_fields *pe)
{
	struct data_dirent certs;

	memcpy(&certs, bz->buf + pe->certs, sizeof(certs));
	return certs.size && certs.virtual_address >= bz->end &&
	       certs.virtual_address - bz->end < 8 &&
	       (u64)certs.virtual_address + certs.size == bz->len;
}

/*
 * What build.c stored: seed ~0, not inverted. Signing came after it, so that
 * the fields that signing changed count as the zeros that they were.
 */
static u32 compute_crc(const struct bzimage *bz, const struct pe_fields *pe)
{
	static const u8 zeros[sizeof(struct data_dirent)];
	u64 end = bz->end - CRC_BYTES;
	u64 after_csum, after_certs;
	u32 crc;

	if (!pe)
		return crc32_le(~0, bz->buf, end);

	after_csum = pe->csum + sizeof(__le32);
	after_certs = pe->certs + sizeof(struct data_dirent);
	crc = crc32_le(~0, bz->buf, pe->csum);
	crc = crc32_le(crc, zeros, sizeof(__le32));
	crc = crc32_le(crc, bz->buf + after_csum, pe->certs - after_csum);
	crc = crc32_le(crc, zeros, sizeof(zeros));
	return crc32_le(crc, bz->buf + after_certs, end - after_certs);
}

/*
 * Without a certificate the file ends where the header says. That is part of
 * the check: else a damaged syssize could point at padding, which reads like
 * "no CRC".
 */
static int check_crc(const struct bzimage *bz, struct mk_refusal *refusal)
{
	u32 stored = get_unaligned_le32(bz->buf + bz->end - CRC_BYTES);
	struct pe_fields fields, *pe = NULL;

	if (find_pe_fields(bz, &fields) && is_signed(bz, &fields))
		pe = &fields;
	if ((!pe && bz->len != bz->end) ||
	    (stored && stored != compute_crc(bz, pe)))
		return mk_image_refuse(refusal, -EBADMSG,
				       MK_REASON_IMAGE_CHECKSUM, 0, 0);
	return 0;
}

/**
 * mk_bzimage_payload() - find the compressed vmlinux in a bzImage
 * @buf: the file
 * @len: its bytes
 * @ret_payload: the payload, in @buf
 * @ret_len: its bytes
 * @refusal: which check failed
 *
 * Errors: -ENOEXEC with IMAGE_FORMAT, IMAGE_MACHINE, IMAGE_TRUNCATED; -EBADMSG
 * with IMAGE_CHECKSUM
 *
 * Return: 0 or -errno
 */
int mk_bzimage_payload(const void *buf, size_t len, const void **ret_payload,
		       size_t *ret_len, struct mk_refusal *refusal)
{
	struct bzimage bz = { .buf = buf, .len = len };
	u64 start, end;
	int err;

	err = read_header(&bz, refusal);
	if (!err)
		err = read_sizes(&bz, refusal);
	if (!err)
		err = check_crc(&bz, refusal);
	if (err)
		return err;

	start = bz.setup_bytes + bz.hdr.payload_offset;
	end = start + bz.hdr.payload_length;
	if (end > bz.end)
		return mk_image_refuse(refusal, -ENOEXEC,
				       MK_REASON_IMAGE_TRUNCATED, end, bz.end);
	*ret_payload = bz.buf + start;
	*ret_len = bz.hdr.payload_length;
	return 0;
}

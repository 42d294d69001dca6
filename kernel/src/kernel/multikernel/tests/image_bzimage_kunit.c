// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the image parser with bzImages: the sample ELF file, compressed by
 * each method, in a bzImage made in memory, as it is, signed, cut short, and
 * with every bit flipped; then the payload alone.
 */
#include <linux/crc32.h>
#include <linux/pe.h>
#include <linux/unaligned.h>

#include <asm/bootparam.h>

#include "image_payloads.h"
#include "image_test.h"

#define SETUP_BYTES	1024
#define BODY_OFFSET	0x20	/* of the payload in the body */
#define PE_OFFSET	0x40
#define CERT_BYTES	24

/* A bzImage in memory; certificates, if any, lie behind @end. */
struct bzimage {
	u8 *buf;
	size_t len;
	size_t end;
	struct setup_header *hdr;
};

static struct pe32plus_opt_hdr *pe_opt(struct bzimage *bz)
{
	return (void *)bz->buf + PE_OFFSET + sizeof(struct pe_hdr);
}

static struct data_dirent *pe_certs(struct bzimage *bz)
{
	return (void *)(pe_opt(bz) + 1) + offsetof(struct data_directory, certs);
}

static void fill_setup(struct bzimage *bz, size_t body, size_t payload)
{
	put_unaligned_le16(MZ_MAGIC, bz->buf);
	put_unaligned_le32(PE_OFFSET, bz->buf + offsetof(struct mz_hdr, peaddr));
	put_unaligned_le32(PE_MAGIC, bz->buf + PE_OFFSET);
	pe_opt(bz)->magic = PE_OPT_MAGIC_PE32PLUS;
	pe_opt(bz)->data_dirs = 6;

	bz->hdr = (void *)bz->buf + offsetof(struct boot_params, hdr);
	bz->hdr->setup_sects = SETUP_BYTES / 512 - 1;
	bz->hdr->syssize = body / 16;
	bz->hdr->boot_flag = 0xaa55;
	bz->hdr->header = 0x53726448;
	bz->hdr->version = 0x20f;
	bz->hdr->xloadflags = XLF_KERNEL_64;
	bz->hdr->payload_offset = BODY_OFFSET;
	bz->hdr->payload_length = payload;
}

/* What the build does last */
static void seal(struct bzimage *bz)
{
	put_unaligned_le32(crc32_le(~0, bz->buf, bz->end - 4),
			   bz->buf + bz->end - 4);
}

static void make_bzimage(struct kunit *test, struct bzimage *bz,
			 const u8 *payload, size_t payload_len,
			 size_t cert_bytes)
{
	/* The 16 more give the CRC its place, after some padding. */
	size_t body = ALIGN(BODY_OFFSET + payload_len, 16) + 16;

	bz->end = SETUP_BYTES + body;
	bz->len = bz->end + cert_bytes;
	bz->buf = vzalloc(bz->len);
	KUNIT_ASSERT_NOT_NULL(test, bz->buf);
	fill_setup(bz, body, payload_len);
	memcpy(bz->buf + SETUP_BYTES + BODY_OFFSET, payload, payload_len);
	seal(bz);
}

static void make_zstd(struct kunit *test, struct bzimage *bz)
{
	if (!IS_BUILTIN(CONFIG_ZSTD_DECOMPRESS))
		kunit_skip(test, "no CONFIG_ZSTD_DECOMPRESS");
	make_bzimage(test, bz, payload_zstd, sizeof(payload_zstd), 0);
}

/* Parse, expect to be refused, leave @bz as it was. */
static void expect_refused(struct kunit *test, struct bzimage *bz,
			   enum mk_reason reason)
{
	struct mk_refusal refusal;
	struct mk_image image;

	KUNIT_ASSERT_LT(test, mk_image_parse(bz->buf, bz->len, &image,
					     &refusal), 0);
	KUNIT_EXPECT_EQ(test, refusal.reason, (u32)reason);
}

/* Parse, expect the sample, free it. */
static void expect_accepted(struct kunit *test, struct bzimage *bz)
{
	struct mk_refusal refusal = {};
	struct mk_image image;

	KUNIT_ASSERT_EQ_MSG(test, mk_image_parse(bz->buf, bz->len, &image,
						 &refusal), 0,
			    "refused for reason %u", refusal.reason);
	expect_sample(test, &image);
	mk_image_free(&image);
}

struct method_case {
	const char *name;
	const u8 *payload;
	size_t len;
	bool builtin;
	bool has_checksum;
};

static const struct method_case method_cases[] = {
	{ "gzip", payload_gzip, sizeof(payload_gzip),
	  IS_BUILTIN(CONFIG_ZLIB_INFLATE), true },
	{ "zstd", payload_zstd, sizeof(payload_zstd),
	  IS_BUILTIN(CONFIG_ZSTD_DECOMPRESS), true },
	{ "lz4", payload_lz4, sizeof(payload_lz4),
	  IS_BUILTIN(CONFIG_LZ4_DECOMPRESS), false },
	{ "xz", payload_xz, sizeof(payload_xz), IS_BUILTIN(CONFIG_XZ_DEC),
	  true },
};

KUNIT_ARRAY_PARAM_DESC(method_cases, method_cases, name);

static const struct method_case *method_of(struct kunit *test)
{
	const struct method_case *c = test->param_value;

	if (!c->builtin)
		kunit_skip(test, "no %s in this kernel", c->name);
	return c;
}

static void bzimage_good(struct kunit *test)
{
	const struct method_case *c = method_of(test);
	struct bzimage bz;

	make_bzimage(test, &bz, c->payload, c->len, 0);
	expect_accepted(test, &bz);
}

/* With tables behind the ELF file, which a vmlinux file never has */
static void bzimage_moving(struct kunit *test)
{
	struct mk_refusal refusal;
	struct mk_image image;
	struct bzimage bz;

	make_bzimage(test, &bz, payload_moving, sizeof(payload_moving), 0);
	KUNIT_ASSERT_EQ(test, mk_image_parse(bz.buf, bz.len, &image,
					     &refusal), 0);
	expect_sane(test, &image);
	KUNIT_EXPECT_EQ(test, image.len, sizeof(struct sample_moving));
	KUNIT_EXPECT_TRUE(test, image.relocatable);
	KUNIT_EXPECT_EQ(test, image.relocs[MK_RELOC_ADD32].nr, 2U);
	KUNIT_EXPECT_EQ(test, image.relocs[MK_RELOC_SUB32].nr, 1U);
	KUNIT_EXPECT_EQ(test, image.relocs[MK_RELOC_ADD64].nr, 2U);
	mk_image_free(&image);
}

/* As Linux 6.15 and later leave it */
static void bzimage_without_crc(struct kunit *test)
{
	struct bzimage bz;

	make_zstd(test, &bz);
	put_unaligned_le32(0, bz.buf + bz.end - 4);
	expect_accepted(test, &bz);
}

/* As sbsign makes it: certificates behind, two fields of the header changed */
static void bzimage_signed(struct kunit *test)
{
	struct bzimage bz;

	if (!IS_BUILTIN(CONFIG_ZSTD_DECOMPRESS))
		kunit_skip(test, "no CONFIG_ZSTD_DECOMPRESS");
	make_bzimage(test, &bz, payload_zstd, sizeof(payload_zstd),
		     CERT_BYTES);
	expect_refused(test, &bz, MK_REASON_IMAGE_CHECKSUM);

	pe_opt(&bz)->csum = 0x12345678;
	pe_certs(&bz)->virtual_address = bz.end;
	pe_certs(&bz)->size = CERT_BYTES;
	flip(bz.buf, 8 * (bz.end - 8));
	expect_refused(test, &bz, MK_REASON_IMAGE_CHECKSUM);
	flip(bz.buf, 8 * (bz.end - 8));

	bz.len--;
	expect_refused(test, &bz, MK_REASON_IMAGE_CHECKSUM);
	bz.len++;
	expect_accepted(test, &bz);
}

static void bzimage_truncated(struct kunit *test)
{
	struct mk_refusal refusal;
	struct mk_image image;
	struct bzimage bz;
	size_t len;

	make_zstd(test, &bz);
	for (len = 1; len < bz.len; len++) {
		void *buf = copy_of(test, bz.buf, len);
		int err = mk_image_parse(buf, len, &image, &refusal);

		KUNIT_ASSERT_LT(test, err, 0);
		/* Without its header nobody can tell what it was. */
		if (len < offsetofend(struct boot_params, hdr)) {
			KUNIT_EXPECT_EQ(test, refusal.reason,
					(u32)MK_REASON_IMAGE_FORMAT);
		} else {
			KUNIT_EXPECT_EQ(test, refusal.reason,
					(u32)MK_REASON_IMAGE_TRUNCATED);
			KUNIT_EXPECT_EQ(test, refusal.a, (u64)bz.len);
			KUNIT_EXPECT_EQ(test, refusal.b, (u64)len);
		}
		vfree(buf);
	}
	vfree(bz.buf);
}

/* Every single bit, and then some more at a time: the CRC sees them all. */
static void bzimage_flips(struct kunit *test)
{
	struct mk_refusal refusal;
	struct mk_image image;
	struct rnd_state rnd;
	struct bzimage bz;
	u32 i, j, bits;
	u8 *good;

	make_zstd(test, &bz);
	good = copy_of(test, bz.buf, bz.len);
	prandom_seed_state(&rnd, 2);
	bits = 8 * bz.len;
	for (i = 0; i < bits + FLIP_ROUNDS; i++) {
		memcpy(bz.buf, good, bz.len);
		flip(bz.buf, i % bits);
		for (j = 0; j < i / bits * 3; j++)
			flip(bz.buf, prandom_u32_state(&rnd) % bits);
		if (!memcmp(bz.buf, good, bz.len))
			continue;
		KUNIT_ASSERT_LT_MSG(test,
				    mk_image_parse(bz.buf, bz.len, &image,
						   &refusal),
				    0, "round %u", i);
	}
	vfree(good);
	vfree(bz.buf);
}

/* Fields that are wrong although the checksum is right */
static void bzimage_broken(struct kunit *test)
{
	struct setup_header good;
	struct bzimage bz;

	make_zstd(test, &bz);
	good = *bz.hdr;

#define EXPECT_BROKEN(field, value, _reason) do {			\
	bz.hdr->field = value;						\
	seal(&bz);							\
	expect_refused(test, &bz, MK_REASON_IMAGE_##_reason);		\
	*bz.hdr = good;							\
} while (0)

	EXPECT_BROKEN(boot_flag, 0xaa54, FORMAT);
	EXPECT_BROKEN(header, 0x53726449, FORMAT);
	EXPECT_BROKEN(version, 0x20b, FORMAT);
	EXPECT_BROKEN(xloadflags, 0, MACHINE);
	EXPECT_BROKEN(syssize, 0, FORMAT);
	EXPECT_BROKEN(syssize, good.syssize + 1, TRUNCATED);
	EXPECT_BROKEN(syssize, ~0, TRUNCATED);
	EXPECT_BROKEN(syssize, good.syssize - 1, CHECKSUM);
	EXPECT_BROKEN(setup_sects, 0, TRUNCATED);
	EXPECT_BROKEN(payload_offset, ~0, TRUNCATED);
	EXPECT_BROKEN(payload_length, ~0, TRUNCATED);
	EXPECT_BROKEN(payload_offset, 0, COMPRESSION);
	EXPECT_BROKEN(payload_length, 0, COMPRESSION);
	EXPECT_BROKEN(payload_length, 4, CHECKSUM);
#undef EXPECT_BROKEN

	seal(&bz);
	expect_accepted(test, &bz);
}

/* Change the appended size only, and unpack. */
static int unpack_as(struct kunit *test, const struct method_case *c, u32 size,
		     struct mk_refusal *refusal)
{
	u8 *payload = copy_of(test, c->payload, c->len);
	size_t len;
	void *buf;
	int err;

	put_unaligned_le32(size, payload + c->len - 4);
	err = mk_image_unpack(payload, c->len, &buf, &len, refusal);
	vfree(payload);
	if (!err)
		vfree(buf);
	return err;
}

static void unpack_size(struct kunit *test)
{
	const struct method_case *c = method_of(test);
	const u32 size = sizeof(struct sample_elf);
	struct mk_refusal refusal;

	KUNIT_EXPECT_EQ(test, unpack_as(test, c, size, &refusal), 0);
	KUNIT_EXPECT_EQ(test, unpack_as(test, c, 0, &refusal), -EBADMSG);
	KUNIT_EXPECT_EQ(test, unpack_as(test, c, 1, &refusal), -EBADMSG);
	KUNIT_EXPECT_EQ(test, unpack_as(test, c, size - 1, &refusal),
			-EBADMSG);
	KUNIT_EXPECT_EQ(test, unpack_as(test, c, size + 1, &refusal),
			-EBADMSG);
	KUNIT_EXPECT_EQ(test, refusal.reason, (u32)MK_REASON_IMAGE_CHECKSUM);
	KUNIT_EXPECT_EQ(test, unpack_as(test, c, MK_IMAGE_UNPACKED_MAX + 1,
					&refusal), -EFBIG);
	KUNIT_EXPECT_EQ(test, refusal.reason, (u32)MK_REASON_IMAGE_TOO_LARGE);
	KUNIT_EXPECT_EQ(test, refusal.a, (u64)MK_IMAGE_UNPACKED_MAX + 1);
	KUNIT_EXPECT_EQ(test, refusal.b, (u64)MK_IMAGE_UNPACKED_MAX);
}

/* The stream ends early, the size behind it is right. */
static void unpack_truncated(struct kunit *test)
{
	const struct method_case *c = method_of(test);
	struct mk_refusal refusal;
	size_t len, packed;
	void *buf;

	for (packed = 0; packed < c->len - 4; packed++) {
		u8 *payload = copy_of(test, c->payload, packed + 4);

		memcpy(payload + packed, c->payload + c->len - 4, 4);
		KUNIT_ASSERT_LT_MSG(test,
				    mk_image_unpack(payload, packed + 4, &buf,
						    &len, &refusal),
				    0, "%zu bytes", packed);
		vfree(payload);
	}
}

/*
 * Nothing crashes; and where the method has a checksum, what comes out is
 * right or nothing comes out. (Some bits of a header say nothing: the time in
 * gzip, an unused bit in zstd.)
 */
static void unpack_flips(struct kunit *test)
{
	const struct method_case *c = method_of(test);
	u8 *payload = copy_of(test, c->payload, c->len);
	struct mk_refusal refusal;
	struct sample_elf *elf = sample(test);
	size_t len;
	void *buf;
	u32 i;

	for (i = 0; i < 8 * (c->len - 4); i++) {
		flip(payload, i);
		if (!mk_image_unpack(payload, c->len, &buf, &len, &refusal)) {
			KUNIT_EXPECT_EQ(test, len, sizeof(*elf));
			if (c->has_checksum)
				KUNIT_EXPECT_MEMEQ(test, buf, elf,
						   sizeof(*elf));
			vfree(buf);
		}
		flip(payload, i);
	}
	vfree(payload);
}

static void unpack_other_methods(struct kunit *test)
{
	static const struct {
		const char *name;
		u8 data[16];
	} other[] = {
		{ "bzip2", "BZh91AY" },
		{ "lzma", { 0x5d } },
		{ "lzo", "\x89LZO\r\n\x1a\n" },
		{ "unknown", "\x7f" "ELF" },
	};
	struct mk_refusal refusal;
	size_t i, len;
	void *buf;

	for (i = 0; i < ARRAY_SIZE(other); i++) {
		KUNIT_EXPECT_EQ(test, mk_image_unpack(other[i].data, 16, &buf,
						      &len, &refusal),
				-EOPNOTSUPP);
		KUNIT_EXPECT_EQ(test, refusal.reason,
				(u32)MK_REASON_IMAGE_COMPRESSION);
		KUNIT_EXPECT_STREQ(test, refusal.object, other[i].name);
	}
}

/* Optional fields of the gzip header, which no kernel build writes */
static void unpack_gzip_flags(struct kunit *test)
{
	struct mk_refusal refusal;
	size_t len;
	u8 *payload;
	void *buf;

	if (!IS_BUILTIN(CONFIG_ZLIB_INFLATE))
		kunit_skip(test, "no gzip in this kernel");
	payload = copy_of(test, payload_gzip, sizeof(payload_gzip));
	payload[3] = 0x08;
	KUNIT_EXPECT_EQ(test, mk_image_unpack(payload, sizeof(payload_gzip),
					      &buf, &len, &refusal),
			-EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, refusal.object, "gzip");
	vfree(payload);
}

static struct kunit_case bzimage_cases[] = {
	KUNIT_CASE_PARAM(bzimage_good, method_cases_gen_params),
	KUNIT_CASE(bzimage_moving),
	KUNIT_CASE(bzimage_without_crc),
	KUNIT_CASE(bzimage_signed),
	KUNIT_CASE(bzimage_truncated),
	KUNIT_CASE(bzimage_flips),
	KUNIT_CASE(bzimage_broken),
	KUNIT_CASE_PARAM(unpack_size, method_cases_gen_params),
	KUNIT_CASE_PARAM(unpack_truncated, method_cases_gen_params),
	KUNIT_CASE_PARAM(unpack_flips, method_cases_gen_params),
	KUNIT_CASE(unpack_other_methods),
	KUNIT_CASE(unpack_gzip_flags),
	{}
};

static struct kunit_suite bzimage_suite = {
	.name = "multikernel_bzimage",
	.test_cases = bzimage_cases,
};

kunit_test_suites(&bzimage_suite);

MODULE_DESCRIPTION("Tests of the multikernel's image parser: bzImage");
MODULE_LICENSE("GPL");

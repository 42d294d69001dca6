// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decompresses the payload of a bzImage, once, on the host, in one go into the
 * final buffer.
 *
 * The decompressors behind decompress_method() are __init, so this calls the
 * libraries themselves. The kernel build ends every payload, whatever the
 * method, with the unpacked size in 4 bytes, little endian (size_append in
 * scripts/Makefile.lib; gzip has it by nature).
 */
#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/lz4.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>
#include <linux/xz.h>
#include <linux/zlib.h>
#include <linux/zstd.h>

#include "image.h"

#define SIZE_BYTES	sizeof(__le32)

/*
 * Each unpacks the @len bytes at @in (without the appended size) to exactly
 * @size bytes at @out and returns 0, -ENOMEM, -EBADMSG when the data is bad,
 * or -EOPNOTSUPP when it uses an option that this kernel cannot do.
 */
typedef int (*unpack_fn)(const u8 *in, size_t len, u8 *out, size_t size);

/* RFC 1952; the build uses gzip -n, so that no optional field is there. */
#define GZIP_HEADER_BYTES	10
#define GZIP_FLAGS		3	/* offset of the byte */
#define GZIP_CRC_BYTES		4

static int unpack_gzip(const u8 *in, size_t len, u8 *out, size_t size)
{
	const size_t frame = GZIP_HEADER_BYTES + GZIP_CRC_BYTES;
	int n;

	if (len <= frame)
		return -EBADMSG;
	if (in[GZIP_FLAGS])
		return -EOPNOTSUPP;
	n = zlib_inflate_blob(out, size, in + GZIP_HEADER_BYTES, len - frame);
	if (n == -ENOMEM)
		return n;
	if (n != size ||
	    ~crc32_le(~0, out, size) !=
	    get_unaligned_le32(in + len - GZIP_CRC_BYTES))
		return -EBADMSG;
	return 0;
}

static int unpack_zstd(const u8 *in, size_t len, u8 *out, size_t size)
{
	size_t bytes = zstd_dctx_workspace_bound();
	void *workspace = kvmalloc(bytes, GFP_KERNEL);
	zstd_dctx *dctx;
	size_t n;

	if (!workspace)
		return -ENOMEM;
	dctx = zstd_init_dctx(workspace, bytes);
	n = dctx ? zstd_decompress_dctx(dctx, out, size, in, len) : 0;
	kvfree(workspace);
	return n == size ? 0 : -EBADMSG;
}

/*
 * The legacy format of lz4 -l: a magic number, then chunks of up to 8 MiB
 * unpacked, each after its packed size. It has no checksum.
 */
#define LZ4_MAGIC		0x184c2102
#define LZ4_CHUNK_BYTES		SZ_8M

static int unpack_lz4(const u8 *in, size_t len, u8 *out, size_t size)
{
	size_t done = 0;

	while (len >= sizeof(__le32)) {
		u32 bytes = get_unaligned_le32(in);
		int n;

		in += sizeof(__le32);
		len -= sizeof(__le32);
		if (bytes == LZ4_MAGIC)
			continue;
		if (bytes > min_t(size_t, len, INT_MAX))
			return -EBADMSG;
		n = LZ4_decompress_safe(in, out + done, bytes,
					min_t(size_t, size - done,
					      LZ4_CHUNK_BYTES));
		if (n < 0)
			return -EBADMSG;
		done += n;
		in += bytes;
		len -= bytes;
	}
	return done == size && !len ? 0 : -EBADMSG;
}

static int unpack_xz(const u8 *in, size_t len, u8 *out, size_t size)
{
	struct xz_buf buf = {
		.in = in,
		.in_size = len,
		.out = out,
		.out_size = size,
	};
	struct xz_dec *dec = xz_dec_init(XZ_SINGLE, 0);
	enum xz_ret ret;

	if (!dec)
		return -ENOMEM;
	ret = xz_dec_run(dec, &buf);
	xz_dec_end(dec);
	if (ret == XZ_OPTIONS_ERROR)
		return -EOPNOTSUPP;
	return ret == XZ_STREAM_END && buf.out_pos == size ? 0 : -EBADMSG;
}

/* @unpack is NULL for what this kernel can only name. */
static const struct method {
	const char *name;
	const char *magic;
	size_t magic_bytes;
	unpack_fn unpack;
} methods[] = {
	{ "gzip", "\x1f\x8b\x08", 3,
	  IS_BUILTIN(CONFIG_ZLIB_INFLATE) ? unpack_gzip : NULL },
	{ "zstd", "\x28\xb5\x2f\xfd", 4,
	  IS_BUILTIN(CONFIG_ZSTD_DECOMPRESS) ? unpack_zstd : NULL },
	{ "lz4", "\x02\x21\x4c\x18", 4,
	  IS_BUILTIN(CONFIG_LZ4_DECOMPRESS) ? unpack_lz4 : NULL },
	{ "xz", "\xfd" "7zXZ\0", 6,
	  IS_BUILTIN(CONFIG_XZ_DEC) ? unpack_xz : NULL },
	{ "bzip2", "BZh", 3, NULL },
	{ "lzma", "\x5d\0\0", 3, NULL },
	{ "lzo", "\x89LZO", 4, NULL },
};

static const struct method *find_method(const u8 *payload, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		if (len >= methods[i].magic_bytes &&
		    !memcmp(payload, methods[i].magic, methods[i].magic_bytes))
			return &methods[i];
	}
	return NULL;
}

static int refuse_method(const struct method *method,
			 struct mk_refusal *refusal)
{
	mk_image_refuse(refusal, -EOPNOTSUPP, MK_REASON_IMAGE_COMPRESSION, 0,
			0);
	strscpy(refusal->object, method ? method->name : "unknown");
	return -EOPNOTSUPP;
}

static int refuse_unpack(int err, const struct method *method,
			 struct mk_refusal *refusal)
{
	switch (err) {
	case -EOPNOTSUPP:
		return refuse_method(method, refusal);
	case -ENOMEM:
		return mk_image_refuse(refusal, err, MK_REASON_IMAGE_READ, 0,
				       ENOMEM);
	default:
		return mk_image_refuse(refusal, err, MK_REASON_IMAGE_CHECKSUM,
				       0, 0);
	}
}

/**
 * mk_image_unpack() - decompress a payload
 * @payload: compressed data with the appended size
 * @len: its bytes
 * @ret_buf: unpacked data, for vfree()
 * @ret_len: its bytes
 * @refusal: which check failed
 *
 * Errors: -EOPNOTSUPP with IMAGE_COMPRESSION naming the method, -EFBIG with
 * IMAGE_TOO_LARGE, -EBADMSG with IMAGE_CHECKSUM, -ENOMEM with IMAGE_READ
 *
 * Return: 0 or -errno
 */
int mk_image_unpack(const void *payload, size_t len, void **ret_buf,
		    size_t *ret_len, struct mk_refusal *refusal)
{
	const struct method *method = find_method(payload, len);
	size_t packed;
	void *buf;
	u32 size;
	int err;

	if (!method || !method->unpack)
		return refuse_method(method, refusal);
	if (len <= SIZE_BYTES)
		return refuse_unpack(-EBADMSG, method, refusal);
	packed = len - SIZE_BYTES;
	size = get_unaligned_le32(payload + packed);
	if (size > MK_IMAGE_UNPACKED_MAX)
		return mk_image_refuse(refusal, -EFBIG,
				       MK_REASON_IMAGE_TOO_LARGE, size,
				       MK_IMAGE_UNPACKED_MAX);
	if (!size)
		return refuse_unpack(-EBADMSG, method, refusal);

	/* The size is the file's word: a failure is its refusal, not news. */
	buf = vmalloc_huge(size, GFP_KERNEL | __GFP_NOWARN);
	if (!buf)
		return refuse_unpack(-ENOMEM, method, refusal);
	err = method->unpack(payload, packed, buf, size);
	if (err) {
		vfree(buf);
		return refuse_unpack(err, method, refusal);
	}
	*ret_buf = buf;
	*ret_len = size;
	return 0;
}

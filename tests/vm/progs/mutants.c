// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load broken kernels: mutants of a vmlinux and of a bzImage, each made from a
 * number, are loaded for an instance. Each has to be refused, with a reason that
 * tells of an image, or to be as good as the unbroken one: what the loader reads
 * of it is the same.
 *
 * usage: mutants VMLINUX BZIMAGE INSTANCE SEED COUNT
 *
 * What the loader reads is read here a second time, by other code. Of a vmlinux:
 * the segments, the entry, and the note. What lies in a segment is only copied,
 * and a vmlinux has no checksum. Of a bzImage: the payload, to the last byte, or
 * a payload that carries its own checksum, which the loader has compared.
 *
 * Prints a line for each that was neither refused nor equal ("WRONG"), and at
 * the end how often each kind was refused and taken, and for which reasons.
 * MUTANT N alone is: mutants ... N 1.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <mk/libmk.h>

#define EDITS_MAX    16
#define SEGMENTS_MAX 16
#define GOOD_EVERY   50 /* the unbroken ones are loaded once in so many */
#define PAGE_BYTES   4096

/* Of a bzImage: Documentation/arch/x86/boot.rst */
#define SETUP_HEADER	 0x1f1
#define SETUP_HEADER_END 0x26c
#define SETUP_SECTS	 0x1f1
#define SYSSIZE		 0x1f4
#define PAYLOAD_OFFSET	 0x248
#define PAYLOAD_LENGTH	 0x24c
#define ZSTD_MAGIC	 0xfd2fb528
#define ZSTD_DESCRIPTOR	 4 /* its byte, and in it: */
#define ZSTD_CHECKSUM	 4

/** struct base - an unbroken file */
struct base {
	unsigned char *data;
	size_t len;
};

/** struct edit - some bytes that are different in the mutant */
struct edit {
	size_t offset;
	size_t len;
	unsigned char was[64];
};

/**
 * struct mutant - one that is being made
 * @data: the whole file; what was changed is put back by undo()
 * @len: its bytes, also more or less than those of its base
 * @what: how it was made
 */
struct mutant {
	const struct base *base;
	unsigned char *data;
	size_t len;
	struct edit edits[EDITS_MAX];
	unsigned int nr_edits;
	char what[400];
};

/** struct layout - what the loader reads of a vmlinux */
struct layout {
	uint64_t entry;
	unsigned int nr;
	struct {
		uint64_t paddr, memsz, filesz, offset;
	} segment[SEGMENTS_MAX];
	bool has_note;
	uint32_t abi_version;
};

/** struct loader - where they are loaded */
struct loader {
	struct mk_ctx *ctx;
	uint32_t id;
	uint64_t good_bytes[2]; /* image_bytes of the unbroken ones */
	unsigned int reasons[256];
};

static uint64_t rnd_state;

/* SplitMix64: neighbouring seeds have nothing in common */
static uint64_t rnd(void)
{
	uint64_t z = (rnd_state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static uint64_t below(uint64_t limit)
{
	return rnd() % limit;
}

static void __attribute__((noreturn)) die(const char *what, const char *why)
{
	printf("mutants: %s: %s\n", what, why);
	exit(2);
}

static uint32_t le32(const unsigned char *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

/*
 * Making them
 */

static void note(struct mutant *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct mutant *m, const char *fmt, ...)
{
	size_t used = strlen(m->what);
	va_list args;

	va_start(args, fmt);
	vsnprintf(m->what + used, sizeof(m->what) - used, fmt, args);
	va_end(args);
}

static void edit(struct mutant *m, size_t offset, const void *bytes, size_t len)
{
	struct edit *e = &m->edits[m->nr_edits];

	if (m->nr_edits == EDITS_MAX || len > sizeof(e->was) ||
	    offset + len > m->base->len)
		return;
	m->nr_edits++;
	e->offset = offset;
	e->len = len;
	memcpy(e->was, m->data + offset, len);
	memcpy(m->data + offset, bytes, len);
}

static void undo(struct mutant *m)
{
	while (m->nr_edits) {
		struct edit *e = &m->edits[--m->nr_edits];

		memcpy(m->data + e->offset, e->was, e->len);
	}
}

static void flip_bits(struct mutant *m, size_t from, size_t len)
{
	unsigned int n = below(4) ? 1 : (unsigned int)(2 + below(7));
	unsigned char byte;
	size_t at;

	while (n--) {
		at = from + below(len);
		if (at >= m->base->len)
			continue;
		byte = (unsigned char)(m->data[at] ^ (1U << below(8)));
		edit(m, at, &byte, 1);
		note(m, " byte 0x%zx is 0x%02x", at, byte);
	}
}

/* A number that programs trip over */
static uint64_t odd_number(const struct mutant *m)
{
	switch (below(8)) {
	case 0: return 0;
	case 1: return ~0ULL;
	case 2: return 1ULL << below(64);
	case 3: return m->base->len + below(3) - 1;
	case 4: return below(m->base->len);
	case 5: return 0x1000000 + below(0x1000000);
	case 6: return 0ULL - below(PAGE_BYTES);
	default: return rnd() >> below(64);
	}
}

static void set_field(struct mutant *m, size_t at, size_t len, uint64_t to)
{
	edit(m, at, &to, len);
	note(m, " field 0x%zx is 0x%llx", at, (unsigned long long)to);
}

static void cut(struct mutant *m)
{
	switch (below(4)) {
	case 0: m->len = below(0x400); break;
	case 1: m->len = m->base->len - 1 - below(PAGE_BYTES); break;
	case 2: m->len = m->base->len - 1 - below(8); break;
	default: m->len = below(m->base->len);
	}
	note(m, " cut to %zu bytes", m->len);
}

static void append(struct mutant *m)
{
	m->len = m->base->len + 1 + below(PAGE_BYTES);
	note(m, " %zu bytes more", m->len - m->base->len);
}

static const Elf64_Ehdr *ehdr_of(const unsigned char *data)
{
	return (const Elf64_Ehdr *)(const void *)data;
}

static size_t random_phdr(const struct mutant *m)
{
	const Elf64_Ehdr *ehdr = ehdr_of(m->base->data);

	return ehdr->e_phoff + below(ehdr->e_phnum) * sizeof(Elf64_Phdr);
}

static void elf_cut(struct mutant *m) { cut(m); }
static void elf_append(struct mutant *m) { append(m); }

static void elf_flip_header(struct mutant *m)
{
	const Elf64_Ehdr *ehdr = ehdr_of(m->base->data);

	flip_bits(m, 0, sizeof(*ehdr) + ehdr->e_phnum * sizeof(Elf64_Phdr));
}

static void elf_flip_sections(struct mutant *m)
{
	const Elf64_Ehdr *ehdr = ehdr_of(m->base->data);

	flip_bits(m, ehdr->e_shoff, ehdr->e_shnum * sizeof(Elf64_Shdr));
}

static void elf_flip_notes(struct mutant *m)
{
	const Elf64_Ehdr *ehdr = ehdr_of(m->base->data);
	const Elf64_Phdr *phdr = (const void *)(m->base->data + ehdr->e_phoff);
	unsigned int i;

	for (i = 0; i < ehdr->e_phnum; i++)
		if (phdr[i].p_type == PT_NOTE)
			flip_bits(m, phdr[i].p_offset, phdr[i].p_filesz);
}

static void elf_flip_content(struct mutant *m)
{
	const Elf64_Ehdr *ehdr = ehdr_of(m->base->data);
	const size_t from = ehdr->e_phoff + ehdr->e_phnum * sizeof(Elf64_Phdr);

	flip_bits(m, from, ehdr->e_shoff - from);
}

static void elf_entry(struct mutant *m)
{
	const Elf64_Ehdr *ehdr = ehdr_of(m->base->data);
	uint64_t to = ehdr->e_entry;

	while (to == ehdr->e_entry) {
		switch (below(4)) {
		case 0: to = odd_number(m); break;
		case 1: to += 1 + below(16); break;
		case 2: to += below(0x1000000); break;
		default: to = 0xffffffff80000000 + to;
		}
	}
	set_field(m, offsetof(Elf64_Ehdr, e_entry), 8, to);
}

/* One segment lies in another, by its physical address */
static void elf_overlap(struct mutant *m)
{
	const Elf64_Phdr *a, *b;
	uint64_t to;
	size_t at;

	do {
		at = random_phdr(m);
		a = (const void *)(m->base->data + at);
		b = (const void *)(m->base->data + random_phdr(m));
	} while (a->p_type != PT_LOAD || b->p_type != PT_LOAD || a == b);
	to = b->p_paddr + below(b->p_memsz);
	if (below(2))
		to &= ~(uint64_t)(PAGE_BYTES - 1);
	set_field(m, at + offsetof(Elf64_Phdr, p_paddr), 8, to);
}

static void elf_field(struct mutant *m)
{
	static const size_t wide[] = {
		offsetof(Elf64_Phdr, p_offset), offsetof(Elf64_Phdr, p_vaddr),
		offsetof(Elf64_Phdr, p_paddr), offsetof(Elf64_Phdr, p_filesz),
		offsetof(Elf64_Phdr, p_memsz), offsetof(Elf64_Phdr, p_align),
	};
	unsigned int n = 1 + (unsigned int)below(2);

	while (n--) {
		size_t at = random_phdr(m);

		switch (below(8)) {
		case 0:
			set_field(m, at + offsetof(Elf64_Phdr, p_type), 4,
				  below(8));
			break;
		case 1:
			set_field(m, at + offsetof(Elf64_Phdr, p_flags), 4,
				  below(8));
			break;
		default:
			set_field(m, at + wide[below(MK_ARRAY_SIZE(wide))], 8,
				  odd_number(m));
		}
	}
}

static void elf_header_field(struct mutant *m)
{
	static const struct {
		size_t offset, len;
	} fields[] = {
		{ offsetof(Elf64_Ehdr, e_type), 2 },
		{ offsetof(Elf64_Ehdr, e_machine), 2 },
		{ offsetof(Elf64_Ehdr, e_phoff), 8 },
		{ offsetof(Elf64_Ehdr, e_shoff), 8 },
		{ offsetof(Elf64_Ehdr, e_phentsize), 2 },
		{ offsetof(Elf64_Ehdr, e_phnum), 2 },
		{ offsetof(Elf64_Ehdr, e_shentsize), 2 },
		{ offsetof(Elf64_Ehdr, e_shnum), 2 },
	};
	size_t i = below(MK_ARRAY_SIZE(fields));

	set_field(m, fields[i].offset, fields[i].len, odd_number(m));
}

/* Two program headers change places: the same, in another order */
static void elf_swap(struct mutant *m)
{
	unsigned char a[sizeof(Elf64_Phdr)], b[sizeof(Elf64_Phdr)];
	size_t at = random_phdr(m), to = random_phdr(m);

	memcpy(a, m->data + at, sizeof(a));
	memcpy(b, m->data + to, sizeof(b));
	edit(m, at, b, sizeof(b));
	edit(m, to, a, sizeof(a));
	note(m, " 0x%zx and 0x%zx have changed places", at, to);
}

static uint32_t crc_table[256];

static void crc_init(void)
{
	uint32_t i, j, crc;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (j = 0; j < 8; j++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
		crc_table[i] = crc;
	}
}

/* Make the checksum right again, so that what was changed is looked at. */
static void seal(struct mutant *m)
{
	uint32_t crc = ~0U;
	size_t i;

	for (i = 0; i < m->base->len - 4; i++)
		crc = crc >> 8 ^ crc_table[(crc ^ m->data[i]) & 0xff];
	edit(m, m->base->len - 4, &crc, sizeof(crc));
	note(m, ", sealed");
}

static size_t payload_of(const unsigned char *data)
{
	unsigned int sects = data[SETUP_SECTS] ? data[SETUP_SECTS] : 4;

	return (sects + 1) * 512 + (size_t)le32(data + PAYLOAD_OFFSET);
}

static void bz_cut(struct mutant *m) { cut(m); }
static void bz_append(struct mutant *m) { append(m); }

static void bz_flip_header(struct mutant *m)
{
	flip_bits(m, SETUP_HEADER, SETUP_HEADER_END - SETUP_HEADER);
	if (below(2))
		seal(m);
}

static void bz_flip(struct mutant *m)
{
	flip_bits(m, 0, m->base->len);
}

static void bz_flip_payload(struct mutant *m)
{
	const unsigned char *data = m->base->data;
	size_t len = le32(data + PAYLOAD_LENGTH);

	flip_bits(m, payload_of(data), below(2) ? len : 64);
	seal(m);
}

/* The size behind the payload, which says how much comes out of it */
static void bz_unpacked_size(struct mutant *m)
{
	const unsigned char *data = m->base->data;
	size_t at = payload_of(data) + le32(data + PAYLOAD_LENGTH) - 4;
	uint32_t was = le32(data + at);

	set_field(m, at, 4, below(2) ? was + below(9) - 4 : odd_number(m));
	seal(m);
}

static void bz_field(struct mutant *m)
{
	static const struct {
		size_t offset, len;
	} fields[] = {
		{ SETUP_SECTS, 1 }, { SYSSIZE, 4 }, { 0x1fe, 2 },
		{ 0x202, 4 }, { 0x206, 2 }, { 0x236, 2 },
		{ PAYLOAD_OFFSET, 4 }, { PAYLOAD_LENGTH, 4 },
	};
	size_t i = below(MK_ARRAY_SIZE(fields));

	set_field(m, fields[i].offset, fields[i].len, odd_number(m));
	if (below(4))
		seal(m);
}

/** struct kind - a way to break a file, and how that went */
struct kind {
	const char *name;
	int bz; /* of a bzImage */
	unsigned int often;
	void (*make)(struct mutant *m);
	unsigned int refused, taken;
};

static struct kind kinds[] = {
	{ "vmlinux cut", 0, 2, elf_cut, 0, 0 },
	{ "vmlinux longer", 0, 1, elf_append, 0, 0 },
	{ "vmlinux header bits", 0, 5, elf_flip_header, 0, 0 },
	{ "vmlinux section bits", 0, 3, elf_flip_sections, 0, 0 },
	{ "vmlinux note bits", 0, 2, elf_flip_notes, 0, 0 },
	{ "vmlinux content bits", 0, 1, elf_flip_content, 0, 0 },
	{ "vmlinux entry", 0, 3, elf_entry, 0, 0 },
	{ "vmlinux overlap", 0, 3, elf_overlap, 0, 0 },
	{ "vmlinux segment fields", 0, 4, elf_field, 0, 0 },
	{ "vmlinux header fields", 0, 2, elf_header_field, 0, 0 },
	{ "vmlinux swapped", 0, 1, elf_swap, 0, 0 },
	{ "bzImage cut", 1, 3, bz_cut, 0, 0 },
	{ "bzImage longer", 1, 1, bz_append, 0, 0 },
	{ "bzImage header bits", 1, 5, bz_flip_header, 0, 0 },
	{ "bzImage bits", 1, 4, bz_flip, 0, 0 },
	{ "bzImage payload bits", 1, 3, bz_flip_payload, 0, 0 },
	{ "bzImage unpacked size", 1, 2, bz_unpacked_size, 0, 0 },
	{ "bzImage fields", 1, 5, bz_field, 0, 0 },
};

static struct kind *random_kind(void)
{
	unsigned int all = 0, at;
	size_t i;

	for (i = 0; i < MK_ARRAY_SIZE(kinds); i++)
		all += kinds[i].often;
	at = (unsigned int)below(all);
	for (i = 0; at >= kinds[i].often; i++)
		at -= kinds[i].often;
	return &kinds[i];
}

/*
 * What the loader reads
 */

static void read_note(struct layout *l, const unsigned char *p, uint64_t bytes,
		      uint64_t align)
{
	uint64_t pos = 0, desc, end;
	Elf64_Nhdr nhdr;

	while (!l->has_note && pos + sizeof(nhdr) <= bytes) {
		memcpy(&nhdr, p + pos, sizeof(nhdr));
		desc = pos + sizeof(nhdr) + nhdr.n_namesz;
		desc = (desc + align - 1) / align * align;
		end = desc + nhdr.n_descsz;
		if (end > bytes)
			return;
		if (nhdr.n_type == MK_NOTE_TYPE && nhdr.n_namesz == 6 &&
		    !memcmp(p + pos + sizeof(nhdr), MK_NOTE_NAME, 6) &&
		    nhdr.n_descsz >= 4) {
			l->abi_version = le32(p + desc);
			l->has_note = true;
		}
		pos = (end + align - 1) / align * align;
	}
}

static void add_segment(struct layout *l, const Elf64_Phdr *p)
{
	unsigned int i = l->nr++;

	/* By their addresses: the order in the file says nothing. */
	for (; i && l->segment[i - 1].paddr > p->p_paddr; i--)
		l->segment[i] = l->segment[i - 1];
	l->segment[i].paddr = p->p_paddr;
	l->segment[i].memsz = p->p_memsz;
	l->segment[i].filesz = p->p_filesz;
	l->segment[i].offset = p->p_offset;
}

/* Only of a file that was taken. False when it should not have been. */
static bool read_layout(const unsigned char *data, size_t len,
			struct layout *ret)
{
	const Elf64_Ehdr *ehdr = ehdr_of(data);
	Elf64_Phdr p;
	unsigned int i;

	memset(ret, 0, sizeof(*ret));
	ret->entry = ehdr->e_entry;
	if (ehdr->e_phoff > len || ehdr->e_phentsize != sizeof(p) ||
	    ehdr->e_phnum * sizeof(p) > len - ehdr->e_phoff)
		return false;
	for (i = 0; i < ehdr->e_phnum; i++) {
		memcpy(&p, data + ehdr->e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type != PT_LOAD && p.p_type != PT_NOTE)
			continue;
		if (p.p_offset > len || p.p_filesz > len - p.p_offset)
			return false;
		if (p.p_type == PT_NOTE)
			read_note(ret, data + p.p_offset, p.p_filesz,
				  p.p_align == 8 ? 8 : 4);
		else if (p.p_memsz && ret->nr == SEGMENTS_MAX)
			return false;
		else if (p.p_memsz)
			add_segment(ret, &p);
	}
	return true;
}

static bool elf_equal(const struct mutant *m)
{
	struct layout good, now;

	return m->len >= sizeof(Elf64_Ehdr) &&
	       read_layout(m->base->data, m->base->len, &good) &&
	       read_layout(m->data, m->len, &now) &&
	       !memcmp(&good, &now, sizeof(good));
}

/* What is compressed by zstd and carries a checksum speaks for itself. */
static bool has_checksum(const unsigned char *payload)
{
	return le32(payload) == ZSTD_MAGIC &&
	       (payload[ZSTD_DESCRIPTOR] & ZSTD_CHECKSUM);
}

static bool bz_equal(const struct mutant *m)
{
	const struct base *b = m->base;
	size_t good = payload_of(b->data), now = payload_of(m->data);
	size_t len = le32(m->data + PAYLOAD_LENGTH);

	if (now > m->len || len > m->len - now)
		return false;
	if (len == le32(b->data + PAYLOAD_LENGTH) &&
	    !memcmp(b->data + good, m->data + now, len))
		return true;
	return now == good && has_checksum(m->data + now);
}

/*
 * Loading them
 */

static const char *const files[2] = { "/run/mutant", "/run/mutant.bz" };

/* The kernel reads no file that somebody may write to: open it for each use. */
static int open_file(int bz, int flags)
{
	int fd = open(files[bz], flags | O_CLOEXEC, 0600);

	if (fd < 0)
		die(files[bz], strerror(errno));
	return fd;
}

static void write_at(int fd, const unsigned char *data, size_t from, size_t len)
{
	if (pwrite(fd, data + from, len, (off_t)from) != (ssize_t)len)
		die("a mutant's file", strerror(errno));
}

/* Only what is different is written: the rest is 14 MB. */
static void write_mutant(const struct mutant *m, int bz)
{
	int fd = open_file(bz, O_WRONLY);
	unsigned int i;

	for (i = 0; i < m->nr_edits; i++)
		write_at(fd, m->data, m->edits[i].offset, m->edits[i].len);
	if (ftruncate(fd, (off_t)m->len) < 0)
		die(files[bz], strerror(errno));
	close(fd);
}

static void write_back(struct mutant *m, int bz)
{
	const struct base *b = m->base;
	int fd = open_file(bz, O_WRONLY);
	unsigned int i;

	for (i = 0; i < m->nr_edits; i++)
		write_at(fd, b->data, m->edits[i].offset, m->edits[i].len);
	if (m->len < b->len)
		write_at(fd, b->data, m->len, b->len - m->len);
	if (ftruncate(fd, (off_t)b->len) < 0)
		die(files[bz], strerror(errno));
	close(fd);
	undo(m);
}

static uint64_t image_bytes(const struct loader *l)
{
	struct mk_instance *inst;
	uint64_t bytes;

	if (mk_instance_get(l->ctx, l->id, &inst, NULL) < 0)
		die("instance", "gone");
	bytes = inst->get.image_bytes;
	mk_instance_free(inst);
	return bytes;
}

/* 0, or the reason why not */
static unsigned int load(struct loader *l, int bz, struct mk_error *err)
{
	int r, fd = open_file(bz, O_RDONLY);

	*err = (struct mk_error)MK_ERROR_INIT;
	r = mk_instance_load(l->ctx, l->id, fd, -1, "quiet", err);
	close(fd);
	if (r == 0)
		return MK_REASON_NONE;
	return err->reason ? err->reason : ~0U;
}

static bool is_of_image(unsigned int reason)
{
	return reason >= MK_REASON_IMAGE_FORMAT &&
	       reason <= MK_REASON_IMAGE_RELOCS &&
	       reason != MK_REASON_IMAGE_SIGNATURE &&
	       reason != MK_REASON_IMAGE_NONE;
}

/* Is this one as it has to be? Says so if not. */
static bool judge(struct loader *l, const struct mutant *m, struct kind *kind,
		  uint64_t seed)
{
	struct mk_error err;
	unsigned int reason = load(l, kind->bz, &err);
	bool right;

	if (reason == MK_REASON_NONE) {
		kind->taken++;
		right = (kind->bz ? bz_equal(m) : elf_equal(m)) &&
			image_bytes(l) == l->good_bytes[kind->bz];
	} else {
		kind->refused++;
		right = is_of_image(reason) && err.message[0];
		if (right)
			l->reasons[reason]++;
	}
	if (!right)
		printf("mutants: WRONG: seed %llu: %s:%s: %s (reason %u) %s\n",
		       (unsigned long long)seed, kind->name, m->what,
		       reason ? "refused" : "taken", reason, err.message);
	return right;
}

static void load_good(struct loader *l, int bz)
{
	struct mk_error err;

	if (load(l, bz, &err) != MK_REASON_NONE)
		die("the unbroken one is refused", err.message);
	if (l->good_bytes[bz] && l->good_bytes[bz] != image_bytes(l))
		die("the unbroken one", "has another size than before");
	l->good_bytes[bz] = image_bytes(l);
}

static void read_base(struct base *base, struct mutant *m, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		die(path, strerror(errno));
	base->len = (size_t)st.st_size;
	base->data = malloc(base->len);
	/* One that is longer ends with zeros, as its file does. */
	m->data = calloc(1, base->len + 2 * PAGE_BYTES);
	if (!base->data || !m->data ||
	    read(fd, base->data, base->len) != (ssize_t)base->len)
		die(path, "cannot read all of it");
	close(fd);
	memcpy(m->data, base->data, base->len);
	m->base = base;
}

static void make_file(const struct base *base, int bz)
{
	int fd = open_file(bz, O_WRONLY | O_CREAT | O_TRUNC);

	write_at(fd, base->data, 0, base->len);
	close(fd);
}

static uint64_t test_all(struct loader *l, struct mutant *mutants,
			 uint64_t seed, uint64_t count)
{
	uint64_t i, wrong = 0;

	for (i = 0; i < count; i++) {
		struct mutant *m;
		struct kind *kind;

		rnd_state = seed + i;
		kind = random_kind();
		m = &mutants[kind->bz];
		m->len = m->base->len;
		m->what[0] = '\0';
		kind->make(m);
		write_mutant(m, kind->bz);
		if (!judge(l, m, kind, seed + i))
			wrong++;
		write_back(m, kind->bz);
		if (i % GOOD_EVERY == 0)
			load_good(l, kind->bz);
	}
	return wrong;
}

static void tell(const struct loader *l, uint64_t count, uint64_t wrong)
{
	unsigned int refused = 0, i;

	for (i = 0; i < MK_ARRAY_SIZE(kinds); i++) {
		printf("mutants: %s: %u refused, %u taken\n", kinds[i].name,
		       kinds[i].refused, kinds[i].taken);
		refused += kinds[i].refused;
	}
	for (i = 0; i < MK_ARRAY_SIZE(l->reasons); i++)
		if (l->reasons[i])
			printf("mutants: reason %u: %u\n", i, l->reasons[i]);
	printf("mutants: total %llu refused %u taken %llu wrong %llu\n",
	       (unsigned long long)count, refused,
	       (unsigned long long)count - refused, (unsigned long long)wrong);
}

int main(int argc, char **argv)
{
	struct mk_error err = MK_ERROR_INIT;
	static struct mutant mutants[2];
	static struct base bases[2];
	static struct loader l;
	uint64_t count, wrong;
	struct mk_instance *inst;
	int bz;

	if (argc != 6)
		return 2;
	crc_init();
	if (mk_ctx_new(NULL, &l.ctx, &err) < 0 ||
	    mk_instance_find(l.ctx, argv[3], &inst, &err) < 0)
		die(argv[3], err.message);
	l.id = inst->get.id;
	mk_instance_free(inst);
	for (bz = 0; bz < 2; bz++) {
		read_base(&bases[bz], &mutants[bz], argv[1 + bz]);
		make_file(&bases[bz], bz);
		load_good(&l, bz);
	}
	count = strtoull(argv[5], NULL, 10);
	wrong = test_all(&l, mutants, strtoull(argv[4], NULL, 10), count);
	tell(&l, count, wrong);
	for (bz = 0; bz < 2; bz++)
		unlink(files[bz]);
	mk_ctx_free(l.ctx);
	return wrong ? 1 : 0;
}

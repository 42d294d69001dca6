/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How mutants.c breaks a vmlinux or a bzImage: one of several kinds of damage,
 * each drawn from rnd_state, so that the same number gives the same mutant. A
 * mutant is its base with a few edits, which can be undone, and a length.
 */
#ifndef IMAGE_MUTANTS_H
#define IMAGE_MUTANTS_H

#include <elf.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mk/util.h>

#define EDITS_MAX    16
#define PAGE_BYTES   4096

/* Of a bzImage: Documentation/arch/x86/boot.rst */
#define SETUP_HEADER	 0x1f1
#define SETUP_HEADER_END 0x26c
#define SETUP_SECTS	 0x1f1
#define SYSSIZE		 0x1f4
#define PAYLOAD_OFFSET	 0x248
#define PAYLOAD_LENGTH	 0x24c

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

#endif /* IMAGE_MUTANTS_H */

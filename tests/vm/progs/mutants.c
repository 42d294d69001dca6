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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <mk/libmk.h>

#include "image_mutants.h"

#define SEGMENTS_MAX 16
#define GOOD_EVERY   50 /* the unbroken ones are loaded once in so many */

#define ZSTD_MAGIC	 0xfd2fb528
#define ZSTD_DESCRIPTOR	 4 /* its byte, and in it: */
#define ZSTD_CHECKSUM	 4

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

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The head of a dump: see dump_elf.h.
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/procfs.h>

#include "dump_elf.h"

#define CORE_NAME	"CORE"
#define CORE_HEAD	(sizeof(Elf64_Nhdr) + 8)	/* name, padded to 4 */
#define CORE_BYTES	(CORE_HEAD + sizeof(struct elf_prstatus))

/* As in /proc/kcore: from others, readers learn where the direct map is. */
#define NO_PADDR	UINT64_MAX

_Static_assert(sizeof(struct elf_prstatus) == 336, "x86-64's");
_Static_assert(CORE_BYTES <= MK_DUMP_NOTE_BYTES, "a note fits into its room");

static bool is_prstatus(const unsigned char *note)
{
	Elf64_Nhdr head;

	memcpy(&head, note, sizeof(head));
	return head.n_type == NT_PRSTATUS &&
	       head.n_namesz == sizeof(CORE_NAME) &&
	       head.n_descsz == sizeof(struct elf_prstatus) &&
	       !memcmp(note + sizeof(head), CORE_NAME, sizeof(CORE_NAME));
}

static void add_note(struct dump_notes *notes, const unsigned char *note,
		     struct mk_dump_cpu *cpu)
{
	unsigned char *to = notes->data + notes->bytes;
	struct elf_prstatus status;
	struct user_regs_struct regs;

	memcpy(&status, note + CORE_HEAD, sizeof(status));
	memcpy(&regs, status.pr_reg, sizeof(regs));
	cpu->saved = true;
	cpu->pid = (unsigned int)status.pr_pid;
	cpu->rip = regs.rip;
	cpu->rsp = regs.rsp;
	status.pr_pid = (int)cpu->cpu + 1;
	memcpy(to, note, CORE_HEAD);
	memcpy(to + CORE_HEAD, &status, sizeof(status));
	notes->bytes += CORE_BYTES;
}

int dump_notes_make(const struct mk_dump_info *info,
		    struct mk_dump_result *result, struct dump_notes *ret_notes)
{
	size_t nr = info->dump.nr_notes;
	struct dump_notes notes = { .data = malloc(nr * CORE_BYTES + 1) };
	const unsigned char *note;
	size_t i;

	result->cpus = calloc(nr + 1, sizeof(*result->cpus));
	if (!notes.data || !result->cpus) {
		free(notes.data);
		return -ENOMEM;
	}
	result->nr_cpus = nr;
	for (i = 0; i < nr; i++) {
		note = info->notes + i * MK_DUMP_NOTE_BYTES;
		result->cpus[i].cpu = (unsigned int)i;
		if (!is_prstatus(note))
			continue;
		add_note(&notes, note, &result->cpus[i]);
		result->nr_saved++;
	}
	*ret_notes = notes;
	return 0;
}

/* Where an address of its memory stands in the file */
static uint64_t offset_of(const struct dump_memory *mem, uint64_t first,
			  uint64_t paddr)
{
	uint64_t offset = first;
	size_t i;

	for (i = 0; i < mem->nr_ranges; i++) {
		if (paddr >= mem->ranges[i].addr &&
		    paddr - mem->ranges[i].addr < mem->ranges[i].bytes)
			return offset + (paddr - mem->ranges[i].addr);
		offset += mem->ranges[i].bytes;
	}
	return 0;
}

static Elf64_Phdr *add_load(Elf64_Phdr *phdr, uint64_t vaddr, uint64_t paddr,
			    uint64_t bytes, uint64_t offset)
{
	*phdr = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = offset,
		.p_vaddr = vaddr,
		.p_paddr = paddr,
		.p_filesz = bytes,
		.p_memsz = bytes,
		.p_align = DUMP_PAGE,
	};
	return phdr + 1;
}

static void fill_ehdr(unsigned char *head, size_t nr_phdrs)
{
	Elf64_Ehdr ehdr = {
		.e_ident = {
			ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
			ELFCLASS64, ELFDATA2LSB, EV_CURRENT,
		},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)nr_phdrs,
	};

	memcpy(head, &ehdr, sizeof(ehdr));
}

/* A direct map that is not known leaves the physical address alone. */
static void fill_phdrs(Elf64_Phdr *phdr, const struct dump_memory *mem,
		       const struct dump_map *map,
		       const struct dump_pieces *mapped, uint64_t first)
{
	const struct mk_range *range;
	const struct dump_piece *piece;
	size_t i;

	if (map->text_bytes)
		phdr = add_load(phdr, map->text, map->text_phys,
				map->text_bytes,
				offset_of(mem, first, map->text_phys));
	for (i = 0; i < mem->nr_ranges; i++) {
		range = &mem->ranges[i];
		phdr = add_load(phdr, map->page_offset + range->addr,
				range->addr, range->bytes,
				offset_of(mem, first, range->addr));
	}
	for (i = 0; i < mapped->nr_items; i++) {
		piece = &mapped->items[i];
		phdr = add_load(phdr, piece->vaddr, NO_PADDR, piece->bytes,
				offset_of(mem, first, piece->paddr));
	}
}

int dump_elf_make(const struct dump_memory *mem, const struct dump_map *map,
		  const struct dump_pieces *mapped,
		  const struct dump_notes *notes, const struct dump_info *info,
		  unsigned char **ret_head, size_t *ret_bytes)
{
	size_t nr = 1 + (map->text_bytes != 0) + mem->nr_ranges +
		    mapped->nr_items;
	size_t notes_at = sizeof(Elf64_Ehdr) + nr * sizeof(Elf64_Phdr);
	size_t notes_bytes = notes->bytes + info->note_bytes;
	size_t bytes = (notes_at + notes_bytes + DUMP_PAGE - 1) /
		       DUMP_PAGE * DUMP_PAGE;
	unsigned char *head;
	Elf64_Phdr *phdrs;

	if (nr >= PN_XNUM)
		return -E2BIG;
	head = calloc(1, bytes);
	if (!head)
		return -ENOMEM;
	fill_ehdr(head, nr);
	phdrs = (Elf64_Phdr *)(head + sizeof(Elf64_Ehdr));
	phdrs[0] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = notes_at,
		.p_filesz = notes_bytes,
		.p_memsz = notes_bytes,
	};
	fill_phdrs(phdrs + 1, mem, map, mapped, bytes);
	memcpy(head + notes_at, notes->data, notes->bytes);
	if (info->note)
		memcpy(head + notes_at + notes->bytes, info->note,
		       info->note_bytes);
	*ret_head = head;
	*ret_bytes = bytes;
	return 0;
}

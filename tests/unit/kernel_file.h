/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The smallest file that passes for the kernel of an instance: an ELF header,
 * a segment that is the whole file, and the note.
 */
#ifndef KERNEL_FILE_H
#define KERNEL_FILE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/multikernel.h>

#define KERNEL_ADDR	0x1000000

struct kernel_file {
	Elf64_Ehdr ehdr;
	Elf64_Phdr load;
	Elf64_Phdr note;
	Elf64_Nhdr nhdr;
	char name[8];
	uint32_t abi_version;
	uint32_t more[2];	/* behind the version there may be more */
};

static inline struct kernel_file kernel_file(void)
{
	return (struct kernel_file){
		.ehdr = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = KERNEL_ADDR,
			.e_phoff = offsetof(struct kernel_file, load),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.load = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_paddr = KERNEL_ADDR,
			.p_filesz = sizeof(struct kernel_file),
			.p_memsz = 0x200000,
		},
		.note = {
			.p_type = PT_NOTE,
			.p_offset = offsetof(struct kernel_file, nhdr),
			.p_filesz = sizeof(struct kernel_file) -
				    offsetof(struct kernel_file, nhdr),
			.p_align = 4,
		},
		.nhdr = {
			.n_namesz = sizeof(MK_NOTE_NAME),
			.n_descsz = sizeof(uint32_t),
			.n_type = MK_NOTE_TYPE,
		},
		.name = MK_NOTE_NAME,
		.abi_version = MK_ABI_VERSION,
	};
}

#endif /* KERNEL_FILE_H */

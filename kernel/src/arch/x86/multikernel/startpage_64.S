/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The start page: where every CPU that is lent begins, after INIT and SIPI.
 *
 * One copy lies below 1 MiB, in pages that the host owns. It keeps no state:
 * it looks its APIC id up in the table of slots and does what the slot says.
 * The host writes a slot before it sends the SIPI and never while a CPU may be
 * inside: a fault here is a triple fault, and that resets the machine.
 *
 *	kind 1	first CPU of an instance: load the slot's cr3 (identity map
 *		of the instance's kernel), jump to rip with %rsi = arg, the
 *		physical address of boot_params (64-bit boot protocol).
 *	kind 2	further CPUs: arg points to a block {cr3, rip} in the
 *		instance's own memory, which its kernel filled in.
 *
 * startpage.c copies this code and fills in what starts with sp_.
 */
#include <linux/linkage.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>

#include "startpage.h"

#define OFF(sym)	(sym - mk_sp_begin)

/*
 * Code has the selector that it has in Linux: secondary_startup_64 loads a new
 * GDT but goes on with the selector that it came with.
 */
#define MK_SP_DS	(__KERNEL_CS + 8)

	.section .rodata, "a"
	.balign 16
SYM_DATA_START(mk_sp_begin)
	.code16
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	OFF(sp_gdt_ptr)
	movl	$X86_CR4_PAE, %eax
	movl	%eax, %cr4
	movl	OFF(sp_cr3), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$(1 << _EFER_LME | 1 << _EFER_NX | 1 << _EFER_SCE), %eax
	wrmsr
	movl	$(X86_CR0_PE | X86_CR0_ET | X86_CR0_PG), %eax
	movl	%eax, %cr0
	ljmpl	*OFF(sp_jump)

	.code64
mk_sp_64:
	movl	$MK_SP_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs

	/* APIC id: leaf 0xb has all 32 bits of it, where there is one. */
	cpuid
	cmpl	$0xb, %eax
	jb	1f
	movl	$0xb, %eax
	xorl	%ecx, %ecx
	cpuid
	testl	%ebx, %ebx
	jnz	2f
1:	movl	$1, %eax
	cpuid
	movl	%ebx, %edx
	shrl	$24, %edx

	/* Find the slot. */
2:	movl	sp_slots(%rip), %esi
	movl	sp_nr_slots(%rip), %ecx
3:	cmpl	%edx, MK_SLOT_APICID(%rsi)
	jne	4f
	movl	MK_SLOT_KIND(%rsi), %eax
	cmpl	$MK_START_BOOT, %eax
	je	5f
	cmpl	$MK_START_JOIN, %eax
	je	6f
4:	addq	$MK_SLOT_SIZE, %rsi
	decl	%ecx
	jnz	3b

	/* No business here. */
7:	cli
	hlt
	jmp	7b

5:	movq	MK_SLOT_CR3(%rsi), %rax
	movq	MK_SLOT_RIP(%rsi), %rdx
	movq	MK_SLOT_ARG(%rsi), %rsi
	movq	%rax, %cr3
	xorl	%eax, %eax
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edi, %edi
	xorl	%ebp, %ebp
	jmp	*%rdx

6:	movq	MK_SLOT_CR3(%rsi), %rax
	movq	MK_SLOT_ARG(%rsi), %rdx
	movq	%rax, %cr3
	movq	(%rdx), %rax
	movq	8(%rdx), %rcx
	testq	%rax, %rax
	jz	7b
	xorl	%esi, %esi
	movq	%rax, %cr3
	jmp	*%rcx

	.balign 8
SYM_DATA(sp_cr3,	.long 0)
SYM_DATA(sp_slots,	.long 0)
SYM_DATA(sp_nr_slots,	.long 0)
	.long	0
SYM_DATA_START(sp_jump)
	.long	OFF(mk_sp_64)
	.word	__KERNEL_CS
SYM_DATA_END(sp_jump)
	.balign 8
SYM_DATA_START_LOCAL(sp_gdt)
	.quad	0
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code */
	.quad	0x00cf93000000ffff	/* data */
SYM_DATA_END(sp_gdt)
SYM_DATA_START(sp_gdt_ptr)
	.word	31
	.long	OFF(sp_gdt)
SYM_DATA_END(sp_gdt_ptr)
SYM_DATA_END_LABEL(mk_sp_begin, SYM_L_GLOBAL, mk_sp_end)

	.section .note.GNU-stack, "", @progbits

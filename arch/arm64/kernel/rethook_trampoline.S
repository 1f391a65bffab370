/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Return hooks on arm64: the trampoline to which hooked calls return.
 *
 * It saves and restores all registers, because handlers may read and change them. With the frame
 * record in the saved registers, unwinders see a function that the hooked function's caller has
 * called. The return address in the record is that of the trampoline, which unwinders look up,
 * until arch_rethook_fixup_return() stores the real one.
 */
#include <linux/linkage.h>

#include <asm/asm-offsets.h>
#include <asm/assembler.h>
#include <asm/ptrace.h>

	.text

SYM_CODE_START(arch_rethook_trampoline)
	sub	sp, sp, #PT_REGS_SIZE
	stp	x0, x1, [sp, #S_X0 + 0]
	stp	x2, x3, [sp, #S_X0 + 16]
	stp	x4, x5, [sp, #S_X0 + 32]
	stp	x6, x7, [sp, #S_X0 + 48]
	stp	x8, x9, [sp, #S_X0 + 64]
	stp	x10, x11, [sp, #S_X0 + 80]
	stp	x12, x13, [sp, #S_X0 + 96]
	stp	x14, x15, [sp, #S_X0 + 112]
	stp	x16, x17, [sp, #S_X0 + 128]
	stp	x18, x19, [sp, #S_X0 + 144]
	stp	x20, x21, [sp, #S_X0 + 160]
	stp	x22, x23, [sp, #S_X0 + 176]
	stp	x24, x25, [sp, #S_X0 + 192]
	stp	x26, x27, [sp, #S_X0 + 208]
	adr	x30, arch_rethook_trampoline
	stp	x28, x29, [sp, #S_X0 + 224]
	str	x30, [sp, #S_LR]
	add	x2, sp, #PT_REGS_SIZE
	stp	x2, x30, [sp, #S_SP]
	mrs	x3, nzcv
	mrs	x4, daif
	orr	x3, x3, x4
	mrs	x4, CurrentEL
	orr	x3, x3, x4
	orr	x3, x3, #1			// the stack pointer of this exception level
	str	x3, [sp, #S_PSTATE]
	stp	x29, x30, [sp, #S_STACKFRAME]

	mov	x0, sp
	mov	x1, x29
	add	x29, sp, #S_STACKFRAME
	bl	rethook_trampoline_handler
	mov	x30, x0

	ldr	x0, [sp, #S_PSTATE]
	msr	nzcv, x0
	ldp	x0, x1, [sp, #S_X0 + 0]
	ldp	x2, x3, [sp, #S_X0 + 16]
	ldp	x4, x5, [sp, #S_X0 + 32]
	ldp	x6, x7, [sp, #S_X0 + 48]
	ldp	x8, x9, [sp, #S_X0 + 64]
	ldp	x10, x11, [sp, #S_X0 + 80]
	ldp	x12, x13, [sp, #S_X0 + 96]
	ldp	x14, x15, [sp, #S_X0 + 112]
	ldp	x16, x17, [sp, #S_X0 + 128]
	ldp	x18, x19, [sp, #S_X0 + 144]
	ldp	x20, x21, [sp, #S_X0 + 160]
	ldp	x22, x23, [sp, #S_X0 + 176]
	ldp	x24, x25, [sp, #S_X0 + 192]
	ldp	x26, x27, [sp, #S_X0 + 208]
	ldp	x28, x29, [sp, #S_X0 + 224]
	add	sp, sp, #PT_REGS_SIZE
	ret
SYM_CODE_END(arch_rethook_trampoline)
NOKPROBE(arch_rethook_trampoline)

/* SPDX-License-Identifier: GPL-2.0-only */
/* arm64: detours call this to run handlers; see detour.c. */
#include <linux/linkage.h>

#include <asm/alternative.h>
#include <asm/asm-offsets.h>
#include <asm/assembler.h>
#include <asm/insn-def.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

/* Offsets of the kprobe from the return addresses of kprobe_detour() and kprobe_detour_post(). */
#define KPROBE_OF_DETOUR	32
#define KPROBE_OF_POST		20

#define PAN_BIT			22

	.macro	each_pair, op
	\op	x0, x1, [sp, #S_X0 + 0]
	\op	x2, x3, [sp, #S_X0 + 16]
	\op	x4, x5, [sp, #S_X0 + 32]
	\op	x6, x7, [sp, #S_X0 + 48]
	\op	x8, x9, [sp, #S_X0 + 64]
	\op	x10, x11, [sp, #S_X0 + 80]
	\op	x12, x13, [sp, #S_X0 + 96]
	\op	x14, x15, [sp, #S_X0 + 112]
	\op	x16, x17, [sp, #S_X0 + 128]
	\op	x18, x19, [sp, #S_X0 + 144]
	\op	x20, x21, [sp, #S_X0 + 160]
	\op	x22, x23, [sp, #S_X0 + 176]
	\op	x24, x25, [sp, #S_X0 + 192]
	\op	x26, x27, [sp, #S_X0 + 208]
	.endm

/* A slot without the parts that depend on the instruction. The last two words are filled in. */
	.section .rodata, "a"
	.balign	8
SYM_DATA_START(kprobe_slot_template)
	sub	sp, sp, #PT_REGS_SIZE
	stp	x29, x30, [sp, #S_FP]
	ldr	x30, 1f
	blr	x30
	ldp	x29, x30, [sp, #S_FP]
	add	sp, sp, #PT_REGS_SIZE
	.rept	4
	brk	#0
	.endr
1:	.quad	kprobe_detour
	.quad	0
	.quad	0
SYM_DATA_END(kprobe_slot_template)

/* The same for a post slot. */
	.balign	8
SYM_DATA_START(kprobe_post_slot_template)
	ldp	x29, x30, [sp, #S_FP]
	add	sp, sp, #PT_REGS_SIZE
	brk	#0
	sub	sp, sp, #PT_REGS_SIZE
	stp	x29, x30, [sp, #S_FP]
	ldr	x30, 1f
	blr	x30
	ldp	x29, x30, [sp, #S_FP]
	add	sp, sp, #PT_REGS_SIZE
	brk	#0
1:	.quad	kprobe_detour_post
	.quad	0
	.quad	0
SYM_DATA_END(kprobe_post_slot_template)

/*
 * The slot has saved the frame pointer and the link register in a struct pt_regs. This saves the
 * rest, and a frame record, in which the caller is the instruction \offset bytes behind the probed
 * one.
 *
 * If a handler has changed where execution continues, or PSTATE, this ends in an exception return,
 * because no register is free for the address. Or it returns to an address in another slot, if
 * kprobe_detour_leave() returns one.
 */
	.macro	detour, run, kprobe, offset
	bti	c
	each_pair stp
	str	x28, [sp, #S_X0 + 224]
	mov	x19, x30

	ldr	x0, [x19, #\kprobe]
	ldr	x3, [x0]			// kprobe::addr
	.if	\offset
	add	x3, x3, #\offset
	.endif
	add	x2, sp, #PT_REGS_SIZE
	stp	x2, x3, [sp, #S_SP]
	stp	x29, x3, [sp, #S_STACKFRAME]
	add	x29, sp, #S_STACKFRAME
	mrs	x20, nzcv
	mrs	x5, daif
	orr	x20, x20, x5
	mrs	x5, CurrentEL
	orr	x20, x20, x5
	orr	x20, x20, #1			// the stack pointer of this exception level
alternative_if ARM64_HAS_GIC_PRIO_MASKING
	mrs_s	x5, SYS_ICC_PMR_EL1
	str	x5, [sp, #S_PMR_SAVE]
alternative_else_nop_endif
alternative_if_not ARM64_HAS_PAN
	b	.Lhit\@
alternative_else
	mrs_s	x5, SYS_PSTATE_PAN
alternative_endif
	orr	x20, x20, x5
	tbz	x5, #PAN_BIT, .Lforbid\@
.Lhit\@:
	str	x20, [sp, #S_PSTATE]
	mov	x1, sp
	bl	\run
	.if	\offset			// DAIF is what it was before the copy
	and	x20, x20, #~0x3c0
	mrs	x5, daif
	orr	x20, x20, x5
	.endif
	ldr	x1, [sp, #S_PSTATE]
	cbnz	w0, .Lleave\@
	eor	x2, x1, x20
	tst	x2, #0xffffff			// all but the flags
	b.ne	.Lleave\@
.Lallow\@:
	tbz	x20, #PAN_BIT, .Lallowed\@
.Lback\@:
	mov	x30, x19
	msr	nzcv, x1
	each_pair ldp
	ldr	x28, [sp, #S_X0 + 224]
	ret

	/* Handlers do not get the probed code's access to user memory. */
.Lforbid\@:
	SET_PSTATE_PAN(1)
	b	.Lhit\@
.Lallowed\@:
alternative_if ARM64_HAS_PAN
	SET_PSTATE_PAN(0)
alternative_else_nop_endif
	b	.Lback\@

.Lleave\@:
	mov	w2, w0
	mov	x1, sp
	ldr	x0, [x19, #\kprobe]
	mov	x3, x20
	bl	kprobe_detour_leave
	ldr	x1, [sp, #S_PSTATE]
	mov	x19, x0
	cbnz	x0, .Lallow\@
	msr	daifset, #0xf
	ldp	x0, x1, [sp, #S_PC]
	msr	elr_el1, x0
	msr	spsr_el1, x1
	each_pair ldp
	ldp	x28, x29, [sp, #S_X0 + 224]
	ldr	x30, [sp, #S_LR]
	add	sp, sp, #PT_REGS_SIZE
	eret
	sb
	.endm

	.text
SYM_CODE_START(kprobe_detour)
	detour	kprobe_jump_hit, KPROBE_OF_DETOUR, 0
SYM_CODE_END(kprobe_detour)
NOKPROBE(kprobe_detour)

SYM_CODE_START(kprobe_detour_post)
	detour	kprobe_jump_post, KPROBE_OF_POST, AARCH64_INSN_SIZE
SYM_CODE_END(kprobe_detour_post)
NOKPROBE(kprobe_detour_post)

/* SPDX-License-Identifier: GPL-2.0-only */
/* Run the snippets of insn_kunit_asm.S. */
#include <linux/linkage.h>

#include <asm/assembler.h>

#include "insn_kunit.h"

#define STACK_FILLED	(8 * INSN_TEST_STACK_FILLED)
#define STACK_SIZE	(8 * INSN_TEST_STACK_WORDS)

	.bss
	.balign	256
SYM_DATA(insn_test_mem, .skip 8 * INSN_TEST_MEM_WORDS)
SYM_DATA(insn_test_in, .skip STATE_SIZE)
	.balign	16
SYM_DATA(insn_test_out, .skip STATE_SIZE)
	.balign	16
SYM_DATA(insn_test_simd, .skip 8)
SYM_DATA(insn_test_sp, .skip 8)
SYM_DATA_LOCAL(saved_sp, .skip 8)

	.text

/* void insn_test_run(void *entry) */
SYM_FUNC_START(insn_test_run)
	stp	x29, x30, [sp, #-96]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	adr_l	x1, saved_sp
	mov	x2, sp
	str	x2, [x1]
	sub	sp, sp, #STACK_FILLED
	adr_l	x1, insn_test_sp
	mov	x2, sp
	str	x2, [x1]

	adr_l	x17, insn_test_in
	str	x0, [x17, #STATE_X(17)]
	add	x1, x17, #(STATE_STACK + STACK_SIZE - STACK_FILLED)
	mov	x3, #INSN_TEST_STACK_FILLED
1:	ldr	x4, [x1], #8
	str	x4, [x2], #8
	subs	x3, x3, #1
	b.ne	1b

	adr_l	x1, insn_test_simd
	ldr	x1, [x1]
	cbz	x1, 2f
	ldp	q0, q1, [x17, #STATE_V]
	ldp	q2, q3, [x17, #(STATE_V + 32)]
	ldp	q4, q5, [x17, #(STATE_V + 64)]
	ldp	q6, q7, [x17, #(STATE_V + 96)]
2:	ldr	x1, [x17, #STATE_NZCV]
	msr	nzcv, x1
	ldp	x0, x1, [x17, #STATE_X(0)]
	ldp	x2, x3, [x17, #STATE_X(2)]
	ldp	x4, x5, [x17, #STATE_X(4)]
	ldp	x6, x7, [x17, #STATE_X(6)]
	ldp	x8, x9, [x17, #STATE_X(8)]
	ldp	x10, x11, [x17, #STATE_X(10)]
	ldp	x12, x13, [x17, #STATE_X(12)]
	ldp	x14, x15, [x17, #STATE_X(14)]
	ldr	x16, [x17, #STATE_X(16)]
	/* Keep x18, which exceptions use. */
	ldp	x19, x20, [x17, #STATE_X(19)]
	ldp	x21, x22, [x17, #STATE_X(21)]
	ldp	x23, x24, [x17, #STATE_X(23)]
	ldp	x25, x26, [x17, #STATE_X(25)]
	ldp	x27, x28, [x17, #STATE_X(27)]
	ldp	x29, x30, [x17, #STATE_X(29)]
	ldr	x17, [x17, #STATE_X(17)]
	br	x17
SYM_FUNC_END(insn_test_run)

/* Handlers may continue here instead of in a snippet. */
SYM_FUNC_START(insn_test_elsewhere)
	mov	x26, #INSN_TEST_WAS_ELSEWHERE
	b	insn_test_exit
SYM_FUNC_END(insn_test_elsewhere)

/* The end of snippets. It pushes below sp, which is not compared. */
SYM_FUNC_START(insn_test_exit)
	stp	x0, x1, [sp, #-16]!
	adr_l	x0, insn_test_out
	stp	x2, x3, [x0, #STATE_X(2)]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0, #STATE_X(0)]
	mrs	x1, nzcv
	mrs	x2, daif
	mov	x3, sp
	str	x1, [x0, #STATE_NZCV]
	str	x2, [x0, #STATE_DAIF]
	str	x3, [x0, #STATE_SP]
	stp	x4, x5, [x0, #STATE_X(4)]
	stp	x6, x7, [x0, #STATE_X(6)]
	stp	x8, x9, [x0, #STATE_X(8)]
	stp	x10, x11, [x0, #STATE_X(10)]
	stp	x12, x13, [x0, #STATE_X(12)]
	stp	x14, x15, [x0, #STATE_X(14)]
	stp	x16, x17, [x0, #STATE_X(16)]
	stp	x18, x19, [x0, #STATE_X(18)]
	stp	x20, x21, [x0, #STATE_X(20)]
	stp	x22, x23, [x0, #STATE_X(22)]
	stp	x24, x25, [x0, #STATE_X(24)]
	stp	x26, x27, [x0, #STATE_X(26)]
	stp	x28, x29, [x0, #STATE_X(28)]
	str	x30, [x0, #STATE_X(30)]

	/* Traps do not overwrite the compared memory, which is above sp from now on. */
	adr_l	x1, saved_sp
	ldr	x1, [x1]
	sub	x2, x1, #STACK_SIZE
	mov	sp, x2
	add	x3, x0, #STATE_STACK
	mov	x4, #INSN_TEST_STACK_WORDS
1:	ldr	x5, [x2], #8
	str	x5, [x3], #8
	subs	x4, x4, #1
	b.ne	1b

	adr_l	x4, insn_test_simd
	ldr	x4, [x4]
	cbz	x4, 2f
	stp	q0, q1, [x0, #STATE_V]
	stp	q2, q3, [x0, #(STATE_V + 32)]
	stp	q4, q5, [x0, #(STATE_V + 64)]
	stp	q6, q7, [x0, #(STATE_V + 96)]
2:	mov	sp, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret
SYM_FUNC_END(insn_test_exit)

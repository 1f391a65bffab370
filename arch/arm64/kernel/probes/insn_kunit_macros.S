/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Macros for snippets of code, for insn_kunit_asm.S. The instruction at label 7 of a snippet is
 * probed. Registers and a few words of stack have the values of insn_test_in when a snippet begins.
 * It may change all of them but x18, and ends in a branch to insn_test_exit. x27 tells whether a
 * branch was taken.
 */
#include <linux/errno.h>
#include <linux/linkage.h>

#include <asm/asm-extable.h>
#include <asm/assembler.h>

#include "insn_kunit.h"

#define TOOK_BRANCH	x27, #0x600d
#define FELL_THROUGH	x27, #0x0bad

/* Each snippet adds an entry to a table. */
#define CASES	.rodata.insn_test_cases
#define REFUSED	.rodata.insn_test_refused
#define STATES	.rodata.insn_test_states

.macro TABLE section:req label:req
	.pushsection \section, "a"
	.balign	8
SYM_ENTRY(\label, SYM_L_GLOBAL, SYM_A_NONE)
	.popsection
.endm

.macro TABLE_ENTRY section:req func:req offset:req kind:req needs=INSN_NEEDS_NOTHING faults=0
	.pushsection .rodata.str1.1, "aMS", @progbits, 1
.Lname_\@:
	.asciz	"\func"
	.popsection
	.pushsection \section, "a"
	.balign	8
	.quad	\func
	.quad	.Lname_\@
	.long	\offset
	.long	\kind
	.long	\needs
	.long	\faults
	.popsection
.endm

.macro SNIPPET name:req
SYM_FUNC_START_LOCAL(insn_test_\name)
.endm

.macro SNIPPET_END name:req kind:req needs=INSN_NEEDS_NOTHING faults=0
	b	insn_test_exit
SYM_FUNC_END(insn_test_\name)
	TABLE_ENTRY CASES, insn_test_\name, "(7b - insn_test_\name)", \kind, \needs, \faults
.endm

/* Only the instruction. */
.macro BOOSTED name:req insn:vararg
	BOOSTED_IF INSN_NEEDS_NOTHING \name \insn
.endm

.macro BOOSTED_IF needs:req name:req insn:vararg
	SNIPPET \name
7:	\insn
	SNIPPET_END \name INSN_TEST_BOOST \needs
.endm

.macro SIMULATED name:req insn:vararg
	SNIPPET \name
7:	\insn
	SNIPPET_END \name INSN_TEST_SIMULATE
.endm

/* An access to memory at x19, with a small index in x20 and a negative one in x21. */
.macro MEMORY name:req insn:vararg
	MEMORY_IF INSN_NEEDS_NOTHING \name \insn
.endm

.macro MEMORY_IF needs:req name:req insn:vararg
	SNIPPET \name
	adr_l	x19, insn_test_mem + INSN_TEST_MEM_BASE
	mov	x20, #3
	mov	x21, #-8
7:	\insn
	SNIPPET_END \name INSN_TEST_BOOST \needs
.endm

/* An access to the stack. Words below the stack pointer are undefined. */
.macro MAKES_ROOM name:req insn:vararg
	SNIPPET \name
7:	\insn
	stp	xzr, xzr, [sp, #16]
	stp	xzr, xzr, [sp]
	SNIPPET_END \name INSN_TEST_BOOST
.endm

/* A conditional branch. */
.macro BRANCH name:req insn:vararg
	BRANCH_IF INSN_NEEDS_NOTHING \name \insn
.endm

.macro BRANCH_IF needs:req name:req insn:vararg
	SNIPPET \name
	mov	TOOK_BRANCH
7:	\insn	1f
	mov	FELL_THROUGH
1:
	SNIPPET_END \name INSN_TEST_SIMULATE \needs
.endm

/* An indirect branch. */
.macro BRANCH_REG kind:req name:req reg:req insn:vararg
	SNIPPET \name
	adr	\reg, 1f
7:	\insn
	mov	FELL_THROUGH
	b	2f
1:	bti	jc
	mov	TOOK_BRANCH
2:
	SNIPPET_END \name \kind
.endm

/* An indirect branch with a signed pointer. */
.macro BRANCH_AUTH kind:req name:req reg:req sign:req insn:vararg
	SNIPPET \name
	adr	\reg, 1f
	\sign
7:	\insn
	mov	FELL_THROUGH
	b	2f
1:	bti	jc
	mov	TOOK_BRANCH
2:
	SNIPPET_END \name \kind INSN_NEEDS_PAUTH
.endm

/* An access to x19 that faults. The fixup sets x10 to an errno and x11 to zero. */
.macro FAULTING name:req addr:req insn:vararg
	SNIPPET \name
	mov_q	x19, \addr
7:	\insn
	mov	FELL_THROUGH
	b	2f
1:	mov	TOOK_BRANCH
2:
	_ASM_EXTABLE_UACCESS_ERR_ZERO(7b, 1b, x10, x11)
	SNIPPET_END \name INSN_TEST_STEP INSN_NEEDS_NOTHING 1
.endm

/* Not run. A probe at \into bytes after label 7 has to be refused. */
.macro REFUSE name:req into:req insn:vararg
	SNIPPET \name
	b	insn_test_exit
7:	\insn
	nop
	b	insn_test_exit
SYM_FUNC_END(insn_test_\name)
	TABLE_ENTRY REFUSED, insn_test_\name, "(7b - insn_test_\name + \into)", -EINVAL
.endm

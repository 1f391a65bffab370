/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Snippets of code for insn_kunit.c, each with an instruction at label 7 that is to be
 * probed, and what runs them.
 *
 * A snippet is jumped to with all registers and a few words of stack filled in from
 * insn_test_in. It may do to them what it likes and ends in a jump to insn_test_exit,
 * which writes down what it finds. Which way a branch went is told by %r15.
 */
#include <linux/errno.h>
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/asm.h>
#include <asm/asm-offsets.h>
#include <asm/frame.h>
#include <asm/ibt.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>

#include "insn_kunit.h"

#define STATE_FILLED	\
	(STATE_STACK + 8 * (INSN_TEST_STACK_WORDS - INSN_TEST_STACK_FILLED))

#define TOOK_BRANCH	$0x600d, %r15d
#define FELL_THROUGH	$0x0bad, %r15d

	.bss
	.balign	64
SYM_DATA_START(insn_test_in)
	.skip	STATE_STACK + 8 * INSN_TEST_STACK_WORDS
SYM_DATA_END(insn_test_in)
SYM_DATA_START(insn_test_out)
	.skip	STATE_STACK + 8 * INSN_TEST_STACK_WORDS
SYM_DATA_END(insn_test_out)
SYM_DATA_START(insn_test_mem)
	.skip	8 * INSN_TEST_MEM_WORDS
SYM_DATA_END(insn_test_mem)
SYM_DATA(insn_test_sp, .quad 0)
SYM_DATA_LOCAL(saved_sp, .quad 0)
SYM_DATA_LOCAL(exit_sp, .quad 0)
SYM_DATA_LOCAL(entry, .quad 0)
SYM_DATA_LOCAL(target, .quad 0)

	.text

/* void insn_test_run(void *entry) */
SYM_FUNC_START(insn_test_run)
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
	movq	%rdi, entry(%rip)
	movq	%rsp, saved_sp(%rip)

	/* Traps do not overwrite the compared memory, which is above exit_sp. */
	leaq	-(8 * INSN_TEST_STACK_WORDS)(%rsp), %rax
	movq	%rax, exit_sp(%rip)
	leaq	-(8 * INSN_TEST_STACK_FILLED)(%rsp), %rsp
	movq	%rsp, insn_test_sp(%rip)

	leaq	insn_test_in+STATE_FILLED(%rip), %rsi
	movq	%rsp, %rdi
	movl	$INSN_TEST_STACK_FILLED, %ecx
	rep movsq

	movq	insn_test_in+STATE_AX(%rip), %rax
	movq	insn_test_in+STATE_BX(%rip), %rbx
	movq	insn_test_in+STATE_CX(%rip), %rcx
	movq	insn_test_in+STATE_DX(%rip), %rdx
	movq	insn_test_in+STATE_SI(%rip), %rsi
	movq	insn_test_in+STATE_DI(%rip), %rdi
	movq	insn_test_in+STATE_BP(%rip), %rbp
	movq	insn_test_in+STATE_R8(%rip), %r8
	movq	insn_test_in+STATE_R9(%rip), %r9
	movq	insn_test_in+STATE_R10(%rip), %r10
	movq	insn_test_in+STATE_R11(%rip), %r11
	movq	insn_test_in+STATE_R12(%rip), %r12
	movq	insn_test_in+STATE_R13(%rip), %r13
	movq	insn_test_in+STATE_R14(%rip), %r14
	movq	insn_test_in+STATE_R15(%rip), %r15
	pushq	insn_test_in+STATE_FLAGS(%rip)
	popfq
	ANNOTATE_RETPOLINE_SAFE
	jmp	*entry(%rip)
SYM_FUNC_END(insn_test_run)
STACK_FRAME_NON_STANDARD insn_test_run

SYM_FUNC_START(insn_test_exit)
	movq	%rax, insn_test_out+STATE_AX(%rip)
	movq	%rsp, insn_test_out+STATE_SP(%rip)
	movq	exit_sp(%rip), %rsp
	pushfq
	popq	insn_test_out+STATE_FLAGS(%rip)
	movq	%rbx, insn_test_out+STATE_BX(%rip)
	movq	%rcx, insn_test_out+STATE_CX(%rip)
	movq	%rdx, insn_test_out+STATE_DX(%rip)
	movq	%rsi, insn_test_out+STATE_SI(%rip)
	movq	%rdi, insn_test_out+STATE_DI(%rip)
	movq	%rbp, insn_test_out+STATE_BP(%rip)
	movq	%r8, insn_test_out+STATE_R8(%rip)
	movq	%r9, insn_test_out+STATE_R9(%rip)
	movq	%r10, insn_test_out+STATE_R10(%rip)
	movq	%r11, insn_test_out+STATE_R11(%rip)
	movq	%r12, insn_test_out+STATE_R12(%rip)
	movq	%r13, insn_test_out+STATE_R13(%rip)
	movq	%r14, insn_test_out+STATE_R14(%rip)
	movq	%r15, insn_test_out+STATE_R15(%rip)

	cld
	movq	%rsp, %rsi
	leaq	insn_test_out+STATE_STACK(%rip), %rdi
	movl	$INSN_TEST_STACK_WORDS, %ecx
	rep movsq

	movq	saved_sp(%rip), %rsp
	popfq
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_FUNC_END(insn_test_exit)
STACK_FRAME_NON_STANDARD insn_test_exit

/* void insn_test_percpu_landing(void): where insn_test_percpu_target points to */
SYM_FUNC_START(insn_test_percpu_landing)
	movl	TOOK_BRANCH
	jmp	insn_test_exit
SYM_FUNC_END(insn_test_percpu_landing)
STACK_FRAME_NON_STANDARD insn_test_percpu_landing

/*
 * The tables are made along with the snippets.
 */
#define CASES	.rodata.insn_test_cases
#define REFUSED	.rodata.insn_test_refused
#define POINTS	.rodata.insn_test_points
#define STATES	.rodata.insn_test_states

.macro TABLE section:req label:req
	.pushsection \section, "a"
	.balign	8
SYM_ENTRY(\label, SYM_L_GLOBAL, SYM_A_NONE)
	.popsection
.endm

.macro TABLE_ENTRY section:req func:req offset:req kind:req
	.pushsection .rodata.str1.1, "aMS", @progbits, 1
.Lname_\@:
	.asciz	"\func"
	.popsection
	.pushsection \section, "a"
	.quad	\func
	.quad	.Lname_\@
	.long	\offset
	.long	\kind
	.popsection
.endm

	TABLE CASES insn_test_cases
	TABLE REFUSED insn_test_refused
	TABLE POINTS insn_test_points
	TABLE STATES insn_test_states

.macro SNIPPET name:req
SYM_FUNC_START_LOCAL(insn_test_\name)
.endm

.macro SNIPPET_END name:req kind:req
	jmp	insn_test_exit
SYM_FUNC_END(insn_test_\name)
STACK_FRAME_NON_STANDARD insn_test_\name
	TABLE_ENTRY CASES, insn_test_\name, "(7b - insn_test_\name)", \kind
.endm

/* Just the instruction. */
.macro BOOSTED name:req insn:vararg
	SNIPPET \name
7:	\insn
	SNIPPET_END \name INSN_TEST_BOOST
.endm

.macro EITHER name:req insn:vararg
	SNIPPET \name
7:	\insn
	SNIPPET_END \name INSN_TEST_EITHER
.endm

.macro STEPPED name:req insn:vararg
	SNIPPET \name
7:	\insn
	SNIPPET_END \name INSN_TEST_STEP
.endm

.macro EMULATED name:req insn:vararg
	SNIPPET \name
7:	\insn
	SNIPPET_END \name INSN_TEST_EMULATE
.endm

/* A branch that is taken or not. */
.macro BRANCH name:req insn:vararg
	SNIPPET \name
	movl	TOOK_BRANCH
7:	\insn	1f
	movl	FELL_THROUGH
1:
	SNIPPET_END \name INSN_TEST_EMULATE
.endm

/* A branch to an address in a register, with an annotation for objtool. */
.macro BRANCH_REG name:req reg:req insn:vararg
	BRANCH_THUNK \name \reg "ANNOTATE_RETPOLINE_SAFE" \insn
.endm

/* The same by way of a thunk, which objtool knows. */
.macro BRANCH_THUNK name:req reg:req note insn:vararg
	SNIPPET \name
	leaq	1f(%rip), \reg
	\note
7:	\insn
	movl	FELL_THROUGH
	jmp	2f
1:	ENDBR
	movl	TOOK_BRANCH
2:
	SNIPPET_END \name INSN_TEST_EMULATE
.endm

/* A branch to an address in memory: in "target", and on the stack. */
.macro BRANCH_MEM name:req insn:vararg
	SNIPPET \name
	leaq	1f(%rip), %rax
	movq	%rax, target(%rip)
	pushq	%rax
	leaq	target(%rip), %rdi
	movl	$3, %ecx
	ANNOTATE_RETPOLINE_SAFE
7:	\insn
	movl	FELL_THROUGH
	jmp	2f
1:	ENDBR
	movl	TOOK_BRANCH
2:
	SNIPPET_END \name INSN_TEST_STEP
.endm

/* An access through %rdi that faults, and goes on elsewhere. */
.macro FAULTING name:req rdi:req insn:vararg
	FAULTING_NOTED \name \rdi "" \insn
.endm

/* The same for a branch that objtool has to be told about. */
.macro FAULTING_BRANCH name:req rdi:req insn:vararg
	FAULTING_NOTED \name \rdi "ANNOTATE_RETPOLINE_SAFE" \insn
.endm

.macro FAULTING_NOTED name:req rdi:req note insn:vararg
	SNIPPET \name
	movabsq	$\rdi, %rdi
	\note
7:	\insn
	movl	FELL_THROUGH
	jmp	2f
1:	movl	TOOK_BRANCH
2:
	_ASM_EXTABLE(7b, 1b)
	SNIPPET_END \name INSN_TEST_STEP
.endm

/* Never run, only registered. The probe goes \into bytes behind the start of the instruction. */
.macro REFUSE name:req errno:req into:req insn:vararg
	SNIPPET \name
	jmp	insn_test_exit
7:	\insn
	nop
	jmp	insn_test_exit
SYM_FUNC_END(insn_test_\name)
STACK_FRAME_NON_STANDARD insn_test_\name
	TABLE_ENTRY REFUSED, insn_test_\name, "(7b - insn_test_\name + \into)", \errno
.endm

/* Operands relative to %rip, with and without something behind them. */
BOOSTED rip_load	movq	insn_test_mem(%rip), %rax
BOOSTED rip_load_r8	movzbl	insn_test_mem+3(%rip), %r8d
BOOSTED rip_store	movq	%rcx, insn_test_mem+8(%rip)
BOOSTED rip_store_imm	movq	$0x1234567, insn_test_mem+16(%rip)
BOOSTED rip_cmp_imm8	cmpb	$0x5a, insn_test_mem+9(%rip)
BOOSTED rip_add_imm16	addw	$0x1234, insn_test_mem+24(%rip)
BOOSTED rip_inc		incl	insn_test_mem(%rip)
BOOSTED rip_lock_xadd	lock xaddq %rdx, insn_test_mem(%rip)
BOOSTED rip_cmpxchg	cmpxchgq %rbx, insn_test_mem(%rip)
EITHER rip_lea		leaq	insn_test_mem(%rip), %rsi
EITHER rip_lea_text	leaq	insn_test_exit(%rip), %r12
BOOSTED rip_push	pushq	insn_test_mem+32(%rip)
BOOSTED rip_pop		popq	insn_test_mem+40(%rip)
BOOSTED rip_shld	shldq	$7, %rdx, insn_test_mem(%rip)
BOOSTED rip_setc	setc	insn_test_mem+5(%rip)
BOOSTED rip_cmovc	cmovcq	insn_test_mem+8(%rip), %r13
BOOSTED rip_imul	imulq	$-77, insn_test_mem(%rip), %r9
BOOSTED rip_movnti	movnti	%rax, insn_test_mem(%rip)
BOOSTED rip_percpu	movq	PER_CPU_VAR(insn_test_percpu_target), %rax

/* pcpu_hot.preempt_count, which is as deep in a copy as behind it. */
	SNIPPET preempt_count
7:	movl	PER_CPU_VAR(pcpu_hot + 8), %eax
	subl	PER_CPU_VAR(pcpu_hot + 8), %eax
	SNIPPET_END preempt_count INSN_TEST_BOOST

#include "insn_kunit_regs.S"

/* The stack. */
BOOSTED push_imm8	pushq	$-5
BOOSTED push_imm32	pushq	$0x7654321
BOOSTED push_mem_sp	pushq	8(%rsp)
BOOSTED push_16		pushw	%bx
BOOSTED push_fs		pushq	%fs
EITHER pop_reg		popq	%rax
EITHER pop_r13		popq	%r13
BOOSTED pop_mem_sp	popq	8(%rsp)
BOOSTED pop_16		popw	%dx

/* What the two make room for is of no defined content. */
.macro MAKES_ROOM name:req insn:vararg
	SNIPPET \name
7:	\insn
	movq	$0, (%rsp)
	movq	$0, 8(%rsp)
	SNIPPET_END \name INSN_TEST_BOOST
.endm

MAKES_ROOM lea_sp	leaq	-16(%rsp), %rsp
MAKES_ROOM enter	enter	$16, $0

BOOSTED add_sp		addq	$16, %rsp

SNIPPET leave
	leaq	16(%rsp), %rbp
7:	leave
SNIPPET_END leave INSN_TEST_BOOST

/* Strings. */
SNIPPET rep_movsb
	leaq	insn_test_mem(%rip), %rsi
	leaq	32(%rsi), %rdi
	movl	$21, %ecx
7:	rep movsb
SNIPPET_END rep_movsb INSN_TEST_BOOST

SNIPPET rep_stosq
	leaq	insn_test_mem(%rip), %rdi
	movl	$5, %ecx
7:	rep stosq
SNIPPET_END rep_stosq INSN_TEST_BOOST

SNIPPET repne_scasb
	leaq	insn_test_mem(%rip), %rdi
	movl	$64, %ecx
7:	repne scasb
SNIPPET_END repne_scasb INSN_TEST_BOOST

/* As long as one may be that fits into a slot twice, and longer. */
.macro LONG name:req kind:req prefixes:vararg
	SNIPPET \name
	leaq	insn_test_mem(%rip), %rdi
	movl	$3, %ecx
7:	.byte	\prefixes
	/* movq $0x55667788, 8(%rdi,%rcx,8), in twelve bytes */
	.byte	0x48, 0xc7, 0x84, 0xcf, 0x08, 0, 0, 0, 0x88, 0x77, 0x66, 0x55
	SNIPPET_END \name \kind
.endm

LONG long_13 INSN_TEST_BOOST 0x2e
LONG long_14 INSN_TEST_STEP  0x2e, 0x2e
LONG long_15 INSN_TEST_STEP  0x2e, 0x2e, 0x2e

/* The exception table goes by address. */
FAULTING fault_gp	0x8000000000000000 movq (%rdi), %rax
FAULTING fault_pf	0xfffffffffffff000 movq (%rdi), %rax
FAULTING fault_div	0 divq %rdi
FAULTING fault_store	0xfffffffffffff000 movq %rax, 8(%rdi)
FAULTING_BRANCH fault_call	0xfffffffffffff000 call *(%rdi)
FAULTING_BRANCH fault_jmp	0x8000000000000000 jmp *(%rdi)

SNIPPET no_fault
7:	movq	insn_test_mem(%rip), %rax
1:
	_ASM_EXTABLE(7b, 1b)
SNIPPET_END no_fault INSN_TEST_STEP

/* Branches: conditional ones with either size of displacement. */
.irp cc, o, no, b, ae, e, ne, be, a, s, ns, p, np, l, ge, le, g
BRANCH j\cc\()_disp8	j\cc
BRANCH j\cc\()_disp32	{disp32} j\cc
.endr

BRANCH jmp_disp8	jmp
BRANCH jmp_disp32	{disp32} jmp
BRANCH jmp_cs		cs jmp
BRANCH loop		loop
BRANCH loope		loope
BRANCH loopne		loopne
BRANCH loop_ecx		addr32 loop
BRANCH loope_ecx	addr32 loope
BRANCH jrcxz		jrcxz
BRANCH jecxz		jecxz

SNIPPET jmp_back
	jmp	2f
1:	movl	TOOK_BRANCH
	jmp	3f
2:
7:	jmp	1b
	movl	FELL_THROUGH
3:
SNIPPET_END jmp_back INSN_TEST_EMULATE

SNIPPET call_rel
	ANNOTATE_INTRA_FUNCTION_CALL
7:	call	1f
	movl	FELL_THROUGH
	jmp	2f
1:	movl	TOOK_BRANCH
2:
SNIPPET_END call_rel INSN_TEST_EMULATE

SNIPPET call_cs
	ANNOTATE_INTRA_FUNCTION_CALL
7:	.byte	0x2e
	call	1f
	movl	FELL_THROUGH
	jmp	2f
1:	movl	TOOK_BRANCH
2:
SNIPPET_END call_cs INSN_TEST_EMULATE

BRANCH_REG call_rax	%rax	call	*%rax
BRANCH_REG call_r11	%r11	call	*%r11
BRANCH_REG jmp_rbx	%rbx	jmp	*%rbx
BRANCH_REG jmp_r15	%r15	jmp	*%r15
BRANCH_REG jmp_cs_reg	%r11	cs jmp	*%r11

#ifdef CONFIG_MITIGATION_RETPOLINE
BRANCH_THUNK call_thunk	%rax "" call	__x86_indirect_thunk_rax
BRANCH_THUNK jmp_thunk	%r11 "" cs jmp	__x86_indirect_thunk_r11
#endif

BRANCH_MEM call_rip	call	*target(%rip)
BRANCH_MEM call_base	call	*(%rdi)
BRANCH_MEM call_sib	call	*-24(%rdi,%rcx,8)
BRANCH_MEM call_sp	call	*(%rsp)
BRANCH_MEM call_percpu	call	*PER_CPU_VAR(insn_test_percpu_target)
BRANCH_MEM jmp_rip	jmp	*target(%rip)
BRANCH_MEM jmp_sib	jmp	*-24(%rdi,%rcx,8)
BRANCH_MEM jmp_sp	jmp	*(%rsp)

/* With IBT no such prefix is in the kernel: objtool sees to that. */
#ifndef CONFIG_X86_KERNEL_IBT
BRANCH_REG call_notrack	%rdx	notrack call *%rdx
BRANCH_REG jmp_notrack	%rsi	notrack jmp *%rsi
BRANCH_MEM jmp_notrack_rip notrack jmp *target(%rip)
#endif

.macro RETURN name:req insn:vararg
	SNIPPET \name
	leaq	1f(%rip), %rax
	pushq	%rax
	ANNOTATE_UNRET_SAFE
7:	\insn
	movl	FELL_THROUGH
	jmp	2f
1:	movl	TOOK_BRANCH
2:
	SNIPPET_END \name INSN_TEST_EMULATE
.endm

RETURN ret		ret
RETURN rep_ret		.byte 0xf3, 0xc3
RETURN ret_imm		ret	$24

/* Others that are emulated. */
EMULATED nop1		.byte	0x90
EMULATED nop2		.byte	0x66, 0x90
EMULATED nop3		.byte	0x0f, 0x1f, 0x00
EMULATED nop5		.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
EMULATED nop9		.byte	0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00
EMULATED push_rax	pushq	%rax
EMULATED push_rbp	pushq	%rbp
EMULATED push_r12	pushq	%r12
EMULATED push_rsp	pushq	%rsp
EMULATED pushfq		pushfq
EMULATED pushfw		pushfw
EMULATED cli		cli
EMULATED sti		sti

SNIPPET popfq_set
	pushq	$0xad7
7:	popfq
SNIPPET_END popfq_set INSN_TEST_EMULATE

SNIPPET popfq_clear
	pushq	$0x002
7:	popfq
SNIPPET_END popfq_clear INSN_TEST_EMULATE

SNIPPET popfw_set
	pushw	$0xad7
7:	popfw
SNIPPET_END popfw_set INSN_TEST_EMULATE

SNIPPET popfw_clear
	pushw	$0x002
7:	popfw
SNIPPET_END popfw_clear INSN_TEST_EMULATE

/* Fine, but not on any processor: opcodes that mean something else without VEX. */
REFUSE vex_fb		0	0	vpaddw	%xmm1, %xmm2, %xmm3
REFUSE vex_ff		0	0	vpsubb	%xmm1, %xmm2, %xmm3
REFUSE vex_8e		0	0	vpmaskmovd %xmm2, %xmm1, (%rax)

/* No start of an instruction. */
REFUSE into_insn, -EILSEQ, 1, movabsq $0x1122334455667788, %rax
REFUSE into_imm, -EILSEQ, 9, movabsq $0x1122334455667788, %rax
REFUSE into_lock, -EILSEQ, 1, lock incl (%rax)
REFUSE into_rex, -EILSEQ, 1, movq	%rax, %rbx
REFUSE into_nop5, -EILSEQ, 1, .byte 0x0f, 0x1f, 0x44, 0x00, 0x00
REFUSE int3, -EILSEQ, 0, int3

/* Cannot be run from elsewhere. */
REFUSE rip_too_far, -EINVAL, 0, .byte 0x48, 0x8b, 0x05, 0x00, 0x00, 0x00, 0x80
REFUSE eip_relative, -EINVAL, 0, .byte 0x67, 0x8b, 0x05, 0x00, 0x00, 0x00, 0x00
REFUSE kvm_prefix, -EINVAL, 0, .byte 0x0f, 0x0b, 0x6b, 0x76, 0x6d, 0x0f, 0xa2
#ifdef CONFIG_X86_KERNEL_IBT
REFUSE endbr, -EINVAL, 0, endbr64
#endif
REFUSE ud2, -EOPNOTSUPP, 0, ud2
REFUSE hlt, -EOPNOTSUPP, 0, hlt
REFUSE mwait, -EOPNOTSUPP, 0, mwait
REFUSE sti_hlt, -EOPNOTSUPP, 0, .byte 0xfb, 0xf4
REFUSE sti_mwait, -EOPNOTSUPP, 0, .byte 0xfb, 0x0f, 0x01, 0xc9
REFUSE int_imm, -EOPNOTSUPP, 0, int	$0x80
REFUSE int1, -EOPNOTSUPP, 0, .byte 0xf1
REFUSE iretq, -EOPNOTSUPP, 0, iretq
REFUSE lretq, -EOPNOTSUPP, 0, lretq
REFUSE far_jmp, -EOPNOTSUPP, 0, ljmp	*(%rax)
REFUSE far_call, -EOPNOTSUPP, 0, lcall	*(%rax)
REFUSE syscall, -EOPNOTSUPP, 0, syscall
REFUSE sysretq, -EOPNOTSUPP, 0, sysretq
REFUSE swapgs, -EOPNOTSUPP, 0, swapgs
REFUSE wrgsbase, -EOPNOTSUPP, 0, wrgsbase %rax
REFUSE mov_ss, -EOPNOTSUPP, 0, movl	%eax, %ss
REFUSE mov_gs, -EOPNOTSUPP, 0, movl	%eax, %gs
REFUSE pop_gs, -EOPNOTSUPP, 0, popq	%gs
REFUSE lss, -EOPNOTSUPP, 0, lss	(%rax), %ecx
REFUSE lidt, -EOPNOTSUPP, 0, lidt	(%rax)
REFUSE vmlaunch, -EOPNOTSUPP, 0, vmlaunch
REFUSE xbegin, -EOPNOTSUPP, 0, .byte 0xc7, 0xf8, 0x00, 0x00, 0x00, 0x00
REFUSE jmp_16, -EOPNOTSUPP, 0, .byte 0x66, 0xe9, 0x00, 0x00, 0x00, 0x00
REFUSE ret_16, -EOPNOTSUPP, 0, .byte 0x66, 0xc3

SYM_FUNC_START_LOCAL(insn_test_nothing)
	RET
SYM_FUNC_END(insn_test_nothing)

/* unsigned long insn_test_sum(unsigned long n): n + (n - 1) ... + 1 */
SYM_FUNC_START(insn_test_sum)
	FRAME_BEGIN
	xorl	%eax, %eax
	/*
	 * Unlike add, this one runs from a copy before a post handler. There is no carry: what the
	 * call leaves, as thunks that count calls change flags, subq clears.
	 */
.Ladd:
	adcq	%rdi, %rax
.Lcall:
	call	insn_test_nothing
	subq	$1, %rdi
.Ljcc:
	jnz	.Ladd
	FRAME_END
.Lret:
	RET
SYM_FUNC_END(insn_test_sum)

/* unsigned long insn_test_keep(unsigned long n): n, and back where it came from */
SYM_FUNC_START(insn_test_keep)
.Lpush:
	pushq	%rbx
.Lmov:
	movq	%rdi, %rbx
	movq	%rbx, %rax
.Llong:
	/* In a detour, all of them get longer than they are, or are long. */
	jrcxz	.Lpop
	jrcxz	.Lpop
	.byte	0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0
.Lpop:
	popq	%rbx
.Lback:
	RET
SYM_FUNC_END(insn_test_keep)

/*
 * unsigned long insn_test_padded(unsigned long n): 2 * n + 2. Behind each of these jumps is
 * what looks like padding, and behind the first one that is what it is.
 */
SYM_FUNC_START(insn_test_padded)
	FRAME_BEGIN
.Lnamed:
	leaq	2(%rdi), %rax
.Lnot_branched_to:
	jmp	.Lnop
.Lpadded:
	jmp	.Ladd_n
	nop
.Lno_padding:
	jmp	.Lnop5
.Lnop:
	nop
	jmp	.Lno_padding
.Lno_long_padding:
	jmp	.Lpadded
.Lnop5:
	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
	jmp	.Lno_long_padding
.Ladd_n:
	addq	%rdi, %rax
	FRAME_END
	RET
SYM_FUNC_END(insn_test_padded)

/* No part of the function, though it would read as one that jumps into it. */
	.section .rodata
SYM_DATA_START_LOCAL(insn_test_padded.cold)
	.byte	0xe9
	.long	.Lnot_branched_to - 1f
1:
SYM_DATA_END(insn_test_padded.cold)
	.text

	TABLE_ENTRY POINTS, insn_test_sum, "(.Ladd - insn_test_sum)", INSN_TEST_BOOST
	TABLE_ENTRY POINTS, insn_test_sum, "(.Lcall - insn_test_sum)", INSN_TEST_EMULATE
	TABLE_ENTRY POINTS, insn_test_sum, "(.Ljcc - insn_test_sum)", INSN_TEST_EMULATE
	TABLE_ENTRY POINTS, insn_test_sum, "(.Lret - insn_test_sum)", INSN_TEST_EMULATE

	TABLE_ENTRY POINTS, insn_test_keep, "(.Lpush - insn_test_keep)", INSN_TEST_EMULATE
	TABLE_ENTRY POINTS, insn_test_keep, "(.Lmov - insn_test_keep)", INSN_TEST_EITHER
	TABLE_ENTRY POINTS, insn_test_keep, "(.Llong - insn_test_keep)", INSN_TEST_EMULATE
	TABLE_ENTRY POINTS, insn_test_keep, "(.Lpop - insn_test_keep)", INSN_TEST_EITHER
	TABLE_ENTRY POINTS, insn_test_keep, "(.Lback - insn_test_keep)", INSN_TEST_EMULATE

	TABLE_ENTRY POINTS, insn_test_padded, "(.Lpadded - insn_test_padded)", INSN_TEST_EMULATE
	TABLE_ENTRY POINTS, insn_test_padded, "(.Lno_padding - insn_test_padded)", INSN_TEST_EMULATE
	TABLE_ENTRY POINTS, insn_test_padded, "(.Lno_long_padding - insn_test_padded)", \
		    INSN_TEST_EMULATE
	TABLE_ENTRY POINTS, insn_test_padded, "(.Lnamed - insn_test_padded)", INSN_TEST_EITHER

/* For state_kunit.c, in this order. They do not change anything, but for flags. */
.macro STATE name:req kind:req insn:vararg
SYM_FUNC_START_LOCAL(insn_test_state_\name)
7:	\insn
	jmp	insn_test_exit
SYM_FUNC_END(insn_test_state_\name)
STACK_FRAME_NON_STANDARD insn_test_state_\name
	TABLE_ENTRY STATES, insn_test_state_\name, 0, \kind
.endm

/*
 * Something else leads to behind the instruction, so a jump has to do with the two bytes that
 * there are, and with \byte as the most significant one of its displacement.
 */
.macro STATE_PUN name:req byte:req second=0x7f
SYM_FUNC_START_LOCAL(insn_test_state_\name)
	jmp	7f
	jmp	1f
7:	xchgq	%rbx, %rbx
1:	nop
	.byte	\byte, \second
	jmp	insn_test_exit
SYM_FUNC_END(insn_test_state_\name)
STACK_FRAME_NON_STANDARD insn_test_state_\name
	TABLE_ENTRY STATES, insn_test_state_\name, "(7b - insn_test_state_\name)", INSN_TEST_BOOST
.endm

STATE emulated INSN_TEST_EMULATE	nop
STATE boosted INSN_TEST_BOOST		xchgq	%rbx, %rbx
STATE branch INSN_TEST_EMULATE	jmp	insn_test_exit

/* Arithmetic of %al and an immediate. One of them leads to where memory can be had. */
STATE_PUN pun_04	0x04
STATE_PUN pun_0c	0x0c
STATE_PUN pun_14	0x14
STATE_PUN pun_1c	0x1c
STATE_PUN pun_24	0x24
STATE_PUN pun_2c	0x2c
STATE_PUN pun_34	0x34
STATE_PUN pun_3c	0x3c

/*
 * A nop with a prefix. It leads farther, to the area of modules from a kernel that is mapped
 * at or near its lowest address; KASAN keeps slots in that area.
 */
STATE_PUN pun_44	0x44 0x90

	TABLE CASES insn_test_cases_end
	TABLE REFUSED insn_test_refused_end
	TABLE POINTS insn_test_points_end
	TABLE STATES insn_test_states_end

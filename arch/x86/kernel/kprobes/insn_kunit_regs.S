/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Snippets of insn_kunit_asm.S: instructions that access registers and flags only. Most of those
 * that are EITHER are emulated in emulate_regs.c.
 */
EITHER mov_reg		movq	%rdi, %r15
BOOSTED mov_imm64	movabsq	$0x1122334455667788, %r14
EITHER mov_imm32	movl	$0x89abcdef, %eax
EITHER mov_from_sp	movq	%rsp, %rax
BOOSTED mov_sreg	movl	%ds, %eax
EITHER add		addq	%rdx, %rax
BOOSTED adc		adcl	%edx, %eax
BOOSTED sbb_self	sbbq	%rsi, %rsi
EITHER sub_8		subq	$8, %rbx
EITHER cmp		cmpq	%rcx, %rax
BOOSTED test_imm	testb	$0x81, %cl
BOOSTED inc16		incw	%cx
BOOSTED neg_high	negb	%ch
BOOSTED shl_imm		shlq	$3, %r8
BOOSTED rcl_one		rclq	$1, %r9
BOOSTED imul_imm	imulq	$99, %rcx, %rdx
BOOSTED bswap		bswapq	%r11
BOOSTED bts		btsq	%rcx, %rax
BOOSTED setl		setl	%dl
BOOSTED cmovle		cmovleq	%r9, %rax
BOOSTED cqto		cqto
BOOSTED xchg		xchgq	%rax, %r10
BOOSTED xchg_rax_r8	.byte	0x49, 0x90
BOOSTED lahf		lahf
BOOSTED sahf		sahf
BOOSTED cmc		cmc
BOOSTED std		std
BOOSTED pause		pause
BOOSTED lfence		lfence

/* The emulated operations. Inputs have all combinations of flags. */
.irp op, add, or, and, sub, xor, cmp
EITHER \op\()_q	\op\()q	%r9, %rdx
EITHER \op\()_l	\op\()l	%esi, %r8d
EITHER \op\()_self	\op\()q	%rbx, %rbx
EITHER \op\()_from_sp	\op\()q	%rsp, %r11
EITHER \op\()_imm8	\op\()l	$-77, %ebp
EITHER \op\()_imm32	\op\()q	$-0x12345678, %r14
EITHER \op\()_eax	\op\()l	$0x7fffffff, %eax
EITHER \op\()_rax	\op\()q	$0x76543210, %rax
BOOSTED \op\()_w	\op\()w	%dx, %ax
BOOSTED \op\()_b	\op\()b	%dl, %al
BOOSTED \op\()_al	\op\()b	$0x81, %al
BOOSTED \op\()_ax	\op\()w	$0x7fff, %ax
BOOSTED \op\()_mem	\op\()l	%edx, insn_test_mem(%rip)
BOOSTED \op\()_from_mem	\op\()q	insn_test_mem(%rip), %rdx
.endr

/* The forms that write the operand in the reg field. Clang's assembler has no {load}. */
EITHER add_load		.byte	0x49, 0x03, 0xfa	# addq %r10, %rdi
EITHER or_load		.byte	0x49, 0x0b, 0xfa	# orq %r10, %rdi
EITHER and_load		.byte	0x49, 0x23, 0xfa	# andq %r10, %rdi
EITHER sub_load		.byte	0x49, 0x2b, 0xfa	# subq %r10, %rdi
EITHER xor_load		.byte	0x49, 0x33, 0xfa	# xorq %r10, %rdi
EITHER cmp_load		.byte	0x49, 0x3b, 0xfa	# cmpq %r10, %rdi

EITHER test_q		testq	%r9, %rdx
EITHER test_l		testl	%r8d, %r8d
EITHER test_imm_l	testl	$0x80008001, %ebx
EITHER test_imm_q	testq	$-2, %r13
EITHER test_eax		testl	$0x1000000, %eax
EITHER test_rax		testq	$-0x80000000, %rax
BOOSTED test_w		testw	%cx, %dx
BOOSTED not		notq	%rdx
BOOSTED adc_imm		adcq	$5, %rdx
BOOSTED sbb_eax		sbbl	$0x12345678, %eax

/* Carry, overflow, and zero: the operands are what set them. */
.macro FLAGS name:req a:req b:req insn:vararg
	SNIPPET \name
	movabsq	$\a, %rax
	movabsq	$\b, %rdx
7:	\insn
	SNIPPET_END \name INSN_TEST_EITHER
.endm

FLAGS add_carries	0xffffffffffffffff 1 addq %rdx, %rax
FLAGS add_overflows	0x7fffffffffffffff 1 addq %rdx, %rax
FLAGS addl_overflows	0x123456787fffffff 0xffffffff00000001 addl %edx, %eax
FLAGS addl_carries	0x12345678ffffffff 0xf addl %edx, %eax
FLAGS sub_borrows	0 1 subq %rdx, %rax
FLAGS subl_overflows	0xffffffff80000000 1 subl %edx, %eax
FLAGS cmpl_equal	0x1111111155555555 0x2222222255555555 cmpl %edx, %eax
FLAGS testl_zero	0x1111111100ff00ff 0x11111111ff00ff00 testl %edx, %eax
FLAGS and_sign		0x8000000000000001 0xffffffff00000000 andq %rdx, %rax

/* Not if the operand that an instruction may write is the stack pointer. */
BOOSTED mov_to_sp	movq	%rsp, %rsp
BOOSTED mov_to_sp_load	.byte	0x48, 0x8b, 0xe4	# movq %rsp, %rsp
BOOSTED and_sp		andq	$-8, %rsp
BOOSTED cmp_sp		cmpq	$0x1000, %rsp
BOOSTED test_sp		testq	%rsp, %rsp

EITHER mov_l		movl	%r10d, %ecx
EITHER mov_l_self	movl	%edi, %edi
EITHER mov_load		.byte	0x49, 0x8b, 0xf4	# movq %r12, %rsi
EITHER mov_imm_r9d	movl	$0x7654321, %r9d
EITHER mov_imm_q	movq	$-0x7654321, %rdx
EITHER mov_imm_c7	.byte	0xc7, 0xc3, 0xef, 0xcd, 0xab, 0x89	# movl $0x89abcdef, %ebx
BOOSTED mov_w		movw	%dx, %cx
BOOSTED mov_b		movb	%dh, %cl
BOOSTED mov_imm_w	movw	$0x1234, %dx
BOOSTED mov_imm_b	movb	$0x12, %dl

EITHER lea_base		leaq	(%rdi), %rax
EITHER lea_disp8	leaq	-5(%r12), %r13
EITHER lea_disp32	leaq	0x12345678(%rbp), %rbx
EITHER lea_l		leal	7(%rsi), %r10d
EITHER lea_from_sp	leaq	24(%rsp), %rcx
EITHER lea_index	leaq	(%rdx,%r9), %r8
EITHER lea_scale	leaq	-3(%r13,%rcx,4), %rax
EITHER lea_r12_index	leaq	(%rax,%r12,8), %rsi
EITHER lea_no_base	leaq	0x1234(,%rdx,2), %rdi
EITHER lea_nothing	leaq	0x7654321, %r15
EITHER lea_sp_index	leaq	8(%rsp,%rbx,8), %rdx
EITHER lea_l_scale	leal	(%rax,%rax,2), %eax
BOOSTED lea_w		leaw	7(%rsi), %dx
BOOSTED lea_eip		addr32 leaq 7(%esi,%edi), %rdx

/* SPDX-License-Identifier: GPL-2.0-only */
/* Snippets with instructions of each kind. insn_kunit.c probes them. */
#include <asm/asm-offsets.h>

#include "insn_kunit_macros.S"

	.text
	.arch	armv8.5-a+memtag+sve

	TABLE CASES insn_test_cases
	TABLE REFUSED insn_test_refused
	TABLE STATES insn_test_states

/* Data processing with an immediate. */
BOOSTED add_imm		add	x0, x1, #0x123
BOOSTED add_imm_shifted	add	w2, w3, #0xfff, lsl #12
BOOSTED adds_imm	adds	x4, x5, #1
BOOSTED subs_imm_w	subs	w6, w7, #0x7ff
BOOSTED cmp_imm		cmp	x8, #0x10
BOOSTED cmn_imm		cmn	w9, #1
BOOSTED add_from_sp	add	x0, sp, #8
BOOSTED mov_from_sp	mov	x30, sp
BOOSTED add_sp		add	sp, sp, #16
MAKES_ROOM sub_sp	sub	sp, sp, #32
BOOSTED and_imm		and	x0, x1, #0xff00
BOOSTED ands_imm	ands	w2, w3, #0x80000001
BOOSTED tst_imm		tst	x4, #0x8000000000000000
BOOSTED orr_imm		orr	x5, x6, #0x5555555555555555
BOOSTED eor_imm		eor	w7, w8, #0x3fc
BOOSTED movz		mov	x9, #0x12340000
BOOSTED movn		mov	x10, #-0x1235
BOOSTED movn_w		mov	w10, #-5
BOOSTED movk		movk	x11, #0xabcd, lsl #48
BOOSTED asr_imm		asr	x12, x13, #7
BOOSTED lsr_imm		lsr	w14, w15, #3
BOOSTED lsl_imm		lsl	x16, x19, #60
BOOSTED sxtw		sxtw	x20, w21
BOOSTED bfi		bfi	x22, x23, #5, #11
BOOSTED sbfx		sbfx	w24, w25, #4, #9
BOOSTED extr		extr	x26, x28, x29, #13
BOOSTED ror_imm		ror	w0, w1, #31

/* Data processing with registers. */
BOOSTED add_reg		add	x0, x1, x3, lsl #5
BOOSTED add_reg_w	add	w0, w1, w3, lsr #7
BOOSTED sub_reg		sub	x4, x5, x6, asr #11
BOOSTED sub_reg_w	sub	w4, w5, w6, asr #31
BOOSTED sub_imm		sub	x4, x5, #1, lsl #12
BOOSTED and_reg_w	and	w10, w11, w12, ror #9
BOOSTED orr_reg		orr	x10, x11, x12, lsr #63
BOOSTED orr_reg_w	orr	w10, w11, w12, asr #5
BOOSTED eor_reg		eor	x10, x11, x12, ror #1
BOOSTED bic		bic	x13, x14, x15, lsl #3
BOOSTED movk_w		movk	w11, #0xabcd
BOOSTED movz_w		movz	w9, #0x8001, lsl #16
BOOSTED add_zero	add	x3, xzr, x4
BOOSTED mov_fp		mov	x29, sp
BOOSTED add_ext		add	x0, x1, w3, sxtw #2
BOOSTED add_ext_sp	add	x0, sp, x20, uxtx
BOOSTED adds_ext	adds	x4, x5, w6, uxtb
BOOSTED subs_reg	subs	w4, w5, w6, asr #3
BOOSTED cmp_reg		cmp	x2, x3
BOOSTED negs		negs	x7, x2
BOOSTED adc		adc	x0, x1, x2
BOOSTED adcs		adcs	w3, w4, w2
BOOSTED sbc		sbc	w5, w6, w7
BOOSTED sbcs		sbcs	x8, x9, x2
BOOSTED ngcs		ngcs	x8, x2
BOOSTED and_reg		and	x10, x11, x12, ror #9
BOOSTED bics		bics	w13, w14, w15
BOOSTED orn		orn	x16, x19, x20
BOOSTED mov_reg		mov	x21, x30
BOOSTED mov_reg_w	mov	w21, w2
BOOSTED mvn		mvn	w22, w23
BOOSTED eon		eon	x24, x25, x26, lsr #8
BOOSTED tst_reg		tst	x2, x3
BOOSTED ccmp_imm	ccmp	x2, #1, #0b1010, ge
BOOSTED ccmp_reg	ccmp	w2, w3, #0b0101, hi
BOOSTED ccmn_reg	ccmn	x2, x3, #0b1111, vs
BOOSTED csel		csel	x0, x1, x3, lt
BOOSTED csinc		csinc	w0, w1, w3, eq
BOOSTED csinv		csinv	x0, x1, x3, mi
BOOSTED cneg		cneg	x0, x1, hs
BOOSTED cset		cset	w0, le
BOOSTED madd		madd	x0, x1, x3, x4
BOOSTED msub_w		msub	w0, w1, w3, w4
BOOSTED smaddl		smaddl	x0, w1, w3, x4
BOOSTED umulh		umulh	x0, x1, x3
BOOSTED smulh		smulh	x0, x1, x3
BOOSTED udiv		udiv	x0, x1, x2
BOOSTED sdiv_w		sdiv	w0, w1, w2
BOOSTED lsl_reg		lsl	x0, x1, x2
BOOSTED asr_reg_w	asr	w0, w1, w2
BOOSTED ror_reg		ror	x0, x1, x3
BOOSTED rev		rev	x0, x1
BOOSTED rev16		rev16	w0, w1
BOOSTED rbit		rbit	x0, x1
BOOSTED clz		clz	x0, x2
BOOSTED cls_w		cls	w0, w3
BOOSTED_IF INSN_NEEDS_CRC32 crc32x	crc32x	w0, w1, x3
BOOSTED_IF INSN_NEEDS_CRC32 crc32cb	crc32cb	w0, w1, w3
BOOSTED_IF INSN_NEEDS_FLAGM rmif	rmif	x1, #3, #5
BOOSTED_IF INSN_NEEDS_FLAGM setf8	setf8	w2
BOOSTED_IF INSN_NEEDS_MTE addg		addg	x0, x1, #16, #3
BOOSTED_IF INSN_NEEDS_MTE subps		subps	x0, x1, x3
BOOSTED_IF INSN_NEEDS_MTE gmi		gmi	x0, x1, x3
/* abs x0, x1; cnt x0, x1; umax x0, x1, #5 */
BOOSTED_IF INSN_NEEDS_CSSC abs		.inst	0xdac02020
BOOSTED_IF INSN_NEEDS_CSSC cnt		.inst	0xdac01c20
BOOSTED_IF INSN_NEEDS_CSSC umax_imm	.inst	0x91c41420

/* Signing of pointers, if the kernel has keys for it. */
BOOSTED_IF INSN_NEEDS_PAUTH pacia	pacia	x0, x1
BOOSTED_IF INSN_NEEDS_PAUTH xpaci	xpaci	x1
SNIPPET autia
	mov	x0, x30
	pacia	x0, x1
7:	autia	x0, x1
SNIPPET_END autia INSN_TEST_BOOST INSN_NEEDS_PAUTH

/* A copy runs with the preempt_count of the interrupted code, not with that of a hit. */
SNIPPET preempt_count
	mrs	x9, sp_el0
7:	ldr	w10, [x9, #TSK_TI_PREEMPT]
	ldr	w11, [x9, #TSK_TI_PREEMPT]
	sub	w10, w10, w11
	mov	x9, xzr
	mov	x11, xzr
SNIPPET_END preempt_count INSN_TEST_BOOST

/* Addresses, at both ends of the range. */
SIMULATED adr_here	adr	x0, .
SIMULATED adr_back	adr	x30, . - 0x1235
SIMULATED adr_first	adr	x1, . - 0x100000
SIMULATED adr_last	adr	x29, . + 0xfffff
SIMULATED adr_xzr	adr	xzr, . + 8
SIMULATED adrp_here	adrp	x0, .
SIMULATED adrp_last	.inst	0xf07fffe1	/* adrp x1, + 0xfffff000 */
SIMULATED adrp_first	.inst	0x90800002	/* adrp x2, - 0x100000000 */
SIMULATED adrp_back	.inst	0xf0ffffe3	/* adrp x3, - 0x1000 */

/* The same at both ends of a page; a landing pad is before the first one. */
	.balign	4096
	.skip	4096 - 8
SNIPPET adrp_page_end
7:	adrp	x4, . + 4096
SNIPPET_END adrp_page_end INSN_TEST_SIMULATE
	.balign	4096
	.skip	4096 - 8
SNIPPET adrp_page_start
	nop
7:	adrp	x4, . - 4096
SNIPPET_END adrp_page_start INSN_TEST_SIMULATE

/* Branches, on all conditions. */
.irp cc, eq, ne, hs, lo, mi, pl, vs, vc, hi, ls, ge, lt, gt, le, al, nv
BRANCH b_\cc		b.\cc
.endr

/* bc.cond, which skips an instruction. */
.macro BRANCH_CONSISTENT cond:req
	SNIPPET bc_\cond
	mov	TOOK_BRANCH
7:	.inst	0x54000050 | \cond
	mov	FELL_THROUGH
	SNIPPET_END bc_\cond INSN_TEST_SIMULATE INSN_NEEDS_HBC
.endm

.irp cond, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
BRANCH_CONSISTENT \cond
.endr

BRANCH b		b
BRANCH bl		bl
BRANCH cbz		cbz	x2,
BRANCH cbz_w		cbz	w2,
BRANCH cbz_xzr		cbz	xzr,
BRANCH cbnz		cbnz	x2,
BRANCH cbnz_w		cbnz	w2,
BRANCH cbnz_wzr		cbnz	wzr,
.irp bit, 0, 31, 32, 63
BRANCH tbz_\bit		tbz	x2, #\bit,
BRANCH tbnz_\bit	tbnz	x2, #\bit,
.endr
BRANCH tbz_w_31		tbz	w2, #31,
BRANCH tbnz_w_1		tbnz	w2, #1,
BRANCH tbz_xzr		tbz	xzr, #63,
BRANCH tbnz_wzr		tbnz	wzr, #0,

.macro BRANCH_BACK name:req insn:vararg
	SNIPPET \name
	b	2f
1:	mov	TOOK_BRANCH
	b	3f
2:
7:	\insn	1b
	mov	FELL_THROUGH
3:
	SNIPPET_END \name INSN_TEST_SIMULATE
.endm

BRANCH_BACK b_back	b
BRANCH_BACK bl_back	bl
BRANCH_BACK b_cs_back	b.cs
BRANCH_BACK cbnz_back	cbnz	x2,
BRANCH_BACK tbz_back	tbz	x2, #0,

/* At the end of the range of each instruction. */
.macro BRANCH_FAR name:req room:req insn:vararg
	SNIPPET \name
	b	2f
1:	mov	TOOK_BRANCH
	b	3f
	.fill	\room / 4, 4, 0xd503201f
2:
7:	\insn	1b
	mov	FELL_THROUGH
3:
	SNIPPET_END \name INSN_TEST_SIMULATE
.endm

BRANCH_FAR tbnz_far	0x7ff0 tbnz	x2, #0,

BRANCH_REG INSN_TEST_SIMULATE br		x5 br	x5
BRANCH_REG INSN_TEST_SIMULATE br_x16	x16 br	x16
BRANCH_REG INSN_TEST_SIMULATE br_x30	x30 br	x30
BRANCH_REG INSN_TEST_SIMULATE blr		x6 blr	x6
BRANCH_REG INSN_TEST_TRAP blr_x30	x30 blr	x30
BRANCH_REG INSN_TEST_SIMULATE ret		x30 ret
BRANCH_REG INSN_TEST_SIMULATE ret_x5	x5 ret	x5

BRANCH_AUTH INSN_TEST_SIMULATE braa	x5 "pacia x5, x6" braa x5, x6
BRANCH_AUTH INSN_TEST_SIMULATE brab	x5 "pacib x5, x6" brab x5, x6
BRANCH_AUTH INSN_TEST_SIMULATE braaz	x5 "paciza x5" braaz x5
BRANCH_AUTH INSN_TEST_SIMULATE brabz	x5 "pacizb x5" brabz x5
BRANCH_AUTH INSN_TEST_SIMULATE braa_sp	x5 "pacia x5, sp" braa x5, sp
BRANCH_AUTH INSN_TEST_SIMULATE braa_x30	x30 "pacia x30, x6" braa x30, x6
BRANCH_AUTH INSN_TEST_SIMULATE blraa	x5 "pacia x5, x6" blraa x5, x6
BRANCH_AUTH INSN_TEST_SIMULATE blrab_sp	x5 "pacib x5, sp" blrab x5, sp
BRANCH_AUTH INSN_TEST_SIMULATE blraaz	x5 "paciza x5" blraaz x5
BRANCH_AUTH INSN_TEST_TRAP blrabz	x30 "pacizb x30" blrabz x30
BRANCH_AUTH INSN_TEST_TRAP blraa_by_x30 x5 "pacia x5, x30" blraa x5, x30
BRANCH_AUTH INSN_TEST_TRAP blraa_x30	x30 "pacia x30, x6" blraa x30, x6
BRANCH_AUTH INSN_TEST_SIMULATE retaa	x30 "paciasp" retaa
BRANCH_AUTH INSN_TEST_SIMULATE retab	x30 "pacibsp" retab

/* Hints. Unallocated hints do nothing. */
SIMULATED nop		nop
SIMULATED bti		hint	#32
SIMULATED bti_c		bti	c
SIMULATED bti_j		bti	j
SIMULATED bti_jc	bti	jc
BOOSTED yield		yield
BOOSTED sev		sev
BOOSTED sevl		sevl
BOOSTED wfi		wfi
BOOSTED esb		hint	#16
BOOSTED csdb		csdb
BOOSTED dgh		hint	#6
BOOSTED psb_csync	hint	#17
BOOSTED tsb_csync	hint	#18
BOOSTED xpaclri		xpaclri
BOOSTED paciasp		paciasp
BOOSTED pacibsp		pacibsp
BOOSTED paciaz		paciaz
BOOSTED pacia1716	hint	#8
BOOSTED chkfeat		hint	#40
BOOSTED hint_127	hint	#127

SNIPPET wfe
	sevl
7:	wfe
SNIPPET_END wfe INSN_TEST_BOOST

SNIPPET autiasp
	paciasp
7:	autiasp
SNIPPET_END autiasp INSN_TEST_BOOST

SNIPPET autib1716
	hint	#10
7:	hint	#14
SNIPPET_END autib1716 INSN_TEST_BOOST

/* Barriers. */
BOOSTED dmb		dmb	ish
BOOSTED dsb		dsb	sy
BOOSTED dsb_nsh		dsb	nshst
BOOSTED isb		isb
BOOSTED ssbb		ssbb
BOOSTED pssbb		pssbb
BOOSTED clrex		clrex
BOOSTED_IF INSN_NEEDS_SB sb	sb

/* System registers. */
SIMULATED mrs_daif	mrs	x0, daif
SIMULATED mrs_daif_x30	mrs	x30, daif
SIMULATED mrs_daif_xzr	mrs	xzr, daif

SNIPPET mrs_pmr
7:	mrs	x0, s3_0_c4_c6_0
SNIPPET_END mrs_pmr INSN_TEST_SIMULATE INSN_NEEDS_GIC

BOOSTED mrs_nzcv	mrs	x0, nzcv
BOOSTED mrs_nzcv_xzr	mrs	xzr, nzcv
BOOSTED mrs_tpidr	mrs	x1, tpidr_el1
BOOSTED mrs_sp_el0	mrs	x2, sp_el0
BOOSTED mrs_midr	mrs	x3, midr_el1
BOOSTED mrs_id		mrs	x3, id_aa64mmfr0_el1
BOOSTED mrs_spsel	mrs	x4, spsel
BOOSTED mrs_current_el	mrs	x5, currentel
BOOSTED mrs_ctr		mrs	x6, ctr_el0
BOOSTED mrs_cntfrq	mrs	x7, cntfrq_el0
BOOSTED_IF INSN_NEEDS_PAN mrs_pan	mrs	x0, s3_0_c4_c2_3
BOOSTED_IF INSN_NEEDS_UAO mrs_uao	mrs	x0, s3_0_c4_c2_4
BOOSTED_IF INSN_NEEDS_DIT mrs_dit	mrs	x0, s3_3_c4_c2_5
BOOSTED_IF INSN_NEEDS_SSBS mrs_ssbs	mrs	x0, s3_3_c4_c2_6
BOOSTED_IF INSN_NEEDS_MTE mrs_tco	mrs	x0, s3_3_c4_c2_7

/* The flags tell whether it returned a random number. */
SNIPPET mrs_rndr
7:	mrs	x0, s3_3_c2_c4_0
	cset	x0, ne
SNIPPET_END mrs_rndr INSN_TEST_BOOST INSN_NEEDS_RNG

/* Bits of PSTATE that the instruction does not change are kept; \field is 0 or 1. */
.macro KEEPS name:req needs:req field:req value:req reg:req kind:req insn:vararg
	SNIPPET keeps_\name
	mrs	x3, \reg
	msr	\field, #\value
7:	\insn
	mrs	x4, \reg
	msr	\reg, x3
	SNIPPET_END keeps_\name \kind \needs
.endm

.irp value, 0, 1
KEEPS pan_\value INSN_NEEDS_PAN pan \value s3_0_c4_c2_3 INSN_TEST_BOOST add x0, x1, x2
/* 6.12 never sets UAO, so an exception return after a simulated instruction need not keep it. */
KEEPS uao_\value INSN_NEEDS_UAO uao \value s3_0_c4_c2_4 INSN_TEST_BOOST adc x0, x1, x2
KEEPS dit_\value INSN_NEEDS_DIT dit \value s3_3_c4_c2_5 INSN_TEST_BOOST add x0, x1, x2
KEEPS ssbs_\value INSN_NEEDS_SSBS ssbs \value s3_3_c4_c2_6 INSN_TEST_BOOST add x0, x1, x2
KEEPS tco_\value INSN_NEEDS_MTE tco \value s3_3_c4_c2_7 INSN_TEST_BOOST add x0, x1, x2
KEEPS pan_nop_\value INSN_NEEDS_PAN pan \value s3_0_c4_c2_3 INSN_TEST_SIMULATE nop
KEEPS uao_nop_\value INSN_NEEDS_UAO uao \value s3_0_c4_c2_4 INSN_TEST_SIMULATE nop
KEEPS dit_nop_\value INSN_NEEDS_DIT dit \value s3_3_c4_c2_5 INSN_TEST_SIMULATE nop
KEEPS ssbs_nop_\value INSN_NEEDS_SSBS ssbs \value s3_3_c4_c2_6 INSN_TEST_SIMULATE nop
KEEPS tco_nop_\value INSN_NEEDS_MTE tco \value s3_3_c4_c2_7 INSN_TEST_SIMULATE nop
.endr

/* Loads and stores, with all addressing modes. */
MEMORY ldr		ldr	x0, [x19, #24]
MEMORY ldr_w		ldr	w0, [x19, #4]
MEMORY ldrb		ldrb	w0, [x19, #5]
MEMORY ldrh		ldrh	w0, [x19, #6]
MEMORY ldrsb		ldrsb	x0, [x19, #7]
MEMORY ldrsb_w		ldrsb	w0, [x19, #7]
MEMORY ldrsh		ldrsh	x0, [x19, #2]
MEMORY ldrsw		ldrsw	x0, [x19, #4]
MEMORY ldr_xzr		ldr	xzr, [x19]
MEMORY ldur		ldur	x0, [x19, #-9]
MEMORY ldursw		ldursw	x0, [x19, #-3]
MEMORY ldr_pre		ldr	x0, [x19, #-16]!
MEMORY ldr_post		ldrb	w0, [x19], #1
MEMORY ldr_index	ldr	x0, [x19, x20, lsl #3]
MEMORY ldr_index_sxtw	ldr	x0, [x19, w21, sxtw]
MEMORY ldrh_index_uxtw	ldrh	w0, [x19, w20, uxtw #1]
MEMORY str		str	x1, [x19, #40]
MEMORY str_w		str	w1, [x19, #4]
MEMORY strb		strb	w1, [x19, #9]
MEMORY strh		strh	w1, [x19, #12]
MEMORY str_xzr		str	xzr, [x19]
MEMORY stur		stur	x1, [x19, #-21]
MEMORY str_pre		str	x1, [x19, #8]!
MEMORY str_post		strh	w1, [x19], #-2
MEMORY str_index	str	x1, [x19, x21]
MEMORY ldp		ldp	x0, x1, [x19, #16]
MEMORY ldp_w		ldp	w0, w1, [x19, #-8]
MEMORY ldpsw		ldpsw	x0, x1, [x19, #8]
MEMORY ldp_pre		ldp	x0, x1, [x19, #-32]!
MEMORY ldp_post		ldp	x29, x30, [x19], #16
MEMORY ldnp		ldnp	x0, x1, [x19]
MEMORY stp		stp	x0, x1, [x19, #16]
MEMORY stp_w_pre	stp	w0, w1, [x19, #-4]!
MEMORY stp_post		stp	x0, xzr, [x19], #32
MEMORY stnp		stnp	x0, x1, [x19, #8]
MEMORY prfm		prfm	pldl1keep, [x19, #8]
MEMORY prfm_store	prfm	pstl1strm, [x19]
MEMORY ldar		ldar	x0, [x19]
MEMORY ldarb		ldarb	w0, [x19]
MEMORY_IF INSN_NEEDS_LOR ldlar		ldlar	w0, [x19]
MEMORY stlr		stlr	x1, [x19]
MEMORY stlrh		stlrh	w1, [x19]
MEMORY_IF INSN_NEEDS_LOR stllr		stllr	w1, [x19]
MEMORY_IF INSN_NEEDS_RCPC ldapr		ldapr	x0, [x19]
MEMORY_IF INSN_NEEDS_RCPC2 ldapur	ldapur	x0, [x19, #-8]
MEMORY_IF INSN_NEEDS_RCPC2 stlur	stlur	w1, [x19, #4]
MEMORY_IF INSN_NEEDS_MTE ldg		ldg	x0, [x19]
MEMORY_IF INSN_NEEDS_MTE stg_post	stg	x19, [x19], #16

/* The same with the stack pointer as base. */
BOOSTED ldr_sp		ldr	x0, [sp, #8]
BOOSTED ldr_sp_post	ldr	x0, [sp], #16
BOOSTED ldp_sp_post	ldp	x29, x30, [sp], #32
BOOSTED str_sp		str	x0, [sp, #24]
BOOSTED str_sp_index	str	x0, [sp, xzr]
BOOSTED stp_sp_pre	stp	x29, x30, [sp, #-16]!
MAKES_ROOM str_sp_pre	str	x0, [sp, #-32]!

/* Atomic instructions. */
MEMORY_IF INSN_NEEDS_LSE ldadd		ldadd	x1, x0, [x19]
MEMORY_IF INSN_NEEDS_LSE ldaddal	ldaddal	w1, w0, [x19]
MEMORY_IF INSN_NEEDS_LSE stadd		stadd	x1, [x19]
MEMORY_IF INSN_NEEDS_LSE ldclr		ldclra	x1, x0, [x19]
MEMORY_IF INSN_NEEDS_LSE ldeorb		ldeorb	w1, w0, [x19]
MEMORY_IF INSN_NEEDS_LSE ldseth		ldsetlh	w1, w0, [x19]
MEMORY_IF INSN_NEEDS_LSE ldsmax		ldsmax	x1, x0, [x19]
MEMORY_IF INSN_NEEDS_LSE ldsmin		ldsmin	w1, w0, [x19]
MEMORY_IF INSN_NEEDS_LSE ldumax		ldumax	x1, x0, [x19]
MEMORY_IF INSN_NEEDS_LSE ldumin		ldumin	x1, x0, [x19]
MEMORY_IF INSN_NEEDS_LSE swp		swp	x1, x0, [x19]
MEMORY_IF INSN_NEEDS_LSE swpalb		swpalb	w1, w0, [x19]
MEMORY_IF INSN_NEEDS_LSE cas_fails	cas	x0, x1, [x19]
MEMORY_IF INSN_NEEDS_LSE casalh_fails	casalh	w0, w1, [x19]

.macro COMPARE_AND_SWAP name:req load:req insn:vararg
	SNIPPET \name
	adr_l	x19, insn_test_mem + INSN_TEST_MEM_BASE
	\load
7:	\insn
	SNIPPET_END \name INSN_TEST_BOOST INSN_NEEDS_LSE
.endm

COMPARE_AND_SWAP cas	"ldr x0, [x19]" cas x0, x1, [x19]
COMPARE_AND_SWAP casl_w	"ldr w0, [x19]" casl w0, w1, [x19]
COMPARE_AND_SWAP casab	"ldrb w0, [x19]" casab w0, w1, [x19]
COMPARE_AND_SWAP casp	"ldp x0, x1, [x19]" casp x0, x1, x2, x3, [x19]
COMPARE_AND_SWAP caspal_w "ldp w0, w1, [x19]" caspal w0, w1, w2, w3, [x19]
COMPARE_AND_SWAP casp_fails "nop" caspa x0, x1, x2, x3, [x19]

/* Loads of literals. */
.macro LITERAL name:req insn:vararg
	SNIPPET \name
	b	2f
	.balign	8
1:	.quad	0x8123456789abcdef, 0x123456789abcdef0
2:
7:	\insn
	SNIPPET_END \name INSN_TEST_SIMULATE
.endm

LITERAL ldr_literal	ldr	x0, 1b
LITERAL ldr_literal_w	ldr	w0, 1b + 4
LITERAL ldr_literal_odd	ldr	x30, 1b + 4
LITERAL ldr_literal_xzr	ldr	xzr, 1b
LITERAL ldrsw_literal	ldrsw	x1, 1b
LITERAL ldrsw_literal_xzr ldrsw	xzr, 1b
LITERAL prfm_literal	prfm	pldl1keep, 1b
LITERAL ldr_literal_ahead ldr	w2, . + 4

/* Maintenance of caches and TLBs, and translation of addresses. */
MEMORY dc_cvac		dc	cvac, x19
MEMORY dc_civac		dc	civac, x19
MEMORY ic_ivau		ic	ivau, x19
BOOSTED tlbi		tlbi	vmalle1

SNIPPET at_s1e1r
	adr_l	x19, insn_test_mem
7:	at	s1e1r, x19
	isb
	mrs	x0, par_el1
SNIPPET_END at_s1e1r INSN_TEST_BOOST

/* SIMD and floating point. */
BOOSTED_IF INSN_NEEDS_SIMD fadd		fadd	d0, d1, d2
BOOSTED_IF INSN_NEEDS_SIMD fmadd	fmadd	s0, s1, s2, s3
BOOSTED_IF INSN_NEEDS_SIMD fcmp		fcmp	d0, d1
BOOSTED_IF INSN_NEEDS_SIMD fccmp	fccmp	s0, s1, #0b0110, lt
BOOSTED_IF INSN_NEEDS_SIMD fcsel	fcsel	d0, d1, d2, ne
BOOSTED_IF INSN_NEEDS_SIMD fmov_to	fmov	x0, d1
BOOSTED_IF INSN_NEEDS_SIMD fmov_from	fmov	v1.d[1], x2
BOOSTED_IF INSN_NEEDS_SIMD fmov_imm	fmov	d3, #-1.5
BOOSTED_IF INSN_NEEDS_SIMD scvtf	scvtf	d0, x1
BOOSTED_IF INSN_NEEDS_SIMD fcvtzs	fcvtzs	x0, d1
BOOSTED_IF INSN_NEEDS_SIMD movi		movi	v2.16b, #0x5a
BOOSTED_IF INSN_NEEDS_SIMD add_4s	add	v0.4s, v1.4s, v2.4s
BOOSTED_IF INSN_NEEDS_SIMD sqadd_8h	sqadd	v0.8h, v1.8h, v2.8h
BOOSTED_IF INSN_NEEDS_SIMD cmeq		cmeq	v3.16b, v4.16b, v5.16b
BOOSTED_IF INSN_NEEDS_SIMD addv		addv	b6, v7.16b
BOOSTED_IF INSN_NEEDS_SIMD umov		umov	w0, v1.s[3]
BOOSTED_IF INSN_NEEDS_SIMD ins		ins	v0.b[5], w1
BOOSTED_IF INSN_NEEDS_SIMD tbl		tbl	v0.16b, {v1.16b, v2.16b}, v3.16b
BOOSTED_IF INSN_NEEDS_SIMD ext		ext	v0.16b, v1.16b, v2.16b, #7
BOOSTED_IF INSN_NEEDS_SIMD pmull	pmull	v0.8h, v1.8b, v2.8b
MEMORY_IF INSN_NEEDS_SIMD ldr_b		ldr	b0, [x19, #3]
MEMORY_IF INSN_NEEDS_SIMD ldr_d		ldr	d1, [x19, x20, lsl #3]
MEMORY_IF INSN_NEEDS_SIMD ldr_q		ldr	q2, [x19, #16]
MEMORY_IF INSN_NEEDS_SIMD ldr_q_post	ldr	q3, [x19], #16
MEMORY_IF INSN_NEEDS_SIMD ldur_s	ldur	s4, [x19, #-7]
MEMORY_IF INSN_NEEDS_SIMD str_q_pre	str	q5, [x19, #-16]!
MEMORY_IF INSN_NEEDS_SIMD str_h		str	h6, [x19, #2]
MEMORY_IF INSN_NEEDS_SIMD ldp_q		ldp	q0, q1, [x19]
MEMORY_IF INSN_NEEDS_SIMD stp_q_pre	stp	q2, q3, [x19, #32]!
MEMORY_IF INSN_NEEDS_SIMD stp_d_post	stp	d4, d5, [x19], #-16
MEMORY_IF INSN_NEEDS_SIMD ldnp_s	ldnp	s0, s1, [x19]
MEMORY_IF INSN_NEEDS_SIMD ld1		ld1	{v0.16b, v1.16b}, [x19], #32
MEMORY_IF INSN_NEEDS_SIMD ld1r		ld1r	{v2.4s}, [x19]
MEMORY_IF INSN_NEEDS_SIMD ld1_lane	ld1	{v3.h}[5], [x19], x20
MEMORY_IF INSN_NEEDS_SIMD ld3		ld3	{v0.8h, v1.8h, v2.8h}, [x19]
MEMORY_IF INSN_NEEDS_SIMD st1_lane	st1	{v4.d}[1], [x19], #8
MEMORY_IF INSN_NEEDS_SIMD st4		st4	{v0.4s, v1.4s, v2.4s, v3.4s}, [x19]
BOOSTED_IF INSN_NEEDS_SIMD ldr_q_sp	ldr	q0, [sp], #16

/* Scalable vectors. The first 128 bits are compared. */
.macro VECTOR name:req insn:vararg
	SNIPPET \name
	adr_l	x19, insn_test_mem
	ptrue	p0.d
7:	\insn
	SNIPPET_END \name INSN_TEST_BOOST INSN_NEEDS_SVE
.endm

VECTOR cntd		cntd	x0
VECTOR rdvl		rdvl	x0, #3
VECTOR addvl		addvl	x0, x1, #-2
VECTOR incd		incd	x0, all, mul #2
VECTOR ptest		ptest	p0, p0.b
VECTOR whilelo		whilelo	p1.d, x2, x3
VECTOR add_z		add	z0.d, z1.d, z2.d
VECTOR sel_z		sel	z0.d, p0, z1.d, z2.d
VECTOR uaddv_z		uaddv	d3, p0, z4.d

/* An SME instruction that works without streaming mode. */
BOOSTED_IF INSN_NEEDS_SME rdsvl	.inst	0x04bf5820	/* rdsvl x0, #1 */

/* Faulting accesses to kernel, user and unmapped addresses. Each has a fixup. */
#define BAD_KERNEL	0xfffffffffffff000
#define BAD_USER	0x1000
#define BAD_AT_ALL	0x0123456789abc000

FAULTING fault_load	BAD_KERNEL ldr x0, [x19]
FAULTING fault_load_pre	BAD_KERNEL ldr x0, [x19, #8]!
FAULTING fault_store	BAD_KERNEL str x0, [x19, #8]
FAULTING fault_pair	BAD_KERNEL ldp x0, x1, [x19], #16
FAULTING fault_nowhere	BAD_AT_ALL ldr x0, [x19]
FAULTING fault_user	BAD_USER ldr x0, [x19]
FAULTING fault_user_str	BAD_USER str x0, [x19]
FAULTING fault_ldtr	BAD_USER ldtr x0, [x19]
FAULTING fault_ldtr_bad	BAD_KERNEL ldtr x0, [x19]

/* The fixup replaces missing bytes by zeros. */
SNIPPET fault_zeropad
	adr_l	x19, insn_test_edge
	ldr	x19, [x19]
7:	ldr	x0, [x19]
1:
	__ASM_EXTABLE_RAW(7b, 1b, EX_TYPE_LOAD_UNALIGNED_ZEROPAD,
			  EX_DATA_REG(DATA, x0) | EX_DATA_REG(ADDR, x19))
SNIPPET_END fault_zeropad INSN_TEST_STEP INSN_NEEDS_NOTHING 1

SNIPPET no_fault
	adr_l	x19, insn_test_mem
7:	ldr	x0, [x19], #8
1:
	_ASM_EXTABLE_UACCESS(7b, 1b)
SNIPPET_END no_fault INSN_TEST_STEP

/* A simulated instruction with an entry in the exception table is not stepped. */
SNIPPET no_fault_literal
	nop
7:	ldr	w0, . - 4
1:
	_ASM_EXTABLE_UACCESS(7b, 1b)
SNIPPET_END no_fault_literal INSN_TEST_TRAP

/* state_kunit.c uses these by name. */
.macro STATE name:req kind:req insn:vararg
SYM_FUNC_START_LOCAL(insn_test_state_\name)
	nop
7:	\insn
	b	insn_test_exit
SYM_FUNC_END(insn_test_state_\name)
	TABLE_ENTRY STATES, insn_test_state_\name, "(7b - insn_test_state_\name)", \kind
.endm

STATE simulated INSN_TEST_SIMULATE	nop
/* A copy of csel runs before a post handler, and mov is simulated. */
STATE boosted INSN_TEST_BOOST		csel x0, x0, x0, eq

/* A load of user memory, which faults and is run again. */
SYM_FUNC_START_LOCAL(insn_test_state_user)
	adr_l	x19, insn_test_user
	ldr	x19, [x19]
7:	ldtr	x0, [x19]
	mov	TOOK_BRANCH
1:	b	insn_test_exit
	_ASM_EXTABLE_UACCESS(7b, 1b)
SYM_FUNC_END(insn_test_state_user)
	TABLE_ENTRY STATES, insn_test_state_user, "(7b - insn_test_state_user)", INSN_TEST_STEP

/* Reached by a call, by an indirect branch, and by a return. */
.macro STATE_BTYPE name:req kind:req branch:req insn:vararg
SYM_FUNC_START_LOCAL(insn_test_state_\name)
	adr	x16, 7f
	\branch
7:	\insn
	b	insn_test_exit
SYM_FUNC_END(insn_test_state_\name)
	TABLE_ENTRY STATES, insn_test_state_\name, "(7b - insn_test_state_\name)", \kind
.endm

STATE_BTYPE by_blr INSN_TEST_BOOST	"blr x16" mov x0, x0
STATE_BTYPE by_blr_bti INSN_TEST_SIMULATE "blr x16" bti c
STATE_BTYPE by_br INSN_TEST_BOOST	"br x16" csel x0, x0, x0, eq
STATE_BTYPE by_ret INSN_TEST_BOOST	"ret x16" mov x0, x0

/* Probes are refused in exclusive sequences, and in the middle of an instruction. */
SYM_FUNC_START_LOCAL(insn_test_exclusive)
	adr_l	x2, insn_test_mem
1:	nop
2:	ldxr	x0, [x2]
3:	add	x0, x0, x1
4:	stlxr	w3, x0, [x2]
5:	cbnz	w3, 1b
	ret
SYM_FUNC_END(insn_test_exclusive)
	TABLE_ENTRY REFUSED, insn_test_exclusive, "(1b - insn_test_exclusive)", 0
	TABLE_ENTRY REFUSED, insn_test_exclusive, "(2b - insn_test_exclusive)", -EINVAL
	TABLE_ENTRY REFUSED, insn_test_exclusive, "(3b - insn_test_exclusive)", -EINVAL
	TABLE_ENTRY REFUSED, insn_test_exclusive, "(4b - insn_test_exclusive)", -EINVAL
	TABLE_ENTRY REFUSED, insn_test_exclusive, "(5b - insn_test_exclusive)", 0

SYM_FUNC_START_LOCAL(insn_test_exclusive_pair)
	adr_l	x2, insn_test_mem
1:	ldaxp	x0, x1, [x2]
2:	cbz	x1, 4f
3:	stxp	w3, x1, x0, [x2]
	cbnz	w3, 1b
4:	ret
SYM_FUNC_END(insn_test_exclusive_pair)
	TABLE_ENTRY REFUSED, insn_test_exclusive_pair, "(1b - insn_test_exclusive_pair)", -EINVAL
	TABLE_ENTRY REFUSED, insn_test_exclusive_pair, "(2b - insn_test_exclusive_pair)", -EINVAL
	TABLE_ENTRY REFUSED, insn_test_exclusive_pair, "(3b - insn_test_exclusive_pair)", -EINVAL
	TABLE_ENTRY REFUSED, insn_test_exclusive_pair, "(4b - insn_test_exclusive_pair)", 0

/* Waiting for an event begins with an exclusive load without a store. */
SYM_FUNC_START_LOCAL(insn_test_exclusive_wait)
	adr_l	x2, insn_test_mem
	sevl
1:	wfe
2:	ldaxr	x0, [x2]
3:	cbz	x0, 1b
	ldaxr	x0, [x2]
4:	stlxr	w3, x0, [x2]
5:	ret
SYM_FUNC_END(insn_test_exclusive_wait)
	TABLE_ENTRY REFUSED, insn_test_exclusive_wait, "(1b - insn_test_exclusive_wait)", 0
	TABLE_ENTRY REFUSED, insn_test_exclusive_wait, "(2b - insn_test_exclusive_wait)", -EINVAL
	TABLE_ENTRY REFUSED, insn_test_exclusive_wait, "(3b - insn_test_exclusive_wait)", 0
	TABLE_ENTRY REFUSED, insn_test_exclusive_wait, "(4b - insn_test_exclusive_wait)", -EINVAL
	TABLE_ENTRY REFUSED, insn_test_exclusive_wait, "(5b - insn_test_exclusive_wait)", 0

REFUSE unaligned_1	1	nop
REFUSE unaligned_2	2	add x0, x0, x1
REFUSE unaligned_3	3	nop
REFUSE literal_s	0	ldr s0, .
REFUSE literal_d	0	ldr d0, .
REFUSE literal_q	0	ldr q0, .
REFUSE svc		0	svc #0
REFUSE hvc		0	hvc #0
REFUSE smc		0	smc #0
REFUSE brk		0	brk #0x800
REFUSE hlt		0	hlt #0
REFUSE udf		0	udf #0
REFUSE eret		0	eret
REFUSE msr_daifset	0	msr daifset, #2
REFUSE msr_daif		0	msr daif, x0
REFUSE msr_ttbr0	0	msr ttbr0_el1, x0
REFUSE mrs_elr		0	mrs x0, elr_el1

	TABLE CASES insn_test_cases_end
	TABLE REFUSED insn_test_refused_end
	TABLE STATES insn_test_states_end

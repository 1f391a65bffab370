// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm64: simulation of instructions.
 *
 * These functions run in hits, so they cannot be probed or traced. They set the program counter to
 * the next instruction and clear PSTATE.BTYPE, also for indirect branches, so that the target of
 * these need not be a landing pad.
 */
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include <asm/cpufeature.h>
#include <asm/daifflags.h>
#include <asm/insn.h>
#include <asm/sysreg.h>

#include "decode-insn.h"

#define SIZE_64		BIT(31)		/* the operand has 64 bits */
#define LINK		30		/* the register with the return address */

static nokprobe_inline void go_to(struct pt_regs *regs, unsigned long pc)
{
	regs->pc = pc;
	regs->pstate &= ~PSR_BTYPE_MASK;
}

static nokprobe_inline void go_on(struct pt_regs *regs, long addr)
{
	go_to(regs, addr + AARCH64_INSN_SIZE);
}

/* A signed field of @bits bits from bit @low on, in instructions. */
static nokprobe_inline long offset_of_branch(u32 insn, unsigned int low, unsigned int bits)
{
	return sign_extend64(insn >> low, bits - 1) * AARCH64_INSN_SIZE;
}

static nokprobe_inline void branch_if(bool taken, long offset, long addr, struct pt_regs *regs)
{
	go_to(regs, addr + (taken ? offset : AARCH64_INSN_SIZE));
}

/* ADR and ADRP. */
void simulate_adr(u32 insn, long addr, struct pt_regs *regs)
{
	pt_regs_write_reg(regs, kprobe_insn_rt(insn), kprobe_insn_adr(insn, addr));
	go_on(regs, addr);
}

NOKPROBE_SYMBOL(simulate_adr);

/* B and BL. */
void simulate_b(u32 insn, long addr, struct pt_regs *regs)
{
	if (aarch64_insn_is_bl(insn))
		pt_regs_write_reg(regs, LINK, addr + AARCH64_INSN_SIZE);
	go_to(regs, addr + offset_of_branch(insn, 0, 26));
}

NOKPROBE_SYMBOL(simulate_b);

/* An odd condition is the negation of the even one before it. */
static nokprobe_inline bool condition_holds(unsigned int cond, unsigned long pstate)
{
	bool n = pstate & PSR_N_BIT, z = pstate & PSR_Z_BIT;
	bool c = pstate & PSR_C_BIT, v = pstate & PSR_V_BIT;
	bool holds;

	switch (cond >> 1) {
	case 0:
		holds = z;
		break;
	case 1:
		holds = c;
		break;
	case 2:
		holds = n;
		break;
	case 3:
		holds = v;
		break;
	case 4:
		holds = c && !z;
		break;
	case 5:
		holds = n == v;
		break;
	case 6:
		holds = n == v && !z;
		break;
	default:
		/* Always, in both forms. */
		return true;
	}
	return holds != (cond & 1);
}

/* B.cond and BC.cond. */
void simulate_b_cond(u32 insn, long addr, struct pt_regs *regs)
{
	branch_if(condition_holds(insn & 0xf, regs->pstate), offset_of_branch(insn, 5, 19), addr,
		  regs);
}

NOKPROBE_SYMBOL(simulate_b_cond);

/* CBZ and CBNZ. */
void simulate_cbz(u32 insn, long addr, struct pt_regs *regs)
{
	unsigned long value = pt_regs_read_reg(regs, kprobe_insn_rt(insn));
	bool zero = insn & SIZE_64 ? !value : !(u32)value;

	branch_if(zero != aarch64_insn_is_cbnz(insn), offset_of_branch(insn, 5, 19), addr, regs);
}

NOKPROBE_SYMBOL(simulate_cbz);

/* TBZ and TBNZ. */
void simulate_tbz(u32 insn, long addr, struct pt_regs *regs)
{
	unsigned int bit = (insn & SIZE_64 ? 32 : 0) | (insn >> 19 & 0x1f);
	bool set = pt_regs_read_reg(regs, kprobe_insn_rt(insn)) >> bit & 1;

	branch_if(set == aarch64_insn_is_tbnz(insn), offset_of_branch(insn, 5, 14), addr, regs);
}

NOKPROBE_SYMBOL(simulate_tbz);

#define IS_RET		BIT(22)		/* bit of indirect branches */

static nokprobe_inline void branch_to(unsigned long target, u32 insn, long addr,
				      struct pt_regs *regs)
{
	if (kprobe_insn_is_blr(insn))
		pt_regs_write_reg(regs, LINK, addr + AARCH64_INSN_SIZE);
	go_to(regs, target);
}

/* BR, BLR and RET. */
void simulate_br(u32 insn, long addr, struct pt_regs *regs)
{
	branch_to(pt_regs_read_reg(regs, kprobe_insn_rn(insn)), insn, addr, regs);
}

NOKPROBE_SYMBOL(simulate_br);

#define KEY_B		BIT(10)
#define HAS_MODIFIER	BIT(24)		/* in a register */

/* These hints take fixed registers, and do nothing if pointers are not authenticated. */
static nokprobe_inline unsigned long authenticate(unsigned long pointer, unsigned long modifier,
						  bool key_b)
{
	register unsigned long x16 asm("x16") = modifier;
	register unsigned long x17 asm("x17") = pointer;

	if (key_b)
		asm("hint #14" : "+r" (x17) : "r" (x16));	/* autib1716 */
	else
		asm("hint #12" : "+r" (x17) : "r" (x16));	/* autia1716 */
	return x17;
}

/* BRAA, BLRAA, RETAA and similar ones, with the kernel's keys, which this CPU has loaded. */
void simulate_br_auth(u32 insn, long addr, struct pt_regs *regs)
{
	unsigned long modifier = 0, pointer;
	unsigned int rm = kprobe_insn_rt(insn);

	if (insn & IS_RET)
		modifier = regs->sp;
	else if (insn & HAS_MODIFIER)
		modifier = rm == 31 ? regs->sp : pt_regs_read_reg(regs, rm);
	pointer = pt_regs_read_reg(regs, insn & IS_RET ? LINK : kprobe_insn_rn(insn));
	branch_to(authenticate(pointer, modifier, insn & KEY_B), insn, addr, regs);
}

NOKPROBE_SYMBOL(simulate_br_auth);

/* LDR, LDRSW and PRFM of a literal. PRFM is a hint, so it does nothing here. */
void simulate_ldr_literal(u32 insn, long addr, struct pt_regs *regs)
{
	const void *from = (void *)kprobe_insn_literal(insn, addr);

	switch (kprobe_insn_literal_opc(insn)) {
	case LITERAL_32:
		pt_regs_write_reg(regs, kprobe_insn_rt(insn), READ_ONCE(*(const u32 *)from));
		break;
	case LITERAL_64:
		pt_regs_write_reg(regs, kprobe_insn_rt(insn), READ_ONCE(*(const u64 *)from));
		break;
	case LITERAL_SIGNED_32:
		pt_regs_write_reg(regs, kprobe_insn_rt(insn), READ_ONCE(*(const s32 *)from));
		break;
	case LITERAL_PREFETCH:
		break;
	}
	go_on(regs, addr);
}

NOKPROBE_SYMBOL(simulate_ldr_literal);

/* NOP and BTI. */
void simulate_nop(u32 insn, long addr, struct pt_regs *regs)
{
	go_on(regs, addr);
}

NOKPROBE_SYMBOL(simulate_nop);

/* MRS of DAIF: the masks of the probed code, not those of the trap. */
void simulate_mrs_daif(u32 insn, long addr, struct pt_regs *regs)
{
	pt_regs_write_reg(regs, kprobe_insn_rt(insn), regs->pstate & DAIF_MASK);
	go_on(regs, addr);
}

NOKPROBE_SYMBOL(simulate_mrs_daif);

/* MRS of ICC_PMR_EL1: the mask of the probed code, not that of the trap. */
void simulate_mrs_pmr(u32 insn, long addr, struct pt_regs *regs)
{
	unsigned long pmr;

	if (system_uses_irq_prio_masking())
		pmr = regs->pmr_save;
	else
		pmr = read_sysreg_s(SYS_ICC_PMR_EL1);
	pt_regs_write_reg(regs, kprobe_insn_rt(insn), pmr);
	go_on(regs, addr);
}

NOKPROBE_SYMBOL(simulate_mrs_pmr);

/*
 * Instructions that access registers only. A copy of these can run, too. They are simulated if
 * there is a post handler, which needs a second trap behind a copy. None of them writes the flags
 * or the stack pointer.
 */

#define SUBTRACTS	BIT(30)		/* SUB, not ADD */
#define BY_12_BITS	BIT(22)		/* the immediate value is shifted by 12 bits */
#define INVERTS		BIT(21)		/* BIC, ORN, EON */
#define SP		31

static nokprobe_inline void write_result(struct pt_regs *regs, u32 insn, u64 val)
{
	pt_regs_write_reg(regs, kprobe_insn_rt(insn), insn & SIZE_64 ? val : (u32)val);
}

/* ADD and SUB of an immediate value. */
void simulate_add_imm(u32 insn, long addr, struct pt_regs *regs)
{
	unsigned int rn = kprobe_insn_rn(insn);
	u64 val = rn == SP ? regs->sp : pt_regs_read_reg(regs, rn);
	u64 imm = insn >> 10 & GENMASK(11, 0);

	if (insn & BY_12_BITS)
		imm <<= 12;
	write_result(regs, insn, insn & SUBTRACTS ? val - imm : val + imm);
	go_on(regs, addr);
}

NOKPROBE_SYMBOL(simulate_add_imm);

/* MOVN, MOVZ and MOVK. */
void simulate_mov_wide(u32 insn, long addr, struct pt_regs *regs)
{
	unsigned int shift = 16 * (insn >> 21 & 3);
	u64 mask = GENMASK_ULL(15, 0) << shift;
	u64 val = (u64)(insn >> 5 & GENMASK(15, 0)) << shift;

	if (aarch64_insn_is_movk(insn))
		val |= pt_regs_read_reg(regs, kprobe_insn_rt(insn)) & ~mask;
	else if (aarch64_insn_is_movn(insn))
		val = ~val;
	write_result(regs, insn, val);
	go_on(regs, addr);
}

NOKPROBE_SYMBOL(simulate_mov_wide);

/* The second operand, which is shifted or rotated. */
static nokprobe_inline u64 shifted_operand(u32 insn, const struct pt_regs *regs)
{
	u64 val = pt_regs_read_reg(regs, insn >> 16 & 0x1f);
	unsigned int by = insn >> 10 & 0x3f;
	bool wide = insn & SIZE_64;

	switch (insn >> 22 & 3) {
	case 0:
		return val << by;
	case 1:
		return (wide ? val : (u32)val) >> by;
	case 2:
		return wide ? (s64)val >> by : (s32)val >> by;
	default:
		return wide ? ror64(val, by) : ror32(val, by);
	}
}

/* ADD and SUB of registers. */
void simulate_add_reg(u32 insn, long addr, struct pt_regs *regs)
{
	u64 val = pt_regs_read_reg(regs, kprobe_insn_rn(insn));
	u64 operand = shifted_operand(insn, regs);

	write_result(regs, insn, insn & SUBTRACTS ? val - operand : val + operand);
	go_on(regs, addr);
}

NOKPROBE_SYMBOL(simulate_add_reg);

/* AND, ORR, EOR and those with an inverted operand. */
void simulate_logical_reg(u32 insn, long addr, struct pt_regs *regs)
{
	u64 val = pt_regs_read_reg(regs, kprobe_insn_rn(insn));
	u64 operand = shifted_operand(insn, regs);

	if (insn & INVERTS)
		operand = ~operand;
	switch (insn >> 29 & 3) {
	case 0:
		val &= operand;
		break;
	case 1:
		val |= operand;
		break;
	default:
		val ^= operand;
	}
	write_result(regs, insn, val);
	go_on(regs, addr);
}

NOKPROBE_SYMBOL(simulate_logical_reg);

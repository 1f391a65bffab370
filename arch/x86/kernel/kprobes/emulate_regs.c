// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86-64: emulation of common instructions that access registers only.
 *
 * A copy of these can run, too, and is faster without a post handler. A post handler needs a second
 * trap behind a copy, or a second call of handlers from a detour, and none if the instruction is
 * emulated.
 *
 * No instruction here writes the stack pointer: in a hit by a jump, the saved registers are where
 * a lower stack pointer would lead to.
 */
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include <asm/insn-eval.h>
#include <asm/text-patching.h>

#include "insn.h"
#include "private.h"

/* In place of an offset in struct pt_regs. */
#define NO_REG		U8_MAX

/* The flags that arithmetic and logical instructions write. */
#define RESULT_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF |	\
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

static nokprobe_inline unsigned long reg_value(const struct pt_regs *regs, u8 reg)
{
	return *(const unsigned long *)((const void *)regs + reg);
}

/* Writing the lower half of a register clears the upper half. */
static nokprobe_inline void write_result(const struct arch_specific_insn *ainsn,
					 struct pt_regs *regs, unsigned long val)
{
	*(unsigned long *)((void *)regs + ainsn->reg) = ainsn->width == 4 ? (u32)val : val;
}

static nokprobe_inline unsigned long source(const struct arch_specific_insn *ainsn,
					    const struct pt_regs *regs)
{
	return ainsn->from == NO_REG ? ainsn->disp : reg_value(regs, ainsn->from);
}

static void emulate_mov(const struct arch_specific_insn *ainsn, struct pt_regs *regs)
{
	write_result(ainsn, regs, source(ainsn, regs));
	int3_emulate_jmp(regs, ainsn->next);
}

NOKPROBE_SYMBOL(emulate_mov);

static void emulate_lea(const struct arch_specific_insn *ainsn, struct pt_regs *regs)
{
	unsigned long addr = ainsn->disp;

	if (ainsn->from != NO_REG)
		addr += reg_value(regs, ainsn->from);
	if (ainsn->index != NO_REG)
		addr += reg_value(regs, ainsn->index) << ainsn->scale;
	write_result(ainsn, regs, addr);
	int3_emulate_jmp(regs, ainsn->next);
}

NOKPROBE_SYMBOL(emulate_lea);

static void emulate_lea_rip(const struct arch_specific_insn *ainsn, struct pt_regs *regs)
{
	write_result(ainsn, regs, ainsn->next + ainsn->disp);
	int3_emulate_jmp(regs, ainsn->next);
}

NOKPROBE_SYMBOL(emulate_lea_rip);

static void emulate_pop(const struct arch_specific_insn *ainsn, struct pt_regs *regs)
{
	write_result(ainsn, regs, int3_emulate_pop(regs));
	int3_emulate_jmp(regs, ainsn->next);
}

NOKPROBE_SYMBOL(emulate_pop);

static nokprobe_inline void finish(const struct arch_specific_insn *ainsn, struct pt_regs *regs,
				   unsigned long flags)
{
	regs->flags = (regs->flags & ~RESULT_FLAGS) | (flags & RESULT_FLAGS);
	int3_emulate_jmp(regs, ainsn->next);
}

/* The processor does it, so that results and flags are its own. */
#define RUN(insn, to, from, flags)						\
	asm(insn "\n\tpushfq\n\tpopq %[_flags]"					\
	    : [_to] "+r" (to), [_flags] "=r" (flags) : [_from] "r" (from))

#define EMULATE(name, writes)							\
static void emulate_##name(const struct arch_specific_insn *ainsn,		\
			   struct pt_regs *regs)				\
{										\
	unsigned long to = reg_value(regs, ainsn->reg);				\
	unsigned long from = source(ainsn, regs), flags;			\
										\
	if (ainsn->width == 4)							\
		RUN(#name "l %k[_from], %k[_to]", to, from, flags);		\
	else									\
		RUN(#name "q %[_from], %[_to]", to, from, flags);		\
	if (writes)								\
		write_result(ainsn, regs, to);					\
	finish(ainsn, regs, flags);						\
}										\
										\
NOKPROBE_SYMBOL(emulate_##name)

EMULATE(add, true);
EMULATE(or, true);
EMULATE(and, true);
EMULATE(sub, true);
EMULATE(xor, true);
EMULATE(cmp, false);
EMULATE(test, false);

/* Choice of the emulation */

typedef void (*emulate_fn)(const struct arch_specific_insn *ainsn, struct pt_regs *regs);

/* By the middle bits of an opcode, or of the modrm byte of group 1. */
static const emulate_fn by_operation[8] = {
	[0] = emulate_add, [1] = emulate_or, [4] = emulate_and, [5] = emulate_sub,
	[6] = emulate_xor, [7] = emulate_cmp,
};

/* Offsets of registers in struct pt_regs. All lookups succeed. */

static u8 reg_of(int low, bool high)
{
	return pt_regs_offset(NULL, low + (high ? 8 : 0));
}

static u8 modrm_reg_of(const struct insn *insn)
{
	return reg_of(modrm_reg(insn), X86_REX_R(insn->rex_prefix.bytes[0]));
}

static u8 modrm_rm_of(const struct insn *insn)
{
	return reg_of(X86_MODRM_RM(insn->modrm.bytes[0]), X86_REX_B(insn->rex_prefix.bytes[0]));
}

static u8 opcode_reg_of(const struct insn *insn)
{
	return reg_of(insn->opcode.bytes[0] & 7, X86_REX_B(insn->rex_prefix.bytes[0]));
}

static bool modrm_is_rip_relative(const struct insn *insn)
{
	return !X86_MODRM_MOD(insn->modrm.bytes[0]) && X86_MODRM_RM(insn->modrm.bytes[0]) == 5;
}

/* The operands are a register and the immediate value. */
static emulate_fn by_immediate(struct arch_specific_insn *ainsn, const struct insn *insn, u8 reg,
			       emulate_fn emulate)
{
	ainsn->reg = reg;
	ainsn->from = NO_REG;
	ainsn->disp = insn->immediate.value;
	return emulate;
}

static emulate_fn by_modrm_immediate(struct arch_specific_insn *ainsn, const struct insn *insn,
				     emulate_fn emulate)
{
	return modrm_is_reg(insn) ? by_immediate(ainsn, insn, modrm_rm_of(insn), emulate) : NULL;
}

/* The operands are two registers; bit 1 of the opcode tells which is written. */
static emulate_fn by_registers(struct arch_specific_insn *ainsn, const struct insn *insn,
			       emulate_fn emulate)
{
	bool reverse = insn->opcode.bytes[0] & 2;

	if (!modrm_is_reg(insn))
		return NULL;
	ainsn->reg = reverse ? modrm_reg_of(insn) : modrm_rm_of(insn);
	ainsn->from = reverse ? modrm_rm_of(insn) : modrm_reg_of(insn);
	return emulate;
}

static emulate_fn by_address(struct arch_specific_insn *ainsn, const struct insn *insn)
{
	u8 modrm = insn->modrm.bytes[0], sib = insn->sib.bytes[0], rex = insn->rex_prefix.bytes[0];
	bool no_base = X86_SIB_BASE(sib) == 5 && !X86_MODRM_MOD(modrm);

	if (insn->addr_bytes != sizeof(long) || modrm_is_reg(insn))
		return NULL;
	ainsn->reg = modrm_reg_of(insn);
	ainsn->disp = insn->displacement.value;
	ainsn->index = NO_REG;
	if (modrm_is_rip_relative(insn))
		return emulate_lea_rip;
	if (!insn->sib.nbytes) {
		ainsn->from = modrm_rm_of(insn);
		return emulate_lea;
	}
	ainsn->from = no_base ? NO_REG : reg_of(X86_SIB_BASE(sib), X86_REX_B(rex));
	if (X86_SIB_INDEX(sib) != 4 || X86_REX_X(rex))
		ainsn->index = reg_of(X86_SIB_INDEX(sib), X86_REX_X(rex));
	ainsn->scale = X86_SIB_SCALE(sib);
	return emulate_lea;
}

static emulate_fn choose(struct arch_specific_insn *ainsn, const struct insn *insn)
{
	unsigned int opcode = kprobe_insn_opcode(insn);
	emulate_fn operation = by_operation[(opcode >> 3) & 7];

	switch (opcode) {
	case 0x00 ... 0x3f:
		/* Of each eight, 1 and 3 have two registers, and 5 %rax and an immediate value. */
		if ((opcode & 7) == 5)
			return by_immediate(ainsn, insn, reg_of(0, false), operation);
		return (opcode & 5) == 1 ? by_registers(ainsn, insn, operation) : NULL;
	case 0x58 ... 0x5f:
		ainsn->reg = opcode_reg_of(insn);
		ainsn->width = sizeof(long);
		ainsn->moves_stack = true;
		return emulate_pop;
	case 0x81:
	case 0x83:
		return by_modrm_immediate(ainsn, insn, by_operation[modrm_reg(insn)]);
	case 0x85:
		return by_registers(ainsn, insn, emulate_test);
	case 0x89:
	case 0x8b:
		return by_registers(ainsn, insn, emulate_mov);
	case 0x8d:
		return by_address(ainsn, insn);
	case 0xa9:
		return by_immediate(ainsn, insn, reg_of(0, false), emulate_test);
	case 0xb8 ... 0xbf:
		/* The immediate value of the 64-bit form is one of 64 bits. */
		return ainsn->width == 4 ?
		       by_immediate(ainsn, insn, opcode_reg_of(insn), emulate_mov) : NULL;
	case 0xc7:
		return modrm_reg(insn) ? NULL : by_modrm_immediate(ainsn, insn, emulate_mov);
	case 0xf7:
		return modrm_reg(insn) ? NULL : by_modrm_immediate(ainsn, insn, emulate_test);
	default:
		return NULL;
	}
}

/**
 * kprobe_choose_emulation_on_registers - set up the emulation for hits with post handlers
 * @ainsn: an instruction with a boosted copy
 * @insn: the instruction
 *
 * Does nothing if @insn is none that is emulated here.
 */
void kprobe_choose_emulation_on_registers(struct arch_specific_insn *ainsn,
					  const struct insn *insn)
{
	if (insn->prefixes.nbytes || insn->rex_prefix.nbytes > 1)
		return;
	ainsn->width = X86_REX_W(insn->rex_prefix.bytes[0]) ? 8 : 4;
	ainsn->emulate = choose(ainsn, insn);
	if (ainsn->reg == offsetof(struct pt_regs, sp))
		ainsn->emulate = NULL;
}

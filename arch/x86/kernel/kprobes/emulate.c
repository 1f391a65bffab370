// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: emulation of instructions.
 *
 * It runs in the breakpoint trap, where regs->ip is behind the breakpoint. There is a gap between
 * the frame of the trap and the interrupted stack, large enough for what an instruction may push.
 * Or it runs in a hit by a jump, where there is no gap, and a word that is pushed overwrites
 * regs->ss.
 */
#include <linux/bits.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include <asm/insn-eval.h>
#include <asm/text-patching.h>

#include "insn.h"
#include "private.h"

static nokprobe_inline unsigned long
operand_reg(const struct arch_specific_insn *ainsn, const struct pt_regs *regs)
{
	return *(const unsigned long *)((const void *)regs + ainsn->reg);
}

static void emulate_nop(const struct arch_specific_insn *ainsn,
			struct pt_regs *regs)
{
	int3_emulate_jmp(regs, ainsn->next);
}

NOKPROBE_SYMBOL(emulate_nop);

static void emulate_push_reg(const struct arch_specific_insn *ainsn,
			     struct pt_regs *regs)
{
	/* Read it first: "push %rsp" pushes the old value. */
	unsigned long val = operand_reg(ainsn, regs);

	int3_emulate_push(regs, val);
	int3_emulate_jmp(regs, ainsn->next);
}

NOKPROBE_SYMBOL(emulate_push_reg);

static void emulate_call(const struct arch_specific_insn *ainsn,
			 struct pt_regs *regs)
{
	int3_emulate_push(regs, ainsn->next);
	int3_emulate_jmp(regs, ainsn->next + ainsn->disp);
}

NOKPROBE_SYMBOL(emulate_call);

static void emulate_call_reg(const struct arch_specific_insn *ainsn,
			     struct pt_regs *regs)
{
	unsigned long target = operand_reg(ainsn, regs);

	int3_emulate_push(regs, ainsn->next);
	int3_emulate_jmp(regs, target);
}

NOKPROBE_SYMBOL(emulate_call_reg);

static void emulate_jmp(const struct arch_specific_insn *ainsn,
			struct pt_regs *regs)
{
	int3_emulate_jmp(regs, ainsn->next + ainsn->disp);
}

NOKPROBE_SYMBOL(emulate_jmp);

static void emulate_jmp_reg(const struct arch_specific_insn *ainsn,
			    struct pt_regs *regs)
{
	int3_emulate_jmp(regs, operand_reg(ainsn, regs));
}

NOKPROBE_SYMBOL(emulate_jmp_reg);

static void emulate_ret(const struct arch_specific_insn *ainsn,
			struct pt_regs *regs)
{
	int3_emulate_ret(regs);
	regs->sp += ainsn->disp;
}

NOKPROBE_SYMBOL(emulate_ret);

static void emulate_jcc(const struct arch_specific_insn *ainsn,
			struct pt_regs *regs)
{
	int3_emulate_jcc(regs, ainsn->cond, ainsn->next, ainsn->disp);
}

NOKPROBE_SYMBOL(emulate_jcc);

/* The counter of loop and jcxz: (r|e)cx, by the size of addresses. */
static nokprobe_inline unsigned long
counter_mask(const struct arch_specific_insn *ainsn)
{
	return GENMASK(ainsn->width * BITS_PER_BYTE - 1, 0);
}

static void emulate_loop(const struct arch_specific_insn *ainsn,
			 struct pt_regs *regs)
{
	unsigned long mask = counter_mask(ainsn);
	unsigned long count = (regs->cx - 1) & mask;
	bool zf = regs->flags & X86_EFLAGS_ZF;
	bool taken = count;

	/* Writing %cx keeps what is above it, writing %ecx clears it. */
	if (ainsn->width == 2)
		count |= regs->cx & ~mask;
	regs->cx = count;

	if (ainsn->cond == 0)		/* loopne */
		taken = taken && !zf;
	else if (ainsn->cond == 1)	/* loope */
		taken = taken && zf;

	int3_emulate_jmp(regs, ainsn->next + (taken ? ainsn->disp : 0));
}

NOKPROBE_SYMBOL(emulate_loop);

static void emulate_jcxz(const struct arch_specific_insn *ainsn,
			 struct pt_regs *regs)
{
	bool taken = !(regs->cx & counter_mask(ainsn));

	int3_emulate_jmp(regs, ainsn->next + (taken ? ainsn->disp : 0));
}

NOKPROBE_SYMBOL(emulate_jcxz);

static void emulate_pushf(const struct arch_specific_insn *ainsn,
			  struct pt_regs *regs)
{
	unsigned long flags = regs->flags & ~(X86_EFLAGS_RF | X86_EFLAGS_VM);

	if (ainsn->width == 2) {
		regs->sp -= 2;
		*(u16 *)regs->sp = flags;
	} else {
		int3_emulate_push(regs, flags);
	}
	int3_emulate_jmp(regs, ainsn->next);
}

NOKPROBE_SYMBOL(emulate_pushf);

/* The flags that popf changes in the kernel. The 16-bit form changes the low 16 bits of these. */
#define POPF_MASK	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF |	\
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF |	\
			 X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_OF |	\
			 X86_EFLAGS_IOPL | X86_EFLAGS_NT | X86_EFLAGS_AC |	\
			 X86_EFLAGS_ID)

static void emulate_popf(const struct arch_specific_insn *ainsn,
			 struct pt_regs *regs)
{
	unsigned long mask = POPF_MASK;
	unsigned long flags;

	if (ainsn->width == 2) {
		flags = *(u16 *)regs->sp;
		regs->sp += 2;
		mask &= U16_MAX;
	} else {
		flags = int3_emulate_pop(regs);
	}
	regs->flags = (regs->flags & ~mask) | (flags & mask);
	int3_emulate_jmp(regs, ainsn->next);
}

NOKPROBE_SYMBOL(emulate_popf);

static void emulate_cli(const struct arch_specific_insn *ainsn,
			struct pt_regs *regs)
{
	regs->flags &= ~X86_EFLAGS_IF;
	int3_emulate_jmp(regs, ainsn->next);
}

NOKPROBE_SYMBOL(emulate_cli);

/*
 * The processor takes no interrupt before the next instruction. The emulation does not preserve
 * that. It matters only if the next instruction waits for an interrupt: see sti_then_wait().
 */
static void emulate_sti(const struct arch_specific_insn *ainsn,
			struct pt_regs *regs)
{
	regs->flags |= X86_EFLAGS_IF;
	int3_emulate_jmp(regs, ainsn->next);
}

NOKPROBE_SYMBOL(emulate_sti);

/**
 * kprobe_insn_finish - complete the instruction after its copy has been stepped
 * @ainsn: the instruction
 * @regs: the state after the copy; set to the state after the probed instruction
 *
 * Context: the trap that ends the step.
 */
void kprobe_insn_finish(const struct arch_specific_insn *ainsn,
			struct pt_regs *regs)
{
	unsigned long target = ainsn->next;

	if (ainsn->after != KPROBE_STEP_NEXT)
		target = int3_emulate_pop(regs);

	/* The return address replaces the target that the copy has pushed. */
	if (ainsn->after == KPROBE_STEP_CALL)
		int3_emulate_push(regs, ainsn->next);

	int3_emulate_jmp(regs, target);
}

NOKPROBE_SYMBOL(kprobe_insn_finish);

/*
 * Choice of the emulation.
 */

/* The register in the low bits of an opcode or modrm byte. */
static u8 low_reg(const struct insn *insn, u8 byte)
{
	int regno = byte & 7;

	if (X86_REX_B(insn->rex_prefix.bytes[0]))
		regno += 8;
	/* Does not fail: pt_regs has all these registers. */
	return pt_regs_offset(NULL, regno);
}

static void set_branch(struct arch_specific_insn *ainsn,
		       const struct insn *insn,
		       void (*emulate)(const struct arch_specific_insn *ainsn,
				       struct pt_regs *regs))
{
	ainsn->emulate = emulate;
	ainsn->disp = insn->immediate.value;
	ainsn->width = insn->addr_bytes;
}

/* Opcode 0xff: near indirect calls and jumps. */
static void set_indirect(struct arch_specific_insn *ainsn,
			 const struct insn *insn)
{
	bool call = modrm_reg(insn) == 2;

	if (!call && modrm_reg(insn) != 4)
		return;

	if (modrm_is_reg(insn)) {
		ainsn->emulate = call ? emulate_call_reg : emulate_jmp_reg;
		ainsn->reg = low_reg(insn, insn->modrm.bytes[0]);
	} else {
		ainsn->after = call ? KPROBE_STEP_CALL : KPROBE_STEP_JUMP;
	}
}

static void set_relative_branch(struct arch_specific_insn *ainsn,
				const struct insn *insn)
{
	unsigned int opcode = kprobe_insn_opcode(insn);

	ainsn->cond = opcode & 0xf;

	switch (opcode) {
	case 0xe0 ... 0xe2:
		set_branch(ainsn, insn, emulate_loop);
		break;
	case 0xe3:
		set_branch(ainsn, insn, emulate_jcxz);
		break;
	case 0xe8:
		set_branch(ainsn, insn, emulate_call);
		break;
	case 0xe9:
	case 0xeb:
		set_branch(ainsn, insn, emulate_jmp);
		break;
	default:
		set_branch(ainsn, insn, emulate_jcc);
	}
}

/* Can a copy run as well? Then the emulation only saves a breakpoint. */
bool kprobe_emulation_is_optional(const struct arch_specific_insn *ainsn)
{
	return ainsn->emulate == emulate_nop || ainsn->emulate == emulate_push_reg;
}

/*
 * Set up the emulation of @insn if it is to be emulated: if it depends on its address, or on flags
 * that are changed while a copy is stepped, or if it is common and fast to emulate.
 */
void kprobe_choose_emulation(struct arch_specific_insn *ainsn,
			     const struct insn *insn)
{
	unsigned int opcode = kprobe_insn_opcode(insn);

	if (is_relative_branch(opcode)) {
		set_relative_branch(ainsn, insn);
		return;
	}

	switch (opcode) {
	case 0x50 ... 0x57:
		/* The 16-bit form runs from a slot. */
		if (has_prefix(insn, 0x66))
			break;
		ainsn->emulate = emulate_push_reg;
		ainsn->moves_stack = true;
		ainsn->reg = low_reg(insn, opcode);
		break;
	case 0x90:
		/* With a prefix it is a pause, or an exchange with %r8. */
		if (!has_prefix(insn, 0xf3) && !insn->rex_prefix.nbytes)
			ainsn->emulate = emulate_nop;
		break;
	case TWO_BYTE(0x1f):
		ainsn->emulate = emulate_nop;
		break;
	case 0x9c:
	case 0x9d:
		ainsn->emulate = opcode == 0x9c ? emulate_pushf : emulate_popf;
		ainsn->width = has_prefix(insn, 0x66) ? 2 : sizeof(long);
		break;
	case 0xc2:
	case 0xc3:
		ainsn->emulate = emulate_ret;
		ainsn->disp = opcode == 0xc2 ? (u16)insn->immediate.value : 0;
		break;
	case 0xfa:
		ainsn->emulate = emulate_cli;
		break;
	case 0xfb:
		ainsn->emulate = emulate_sti;
		break;
	case 0xff:
		set_indirect(ainsn, insn);
		break;
	}
}

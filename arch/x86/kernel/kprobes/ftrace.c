// SPDX-License-Identifier: GPL-2.0-only
/* x86: probes at function entries that ftrace patches. */
#include <linux/ftrace.h>
#include <linux/kprobe_hit.h>
#include <linux/kprobes.h>
#include <linux/objtool.h>
#include <linux/ptrace.h>

#include <asm/asm.h>
#include <asm/ibt.h>
#include <asm/linkage.h>

#include "private.h"

/**
 * arch_prepare_kprobe_ftrace - prepare a probe that ftrace plants
 * @p: the probe
 *
 * There is nothing to copy: the instruction is ftrace's call, which has run when the handlers run.
 *
 * Return: 0.
 */
int arch_prepare_kprobe_ftrace(struct kprobe *p)
{
	p->ainsn = (struct arch_specific_insn){
		.next = (unsigned long)p->addr + MCOUNT_INSN_SIZE,
		.size = MCOUNT_INSN_SIZE,
	};
	return 0;
}

/*
 * ftrace_regs_caller() has pushed the flags after the return address of ftrace's call, and with
 * frame pointers five more words, before it allocated the registers.
 */
#define WORDS_ABOVE_REGS	(IS_ENABLED(CONFIG_FRAME_POINTER) ? 7 : 2)

/* The stack pointer at the entry. Handlers may have changed regs->sp. */
static nokprobe_inline unsigned long entry_sp(const struct pt_regs *regs)
{
	return (unsigned long)(regs + 1) + WORDS_ABOVE_REGS * sizeof(long);
}

/* Pops an address from the stack and jumps to it. */
asm(".pushsection .text\n"
	ASM_FUNC_ALIGN "\n"
	".globl kprobe_entry_leave\n"
	".type kprobe_entry_leave, @function\n"
	"kprobe_entry_leave:\n"
	ANNOTATE_NOENDBR
	ASM_RET
	".size kprobe_entry_leave, . - kprobe_entry_leave\n"
	".popsection\n");
NOKPROBE_SYMBOL(kprobe_entry_leave);

/**
 * arch_kprobe_entry_moved - apply a handler's change of the instruction and stack pointers
 * @regs: the registers at a function's entry, as the handler has changed them
 *
 * Ftrace does not restore a changed stack pointer. To skip the function, a handler may drop the
 * return address from the stack, as at a breakpoint. Then this stores the new instruction pointer
 * in place of the return address and lets ftrace continue at kprobe_entry_leave(). No other change
 * of the stack pointer is possible.
 *
 * Context: a hit, preemption off.
 */
void arch_kprobe_entry_moved(struct pt_regs *regs)
{
	unsigned long *sp = (unsigned long *)entry_sp(regs);

	if (likely(regs->sp != (unsigned long)(sp + 1)))
		return;
	*sp = regs->ip;
	regs->sp = (unsigned long)sp;
	instruction_pointer_set(regs, (unsigned long)kprobe_entry_leave);
}

NOKPROBE_SYMBOL(arch_kprobe_entry_moved);

/* Handlers see the same registers as at a breakpoint in place of the call. */
static void ftrace_hit(struct kprobe *p, struct pt_regs *regs, unsigned long at)
{
	struct kprobe_ctlblk *cpu = get_kprobe_ctlblk();
	unsigned long resume = instruction_pointer(regs);

	hit_begin(cpu, p);
	instruction_pointer_set(regs, arch_kprobe_entry_ip(at));
	if (!p->pre_handler(p, regs)) {
		instruction_pointer_set(regs, at + MCOUNT_INSN_SIZE);
		hit_post(cpu, p, regs);
		/* A live patch may have redirected the function before. */
		instruction_pointer_set(regs, resume);
	} else {
		arch_kprobe_entry_moved(regs);
	}
	hit_end(cpu);
}

NOKPROBE_SYMBOL(ftrace_hit);

/* ftrace_hit() inside a hit. */
static void ftrace_hit_inside(struct kprobe *p, struct pt_regs *regs, unsigned long at)
{
	struct kprobe_ctlblk *cpu = get_kprobe_ctlblk();
	unsigned long resume = instruction_pointer(regs);

	enter_nested(cpu, p);
	instruction_pointer_set(regs, arch_kprobe_entry_ip(at));
	if (!run_nested(cpu, p, regs, 0, false))
		instruction_pointer_set(regs, resume);
	else
		arch_kprobe_entry_moved(regs);
	leave_nested(cpu);
}

NOKPROBE_SYMBOL(ftrace_hit_inside);

/**
 * arch_kprobe_entry_hit - handle a hit at the entry of a function
 * @p: the probe, enabled
 * @at: address of ftrace's call
 * @regs: all registers there
 *
 * Context: a hit, preemption off.
 */
void arch_kprobe_entry_hit(struct kprobe *p, unsigned long at, struct pt_regs *regs)
{
	if (kprobe_running())
		ftrace_hit_inside(p, regs, at);
	else
		ftrace_hit(p, regs, at);
}

NOKPROBE_SYMBOL(arch_kprobe_entry_hit);

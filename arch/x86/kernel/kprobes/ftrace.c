// SPDX-License-Identifier: GPL-2.0-only
/* x86: probes at the entry of functions that ftrace calls us for. */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include "private.h"

/**
 * arch_prepare_kprobe_ftrace - prepare a probe that ftrace plants
 * @p: the probe
 *
 * Return: 0, there is nothing to copy: the call or nop has done its work when the
 * handlers run.
 */
int arch_prepare_kprobe_ftrace(struct kprobe *p)
{
	p->ainsn = (struct arch_specific_insn){
		.next = (unsigned long)p->addr + MCOUNT_INSN_SIZE,
		.size = MCOUNT_INSN_SIZE,
	};
	return 0;
}

/* Handlers see what they would see at a breakpoint in place of the call. */
static void ftrace_hit(struct kprobe *p, struct pt_regs *regs, unsigned long at)
{
	struct kprobe_ctlblk *cpu = get_kprobe_ctlblk();
	unsigned long resume = instruction_pointer(regs);

	hit_begin(cpu, p);
	instruction_pointer_set(regs, at + INT3_INSN_SIZE);
	if (!p->pre_handler(p, regs)) {
		instruction_pointer_set(regs, at + MCOUNT_INSN_SIZE);
		hit_post(cpu, p, regs);
		/* Live patching may have been here before, and chosen. */
		instruction_pointer_set(regs, resume);
	}
	hit_end();
}

NOKPROBE_SYMBOL(ftrace_hit);

/**
 * arch_kprobe_entry_hit - a function with a probe at its entry was entered
 * @p: the probe, enabled
 * @at: where ftrace was called from
 * @regs: the registers there, all of them
 *
 * Context: a hit, preemption off.
 */
void arch_kprobe_entry_hit(struct kprobe *p, unsigned long at, struct pt_regs *regs)
{
	if (kprobe_running())
		kprobes_inc_nmissed_count(p);
	else
		ftrace_hit(p, regs, at);
}

NOKPROBE_SYMBOL(arch_kprobe_entry_hit);

static void ftrace_entry(struct pt_regs *regs, unsigned long at)
{
	struct kprobe *p = get_kprobe((void *)at);

	/* Ftrace may call for a function that has just lost its probe. */
	if (p && regs && !kprobe_disabled(p))
		arch_kprobe_entry_hit(p, at, regs);
}

NOKPROBE_SYMBOL(ftrace_entry);

/**
 * kprobe_ftrace_handler - ftrace's callback for probed functions
 * @ip: where in the function ftrace was called from
 * @caller: where the function was called from
 * @op: the ftrace_ops that the core of kprobes has registered
 * @f: the registers at @ip, all of them
 *
 * Context: any that can be traced; preemption is turned off.
 */
void kprobe_ftrace_handler(unsigned long ip, unsigned long caller,
			   struct ftrace_ops *op, struct ftrace_regs *f)
{
	int bit = ftrace_test_recursion_trylock(ip, caller);

	if (bit >= 0) {
		ftrace_entry(ftrace_get_regs(f), ip);
		ftrace_test_recursion_unlock(bit);
	}
}

NOKPROBE_SYMBOL(kprobe_ftrace_handler);

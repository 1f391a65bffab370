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
	instruction_pointer_set(regs, arch_kprobe_entry_ip(at));
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

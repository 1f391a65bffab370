/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_ARM64_KPROBES_H
#define _ASM_ARM64_KPROBES_H
/*
 * arm64 kernel probes: the interface to kernel/kprobes/ and to the trap handlers. The
 * implementation is in arch/arm64/kernel/probes/.
 */
#include <asm-generic/kprobes.h>

struct pt_regs;

/* Also without CONFIG_KPROBES: their callers then leave the calls to the compiler to remove. */
int kprobe_brk_handler(struct pt_regs *regs, unsigned long esr);
int kprobe_ss_brk_handler(struct pt_regs *regs, unsigned long esr);
int kretprobe_brk_handler(struct pt_regs *regs, unsigned long esr);

unsigned long arch_kprobe_function(unsigned long addr);
#define arch_kprobe_function arch_kprobe_function
unsigned long arch_ftrace_function(unsigned long ip);
#define arch_ftrace_function arch_ftrace_function

#ifdef CONFIG_KPROBES
#include <linux/types.h>

#include <asm/probes.h>
#include <asm/ptrace.h>

#define __ARCH_WANT_KPROBES_INSN_SLOT

struct kprobe;

typedef probe_opcode_t kprobe_opcode_t;

/* In kprobe_opcode_t: copies of the instruction, and a detour, see detour.c. */
#define MAX_INSN_SIZE		16

/* In bytes. A jump is one instruction. */
#define MAX_OPTIMIZED_LENGTH	4
#define ARCH_KPROBE_JUMP_IN_PLACE	1

/* In kprobe_opcode_t. Detours are part of the slots of breakpoints. */
#define MAX_OPTINSN_SIZE	MAX_INSN_SIZE

/* Functions that write instructions leave caches coherent. */
#define flush_insn_slot(p)	do { } while (0)

/**
 * struct arch_specific_insn - a probed instruction
 * @api:	its handler simulates the instruction; NULL if it is executed from the slot
 * @before_post: simulates the instruction for hits with post handlers, though it is executed from
 *		the slot for others; NULL if not
 * @insn:	its slot, NULL if it has none
 * @boosted:	the slot has a copy that branches back
 * @detour:	the slot has a detour
 * @post:	offset from @insn to the post slot, in instructions; 0 if there is none. Set once,
 *		under kprobe_mutex, before &kprobe_site.jump_runs_post; read by hits
 *
 * Filled by arch_prepare_kprobe(). All but @post is constant from then on, so hits read it without
 * a lock.
 */
struct arch_specific_insn {
	struct arch_probe_insn api;
	probes_handler_t *before_post;
	kprobe_opcode_t *insn;
	bool boosted;
	bool detour;
	s32 post;
};

/**
 * struct arch_optimized_insn - the detour of a jump
 * @insn: the slot with the detour; NULL if there is none
 */
struct arch_optimized_insn {
	kprobe_opcode_t *insn;
};

/**
 * struct kprobe_saved - registers that are changed while a copy is stepped
 * @daif: the masks of exceptions
 * @pmr: the mask of interrupts, if they are masked by their priority
 */
struct kprobe_saved {
	unsigned long daif;
	unsigned long pmr;
};

#include <linux/kprobe_ctlblk.h>

/* The return address of a call, at a function's entry. */
#define arch_kprobe_return_address arch_kprobe_return_address
static __always_inline unsigned long arch_kprobe_return_address(const struct pt_regs *regs)
{
	return regs->regs[30];
}

/* Handlers see it, but the stack pointer is not restored from @regs. */
static __always_inline void arch_kprobe_stack_pointer_set(struct pt_regs *regs, unsigned long sp)
{
	regs->sp = sp;
}

int kprobe_fault_handler(struct pt_regs *regs, unsigned int esr);
void arch_remove_kprobe(struct kprobe *p);
extern const int kretprobe_blacklist_size;

#endif /* CONFIG_KPROBES */

#endif /* _ASM_ARM64_KPROBES_H */

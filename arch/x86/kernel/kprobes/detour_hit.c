// SPDX-License-Identifier: GPL-2.0-only
/* x86: hits in detours, and unwinding of them. detour.c describes detours. */
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/kprobe_hit.h>
#include <linux/kprobes.h>
#include <linux/objtool.h>
#include <linux/ptrace.h>
#include <linux/stringify.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/frame.h>
#include <asm/irqflags.h>
#include <asm/nospec-branch.h>
#include <asm/text-patching.h>
#include <asm/unwind_hints.h>

#include "detour.h"
#include "private.h"

/*
 * With call depth tracking, the return thunk changes flags, but the probed code must get those on
 * the stack. The call from the slot was not counted either.
 */
#define DETOUR_RET							\
	ALTERNATIVE(ASM_RET, ANNOTATE_RETPOLINE_SAFE "ret; int3\n", X86_FEATURE_CALL_DEPTH)

/*
 * The slot has pushed the upper end of a struct pt_regs. Its return address is in the place of
 * orig_ax. When the lower end is complete, unwinders use the struct; before and after that, this
 * unwinds like a function.
 *
 * Handlers are C code and may be preempted at their end. So the direction flag and the access to
 * user memory of the probed code are cleared for them.
 *
 * If a handler has changed where execution continues, kprobe_detour_leave() returns 0. It has then
 * stored the flags and the new address on the new stack, and a pointer to these in place of the
 * instruction pointer, because the site may be freed after this. Otherwise it returns an address
 * in another slot to return to.
 *
 * Objtool does not take this for a function: it expects a function that clears AC to have set it.
 */
#define DETOUR_ASM(name, run, kprobe)					\
asm(".set	.Lkprobe_of_" #name ", -" __stringify(kprobe) "\n"	\
	".pushsection .text\n"						\
	ASM_FUNC_ALIGN "\n"						\
	".globl " #name "\n"						\
	#name ":\n"							\
	ANNOTATE_NOENDBR						\
	UNWIND_HINT_FUNC						\
	".irp	reg, di, si, dx, cx, ax, 8, 9, 10, 11, bx, bp, 12, 13, 14, 15\n" \
	"pushq	%r\\reg\n"						\
	".endr\n"							\
	"movq	120(%rsp), %rbx\n"					\
	"addq	$8, 152(%rsp)\n"					\
	UNWIND_HINT(UNWIND_HINT_TYPE_REGS, ORC_REG_SP, 0, 1)		\
	ENCODE_FRAME_POINTER						\
	ALTERNATIVE("", "clac", X86_FEATURE_SMAP)			\
	"cld\n"								\
	"movq	%rsp, %rsi\n"						\
	"movq	.Lkprobe_of_" #name "(%rbx), %rdi\n"			\
	"call	" #run "\n"						\
	"testl	%eax, %eax\n"						\
	"jnz	2f\n"							\
	"1:\n"								\
	"movq	%rbx, 120(%rsp)\n"					\
	UNWIND_HINT(UNWIND_HINT_TYPE_CALL, ORC_REG_SP, 128, 0)		\
	".irp	reg, 15, 14, 13, 12, bp, bx, 11, 10, 9, 8, ax, cx, dx, si, di\n" \
	"popq	%r\\reg\n"						\
	".endr\n"							\
	UNWIND_HINT_FUNC						\
	DETOUR_RET							\
	"2:\n"								\
	UNWIND_HINT(UNWIND_HINT_TYPE_REGS, ORC_REG_SP, 0, 1)		\
	"movq	%rsp, %rsi\n"						\
	"movq	.Lkprobe_of_" #name "(%rbx), %rdi\n"			\
	"call	kprobe_detour_leave\n"					\
	"movq	%rax, %rbx\n"						\
	"testq	%rax, %rax\n"						\
	"jnz	1b\n"							\
	UNWIND_HINT(UNWIND_HINT_TYPE_UNDEFINED, 0, 0, 0)		\
	".irp	reg, 15, 14, 13, 12, bp, bx, 11, 10, 9, 8, ax, cx, dx, si, di\n" \
	"popq	%r\\reg\n"						\
	".endr\n"							\
	"leaq	8(%rsp), %rsp\n"					\
	"popq	%rsp\n"							\
	UNWIND_HINT(UNWIND_HINT_TYPE_CALL, ORC_REG_SP, 16, 0)		\
	"popfq\n"							\
	UNWIND_HINT_FUNC						\
	DETOUR_RET							\
	".size " #name ", . - " #name "\n"				\
	".popsection\n")

DETOUR_ASM(kprobe_detour, kprobe_jump_hit, (DETOUR_BACK - DETOUR_KPROBE));
NOKPROBE_SYMBOL(kprobe_detour);

DETOUR_ASM(kprobe_detour_post, kprobe_jump_post, (POST_BACK - POST_KPROBE));
NOKPROBE_SYMBOL(kprobe_detour_post);

/**
 * arch_kprobe_jump_run - emulate the probed instruction, or prepare to run a copy of it
 * @p: a site that is planted as a jump; arch_prepare_post_jump() has returned 0 for it
 * @regs: the state at the hit; set to the state after the instruction, or before the copy
 *
 * The stack of the probed code ends at the end of @regs. An instruction that pushes a word
 * overwrites @regs->ss, which is not restored.
 *
 * Context: a hit. Interrupts are off afterwards if they are off behind the instruction, or if
 * the copy is to be run.
 * Return: true if the instruction was emulated; false if the copy is to be run, which calls
 * kprobe_jump_post().
 */
bool arch_kprobe_jump_run(struct kprobe *p, struct pt_regs *regs)
{
	kprobe_opcode_t *copy;

	if (!p->ainsn.emulate || p->ainsn.moves_stack) {
		copy = kprobe_copy_before_post(container_of(p, struct optimized_kprobe, kp));
		/* With paravirt, EFLAGS may not have the interrupt flag. */
		regs->flags &= ~X86_EFLAGS_IF;
		regs->flags |= arch_local_irq_save() & X86_EFLAGS_IF;
		regs->ip = (unsigned long)copy;
		return false;
	}
	/* kprobe_trap_ip() must not correct the instruction pointer from here on. */
	hit_set_status(get_kprobe_ctlblk(), KPROBE_HIT_SS);
	p->ainsn.emulate(&p->ainsn, regs);
	/* After cli or popf, interrupts must be off in the post handler, as behind it. */
	if (!(regs->flags & X86_EFLAGS_IF))
		arch_local_irq_disable();
	/* From here on kprobe_detour_passed() is false. */
	WRITE_ONCE(regs->orig_ax, -1);
	return true;
}

NOKPROBE_SYMBOL(arch_kprobe_jump_run);

/**
 * arch_kprobe_jump_ran - restore registers that were changed for the copy
 * @saved: the registers that kprobe_detour_leave() has saved
 * @regs: the state after the copy; set to the state after the instruction
 *
 * Context: a hit, preemption and interrupts off.
 */
void arch_kprobe_jump_ran(const struct kprobe_saved *saved, struct pt_regs *regs)
{
	regs->flags |= saved->flags;
}

NOKPROBE_SYMBOL(arch_kprobe_jump_ran);

/**
 * arch_kprobe_jump_irqs_restore - enable interrupts if they were enabled in the probed code
 * @regs: the registers of the probed code
 *
 * Context: a hit, preemption and interrupts off.
 */
void arch_kprobe_jump_irqs_restore(const struct pt_regs *regs)
{
	arch_local_irq_restore(regs->flags);
}

NOKPROBE_SYMBOL(arch_kprobe_jump_irqs_restore);

/* Where hits of the breakpoint continue if @p has KPROBE_FLAG_OPTIMIZED: the detour's copies. */
unsigned long kprobe_detour_copies(const struct kprobe *p)
{
	const struct optimized_kprobe *op = container_of(p, struct optimized_kprobe, kp);

	return (unsigned long)op->optinsn.insn + DETOUR_COPIES;
}

NOKPROBE_SYMBOL(kprobe_detour_copies);

/**
 * kprobe_detour_target - find the copy of a displaced instruction
 * @p: a site with KPROBE_FLAG_OPTIMIZED
 * @ip: where execution is to continue
 *
 * Context: a hit.
 * Return: the copy of the instruction at @ip if it is displaced, else @ip.
 */
unsigned long kprobe_detour_target(const struct kprobe *p, unsigned long ip)
{
	const struct optimized_kprobe *op = container_of(p, struct optimized_kprobe, kp);
	const struct kprobe_copies *copies = &op->optinsn.copies;
	int i;

	/* Not the probed instruction, which is to be hit again, and not the end of the region. */
	for (i = 1; i < copies->nr - 1; i++) {
		if (ip == (unsigned long)p->addr + copies->copy[i].of)
			return (unsigned long)op->optinsn.insn + copies->copy[i].at;
	}
	return ip;
}

NOKPROBE_SYMBOL(kprobe_detour_target);

static noinline void leave_detour(const struct kprobe *p, struct pt_regs *regs)
{
	unsigned long *sp = (unsigned long *)regs->sp;
	unsigned long to = kprobe_detour_target(p, regs->ip);
	unsigned long flags = regs->flags;

	sp[-1] = to;
	sp[-2] = flags;
	regs->ip = (unsigned long)(sp - 2);
}

NOKPROBE_SYMBOL(leave_detour);

/* arch_kprobe_jump_run() has set @regs->ip to the copy. */
static nokprobe_inline unsigned long leave_to_copy(struct kprobe *p, struct pt_regs *regs)
{
	struct kprobe_saved *saved = kprobe_jump_steps(p);

	saved->flags = regs->flags & X86_EFLAGS_IF;
	regs->flags -= saved->flags;
	return regs->ip + POST_ENTRY;
}

/**
 * kprobe_detour_leave - prepare to continue elsewhere than at the detour's copies
 * @p: the site
 * @regs: the registers that a handler has set; not used any more if this returns 0
 *
 * The handler may have dropped words from the stack of the probed code, which is directly above
 * the current one. Or it has pushed one.
 *
 * Context: a hit.
 * Return: an address in a slot to return to with @regs; 0 to continue at @regs->ip.
 */
unsigned long kprobe_detour_leave(struct kprobe *p, struct pt_regs *regs)
{
	const struct optimized_kprobe *op = container_of(p, struct optimized_kprobe, kp);
	unsigned long copy = (unsigned long)kprobe_copy_before_post(op);

	/* The post slot may be used only after arch_kprobe_jump_run(), which sets orig_ax. */
	if (copy && regs->orig_ax == -1 && regs->ip == p->ainsn.next)
		return copy + p->ainsn.size + POST_BACK - POST_FRAME;
	if (copy && regs->ip == copy)
		return leave_to_copy(p, regs);
	leave_detour(p, regs);
	return 0;
}

NOKPROBE_SYMBOL(kprobe_detour_leave);

/* Unwinding */

/* Number of words on the stack from an offset on. */
static const struct {
	u8 offset;
	u8 words;
} detour_stack[] = {
	{ DETOUR_START, 0 },
	{ DETOUR_START + 2, 1 },
	{ DETOUR_START + 3, 2 },
	{ DETOUR_START + 4, 3 },
	{ DETOUR_START + 6, 4 },
	{ DETOUR_CALL, 5 },
	{ DETOUR_BACK + 5, 3 },
	{ DETOUR_BACK + 6, 2 },
	{ DETOUR_COPIES, 0 },
};

/* The site whose address, as at a hit, is stored at @addr; NULL if there is none. */
static const struct optimized_kprobe *site_noted_at(unsigned long addr)
{
	struct kprobe *p;
	s32 ip;

	if (get_kernel_nofault(ip, (s32 *)addr))
		return NULL;
	p = get_kprobe((void *)((long)ip - INT3_INSN_SIZE));
	if (!p || kprobe_ftrace(p))
		return NULL;
	return container_of(p, struct optimized_kprobe, kp);
}

NOKPROBE_SYMBOL(site_noted_at);

/* Unwinders may read the slot before it is published. */
static bool is_post_slot(const struct optimized_kprobe *op, unsigned long slot)
{
	return (unsigned long)kprobe_copy_before_post(op) == slot + POST_COPY(op->kp.ainsn.size);
}

NOKPROBE_SYMBOL(is_post_slot);

/* The site whose detour or post slot starts at @slot. */
static const struct optimized_kprobe *detour_at(unsigned long slot)
{
	const struct optimized_kprobe *op;

	op = site_noted_at(slot + DETOUR_IP);
	if (op && (unsigned long)op->optinsn.insn == slot)
		return op;
	op = site_noted_at(slot + POST_IP);
	return op && is_post_slot(op, slot) ? op : NULL;
}

NOKPROBE_SYMBOL(detour_at);

/* The site whose detour or post slot @addr is in. Sets @slot to its start. */
static const struct optimized_kprobe *find_detour(unsigned long addr, unsigned long *slot)
{
	const struct optimized_kprobe *op;

	*slot = (unsigned long)kprobe_far_slot_find(addr);
	if (*slot)
		return detour_at(*slot);
	*slot = ALIGN_DOWN(addr, KPROBE_OPTINSN_SLOT_SIZE);
	op = detour_at(*slot);
	if (op)
		return op;
	/* @addr may be in the second slot of a detour. */
	static_assert(MAX_DETOUR_SLOTS == 2);
	*slot -= KPROBE_OPTINSN_SLOT_SIZE;
	op = detour_at(*slot);
	if (!op || op->optinsn.nr_slots != MAX_DETOUR_SLOTS || is_post_slot(op, *slot))
		return NULL;
	return op;
}

NOKPROBE_SYMBOL(find_detour);

static unsigned int words_in_frame(unsigned int offset)
{
	unsigned int i = ARRAY_SIZE(detour_stack) - 1;

	while (i && detour_stack[i].offset > offset)
		i--;
	return detour_stack[i].words;
}

NOKPROBE_SYMBOL(words_in_frame);

static const struct kprobe_copy *find_copy(const struct kprobe_copies *copies,
					   unsigned int offset)
{
	unsigned int i = copies->nr - 1;

	while (i && copies->copy[i].at > offset)
		i--;
	return &copies->copy[i];
}

NOKPROBE_SYMBOL(find_copy);

/**
 * kprobe_detour_passed - are these the registers of a hit by a jump?
 * @regs: registers on the stack
 *
 * Context: any in which RCU is watching, preemption off.
 * Return: true if so, and no handler has changed the instruction pointer.
 */
bool kprobe_detour_passed(const struct pt_regs *regs)
{
	unsigned long back = READ_ONCE_NOCHECK(regs->orig_ax), slot;
	const struct optimized_kprobe *op;

	if (!is_kprobe_optinsn_slot(back))
		return false;
	op = find_detour(back, &slot);
	return op && back == slot + DETOUR_BACK &&
	       READ_ONCE_NOCHECK(regs->ip) == (unsigned long)op->kp.addr + INT3_INSN_SIZE;
}

NOKPROBE_SYMBOL(kprobe_detour_passed);

/* kprobe_detour_origin() for an offset in a post slot. */
static unsigned long post_origin(const struct optimized_kprobe *op, unsigned int offset,
				 unsigned long *sp)
{
	unsigned int size = op->kp.ainsn.size, entry = POST_COPY(size) + POST_ENTRY;
	bool before = offset < POST_FRAME;

	/* Both frames are as in a detour. */
	offset = before ? offset - entry + DETOUR_BACK : offset - POST_FRAME + DETOUR_START;
	*sp += words_in_frame(offset) * sizeof(long);
	return (unsigned long)op->kp.addr + (before ? 0 : size);
}

NOKPROBE_SYMBOL(post_origin);

/**
 * kprobe_detour_origin - translate an address in a detour to the probed code
 * @addr: an address in a page of detours
 * @sp: the stack pointer there; set to the one that the probed code would have
 *
 * Context: any in which RCU is watching, preemption off.
 * Return: the address in the probed code; @addr if it is in no detour.
 */
unsigned long kprobe_detour_origin(unsigned long addr, unsigned long *sp)
{
	const struct optimized_kprobe *op;
	const struct kprobe_copy *copy;
	unsigned long slot, offset;

	op = find_detour(addr, &slot);
	if (!op)
		return addr;
	offset = addr - slot;
	if (is_post_slot(op, slot))
		return post_origin(op, offset, sp);
	*sp += words_in_frame(offset) * sizeof(long);
	if (offset < DETOUR_COPIES)
		return (unsigned long)op->kp.addr;
	copy = find_copy(&op->optinsn.copies, offset);
	/* The copy of a call has pushed the return address, and is about to jump. */
	if (copy->call && offset > copy->at)
		*sp += sizeof(long);
	return (unsigned long)op->kp.addr + copy->of;
}

NOKPROBE_SYMBOL(kprobe_detour_origin);

/**
 * kprobe_relay_origin - translate the address of a relay to the probed code
 * @addr: an address in the kernel's text
 *
 * The kernel's text stays mapped, so it is read directly. A task can be at a relay only after the
 * site's jump is written, and &arch_optimized_insn.relay is set before that.
 *
 * Context: any in which RCU is watching, preemption off.
 * Return: the address of the probed instruction; @addr if no relay starts there.
 */
unsigned long kprobe_relay_origin(unsigned long addr)
{
	const struct optimized_kprobe *op;
	unsigned long to, slot;

	if (*(u8 *)addr != JMP32_INSN_OPCODE)
		return addr;
	to = addr + JMP32_INSN_SIZE + get_unaligned((s32 *)(addr + 1));
	if (!is_kprobe_optinsn_slot(to))
		return addr;
	op = find_detour(to, &slot);
	return op && (unsigned long)op->optinsn.relay == addr ? (unsigned long)op->kp.addr : addr;
}

NOKPROBE_SYMBOL(kprobe_relay_origin);

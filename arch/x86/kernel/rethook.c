// SPDX-License-Identifier: GPL-2.0
/*
 * Return hooks on x86: the trampoline.
 *
 * At the entry of a function the stack pointer is at the return address.
 * arch_rethook_prepare() stores the trampoline's address there, and the function's
 * RET leads to the trampoline with the stack pointer just above that slot.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/objtool.h>
#include <linux/ptrace.h>
#include <linux/rethook.h>
#include <linux/stringify.h>

#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/frame.h>
#include <asm/linkage.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/switch_to.h>
#include <asm/unwind_hints.h>

/*
 * The trampoline reserves the slot again and fills a struct pt_regs right below it, from its end to
 * its start. All registers are saved and restored, because functions in assembly have their own
 * calling conventions, and because changes that handlers make in @regs take effect.
 *
 * @regs->sp is the stack pointer of the caller after the return, which is two words above the value
 * that PUSH stores. rethook_trampoline_handler() sets @regs->ip.
 */
#ifdef CONFIG_X86_64

#define REGS_SIZE	168
#define ABOVE_REGS	__stringify(REGS_SIZE) "(%rsp)"

#define PUSH_ALL						\
	"pushq	$" __stringify(__KERNEL_DS) "\n"		\
	"pushq	%rsp\n"						\
	"pushfq\n"						\
	"addq	$16, 8(%rsp)\n"					\
	"pushq	$" __stringify(__KERNEL_CS) "\n"		\
	"pushq	$0\n"						\
	"pushq	$-1\n"						\
	".irp	reg, di, si, dx, cx, ax, 8, 9, 10, 11, bx, bp, 12, 13, 14, 15\n" \
	"pushq	%r\\reg\n"					\
	".endr\n"

#define HANDLE							\
	"movq	%rsp, %rdi\n"					\
	"leaq	" ABOVE_REGS ", %rsi\n"				\
	"call	rethook_trampoline_handler\n"

#define POP_ALL							\
	".irp	reg, 15, 14, 13, 12, bp, bx, 11, 10, 9, 8, ax, cx, dx, si, di\n" \
	"popq	%r\\reg\n"					\
	".endr\n"						\
	"leaq	24(%rsp), %rsp\n"				\
	"popfq\n"						\
	"leaq	16(%rsp), %rsp\n"

#define DROP_WORD	"leaq	8(%rsp), %rsp\n"

#else /* CONFIG_X86_32 */

#define REGS_SIZE	68
#define ABOVE_REGS	__stringify(REGS_SIZE) "(%esp)"

#define PUSH_ALL						\
	"pushl	%ss\n"						\
	"pushl	%esp\n"						\
	"pushfl\n"						\
	"addl	$8, 4(%esp)\n"					\
	"pushl	%cs\n"						\
	".irp	value, $0, $-1, $0, %fs, %es, %ds\n"		\
	"pushl	\\value\n"					\
	".endr\n"						\
	".irp	reg, ax, bp, di, si, dx, cx, bx\n"		\
	"pushl	%e\\reg\n"					\
	".endr\n"

#define HANDLE							\
	"movl	%esp, %eax\n"					\
	"leal	" ABOVE_REGS ", %edx\n"				\
	"call	rethook_trampoline_handler\n"

#define POP_ALL							\
	".irp	reg, bx, cx, dx, si, di, bp, ax\n"		\
	"popl	%e\\reg\n"					\
	".endr\n"						\
	"leal	28(%esp), %esp\n"				\
	"popfl\n"						\
	"leal	8(%esp), %esp\n"

#define DROP_WORD	"leal	4(%esp), %esp\n"

#endif

/*
 * The RET of the hooked function has used the return predictor's entry for its call. One more RET
 * would use the entry of the caller, and all returns further up the stack would be mispredicted. So
 * a CALL to the next instruction comes before the RET. If call depth tracking is in use, a plain
 * RET follows, because the hooked function's RET was counted already.
 */
#define RETURN_TO_CALLER					\
	"999:\n"						\
	".pushsection .discard.intra_function_calls\n"		\
	".long	999b\n"						\
	".popsection\n"						\
	"call	1f\n"						\
	"int3\n"						\
	"1:\n"							\
	DROP_WORD						\
	ALTERNATIVE(ASM_RET, ANNOTATE_RETPOLINE_SAFE "ret; int3\n", X86_FEATURE_CALL_DEPTH)

/*
 * Only a RET leads here, so no ENDBR is needed. Unwinders see a normal function that the caller of
 * the hooked function called. Its return address is in the slot above the saved registers: the
 * trampoline's own address, for which unwinders look up the real return address, until
 * arch_rethook_fixup_return() has stored the real one.
 *
 * The hooked function may have been called with access to user memory, which CLAC takes from the
 * handlers. The trampoline has no function type for objtool, because objtool warns if a function
 * disables such access without having enabled it.
 */
asm(".pushsection .text\n"
	ASM_FUNC_ALIGN "\n"
	".globl arch_rethook_trampoline\n"
	"arch_rethook_trampoline:\n"
	ANNOTATE_NOENDBR
	__ASM_SIZE(push) "	$arch_rethook_trampoline\n"
	UNWIND_HINT_FUNC
	PUSH_ALL
	ENCODE_FRAME_POINTER
	ALTERNATIVE("", "clac", X86_FEATURE_SMAP)
	HANDLE
	POP_ALL
	RETURN_TO_CALLER
	".size arch_rethook_trampoline, . - arch_rethook_trampoline\n"
	".popsection\n");
NOKPROBE_SYMBOL(arch_rethook_trampoline);

static_assert(sizeof(struct pt_regs) == REGS_SIZE);

/**
 * arch_rethook_switch_ip() - find the function that is called on the next task's stack
 *
 * Return: address of ftrace's call in __switch_to().
 */
unsigned long arch_rethook_switch_ip(void)
{
	return ftrace_location((unsigned long)__switch_to);
}

/**
 * arch_rethook_switch_to() - find the task that __switch_to() makes current
 * @entry: registers at the entry of __switch_to(); the task is its second argument
 *
 * Return: the task.
 */
struct task_struct *arch_rethook_switch_to(struct pt_regs *entry)
{
	return (struct task_struct *)regs_get_kernel_argument(entry, 1);
}

NOKPROBE_SYMBOL(arch_rethook_switch_to);

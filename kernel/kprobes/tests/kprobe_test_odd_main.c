// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module of functions with unusual control flow, for
 * tools/testing/selftests/kprobes/odd_functions.sh. x86-64 only.
 *
 * See kprobe_test_calls.h for its parameters.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/objtool.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/linkage.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

#include "kprobe_test_calls.h"
#include "kprobe_test_odd.h"

/*
 * A switch without breaks, by an indirect jump to a computed address. Modules that are
 * compiled with other options than the kernel may have such jumps.
 */
asm(".pushsection .text\n"
	ASM_FUNC_ALIGN "\n"
	".type kprobe_odd_switch, @function\n"
	"kprobe_odd_switch:\n"
	"	leaq	1f(%rip), %rdx\n"
	"	xorl	%eax, %eax\n"
	"	leaq	(%rdx, %rdi, 4), %rdx\n"
	ANNOTATE_RETPOLINE_SAFE
	"	jmp	*%rdx\n"
	"1:\n"
	UNWIND_HINT_FUNC
	".irp	value, 1, 2, 4, 8\n"
	"	addl	$\\value, %eax\n"
	"	nop\n"
	".endr\n"
	ASM_RET
	".size kprobe_odd_switch, . - kprobe_odd_switch\n"
	".popsection\n");

#define NR_CASES	4

/* Each case from @x on sets a bit. */
static bool switch_is_right(unsigned long x)
{
	/* With IBT, an indirect jump must lead to an ENDBR, and this one does not. */
	if (cpu_feature_enabled(X86_FEATURE_IBT))
		return true;
	return kprobe_odd_switch(x) == GENMASK(NR_CASES - 1, x);
}

static void call_all(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		wrong += kprobe_odd_first_dup(i) != i + 1;
		wrong += kprobe_odd_first_dup(-2 - (long)i) != 0;
		wrong += kprobe_odd_second_dup(i) != i + 1;
		wrong += kprobe_odd_second_dup(-2 - (long)i) != 0;
		wrong += !switch_is_right(i % NR_CASES);
	}
}

static int __init odd_init(void)
{
	call_all(NR_CASES);
	return wrong ? -EINVAL : 0;
}

static void __exit odd_exit(void)
{
}

module_init(odd_init);
module_exit(odd_exit);
MODULE_DESCRIPTION("Functions with unusual control flow for the kprobes selftests");
MODULE_LICENSE("GPL");

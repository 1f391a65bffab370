// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module of functions in which it is not easy to tell where execution may get to, for
 * tools/testing/selftests/kprobes/odd_functions.sh. x86-64 only.
 *
 * It calls its functions as often as is written to its parameter "call". "wrong" is how many
 * of these calls went wrong since.
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

#include "kprobe_test_odd.h"

static unsigned int wrong;
module_param(wrong, uint, 0444);
MODULE_PARM_DESC(wrong, "calls that did not return what they should");

/*
 * A switch whose cases run into each other, by a jump to an address that is worked out. Modules
 * that are compiled otherwise than the kernel have such.
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

/* All cases from @x on, so all bits. */
static bool switch_is_right(unsigned long x)
{
	/* Where indirect jumps have to be to an ENDBR the processor refuses this one. */
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

static int call_set(const char *val, const struct kernel_param *kp)
{
	unsigned int n;
	int ret;

	ret = kstrtouint(val, 0, &n);
	if (!ret)
		call_all(n);
	return ret;
}

static const struct kernel_param_ops call_ops = {
	.set = call_set,
};
module_param_cb(call, &call_ops, NULL, 0200);
MODULE_PARM_DESC(call, "write N to call each function N times");

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
MODULE_DESCRIPTION("Functions for the kprobes selftests in which it is not easy to find one's way");
MODULE_LICENSE("GPL");

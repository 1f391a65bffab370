// SPDX-License-Identifier: GPL-2.0-only
/* A function with a part that is out of the way. kprobe_test_odd_second.c has one of that name. */
#include <linux/compiler.h>
#include <linux/objtool.h>
#include <asm/linkage.h>
#include <asm/asm.h>
#include <asm/nospec-branch.h>

#include "kprobe_test_odd.h"

asm(".pushsection .text\n"
	ASM_FUNC_ALIGN "\n"
	".type kprobe_odd_dup, @function\n"
	"kprobe_odd_dup:\n"
	"	testq	%rdi, %rdi\n"
	"	js	kprobe_odd_dup.cold\n"
	"	leaq	1(%rdi), %rax\n"
	ASM_RET
	".size kprobe_odd_dup, . - kprobe_odd_dup\n"
	".popsection\n"
	".pushsection .text.unlikely, \"ax\"\n"
	".type kprobe_odd_dup.cold, @function\n"
	"kprobe_odd_dup.cold:\n"
	"	xorl	%eax, %eax\n"
	ASM_RET
	".size kprobe_odd_dup.cold, . - kprobe_odd_dup.cold\n"
	".popsection\n");

/* x + 1, or 0 for a negative number. */
unsigned long kprobe_odd_first_dup(unsigned long x)
{
	return kprobe_odd_dup(x);
}

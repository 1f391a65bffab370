// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function of the same name as one in kprobe_test_odd_first.c. Its part that is out of the way
 * jumps back to the end of an instruction that is too short for a jump. So no jump may be written
 * there.
 */
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
	"	movq	%rdi, %rax\n"
	"1:	incq	%rax\n"
	"	nop\n"
	"	nop\n"
	ASM_RET
	".size kprobe_odd_dup, . - kprobe_odd_dup\n"
	".popsection\n"
	".pushsection .text.unlikely, \"ax\"\n"
	".type kprobe_odd_dup.cold, @function\n"
	"kprobe_odd_dup.cold:\n"
	"	movl	$-1, %eax\n"
	"	cltq\n"
	"	jmp	1b\n"
	".size kprobe_odd_dup.cold, . - kprobe_odd_dup.cold\n"
	".popsection\n");

/* x + 1, or 0 for a negative number. */
unsigned long kprobe_odd_second_dup(unsigned long x)
{
	return kprobe_odd_dup(x);
}

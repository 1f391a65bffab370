// SPDX-License-Identifier: GPL-2.0-only
/* arm64: the function whose entry was hit, of which users know the symbol's address. */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <asm/insn.h>

/**
 * arch_kprobe_function - the function that a kprobe is at the entry of
 * @addr: where the kprobe is: behind a landing pad, if the function begins with one
 *
 * Context: any.
 * Return: the function's address.
 */
unsigned long arch_kprobe_function(unsigned long addr)
{
	__le32 *before = (__le32 *)(addr - AARCH64_INSN_SIZE);
	__le32 insn;

	/* In front of a page of a module there may be nothing. */
	if (offset_in_page(addr))
		insn = *before;
	else if (get_kernel_nofault(insn, before))
		return addr;
	return aarch64_insn_is_bti(le32_to_cpu(insn)) ? (unsigned long)before : addr;
}

NOKPROBE_SYMBOL(arch_kprobe_function);

/**
 * arch_ftrace_function - the function that ftrace calls from the entry of
 * @ip: of the second one of two instructions that are ftrace's
 *
 * Context: any.
 * Return: the function's address.
 */
unsigned long arch_ftrace_function(unsigned long ip)
{
	return arch_kprobe_function(ip - AARCH64_INSN_SIZE);
}

NOKPROBE_SYMBOL(arch_ftrace_function);

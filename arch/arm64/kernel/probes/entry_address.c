// SPDX-License-Identifier: GPL-2.0-only
/* arm64: find the symbol's address from the address of a function's entry. */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <asm/insn.h>

/**
 * arch_kprobe_function - find the function whose entry a kprobe is at
 * @addr: address of the kprobe: behind the landing pad, if the function begins with one
 *
 * Context: any.
 * Return: the function's address.
 */
unsigned long arch_kprobe_function(unsigned long addr)
{
	__le32 *before = (__le32 *)(addr - AARCH64_INSN_SIZE);
	__le32 insn;

	/* The page before a module's text may not be mapped. */
	if (offset_in_page(addr))
		insn = *before;
	else if (get_kernel_nofault(insn, before))
		return addr;
	return aarch64_insn_is_bti(le32_to_cpu(insn)) ? (unsigned long)before : addr;
}

NOKPROBE_SYMBOL(arch_kprobe_function);

/**
 * arch_ftrace_function - find the function from whose entry ftrace calls
 * @ip: address of the second of ftrace's two instructions
 *
 * Context: any.
 * Return: the function's address.
 */
unsigned long arch_ftrace_function(unsigned long ip)
{
	return arch_kprobe_function(ip - AARCH64_INSN_SIZE);
}

NOKPROBE_SYMBOL(arch_ftrace_function);

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Macros that keep probes out of code. Not in linux/kprobes.h, so that low-level
 * headers can use them.
 */
#ifndef _ASM_GENERIC_KPROBES_H
#define _ASM_GENERIC_KPROBES_H

#ifndef __ASSEMBLY__
#ifdef CONFIG_KPROBES
/* An inline function must not leave an out-of-line copy that can be probed. */
#define nokprobe_inline		__always_inline

/* Put a function in a section that cannot be probed. */
#define __kprobes		__section(".kprobes.text")

/*
 * Keep probes out of a function. The linker collects the addresses in one section.
 * kernel/kprobes/blacklist.c reads it in boot and when a module is loaded. It ends in
 * a semicolon, because many users have none.
 */
#define NOKPROBE_SYMBOL(fname)						\
	static const unsigned long __PASTE(_kbl_addr_, fname)		\
	__used __section("_kprobe_blacklist") = (unsigned long)(fname);
#else
#define nokprobe_inline		inline
#define __kprobes
#define NOKPROBE_SYMBOL(fname)
#endif
#endif /* __ASSEMBLY__ */

#endif /* _ASM_GENERIC_KPROBES_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* What is made by name in kprobe_test_long: by assembler, and for a live patch. x86-64 only. */
#ifndef _KERNEL_KPROBES_TEST_LONG_H
#define _KERNEL_KPROBES_TEST_LONG_H

/* Where the instruction is that takes long. */
extern const unsigned long kprobe_long_insn_addr;

unsigned long kprobe_long(unsigned long x);

#endif /* _KERNEL_KPROBES_TEST_LONG_H */

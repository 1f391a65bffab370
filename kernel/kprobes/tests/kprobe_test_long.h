/* SPDX-License-Identifier: GPL-2.0-only */
/* Symbols of kprobe_test_long that assembler and a live patch need by name. x86-64 only. */
#ifndef _KERNEL_KPROBES_TEST_LONG_H
#define _KERNEL_KPROBES_TEST_LONG_H

/* The address of the instruction that takes long. */
extern const unsigned long kprobe_long_insn_addr;

unsigned long kprobe_long(unsigned long x);

#endif /* _KERNEL_KPROBES_TEST_LONG_H */

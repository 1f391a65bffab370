/* SPDX-License-Identifier: GPL-2.0-only */
/* Declarations for the files of kprobe_test_odd. x86-64 only. */
#ifndef _KERNEL_KPROBES_TEST_ODD_H
#define _KERNEL_KPROBES_TEST_ODD_H

unsigned long kprobe_odd_first_dup(unsigned long x);
unsigned long kprobe_odd_second_dup(unsigned long x);

/* In assembler. Two files have a static function of the first name. */
unsigned long kprobe_odd_dup(unsigned long x);
unsigned long kprobe_odd_switch(unsigned long x);

#endif /* _KERNEL_KPROBES_TEST_ODD_H */

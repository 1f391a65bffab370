/* SPDX-License-Identifier: GPL-2.0-only */
/* Delays, for their test. */
#ifndef _KERNEL_KPROBES_TEST_DELAYS_H
#define _KERNEL_KPROBES_TEST_DELAYS_H

#include <linux/kprobe_delay.h>

unsigned int test_delays_seed(unsigned int to);
void test_delays_reset(void);
unsigned int test_delays_at(enum kprobe_delay point, unsigned int *delayed);

#endif /* _KERNEL_KPROBES_TEST_DELAYS_H */

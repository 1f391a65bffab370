/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parameters of modules whose functions the selftests probe. Writing N to "call" calls each
 * function N times. "wrong" is the number of calls that returned a wrong result.
 */
#ifndef _KPROBE_TEST_CALLS_H
#define _KPROBE_TEST_CALLS_H

#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static unsigned int wrong;
module_param(wrong, uint, 0444);
MODULE_PARM_DESC(wrong, "calls that did not return what they should");

/* Defined by each of these modules. Counts in @wrong. */
static void call_all(unsigned int n);

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

#endif /* _KPROBE_TEST_CALLS_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with functions whose arguments tests fetch, and whose results they override, for
 * tools/testing/selftests/kprobes/.
 *
 * Writing a number to the parameter "value" calls kprobe_args_value(), which returns the number. It
 * is also passed the address of the number, and the text that was written to the parameter "text".
 *
 * Writing N to the parameter "call" calls kprobe_args_may_fail() N times. It returns 0. "failed" is
 * the number of these calls that returned something else, "last" is the last result, and "ran" is
 * how often the body of the function ran.
 */
#include <linux/compiler.h>
#include <linux/error-injection.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#define TEXT_SIZE	256

/* All guarded by the lock of this module's parameters. */
static char text[TEXT_SIZE] = "text";
static u64 kprobe_args_number;
static unsigned int failed;
static unsigned int ran;
static int last;

static noinline __noclone u64 kprobe_args_value(u64 value, const u64 *number, const char *str)
{
	OPTIMIZER_HIDE_VAR(value);
	OPTIMIZER_HIDE_VAR(number);
	OPTIMIZER_HIDE_VAR(str);
	return value;
}

static noinline __noclone int kprobe_args_may_fail(int x)
{
	OPTIMIZER_HIDE_VAR(x);
	ran++;
	return x - x;
}

ALLOW_ERROR_INJECTION(kprobe_args_may_fail, ERRNO);

static int value_set(const char *val, const struct kernel_param *kp)
{
	int ret = kstrtou64(val, 0, &kprobe_args_number);

	if (!ret && kprobe_args_value(kprobe_args_number, &kprobe_args_number, text) !=
		    kprobe_args_number)
		ret = -EIO;
	return ret;
}

static const struct kernel_param_ops value_ops = {
	.set = value_set,
};
module_param_cb(value, &value_ops, NULL, 0200);
MODULE_PARM_DESC(value, "write a number to call kprobe_args_value() with it");

module_param_string(text, text, TEXT_SIZE, 0644);
MODULE_PARM_DESC(text, "text that is passed to kprobe_args_value()");

static int call_set(const char *val, const struct kernel_param *kp)
{
	unsigned int n, i;
	int ret;

	ret = kstrtouint(val, 0, &n);
	for (i = 0; !ret && i < n; i++) {
		last = kprobe_args_may_fail(i);
		failed += !!last;
	}
	return ret;
}

static const struct kernel_param_ops call_ops = {
	.set = call_set,
};
module_param_cb(call, &call_ops, NULL, 0200);
MODULE_PARM_DESC(call, "write N to call kprobe_args_may_fail() N times");

module_param(failed, uint, 0644);
MODULE_PARM_DESC(failed, "calls that did not return 0");
module_param(ran, uint, 0644);
MODULE_PARM_DESC(ran, "calls that ran the body of the function");
module_param(last, int, 0444);
MODULE_PARM_DESC(last, "what the last call returned");

MODULE_DESCRIPTION("Functions with arguments and results for the kprobes selftests");
MODULE_LICENSE("GPL");

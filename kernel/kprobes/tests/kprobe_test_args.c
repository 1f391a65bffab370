// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with functions whose arguments are to be fetched, and whose results are to be
 * replaced, for tools/testing/selftests/kprobes/.
 *
 * kprobe_args_value() returns the number that is written to the parameter "value". It is
 * also given the address of that number, and a text: what was written to the parameter
 * "text", as it was written.
 *
 * kprobe_args_may_fail() is called as often as is written to the parameter "call". It
 * returns 0; "failed" is how often it did not since, "last" is what it returned last, and
 * "ran" is how often its body ran.
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
MODULE_PARM_DESC(text, "that kprobe_args_value() is called with");

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
MODULE_PARM_DESC(ran, "calls that came to the body of the function");
module_param(last, int, 0444);
MODULE_PARM_DESC(last, "what the last call returned");

MODULE_DESCRIPTION("Functions with arguments and results for the kprobes selftests");
MODULE_LICENSE("GPL");

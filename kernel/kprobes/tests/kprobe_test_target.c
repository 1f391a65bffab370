// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module to be probed, for tools/testing/selftests/kprobes/.
 *
 * Each function returns its argument plus one. Each has different code, so that the compiler does
 * not merge them.
 *
 * See kprobe_test_calls.h for the parameters "call" and "wrong". Loading the module calls each
 * function once. Each call passes the tracepoint once. "text" shows the first bytes of two
 * functions.
 *
 * "stay" delays unloading: while it is 1, before notifiers of modules are called; while it is 2,
 * after ftrace has dropped the module.
 */
#include <linux/async.h>
#include <linux/compiler.h>
#include <linux/init.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>
#include <linux/tracepoint.h>
#include <linux/wait.h>

#include "kprobe_test_calls.h"

DECLARE_TRACE(kprobe_target_call,
	      TP_PROTO(unsigned long x, const char *who),
	      TP_ARGS(x, who));
DEFINE_TRACE(kprobe_target_call, TP_PROTO(unsigned long x, const char *who),
	     TP_ARGS(x, who));

static noinline __noclone unsigned long kprobe_target_traced(unsigned long x)
{
	x += 3;
	OPTIMIZER_HIDE_VAR(x);
	return x - 2;
}

static noinline __noclone unsigned long kprobe_target_other(unsigned long x)
{
	x += 11;
	OPTIMIZER_HIDE_VAR(x);
	return x - 10;
}

/* Not for events, which are refused here. */
static noinline __noclone notrace unsigned long kprobe_target_plain(unsigned long x)
{
	x += 5;
	OPTIMIZER_HIDE_VAR(x);
	return x - 4;
}

static noinline __noclone unsigned long kprobe_target_black(unsigned long x)
{
	x += 7;
	OPTIMIZER_HIDE_VAR(x);
	return x - 6;
}

NOKPROBE_SYMBOL(kprobe_target_black);

static noinline __noclone unsigned long __init kprobe_target_init(unsigned long x)
{
	x += 9;
	OPTIMIZER_HIDE_VAR(x);
	return x - 8;
}

static void call_all(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		trace_kprobe_target_call(i, module_name(THIS_MODULE));
		wrong += kprobe_target_traced(i) != i + 1;
		wrong += kprobe_target_other(i) != i + 1;
		wrong += kprobe_target_plain(i) != i + 1;
		wrong += kprobe_target_black(i) != i + 1;
	}
}

#define SHOWN	32

static int text_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%*ph\n%*ph\n", SHOWN, kprobe_target_other,
			  SHOWN, kprobe_target_traced);
}

static const struct kernel_param_ops text_ops = {
	.get = text_get,
};
module_param_cb(text, &text_ops, NULL, 0444);
MODULE_PARM_DESC(text, "the first bytes of kprobe_target_other() and of kprobe_target_traced()");

static unsigned int stay;
static DECLARE_WAIT_QUEUE_HEAD(stay_changed);

static int stay_set(const char *val, const struct kernel_param *kp)
{
	int ret = param_set_uint(val, kp);

	wake_up_all(&stay_changed);
	return ret;
}

static const struct kernel_param_ops stay_ops = {
	.set = stay_set,
	.get = param_get_uint,
};
module_param_cb(stay, &stay_ops, &stay, 0644);
MODULE_PARM_DESC(stay, "1 or 2: unloading waits until another value is written");

/* The memory of the module is freed after this has ended. */
static void stay_a_while(void *data, async_cookie_t cookie)
{
	wait_event(stay_changed, READ_ONCE(stay) != 2);
}

static int __init target_init(void)
{
	wrong += kprobe_target_init(1) != 2;
	call_all(1);
	return 0;
}

static void __exit target_exit(void)
{
	wait_event(stay_changed, READ_ONCE(stay) != 1);
	if (READ_ONCE(stay) == 2)
		async_schedule(stay_a_while, NULL);
}

module_init(target_init);
module_exit(target_exit);
MODULE_DESCRIPTION("Functions for the kprobes selftests to probe");
MODULE_LICENSE("GPL");

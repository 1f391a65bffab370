// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions for the tests to probe. Their results are hidden from the compiler, so that
 * it does not inline or remove calls. Each computes its result in another way, because the
 * compiler would merge equal functions.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/extable.h>
#include <linux/kallsyms.h>
#include <linux/uaccess.h>

#include "tests.h"

noinline __noclone notrace unsigned long kprobe_test_plain(unsigned long x)
{
	x += 101;
	OPTIMIZER_HIDE_VAR(x);
	return x - 100;
}

noinline __noclone unsigned long kprobe_test_traced(unsigned long x)
{
	x += 102;
	OPTIMIZER_HIDE_VAR(x);
	return x - 101;
}

noinline __noclone notrace unsigned long kprobe_test_inner(unsigned long x)
{
	OPTIMIZER_HIDE_VAR(x);
	return x + 2;
}

noinline __noclone notrace unsigned long kprobe_test_elsewhere(unsigned long x)
{
	OPTIMIZER_HIDE_VAR(x);
	return x + 1000;
}

noinline __noclone notrace int kprobe_test_load(unsigned long *dst,
						const unsigned long *src)
{
	__get_kernel_nofault(dst, src, unsigned long, fault);
	return 0;
fault:
	return -EFAULT;
}

/* The instruction of kprobe_test_load() that may fault. There is never a jump. */
void *test_load_insn(void)
{
	unsigned long fn = (unsigned long)dereference_function_descriptor(kprobe_test_load);
	unsigned long size, i;

	if (!kallsyms_lookup_size_offset(fn, &size, NULL))
		return NULL;
	for (i = 0; i < size; i++) {
		if (search_exception_tables(fn + i))
			return (void *)fn + i;
	}
	return NULL;
}

/* Runs that instruction, and returns its argument plus one. */
noinline notrace unsigned long kprobe_test_load_one(unsigned long x)
{
	unsigned long one, got = 0;

	/* The compiler does not see that the instruction reads it. */
	WRITE_ONCE(one, 1);
	kprobe_test_load(&got, &one);
	return x + got;
}

const struct test_target test_targets[NR_TARGETS] = {
	{ "kprobe_test_plain", false, kprobe_test_plain },
	{ "kprobe_test_traced", IS_ENABLED(CONFIG_KPROBES_ON_FTRACE),
	  kprobe_test_traced },
};

#define MANY(n, how)							\
static noinline __noclone how unsigned long many_##n(unsigned long x)	\
{									\
	const unsigned long some = 200 + (n);				\
									\
	x += some;							\
	OPTIMIZER_HIDE_VAR(x);						\
	return x + 1 - some;						\
}

MANY(0, noinline)
MANY(1, notrace)
MANY(2, noinline)
MANY(3, notrace)
MANY(4, noinline)
MANY(5, notrace)
MANY(6, noinline)
MANY(7, notrace)
MANY(8, noinline)
MANY(9, notrace)
MANY(10, noinline)
MANY(11, notrace)
MANY(12, noinline)
MANY(13, notrace)
MANY(14, noinline)
MANY(15, notrace)
MANY(16, noinline)
MANY(17, notrace)
MANY(18, noinline)
MANY(19, notrace)
MANY(20, noinline)
MANY(21, notrace)
MANY(22, noinline)
MANY(23, notrace)
MANY(24, noinline)
MANY(25, notrace)
MANY(26, noinline)
MANY(27, notrace)
MANY(28, noinline)
MANY(29, notrace)
MANY(30, noinline)
MANY(31, notrace)

const target_fn test_many[NR_MANY] = {
	many_0, many_1, many_2, many_3,
	many_4, many_5, many_6, many_7,
	many_8, many_9, many_10, many_11,
	many_12, many_13, many_14, many_15,
	many_16, many_17, many_18, many_19,
	many_20, many_21, many_22, many_23,
	many_24, many_25, many_26, many_27,
	many_28, many_29, many_30, many_31,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions for the tests of fprobes. Each computes its result in another way, because the compiler
 * would merge equal functions.
 */
#include <linux/compiler.h>

#include "fprobes.h"

#define TARGET(name, how, n)						\
noinline __noclone how unsigned long fprobe_test_##name(unsigned long x) \
{									\
	const unsigned long some = (n);					\
									\
	x += some;							\
	OPTIMIZER_HIDE_VAR(x);						\
	return x + 1 - some;						\
}

TARGET(one, __used, 301)
TARGET(two, __used, 302)
TARGET(three, __used, 303)
TARGET(hidden, notrace, 304)

noinline __noclone unsigned long fprobe_test_recurse(unsigned long x)
{
	unsigned long inner = x ? fprobe_test_recurse(x - 1) : 0;

	/* Work after the call keeps the compiler from making a loop of the recursion. */
	OPTIMIZER_HIDE_VAR(inner);
	return inner + 1;
}

noinline __noclone unsigned long fprobe_test_tail(unsigned long x)
{
	OPTIMIZER_HIDE_VAR(x);
	return fprobe_test_one(x);
}

noinline __noclone notrace unsigned long fprobe_test_call(target_fn fn, unsigned long x)
{
	x = fn(x);
	/* Work after the call keeps the compiler from making a tail call. */
	OPTIMIZER_HIDE_VAR(x);
	return x;
}

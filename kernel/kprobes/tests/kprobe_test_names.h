/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KPROBE_TEST_NAMES_H
#define _KPROBE_TEST_NAMES_H

#include <linux/compiler.h>

/* Declare a function with a symbol like those that the compiler gives to clones. */
#define NAMED(function, symbol) \
	static noinline __noclone unsigned long function(unsigned long x) asm(symbol)

/* @x + 1, computed in another way for each @n, so that the compiler does not merge functions. */
static __always_inline unsigned long names_plus_one(unsigned long x, unsigned long n)
{
	x += n;
	OPTIMIZER_HIDE_VAR(x);
	return x - n + 1;
}

/* kprobe_test_names_second.c: returns the number of wrong results */
unsigned int names_call_second(unsigned long x);

#endif /* _KPROBE_TEST_NAMES_H */

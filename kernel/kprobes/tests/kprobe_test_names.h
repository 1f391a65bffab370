/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KPROBE_TEST_NAMES_H
#define _KPROBE_TEST_NAMES_H

#include <linux/compiler.h>

/* The name that a function goes by, which the compiler might have given it. */
#define NAMED(function, symbol) \
	static noinline __noclone unsigned long function(unsigned long x) asm(symbol)

/* @x + 1, in a way of its own for each @n, or the compiler would make one function of them all. */
static __always_inline unsigned long names_plus_one(unsigned long x, unsigned long n)
{
	x += n;
	OPTIMIZER_HIDE_VAR(x);
	return x - n + 1;
}

/* kprobe_test_names_second.c: how many calls went wrong */
unsigned int names_call_second(unsigned long x);

#endif /* _KPROBE_TEST_NAMES_H */

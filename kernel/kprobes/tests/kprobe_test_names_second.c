// SPDX-License-Identifier: GPL-2.0-only
/* Namesakes of functions in kprobe_test_names_main.c. */
#include <linux/compiler.h>
#include <linux/init.h>

#include "kprobe_test_names.h"

NAMED(same, "names_same");

static unsigned long same(unsigned long x)
{
	return names_plus_one(x, 23);
}

NAMED(mixed, "names_mixed");

static notrace unsigned long mixed(unsigned long x)
{
	return names_plus_one(x, 24);
}

NAMED(dark, "names_dark");

static notrace unsigned long dark(unsigned long x)
{
	return names_plus_one(x, 25);
}

/**
 * names_call_second - call all functions of this file
 * @x: the argument
 *
 * Return: the number of wrong results.
 */
unsigned int names_call_second(unsigned long x)
{
	return (same(x) != x + 1) + (mixed(x) != x + 1) + (dark(x) != x + 1);
}

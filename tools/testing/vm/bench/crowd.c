// SPDX-License-Identifier: GPL-2.0-only
/*
 * 512 functions of a module, for probes. Nothing calls them.
 */
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/kernel.h>

#include "probe_bench.h"

/* All differ, so that the compiler does not merge them. */
#define FUNCTION(n) static noinline int probe_bench_crowd_##n(int x) { return x ^ (n); }
#include "crowd_functions.h"
#undef FUNCTION

static int (*const crowd[])(int) = {
#define FUNCTION(n) probe_bench_crowd_##n,
#include "crowd_functions.h"
};

/**
 * crowd_member - one of the functions
 * @i: its number, less than CROWD
 *
 * Return: its address.
 */
void *crowd_member(unsigned int i)
{
	BUILD_BUG_ON(ARRAY_SIZE(crowd) != CROWD);
	return crowd[i];
}

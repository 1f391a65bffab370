// SPDX-License-Identifier: GPL-2.0-only
/*
 * 512 functions of this module that nobody calls, for probes on a module's functions.
 */
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/kernel.h>

#include "probe_bench.h"

/* No two are the same, or the compiler makes them one. */
#define FUNCTION(n) static noinline int probe_bench_crowd_##n(int x) { return x ^ (n); }
#include "crowd_functions.h"
#undef FUNCTION

static int (*const crowd[])(int) = {
#define FUNCTION(n) probe_bench_crowd_##n,
#include "crowd_functions.h"
};

/**
 * crowd_member - one of the functions
 * @i: which, below CROWD
 *
 * Return: its address.
 */
void *crowd_member(unsigned int i)
{
	BUILD_BUG_ON(ARRAY_SIZE(crowd) != CROWD);
	return crowd[i];
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Declarations for tests in which an interrupt or an NMI comes while a handler runs. */
#ifndef _KERNEL_KPROBES_TEST_NEST_H
#define _KERNEL_KPROBES_TEST_NEST_H

#include "tests.h"

/**
 * struct nest_place - where the outer probe is, and how the inner one is planted
 * @name:	name of the test case
 * @outer:	function with the probe whose handler is interrupted
 * @inner:	function with the probe that is hit meanwhile
 * @breakpoint:	a kprobe is a breakpoint in kprobe_test_load() instead
 */
struct nest_place {
	const char *name;
	unsigned int outer;
	unsigned int inner;
	bool breakpoint;
};

#define NEST_PLACES	6
extern const struct nest_place nest_places[NEST_PLACES];

/* fn(x), while a handler runs. */
typedef unsigned long (*nest_call)(target_fn fn, unsigned long x);

/**
 * struct nest - a probe whose handler makes a call in another context
 * @tp:		the probe
 * @call:	makes the call
 * @fn:		the function that is called
 * @wrong:	what went wrong in handlers
 */
struct nest {
	struct test_probe tp;
	nest_call call;
	target_fn fn;
	int wrong;
};

struct nest *test_nest_at(struct kunit *test, void *at, nest_call call, target_fn fn);
void test_nest_jump(struct kunit *test, target_fn at);
void test_expect_breakpoint(struct kunit *test, void *addr);
unsigned long test_irq_now(target_fn fn, unsigned long x);
void test_nest_hits(struct kunit *test, const struct nest_place *pl, nest_call call);

#endif /* _KERNEL_KPROBES_TEST_NEST_H */

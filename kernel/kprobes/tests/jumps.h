/* SPDX-License-Identifier: GPL-2.0-only */
/* Declarations that tests of jumps share. */
#ifndef _KERNEL_KPROBES_TEST_JUMPS_H
#define _KERNEL_KPROBES_TEST_JUMPS_H

#include "../internal.h"
#include "tests.h"

/* Number of bytes of the function's text that are compared. */
#define TEXT_LEN	32

/**
 * struct jump_place - a place for a jump
 * @at:		address of the jump
 * @inside:	another instruction that it displaces
 * @text:	the text at @at without probes
 */
struct jump_place {
	void *at;
	void *inside;
	u8 text[TEXT_LEN];
};

enum site_method test_method_at(void *addr);
enum site_method test_method_in_the_end(void *addr);
#ifdef CONFIG_OPTPROBES
void test_allow_jumps(bool allowed);
#else
static inline void test_allow_jumps(bool allowed) { }
#endif
void test_no_jump(struct kunit *test, const char *why);
struct jump_place *test_jump_place(struct kunit *test);
struct jump_place *test_crowded_place(struct kunit *test);
void test_expect_hits(struct kunit *test, struct test_probe *tp, int pre, int post);
struct test_probe *test_waiting_probe(struct kunit *test, const struct jump_place *pl);
void test_expect_untouched(struct kunit *test, const struct jump_place *pl);

#endif /* _KERNEL_KPROBES_TEST_JUMPS_H */

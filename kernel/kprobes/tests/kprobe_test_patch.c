// SPDX-License-Identifier: GPL-2.0-only
/* A live patch of the function in kprobe_test_long.c. It is quick and returns a wrong result. */
#include <linux/init.h>
#include <linux/livepatch.h>
#include <linux/module.h>

static unsigned long patched_long(unsigned long x)
{
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "kprobe_long", .new_func = patched_long },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "kprobe_test_long", .funcs = funcs },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init patch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit patch_exit(void)
{
}

module_init(patch_init);
module_exit(patch_exit);
MODULE_DESCRIPTION("A live patch for the kprobes selftests");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");

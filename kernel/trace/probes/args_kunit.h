/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBES_ARGS_KUNIT_H
#define _TRACE_PROBES_ARGS_KUNIT_H
/*
 * Helpers for tests of the argument engine: arguments without a probe, and commands that are
 * written to dynamic_events, as users do.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/ptrace.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "args_internal.h"

static inline void argument_free(void *tp)
{
	trace_probe_cleanup(tp);
	kfree(tp);
}

/* Returns the engine's result for an argument; *@made has it until the end of the test. */
static inline int argument_make(struct kunit *test, struct trace_probe **made, unsigned int scope,
				const char *function, const char *text)
{
	struct traceprobe_parse_context ctx = { .flags = scope, .funcname = function };
	struct trace_probe *tp;
	int err;

	tp = kzalloc(struct_size(tp, args, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tp);
	KUNIT_ASSERT_EQ(test, trace_probe_init(tp, "kunit", "kunit", false, 1), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, argument_free, tp), 0);
	*made = tp;
	mutex_lock(&dyn_event_ops_mutex);
	err = traceprobe_parse_probe_arg(tp, 0, text, &ctx);
	traceprobe_finish_parse(&ctx);
	mutex_unlock(&dyn_event_ops_mutex);
	return err ?: traceprobe_update_arg(&tp->args[0]);
}

/**
 * struct command_file - the file for commands
 * @file:	dynamic_events
 * @room:	a page of user memory, because write() needs user memory
 */
struct command_file {
	struct file	*file;
	void __user	*room;
};

static inline void command_file_close(void *file)
{
	fput(file);
}

static inline void command_file_unmount(void *mnt)
{
	kern_unmount(mnt);
}

/* User memory; the test gets an mm for it. */
static inline void __user *user_room(struct kunit *test, unsigned int pages)
{
	unsigned long at = kunit_vm_mmap(test, NULL, 0, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
					 MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_LT(test, at, TASK_SIZE);
	return (void __user *)at;
}

/* Open it until the end of the test. */
static inline void command_file_open(struct kunit *test, struct command_file *commands)
{
	struct vfsmount *mnt = kern_mount(get_fs_type("tracefs"));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, command_file_unmount, mnt), 0);
	commands->file = file_open_root_mnt(mnt, "dynamic_events", O_WRONLY | O_APPEND, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, commands->file);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, command_file_close, commands->file),
			0);
	commands->room = user_room(test, 1);
}

/* Returns what write() would, of a line that is less than a page. */
static inline int command_write(struct kunit *test, struct command_file *commands,
				const char *line)
{
	size_t len = strlen(line);
	loff_t pos = 0;

	KUNIT_ASSERT_EQ(test, copy_to_user(commands->room, line, len), 0);
	return commands->file->f_op->write(commands->file, commands->room, len, &pos);
}

/* Set the result of a function. Returns false if the architecture cannot. */
#ifdef CONFIG_HAVE_FUNCTION_ERROR_INJECTION
static inline bool set_result(struct pt_regs *regs, unsigned long value)
{
	regs_set_return_value(regs, value);
	return true;
}
#else
static inline bool set_result(struct pt_regs *regs, unsigned long value)
{
	return false;
}
#endif

#endif /* _TRACE_PROBES_ARGS_KUNIT_H */

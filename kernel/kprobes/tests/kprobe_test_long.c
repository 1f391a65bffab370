// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with a function that takes long, for tools/testing/selftests/kprobes/livepatch.sh.
 * x86-64 only.
 *
 * While its parameter "run" is 1, a thread on CPU 0 calls the function repeatedly; "pid" is its
 * PID. While "spin" is 1, another thread with a higher priority preempts it, nearly always in the
 * instruction that takes long. "insn" is the offset of that instruction in the function, and
 * "text" shows the bytes there.
 */
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/objtool.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>
#include <linux/vmalloc.h>
#include <asm/ibt.h>

#include "kprobe_test_long.h"

#define BUFFER_SIZE	SZ_64M

static u8 *buffer;

noinline __noclone unsigned long kprobe_long(unsigned long x)
{
	unsigned long count = BUFFER_SIZE;
	u8 *at = buffer;

	asm volatile(".pushsection .rodata\n"
		     "kprobe_long_insn_addr: .quad 661f\n"
		     ".popsection\n"
		     "661:\n"
		     ANNOTATE_NOENDBR
		     "rep stosb\n"
		     "nop\nnop\nnop\nnop\nnop\n"
		     : "+c" (count), "+D" (at) : "a" ((u8)x) : "memory");
	return x + 1;
}

static struct task_struct *runner, *spinner;

static int pid;
module_param(pid, int, 0444);
MODULE_PARM_DESC(pid, "of the thread that calls the function");

static unsigned int patched;
module_param(patched, uint, 0444);
MODULE_PARM_DESC(patched, "calls that did not return what the function returns");

static int run_fn(void *unused)
{
	unsigned long x = 0;

	while (!kthread_should_stop()) {
		patched += kprobe_long(x) != x + 1;
		x++;
		cond_resched_tasks_rcu_qs();
	}
	return 0;
}

static int spin_fn(void *unused)
{
	while (!kthread_should_stop())
		cpu_relax();
	return 0;
}

static struct task_struct *start(int (*fn)(void *), const char *name)
{
	struct task_struct *task = kthread_create(fn, NULL, "%s", name);

	if (IS_ERR(task))
		return NULL;
	kthread_bind(task, 0);
	get_task_struct(task);
	return task;
}

static void stop(struct task_struct **task)
{
	if (!*task)
		return;
	kthread_stop_put(*task);
	*task = NULL;
}

static int run_set(const char *val, const struct kernel_param *kp)
{
	bool on;
	int ret;

	ret = kstrtobool(val, &on);
	if (ret)
		return ret;
	stop(&runner);
	pid = 0;
	if (!on)
		return 0;
	runner = start(run_fn, "kprobe_long");
	if (!runner)
		return -ENOMEM;
	pid = task_pid_nr(runner);
	/* Otherwise it would get some time to run. */
	sched_set_fifo_low(runner);
	wake_up_process(runner);
	return 0;
}

static int spin_set(const char *val, const struct kernel_param *kp)
{
	bool on;
	int ret;

	ret = kstrtobool(val, &on);
	if (ret)
		return ret;
	stop(&spinner);
	if (!on)
		return 0;
	spinner = start(spin_fn, "kprobe_spin");
	if (!spinner)
		return -ENOMEM;
	sched_set_fifo(spinner);
	wake_up_process(spinner);
	return 0;
}

static const struct kernel_param_ops run_ops = { .set = run_set };
module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "write 1 to have a thread call the function, 0 to stop it");

static const struct kernel_param_ops spin_ops = { .set = spin_set };
module_param_cb(spin, &spin_ops, NULL, 0200);
MODULE_PARM_DESC(spin, "write 1 to keep that thread from running, 0 to let it");

static int insn_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%lu\n", kprobe_long_insn_addr - (unsigned long)kprobe_long);
}

static const struct kernel_param_ops insn_ops = { .get = insn_get };
module_param_cb(insn, &insn_ops, NULL, 0444);
MODULE_PARM_DESC(insn, "where the instruction is in the function");

static int text_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%*ph\n", 8, (void *)kprobe_long_insn_addr);
}

static const struct kernel_param_ops text_ops = { .get = text_get };
module_param_cb(text, &text_ops, NULL, 0444);
MODULE_PARM_DESC(text, "bytes of the instruction that takes long");

static int __init long_init(void)
{
	buffer = vmalloc(BUFFER_SIZE);
	return buffer ? 0 : -ENOMEM;
}

static void __exit long_exit(void)
{
	stop(&spinner);
	stop(&runner);
	vfree(buffer);
}

module_init(long_init);
module_exit(long_exit);
MODULE_DESCRIPTION("A function that takes long, for the kprobes selftests");
MODULE_LICENSE("GPL");

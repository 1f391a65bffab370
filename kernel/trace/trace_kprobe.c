// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: commands, the files kprobe_events and kprobe_profile, and the boot
 * parameter. See Documentation/trace/kprobetrace.rst for what they do, and
 * kprobe.h for where the rest is.
 */
#define pr_fmt(fmt)	"trace_kprobe: " fmt

#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/seq_file.h>
#include <linux/security.h>
#include <linux/string.h>
#include <linux/tracefs.h>
#include <asm/setup.h>

#include "probes/kprobe.h"
#include "probes/event_batch.h"

static int add_command(int argc, const char **argv)
{
	return probe_spec_run(&kprobe_class, argc, argv);
}

/* dyn_event_operations. Context: dyn_event_ops_mutex for create, event_mutex for others. */

static int kprobe_event_create(const char *text)
{
	return trace_probe_create(text, add_command);
}

/**
 * kpoint_show_place - print the place of a point
 * @m: the output
 * @pp: the point
 *
 * Prints a hash of an address if the reader may not see it.
 */
void kpoint_show_place(struct seq_file *m, const struct probe_point *pp)
{
	const struct kpoint *pt = kpoint_of(pp);
	const struct kprobe *kp = kpoint_kp(pt);

	if (!pt->symbol && kallsyms_show_value(m->file->f_cred))
		seq_printf(m, "0x%lx", pt->addr);
	else if (!pt->symbol)
		seq_printf(m, "0x%p", (void *)pt->addr);
	else if (kp->offset)
		seq_printf(m, "%s+%u", pt->symbol, kp->offset);
	else
		seq_puts(m, pt->symbol);
}

static int kprobe_event_show(struct seq_file *m, struct dyn_event *ev)
{
	struct kpoint *pt = kpoint_of_dyn(ev);
	unsigned int maxactive = 0;

	/* Registration sets the default. The probe may not be registered yet. */
	if (kpoint_is_return(pt))
		maxactive = kpoint_rp(pt)->maxactive ?: pt->maxactive;
	point_show_name(m, &pt->point, maxactive);
	kpoint_show_place(m, &pt->point);
	point_show_args(m, &pt->point);
	return 0;
}

struct dyn_event_operations kprobe_event_ops = {
	.create		= kprobe_event_create,
	.show		= kprobe_event_show,
	.is_busy	= point_stops_removal,
	.free		= point_retire,
	.match		= point_matches,
};

/**
 * kprobe_event_command - carry out one command
 * @text: "p...", "r..." or "-:..."
 *
 * Context: may sleep; event_mutex not held.
 * Return: 0 or the errno that a write to kprobe_events gets.
 */
int kprobe_event_command(const char *text)
{
	int err;

	if (*text == '-')
		return dyn_event_release(text, &kprobe_event_ops);
	err = dyn_event_create(text, &kprobe_event_ops);
	return err == -ECANCELED ? -EINVAL : err;
}

/* tracefs */

static int events_show_one(struct seq_file *m, void *item)
{
	struct dyn_event *ev = item;

	return ev->ops == &kprobe_event_ops ? kprobe_event_show(m, ev) : 0;
}

static int profile_show_one(struct seq_file *m, void *item)
{
	struct dyn_event *ev = item;
	struct point_counts counts;
	struct kpoint *pt;

	if (ev->ops != &kprobe_event_ops)
		return 0;
	pt = kpoint_of_dyn(ev);
	kpoint_count(&pt->point, &counts);
	seq_printf(m, "  %-44s %15lu %15lu\n", trace_probe_name(&pt->point.tp), counts.hits,
		   counts.recursion + counts.exhausted);
	return 0;
}

static const struct seq_operations events_seq = {
	.show	= events_show_one,
	.start	= dyn_event_seq_start,
	.stop	= dyn_event_seq_stop,
	.next	= dyn_event_seq_next,
};

static const struct seq_operations profile_seq = {
	.show	= profile_show_one,
	.start	= dyn_event_seq_start,
	.stop	= dyn_event_seq_stop,
	.next	= dyn_event_seq_next,
};

static int profile_open(struct inode *inode, struct file *filp)
{
	return security_locked_down(LOCKDOWN_TRACEFS) ?:
	       seq_open(filp, &profile_seq);
}

static int events_open(struct inode *inode, struct file *filp)
{
	int err = security_locked_down(LOCKDOWN_TRACEFS);

	/* "echo ... > kprobe_events" removes all events first, ">>" does not. */
	if (!err && (filp->f_mode & FMODE_WRITE) && (filp->f_flags & O_TRUNC))
		err = dyn_events_release_all(&kprobe_event_ops);
	return err ?: seq_open(filp, &events_seq);
}

static ssize_t events_write(struct file *filp, const char __user *text,
			    size_t len, loff_t *pos)
{
	return trace_parse_run_command(filp, text, len, pos,
				       kprobe_event_command);
}

static const struct file_operations events_fops = {
	.open		= events_open,
	.release	= seq_release,
	.read		= seq_read,
	.write		= events_write,
	.llseek		= seq_lseek,
};

static const struct file_operations profile_fops = {
	.open		= profile_open,
	.release	= seq_release,
	.read		= seq_read,
	.llseek		= seq_lseek,
};

/* Boot */

static char boot_commands[COMMAND_LINE_SIZE] __initdata;

static int __init take_boot_commands(char *text)
{
	strscpy(boot_commands, text, sizeof(boot_commands));
	disable_tracing_selftest("kprobe events of the command line");
	return 1;
}
__setup("kprobe_event=", take_boot_commands);

static void __init enable_all_kprobe_events(void)
{
	struct trace_event_file *file;
	struct trace_array *top;

	guard(mutex)(&event_mutex);
	top = top_trace_array();
	if (!top)
		return;
	trace_probes_begin();
	trace_probes_arm(NULL, NULL, NULL);
	list_for_each_entry(file, &top->events, list) {
		if (file->event_call->flags & TRACE_EVENT_FL_KPROBE)
			trace_event_enable_disable(file, 1, 0);
	}
	trace_probes_end();
}

/* Semicolons separate commands, commas separate their words. */
static void __init run_boot_commands(void)
{
	char *rest = strreplace(boot_commands, ',', ' ');
	char *text;
	int err;

	if (!*rest)
		return;
	while ((text = strsep(&rest, ";"))) {
		if (!*text)
			continue;
		err = kprobe_event_command(text);
		if (err)
			pr_warn("kprobe_event=%s: error %d\n", text, err);
	}
	enable_all_kprobe_events();
}

/* Before fs_initcall, so that those can create events. */
static int __init kprobe_events_init(void)
{
	return dyn_event_register(&kprobe_event_ops);
}
core_initcall(kprobe_events_init);

static int __init kprobe_events_init_tracefs(void)
{
	/* Without tracefs there are no files. */
	if (tracing_init_dentry())
		return 0;

	trace_create_file("kprobe_events", TRACE_MODE_WRITE, NULL, NULL,
			  &events_fops);
	trace_create_file("kprobe_profile", TRACE_MODE_READ, NULL, NULL,
			  &profile_fops);
	run_boot_commands();
	return 0;
}
fs_initcall(kprobe_events_init_tracefs);

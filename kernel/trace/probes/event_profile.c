// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace events on probes: the file probe_profile, which shows for each point how often it was
 * hit, how many hits were missed, and why.
 */
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/percpu.h>
#include <linux/security.h>
#include <linux/seq_file.h>
#include <linux/tracefs.h>

#include "event_point.h"

/**
 * point_sum_hits - sum the hits of a point
 * @hits: the hits on each CPU
 *
 * Return: the sum over all CPUs.
 */
unsigned long point_sum_hits(const unsigned long __percpu *hits)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(hits, cpu));
	return sum;
}

static void show_head(struct seq_file *m)
{
	seq_printf(m, "# %-42s %15s %15s %12s %12s %12s %12s  %s\n", "EVENT", "HITS", "MISSED",
		   "RECURSION", "EXHAUSTED", "UNRECORDED", "UNSAMPLED", "PLACE");
}

static void show_point(struct seq_file *m, const struct probe_point *pp)
{
	struct trace_event_call *call = &pp->tp.event->call;
	char name[2 * MAX_EVENT_NAME_LEN];
	struct point_counts counts;

	pp->kind->class->count(pp, &counts);
	snprintf(name, sizeof(name), "%s/%s", call->class->system, trace_event_name(call));
	seq_printf(m, "  %-42s %15lu %15lu %12lu %12lu %12u %12u  ", name, counts.hits,
		   counts.recursion + counts.exhausted, counts.recursion, counts.exhausted,
		   (unsigned int)atomic_read(&pp->unrecorded),
		   (unsigned int)atomic_read(&pp->unsampled));
	pp->kind->class->show_place(m, pp);
	if (point_is_return(pp))
		seq_puts(m, PROBE_RETURN_SUFFIX);
	seq_putc(m, '\n');
}

/* The head of the list stands for the first line. */
static int profile_show(struct seq_file *m, void *item)
{
	struct dyn_event *ev = item;

	if (item == &dyn_event_list)
		show_head(m);
	else if (ev->ops->match == point_matches)
		show_point(m, point_of_dyn(ev));
	return 0;
}

static void *profile_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&event_mutex);
	return seq_list_start_head(&dyn_event_list, *pos);
}

static const struct seq_operations profile_seq = {
	.start	= profile_start,
	.next	= dyn_event_seq_next,
	.stop	= dyn_event_seq_stop,
	.show	= profile_show,
};

static int profile_open(struct inode *inode, struct file *filp)
{
	return security_locked_down(LOCKDOWN_TRACEFS) ?: seq_open(filp, &profile_seq);
}

static const struct file_operations profile_fops = {
	.open		= profile_open,
	.release	= seq_release,
	.read		= seq_read,
	.llseek		= seq_lseek,
};

static int __init probe_profile_init(void)
{
	/* Without tracefs there is no file. */
	if (!tracing_init_dentry())
		trace_create_file("probe_profile", TRACE_MODE_READ, NULL, NULL, &profile_fops);
	return 0;
}
fs_initcall(probe_profile_init);

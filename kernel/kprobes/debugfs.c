// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs kprobes/: list, enabled, blacklist, blacklist_reasons.
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/seq_file.h>
#include <linux/string_choices.h>
#include <linux/uaccess.h>

#include "internal.h"

static void show_flags(struct seq_file *m, const struct kprobe_site *site,
		       struct kprobe *kp)
{
	if (kprobe_gone(kp))
		seq_puts(m, "[GONE]");
	/* A probe that is gone does not show as disabled, even if it is. */
	if ((kp->flags & KPROBE_FLAG_DISABLED) && !kprobe_gone(kp))
		seq_puts(m, "[DISABLED]");
	if (kprobe_optimized(&site->kp))
		seq_puts(m, "[OPTIMIZED]");
	if (kprobe_ftrace(kp))
		seq_puts(m, "[FTRACE]");
}

static void show_listener(struct seq_file *m, const struct kprobe_site *site,
			  struct kprobe *kp)
{
	char type = is_kretprobe(kp) ? 'r' : 'k';
	unsigned long addr = site_addr(site), offset = 0, shown;
	char name[KSYM_NAME_LEN] = "";
	char *modname = NULL;

	shown = kallsyms_show_value(m->file->f_cred) ? addr : 0;
	/* The module's name is in the module, which cannot be freed while preemption is off. */
	guard(preempt)();
	seq_printf(m, "%0*lx  %c  ", ADDR_DIGITS, shown, type);
	if (kallsyms_lookup(addr, NULL, &offset, &modname, name))
		seq_printf(m, "%s+0x%lx  %s ", name, offset, modname ?: " ");
	else
		seq_printf(m, "%0*lx ", ADDR_DIGITS, shown);
	show_flags(m, site, kp);
	seq_putc(m, '\n');
}

/*
 * Prints all under one kprobe_mutex: the table may be resized between two reads of the file, and
 * the list would have probes twice or not at all.
 */
static int list_show(struct seq_file *m, void *v)
{
	struct kprobe_site *site;
	struct kprobe *kp;
	unsigned int pos;

	jumps_wait_decided();
	guard(mutex)(&kprobe_mutex);
	for_each_site(site, pos) {
		list_for_each_entry(kp, &site->listeners, list)
			show_listener(m, site, kp);
	}
	list_for_each_entry(site, &gone_sites, idle) {
		list_for_each_entry(kp, &site->listeners, list)
			show_listener(m, site, kp);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(list);

static int blacklist_show(struct seq_file *m, void *v)
{
	return kprobe_blacklist_show(m, false);
}
DEFINE_SHOW_ATTRIBUTE(blacklist);

/* A file of its own, because tools know the format of kprobes/blacklist. */
static int blacklist_reasons_show(struct seq_file *m, void *v)
{
	return kprobe_blacklist_show(m, true);
}
DEFINE_SHOW_ATTRIBUTE(blacklist_reasons);

static ssize_t enabled_read(struct file *file, char __user *buf, size_t count,
			    loff_t *pos)
{
	bool on;

	scoped_guard(mutex, &kprobe_mutex)
		on = sites_armed();
	return simple_read_from_buffer(buf, count, pos, on ? "1\n" : "0\n", 2);
}

static ssize_t enabled_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *pos)
{
	bool on;
	int ret;

	ret = kstrtobool_from_user(buf, count, &on);
	if (ret)
		return ret;
	guard(mutex)(&kprobe_mutex);
	if (on == sites_armed())
		return count;
	sites_set_armed(on);
	/* 6.12 prints this, too. */
	pr_info("kprobes: Kprobes globally %s\n", str_enabled_disabled(on));
	return count;
}

static const struct file_operations enabled_fops = {
	.read	= enabled_read,
	.write	= enabled_write,
	.llseek	= default_llseek,
};

static int __init kprobe_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("kprobes", NULL);

	debugfs_create_file("list", 0400, dir, NULL, &list_fops);
	debugfs_create_file("enabled", 0600, dir, NULL, &enabled_fops);
	debugfs_create_file("blacklist", 0400, dir, NULL, &blacklist_fops);
	debugfs_create_file("blacklist_reasons", 0400, dir, NULL, &blacklist_reasons_fops);
	return 0;
}
late_initcall(kprobe_debugfs_init);

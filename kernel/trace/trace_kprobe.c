// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobe events: commands, the files kprobe_events and kprobe_profile, and the boot
 * parameter. See Documentation/trace/kprobetrace.rst for what they do, and
 * trace_kprobe.h for where the rest is.
 */
#define pr_fmt(fmt)	"trace_kprobe: " fmt

#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/seq_file.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracefs.h>
#include <asm/setup.h>

#include "trace_kprobe.h"

/* The words of a command before its arguments. */
#define HEAD_WORDS	2

/**
 * struct arg_words - a command's arguments, with what stands for several spelt out
 * @argc:	how many there are
 * @argv:	they
 * @owned:	@argv, if it had to be made for this
 * @btf_buf:	room for the names that $arg* becomes
 * @dentry_buf:	what %pd and %pD become, allocated
 */
struct arg_words {
	int		argc;
	const char	**argv;
	const char	**owned;
	char		btf_buf[MAX_BTF_ARGS_LEN];
	char		*dentry_buf;
};

static int arg_words_expand(struct arg_words *words,
			    struct traceprobe_parse_context *ctx)
{
	words->owned = traceprobe_expand_meta_args(words->argc, words->argv,
						   &words->argc, words->btf_buf,
						   sizeof(words->btf_buf), ctx);
	if (IS_ERR(words->owned)) {
		int err = PTR_ERR(words->owned);

		words->owned = NULL;
		return err;
	}
	if (words->owned)
		words->argv = words->owned;
	if (words->argc > MAX_TRACE_ARGS)
		return -E2BIG;
	return traceprobe_expand_dentry_args(words->argc, words->argv,
					     &words->dentry_buf);
}

static void arg_words_release(struct arg_words *words)
{
	kfree(words->owned);
	kfree(words->dentry_buf);
}

static int compile_args(struct kpoint *pt, const struct arg_words *words,
			struct traceprobe_parse_context *ctx)
{
	int i = 0, err;

	for (; i < words->argc; i++) {
		trace_probe_log_set_index(i + HEAD_WORDS);
		ctx->offset = 0;
		err = traceprobe_parse_probe_arg(&pt->tp, i, words->argv[i], ctx);
		if (err)
			return err;
	}
	return traceprobe_set_print_fmt(&pt->tp, pt->kind->print_fmt);
}

static int add_point(struct kprobe_spec *spec, const struct arg_words *words,
		     struct traceprobe_parse_context *ctx)
{
	struct kpoint *pt = kpoint_create(spec, words->argc);
	int err;

	if (IS_ERR(pt))
		return PTR_ERR(pt);

	err = compile_args(pt, words, ctx);
	if (!err) {
		mutex_lock(&event_mutex);
		err = kpoint_publish(pt);
		mutex_unlock(&event_mutex);
	}
	if (err)
		kpoint_free_later(pt);
	return err;
}

static int add_described(struct kprobe_spec *spec, int argc, const char **argv)
{
	struct traceprobe_parse_context ctx = { .flags = spec->scope };
	struct arg_words words = { .argc = argc, .argv = argv };
	char *function = NULL;
	int err;

	if (argc > MAX_TRACE_ARGS)
		return -E2BIG;
	/* The point takes the symbol along, and BTF is asked for the function. */
	if (spec->symbol) {
		function = kstrdup(spec->symbol, GFP_KERNEL);
		if (!function)
			return -ENOMEM;
	}
	ctx.funcname = function;

	trace_probe_log_set_index(HEAD_WORDS);
	err = arg_words_expand(&words, &ctx) ?: add_point(spec, &words, &ctx);

	traceprobe_finish_parse(&ctx);
	arg_words_release(&words);
	kfree(function);
	return err;
}

static int add_command(int argc, const char **argv)
{
	struct kprobe_spec *spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	int err;

	if (!spec)
		return -ENOMEM;

	err = kprobe_spec_parse(spec, argc, argv);
	if (!err)
		err = add_described(spec, argc - HEAD_WORDS, argv + HEAD_WORDS);
	if (err != -ECANCELED)
		trace_probe_log_clear();

	kprobe_spec_release(spec);
	kfree(spec);
	return err;
}

/* dyn_event_operations: dyn_event_ops_mutex for create, event_mutex for others. */

static int kprobe_event_create(const char *text)
{
	return trace_probe_create(text, add_command);
}

/* An address is for those who may know it, and a hash of it for others. */
static void show_place(struct seq_file *m, const struct kpoint *pt)
{
	const struct kprobe *kp = &pt->rp.kp;

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
	unsigned int i, maxactive;

	seq_putc(m, pt->kind->letter);
	/* Registration has filled in the default, unless it is yet to come. */
	maxactive = pt->rp.maxactive ?: pt->maxactive;
	if (maxactive)
		seq_printf(m, "%u", maxactive);
	seq_printf(m, ":%s/%s ", trace_probe_group_name(&pt->tp),
		   trace_probe_name(&pt->tp));
	show_place(m, pt);
	for (i = 0; i < pt->tp.nr_args; i++)
		seq_printf(m, " %s=%s", pt->tp.args[i].name, pt->tp.args[i].comm);
	seq_puts(m, "\n");
	return 0;
}

static bool kprobe_event_is_busy(struct dyn_event *ev)
{
	return trace_probe_is_enabled(&kpoint_of_dyn(ev)->tp);
}

static int kprobe_event_free(struct dyn_event *ev)
{
	return kpoint_retire(kpoint_of_dyn(ev));
}

/* "PLACE ARGS" as in the command that made the point, in any equal spelling. */
static bool matches_definition(struct kpoint *pt, int words, const char **word)
{
	struct kprobe_spec place = { };
	bool same;

	same = !kprobe_spec_place(&place, word[0]) && kpoint_is_at(pt, &place) &&
	       (!place.is_return || kpoint_is_return(pt));
	kprobe_spec_release(&place);
	return same && trace_probe_match_command_args(&pt->tp, words - 1, word + 1);
}

/* No group: any; no name: all of the group; no more words: all of that name. */
static bool kprobe_event_match(const char *group, const char *name, int words,
			       const char **word, struct dyn_event *ev)
{
	struct kpoint *pt = kpoint_of_dyn(ev);

	if (group && strcmp(group, trace_probe_group_name(&pt->tp)))
		return false;
	if (*name && strcmp(name, trace_probe_name(&pt->tp)))
		return false;
	return !words || matches_definition(pt, words, word);
}

struct dyn_event_operations kprobe_event_ops = {
	.create		= kprobe_event_create,
	.show		= kprobe_event_show,
	.is_busy	= kprobe_event_is_busy,
	.free		= kprobe_event_free,
	.match		= kprobe_event_match,
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
	struct kpoint *pt = kpoint_of_dyn(ev);

	if (ev->ops == &kprobe_event_ops)
		seq_printf(m, "  %-44s %15lu %15lu\n", trace_probe_name(&pt->tp),
			   kpoint_hits(pt), kpoint_missed(pt));
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

	/* "echo ... > kprobe_events" starts from none, ">>" adds. */
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
	list_for_each_entry(file, &top->events, list) {
		if (file->event_call->flags & TRACE_EVENT_FL_KPROBE)
			trace_event_enable_disable(file, 1, 0);
	}
}

/* Commands are parted by semicolons, their words by commas. */
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

/* Early, so that what runs at fs_initcall can already make events. */
static int __init kprobe_events_init(void)
{
	return dyn_event_register(&kprobe_event_ops);
}
core_initcall(kprobe_events_init);

static int __init kprobe_events_init_tracefs(void)
{
	/* Without tracefs there is nobody to talk to. */
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

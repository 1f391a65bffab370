// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe many instructions at once, and count and check the hits.
 *
 * Files in debugfs, under probe_campaign/:
 *
 * places	write: the places to probe, in words of 32 bits. The lower 28 bits
 *		are the offset from the parameter "base", the upper four bits are
 *		the length of the instruction.
 * round	write "try": register a disabled probe at each place, one by one.
 *		Later rounds skip the places that are refused. This stops after
 *		some refusals; write "more" to go on.
 *		write "post" or "plain": register probes at all places, in one
 *		batch, with or without a post handler. "post K N" and "plain K N"
 *		take every N-th place from the K-th on.
 *		write "off": unregister all, and check that the text is restored.
 * tired	write: a number of hits. Probes that have had so many from now on are
 *		disabled, to save time. 0 is no limit, and enables all again.
 * result	read: counts of this round, and places where something is wrong
 * unhit	read: the probed places of this round that have not been hit since
 *		"tired" was written
 * traps	read: the places that are breakpoints, or were breakpoints when their
 *		probes were disabled
 * refused	read: the places that the last "try" or "more" could not probe, each
 *		with the errno
 * rest	read: how many places are left for "more"
 *
 * The module only uses exports of 6.12, so that it builds for any kernel of that
 * version.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#define MAX_PLACES	65536
#define MAX_SHOWN	20	/* odd places that "result" lists */
#define MAX_REFUSED	50	/* in one step: probe_errors keeps 64 reasons */
#define LONGEST_INSN	16
#define OFFSET_MASK	0x0fffffff
#define LENGTH_SHIFT	28
#define NEAR		256	/* most bytes from the end of pt_regs to the probed code's sp */

#define LOOK		50	/* milliseconds between two searches for tired probes */

enum planted {
	PLANTED_NOTHING,
	PLANTED_BREAKPOINT,
	PLANTED_JUMP,
};

static ulong base;
module_param(base, ulong, 0644);
MODULE_PARM_DESC(base, "address that offsets of places are relative to");

/**
 * struct place - an instruction to probe
 * @kp:		the probe
 * @error:	the errno of the trial registration, or 0
 * @len:	length of the instruction
 * @code:	the text without a probe
 * @odd:	what was wrong with a hit, or NULL; written by handlers without a lock
 * @before:	number of hits when "tired" was written
 * @tired:	the probe has been disabled
 * @planted:	how the probe was planted when it was disabled
 */
struct place {
	struct kprobe kp;
	int error;
	u8 len;
	u8 code[LONGEST_INSN];
	const char *odd;
	unsigned long before;
	bool tired;
	enum planted planted;
};

/*
 * Hits of each place on one CPU. Only that CPU increments them, with preemption
 * disabled.
 */
struct counts {
	unsigned int pre[MAX_PLACES];
	unsigned int post[MAX_PLACES];
};

/*
 * Serializes all file operations. It guards the data below; handlers only read data
 * that does not change while probes are registered.
 */
static DEFINE_MUTEX(campaign_mutex);

static u32 *words;
static struct place *places;
static struct kprobe **batch;
static struct counts *counts[NR_CPUS];
static unsigned int nr_words, nr_places, nr_batch, limit;

/*
 * The last step tried places first_tried to nr_tried - 1. rest is how many have not
 * been tried yet.
 */
static unsigned int first_tried, nr_tried, rest;

static nokprobe_inline struct place *place_of(struct kprobe *kp)
{
	return container_of(kp, struct place, kp);
}

static nokprobe_inline struct counts *my_counts(void)
{
	return counts[raw_smp_processor_id()];
}

#if defined(CONFIG_X86)
/* Handlers see the instruction pointer this many bytes after the probed address. */
#define IP_BEHIND	1

static nokprobe_inline bool had_irqs_on(const struct pt_regs *regs)
{
	return regs->flags & X86_EFLAGS_IF;
}

/* What changed text is. */
static nokprobe_inline enum planted planted_at(const void *addr)
{
	switch (READ_ONCE(*(const u8 *)addr)) {
	case 0xcc:
		return PLANTED_BREAKPOINT;
	case 0xe9:
	case 0xeb:
		return PLANTED_JUMP;
	}
	return PLANTED_NOTHING;
}
#elif defined(CONFIG_ARM64)
#define IP_BEHIND	0

static nokprobe_inline bool had_irqs_on(const struct pt_regs *regs)
{
	return interrupts_enabled(regs);
}

/* What changed text is. */
static nokprobe_inline enum planted planted_at(const void *addr)
{
	u32 insn = le32_to_cpu(READ_ONCE(*(const __le32 *)addr));

	if ((insn & 0xffe0001f) == 0xd4200000)
		return PLANTED_BREAKPOINT;
	if ((insn & 0xfc000000) == 0x14000000)
		return PLANTED_JUMP;
	return PLANTED_NOTHING;
}
#else
#error "name what is planted on this architecture"
#endif

/* Returns what is wrong with the state in which a handler runs, or NULL. */
static nokprobe_inline const char *odd_state(struct pt_regs *regs)
{
	if (user_mode(regs))
		return "user mode";
	/* If interrupts were disabled in the probed code, they must be here. */
	if (!irqs_disabled() && !had_irqs_on(regs))
		return "flags";
	if (preemptible())
		return "preemptible";
	return NULL;
}

/* The registers are on the stack of the probed code, so sp must be close above them. */
static nokprobe_inline bool is_odd_stack(const struct pt_regs *regs)
{
	unsigned long above = (unsigned long)(regs + 1), sp = regs->sp;

	return sp < above || sp > above + NEAR;
}

static int notrace count_pre(struct kprobe *kp, struct pt_regs *regs)
{
	struct place *p = place_of(kp);
	const char *odd = odd_state(regs);

	if (instruction_pointer(regs) != (unsigned long)kp->addr + IP_BEHIND)
		odd = "ip";
	else if (is_odd_stack(regs))
		odd = "sp";
	if (unlikely(odd))
		p->odd = odd;
	my_counts()->pre[p - places]++;
	return 0;
}

NOKPROBE_SYMBOL(count_pre);

static void notrace count_post(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
	struct place *p = place_of(kp);
	const char *odd = odd_state(regs);

	if (unlikely(odd))
		p->odd = odd;
	my_counts()->post[p - places]++;
}

NOKPROBE_SYMBOL(count_post);

static void forget_counts(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(counts[cpu], 0, sizeof(*counts[cpu]));
}

/* Registering and unregistering */

static void fresh_probe(struct place *p, bool post)
{
	kprobe_opcode_t *addr = p->kp.addr;

	memset(&p->kp, 0, sizeof(p->kp));
	p->kp.addr = addr;
	p->kp.pre_handler = count_pre;
	p->kp.post_handler = post ? count_post : NULL;
}

/* Other tracers may use the patch site of ftrace, so its text does not count. */
static bool is_changed(const struct place *p)
{
	return !(p->kp.flags & KPROBE_FLAG_FTRACE) && memcmp(p->kp.addr, p->code, p->len);
}

static enum planted planted_now(const struct place *p)
{
	return is_changed(p) ? planted_at(p->kp.addr) : PLANTED_NOTHING;
}

static void uproot(void)
{
	struct place *p;
	unsigned int i;

	unregister_kprobes(batch, nr_batch);
	for (i = 0; i < nr_batch; i++) {
		p = place_of(batch[i]);
		if (is_changed(p))
			p->odd = "text";
	}
	nr_batch = 0;
}

static int plant(bool post, unsigned int first, unsigned int step)
{
	struct place *p;
	unsigned int i;
	int ret;

	forget_counts();
	for (i = 0; i < nr_places; i++) {
		places[i].odd = NULL;
		places[i].before = 0;
		places[i].tired = false;
	}
	for (i = first; i < nr_places; i += step) {
		p = &places[i];
		if (p->error)
			continue;
		fresh_probe(p, post);
		memcpy(p->code, p->kp.addr, p->len);
		batch[nr_batch++] = &p->kp;
	}
	if (!nr_batch)
		return 0;
	ret = register_kprobes(batch, nr_batch);
	if (ret)
		nr_batch = 0;
	return ret;
}

/* Register a disabled probe. Returns false if it is refused. */
static bool try_place(unsigned int i)
{
	struct place *p = &places[i];

	p->kp.addr = (kprobe_opcode_t *)(base + (words[i] & OFFSET_MASK));
	p->len = words[i] >> LENGTH_SHIFT;
	fresh_probe(p, false);
	p->kp.flags = KPROBE_FLAG_DISABLED;
	p->error = register_kprobe(&p->kp);
	if (!p->error)
		batch[nr_batch++] = &p->kp;
	cond_resched_tasks_rcu_qs();
	return !p->error;
}

/* Find out which places can be probed. The probes are disabled, so nothing is planted. */
static void try_places(unsigned int from)
{
	unsigned int refused = 0;

	first_tried = from;
	for (nr_tried = from; nr_tried < nr_places && refused < MAX_REFUSED; nr_tried++)
		refused += !try_place(nr_tried);
	unregister_kprobes(batch, nr_batch);
	nr_batch = 0;
	rest = nr_places - nr_tried;
}

/* Disabling probes that have been hit often enough */

static unsigned long hits_of(const struct place *p)
{
	unsigned long hits = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		hits += READ_ONCE(counts[cpu]->pre[p - places]);
	return hits;
}

static void rest_if_tired(struct place *p)
{
	if (p->tired || hits_of(p) - p->before < limit)
		return;
	p->planted = planted_now(p);
	p->tired = !disable_kprobe(&p->kp);
	if (!p->tired)
		p->odd = "disable";
}

static void wake_if_tired(struct place *p)
{
	if (!p->tired)
		return;
	p->tired = false;
	if (enable_kprobe(&p->kp))
		p->odd = "enable";
}

static void look_fn(struct work_struct *work)
{
	struct delayed_work *again = to_delayed_work(work);
	unsigned int i;

	guard(mutex)(&campaign_mutex);
	for (i = 0; limit && i < nr_batch; i++)
		rest_if_tired(place_of(batch[i]));
	if (limit && nr_batch)
		schedule_delayed_work(again, msecs_to_jiffies(LOOK));
}

static DECLARE_DELAYED_WORK(look, look_fn);

static int tired_set(void *data, u64 value)
{
	struct place *p;
	unsigned int i;

	guard(mutex)(&campaign_mutex);
	for (i = 0; i < nr_batch; i++) {
		p = place_of(batch[i]);
		p->before = hits_of(p);
		if (!value)
			wake_if_tired(p);
	}
	limit = value;
	schedule_delayed_work(&look, 0);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tired_fops, NULL, tired_set, "%llu\n");

/* Results */

struct tally {
	unsigned long hits, posts, missed, excess;
	unsigned int hit, tired, jumps, breakpoints, ftrace, bare;
};

static enum planted planted_for(const struct place *p)
{
	return p->tired ? p->planted : planted_now(p);
}

static void add_place(struct tally *t, const struct place *p)
{
	enum planted planted = planted_for(p);
	unsigned long pre = hits_of(p), post = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		post += READ_ONCE(counts[cpu]->post[p - places]);
	t->hits += pre;
	t->posts += post;
	t->excess += post > pre;
	t->hit += pre > 0;
	t->missed += p->kp.nmissed;
	t->tired += p->tired;
	if (p->kp.flags & KPROBE_FLAG_FTRACE)
		t->ftrace++;
	else if (planted == PLANTED_JUMP)
		t->jumps++;
	else if (planted == PLANTED_BREAKPOINT)
		t->breakpoints++;
	else
		t->bare++;
}

static void show_odd(struct seq_file *m)
{
	unsigned int i, n = 0;

	for (i = 0; i < nr_places; i++) {
		if (!places[i].odd)
			continue;
		if (n++ < MAX_SHOWN)
			seq_printf(m, "odd %x %s\n", words[i] & OFFSET_MASK, places[i].odd);
	}
	seq_printf(m, "odds %u\n", n);
}

static int result_show(struct seq_file *m, void *v)
{
	struct tally t = {};
	unsigned int i;

	guard(mutex)(&campaign_mutex);
	for (i = 0; i < nr_batch; i++)
		add_place(&t, place_of(batch[i]));
	seq_printf(m, "probed %u\nhit %u\nhits %lu\nposts %lu\nexcess %lu\nmissed %lu\n",
		   nr_batch, t.hit, t.hits, t.posts, t.excess, t.missed);
	seq_printf(m, "jumps %u\nbreakpoints %u\nftrace %u\nbare %u\ntired %u\n",
		   t.jumps, t.breakpoints, t.ftrace, t.bare, t.tired);
	show_odd(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static int unhit_show(struct seq_file *m, void *v)
{
	const struct place *p;
	unsigned int i;

	guard(mutex)(&campaign_mutex);
	for (i = 0; i < nr_batch; i++) {
		p = place_of(batch[i]);
		if (hits_of(p) == p->before)
			seq_printf(m, "unhit %x\n", words[p - places] & OFFSET_MASK);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(unhit);

static int traps_show(struct seq_file *m, void *v)
{
	const struct place *p;
	unsigned int i;

	guard(mutex)(&campaign_mutex);
	for (i = 0; i < nr_batch; i++) {
		p = place_of(batch[i]);
		if (!(p->kp.flags & KPROBE_FLAG_FTRACE) && planted_for(p) == PLANTED_BREAKPOINT)
			seq_printf(m, "trap %x\n", words[p - places] & OFFSET_MASK);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(traps);

static int refused_show(struct seq_file *m, void *v)
{
	unsigned int i;

	guard(mutex)(&campaign_mutex);
	for (i = first_tried; i < nr_tried; i++) {
		if (places[i].error)
			seq_printf(m, "%x %d\n", words[i] & OFFSET_MASK, -places[i].error);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(refused);

/* Commands */

static ssize_t places_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	guard(mutex)(&campaign_mutex);
	if (nr_batch)
		return -EBUSY;
	return simple_write_to_buffer(words, MAX_PLACES * sizeof(*words), pos, from, len);
}

static int places_release(struct inode *inode, struct file *file)
{
	guard(mutex)(&campaign_mutex);
	nr_words = file->f_pos / sizeof(*words);
	return 0;
}

static const struct file_operations places_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = places_write,
	.release = places_release,
};

static int obey(const char *command)
{
	unsigned int first = 0, step = 1;
	char what[8];

	if (sscanf(command, "%7s %u %u", what, &first, &step) < 1 || !step)
		return -EINVAL;
	if (nr_batch)
		uproot();
	if (!strcmp(what, "off"))
		return 0;
	if (!strcmp(what, "try")) {
		nr_places = nr_words;
		try_places(0);
		return 0;
	}
	if (!strcmp(what, "more")) {
		try_places(nr_tried);
		return 0;
	}
	if (!strcmp(what, "post"))
		return plant(true, first, step);
	if (!strcmp(what, "plain"))
		return plant(false, first, step);
	return -EINVAL;
}

static ssize_t round_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	char command[32] = "";
	int ret;

	if (len >= sizeof(command))
		return -EINVAL;
	if (copy_from_user(command, from, len))
		return -EFAULT;
	guard(mutex)(&campaign_mutex);
	ret = obey(command);
	return ret ?: len;
}

static const struct file_operations round_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = round_write,
};

static void free_all(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kvfree(counts[cpu]);
	kvfree(batch);
	kvfree(places);
	kvfree(words);
}

static int alloc_all(void)
{
	int cpu;

	words = kvcalloc(MAX_PLACES, sizeof(*words), GFP_KERNEL);
	places = kvcalloc(MAX_PLACES, sizeof(*places), GFP_KERNEL);
	batch = kvcalloc(MAX_PLACES, sizeof(*batch), GFP_KERNEL);
	if (!words || !places || !batch)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		counts[cpu] = kvzalloc(sizeof(*counts[cpu]), GFP_KERNEL);
		if (!counts[cpu])
			return -ENOMEM;
	}
	return 0;
}

static struct dentry *directory;

static int __init campaign_init(void)
{
	if (alloc_all()) {
		free_all();
		return -ENOMEM;
	}
	directory = debugfs_create_dir("probe_campaign", NULL);
	debugfs_create_file("places", 0200, directory, NULL, &places_fops);
	debugfs_create_file("round", 0200, directory, NULL, &round_fops);
	debugfs_create_file_unsafe("tired", 0200, directory, NULL, &tired_fops);
	debugfs_create_file("result", 0400, directory, NULL, &result_fops);
	debugfs_create_file("unhit", 0400, directory, NULL, &unhit_fops);
	debugfs_create_file("traps", 0400, directory, NULL, &traps_fops);
	debugfs_create_file("refused", 0400, directory, NULL, &refused_fops);
	debugfs_create_u32("rest", 0400, directory, &rest);
	return 0;
}
module_init(campaign_init);

static void __exit campaign_exit(void)
{
	debugfs_remove(directory);
	limit = 0;
	cancel_delayed_work_sync(&look);
	if (nr_batch)
		uproot();
	free_all();
}
module_exit(campaign_exit);

MODULE_DESCRIPTION("Probe many instructions at once, and count and check the hits");
MODULE_LICENSE("GPL");

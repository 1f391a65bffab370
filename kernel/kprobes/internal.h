/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe core. A site is a probed address. A listener is a caller's kprobe at a site.
 *
 *	register.c	the API. Each call attaches or detaches a set of listeners
 *	locate.c	symbol + offset -> address, and whether a probe may go there
 *	blacklist.c	text where no probe may go
 *	reason.c	tells users why a probe was refused
 *	table.c		address -> site
 *	site.c		creates sites, adds listeners, decides how to plant, commits batches
 *	retire.c	frees sites without listeners after grace periods
 *	module.c	uproots sites in text that is about to be freed
 *	ftrace.c	plants sites at function entries that ftrace patches
 *	optimize.c	replaces breakpoints by jumps, and jumps by breakpoints
 *	hit.c		runs the handlers of a hit; jump_hit.c: of a hit by a jump
 *	retprobe.c	kretprobes; retprobe_hit.c: the function's entry; retprobe_rethook.c or
 *			retprobe_classic.c: the function's return
 *	slots.c		executable memory for copied instructions
 *	debugfs.c	debugfs kprobes/
 *
 * States of a site: enum site_method says how it is planted; the table in site.c has the
 * transitions. KPROBE_FLAG_OPTIMIZED with SITE_BREAKPOINT: hits avoid the bytes that a jump is
 * going to take. KPROBE_FLAG_DISABLED: no listener is enabled. @retired: there is no listener.
 * KPROBE_FLAG_GONE: the text is freed or about to be, and the site leaves the table.
 *
 * Order of locks: kprobe_mutex -> cpus_read_lock -> jump_label_lock -> text_mutex ->
 * kprobe_insn_cache::lock, and kprobe_mutex -> ftrace's locks. kprobe_mutex is outside of
 * cpus_read_lock because ftrace takes the latter when it patches under stop_machine().
 * kprobe_mutex guards all that changes; comments name the fields that it does not guard.
 *
 * Hits take no lock. They run with preemption off, so that an RCU grace period waits for them:
 *
 * - A site is complete when it enters the table, a listener when it enters the list. Each is
 *   freed one grace period after its removal. A task may be preempted in a copied instruction,
 *   so the copies are freed after a grace period of RCU-tasks, too.
 * - An NMI, or another CPU, may hit between any two stores of a change. The stores are in the
 *   order that is listed at enum site_method, and tests/windows_kunit.c hits between them.
 * - Hits read @sole, @method, @jump_runs_post, @listeners, kp.flags, kp.post_handler and
 *   entry.hook. Where the order of two of these reads matters, a comment names the barrier
 *   and the function that it pairs with.
 */
#ifndef _KERNEL_KPROBES_INTERNAL_H
#define _KERNEL_KPROBES_INTERNAL_H

#include <linux/bits.h>
#include <linux/entry_hook.h>
#include <linux/kprobe_context.h>
#include <linux/kprobe_delay.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rethook_hit.h>

struct module;
struct seq_file;

/**
 * enum site_method - how a site is planted
 * @SITE_UNPLANTED:	the text is as it is without probes
 * @SITE_BREAKPOINT:	a breakpoint instruction is in the text
 * @SITE_JUMP:		a jump to the site's detour is in the text
 * @SITE_FTRACE:	ftrace calls site_entry_hit() or kprobe_ftrace_handler(). Another user of
 *			ftrace may redirect the function, too
 * @SITE_FTRACE_IP:	ftrace calls site_ip_hit(), whose ftrace_ops has IPMODIFY, so that no
 *			other user can redirect the function. A listener with a post handler
 *			needs that
 * @SITE_FTRACE_CLAIMED: SITE_FTRACE, and the ftrace_ops with IPMODIFY is registered for the
 *			function, too, but its calls run no handlers. A listener with a post
 *			handler joined after the site had been planted
 *
 * The stores of each change, in order. "sync" means that all CPUs have seen the text.
 *
 *	listener joins		with a post handler: jump_runs_post, sole = NULL, post_handler;
 *				then the list, sole, owner, post_handler, KPROBE_FLAG_DISABLED
 *				of the site
 *	listener leaves		the list; sole and the rest as above
 *	listener is enabled	with a post handler: jump_runs_post, sole = NULL, post_handler;
 *				then its flag; sole and the rest as above
 *	listener is disabled	its flag; sole and the rest as above
 *	unplanted -> breakpoint	the text; method
 *	breakpoint -> jump	KPROBE_FLAG_OPTIMIZED; grace periods of RCU and RCU-tasks; the
 *				tail of the jump; sync; its first byte; sync; method
 *	jump -> breakpoint	the first byte; sync; the tail; sync; KPROBE_FLAG_OPTIMIZED;
 *				method
 *	breakpoint -> unplanted	the text; sync; method
 *	jump -> unplanted	the same, and then as from a breakpoint
 *	unplanted -> ftrace	the hook enters the table of entries; the filter; method
 *	ftrace -> claimed	method; the filter of the ftrace_ops with IPMODIFY
 *	ftrace -> unplanted	the hook leaves the table of entries; the filter; method
 *
 * With ARCH_KPROBE_JUMP_IN_PLACE a jump is written in place of any text:
 *
 *	any -> jump		KPROBE_FLAG_OPTIMIZED; the text; sync; method
 *	jump -> unplanted	the text; sync; method
 *
 * The listener changes before the text: it joins before the site is planted, and leaves before
 * the site is uprooted. What hits can rely on:
 *
 * - While KPROBE_FLAG_OPTIMIZED is set, the bytes behind the breakpoint may belong to the jump.
 *   The hit continues at the detour's copies of the displaced instructions, whatever handlers
 *   there are. With ARCH_KPROBE_JUMP_IN_PLACE a jump displaces none, and hits do not check.
 * - A hit by a jump runs post handlers if jump_runs_post is set. Otherwise it skips listeners
 *   that have a post handler: the jump becomes a breakpoint before these have joined.
 *   Between the two handlers of a hit, preemption is off, or interrupts are off and
 *   irqs_disabled() says so. The task cannot give up the CPU, so both run on one CPU.
 * - If the pre handler of a listener runs, its post handler runs, unless the listener is
 *   leaving. If a listener joins during a hit, its post handler may run alone.
 * - site_ip_hit() runs handlers only with SITE_FTRACE_IP. With SITE_FTRACE_CLAIMED, ftrace
 *   makes another call for the same hit, and that one runs them.
 */
enum site_method {
	SITE_UNPLANTED,
	SITE_BREAKPOINT,
	SITE_JUMP,
	SITE_FTRACE,
	SITE_FTRACE_IP,
	SITE_FTRACE_CLAIMED,
};

/**
 * struct site_entry - a site with KPROBE_FLAG_FTRACE
 * @kp:		&kprobe_site.kp
 * @hook:	with SITE_FTRACE and SITE_FTRACE_CLAIMED: the hook at the function's entry, if
 *		kprobes and fprobes share an ftrace_ops on this architecture. Changed under
 *		kprobe_mutex, read by hits under RCU. @hook.owner is the only enabled
 *		listener if that is a kretprobe without an entry handler, else NULL
 */
struct site_entry {
	struct kprobe kp;
	struct entry_hook hook;
};

/**
 * struct kprobe_site - one probed address
 * @kp:		the kprobe that architecture code sees; get_kprobe() returns it. Its
 *		address, opcode, ainsn and KPROBE_FLAG_FTRACE do not change while the site
 *		is in the table. Its handlers are in hit.c. @kp.flags and @kp.post_handler
 *		are changed under kprobe_mutex, read by hits. @kp.nmissed is incremented by
 *		hits. @kp.list links the site in a site_batch, under kprobe_mutex
 * @op:		@kp and what a jump needs; without KPROBE_FLAG_FTRACE. @op.list links the
 *		site in the lists of optimize.c and in lists of jumps to write. Guarded by
 *		kprobe_mutex
 * @entry:	@kp and what ftrace needs; with KPROBE_FLAG_FTRACE
 * @listeners:	the callers' kprobes, linked by kprobe::list. Changed under kprobe_mutex,
 *		read by hits under RCU
 * @idle:	links the site in a list of retire.c if @retired, in gone_sites if its text
 *		has gone. Guarded by kprobe_mutex
 * @rcu:	frees the site after its removal from the table
 * @sole:	the only enabled listener; NULL if there are several, if it has a post handler
 *		or if it has no pre handler. Changed under kprobe_mutex, read by hits under RCU
 * @method:	how the site is planted, an enum site_method. Changed under kprobe_mutex,
 *		read by hits
 * @no_jump:	the architecture cannot put a jump there. Guarded by kprobe_mutex
 * @unseen:	it has never been planted, so no CPU has been in its slots. Guarded by kprobe_mutex
 * @post_written: the architecture has prepared a jump for post handlers. Guarded by kprobe_mutex
 * @jump_runs_post: hits by a jump use what @post_written stands for, and so run post handlers.
 *		Set once, under kprobe_mutex, after all CPUs have been synced since it was
 *		written; with @unseen, planting the site syncs them. Set while a listener with a
 *		post handler joins, before hits can see that handler, or later by the worker in
 *		optimize.c. Read by hits
 * @widened:	ftrace saves all registers for it, though only kretprobes listened when it was
 *		planted. Guarded by kprobe_mutex
 * @retired:	there has been no listener since the site was retired. Guarded by
 *		kprobe_mutex
 *
 * The first listener creates the site. The site is retired when the last listener leaves. If a
 * listener joins before the site is freed, the site is used again.
 *
 * Sites are many, so members that exclude each other share memory. kprobe_ftrace() tells @op
 * from @entry.
 */
struct kprobe_site {
	union {
		struct kprobe kp;
#ifdef CONFIG_OPTPROBES
		struct optimized_kprobe op;
#endif
#ifdef CONFIG_KPROBES_ON_FTRACE
		struct site_entry entry;
#endif
	};
	struct list_head listeners;
	union {
		struct list_head idle;
		struct rcu_head rcu;
	};
	struct kprobe *sole;
	u8 method;
	bool no_jump;
	bool unseen;
	bool post_written;
	bool jump_runs_post;
	bool widened;
	bool retired;
};

static nokprobe_inline struct kprobe_site *to_site(struct kprobe *p)
{
	return container_of(p, struct kprobe_site, kp);
}

/* Addresses in debugfs have all digits, as tools expect. */
#define ADDR_DIGITS	((int)(2 * sizeof(unsigned long)))

static inline unsigned long site_addr(const struct kprobe_site *site)
{
	return (unsigned long)site->kp.addr;
}

/* Guards sites, their listeners and flags, the table, the blacklist and all lists of sites. */
extern struct mutex kprobe_mutex;

/* table.c */
struct kprobe_site *site_lookup(unsigned long addr);
int site_table_reserve(unsigned int nr);
void site_table_insert(struct kprobe_site *site);
void site_table_remove(struct kprobe_site *site);
struct kprobe_site *site_table_next(unsigned int *pos);
unsigned int site_table_count(void);

#define for_each_site(site, pos)				\
	for ((pos) = 0; ((site) = site_table_next(&(pos))); )

/* site.c */
void site_cache_init(void);

/**
 * struct site_batch - sites whose listeners have changed
 * @sites: the sites, linked by kp.list
 * @was_live: hits may have seen a listener that was added
 *
 * site_batch_commit() changes the text for all sites of the batch, with one filter update and
 * one sync of the other CPUs for each kind of change. A batch is local to a task that holds
 * kprobe_mutex.
 */
struct site_batch {
	struct list_head sites;
	bool was_live;
};

#define DEFINE_SITE_BATCH(name)						\
	struct site_batch name = { .sites = LIST_HEAD_INIT((name).sites) }

struct kprobe_place;

void site_batch_add(struct site_batch *batch, struct kprobe_site *site);
int site_batch_commit(struct site_batch *batch);
struct kprobe_site *site_get(const struct kprobe_place *place, struct site_batch *batch);
void site_add_listener(struct kprobe_site *site, struct kprobe *kp,
		       struct site_batch *batch);
void site_del_listener(struct kprobe_site *site, struct kprobe *kp,
		       struct site_batch *batch);
void site_switch_listener(struct kprobe_site *site, struct kprobe *kp, bool on,
			  struct site_batch *batch);
struct kprobe_site *site_of_listener(const struct kprobe *kp);
void sites_set_armed(bool armed);
bool sites_armed(void);

/* retire.c */
void site_retire(struct kprobe_site *site);
void site_unretire(struct kprobe_site *site);
void kprobe_reclaim_flush(void);

/* optimize.c */
#ifdef CONFIG_OPTPROBES
bool site_may_be_jump(struct kprobe_site *site);
void sites_to_jumps(struct list_head *sites);
void sites_to_breakpoints(struct list_head *sites);
void jumps_make_way(struct site_batch *batch);
void jump_init(struct kprobe_site *site);
void jump_prepare_in_place(struct kprobe_site *site);
void jump_prepare_post(struct kprobe_site *site);
void jump_consider(struct kprobe_site *site);
void jump_consider_around(struct kprobe_site *site);
void jump_release(struct kprobe_site *site);
void jumps_decide(void);
void jumps_wait_decided(void);
void jumps_allow(bool allowed);
#else
static inline bool site_may_be_jump(struct kprobe_site *site)
{
	return false;
}

static inline void sites_to_jumps(struct list_head *sites) { }
static inline void sites_to_breakpoints(struct list_head *sites) { }
static inline void jumps_make_way(struct site_batch *batch) { }
static inline void jump_init(struct kprobe_site *site) { }
static inline void jump_prepare_in_place(struct kprobe_site *site) { }
static inline void jump_prepare_post(struct kprobe_site *site) { }
static inline void jump_consider(struct kprobe_site *site) { }
static inline void jump_consider_around(struct kprobe_site *site) { }
static inline void jump_release(struct kprobe_site *site) { }
static inline void jumps_wait_decided(void) { }
#endif

/* ftrace.c */
#ifdef CONFIG_KPROBES_ON_FTRACE
int site_ftrace_plant(struct list_head *sites, enum site_method method);
void site_ftrace_uproot(struct list_head *sites, enum site_method method);
int site_ftrace_widen(struct list_head *sites);
void site_ftrace_refresh(struct kprobe_site *site);
#else
static inline int site_ftrace_plant(struct list_head *sites,
				    enum site_method method)
{
	return -EINVAL;
}

static inline void site_ftrace_uproot(struct list_head *sites,
				      enum site_method method) { }
static inline int site_ftrace_widen(struct list_head *sites)
{
	return 0;
}

static inline void site_ftrace_refresh(struct kprobe_site *site) { }
#endif

/* hit.c */

#define HIT_WITHOUT_POST	BIT(0)	/* this hit cannot run post handlers */
#define HIT_NESTED		BIT(1)	/* a handler of another context is running on this CPU */

int site_pre_handler(struct kprobe *p, struct pt_regs *regs);
int site_pre_handlers(struct kprobe_site *site, struct pt_regs *regs, unsigned int how);
void site_run_plain_kretprobes(struct kprobe_site *site, struct pt_regs *regs);
void site_post_handler(struct kprobe *p, struct pt_regs *regs,
		       unsigned long flags);

/* Most sites have one listener, so this is inline. Returns the same as site_pre_handler(). */
static nokprobe_inline int site_run(struct kprobe_site *site, struct pt_regs *regs,
				    unsigned int how)
{
	/* Address dependency; pairs with the smp_store_release() in site_refresh(). */
	struct kprobe *kp = READ_ONCE(site->sole);

	kprobe_delay_point(DELAY_SOLE_READ);
	if (likely(kp))
		return kp->pre_handler(kp, regs);
	return site_pre_handlers(site, regs, how);
}

/* The listener, enabled or not, if there is exactly one; else NULL. */
static nokprobe_inline struct kprobe *single_listener(struct kprobe_site *site)
{
	struct list_head *first = READ_ONCE(site->listeners.next);

	kprobe_delay_point(DELAY_LISTENER_READ);
	if (unlikely(first == &site->listeners || READ_ONCE(first->next) != &site->listeners))
		return NULL;
	return list_entry(first, struct kprobe, list);
}

/* Make @p the running kprobe of this CPU. Returns the previous one. Preemption is off. */
static nokprobe_inline struct kprobe *kprobe_run_instead(struct kprobe *p)
{
	struct kprobe *before = kprobe_running();

	__this_cpu_write(current_kprobe, p);
	return before;
}

/* locate.c */

/**
 * struct kprobe_place - the address for a probe, and what is known about it
 * @addr:	the address after symbol lookup and the architecture's adjustment
 * @on_entry:	@addr is a function's first instruction
 * @ftrace:	ftrace patches a function's entry at @addr
 * @is_clone:	the compiler made the function from another one: its name has a dot
 * @is_padding:	the symbol is the padding in front of a function
 */
struct kprobe_place {
	unsigned long addr;
	bool on_entry;
	bool ftrace;
	bool is_clone;
	bool is_padding;
};

int kprobe_locate(const struct kprobe *kp, struct kprobe_place *place);
void kprobe_place_at(unsigned long addr, struct kprobe_place *place);
int kprobe_check_place(struct kprobe_place *place);

/* reason.c */
void kprobe_tell_refusal(const char *call, const struct kprobe *kp, int err);
void kprobe_tell_none(const char *call);
bool kprobe_is_live_patched(const struct kprobe *kp);

/* register.c */
extern bool kprobes_ready;

/**
 * struct kprobe_set - the probes of one call of the API
 * @kps: an array of kprobes, if not @of_kretprobes
 * @rps: an array of kretprobes, if @of_kretprobes
 * @num: entries in the array
 * @of_kretprobes: the array is @rps
 * @is_array: the caller passed an array, not one probe
 */
struct kprobe_set {
	union {
		struct kprobe **kps;
		struct kretprobe **rps;
	};
	int num;
	bool of_kretprobes;
	bool is_array;
};

int kprobe_set_attach(const struct kprobe_set *set);
void kprobe_set_detach(const struct kprobe_set *set);
void kprobe_set_remove(const struct kprobe_set *set);
bool kprobe_set_is_open(void);
int kprobe_attach(struct kprobe *kp);
int kprobe_attach_fails(const struct kprobe *kp, int err);

/* blacklist.c */
/* Addresses that NOKPROBE_SYMBOL() recorded. The linker script defines the bounds. */
extern const unsigned long __start_kprobe_blacklist[], __stop_kprobe_blacklist[];

int kprobe_blacklist_init(void);
void kprobe_blacklist_module(struct module *mod, bool coming);
int kprobe_blacklist_show(struct seq_file *m, bool with_reasons);
const char *kprobe_blacklist_reason(unsigned long addr);
bool kprobe_place_is_black(const struct kprobe_place *place);

/* slots.c */
void kprobe_slots_init(void);

/* module.c */
extern struct list_head gone_sites;
int kprobe_module_init(void);
bool kprobe_module_announced(const struct module *mod);

/* retprobe.c */
#ifdef CONFIG_KRETPROBES
int kretprobe_attach(struct kretprobe *rp);
void kretprobe_release(struct kretprobe *rp);
int kretprobe_pre_handler(struct kprobe *p, struct pt_regs *regs);
void kretprobe_blacklist_init(void);

/* retprobe_rethook.c or retprobe_classic.c */
int kretprobe_pool_alloc(struct kretprobe *rp);
void kretprobe_pool_free(struct kretprobe *rp);
struct kretprobe_instance *kretprobe_pool_get(struct kretprobe *rp);
void kretprobe_pool_put(struct kretprobe_instance *ri);
void kretprobe_hook(struct kretprobe_instance *ri, struct pt_regs *regs,
		    bool mcount);

static inline bool is_kretprobe(const struct kprobe *kp)
{
	return kp->pre_handler == kretprobe_pre_handler;
}

/* The kretprobe of @kp, if kretprobe_enter() can handle its hits; else NULL. */
static inline struct kretprobe *kretprobe_if_plain(struct kprobe *kp)
{
	struct kretprobe *rp = container_of(kp, struct kretprobe, kp);

	if (!IS_ENABLED(CONFIG_KRETPROBE_ON_RETHOOK) || !is_kretprobe(kp) || rp->entry_handler)
		return NULL;
	return rp;
}
#else
static inline int kretprobe_attach(struct kretprobe *rp)
{
	return -EOPNOTSUPP;
}

static inline void kretprobe_release(struct kretprobe *rp) { }
static inline void kretprobe_blacklist_init(void) { }

static inline bool is_kretprobe(const struct kprobe *kp)
{
	return false;
}

static inline struct kretprobe *kretprobe_if_plain(struct kprobe *kp)
{
	return NULL;
}
#endif

#ifdef CONFIG_KRETPROBE_ON_RETHOOK
/*
 * The fast path of kretprobe_pre_handler() for @rp from kretprobe_if_plain(). It calls nothing
 * that can be probed, so current_kprobe need not be set. Returns false if it did nothing: call
 * kretprobe_pre_handler() then.
 */
static nokprobe_inline bool kretprobe_enter(struct kretprobe *rp, struct pt_regs *regs)
{
	struct rethook_node *node = rethook_take_home(rp->rh);

	if (unlikely(!node))
		return false;
	rethook_plant(node, regs, true, current);
	return true;
}
#else
static inline bool kretprobe_enter(struct kretprobe *rp, struct pt_regs *regs)
{
	return false;
}
#endif

#endif /* _KERNEL_KPROBES_INTERNAL_H */

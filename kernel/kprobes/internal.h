/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rooms of the probe core share.
 *
 * Order of locks: kprobe_mutex -> cpus_read_lock -> text_mutex -> that of a cache of slots,
 * and kprobe_mutex -> ftrace's own. cpus_read_lock comes second because ftrace takes it by
 * itself where it patches under stop_machine().
 *
 * A site changes in steps, and a CPU, or an NMI on the CPU that changes it, may hit between
 * any two of them. The steps are made in this order, and tests/windows_kunit.c hits at each:
 *
 *	a listener joins	jump_runs_post, sole = NULL and post_handler, if it has one; the
 *				list; sole, owner, post_handler, KPROBE_FLAG_DISABLED of the site
 *	it leaves		the list; the others in the same order
 *	it is enabled		jump_runs_post, sole = NULL and post_handler, if it has one; its
 *				flag; the others
 *	it is disabled		its flag; the others
 *	unplanted -> breakpoint	all of the above; the text; method
 *	any -> jump		with ARCH_KPROBE_JUMP_IN_PLACE: KPROBE_FLAG_OPTIMIZED; the text;
 *				sync; method
 *	breakpoint -> jump	KPROBE_FLAG_OPTIMIZED; grace periods of RCU and RCU-tasks; the
 *				tail of the jump; sync; its first byte; sync; method
 *	jump -> breakpoint	the first byte; sync; the tail; sync; KPROBE_FLAG_OPTIMIZED;
 *				method
 *	breakpoint -> unplanted	the above of the listener; the text; sync; method
 *	jump -> unplanted	with ARCH_KPROBE_JUMP_IN_PLACE, the same; elsewhere by way of
 *				the breakpoint
 *	unplanted -> ftrace	the hook in the table of entries; the filter; method
 *	ftrace -> claimed	method; the filter that makes the claim
 *	ftrace -> unplanted	the hook leaves the table; the filter; method
 *
 * What follows for hits:
 *
 * - While KPROBE_FLAG_OPTIMIZED is set, the bytes behind the breakpoint may be the jump's. A
 *   hit goes on at the detour's copies of what these displace, whatever handlers there are.
 *   With ARCH_KPROBE_JUMP_IN_PLACE there are none, and hits do not ask.
 * - A jump runs post handlers if jump_runs_post. A hit by any other passes over listeners that
 *   have a post handler: these have not joined before the jump has become a breakpoint. Both
 *   handlers of a hit run on one CPU: interrupts are off between them.
 * - A listener whose pre handler has run has its post handler run, but for one that is leaving.
 *   For a hit that began before a listener joined, its post handler may run alone.
 * - A hit that comes by the ftrace_ops that makes the claim runs handlers only with
 *   SITE_FTRACE_IP. With SITE_FTRACE_CLAIMED it also comes by the other one.
 */
#ifndef _KERNEL_KPROBES_INTERNAL_H
#define _KERNEL_KPROBES_INTERNAL_H

#include <linux/bits.h>
#include <linux/entry_hook.h>
#include <linux/kprobe_context.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rethook_hit.h>

struct module;
struct seq_file;

/**
 * enum site_method - how a site gets control
 * @SITE_UNPLANTED: not at all; the text is as the compiler and linker left it
 * @SITE_BREAKPOINT: a breakpoint instruction is in the text
 * @SITE_JUMP:	a jump is in the text, in place of a breakpoint
 * @SITE_FTRACE:	ftrace calls, and others may redirect the function as well
 * @SITE_FTRACE_IP:	ftrace calls by way of an ftrace_ops that is alone in redirecting it,
 *			which a listener with a post handler asks for
 * @SITE_FTRACE_CLAIMED: as with SITE_FTRACE, and that ftrace_ops only keeps others from
 *			redirecting: a listener with a post handler came later
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
 * struct site_entry - what only a site has that ftrace calls for, KPROBE_FLAG_FTRACE
 * @kp:		the site's
 * @hook:	with SITE_FTRACE, at the function's entry, where the architecture lets
 *		kprobes share that with fprobes. Changed under kprobe_mutex. @hook.owner is
 *		the only enabled listener, if it is a kretprobe without an entry handler.
 *		Read by hits under RCU
 */
struct site_entry {
	struct kprobe kp;
	struct entry_hook hook;
};

/**
 * struct kprobe_site - one probed address
 * @kp:		what architecture code sees; get_kprobe() returns it. Its address,
 *		opcode, ainsn and KPROBE_FLAG_FTRACE never change after the site is in
 *		the table. Its handlers are the core's own (see hit.c). @kp.list links it
 *		in a site_batch, under kprobe_mutex
 * @op:		the same for architectures that can plant a jump, without
 *		KPROBE_FLAG_FTRACE. @op.list links it on its way to becoming a jump, see
 *		optimize.c, and among jumps to write. Guarded by kprobe_mutex
 * @entry:	the same with KPROBE_FLAG_FTRACE
 * @listeners:	the callers' kprobes, by their list. Written under kprobe_mutex, read
 *		by hits under RCU
 * @idle:	with @retired, waiting to be reclaimed, see retire.c; else in gone_sites,
 *		see module.c. Guarded by kprobe_mutex
 * @rcu:	frees the site once out of the table
 * @sole:	the only enabled listener; NULL if several or if it has a post handler. Changed
 *		under kprobe_mutex, read by hits under RCU
 * @method:	how it is planted now, an enum site_method. Changed under kprobe_mutex, read
 *		by hits
 * @no_jump:	the architecture cannot put a jump there. Guarded by kprobe_mutex
 * @jump_runs_post: a jump can have post handlers run. Set once, under kprobe_mutex and before
 *		a listener with one is published; read by hits
 * @retired:	nobody has listened since it was retired. Guarded by kprobe_mutex
 *
 * Created by the first listener and retired after the last one; a listener that
 * comes before the site is reclaimed takes it back into service.
 *
 * There is one for each probed address, so what cannot be wanted at the same time shares
 * its place. That of @op and that of @entry are told apart by kprobe_ftrace().
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
	bool jump_runs_post;
	bool retired;
};

static nokprobe_inline struct kprobe_site *to_site(struct kprobe *p)
{
	return container_of(p, struct kprobe_site, kp);
}

/* Addresses in debugfs: all digits, as tools expect. */
#define ADDR_DIGITS	((int)(2 * sizeof(unsigned long)))

static inline unsigned long site_addr(const struct kprobe_site *site)
{
	return (unsigned long)site->kp.addr;
}

/* Guards registration: sites, listeners, flags, the table, blacklist and lists. */
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
 * struct site_batch - sites whose state has to be looked at
 * @sites: by their kp.list
 * @was_live: a listener was added where hits may see it
 *
 * Listeners come, go and change; then one site_batch_commit() makes the text agree,
 * with one filter update and one cross-CPU sync for all of them.
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
void site_put(struct kprobe_site *site);
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
static inline void jumps_decide(void) { }
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

/* How a site is hit: by what runs no post handlers; while a handler of another context runs. */
#define HIT_WITHOUT_POST	BIT(0)
#define HIT_NESTED		BIT(1)

int site_pre_handler(struct kprobe *p, struct pt_regs *regs);
int site_pre_handlers(struct kprobe_site *site, struct pt_regs *regs, unsigned int how);
void site_run_plain_kretprobes(struct kprobe_site *site, struct pt_regs *regs);
void site_post_handler(struct kprobe *p, struct pt_regs *regs,
		       unsigned long flags);

/* Most sites have one listener. Returns what site_pre_handler() does. */
static nokprobe_inline int site_run(struct kprobe_site *site, struct pt_regs *regs,
				    unsigned int how)
{
	/* What is in it: by address, pairs with site_refresh(). */
	struct kprobe *kp = READ_ONCE(site->sole);

	if (likely(kp))
		return kp->pre_handler(kp, regs);
	return site_pre_handlers(site, regs, how);
}

/* Have this CPU run a handler of @p; tells what it ran before. Preemption is off. */
static nokprobe_inline struct kprobe *kprobe_run_instead(struct kprobe *p)
{
	struct kprobe *before = kprobe_running();

	__this_cpu_write(current_kprobe, p);
	return before;
}

/* locate.c */

/**
 * struct kprobe_place - where a probe is to go
 * @addr:	the address after symbol lookup and the architecture's adjustment
 * @on_entry:	this is a function's first instruction
 * @ftrace:	this is where ftrace patches a function's entry
 * @is_clone:	the function has a name as the compiler gives to parts and variants of others
 * @is_padding:	the symbol is what an architecture has in front of a function
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
 * struct kprobe_set - the probes of one call
 * @kps: an array of kprobes, without @of_kretprobes
 * @rps: an array of kretprobes, with it
 * @num: entries in the array
 * @of_kretprobes: which of both
 * @is_array: the caller gave an array, not one probe
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
/* What NOKPROBE_SYMBOL() noted; the bounds come from the linker script. */
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

/* Where nothing but the pool of nodes is needed to hook the return. */
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
 * kretprobe_pre_handler() for one of kretprobe_if_plain(), as it mostly goes. Runs nothing
 * that could be probed, so nobody has to know. Returns false if it is to be called.
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

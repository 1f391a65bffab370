/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_KPROBES_H
#define _LINUX_KPROBES_H
/*
 * Kernel probes: run a handler where an instruction executes (kprobe) or when a
 * function returns (kretprobe). See Documentation/trace/kprobes.rst.
 *
 * The implementation is in kernel/kprobes/. This file is for users of probes (struct kprobe,
 * struct kretprobe, register_*() and unregister_*()), for architectures (arch_*() and the
 * functions that they call) and for the rest of the kernel.
 */
#include <linux/compiler.h>
#include <linux/ftrace.h>
#include <linux/linkage.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/objpool.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rethook.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <asm/kprobes.h>
#include <asm/sections.h>

struct kprobe;
struct kretprobe;
struct kretprobe_instance;
struct pt_regs;
struct task_struct;

/* kprobe_ctlblk::kprobe_status: what this CPU is doing about current_kprobe. */
#define KPROBE_HIT_ACTIVE	0x00000001	/* in a pre handler */
#define KPROBE_HIT_SS		0x00000002	/* stepping the copied instruction */
#define KPROBE_REENTER		0x00000004	/* stepping over a hit inside a hit */
#define KPROBE_HIT_SSDONE	0x00000008	/* in a post handler */

typedef int (*kprobe_pre_handler_t)(struct kprobe *p, struct pt_regs *regs);
typedef void (*kprobe_post_handler_t)(struct kprobe *p, struct pt_regs *regs,
				      unsigned long flags);
typedef int (*kretprobe_handler_t)(struct kretprobe_instance *ri,
				   struct pt_regs *regs);

#ifndef CONFIG_KPROBES
#include <asm-generic/kprobes.h>
/* These make struct kprobe a complete type. */
typedef int kprobe_opcode_t;
struct arch_specific_insn { };
#endif

/*
 * Find a function's address from that of a kprobe at its entry (@addr), or from that of ftrace's
 * call in it (@ip). Context: any.
 */
#ifndef arch_kprobe_function
static inline unsigned long arch_kprobe_function(unsigned long addr)
{
	return addr;
}
#endif

#ifndef arch_ftrace_function
static inline unsigned long arch_ftrace_function(unsigned long ip)
{
	return ip;
}
#endif

/**
 * struct kprobe - a handler to run where an instruction executes
 * @list:	links the probes of one address; private to the core while registered
 * @nmissed:	number of hits for which no handler ran, because the CPU was already in a
 *		handler. Set to 0 by registration
 * @addr:	the instruction. Set either this or @symbol_name; registration sets @addr
 *		from @symbol_name
 * @symbol_name: symbol to probe, "SYMBOL" or "MODULE:SYMBOL"
 * @offset:	bytes from @symbol_name or @addr
 * @pre_handler: runs before the instruction, preemption off, possibly in NMI
 *		context. If it returns non-zero, it has changed where execution
 *		continues: the instruction is not run, and no post handler follows
 * @post_handler: runs after the instruction
 * @opcode:	the first kprobe_opcode_t of the instruction, as it is without probes
 * @ainsn:	what the architecture keeps about the instruction; only valid in the
 *		kprobe that get_kprobe() returns
 * @flags:	KPROBE_FLAG_*. Registration reads only KPROBE_FLAG_DISABLED and
 *		KPROBE_FLAG_REENTRANT. Changed under the core's mutex
 *
 * The caller owns the memory, and must not change or free it between registration and the
 * return from unregistration.
 */
struct kprobe {
	kprobe_opcode_t *addr;
	const char *symbol_name;
	unsigned int offset;
	u32 flags;
	kprobe_pre_handler_t pre_handler;
	kprobe_post_handler_t post_handler;
	struct list_head list;
	unsigned long nmissed;
	kprobe_opcode_t opcode;
	struct arch_specific_insn ainsn;
};

#define KPROBE_FLAG_GONE		BIT(0)	/* its module or init text has gone */
#define KPROBE_FLAG_DISABLED		BIT(1)	/* registered, handlers do not run */
#define KPROBE_FLAG_OPTIMIZED		BIT(2)	/* planted as a jump, or about to be */
#define KPROBE_FLAG_FTRACE		BIT(3)	/* planted through ftrace */
#define KPROBE_FLAG_ON_FUNC_ENTRY	BIT(4)	/* at a function's first instruction */
#define KPROBE_FLAG_REENTRANT		BIT(5)	/* see kprobe_nested_hit() */

static inline bool kprobe_disabled(struct kprobe *p)
{
	const u32 off = KPROBE_FLAG_DISABLED | KPROBE_FLAG_GONE;

	return (READ_ONCE(p->flags) & off) != 0;
}

static inline bool kprobe_gone(const struct kprobe *p)
{
	return (READ_ONCE(p->flags) & KPROBE_FLAG_GONE) != 0;
}

static inline bool kprobe_optimized(const struct kprobe *p)
{
	return (READ_ONCE(p->flags) & KPROBE_FLAG_OPTIMIZED) != 0;
}

static inline bool kprobe_ftrace(struct kprobe *p)
{
	return (READ_ONCE(p->flags) & KPROBE_FLAG_FTRACE) != 0;
}

/*
 * Without CONFIG_KRETPROBE_ON_RETHOOK: the pool of instances of a kretprobe. After the kretprobe is
 * unregistered, it stays until all instances of calls in flight are back.
 */
struct kretprobe_holder {
	struct kretprobe __rcu *rp;	/* NULL once unregistered */
	struct objpool_head pool;
	struct rcu_head rcu;		/* frees the pool when no hit uses it */
};

/**
 * struct kretprobe - a handler to run when a function returns
 * @kp:		the probe at the function's entry; set @kp.addr or @kp.symbol_name
 * @handler:	runs at the return, with regs as the caller will see them
 * @entry_handler: optional, runs at the entry; if it returns non-zero, @handler does not run for
 *		this call
 * @maxactive:	number of instances to allocate at registration; 0 or less means a default.
 *		With CONFIG_KRETPROBE_ON_RETHOOK the pool grows, so this is not a limit
 * @nmissed:	number of calls whose return was not hooked, because no instance was free
 * @data_size:	bytes of private data in each instance, at most
 *		KRETPROBE_MAX_DATA_SIZE
 * @rh:		the pool of instances, with CONFIG_KRETPROBE_ON_RETHOOK
 * @rph:	the pool of instances, without
 */
struct kretprobe {
	struct kprobe kp;
	kretprobe_handler_t handler;
	kretprobe_handler_t entry_handler;
	int maxactive;
	int nmissed;
	size_t data_size;
#ifdef CONFIG_KRETPROBE_ON_RETHOOK
	struct rethook *rh;
#else
	struct kretprobe_holder *rph;
#endif
};

#define KRETPROBE_MAX_DATA_SIZE	4096

/* A call in flight whose return a kretprobe has hooked. */
struct kretprobe_instance {
#ifdef CONFIG_KRETPROBE_ON_RETHOOK
	struct rethook_node node;
#else
	struct rcu_head rcu;
	struct llist_node llist;
	struct kretprobe_holder *rph;
	kprobe_opcode_t *ret_addr;
	void *fp;
#endif
	char data[];
};

/* A function whose return must not be hooked; the table ends with a NULL name. */
struct kretprobe_blackpoint {
	const char *name;
	void *addr;
};

#ifdef CONFIG_KPROBES
#include <asm-generic/kprobes.h>

extern struct kretprobe_blackpoint kretprobe_blacklist[];

DECLARE_PER_CPU(struct kprobe_ctlblk, kprobe_ctlblk);
/* linux/kprobe_ctlblk.h has it in struct kprobe_ctlblk. */
#ifdef KPROBE_MAX_NESTING
#define current_kprobe	kprobe_ctlblk.running
#else
DECLARE_PER_CPU(struct kprobe *, current_kprobe);
#endif

/* The kprobe whose hit this CPU is handling, or NULL. Preemption must be off. */
static nokprobe_inline struct kprobe *kprobe_running(void)
{
	return __this_cpu_read(current_kprobe);
}

static nokprobe_inline void reset_current_kprobe(void)
{
	__this_cpu_write(current_kprobe, NULL);
}

static nokprobe_inline struct kprobe_ctlblk *get_kprobe_ctlblk(void)
{
	return this_cpu_ptr(&kprobe_ctlblk);
}

int register_kprobe(struct kprobe *p);
void unregister_kprobe(struct kprobe *p);
int register_kprobes(struct kprobe **kps, int num);
void unregister_kprobes(struct kprobe **kps, int num);
void unregister_kprobes_nowait(struct kprobe **kps, int num);
int enable_kprobe(struct kprobe *kp);
int disable_kprobe(struct kprobe *kp);
int enable_kprobes(struct kprobe **kps, int num);
int disable_kprobes(struct kprobe **kps, int num);

int kprobe_on_func_entry(kprobe_opcode_t *addr, const char *sym,
			 unsigned long offset);
bool within_kprobe_blacklist(unsigned long addr);

/*
 * Called between two steps of a change of text or of state, where another CPU, or an NMI on this
 * one, may hit. Tests hit there.
 */
#if IS_ENABLED(CONFIG_KPROBES_KUNIT_TEST) && IS_ENABLED(CONFIG_OPTPROBES)
void kprobe_test_step(void);
#else
static inline void kprobe_test_step(void) { }
#endif

/* For architectures to call. */
struct kprobe *get_kprobe(void *addr);
void kprobes_inc_nmissed_count(struct kprobe *p);
int kprobe_refuse(int err, const char *reason);
const char *kprobe_reason_at(unsigned long addr);
const char *kprobe_text_reserved(unsigned long first, unsigned long last);
bool arch_kprobe_insn_bounds(unsigned long addr, unsigned long *before, unsigned long *behind);
int kprobe_nested_hit(struct kprobe *p, struct pt_regs *regs, bool by_jump);
void dump_kprobe(struct kprobe *kp);
kprobe_opcode_t *kprobe_lookup_name(const char *name, unsigned int offset);
int kprobe_add_ksym_blacklist(unsigned long entry);
int kprobe_add_area_blacklist(unsigned long start, unsigned long end);
void kprobe_busy_begin(void);
void kprobe_busy_end(void);

/* For architectures to provide. */
int arch_init_kprobes(void);
int arch_prepare_kprobe(struct kprobe *p);
void arch_arm_kprobe(struct kprobe *p);
void arch_disarm_kprobe(struct kprobe *p);
void arch_arm_kprobes(struct list_head *kps);
void arch_disarm_kprobes(struct list_head *kps);
int arch_trampoline_kprobe(struct kprobe *p);
int arch_populate_kprobe_blacklist(void);
bool arch_within_kprobe_blacklist(unsigned long addr);
bool arch_may_be_jump_label(unsigned long addr);
bool arch_may_be_bug(unsigned long addr);
bool arch_kprobe_text_reserved(unsigned long first, unsigned long last);
kprobe_opcode_t *arch_adjust_kprobe_addr(unsigned long addr,
					 unsigned long offset,
					 bool *on_func_entry);
int kprobe_exceptions_notify(struct notifier_block *self, unsigned long val,
			     void *data);

/* For the rest of the kernel. */
void kprobe_flush_task(struct task_struct *tk);
void kprobe_free_init_mem(void);
void kprobe_reclaim_throttle(void);
int kprobe_get_kallsym(unsigned int symnum, unsigned long *value, char *type,
		       char *sym);

/* Caches of executable memory for copied instructions, see kernel/kprobes/slots.c. */
struct kprobe_insn_cache;

#ifdef __ARCH_WANT_KPROBES_INSN_SLOT
extern struct kprobe_insn_cache kprobe_insn_slots;

kprobe_opcode_t *__get_insn_slot(struct kprobe_insn_cache *c);
void __free_insn_slot(struct kprobe_insn_cache *c, kprobe_opcode_t *slot,
		      int dirty);
kprobe_opcode_t *kprobe_get_slots(struct kprobe_insn_cache *c, unsigned int nr);
kprobe_opcode_t *kprobe_get_slots_near(struct kprobe_insn_cache *c, unsigned int nr,
				       unsigned long first, unsigned long last);
void kprobe_put_slots(struct kprobe_insn_cache *c, kprobe_opcode_t *slot, unsigned int nr);
bool __is_insn_slot_addr(struct kprobe_insn_cache *c, unsigned long addr);
void *alloc_insn_page(void);
void *alloc_insn_page_near(unsigned long first, unsigned long last);

static inline kprobe_opcode_t *get_insn_slot(void)
{
	return __get_insn_slot(&kprobe_insn_slots);
}

static inline void free_insn_slot(kprobe_opcode_t *slot, int dirty)
{
	__free_insn_slot(&kprobe_insn_slots, slot, dirty);
}

static inline bool is_kprobe_insn_slot(unsigned long addr)
{
	return __is_insn_slot_addr(&kprobe_insn_slots, addr);
}
#else
static inline bool is_kprobe_insn_slot(unsigned long addr)
{
	return false;
}
#endif /* __ARCH_WANT_KPROBES_INSN_SLOT */

/*
 * An architecture defines it as 1 if a jump, a breakpoint and every instruction have the same
 * length: a jump displaces only the probed instruction, and is written in its place at once.
 */
#ifndef ARCH_KPROBE_JUMP_IN_PLACE
#define ARCH_KPROBE_JUMP_IN_PLACE	0
#endif

#ifdef CONFIG_OPTPROBES
/* Part of a site (see kernel/kprobes/internal.h) that may be planted as a jump. */
struct optimized_kprobe {
	struct kprobe kp;
	struct list_head list;
	struct arch_optimized_insn optinsn;
};

int arch_prepared_optinsn(struct arch_optimized_insn *optinsn);
int arch_check_optimized_kprobe(struct optimized_kprobe *op);
int arch_prepare_optimized_kprobe(struct optimized_kprobe *op,
				  struct kprobe *orig);
void arch_remove_optimized_kprobe(struct optimized_kprobe *op);
void arch_optimize_kprobes(struct list_head *oplist);
void arch_unoptimize_kprobes(struct list_head *oplist,
			     struct list_head *done_list);
int arch_within_optimized_kprobe(struct optimized_kprobe *op,
				 kprobe_opcode_t *addr);
void opt_pre_handler(struct kprobe *p, struct pt_regs *regs);
int kprobe_jump_hit(struct kprobe *p, struct pt_regs *regs);
struct kprobe_saved *kprobe_jump_steps(struct kprobe *p);
int kprobe_jump_post(struct kprobe *p, struct pt_regs *regs);

/* arm and powerpc define it; the core does not call it. */
void arch_unoptimize_kprobe(struct optimized_kprobe *op);

/* For architectures to provide if hits by a jump can run post handlers. */
int arch_prepare_post_jump(struct optimized_kprobe *op);
void arch_sync_post_jumps(void);
bool arch_kprobe_jump_run(struct kprobe *p, struct pt_regs *regs);
void arch_kprobe_jump_ran(const struct kprobe_saved *saved, struct pt_regs *regs);
void arch_kprobe_jump_irqs_restore(const struct pt_regs *regs);
void wait_for_kprobe_optimizer(void);

extern struct kprobe_insn_cache kprobe_optinsn_slots;

void *alloc_optinsn_page(void);
void free_optinsn_page(void *page);
int kprobe_optinsn_page_add(void *page);
void kprobe_optinsn_page_del(void *page);

static inline kprobe_opcode_t *get_optinsn_slot(void)
{
	return __get_insn_slot(&kprobe_optinsn_slots);
}

static inline void free_optinsn_slot(kprobe_opcode_t *slot, int dirty)
{
	__free_insn_slot(&kprobe_optinsn_slots, slot, dirty);
}

static inline bool is_kprobe_optinsn_slot(unsigned long addr)
{
	return __is_insn_slot_addr(&kprobe_optinsn_slots, addr);
}
#else
static inline bool is_kprobe_optinsn_slot(unsigned long addr)
{
	return false;
}
#endif /* CONFIG_OPTPROBES */

#ifdef CONFIG_KPROBES_ON_FTRACE
void kprobe_ftrace_handler(unsigned long ip, unsigned long parent_ip,
			   struct ftrace_ops *ops, struct ftrace_regs *fregs);
int arch_prepare_kprobe_ftrace(struct kprobe *p);
void kprobe_ftrace_kill(void);
extern bool kprobe_ftrace_disabled;
#else
static inline int arch_prepare_kprobe_ftrace(struct kprobe *p)
{
	return -EINVAL;
}

static inline void kprobe_ftrace_kill(void) { }
#endif /* CONFIG_KPROBES_ON_FTRACE */

#else /* !CONFIG_KPROBES */

static inline void unregister_kprobe(struct kprobe *p) { }
static inline void unregister_kprobes(struct kprobe **kps, int n) { }
static inline void unregister_kprobes_nowait(struct kprobe **kps, int n) { }
static inline void kprobe_flush_task(struct task_struct *tk) { }
static inline void kprobe_free_init_mem(void) { }
static inline void kprobe_reclaim_throttle(void) { }
static inline void kprobe_ftrace_kill(void) { }
static inline void kprobe_test_step(void) { }

static inline int register_kprobe(struct kprobe *p)
{
	return -EOPNOTSUPP;
}

static inline int register_kprobes(struct kprobe **kps, int n)
{
	return -EOPNOTSUPP;
}

static inline int enable_kprobe(struct kprobe *p)
{
	return -EOPNOTSUPP;
}

static inline int enable_kprobes(struct kprobe **kps, int n)
{
	return -EOPNOTSUPP;
}

static inline int disable_kprobe(struct kprobe *p)
{
	return -EOPNOTSUPP;
}

static inline int disable_kprobes(struct kprobe **kps, int n)
{
	return -EOPNOTSUPP;
}

static inline int kprobe_fault_handler(struct pt_regs *regs, int trapnr)
{
	return 0;
}

static inline int kprobe_get_kallsym(unsigned int n, unsigned long *value,
				     char *type, char *sym)
{
	return -ERANGE;
}

static inline struct kprobe *get_kprobe(void *addr)
{
	return NULL;
}

static inline struct kprobe *kprobe_running(void)
{
	return NULL;
}

static inline bool within_kprobe_blacklist(unsigned long addr)
{
	return true;
}

static inline bool is_kprobe_insn_slot(unsigned long addr)
{
	return false;
}

static inline bool is_kprobe_optinsn_slot(unsigned long addr)
{
	return false;
}

#endif /* CONFIG_KPROBES */

#ifdef CONFIG_KRETPROBES
int register_kretprobe(struct kretprobe *rp);
void unregister_kretprobe(struct kretprobe *rp);
int register_kretprobes(struct kretprobe **rps, int num);
void unregister_kretprobes(struct kretprobe **rps, int num);
void unregister_kretprobes_nowait(struct kretprobe **rps, int num);

#else
static inline void unregister_kretprobe(struct kretprobe *rp) { }
static inline void unregister_kretprobes(struct kretprobe **rps, int n) { }
static inline void unregister_kretprobes_nowait(struct kretprobe **rps, int n) { }

static inline int register_kretprobe(struct kretprobe *rp)
{
	return -EOPNOTSUPP;
}

static inline int register_kretprobes(struct kretprobe **rps, int n)
{
	return -EOPNOTSUPP;
}
#endif /* CONFIG_KRETPROBES */

static inline int enable_kretprobe(struct kretprobe *rp)
{
	return enable_kprobe(&rp->kp);
}

static inline int disable_kretprobe(struct kretprobe *rp)
{
	return disable_kprobe(&rp->kp);
}

/*
 * Kretprobes use rethook if the architecture has it, else a trampoline and a list of their own.
 * get_kretprobe() is for handlers. Without rethook, it returns NULL if the kretprobe was
 * unregistered while the call was in flight.
 */
#ifdef CONFIG_KRETPROBE_ON_RETHOOK
#define kretprobe_find_ret_addr(tsk, fp, cur)	\
	rethook_find_ret_addr(tsk, (unsigned long)(fp), cur)
#define kretprobe_trampoline_entry	arch_rethook_trampoline

static nokprobe_inline struct kretprobe *
get_kretprobe(struct kretprobe_instance *ri)
{
	return READ_ONCE(ri->node.rethook->data);
}

static nokprobe_inline unsigned long
get_kretprobe_retaddr(struct kretprobe_instance *ri)
{
	return ri->node.ret_addr;
}
#else
#define kretprobe_trampoline_entry	__kretprobe_trampoline

void __kretprobe_trampoline(void);
void arch_prepare_kretprobe(struct kretprobe_instance *instance,
			    struct pt_regs *regs);
void arch_kretprobe_fixup_return(struct pt_regs *regs, kprobe_opcode_t *to);
unsigned long kretprobe_trampoline_handler(struct pt_regs *regs, void *frame);
unsigned long __kretprobe_trampoline_handler(struct pt_regs *regs, void *frame);

#ifdef CONFIG_KRETPROBES
unsigned long kretprobe_find_ret_addr(struct task_struct *tsk, void *frame,
				      struct llist_node **cur);
#else
static inline unsigned long
kretprobe_find_ret_addr(struct task_struct *tsk, void *frame,
			struct llist_node **cur)
{
	return 0;
}
#endif

static nokprobe_inline struct kretprobe *
get_kretprobe(struct kretprobe_instance *ri)
{
	/* Handlers run with preemption off. */
	return rcu_dereference_sched(ri->rph->rp);
}

static nokprobe_inline unsigned long
get_kretprobe_retaddr(struct kretprobe_instance *ri)
{
	return (unsigned long)ri->ret_addr;
}
#endif /* CONFIG_KRETPROBE_ON_RETHOOK */

/* Has a kretprobe replaced this return address? */
static nokprobe_inline bool is_kretprobe_trampoline(unsigned long addr)
{
#ifdef CONFIG_KRETPROBES
	void *entry = dereference_kernel_function_descriptor(kretprobe_trampoline_entry);

	return addr == (unsigned long)entry;
#else
	return false;
#endif
}

/**
 * kprobe_page_fault - handle a page fault of a stepped instruction
 * @regs: where the fault was taken
 * @trap: the architecture's number of the fault
 *
 * Page fault handlers call it first. If the fault is in the copy of an instruction, the
 * instruction pointer is set to the probed instruction, so that the handler and the exception
 * tables see the same as without a probe.
 *
 * Return: true if nothing is left to do for the fault.
 */
static nokprobe_inline bool kprobe_page_fault(struct pt_regs *regs,
					      unsigned int trap)
{
	if (!IS_ENABLED(CONFIG_KPROBES) || user_mode(regs))
		return false;
	/* Stepping never leaves preemption on, and kprobe_running() needs it off. */
	if (preemptible() || !kprobe_running())
		return false;
	return kprobe_fault_handler(regs, trap);
}

#endif /* _LINUX_KPROBES_H */

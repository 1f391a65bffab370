// SPDX-License-Identifier: GPL-2.0-only
/*
 * Find the address that a caller names, and check whether a probe may go there.
 *
 * These checks are the same on all architectures. arch_prepare_kprobe() checks the
 * instruction.
 */
#include <linux/bug.h>
#include <linux/ftrace.h>
#include <linux/jump_label.h>
#include <linux/kallsyms.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include "internal.h"

/**
 * kprobe_lookup_name - look up the address of a symbol
 * @name: "SYMBOL" or "MODULE:SYMBOL"
 * @offset: offset that the caller will add to the result
 *
 * Architectures override it if a function has more than one entry.
 *
 * Return: the address, NULL if there is no such symbol.
 */
kprobe_opcode_t *__weak kprobe_lookup_name(const char *name,
					   unsigned int offset)
{
	return (kprobe_opcode_t *)kallsyms_lookup_name(name);
}

/**
 * arch_adjust_kprobe_addr - address to probe for an offset in a function
 * @addr: start of the function
 * @offset: bytes from there
 * @on_func_entry: set to true if that is the function's first instruction, else to false
 *
 * Architectures override it if functions start with a landing pad.
 *
 * Return: the address to probe, NULL if there is none.
 */
kprobe_opcode_t *__weak arch_adjust_kprobe_addr(unsigned long addr,
						unsigned long offset,
						bool *on_func_entry)
{
	*on_func_entry = !offset;
	addr += offset;
	return (kprobe_opcode_t *)addr;
}

#ifdef CONFIG_DYNAMIC_FTRACE
/* Is @addr inside the instructions that ftrace patches, but not at their start? */
static bool in_ftrace_insns(unsigned long addr)
{
	unsigned long start = ftrace_location(addr);

	return start && addr > start && addr < start + MCOUNT_INSN_SIZE;
}

/*
 * A function may begin with instructions that ftrace patches. Without CONFIG_KPROBES_ON_FTRACE the
 * instruction behind them is the first one that can be probed, and counts as the function's entry.
 */
static unsigned long behind_ftrace_insns(unsigned long entry)
{
	if (IS_ENABLED(CONFIG_KPROBES_ON_FTRACE) || ftrace_location(entry) != entry)
		return entry;
	return entry + MCOUNT_INSN_SIZE;
}
#else
static bool in_ftrace_insns(unsigned long addr)
{
	return false;
}

static unsigned long behind_ftrace_insns(unsigned long entry)
{
	return entry;
}
#endif /* CONFIG_DYNAMIC_FTRACE */

/* Record what the symbol's name tells. */
static void note_name(struct kprobe_place *place, const char *name)
{
	place->is_clone = strchr(name, '.');
	place->is_padding = str_has_prefix(name, "__cfi_") || str_has_prefix(name, "__pfx_");
}

/*
 * Is @at in the module of this name? Ftrace keeps the symbols of a module's init text after the
 * text is freed. Another module may be there by then.
 */
static bool in_module(unsigned long at, const char *name)
{
	struct module *mod = __module_address(at);

	return mod && !strcmp(module_name(mod), name);
}

/*
 * Set @into to the distance of @at from the start of its symbol, and record in @place what the
 * name tells kprobe_check_place(). One lookup does both: in a module it walks all symbols.
 */
static bool find_symbol(unsigned long at, unsigned long *into, struct kprobe_place *place)
{
	char buf[KSYM_NAME_LEN], *module = NULL;
	unsigned long size;
	const char *name;

	/* The module cannot be freed while preemption is off. */
	guard(preempt)();
	name = kallsyms_lookup(at, &size, into, &module, buf);
	if (!name || (module && !in_module(at, module)))
		return false;
	note_name(place, name);
	return true;
}

static int locate(const kprobe_opcode_t *addr, const char *name,
		  unsigned long offset, struct kprobe_place *place)
{
	const kprobe_opcode_t *start = addr;
	unsigned long at, into;

	if (!addr == !name)
		return -EINVAL;
	if (name)
		start = kprobe_lookup_name(name, offset);
	if (!start)
		return -ENOENT;

	/* The offset may lead out of the named symbol. */
	at = (unsigned long)start + offset;
	if (!find_symbol(at, &into, place))
		return -ENOENT;
	start = arch_adjust_kprobe_addr(at - into, into, &place->on_entry);
	if (!start)
		return -EINVAL;
	place->addr = (unsigned long)start;
	if (place->on_entry)
		place->addr = behind_ftrace_insns(place->addr);
	else if (place->addr == behind_ftrace_insns(at - into))
		place->on_entry = true;
	return 0;
}

/**
 * kprobe_locate - find the address that a kprobe names
 * @kp: only its addr, symbol_name and offset are read
 * @place: receives the address and whether it is a function's entry
 *
 * Return: 0; -EINVAL if @kp has both or neither of address and name; -ENOENT if there
 * is no such symbol, or no symbol covers the address.
 */
int kprobe_locate(const struct kprobe *kp, struct kprobe_place *place)
{
	int ret = locate(kp->addr, kp->symbol_name, kp->offset, place);

	if (!ret)
		return 0;
	if (!kp->addr == !kp->symbol_name)
		return kprobe_refuse(ret, kp->addr ? "both an address and a symbol are given" :
						     "neither an address nor a symbol is given");
	if (ret == -EINVAL)
		return kprobe_refuse(ret, "in front of a function's first instruction");
	if (!kp->symbol_name || kprobe_lookup_name(kp->symbol_name, kp->offset))
		return kprobe_refuse(ret, "no function is at this address");
	return ret;
}

/**
 * kprobe_place_at - fill a struct kprobe_place for an address
 * @addr: the address; a probe there need not be possible
 * @place: receives what kprobe_check_place() needs
 *
 * Context: process.
 */
void kprobe_place_at(unsigned long addr, struct kprobe_place *place)
{
	char name[KSYM_NAME_LEN];

	*place = (struct kprobe_place) { .addr = addr };
	if (!lookup_symbol_name(addr, name))
		note_name(place, name);
}

/**
 * kprobe_on_func_entry - is this the first instruction of a function?
 * @addr: an address, or NULL
 * @sym: a symbol, if @addr is NULL
 * @offset: bytes from there
 *
 * Context: process.
 * Return: 0 if it is; -EINVAL if it is not, or if both or neither of @addr and @sym
 * are given; -ENOENT if there is no such symbol.
 */
int kprobe_on_func_entry(kprobe_opcode_t *addr, const char *sym,
			 unsigned long offset)
{
	struct kprobe_place place;
	int ret = locate(addr, sym, offset, &place);

	if (ret)
		return ret;
	return place.on_entry ? 0 : -EINVAL;
}

/**
 * arch_may_be_jump_label - can this instruction be one of a static branch?
 * @addr: the instruction
 *
 * Saves a walk of the list of all static branches, which is long and not sorted: the walk takes a
 * thousand times as long as this.
 *
 * Context: process.
 * Return: false if it cannot.
 */
bool __weak arch_may_be_jump_label(unsigned long addr)
{
	return true;
}

/**
 * arch_may_be_bug - can this instruction be the trap of a BUG() or a WARN()?
 * @addr: the instruction
 *
 * Saves a walk of the list of all of them.
 *
 * Context: process.
 * Return: false if it cannot.
 */
bool __weak arch_may_be_bug(unsigned long addr)
{
	return true;
}

/**
 * arch_kprobe_text_reserved - does the architecture patch these bytes?
 * @first: the first byte
 * @last: the last byte
 *
 * Context: process, text_mutex held.
 * Return: true if so.
 */
bool __weak arch_kprobe_text_reserved(unsigned long first, unsigned long last)
{
	return false;
}

static bool static_branch_reserved(unsigned long first, unsigned long last)
{
	unsigned long addr;

	for (addr = first; addr <= last; addr++) {
		if (arch_may_be_jump_label(addr))
			return jump_label_text_reserved((void *)first, (void *)last);
	}
	return false;
}

/**
 * kprobe_text_reserved - does other code patch these bytes?
 * @first: the first byte
 * @last: the last byte
 *
 * Static calls, static branches, ftrace and alternatives write instructions while the kernel runs
 * and know nothing of probes. So no probe may be at these instructions, and no jump may displace
 * them or take its last bytes from them. This is the only check for that. They patch whole
 * instructions, so for a probe its first byte is enough.
 *
 * Context: process, kprobe_mutex, jump_label_lock() and text_mutex held.
 * Return: the reason, a string constant; NULL if no other code patches them.
 */
const char *kprobe_text_reserved(unsigned long first, unsigned long last)
{
	void *start = (void *)first, *end = (void *)last;

	lockdep_assert_held(&text_mutex);
	if (static_call_text_reserved(start, end))
		return "static call here, which is rewritten at any time";
	if (static_branch_reserved(first, last))
		return "jump label here, which is rewritten at any time";
	if (ftrace_text_reserved(start, end) || arch_kprobe_text_reserved(first, last))
		return "alternatives or ftrace write to these bytes";
	return NULL;
}

/* Why other code needs the instruction at @addr as it is, or patches it; NULL if there is none. */
static const char *check_other_users(unsigned long addr)
{
	const char *reason;

	if (arch_may_be_bug(addr) && find_bug(addr))
		return "the trap of a BUG() or a WARN() is here";
	jump_label_lock();
	mutex_lock(&text_mutex);
	reason = kprobe_text_reserved(addr, addr);
	mutex_unlock(&text_mutex);
	jump_label_unlock();
	return reason;
}

static const char not_text[] = "not in kernel text";

#ifdef CONFIG_MODULES
/*
 * No reference to the module is needed. If the module is not yet going here, the notifier will
 * run later: it waits for kprobe_mutex, and then sees the new site. Before the notifier has run for
 * a coming module, this is not certain, and the blacklist lacks functions of the module.
 */
static int check_module_text(unsigned long addr)
{
	struct module *mod;
	int ret = 0;

	guard(preempt)();
	mod = __module_text_address(addr);
	if (!mod)
		return kprobe_refuse(-EINVAL, not_text);
	if (mod->state == MODULE_STATE_GOING)
		ret = kprobe_refuse(-ENOENT, "its module is being unloaded");
	if (mod->state == MODULE_STATE_COMING && !kprobe_module_announced(mod))
		ret = kprobe_refuse(-ENOENT, "its module is being loaded");
	/* Init text is freed soon after the module is live. */
	if (within_module_init(addr, mod) && mod->state != MODULE_STATE_COMING)
		ret = kprobe_refuse(-ENOENT, "init text of a module that has come up");
	return ret;
}
#else
static int check_module_text(unsigned long addr)
{
	return kprobe_refuse(-EINVAL, not_text);
}
#endif /* CONFIG_MODULES */

/**
 * kprobe_check_place - check whether a probe may go there
 * @place: from kprobe_locate() or kprobe_place_at(); @place->ftrace is set
 *
 * Context: process, kprobe_mutex held.
 * Return: 0; -ENOENT if the text is about to be freed; -EINVAL if the address is not kernel text,
 * or is blacklisted, or other code patches it; -EILSEQ if it is inside the instructions that
 * ftrace patches.
 */
int kprobe_check_place(struct kprobe_place *place)
{
	unsigned long addr = place->addr;
	const char *other;
	int ret;

	if (!core_kernel_text(addr)) {
		ret = check_module_text(addr);
		if (ret)
			return ret;
	}
	if (in_gate_area_no_mm(addr))
		return kprobe_refuse(-EINVAL, not_text);
	if (kprobe_place_is_black(place))
		return kprobe_refuse(-EINVAL, kprobe_blacklist_reason(addr));

	/* No other code patches ftrace's instructions, so skip the checks that walk long lists. */
	place->ftrace = ftrace_location(addr) == addr;
	if (place->ftrace && !IS_ENABLED(CONFIG_KPROBES_ON_FTRACE))
		return kprobe_refuse(-EINVAL, "ftrace patches this instruction");
	if (place->ftrace)
		return 0;
	if (in_ftrace_insns(addr))
		return kprobe_refuse(-EILSEQ, "inside what ftrace patches at a function's entry");
	if (place->is_padding)
		return kprobe_refuse(-EINVAL, "padding in front of a function, which never runs");
	other = check_other_users(addr);
	return other ? kprobe_refuse(-EINVAL, other) : 0;
}

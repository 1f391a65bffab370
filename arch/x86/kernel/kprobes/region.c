// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: find the instructions that a jump may displace.
 *
 * A jump has five bytes, so it displaces the probed instruction and often some behind it.
 * Execution may reach the latter only from the probed one: not by a branch, an exception's
 * fixup or a return. No other code may patch them.
 *
 * This decodes the function and its other part (".cold") for branches, and reads the tables
 * of exceptions and of jump labels. With IBT, the target of an indirect branch is an ENDBR.
 * Without IBT, an indirect jump in the function may lead anywhere.
 *
 * That takes long. Who probes many instructions often probes several of a function, so what was
 * found out about the last function is kept.
 */
#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/cpu.h>
#include <linux/errno.h>
#include <linux/extable.h>
#include <linux/jump_label.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kunit/visibility.h>

#include <asm/cpufeature.h>
#include <asm/extable.h>
#include <asm/ibt.h>

#include "private.h"

/* For tests: assume that all instructions behind the probed one are branch targets. */
VISIBLE_IF_KUNIT bool kprobe_region_entered_everywhere;

/* Number of symbols that may have branches into a region. */
#define MAX_PARTS	16

/* Number of prefixes of a region that are too short for a jump: of one to four bytes. */
#define MAX_PREFIXES	(JMP32_INSN_SIZE - 1)

/**
 * struct region_prefix - the first instructions of a region, too short for a jump
 * @end: end of the last one
 * @free_end: end of the padding behind it, if execution cannot continue at @end
 * @runs_on: execution may continue at @end
 */
struct region_prefix {
	unsigned long end;
	unsigned long free_end;
	bool runs_on;
};

/**
 * struct region_search - the search for the region of one probe
 * @r: the result
 * @text: the current instruction
 * @first_end: end of the probed instruction, or of the padding behind it if execution cannot
 *	continue there
 * @entered: the lowest address behind the probed instruction that execution can reach in
 *	another way
 * @prefix: prefixes of the region that are too short for a jump, the shortest first
 * @nr_prefixes: number of these
 * @start: start of the symbol that has the probed instruction
 * @end: end of the symbol
 * @part: start addresses of symbols that may have branches into the region
 * @nr_parts: number of these
 * @unsure: there may be more of these
 * @anywhere: execution may enter the symbol at any instruction
 */
struct region_search {
	struct kprobe_region r;
	struct probed_text text;
	unsigned long first_end;
	unsigned long entered;
	struct region_prefix prefix[MAX_PREFIXES];
	unsigned int nr_prefixes;
	unsigned long start;
	unsigned long end;
	unsigned long part[MAX_PARTS];
	unsigned int nr_parts;
	bool unsure;
	bool anywhere;
};

/**
 * struct entries - where execution can enter a symbol of the kernel
 * @start: start of the symbol
 * @nr: number of bits in @map
 * @known: the symbol has been searched
 * @anywhere: at any instruction
 * @map: a bit for each byte of the symbol, and of what a jump at its end takes
 *
 * Modules are not kept, because others may be loaded in their place. In the kernel, branches only
 * change where jump labels are, and @map has both targets of these.
 */
struct entries {
	unsigned long start;
	unsigned long nr;
	bool known;
	bool anywhere;
	unsigned long *map;
};

/* Those of the symbol that was searched last. Guarded by kprobe_mutex. */
static struct entries last_entries;

/* Does execution never continue behind this instruction? */
static bool ends_run(const struct insn *insn)
{
	switch (kprobe_insn_opcode(insn)) {
	case 0xc2:		/* ret */
	case 0xc3:
	case 0xe9:		/* jmp */
	case 0xeb:
		return true;
	case 0xff:
		return X86_MODRM_REG(insn->modrm.bytes[0]) == 4;
	default:
		return false;
	}
}

static bool is_indirect_jump(const struct insn *insn)
{
	return kprobe_insn_opcode(insn) == 0xff &&
	       X86_MODRM_REG(insn->modrm.bytes[0]) == 4;
}

/* Is this an instruction with which the compiler and the assembler fill gaps? */
static bool is_padding(const struct insn *insn)
{
	unsigned int opcode = kprobe_insn_opcode(insn);

	return opcode == INT3_INSN_OPCODE || opcode == 0x90 || opcode == 0x0f1f;
}

/* The end of the padding at @addr. */
static unsigned long padding_end(struct region_search *s, unsigned long addr,
				 unsigned long end)
{
	while (addr < end && kprobe_insn_read(&s->text, addr, end) >= 0 &&
	       is_padding(&s->text.insn))
		addr += s->text.insn.length;
	return addr;
}

/*
 * May the instruction run in the detour instead? Not if the exception table has an entry for it, or
 * if an indirect branch may lead there.
 */
static bool may_move(const struct probed_text *text, unsigned long addr)
{
	return !kprobe_insn_check(text) && !search_exception_tables(addr) &&
	       !kprobe_insn_is_endbr(&text->insn);
}

static unsigned long jump_end(const struct kprobe_region *r)
{
	return r->start + JMP32_INSN_SIZE;
}

static void add_prefix(struct region_search *s, unsigned long free_end)
{
	if (free_end < jump_end(&s->r))
		s->prefix[s->nr_prefixes++] = (struct region_prefix){
			.end = s->r.end,
			.free_end = free_end,
			.runs_on = s->r.runs_on,
		};
}

/* Add instructions from the probed one on until a jump fits. The symbol ends at @end. */
static int grow_region(struct region_search *s, unsigned long end)
{
	struct kprobe_region *r = &s->r;
	unsigned long pos = r->start;

	do {
		if (pos >= end)
			return -ENOSPC;
		if (kprobe_insn_read(&s->text, pos, end) < 0 || !may_move(&s->text, pos))
			return -EINVAL;
		pos += s->text.insn.length;
		r->end = pos;
		r->runs_on = !ends_run(&s->text.insn);
		if (!r->runs_on)
			pos = padding_end(s, pos, end);
		if (!s->first_end)
			s->first_end = pos;
		add_prefix(s, pos);
		if (pos >= jump_end(r))
			return 0;
		/* A call would return into the jump. */
	} while (r->runs_on && !kprobe_insn_is_call(&s->text.insn));
	return -ENOSPC;
}

/* Does other code patch the bytes that the jump takes, or the instructions that it displaces? */
static bool is_reserved(const struct kprobe_region *r)
{
	return kprobe_text_reserved(r->start, max(r->end, jump_end(r)) - 1);
}

static void enter_at(struct region_search *s, unsigned long addr)
{
	if (addr > s->r.start && addr < s->entered)
		s->entered = addr;
}

/* Execution can reach @addr without the probed instruction. */
static void note_entry(struct region_search *s, unsigned long addr)
{
	struct entries *e = &last_entries;

	enter_at(s, addr);
	if (e->map && addr >= e->start && addr - e->start < e->nr)
		__set_bit(addr - e->start, e->map);
}

/* Execution may reach any instruction. */
static void note_any_entry(struct region_search *s)
{
	s->anywhere = true;
	enter_at(s, s->first_end);
}

static void note_branch(struct region_search *s, const struct insn *insn, unsigned long addr)
{
	if (kprobe_insn_is_relative(insn))
		note_entry(s, addr + insn->length + insn->immediate.value);
}

/*
 * Do indirect branches lead only to an ENDBR? There is none in a region. Objtool has checked the
 * kernel for that. A module may be built without ENDBRs, and then faults if the processor checks
 * for them.
 */
static bool only_endbr_is_landed_on(const struct region_search *s)
{
	if (core_kernel_text(s->r.start))
		return HAS_KERNEL_IBT;
	return cpu_feature_enabled(X86_FEATURE_IBT);
}

/*
 * With retpolines an indirect jump is a jump to a thunk. The names of thunks start with
 * __x86_indirect_. Those that are generated at boot have no name.
 */
static bool is_jump_to_thunk(const struct region_search *s, const struct insn *insn,
			     unsigned long addr)
{
	unsigned long target = addr + insn->length + insn->immediate.value;
	char name[KSYM_NAME_LEN];

	if (!kprobe_insn_is_relative(insn) || kprobe_insn_is_call(insn))
		return false;
	if (target >= s->start && target < s->end)
		return false;
	return lookup_symbol_name(target, name) || str_has_prefix(name, "__x86_indirect_");
}

/* An indirect jump may be a switch, with targets in the region. */
static bool may_jump_anywhere(const struct region_search *s, const struct insn *insn,
			      unsigned long addr)
{
	return !only_endbr_is_landed_on(s) &&
	       (is_indirect_jump(insn) || is_jump_to_thunk(s, insn, addr));
}

/* May execution continue behind @insn, or behind padding if that is it? A call does not return. */
static bool runs_on_behind(const struct insn *insn, bool before)
{
	if (is_padding(insn))
		return before;
	return !ends_run(insn) && !kprobe_insn_is_call(insn);
}

/*
 * Note the targets of all branches of the symbol at @start. Returns true if execution may continue
 * from its end into the next symbol.
 */
static bool note_branches_from(struct region_search *s, unsigned long start)
{
	unsigned long size, offset, pos, end;
	bool runs_on = true;

	if (!kallsyms_lookup_size_offset(start, &size, &offset)) {
		note_any_entry(s);
		return true;
	}
	end = start - offset + size;
	for (pos = start - offset; pos < end; pos += s->text.insn.length) {
		if (kprobe_insn_read(&s->text, pos, end) < 0 ||
		    may_jump_anywhere(s, &s->text.insn, pos)) {
			note_any_entry(s);
			return true;
		}
		note_branch(s, &s->text.insn, pos);
		runs_on = runs_on_behind(&s->text.insn, runs_on);
	}
	return runs_on;
}

static void note_fixups(struct region_search *s, const struct exception_table_entry *first,
			unsigned int nr)
{
	for (; nr--; first++)
		note_entry(s, (unsigned long)&first->fixup + first->fixup);
}

#ifdef CONFIG_JUMP_LABEL
static void note_labels(struct region_search *s, struct jump_entry *first,
			struct jump_entry *end)
{
	for (; first < end; first++)
		note_entry(s, jump_entry_target(first));
}

static void note_kernel_labels(struct region_search *s)
{
	note_labels(s, __start___jump_table, __stop___jump_table);
}
#else
static void note_kernel_labels(struct region_search *s)
{
}
#endif

#if defined(CONFIG_JUMP_LABEL) && defined(CONFIG_MODULES)
static void note_module_labels(struct region_search *s, const struct module *mod)
{
	note_labels(s, mod->jump_entries, mod->jump_entries + mod->num_jump_entries);
}
#else
static inline void note_module_labels(struct region_search *s, const struct module *mod)
{
}
#endif

#ifdef CONFIG_MODULES
/* The tables of the module that has the region. The module is not going, because it has a probe. */
static void note_module_tables(struct region_search *s)
{
	struct module *mod;

	guard(preempt)();
	mod = __module_text_address(s->r.start);
	if (!mod)
		return;
	note_fixups(s, mod->extable, mod->num_exentries);
	note_module_labels(s, mod);
}

static bool same_module_text(unsigned long addr, unsigned long other)
{
	struct module *mod;

	guard(preempt)();
	mod = __module_text_address(addr);
	return mod && mod == __module_text_address(other) &&
	       within_module_init(addr, mod) == within_module_init(other, mod);
}
#else
static void note_module_tables(struct region_search *s)
{
}

static bool same_module_text(unsigned long addr, unsigned long other)
{
	return false;
}
#endif

/* Note fixups of exceptions, and targets of jump labels, which may be patched to be jumps. */
static void note_tables(struct region_search *s)
{
	if (!core_kernel_text(s->r.start)) {
		note_module_tables(s);
		return;
	}
	note_fixups(s, __start___ex_table, __stop___ex_table - __start___ex_table);
	note_kernel_labels(s);
}

static int add_part(void *data, unsigned long addr)
{
	struct region_search *s = data;

	/* The symbol may be data, or init text that has been freed. */
	if (!kernel_text_address(addr))
		return 0;
	if (s->nr_parts == MAX_PARTS)
		return -E2BIG;
	s->part[s->nr_parts++] = addr;
	return 0;
}

/**
 * struct part_search - a search for symbols of a module
 * @s: the search to add them to
 * @name: their name
 */
struct part_search {
	struct region_search *s;
	const char *name;
};

static int add_part_if_named(void *data, const char *name, unsigned long addr)
{
	struct part_search *search = data;

	return strcmp(name, search->name) ? 0 : add_part(search->s, addr);
}

/* Add all symbols of that name, because several static functions may have it. */
static int add_parts_named(struct region_search *s, const char *module, const char *name)
{
	struct part_search search = { .s = s, .name = name };

	if (!module)
		return kallsyms_on_each_match_symbol(add_part, name, s);
	return module_kallsyms_on_each_symbol(module, add_part_if_named, &search);
}

/* Add the other part, hot or cold, of a function that the compiler has split. */
static int add_other_part(struct region_search *s, const char *module, const char *name)
{
	static const char cold[] = ".cold";
	char other[KSYM_NAME_LEN];
	int len = strlen(name);

	if (strscpy(other, name, sizeof(other) - strlen(cold)) < 0)
		return -E2BIG;
	if (len > strlen(cold) && !strcmp(name + len - strlen(cold), cold))
		other[len - strlen(cold)] = '\0';
	else
		strcat(other, cold);
	return add_parts_named(s, module, other);
}

/**
 * kprobe_runs_into_next - may execution continue from the end of a symbol into the next one?
 * @text: room for an instruction
 * @start: start of the symbol
 * @end: end of the symbol
 *
 * Context: text_mutex held.
 * Return: false if it cannot.
 */
bool kprobe_runs_into_next(struct probed_text *text, unsigned long start, unsigned long end)
{
	bool runs_on = true;
	unsigned long pos;

	for (pos = start; pos < end; pos += text->insn.length) {
		if (kprobe_insn_read(text, pos, end) < 0)
			return true;
		runs_on = runs_on_behind(&text->insn, runs_on);
	}
	return runs_on;
}

static bool find_text_symbol(unsigned long addr, unsigned long *size, unsigned long *offset)
{
	return kernel_text_address(addr) && kallsyms_lookup_size_offset(addr, size, offset);
}

/*
 * Assembly has symbols within functions, so a symbol that execution can enter from the one before
 * it may be a part of the same function. @runs_on: it can enter the one behind the probed one's.
 */
static int add_neighbours(struct region_search *s, bool runs_on)
{
	unsigned long pos, size, offset;
	int ret;

	for (pos = s->start; find_text_symbol(pos - 1, &size, &offset); ) {
		if (!kprobe_runs_into_next(&s->text, pos - 1 - offset, pos))
			break;
		pos = pos - 1 - offset;
		ret = add_part(s, pos);
		if (ret)
			return ret;
	}
	for (pos = s->end; runs_on && find_text_symbol(pos, &size, &offset); pos += size) {
		ret = add_part(s, pos);
		if (ret)
			return ret;
		runs_on = kprobe_runs_into_next(&s->text, pos, pos + size);
	}
	return 0;
}

static bool entries_are_known(const struct region_search *s)
{
	return last_entries.known && last_entries.start == s->start;
}

/* From now on note_entry() keeps what it is told, if there is memory. */
static void keep_entries(const struct region_search *s)
{
	struct entries *e = &last_entries;

	bitmap_free(e->map);
	*e = (struct entries){};
	if (!core_kernel_text(s->start))
		return;
	e->start = s->start;
	e->nr = s->end - s->start + JMP32_INSN_SIZE;
	e->map = bitmap_zalloc(e->nr, GFP_KERNEL | __GFP_NOWARN);
}

/* Find the symbol of the probed instruction, and, if it has to be searched, its other part. */
static int find_symbol(struct region_search *s)
{
	unsigned long size, offset;
	char name[KSYM_NAME_LEN];
	char *module;

	if (!kallsyms_lookup(s->r.start, &size, &offset, &module, name))
		return -EINVAL;
	s->start = s->r.start - offset;
	s->end = s->start + size;
	if (entries_are_known(s))
		return 0;
	keep_entries(s);
	s->unsure = add_part(s, s->start) || add_other_part(s, module, name);
	return 0;
}

static void recall_entries(struct region_search *s)
{
	const struct entries *e = &last_entries;
	unsigned long bit = find_next_bit(e->map, e->nr, s->r.start + 1 - e->start);

	if (bit < e->nr)
		enter_at(s, e->start + bit);
	if (e->anywhere)
		note_any_entry(s);
}

static void search_entries(struct region_search *s)
{
	unsigned int i;
	bool runs_on;

	note_tables(s);
	runs_on = note_branches_from(s, s->start);
	if (s->unsure || add_neighbours(s, runs_on))
		note_any_entry(s);
	/* The first part is the symbol itself. */
	for (i = 1; i < s->nr_parts; i++)
		note_branches_from(s, s->part[i]);
	last_entries.anywhere = s->anywhere;
	last_entries.known = last_entries.map;
}

/* Find the lowest address behind the probed instruction that execution can reach in another way. */
static void find_entries(struct region_search *s)
{
	s->entered = ULONG_MAX;
	if (entries_are_known(s))
		recall_entries(s);
	else
		search_entries(s);
	if (kprobe_region_entered_everywhere)
		note_any_entry(s);
}

/* Nothing enters the middle of an instruction. */
static bool is_one_insn(const struct region_search *s)
{
	return !s->nr_prefixes && s->r.end >= jump_end(&s->r);
}

/* Is @addr in text that stays as long as that of @other? */
static bool is_same_text(unsigned long addr, unsigned long other)
{
	if (init_section_contains((void *)addr, 1) != init_section_contains((void *)other, 1))
		return false;
	if (core_kernel_text(addr))
		return core_kernel_text(other);
	return same_module_text(addr, other);
}

/* The last bytes of the jump are fixed. Find the lowest and the highest address it can lead to. */
static void find_window(struct kprobe_region *r)
{
	unsigned int fixed = jump_end(r) - r->free_end;
	u8 last[sizeof(s32)], first[sizeof(s32)];
	s32 disp;

	memset(first, 0, sizeof(first));
	memset(last, 0xff, sizeof(last));
	kprobe_text_read(first + sizeof(first) - fixed, r->free_end, fixed);
	memcpy(last + sizeof(last) - fixed, first + sizeof(first) - fixed, fixed);
	memcpy(&disp, first, sizeof(disp));
	r->first = jump_end(r) + disp;
	memcpy(&disp, last, sizeof(disp));
	r->last = jump_end(r) + disp;
}

/*
 * Find a region for a pun: a jump of which only the first bytes are written. The last bytes are
 * those of the next instructions, which stay in place, so that execution may reach these.
 */
static int find_pun(struct region_search *s)
{
	struct kprobe_region *r = &s->r;
	unsigned int i = s->nr_prefixes;

	do {
		if (!i--)
			return -ENOSPC;
		r->end = s->prefix[i].end;
		/* Padding that execution can reach must stay. */
		r->free_end = min(s->prefix[i].free_end, s->entered);
		r->runs_on = s->prefix[i].runs_on;
	} while (r->end > s->entered);
	if (!is_same_text(r->start, jump_end(r) - 1) || is_reserved(r))
		return -EINVAL;
	find_window(r);
	return 0;
}

static int find_region(struct region_search *s)
{
	int ret = grow_region(s, s->end);

	if (!ret && is_reserved(&s->r))
		ret = -EINVAL;
	s->r.free_end = jump_end(&s->r);
	/* To decode functions takes long. */
	if (!ret && is_one_insn(s))
		return 0;
	find_entries(s);
	if (!ret && s->entered < max(s->r.end, jump_end(&s->r)))
		ret = -EADDRINUSE;
	return ret && find_pun(s) ? ret : 0;
}

/**
 * kprobe_region_find - find the instructions that a jump at an address would displace
 * @addr: address of a probed instruction
 * @region: receives the result
 *
 * Context: process, kprobe_mutex held. Takes text_mutex and jump_label_lock().
 * Return: 0; or, if there can be neither a jump nor a pun: -ENOSPC if the function ends, or
 * execution leaves it, before there is room for a jump; -EADDRINUSE if execution may reach the
 * middle of the region in another way; -EINVAL if one of the instructions must stay in place;
 * -ENOMEM.
 */
int kprobe_region_find(unsigned long addr, struct kprobe_region *region)
{
	struct region_search *s __free(kfree) = kzalloc(sizeof(*s), GFP_KERNEL);
	int ret;

	if (!s)
		return -ENOMEM;
	s->r.start = addr;
	/* Takes module_mutex, so call it before the other locks are taken. */
	ret = find_symbol(s);
	if (ret)
		return ret;
	cpus_read_lock();
	jump_label_lock();
	mutex_lock(&text_mutex);
	ret = find_region(s);
	mutex_unlock(&text_mutex);
	jump_label_unlock();
	cpus_read_unlock();
	if (!ret)
		*region = s->r;
	return ret;
}

/**
 * kprobe_region_of_insn - the region of a jump that displaces only the probed instruction
 * @addr: address of a probed instruction
 * @region: receives the result
 *
 * Context: process. Takes text_mutex.
 * Return: 0; -ENOSPC if the instruction is too short for a jump of two bytes; -EINVAL if it must
 * stay in place.
 */
int kprobe_region_of_insn(unsigned long addr, struct kprobe_region *region)
{
	struct probed_text text;

	guard(mutex)(&text_mutex);
	if (kprobe_insn_read(&text, addr, addr + MAX_INSN_SIZE) < 0 || !may_move(&text, addr))
		return -EINVAL;
	if (text.insn.length < JMP8_INSN_SIZE)
		return -ENOSPC;
	*region = (struct kprobe_region){
		.start = addr,
		.end = addr + text.insn.length,
		.free_end = addr + JMP32_INSN_SIZE,
		.runs_on = !ends_run(&text.insn),
	};
	return 0;
}

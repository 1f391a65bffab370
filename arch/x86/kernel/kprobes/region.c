// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: which instructions a jump may displace.
 *
 * A jump takes five bytes, so it displaces the probed instruction and often some behind
 * it. Nothing else may get to those except by way of the probed one: no branch, no
 * exception's fixup, no return, and nobody who patches them.
 *
 * What the compiler and linker left behind says all there is to know about that: the
 * instructions of the function, and of the part of it that is out of the way (".cold");
 * the tables of exceptions and jump labels; and with IBT, that an indirect branch needs
 * an ENDBR to land on. Without IBT, a function with an indirect jump is left alone.
 */
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

/* For tests: have nothing but the probed instruction displaced. */
VISIBLE_IF_KUNIT bool kprobe_region_entered_everywhere;

/* Symbols that may have branches into a region: a function and what belongs to it. */
#define MAX_PARTS	16

/* Prefixes of a region that a jump does not fit in: of one to four bytes. */
#define MAX_PREFIXES	(JMP32_INSN_SIZE - 1)

/**
 * struct region_prefix - some instructions that are too few for a jump
 * @end: behind the last of them
 * @free_end: behind the padding that follows, if execution does not run on
 * @runs_on: it does
 */
struct region_prefix {
	unsigned long end;
	unsigned long free_end;
	bool runs_on;
};

/**
 * struct region_search - what is looked at for one probe
 * @r: what was found
 * @text: the instruction at hand
 * @first_end: behind the probed instruction, and padding if execution does not run on
 * @entered: the lowest address behind the probed instruction that something else leads to
 * @prefix: what there is if there is no room for a jump, the shortest first
 * @nr_prefixes: how many
 * @start: of the symbol that has the probed instruction
 * @end: of it
 * @part: start addresses of symbols with branches into the region, perhaps
 * @nr_parts: how many
 * @unsure: there may be more of these
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
};

/* Is execution never going to continue behind that? */
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

/* What the compiler and the assembler fill gaps with. */
static bool is_padding(const struct insn *insn)
{
	unsigned int opcode = kprobe_insn_opcode(insn);

	return opcode == INT3_INSN_OPCODE || opcode == 0x90 || opcode == 0x0f1f;
}

/* How far a jump may reach behind an instruction that nothing runs on from. */
static unsigned long padding_end(struct region_search *s, unsigned long addr,
				 unsigned long end)
{
	while (addr < end && kprobe_insn_read(&s->text, addr, end) >= 0 &&
	       is_padding(&s->text.insn))
		addr += s->text.insn.length;
	return addr;
}

/*
 * An instruction may move if the detour can do what it does, and nobody cares where it is
 * done.
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

/*
 * From the probed instruction on, whole instructions until a jump fits. @end is where the
 * symbol ends.
 */
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
		/* If it is a call, that would return into the jump. */
	} while (r->runs_on && !kprobe_insn_is_call(&s->text.insn));
	return -ENOSPC;
}

/* Does other code patch the bytes that the jump takes, or the instructions that it displaces? */
static bool is_reserved(const struct kprobe_region *r)
{
	return kprobe_text_reserved(r->start, max(r->end, jump_end(r)) - 1);
}

/* Somebody gets there other than by the probed instruction. */
static void note_entry(struct region_search *s, unsigned long addr)
{
	if (addr > s->r.start && addr < s->entered)
		s->entered = addr;
}

/* There is no telling where, but to an instruction. */
static void note_any_entry(struct region_search *s)
{
	note_entry(s, s->first_end);
}

static void note_branch(struct region_search *s, const struct insn *insn, unsigned long addr)
{
	if (kprobe_insn_is_relative(insn))
		note_entry(s, addr + insn->length + insn->immediate.value);
}

/*
 * Do indirect branches land on an ENDBR only, of which there is none in a region? Of the
 * kernel itself objtool has made sure of that. Modules may have been built in other ways, and
 * then fault if the processor insists on it.
 */
static bool only_endbr_is_landed_on(const struct region_search *s)
{
	if (core_kernel_text(s->r.start))
		return HAS_KERNEL_IBT;
	return cpu_feature_enabled(X86_FEATURE_IBT);
}

/*
 * With retpolines an indirect jump is one to a thunk. Thunks are symbols with such names, or
 * were made at boot, without a name.
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

/* It may be a switch. */
static bool may_jump_anywhere(const struct region_search *s, const struct insn *insn,
			      unsigned long addr)
{
	return !only_endbr_is_landed_on(s) &&
	       (is_indirect_jump(insn) || is_jump_to_thunk(s, insn, addr));
}

/* Where do the branches of the symbol at @start lead to? */
static void note_branches_from(struct region_search *s, unsigned long start)
{
	unsigned long size, offset, pos, end;

	if (!kallsyms_lookup_size_offset(start, &size, &offset)) {
		note_any_entry(s);
		return;
	}
	end = start - offset + size;
	for (pos = start - offset; pos < end; pos += s->text.insn.length) {
		if (kprobe_insn_read(&s->text, pos, end) < 0 ||
		    may_jump_anywhere(s, &s->text.insn, pos)) {
			note_any_entry(s);
			return;
		}
		note_branch(s, &s->text.insn, pos);
	}
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
/* The tables of the module that has the region. It is not going: it has a probe. */
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

/* Where exceptions lead to, and jump labels, as they may be patched. */
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

	/* Of that name there may be data, too, and init text that has been freed. */
	if (!kernel_text_address(addr))
		return 0;
	/* Then there is no telling. */
	if (s->nr_parts == MAX_PARTS)
		return -E2BIG;
	s->part[s->nr_parts++] = addr;
	return 0;
}

/**
 * struct part_search - symbols of a module that are looked for
 * @s: where to add them
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

/* All symbols of that name, as there may be several static functions that have it. */
static int add_parts_named(struct region_search *s, const char *module, const char *name)
{
	struct part_search search = { .s = s, .name = name };

	if (!module)
		return kallsyms_on_each_match_symbol(add_part, name, s);
	return module_kallsyms_on_each_symbol(module, add_part_if_named, &search);
}

/* The other part of a function that the compiler has split, hot or cold. */
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

/*
 * May execution run on from a symbol into the next one? Compilers end a function in a call
 * if that does not return.
 */
static bool runs_into_next(struct region_search *s, unsigned long start, unsigned long end)
{
	bool runs_on = true;
	unsigned long pos;

	for (pos = start; pos < end; pos += s->text.insn.length) {
		if (kprobe_insn_read(&s->text, pos, end) < 0)
			return true;
		if (!is_padding(&s->text.insn))
			runs_on = !ends_run(&s->text.insn) && !kprobe_insn_is_call(&s->text.insn);
	}
	return runs_on;
}

static bool find_text_symbol(unsigned long addr, unsigned long *size, unsigned long *offset)
{
	return kernel_text_address(addr) && kallsyms_lookup_size_offset(addr, size, offset);
}

/*
 * Assembly has symbols within functions, so where one runs on into the next they are one.
 */
static int add_neighbours(struct region_search *s, unsigned long start, unsigned long end)
{
	unsigned long pos, size, offset;
	int ret;

	for (pos = start; find_text_symbol(pos - 1, &size, &offset); ) {
		if (!runs_into_next(s, pos - 1 - offset, pos))
			break;
		pos = pos - 1 - offset;
		ret = add_part(s, pos);
		if (ret)
			return ret;
	}
	for (pos = start; runs_into_next(s, pos, end); end = pos + size) {
		pos = end;
		if (!find_text_symbol(pos, &size, &offset))
			break;
		ret = add_part(s, pos);
		if (ret)
			return ret;
	}
	return 0;
}

/* The symbol of the probed instruction, and what belongs to it by name. */
static int find_symbol(struct region_search *s)
{
	unsigned long size, offset;
	char name[KSYM_NAME_LEN];
	char *module;

	if (!kallsyms_lookup(s->r.start, &size, &offset, &module, name))
		return -EINVAL;
	s->start = s->r.start - offset;
	s->end = s->start + size;
	s->unsure = add_part(s, s->start) || add_other_part(s, module, name);
	return 0;
}

/* Of all that may lead to behind the probed instruction. */
static void find_entries(struct region_search *s)
{
	unsigned int i;

	s->entered = ULONG_MAX;
	note_tables(s);
	if (s->unsure || add_neighbours(s, s->start, s->end) || kprobe_region_entered_everywhere)
		note_any_entry(s);
	for (i = 0; i < s->nr_parts; i++)
		note_branches_from(s, s->part[i]);
}

/* Is that part of the text which will be there for as long as the probed instruction is? */
static bool is_same_text(unsigned long addr, unsigned long other)
{
	if (init_section_contains((void *)addr, 1) != init_section_contains((void *)other, 1))
		return false;
	if (core_kernel_text(addr))
		return core_kernel_text(other);
	return same_module_text(addr, other);
}

/* What the jump's last bytes are says between which addresses it can lead to. */
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
 * A jump of which only the first bytes are written: the others are the next instructions',
 * and stay. Nobody minds who gets there.
 */
static int find_pun(struct region_search *s)
{
	struct kprobe_region *r = &s->r;
	unsigned int i = s->nr_prefixes;

	do {
		if (!i--)
			return -ENOSPC;
		r->end = s->prefix[i].end;
		/* Padding that something leads to is none. */
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
	find_entries(s);
	if (!ret && s->entered < max(s->r.end, jump_end(&s->r)))
		ret = -EADDRINUSE;
	s->r.free_end = jump_end(&s->r);
	return ret && find_pun(s) ? ret : 0;
}

/**
 * kprobe_region_find - what would a jump at an address displace?
 * @addr: address of a probed instruction
 * @region: filled in
 *
 * Context: process, kprobe_mutex held. Takes text_mutex and that of jump labels.
 * Return: 0, else why no instructions can be displaced to have room for a jump, nor can a
 * jump do with what is in its place: -ENOSPC if execution goes elsewhere before there is
 * room; -EADDRINUSE if something else may lead to within the region; -EINVAL if one of its
 * instructions must stay where it is; -ENOMEM.
 */
int kprobe_region_find(unsigned long addr, struct kprobe_region *region)
{
	struct region_search *s __free(kfree) = kzalloc(sizeof(*s), GFP_KERNEL);
	int ret;

	if (!s)
		return -ENOMEM;
	s->r.start = addr;
	/* Takes module_mutex, so not under the others. */
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

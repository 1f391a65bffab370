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
 * an ENDBR to land on. Without IBT, a function with a jump table is left alone.
 */
#include <linux/cleanup.h>
#include <linux/cpu.h>
#include <linux/errno.h>
#include <linux/extable.h>
#include <linux/jump_label.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include <asm/extable.h>
#include <asm/ibt.h>

#include "private.h"

/* Symbols that may have branches into a region: a function and what belongs to it. */
#define MAX_PARTS	16

/**
 * struct region_search - what is looked at for one probe
 * @r: what was found
 * @text: the instruction at hand
 * @part: start addresses of symbols with branches into the region, perhaps
 * @nr_parts: how many
 */
struct region_search {
	struct kprobe_region r;
	struct probed_text text;
	unsigned long part[MAX_PARTS];
	unsigned int nr_parts;
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

static bool is_call(const struct insn *insn)
{
	return kprobe_insn_opcode(insn) == 0xe8 ||
	       (kprobe_insn_opcode(insn) == 0xff &&
		X86_MODRM_REG(insn->modrm.bytes[0]) == 2);
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
	return !kprobe_insn_check(text, addr) && !search_exception_tables(addr) &&
	       !kprobe_insn_is_endbr(&text->insn);
}

/*
 * From the probed instruction on, whole instructions until a jump fits. @end is where the
 * symbol ends.
 */
static int grow_region(struct region_search *s, unsigned long end)
{
	struct kprobe_region *r = &s->r;
	unsigned long pos = r->start;

	for (;;) {
		if (pos >= end)
			return -ENOSPC;
		if (kprobe_insn_read(&s->text, pos, end) < 0 || !may_move(&s->text, pos))
			return -EINVAL;
		pos += s->text.insn.length;
		r->end = pos;
		if (ends_run(&s->text.insn)) {
			r->runs_on = false;
			pos = padding_end(s, pos, end);
			return pos - r->start < JMP32_INSN_SIZE ? -ENOSPC : 0;
		}
		if (pos - r->start >= JMP32_INSN_SIZE)
			break;
		/* It would return into the jump. */
		if (is_call(&s->text.insn))
			return -ENOSPC;
	}
	r->runs_on = true;
	return 0;
}

/* Of the bytes that the jump takes. */
static bool bytes_are_owned(const struct kprobe_region *r)
{
	void *first = (void *)r->start, *last = first + max_t(unsigned long, r->end - r->start,
							      JMP32_INSN_SIZE) - 1;

	return alternatives_text_reserved(first, last + 1) ||
	       jump_label_text_reserved(first, last) ||
	       static_call_text_reserved(first, last);
}

/* Somebody who gets there other than by the probed instruction meets the jump. */
static bool is_inside(const struct kprobe_region *r, unsigned long addr)
{
	return addr > r->start && addr < max(r->end, r->start + JMP32_INSN_SIZE);
}

static bool branches_inside(const struct kprobe_region *r, const struct insn *insn,
			    unsigned long addr)
{
	return kprobe_insn_is_relative(insn) &&
	       is_inside(r, addr + insn->length + insn->immediate.value);
}

/*
 * Compiled with IBT, an indirect branch lands on an ENDBR, of which there is none in a
 * region. Without, it may be a switch.
 */
static bool may_jump_anywhere(const struct insn *insn)
{
	return !HAS_KERNEL_IBT && is_indirect_jump(insn);
}

/* Are there branches from the symbol at @start to within the region? */
static bool symbol_branches_inside(struct region_search *s, unsigned long start)
{
	unsigned long size, offset, pos, end;

	if (!kallsyms_lookup_size_offset(start, &size, &offset))
		return true;
	end = start - offset + size;
	for (pos = start - offset; pos < end; pos += s->text.insn.length) {
		if (kprobe_insn_read(&s->text, pos, end) < 0)
			return true;
		if (branches_inside(&s->r, &s->text.insn, pos) ||
		    may_jump_anywhere(&s->text.insn))
			return true;
	}
	return false;
}

static bool fixup_is_inside(const struct kprobe_region *r,
			    const struct exception_table_entry *first, unsigned int nr)
{
	for (; nr--; first++) {
		if (is_inside(r, (unsigned long)&first->fixup + first->fixup))
			return true;
	}
	return false;
}

#ifdef CONFIG_JUMP_LABEL
static bool label_is_inside(const struct kprobe_region *r, struct jump_entry *first,
			    struct jump_entry *end)
{
	for (; first < end; first++) {
		if (is_inside(r, jump_entry_target(first)))
			return true;
	}
	return false;
}

static bool kernel_label_is_inside(const struct kprobe_region *r)
{
	return label_is_inside(r, __start___jump_table, __stop___jump_table);
}
#else
static bool kernel_label_is_inside(const struct kprobe_region *r)
{
	return false;
}
#endif

#if defined(CONFIG_JUMP_LABEL) && defined(CONFIG_MODULES)
static bool module_label_is_inside(const struct kprobe_region *r, const struct module *mod)
{
	return label_is_inside(r, mod->jump_entries, mod->jump_entries + mod->num_jump_entries);
}
#else
static inline bool module_label_is_inside(const struct kprobe_region *r,
					  const struct module *mod)
{
	return false;
}
#endif

#ifdef CONFIG_MODULES
/* The tables of the module that has the region. It is not going: it has a probe. */
static bool module_enters(const struct kprobe_region *r)
{
	struct module *mod;

	guard(preempt)();
	mod = __module_text_address(r->start);
	if (!mod)
		return false;
	return fixup_is_inside(r, mod->extable, mod->num_exentries) ||
	       module_label_is_inside(r, mod);
}
#else
static bool module_enters(const struct kprobe_region *r)
{
	return false;
}
#endif

/* Does an exception or a jump label, as it may be patched, lead to within the region? */
static bool tables_enter(const struct kprobe_region *r)
{
	if (!core_kernel_text(r->start))
		return module_enters(r);
	return fixup_is_inside(r, __start___ex_table,
			       __stop___ex_table - __start___ex_table) ||
	       kernel_label_is_inside(r);
}

static int add_part(void *data, unsigned long addr)
{
	struct region_search *s = data;

	/* Then there is no telling. */
	if (s->nr_parts == MAX_PARTS)
		return -E2BIG;
	s->part[s->nr_parts++] = addr;
	return 0;
}

/* All symbols of that name, as there may be several static functions that have it. */
static int add_parts_named(struct region_search *s, const char *module, const char *name)
{
	char full[MODULE_NAME_LEN + 1 + KSYM_NAME_LEN];
	unsigned long addr;

	if (!module)
		return kallsyms_on_each_match_symbol(add_part, name, s);
	snprintf(full, sizeof(full), "%s:%s", module, name);
	addr = kallsyms_lookup_name(full);
	return addr ? add_part(s, addr) : 0;
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
			runs_on = !ends_run(&s->text.insn) && !is_call(&s->text.insn);
	}
	return runs_on;
}

/*
 * Assembly has symbols within functions, so where one runs on into the next they are one.
 */
static int add_neighbours(struct region_search *s, unsigned long start, unsigned long end)
{
	unsigned long pos, size, offset;
	int ret;

	for (pos = start; kallsyms_lookup_size_offset(pos - 1, &size, &offset); ) {
		if (!runs_into_next(s, pos - 1 - offset, pos))
			break;
		pos = pos - 1 - offset;
		ret = add_part(s, pos);
		if (ret)
			return ret;
	}
	for (pos = start; runs_into_next(s, pos, end); end = pos + size) {
		pos = end;
		if (!kallsyms_lookup_size_offset(pos, &size, &offset))
			break;
		ret = add_part(s, pos);
		if (ret)
			return ret;
	}
	return 0;
}

/* Everything that may have a branch into the region of a probe in this symbol. */
static int collect_parts(struct region_search *s, unsigned long start, unsigned long end,
			 const char *module, const char *name)
{
	int ret;

	ret = add_part(s, start);
	if (!ret)
		ret = add_other_part(s, module, name);
	if (!ret)
		ret = add_neighbours(s, start, end);
	return ret;
}

static int find_region(struct region_search *s)
{
	unsigned long start, end, size, offset;
	char name[KSYM_NAME_LEN];
	unsigned int i;
	char *module;
	int ret;

	if (!kallsyms_lookup(s->r.start, &size, &offset, &module, name))
		return -EINVAL;
	start = s->r.start - offset;
	end = start + size;

	ret = grow_region(s, end);
	if (ret)
		return ret;
	if (bytes_are_owned(&s->r))
		return -EINVAL;
	if (tables_enter(&s->r))
		return -EADDRINUSE;
	ret = collect_parts(s, start, end, module, name);
	if (ret)
		return ret;
	for (i = 0; i < s->nr_parts; i++) {
		if (symbol_branches_inside(s, s->part[i]))
			return -EADDRINUSE;
	}
	return 0;
}

/**
 * kprobe_region_find - what would a jump at an address displace?
 * @addr: address of a probed instruction
 * @region: filled in
 *
 * Context: process, kprobe_mutex held. Takes text_mutex and that of jump labels.
 * Return: 0; -ENOSPC if there is no room for a jump before execution goes elsewhere;
 * -EADDRINUSE if something else may lead to within the region; -EINVAL if one of its
 * instructions must stay where it is; -E2BIG if the function is in too many parts to tell;
 * -ENOMEM.
 */
int kprobe_region_find(unsigned long addr, struct kprobe_region *region)
{
	struct region_search *s __free(kfree) = kzalloc(sizeof(*s), GFP_KERNEL);
	int ret;

	if (!s)
		return -ENOMEM;
	s->r.start = addr;
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

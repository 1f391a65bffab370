// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: running programs in a hit.
 *
 * Any context, NMI included, preemption off; those of uprobes run in the task and may sleep.
 * A program stays as it is while hits can run it, but for the address that a symbol stands for.
 *
 * Each value is written where it belongs, once. Text is copied behind the arguments word by word
 * until its end is found in what was copied, so it is whole whatever becomes of its
 * source meanwhile. What cannot be read is a zero, and text that cannot be read has no bytes.
 * Nothing of what the record's memory held before stays in there.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include "args_internal.h"
#include "args_text.h"

/* Page faults are disabled. The inlined reads are for where any address will do for them. */
static nokprobe_inline bool read_kernel(unsigned long addr, unsigned int size, u64 *value)
{
	const void *from = (const void *)addr;

	if (is_user_address(addr))
		return !copy_from_user_nofault(value, (const void __user *)addr, size);
	if (!IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS))
		return !copy_from_kernel_nofault(value, from, size);
	if (!copy_from_kernel_nofault_allowed(from, size))
		return false;
	switch (size) {
	case 1:
		__get_kernel_nofault(value, from, u8, fault);
		break;
	case 2:
		__get_kernel_nofault(value, from, u16, fault);
		break;
	case 4:
		__get_kernel_nofault(value, from, u32, fault);
		break;
	default:
		__get_kernel_nofault(value, from, u64, fault);
	}
	return true;
fault:
	return false;
}

/*
 * The bytes of a number in memory, at the begin of @value. Only they are written.
 */
static nokprobe_inline bool read_bytes(enum arg_memory mem, unsigned long addr,
				       unsigned int size, u64 *value)
{
	const void __user *user = (const void __user *)addr;

	if (likely(mem == ARG_MEM_KERNEL))
		return read_kernel(addr, size, value);
	if (mem == ARG_MEM_USER)
		return !copy_from_user_nofault(value, user, size);
	return !copy_from_user(value, user, size);
}

static nokprobe_inline bool load(const struct arg_step *step, unsigned long *value)
{
	u64 word = 0;

	if (!read_bytes(step->mem, *value + step->offset, sizeof(long), &word))
		return false;
	memcpy(value, &word, sizeof(long));
	return true;
}

#ifdef CONFIG_HAVE_FUNCTION_ARG_ACCESS_API
/* What is not passed in registers is on the stack. */
static nokprobe_inline unsigned long parameter(struct pt_regs *regs, unsigned int n)
{
	if (ARCH_PARAM_REGISTERS && n >= ARCH_PARAM_REGISTERS)
		return regs_get_kernel_stack_nth(regs, n - ARCH_PARAM_REGISTERS +
						 ARCH_PARAM_STACK_WORD);
	return regs_get_kernel_argument(regs, n);
}
#else
/* The parser lets no such argument through. */
static nokprobe_inline unsigned long parameter(struct pt_regs *regs, unsigned int n)
{
	return 0;
}
#endif

static unsigned long user_stack_word(struct pt_regs *regs, unsigned int n)
{
	unsigned long addr = user_stack_pointer(regs), word;

	addr += (IS_ENABLED(CONFIG_STACK_GROWSUP) ? -(long)n : (long)n) * sizeof(long);
	if (copy_from_user(&word, (const void __user *)addr, sizeof(word)))
		return 0;
	return word;
}

/* Text is where it is, and its address is its value. */
static nokprobe_inline const void *field_text(const struct ftrace_event_field *field,
					      const void *rec)
{
	const void *at = rec + field->offset;

	switch (field->filter_type) {
	case FILTER_DYN_STRING:
		return rec + (*(const u32 *)at & 0xffff);
	case FILTER_RDYN_STRING:
		return at + sizeof(u32) + (*(const u32 *)at & 0xffff);
	case FILTER_PTR_STRING:
		return *(const void * const *)at;
	default:
		return at;
	}
}

static nokprobe_inline unsigned long event_field(const struct ftrace_event_field *field,
						 const void *rec)
{
	const void *at = rec + field->offset;

	if (is_string_field((struct ftrace_event_field *)field))
		return (unsigned long)field_text(field, rec);
	switch (field->size) {
	case 1:
		return field->is_signed ? *(const s8 *)at : *(const u8 *)at;
	case 2:
		return field->is_signed ? *(const s16 *)at : *(const u16 *)at;
	case 4:
		return field->is_signed ? *(const s32 *)at : *(const u32 *)at;
	default:
		return get_unaligned((const unsigned long *)at);
	}
}

static nokprobe_inline unsigned long first_value(const struct arg_program *prog,
						 const struct args_hit *hit)
{
	if (likely(prog->source == ARG_FROM_REG))
		return regs_get_register(hit->regs, prog->param);
	if (likely(prog->source == ARG_FROM_PARAM))
		return parameter(hit->regs, prog->param);
	if (likely(prog->source == ARG_FROM_RETVAL))
		return regs_return_value(hit->regs);
	switch (prog->source) {
	case ARG_FROM_STACK:
		return regs_get_kernel_stack_nth(hit->regs, prog->param);
	case ARG_FROM_STACKP:
		return kernel_stack_pointer(hit->regs);
	case ARG_FROM_KEPT:
		return hit->kept[prog->param];
	case ARG_FROM_IMM:
		/* See traceprobe_update_arg(). */
		return READ_ONCE(prog->imm);
	case ARG_FROM_CURRENT:
		return (unsigned long)current;
	case ARG_FROM_FIELD:
		return event_field(prog->data, hit->rec);
	case ARG_FROM_USER_STACK:
		return user_stack_word(hit->regs, prog->param);
	case ARG_FROM_USER_STACKP:
		return user_stack_pointer(hit->regs);
	case ARG_FROM_FILE:
		return hit->file_base + prog->imm;
	default:
		/* Text is no number, and where it is nobody's business. */
		return 0;
	}
}

/* Returns false if something on the way cannot be read. */
static nokprobe_inline bool run_steps(const struct arg_program *prog, unsigned long *value)
{
	const struct arg_step *step = prog->steps;
	const struct arg_step *end = step + prog->nr_steps;

	for (; step < end; step++) {
		if (step->op == ARG_STEP_PERCPU)
			*value = (unsigned long)raw_cpu_ptr((void __percpu *)*value);
		else if (step->op == ARG_STEP_SHIFT)
			*value >>= step->offset;
		else if (!load(step, value))
			return false;
	}
	return true;
}

/* @value has the bytes of a number at its begin: have the number, without other bits. */
static nokprobe_inline void store_bytes(const struct arg_program *prog, u8 *place, u64 value)
{
	u8 left = prog->shift_left, right = prog->shift_right;
	union {
		u8 u8;
		u16 u16;
		u32 u32;
		u64 u64;
	} *bytes = (void *)&value;

#define STORE(type)								\
	do {									\
		u##type v = bytes->u##type;					\
										\
		if (unlikely(right || left)) {					\
			v <<= left;						\
			v = prog->is_signed ? (s##type)v >> right : v >> right;	\
		}								\
		put_unaligned(v, (u##type *)place);				\
	} while (0)

	switch (prog->size) {
	case 1:
		STORE(8);
		break;
	case 2:
		STORE(16);
		break;
	case 4:
		STORE(32);
		break;
	default:
		STORE(64);
	}
#undef STORE
}

/* The low bytes of a value, put to the begin of a word. */
static nokprobe_inline u64 low_bytes(unsigned long value, unsigned int size)
{
	if (IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) && size < sizeof(u64))
		return (u64)value << (BITS_PER_BYTE * (sizeof(u64) - size));
	return value;
}

static nokprobe_inline void store_memory(const struct arg_program *prog, u8 *place,
					 unsigned long addr, bool valid)
{
	unsigned int i;
	u64 value;

	for (i = 0; i < prog->count; i++) {
		value = 0;
		if (valid && !read_bytes(prog->mem, addr + i * prog->size, prog->size, &value))
			value = 0;
		store_bytes(prog, place + i * prog->size, value);
	}
}

/* Text */

/* Longest text, its final zero included. */
static nokprobe_inline unsigned int most(const struct args_record *rec)
{
	return min_t(unsigned long, rec->end - rec->at, MAX_STRING_SIZE);
}

/* The task's, which may be paged in. Same result. */
static long copy_task_text(u8 *to, const void __user *from, unsigned int size)
{
	long len = strncpy_from_user(to, from, size);

	if (len < 0)
		return len;
	if (len < size)
		return len + 1;
	to[size - 1] = '\0';
	return size;
}

static nokprobe_inline long copy_text(enum arg_memory mem, u8 *to, unsigned long addr,
				      unsigned int size)
{
	const void __user *user = (const void __user *)addr;

	if (mem == ARG_MEM_TASK)
		return copy_task_text(to, user, size);
	if (mem == ARG_MEM_USER || is_user_address(addr))
		/* It does not count the final zero of nothing else. */
		return strncpy_from_user_nofault(to, user, size) ?: 1;
	return copy_kernel_text(to, (const void *)addr, size);
}

static nokprobe_inline void put_loc(u8 *place, const struct args_record *rec, long len)
{
	u32 loc = len > 0 ? make_data_loc(len, rec->at - (u8 *)rec->base) : 0;

	put_unaligned(loc, (u32 *)place);
}

/*
 * @len bytes were written at the end of the others, if there is anything. Text that fills all
 * that was left has been cut: leave it out. Where nothing is left, nothing is known of it.
 */
static nokprobe_inline void take_text(u8 *place, struct args_record *rec, long len)
{
	if (unlikely(rec->at + max(len, 0L) >= rec->end)) {
		rec->cut = true;
		len = 0;
	}
	put_loc(place, rec, len);
	if (len > 0)
		rec->at += len;
}

static nokprobe_inline void store_string(const struct arg_program *prog, u8 *place,
					 unsigned long addr, bool valid,
					 struct args_record *rec)
{
	unsigned int i;
	u64 word;
	long len;

	for (i = 0; i < prog->count; i++) {
		unsigned long from = addr;
		bool there = valid;

		len = -EFAULT;
		if (valid && prog->by_pointer) {
			word = 0;
			there = read_bytes(prog->mem, addr + i * sizeof(long), sizeof(long),
					   &word);
			memcpy(&from, &word, sizeof(from));
		}
		if (there && most(rec))
			len = copy_text(prog->mem, rec->at, from, most(rec));
		take_text(place + i * sizeof(u32), rec, len);
	}
}

/* As kallsyms writes it where it pleases, there has to be room for any. */
static nokprobe_inline void store_symbol(u8 *place, unsigned long addr, bool valid,
					 struct args_record *rec)
{
	long len = -EFAULT;

	if (valid && rec->end - rec->at <= KSYM_SYMBOL_LEN)
		rec->cut = true;
	else if (valid)
		len = sprint_symbol(rec->at, addr) + 1;
	take_text(place, rec, len);
}

static nokprobe_inline void store_text(const struct arg_program *prog, u8 *place,
				       struct args_record *rec)
{
	const char *text = prog->source == ARG_FROM_COMM ? current->comm : prog->data;
	unsigned int i, size;
	long len;

	for (i = 0; i < prog->count; i++) {
		size = most(rec);
		len = 0;
		/* A task may be given another name meanwhile. */
		while (len < size && (rec->at[len] = READ_ONCE(text[len])))
			len++;
		if (len < size)
			len++;
		else if (size)
			rec->at[size - 1] = '\0';
		take_text(place + i * sizeof(u32), rec, len);
	}
}

/* Apart, as it takes more of the stack than what is mostly stored. */
static noinline void store_arg(const struct arg_program *prog, u8 *place,
			       const struct args_hit *hit, struct args_record *rec)
{
	unsigned long value = first_value(prog, hit);
	bool valid = run_steps(prog, &value);

	switch (prog->store) {
	case ARG_STORE_VALUE:
		store_bytes(prog, place, valid ? low_bytes(value, prog->size) : 0);
		break;
	case ARG_STORE_MEMORY:
		store_memory(prog, place, value + prog->offset, valid);
		break;
	case ARG_STORE_STRING:
		store_string(prog, place, value + prog->offset, valid, rec);
		break;
	case ARG_STORE_SYMBOL:
		store_symbol(place, value, valid, rec);
		break;
	case ARG_STORE_TEXT:
		store_text(prog, place, rec);
		break;
	}
}

NOKPROBE_SYMBOL(store_arg);

/* Mostly an argument is the value of a register as it is. */
static nokprobe_inline void store_plain(const struct arg_program *prog, u8 *place,
					const struct args_hit *hit)
{
	unsigned long value = first_value(prog, hit);

	switch (prog->size) {
	case 8:
		put_unaligned((u64)value, (u64 *)place);
		break;
	case 4:
		put_unaligned((u32)value, (u32 *)place);
		break;
	case 2:
		put_unaligned((u16)value, (u16 *)place);
		break;
	default:
		*place = value;
	}
}

/**
 * args_store_plain - fetch the arguments of a probe that are registers only
 * @tp: the probe, with no others
 * @hit: what to fetch from
 * @args: place of the first one
 *
 * Context: any, with preemption disabled.
 */
void args_store_plain(const struct trace_probe *tp, const struct args_hit *hit, void *args)
{
	const struct probe_arg *arg = tp->args, *end = arg + tp->nr_args;

	for (; arg < end; arg++)
		store_plain(arg->prog, args + arg->offset, hit);
}

NOKPROBE_SYMBOL(args_store_plain);

/**
 * args_store - fetch the arguments of a probe, and write them to a record
 * @tp: the probe
 * @hit: what to fetch from
 * @rec: the record
 *
 * Context: any, with preemption disabled; for uprobes, the task, and may sleep.
 */
void args_store(const struct trace_probe *tp, const struct args_hit *hit,
		struct args_record *rec)
{
	const struct probe_arg *arg = tp->args, *end = arg + tp->nr_args;

	rec->at = rec->args + tp->size;
	rec->end = rec->base + rec->room;
	rec->cut = false;
	if (tp->reads_kernel)
		pagefault_disable();
	for (; arg < end; arg++) {
		if (arg->prog->plain)
			store_plain(arg->prog, rec->args + arg->offset, hit);
		else
			store_arg(arg->prog, rec->args + arg->offset, hit, rec);
	}
	if (tp->reads_kernel)
		pagefault_enable();
	rec->used = rec->at - (u8 *)rec->base;
}

NOKPROBE_SYMBOL(args_store);

/**
 * args_keep - keep what arguments at a function's return refer to at its entry
 * @tp: the probe, that keeps something
 * @regs: registers at the entry
 * @kept: gets args_kept_size() bytes
 *
 * Context: any, with preemption disabled.
 */
void args_keep(const struct trace_probe *tp, struct pt_regs *regs, unsigned long *kept)
{
	const struct probe_entry_arg *entry = tp->entry_arg;
	unsigned int i;

	for (i = 0; i < entry->nr; i++)
		kept[i] = parameter(regs, entry->params[i]);
}

NOKPROBE_SYMBOL(args_keep);

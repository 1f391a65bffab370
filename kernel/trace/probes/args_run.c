// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of probe events: run programs in a hit.
 *
 * Any context, NMI included, preemption off. Programs of uprobes run in the task and may sleep.
 * While hits can run a program, only the address of its symbol changes.
 *
 * Each value is written once, to its place in the record. Text is copied behind the arguments word
 * by word, and its end is searched in the copy, so that the copy ends with a zero even if the
 * source changes. A number that cannot be read is stored as zero, and text that cannot be read has
 * no bytes. All bytes of the record are written.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include "args_internal.h"
#include "args_text.h"

/* A number as it is in memory. */
union arg_number {
	u8	u8;
	u16	u16;
	u32	u32;
	u64	u64;
	u8	bytes[sizeof(u64)];
};

static nokprobe_inline u64 number_of(const union arg_number *number, unsigned int size)
{
	switch (size) {
	case 1:
		return number->u8;
	case 2:
		return number->u16;
	case 4:
		return number->u32;
	default:
		return number->u64;
	}
}

/* Slow path: memory of a process, or an address that has to be checked first. */
static noinline bool read_elsewhere(enum arg_memory mem, unsigned long addr, unsigned int size,
				    u64 *value)
{
	const void __user *user = (const void __user *)addr;
	union arg_number number;
	bool fault;

	if (mem == ARG_MEM_TASK)
		fault = copy_from_user(number.bytes, user, size);
	else if (mem == ARG_MEM_USER || is_user_address(addr))
		fault = copy_from_user_nofault(number.bytes, user, size);
	else
		fault = copy_from_kernel_nofault(number.bytes, (const void *)addr, size);
	if (fault)
		return false;
	*value = number_of(&number, size);
	return true;
}

NOKPROBE_SYMBOL(read_elsewhere);

static nokprobe_inline bool is_read_here(enum arg_memory mem, unsigned long addr)
{
	return IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) && mem == ARG_MEM_KERNEL &&
	       arch_is_kernel_memory(addr);
}

/* Read a number in memory. Page faults are disabled, except for ARG_MEM_TASK. */
static nokprobe_inline bool read_number(enum arg_memory mem, unsigned long addr,
					unsigned int size, u64 *value)
{
	const void *from = (const void *)addr;
	union arg_number number;

	if (unlikely(!is_read_here(mem, addr)))
		return read_elsewhere(mem, addr, size, value);
	switch (size) {
	case 1:
		__get_kernel_nofault(&number.u8, from, u8, fault);
		*value = number.u8;
		break;
	case 2:
		__get_kernel_nofault(&number.u16, from, u16, fault);
		*value = number.u16;
		break;
	case 4:
		__get_kernel_nofault(&number.u32, from, u32, fault);
		*value = number.u32;
		break;
	default:
		__get_kernel_nofault(&number.u64, from, u64, fault);
		*value = number.u64;
	}
	return true;
fault:
	return false;
}

#ifdef CONFIG_HAVE_FUNCTION_ARG_ACCESS_API
/* Parameters that are not in registers are on the stack. */
static nokprobe_inline unsigned long parameter(struct pt_regs *regs, unsigned int n)
{
	if (ARCH_PARAM_REGISTERS && n >= ARCH_PARAM_REGISTERS)
		return regs_get_kernel_stack_nth(regs, n - ARCH_PARAM_REGISTERS +
						 ARCH_PARAM_STACK_WORD);
	return regs_get_kernel_argument(regs, n);
}
#else
/* The parser refuses such arguments. */
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

/* The address of the text in a field. */
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

/* Slow path: less frequent sources. */
static noinline unsigned long other_value(const struct arg_program *prog,
					  const struct args_hit *hit)
{
	switch (prog->source) {
	case ARG_FROM_PARAM:
		return parameter(hit->regs, prog->param);
	case ARG_FROM_RETVAL:
		return regs_return_value(hit->regs);
	case ARG_FROM_STACK:
		return regs_get_kernel_stack_nth(hit->regs, prog->param);
	case ARG_FROM_STACKP:
		return kernel_stack_pointer(hit->regs);
	case ARG_FROM_CURRENT:
		return (unsigned long)current;
	case ARG_FROM_DURATION:
	case ARG_FROM_ENTRY_CPU:
		return hit->kept[prog->param];
	case ARG_FROM_FIELD:
		return event_field(prog->data, hit->rec);
	case ARG_FROM_USER_STACK:
		return user_stack_word(hit->regs, prog->param);
	case ARG_FROM_USER_STACKP:
		return user_stack_pointer(hit->regs);
	case ARG_FROM_FILE:
		return hit->file_base + prog->imm;
	default:
		/* Text is not a number, and its address must not be shown. */
		return 0;
	}
}

NOKPROBE_SYMBOL(other_value);

static nokprobe_inline unsigned long first_value(const struct arg_program *prog,
						 const struct args_hit *hit)
{
	if (likely(prog->source == ARG_FROM_REG))
		return arch_saved_register(hit->regs, prog->param);
	if (prog->source == ARG_FROM_KEPT)
		return hit->kept[prog->param];
	if (prog->source == ARG_FROM_IMM)
		/* traceprobe_update_arg() may change it. */
		return READ_ONCE(prog->imm);
	return other_value(prog, hit);
}

/* Returns false if memory cannot be read. */
static nokprobe_inline bool run_steps(const struct arg_program *prog, unsigned long *value)
{
	const struct arg_step *step = prog->steps;
	const struct arg_step *end = step + prog->nr_steps;
	u64 word;

	for (; step < end; step++) {
		if (likely(step->op == ARG_STEP_LOAD)) {
			if (!read_number(step->mem, *value + step->offset, sizeof(long), &word))
				return false;
			*value = word;
		} else if (step->op == ARG_STEP_PERCPU) {
			*value = (unsigned long)raw_cpu_ptr((void __percpu *)*value);
		} else {
			*value >>= step->offset;
		}
	}
	return true;
}

static nokprobe_inline void put_number(u8 *place, unsigned int size, u64 value)
{
	switch (size) {
	case 8:
		put_unaligned(value, (u64 *)place);
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

static nokprobe_inline void store_number(const struct arg_program *prog, u8 *place, u64 value)
{
	if (unlikely(prog->shift_left | prog->shift_right)) {
		unsigned int above = BITS_PER_BYTE * (sizeof(value) - prog->size);

		value <<= above + prog->shift_left;
		if (prog->is_signed)
			value = (s64)value >> (above + prog->shift_right);
		else
			value >>= above + prog->shift_right;
	}
	put_number(place, prog->size, value);
}

/* Store a number of two words. */
static void put_pair(u8 *place, u64 low, u64 high)
{
	bool big = IS_ENABLED(CONFIG_CPU_BIG_ENDIAN);

	put_unaligned(big ? high : low, (u64 *)place);
	put_unaligned(big ? low : high, (u64 *)place + 1);
}

NOKPROBE_SYMBOL(put_pair);

/* Copy numbers of two words as they are in memory. */
static void store_pairs(const struct arg_program *prog, u8 *place, unsigned long addr, bool valid)
{
	unsigned int i;
	u64 word[2];

	for (i = 0; i < prog->count; i++, place += sizeof(word), addr += sizeof(word)) {
		if (!valid || !read_number(prog->mem, addr, sizeof(u64), &word[0]) ||
		    !read_number(prog->mem, addr + sizeof(u64), sizeof(u64), &word[1]))
			memset(word, 0, sizeof(word));
		put_unaligned(word[0], (u64 *)place);
		put_unaligned(word[1], (u64 *)place + 1);
	}
}

NOKPROBE_SYMBOL(store_pairs);

static void store_array(const struct arg_program *prog, u8 *place, unsigned long addr, bool valid)
{
	unsigned int i;
	u64 value;

	for (i = 0; i < prog->count; i++) {
		value = 0;
		if (valid && !read_number(prog->mem, addr + i * prog->size, prog->size, &value))
			value = 0;
		store_number(prog, place + i * prog->size, value);
	}
}

NOKPROBE_SYMBOL(store_array);

/* Text */

/* Maximum length of text, with the final zero. */
static nokprobe_inline unsigned int most(const struct args_record *rec)
{
	return min_t(unsigned long, rec->end - rec->at, MAX_STRING_SIZE);
}

/* copy_kernel_text() for memory of the task, which may be paged in. */
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

/* Slow path: text that is not in kernel memory. */
static noinline long copy_text_elsewhere(enum arg_memory mem, u8 *to, unsigned long addr,
					 unsigned int size)
{
	const void __user *user = (const void __user *)addr;

	if (mem == ARG_MEM_TASK)
		return copy_task_text(to, user, size);
	if (mem == ARG_MEM_USER || is_user_address(addr))
		/* For empty text it returns 0, without the final zero. */
		return strncpy_from_user_nofault(to, user, size) ?: 1;
	return copy_kernel_text(to, (const void *)addr, size);
}

NOKPROBE_SYMBOL(copy_text_elsewhere);

static nokprobe_inline long copy_text(enum arg_memory mem, u8 *to, unsigned long addr,
				      unsigned int size)
{
	if (likely(mem == ARG_MEM_KERNEL && arch_is_kernel_memory(addr)))
		return copy_kernel_text(to, (const void *)addr, size);
	return copy_text_elsewhere(mem, to, addr, size);
}

static nokprobe_inline void put_loc(u8 *place, const struct args_record *rec, long len)
{
	u32 loc = len > 0 ? make_data_loc(len, rec->at - (u8 *)rec->base) : 0;

	put_unaligned(loc, (u32 *)place);
}

/*
 * Store the data_loc of text whose @len bytes were copied to the end of the record. If it fills all
 * the room that was left, it may be cut, so it is left out.
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
	long len = -EFAULT;

	if (likely(valid && most(rec)))
		len = copy_text(prog->mem, rec->at, addr, most(rec));
	take_text(place, rec, len);
}

/* Find the address of text number @i. Returns false if it cannot be read. */
static nokprobe_inline bool find_text(const struct arg_program *prog, unsigned long addr,
				      unsigned int i, u64 *from)
{
	*from = addr;
	return !prog->by_pointer || read_number(prog->mem, addr + i * sizeof(long), sizeof(long),
						from);
}

static void store_strings(const struct arg_program *prog, u8 *place, unsigned long addr,
			  bool valid, struct args_record *rec)
{
	unsigned int i;
	u64 from = 0;

	for (i = 0; i < prog->count; i++) {
		bool there = valid && find_text(prog, addr, i, &from);

		store_string(prog, place + i * sizeof(u32), from, there, rec);
	}
}

NOKPROBE_SYMBOL(store_strings);

static void store_kept(const struct arg_kept_text *kept, u8 *place, struct args_record *rec)
{
	if (kept->len <= rec->end - rec->at)
		memcpy(rec->at, kept->text, kept->len);
	take_text(place, rec, kept->len);
}

NOKPROBE_SYMBOL(store_kept);

/*
 * If the text could not be read at the entry, read it now: the function has paged it in if it has
 * read it. Not if the mm has changed meanwhile, as by execve().
 */
static void store_late(const struct arg_program *prog, u8 *place, const struct args_hit *hit,
		       unsigned long addr, bool valid, struct args_record *rec)
{
	const struct arg_kept_text *kept = (const void *)(hit->kept + prog->late);
	unsigned int i;

	for (i = 0; i < prog->count; i++, kept++, place += sizeof(u32)) {
		u64 from = kept->addr;
		bool there = kept->known || (valid && find_text(prog, addr, i, &from));

		if (kept->len)
			store_kept(kept, place, rec);
		else
			store_string(prog, place, from, there && kept->mm == current->mm, rec);
	}
}

NOKPROBE_SYMBOL(store_late);

/* Kallsyms writes up to KSYM_SYMBOL_LEN bytes, so there must be room for these. */
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
		/* The name may change meanwhile. */
		while (len < size && (rec->at[len] = READ_ONCE(text[len])))
			len++;
		if (len < size)
			len++;
		else if (size)
			rec->at[size - 1] = '\0';
		take_text(place + i * sizeof(u32), rec, len);
	}
}

/* The time takes two words if a word has 32 bits. */
static nokprobe_inline void put_time(unsigned long *words, u64 time)
{
	words[0] = time;
	if (BITS_PER_LONG < 64)
		words[1] = time >> 32;
}

static nokprobe_inline u64 get_time(const unsigned long *words)
{
	return BITS_PER_LONG < 64 ? words[0] | (u64)words[1] << 32 : words[0];
}

static void store_duration(const struct arg_program *prog, u8 *place, const unsigned long *kept)
{
	if (prog->size > sizeof(u64))
		put_pair(place, get_time(kept), 0);
	else
		store_number(prog, place, get_time(kept));
}

NOKPROBE_SYMBOL(store_duration);

/* Slow path: less frequent kinds of arg_store. */
static noinline void store_other(const struct arg_program *prog, u8 *place, unsigned long value,
				 bool valid, const struct args_hit *hit, struct args_record *rec)
{
	switch (prog->store) {
	case ARG_STORE_VALUE:
		put_pair(place, valid ? value : 0, 0);
		break;
	case ARG_STORE_RESULT:
		put_pair(place, arch_saved_register(hit->regs, arch_result_offset(0)),
			 arch_saved_register(hit->regs, arch_result_offset(1)));
		break;
	case ARG_STORE_MEMORY:
		if (prog->size > sizeof(u64))
			store_pairs(prog, place, value + prog->offset, valid);
		else
			store_array(prog, place, value + prog->offset, valid);
		break;
	case ARG_STORE_STRING:
		store_strings(prog, place, value + prog->offset, valid, rec);
		break;
	case ARG_STORE_LATE:
		store_late(prog, place, hit, value + prog->offset, valid, rec);
		break;
	case ARG_STORE_DURATION:
		store_duration(prog, place, hit->kept + prog->param);
		break;
	case ARG_STORE_SYMBOL:
		store_symbol(place, value, valid, rec);
		break;
	default:
		store_text(prog, place, rec);
	}
}

NOKPROBE_SYMBOL(store_other);

static nokprobe_inline void store_arg(const struct arg_program *prog, u8 *place,
				      const struct args_hit *hit, struct args_record *rec)
{
	unsigned long value = first_value(prog, hit);
	bool valid = run_steps(prog, &value);
	u64 number = value;

	if (likely(prog->single)) {
		if (prog->store == ARG_STORE_STRING) {
			store_string(prog, place, value + prog->offset, valid, rec);
			return;
		}
		if (prog->store == ARG_STORE_MEMORY)
			valid = valid && read_number(prog->mem, value + prog->offset, prog->size,
						     &number);
		store_number(prog, place, valid ? number : 0);
		return;
	}
	store_other(prog, place, value, valid, hit, rec);
}

/* Most arguments are the value of a register. */
static nokprobe_inline void store_plain(const struct arg_program *prog, u8 *place,
					const struct args_hit *hit)
{
	put_number(place, prog->size, arch_saved_register(hit->regs, prog->param));
}

/**
 * args_store_plain - fetch the arguments of a probe that are all values of registers
 * @tp: the probe, whose &trace_probe.others is false
 * @hit: the sources of values
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
 * @hit: the sources of values
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
 * args_keep - store the values that are kept from a function's entry to its return
 * @tp: the probe; only parameters are kept
 * @regs: registers at the entry
 * @kept: receives args_kept_size() bytes
 *
 * Context: any, with preemption disabled.
 */
void args_keep(const struct trace_probe *tp, struct pt_regs *regs, unsigned long *kept)
{
	const struct probe_entry_arg *entry = tp->entry_arg;
	unsigned int i;

	for (i = 0; i < entry->nr; i++)
		kept[i] = parameter(regs, entry->values[i].what);
}

NOKPROBE_SYMBOL(args_keep);

static void keep_text(const struct arg_program *prog, struct arg_kept_text *kept,
		      unsigned long addr, bool valid)
{
	long len = valid ? copy_text(prog->mem, kept->text, addr, sizeof(kept->text)) : 0;

	kept->mm = current->mm;
	kept->addr = addr;
	kept->known = valid;
	kept->len = len > 0 && len < sizeof(kept->text) ? len : 0;
}

NOKPROBE_SYMBOL(keep_text);

static void keep_texts(const struct arg_program *prog, const struct args_hit *hit,
		       struct arg_kept_text *kept)
{
	unsigned long value = first_value(prog, hit);
	bool valid = run_steps(prog, &value);
	unsigned int i;
	u64 from = 0;

	for (i = 0; i < prog->count; i++) {
		bool there = valid && find_text(prog, value + prog->offset, i, &from);

		keep_text(prog, kept + i, from, there);
	}
}

NOKPROBE_SYMBOL(keep_texts);

/**
 * args_keep_mixed - args_keep() if not only parameters are kept
 * @tp: the probe
 * @regs: registers at the entry
 * @kept: receives args_kept_size() bytes
 *
 * Context: any, with preemption disabled.
 */
void args_keep_mixed(const struct trace_probe *tp, struct pt_regs *regs, unsigned long *kept)
{
	const struct probe_arg *arg = tp->args, *end = arg + tp->nr_args;
	const struct probe_entry_arg *entry = tp->entry_arg;
	struct args_hit hit = { .regs = regs, .kept = kept };
	unsigned int i;

	for (i = 0; i < entry->nr; i++) {
		if (entry->values[i].what == ARG_KEEP_CPU)
			kept[entry->values[i].word] = raw_smp_processor_id();
		else if (entry->values[i].what != ARG_KEEP_TIME)
			kept[entry->values[i].word] = parameter(regs, entry->values[i].what);
	}
	pagefault_disable();
	for (; arg < end; arg++) {
		if (arg->prog->store == ARG_STORE_LATE)
			keep_texts(arg->prog, &hit, (void *)(kept + arg->prog->late));
	}
	pagefault_enable();
	/* Last, so that the time does not include the rest of this. */
	if (entry->time >= 0)
		put_time(kept + entry->time, local_clock_noinstr());
}

NOKPROBE_SYMBOL(args_keep_mixed);

/**
 * args_stop_time - replace the time of the entry by the time since then
 * @tp: the probe, which keeps the time
 * @kept: the values that are kept
 *
 * So all records of the return have the same time. If the clocks of CPUs differ and the task has
 * moved to another CPU, the difference may be negative. It is set to 0 then.
 *
 * Context: any, with preemption disabled.
 */
void args_stop_time(const struct trace_probe *tp, unsigned long *kept)
{
	u64 now = local_clock_noinstr();
	s64 passed = now - get_time(kept + tp->entry_arg->time);

	put_time(kept + tp->entry_arg->time, max(passed, 0));
}

NOKPROBE_SYMBOL(args_stop_time);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86: jumps of two bytes.
 *
 * A jump of five bytes may not fit, because execution can reach the next instruction in another
 * way, and the address that a pun would lead to may be taken. If the probed instruction has two
 * bytes or more, a jump of two bytes fits. It reaches 128 bytes, and leads to a relay: a jump of
 * five bytes to the detour.
 *
 * Relays are in the padding in front of functions, which the compiler and the assembler leave for
 * call depth tracking, and which is never executed otherwise. Each padding has room for two. Text
 * that is all no-ops is free. A relay stays until no task can be at it.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/minmax.h>
#include <linux/perf_event.h>
#include <linux/string.h>

#include <asm/cpufeature.h>
#include <asm/nops.h>
#include <asm/sections.h>
#include <asm/text-patching.h>

#include "private.h"

#define PADDING_SIZE	CONFIG_FUNCTION_PADDING_BYTES

/* The first bytes of a padding may be the last ones of a pun, so they must not change. */
#define FIRST_RELAY	DISP32_SIZE

static const u8 padding[JMP32_INSN_SIZE] = { BYTES_NOP1, BYTES_NOP1, BYTES_NOP1, BYTES_NOP1,
					     BYTES_NOP1 };

/* Call depth tracking writes code to paddings, also when a module is loaded. */
static bool padding_is_unused(void)
{
	return IS_ENABLED(CONFIG_PREFIX_SYMBOLS) && !cpu_feature_enabled(X86_FEATURE_CALL_DEPTH);
}

/* A free place from @first to @last in the padding at @start; 0 if there is none. */
static unsigned long find_in_padding(unsigned long start, unsigned long first, unsigned long last)
{
	unsigned long at;

	last = min(last, start + PADDING_SIZE - JMP32_INSN_SIZE);
	for (at = start + FIRST_RELAY; at <= last; at += JMP32_INSN_SIZE) {
		if (at >= first && !memcmp((void *)at, padding, sizeof(padding)))
			return at;
	}
	return 0;
}

/* Does execution never come to the padding at @start from what is in front of it? */
static bool is_cut_off(unsigned long start)
{
	unsigned long size, offset;
	struct probed_text text;

	return kallsyms_lookup_size_offset(start - 1, &size, &offset) &&
	       !kprobe_runs_into_next(&text, start - 1 - offset, start);
}

/**
 * kprobe_relay_find - find room for a relay
 * @addr: a probed instruction
 *
 * Context: kprobe_mutex and text_mutex held.
 * Return: its address, for kprobe_relay_write(); NULL if there is no room in reach of a jump of two
 * bytes, or if @addr is not in the kernel's text, or in text that is freed.
 */
kprobe_opcode_t *kprobe_relay_find(unsigned long addr)
{
	unsigned long first = addr + JMP8_INSN_SIZE + S8_MIN, last = addr + JMP8_INSN_SIZE + S8_MAX;
	unsigned long pos, size, offset, at;
	char name[KSYM_NAME_LEN];
	char *module;

	if (!padding_is_unused() || !__is_kernel_text(addr))
		return NULL;
	for (pos = first; pos <= last; pos += size - offset) {
		if (!__is_kernel_text(pos) ||
		    !kallsyms_lookup(pos, &size, &offset, &module, name))
			return NULL;
		if (!str_has_prefix(name, "__pfx_") || size != PADDING_SIZE)
			continue;
		at = find_in_padding(pos - offset, first, last);
		if (at && is_cut_off(pos - offset))
			return (kprobe_opcode_t *)at;
	}
	return NULL;
}

static void write_jump(kprobe_opcode_t *at, const void *old, const void *new)
{
	perf_event_text_poke(at, old, JMP32_INSN_SIZE, new, JMP32_INSN_SIZE);
	text_poke(at, new, JMP32_INSN_SIZE);
}

/**
 * kprobe_relay_write - write a relay
 * @relay: what kprobe_relay_find() has returned, since when kprobe_mutex was held
 * @detour: where the relay leads to
 *
 * No CPU is synced: the relay is reached only from text that is synced later.
 *
 * Context: kprobe_mutex held; takes text_mutex, may sleep.
 */
void kprobe_relay_write(kprobe_opcode_t *relay, const void *detour)
{
	u8 jump[JMP32_INSN_SIZE];

	__text_gen_insn(jump, JMP32_INSN_OPCODE, relay, detour, JMP32_INSN_SIZE);
	kprobe_unwind_slots_at(relay);
	guard(mutex)(&text_mutex);
	write_jump(relay, padding, jump);
}

/**
 * kprobe_relay_put - remove a relay
 * @relay: a written relay; no task is at it or can come to it
 *
 * Context: kprobe_mutex held; takes text_mutex, may sleep.
 */
void kprobe_relay_put(kprobe_opcode_t *relay)
{
	u8 jump[JMP32_INSN_SIZE];

	guard(mutex)(&text_mutex);
	memcpy(jump, relay, sizeof(jump));
	write_jump(relay, jump, padding);
}

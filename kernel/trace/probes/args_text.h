/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBES_ARGS_TEXT_H
#define _TRACE_PROBES_ARGS_TEXT_H
/*
 * Text of the kernel that may not be there, for hits. Any context.
 */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include <asm/word-at-a-time.h>

/* Addresses of processes are told from those of the kernel by their value, where they can be. */
static nokprobe_inline bool is_user_address(unsigned long addr)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_NON_OVERLAPPING_ADDRESS_SPACE) && addr < TASK_SIZE;
}

/*
 * Is the next thing to read a word? One that is in two pages is none: the text may end in the
 * first one, and nothing be in the other.
 */
static nokprobe_inline bool is_text_word(const void *from, unsigned int left)
{
	if (left < sizeof(long) || offset_in_page(from) > PAGE_SIZE - sizeof(long))
		return false;
	return IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) ||
	       IS_ALIGNED((unsigned long)from, sizeof(long));
}

/**
 * copy_kernel_text - copy text that ends with a zero
 * @to: where to; NULL: only find the end
 * @from: the text, at an address of the kernel
 * @size: most bytes to write, at least one. Bytes behind the zero may be among them
 *
 * Context: any; page faults are disabled.
 * Return: length of the text with its zero, which it gets if there is none in the first @size
 * bytes; -EFAULT if some of it cannot be read.
 */
static nokprobe_inline long copy_kernel_text(u8 *to, const void *from, unsigned int size)
{
	const struct word_at_a_time constants = WORD_AT_A_TIME_CONSTANTS;
	unsigned long word, zeros;
	unsigned int len = 0;
	u8 byte;

	if (!size || !copy_from_kernel_nofault_allowed(from, 1))
		return -EFAULT;
	while (len < size) {
		if (!is_text_word(from + len, size - len)) {
			__get_kernel_nofault(&byte, from + len, u8, fault);
			if (to)
				to[len] = byte;
			len++;
			if (!byte)
				return len;
			continue;
		}
		__get_kernel_nofault(&word, from + len, unsigned long, fault);
		if (to)
			put_unaligned(word, (unsigned long *)(to + len));
		if (has_zero(word, &zeros, &constants)) {
			zeros = prep_zero_mask(word, zeros, &constants);
			return len + find_zero(create_zero_mask(zeros)) + 1;
		}
		len += sizeof(word);
	}
	if (to)
		to[size - 1] = '\0';
	return size;
fault:
	return -EFAULT;
}

#endif /* _TRACE_PROBES_ARGS_TEXT_H */

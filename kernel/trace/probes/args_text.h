/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBES_ARGS_TEXT_H
#define _TRACE_PROBES_ARGS_TEXT_H
/*
 * Copy text of the kernel, which may not be mapped, in hits. Any context.
 */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include <asm/probe_args.h>
#include <asm/word-at-a-time.h>

/* Is it an address of a process? Only if these do not overlap with addresses of the kernel. */
static nokprobe_inline bool is_user_address(unsigned long addr)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_NON_OVERLAPPING_ADDRESS_SPACE) && addr < TASK_SIZE;
}

/* Number of whole words from @from on in one page, of at most @left bytes. */
static nokprobe_inline unsigned int text_words(const void *from, unsigned int left)
{
	if (!IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) &&
	    !IS_ALIGNED((unsigned long)from, sizeof(long)))
		return 0;
	return min_t(unsigned int, left, PAGE_SIZE - offset_in_page(from)) / sizeof(long);
}

/*
 * The text may end in its first page, and the next one may not be mapped. So no word is read that
 * is in two pages.
 */
static __always_inline long walk_kernel_text(u8 *to, const void *from, unsigned int size,
					     bool copy)
{
	const struct word_at_a_time constants = WORD_AT_A_TIME_CONSTANTS;
	unsigned long word, zeros, len = 0, end;
	u8 byte;

	while (len < size) {
		end = len + text_words(from + len, size - len) * sizeof(long);
		for (; len < end; len += sizeof(long)) {
			__get_kernel_nofault(&word, from + len, unsigned long, fault);
			if (copy)
				put_unaligned(word, (unsigned long *)(to + len));
			if (has_zero(word, &zeros, &constants)) {
				zeros = prep_zero_mask(word, zeros, &constants);
				return len + find_zero(create_zero_mask(zeros)) + 1;
			}
		}
		if (len == size)
			break;
		__get_kernel_nofault(&byte, from + len, u8, fault);
		if (copy)
			to[len] = byte;
		len++;
		if (!byte)
			return len;
	}
	if (copy)
		to[size - 1] = '\0';
	return size;
fault:
	return -EFAULT;
}

static nokprobe_inline bool may_be_text(const void *from)
{
	return arch_is_kernel_memory((unsigned long)from) ||
	       copy_from_kernel_nofault_allowed(from, 1);
}

/**
 * copy_kernel_text - copy text that ends with a zero
 * @to: the destination
 * @from: the text, at an address of the kernel
 * @size: maximum number of bytes to write. Bytes behind the zero may be written, too
 *
 * Context: any; page faults are disabled.
 * Return: length of the text with its zero; if there is none in the first @size bytes, the last one
 * is set to zero; -EFAULT if some of it cannot be read, or @size is 0.
 */
static nokprobe_inline long copy_kernel_text(u8 *to, const void *from, unsigned int size)
{
	if (!size || !may_be_text(from))
		return -EFAULT;
	return walk_kernel_text(to, from, size, true);
}

/**
 * measure_kernel_text - find the end of text
 * @from: the text, at an address of the kernel
 * @size: maximum number of bytes to read
 *
 * Context: any; page faults are disabled.
 * Return: length of the text with its zero, or @size if there is none in @size bytes;
 * -EFAULT if some of it cannot be read.
 */
static nokprobe_inline long measure_kernel_text(const void *from, unsigned int size)
{
	if (!may_be_text(from))
		return -EFAULT;
	return walk_kernel_text(NULL, from, size, false);
}

#endif /* _TRACE_PROBES_ARGS_TEXT_H */

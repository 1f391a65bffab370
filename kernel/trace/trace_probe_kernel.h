/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _TRACE_PROBE_KERNEL_H
#define _TRACE_PROBE_KERNEL_H
/*
 * Copy text of the kernel to records of synthetic events.
 */
#include "probes/args.h"
#include "probes/args_text.h"

/**
 * fetch_store_strlen - get the length of text
 * @addr: its address
 *
 * Context: any.
 * Return: bytes with the final zero, at most MAX_STRING_SIZE; -EFAULT if it cannot be read.
 */
static nokprobe_inline int fetch_store_strlen(unsigned long addr)
{
	int len;

	if (is_user_address(addr)) {
		len = strnlen_user_nofault((const void __user *)addr, MAX_STRING_SIZE);
		return len > 0 ? min(len, MAX_STRING_SIZE) : -EFAULT;
	}
	pagefault_disable();
	len = measure_kernel_text((const void *)addr, MAX_STRING_SIZE);
	pagefault_enable();
	return len;
}

/**
 * fetch_store_string - copy text into a record
 * @addr: its address
 * @dest: a data_loc with the offset of the destination and its size, see make_data_loc(); set to
 *	the number of bytes that were written
 * @base: the record
 *
 * Context: any.
 * Return: bytes with the final zero; -ENOMEM if there is no room, -EFAULT if it cannot be read.
 */
static nokprobe_inline int fetch_store_string(unsigned long addr, void *dest, void *base)
{
	u32 loc = *(u32 *)dest, size = get_loc_len(loc);
	u8 *to = base + get_loc_offs(loc);
	long len;

	if (!size)
		return -ENOMEM;
	if (is_user_address(addr)) {
		/* For empty text it returns 0, without the final zero. */
		len = strncpy_from_user_nofault(to, (const void __user *)addr, size) ?: 1;
	} else {
		pagefault_disable();
		len = copy_kernel_text(to, (const void *)addr, size);
		pagefault_enable();
	}
	*(u32 *)dest = make_data_loc(max(len, 0L), get_loc_offs(loc));
	return len;
}

#endif /* _TRACE_PROBE_KERNEL_H */

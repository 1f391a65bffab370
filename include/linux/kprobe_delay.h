/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Points between two accesses to memory or text whose order matters to a hit on another CPU. Tests
 * delay the CPU there (kernel/kprobes/tests/delays.c), so that hits and changes meet in orders that
 * are rare otherwise.
 */
#ifndef _LINUX_KPROBE_DELAY_H
#define _LINUX_KPROBE_DELAY_H

#include <linux/compiler.h>

/*
 * The points, by the litmus test of their protocol in kernel/kprobes/litmus/, if there is one. For
 * each protocol, the points of changes come first, and then those of hits.
 */
enum kprobe_delay {
	/* addr-table-grow */
	DELAY_TABLE_COPIED,		/* the new array is complete, and not published */
	DELAY_TABLE_GREW,		/* it is published, and the old one is not freed */
	DELAY_TABLE_SLOTS_READ,
	/* addr-table-insert */
	DELAY_TABLE_ITEM_STORED,	/* the item is in the slot, the address is not */
	DELAY_TABLE_ADDR_READ,
	/* addr-table-replace */
	DELAY_TABLE_REPLACES,
	DELAY_TABLE_ITEM_READ,
	/* addr-table-remove */
	DELAY_TABLE_REMOVED,
	/* breakpoint-goes */
	DELAY_BREAKPOINT_WRITTEN,	/* or the instruction, and the CPUs are not synced */
	DELAY_SITE_UPROOTED,		/* the site is about to leave the table */
	DELAY_BREAKPOINT_TRAPPED,
	DELAY_BREAKPOINT_LOOKED_UP,
	/* jump-to-breakpoint */
	DELAY_JUMP_DISPLACES,		/* KPROBE_FLAG_OPTIMIZED is set, the text is as it was */
	DELAY_JUMP_WRITES,		/* the grace periods are over */
	DELAY_JUMP_BYTES_WRITTEN,	/* some bytes are written, and the CPUs are not synced */
	DELAY_JUMP_WRITTEN,
	DELAY_JUMP_GONE,		/* KPROBE_FLAG_OPTIMIZED is set, the jump is gone */
	DELAY_JUMP_NOT_DISPLACING,
	DELAY_JUMP_HIT,
	DELAY_DISPLACED_READ,		/* the hit has seen KPROBE_FLAG_OPTIMIZED cleared */
	/* post-handler-joins */
	DELAY_POST_ANNOUNCED,		/* the listener is not in the list */
	DELAY_POST_WRITTEN,		/* jump_runs_post is not set */
	DELAY_LISTENERS_READ,		/* kp.post_handler is not read */
	DELAY_RUNS_POST_READ,
	/* site-owner */
	DELAY_SOLE_STORED,		/* entry.hook.owner is that of before */
	DELAY_SOLE_AND_OWNER_READ,
	/* Changes of the listeners; for @sole as in addr-table-replace */
	DELAY_LISTENER_LISTED,
	DELAY_LISTENER_UNLISTED,
	DELAY_SOLE_STORES,
	DELAY_SOLE_READ,
	DELAY_LISTENER_READ,
	/* Changes of the method */
	DELAY_METHOD_STORES,
	DELAY_METHOD_CLAIMED,
	DELAY_METHOD_READ,
	/* Sites that are freed, and slots */
	DELAY_SITE_RETIRED,
	DELAY_SITE_LEFT_TABLE,		/* its slots are not freed */
	DELAY_SLOT_PAGE_ENTERED,	/* kprobe_insn_cache::first and end are those of before */
	DELAY_SLOT_PAGE_LEFT,		/* the page is not freed */
	DELAY_SLOT_CHECKED,
	/* entry-hook-leaves-first, and for the next hook as in addr-table-replace */
	DELAY_ENTRY_READY,		/* a hook is set up, and not in the table */
	DELAY_ENTRY_LINKED,		/* the first hook still calls only itself */
	DELAY_ENTRY_UNLINKED,		/* the first hook still calls all */
	DELAY_ENTRY_SECOND_READY,	/* the second hook is set up, the first is in the table */
	DELAY_ENTRY_MOVES,		/* ENTRY_MOVES is set, the function has not moved */
	DELAY_ENTRY_FIRST_READ,
	DELAY_ENTRY_NEXT_READ,
	/* Fprobes; for the pool as in addr-table-replace */
	DELAY_FPROBE_POOL_READY,
	DELAY_FPROBE_LEFT,		/* the hooks have left, the pool is not stopped */
	DELAY_FPROBE_HIT,
	/* rethook-home */
	DELAY_HOME_GIVES,		/* the node has been read, and is not at home */
	DELAY_HOME_FOUND,
	DELAY_HOME_TAKEN,		/* the node is not written */
	/* rethook-segment, and for longer tables as in addr-table-replace */
	DELAY_SEGMENTS_COPIED,
	DELAY_SEGMENT_ENTERED,		/* its nodes are not on the list */
	DELAY_SHARED_PUSHES,
	DELAY_SHARED_NAME_READ,
	DELAY_SHARED_NEXT_READ,
	/* Pools that are freed */
	DELAY_POOL_STOPPED,
	DELAY_POOL_CLOSED,
	DELAY_POOL_OPEN_READ,
	/* The list of a task; as in addr-table-replace */
	DELAY_NODE_LINKS,
	DELAY_NODE_UNLINKS,		/* the return address is restored */
	DELAY_NODE_READ,
	NR_KPROBE_DELAYS
};

#ifdef CONFIG_KPROBES_DELAYS
void kprobe_delay_point(enum kprobe_delay point);
#else
static __always_inline void kprobe_delay_point(enum kprobe_delay point) { }
#endif

#endif /* _LINUX_KPROBE_DELAY_H */

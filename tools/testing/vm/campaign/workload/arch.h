/* SPDX-License-Identifier: GPL-2.0-only */
/* What of the workload depends on the architecture. */
#ifndef ARCH_H
#define ARCH_H

#if defined(__x86_64__)

#define KERNEL_TEXT	0xffffffff81000000

static inline void undefined_instruction(void)
{
	asm volatile("ud2");
}

static inline void breakpoint(void)
{
	asm volatile("int3");
}

/* Not undefined, and yet a fault. */
static inline void forbidden_instruction(void)
{
	int high = 0, low = 1, zero = 0;

	asm volatile("idivl %2" : "+d" (high), "+a" (low) : "r" (zero) : "cc");
}

/* A few traps to this process itself, one behind each instruction. */
static inline void step_oneself(void)
{
	asm volatile("pushf\n\torl $0x100, (%%rsp)\n\tpopf\n\tnop\n\tnop\n\t"
		     "pushf\n\tandl $~0x100, (%%rsp)\n\tpopf"
		     ::: "memory", "cc");
}

#elif defined(__aarch64__)

#define KERNEL_TEXT	0xffff800080010000

static inline void undefined_instruction(void)
{
	asm volatile(".inst 0");
}

static inline void breakpoint(void)
{
	asm volatile("brk #0");
}

static inline void forbidden_instruction(void)
{
	asm volatile("mrs x0, ttbr0_el1" : : : "x0");
}

/* Processes of arm64 do not step themselves. */
static inline void step_oneself(void)
{
}

#else
#error "name the instructions of this architecture"
#endif

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the workload that depend on the architecture. */
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

/* A defined instruction that causes an exception. */
static inline void forbidden_instruction(void)
{
	int high = 0, low = 1, zero = 0;

	asm volatile("idivl %2" : "+d" (high), "+a" (low) : "r" (zero) : "cc");
}

/* Set the trap flag for a few instructions: each causes a SIGTRAP. */
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

/* On arm64 a process cannot single-step itself. */
static inline void step_oneself(void)
{
}

#else
#error "name the instructions of this architecture"
#endif

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of places where no probe may be on x86. */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/vmalloc.h>

#include <asm/bug.h>
#include <asm/text-patching.h>

#include "../../../../kernel/kprobes/tests/tests.h"

#include "private.h"

/* Functions that run in a hit, or where no trap can be taken. Configurations may lack some. */
static const char * const closed_functions[] = {
	/* a processor comes up */
	"startup_64",
	"secondary_startup_64",
	"common_startup_64",
	"start_secondary",
	"cpu_init_exception_handling",
	/* it comes back from suspend */
	"wakeup_long64",
	"do_suspend_lowlevel",
	"restore_registers",
	"restore_processor_state",
	"__restore_processor_state",
	"native_write_cr0",
	"native_write_cr4",
	/* another kernel is started */
	"machine_kexec",
	"relocate_kernel",
	"identity_mapped",
	/* thunks, some of which the linker puts at addresses of their own */
	"__x86_return_thunk",
	"__x86_indirect_thunk_rax",
	"srso_alias_untrain_ret",
	"srso_alias_safe_ret",
	"srso_alias_return_thunk",
	"retbleed_untrain_ret",
	"entry_untrain_ret",
	/* entry code */
	"asm_exc_int3",
	"entry_SYSCALL_64",
	"error_entry",
	/* what a hit leaves by */
	"preempt_schedule",
	"preempt_schedule_notrace",
	"preempt_schedule_notrace_thunk",
};

static void closed_function_is_refused(struct kunit *test)
{
	unsigned int nr = ARRAY_SIZE(closed_functions);

	KUNIT_EXPECT_GT(test, test_expect_refused(test, closed_functions, nr), nr / 3);
}

/* An address with a symbol that is not mapped, as in freed init text. */
static void unmapped_address_is_not_read(struct kunit *test)
{
	char *pages = vmalloc(2 * PAGE_SIZE);
	unsigned long hole;
	struct kprobe kp = {};
	bool on_entry;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	/* There is a guard page behind it. */
	hole = (unsigned long)pages + 2 * PAGE_SIZE;
	KUNIT_EXPECT_PTR_EQ(test, arch_adjust_kprobe_addr(hole, 0, &on_entry), (void *)hole);
	KUNIT_EXPECT_TRUE(test, on_entry);
	KUNIT_EXPECT_PTR_EQ(test, arch_adjust_kprobe_addr(hole, 4, &on_entry),
			    (void *)hole + 4);
	KUNIT_EXPECT_FALSE(test, on_entry);
	/* Only the last two bytes before it are mapped. */
	arch_adjust_kprobe_addr(hole - 2, 0, &on_entry);

	kp.addr = (kprobe_opcode_t *)hole;
	KUNIT_EXPECT_LT(test, register_kprobe(&kp), 0);
	vfree(pages);
}

/* An instruction must not reach beyond the mapped text. */
static void instruction_at_the_end_of_memory(struct kunit *test)
{
	u8 *pages = vmalloc(PAGE_SIZE);
	struct probed_text text;
	unsigned long end;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	memset(pages, 0x90, PAGE_SIZE);
	end = (unsigned long)pages + PAGE_SIZE;
	mutex_lock(&text_mutex);
	KUNIT_EXPECT_EQ(test, kprobe_insn_read(&text, end - 1, end + 16), 0);
	KUNIT_EXPECT_EQ(test, text.insn.length, 1);
	KUNIT_EXPECT_LT(test, kprobe_insn_read(&text, end, end + 16), 0);
	pages[PAGE_SIZE - 1] = JMP32_INSN_OPCODE;
	KUNIT_EXPECT_LT(test, kprobe_insn_read(&text, end - 1, end + 16), 0);
	mutex_unlock(&text_mutex);
	vfree(pages);
}

/*
 * Instructions for which the long list of bugs is searched. Other instructions that trap are not in
 * that list: UD1 is used by UBSAN, and at the end of static call trampolines, and KCFI has a list
 * of its own. locate_kunit.c checks all entries of the list.
 */
static void may_be_a_bug(struct kunit *test)
{
	static const struct {
		u8 insn[5];
		bool bug;
	} insns[] = {
		{ { 0x0f, 0x0b }, true },			/* ud2 */
		{ { 0x0f, 0x0b, 0x90 }, true },
		{ { 0x0f, 0xb9, 0xcc }, false },		/* ud1 %esp, %ecx */
		{ { 0x67, 0x0f, 0xb9, 0x40, 0x10 }, false },	/* ud1 0x10(%eax), %eax */
		{ { 0x0f, 0xff, 0xc0 }, false },		/* ud0 */
		{ { 0x0b, 0x0f }, false },			/* or (%rdi), %ecx */
		{ { 0x0f, 0x05 }, false },			/* syscall */
		{ { 0xcc, 0x0b }, false },			/* int3 */
		{ { 0x90 }, false },				/* nop */
		{ { 0xe8, 0x0f, 0x0b }, false },		/* call */
	};
	u8 *pages = vmalloc(PAGE_SIZE);
	unsigned int i;

	BUILD_BUG_ON(INSN_UD2 != 0x0b0f || LEN_UD2 != 2);
	for (i = 0; i < ARRAY_SIZE(insns); i++)
		KUNIT_EXPECT_EQ_MSG(test, arch_may_be_bug((unsigned long)insns[i].insn),
				    insns[i].bug, "%5ph", insns[i].insn);
	/* True if the instruction cannot be read. */
	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_EXPECT_TRUE(test, arch_may_be_bug((unsigned long)pages + PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, arch_may_be_bug((unsigned long)pages + PAGE_SIZE - 1));
	vfree(pages);
}

static struct kunit_case plant_cases[] = {
	KUNIT_CASE(closed_function_is_refused),
	KUNIT_CASE(unmapped_address_is_not_read),
	KUNIT_CASE(instruction_at_the_end_of_memory),
	KUNIT_CASE(may_be_a_bug),
	{}
};

static struct kunit_suite plant_suite = {
	.name = "kprobes_x86_plant",
	.test_cases = plant_cases,
};

kunit_test_suite(plant_suite);

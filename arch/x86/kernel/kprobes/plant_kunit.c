// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of where there may be no probe on x86. */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/vmalloc.h>

#include "../../../../kernel/kprobes/internal.h"

#include <asm/text-patching.h>

#include "private.h"

/* What runs where a trap cannot be taken, or in a hit. Not all are in each configuration. */
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
	unsigned long size, offset, addr;
	unsigned int i, found = 0;
	int ret;

	for (i = 0; i < ARRAY_SIZE(closed_functions); i++) {
		struct kprobe kp = { .symbol_name = closed_functions[i] };

		addr = kallsyms_lookup_name(closed_functions[i]);
		if (!addr)
			continue;
		found++;
		ret = register_kprobe(&kp);
		KUNIT_EXPECT_EQ_MSG(test, ret, -EINVAL, "%s", closed_functions[i]);
		if (!ret)
			unregister_kprobe(&kp);
		KUNIT_EXPECT_TRUE_MSG(test, within_kprobe_blacklist(addr), "%s",
				      closed_functions[i]);
		if (kallsyms_lookup_size_offset(addr, &size, &offset) && size)
			KUNIT_EXPECT_TRUE_MSG(test, within_kprobe_blacklist(addr + size - 1),
					      "the end of %s", closed_functions[i]);
	}
	KUNIT_EXPECT_GT(test, found, ARRAY_SIZE(closed_functions) / 3);
}

/* An address that has a name and no memory, as freed init text has. */
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
	/* The last two bytes before it are all that there is. */
	arch_adjust_kprobe_addr(hole - 2, 0, &on_entry);

	kp.addr = (kprobe_opcode_t *)hole;
	KUNIT_EXPECT_LT(test, register_kprobe(&kp), 0);
	vfree(pages);
}

/* What is behind the end of what is mapped is no instruction. */
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

static struct kunit_case plant_cases[] = {
	KUNIT_CASE(closed_function_is_refused),
	KUNIT_CASE(unmapped_address_is_not_read),
	KUNIT_CASE(instruction_at_the_end_of_memory),
	{}
};

static struct kunit_suite plant_suite = {
	.name = "kprobes_x86_plant",
	.test_cases = plant_cases,
};

kunit_test_suite(plant_suite);

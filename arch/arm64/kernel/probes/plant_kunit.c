// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of places where arm64 refuses probes, and of planting. */
#include <kunit/test.h>
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/math.h>
#include <linux/memory.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <linux/stringify.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/debug-monitors.h>
#include <asm/insn.h>
#include <asm/sections.h>

#include "../../../../kernel/kprobes/tests/tests.h"

#include "insn_kunit.h"
#include "private.h"

/* Functions that run in a hit, or where no trap can be taken. Configurations may lack some. */
static const char * const closed_functions[] = {
	/* a CPU starts, sleeps and wakes up */
	"secondary_entry",
	"secondary_startup",
	"__secondary_switched",
	"__secondary_too_slow",
	"set_cpu_boot_mode_flag",
	"finalise_el2",
	"secondary_start_kernel",
	"__enable_mmu",
	"__cpu_soft_restart",
	"cpu_resume",
	"_cpu_resume",
	"cpu_do_resume",
	"idmap_cpu_replace_ttbr1",
	/* changes of the exception level */
	"elx_sync",
	"__finalise_el2",
	/* vectors and their handlers */
	"vectors",
	"el1h_64_sync",
	"el1h_64_irq",
	"gic_handle_irq",
	"el0t_64_sync",
	"ret_to_kernel",
	"ret_to_user",
	"call_on_irq_stack",
	"el1h_64_sync_handler",
	"el1h_64_irq_handler",
	"el1h_64_error_handler",
	"handle_bad_stack",
	"do_debug_exception",
	"do_mem_abort",
	"debug_exception_enter",
	"call_break_hook",
	"brk_handler",
	/* a hit */
	"kprobe_brk_handler",
	"kprobe_ss_brk_handler",
	"kretprobe_brk_handler",
	"kprobe_fault_handler",
	"first_hit",
	"nested_hit",
	"get_kprobe",
	"kprobes_inc_nmissed_count",
	"simulate_adr",
	"simulate_b",
	"simulate_b_cond",
	"simulate_cbz",
	"simulate_tbz",
	"simulate_br",
	"simulate_br_auth",
	"simulate_ldr_literal",
	"simulate_nop",
	"simulate_mrs_daif",
	/* writes to text, also by other code */
	"ftrace_caller",
	"ftrace_call",
	"aarch64_insn_read",
	"aarch64_insn_write",
	"aarch64_insn_patch_text_nosync",
	"aarch64_insn_patch_text_cb",
};

static void closed_function_is_refused(struct kunit *test)
{
	unsigned int nr = ARRAY_SIZE(closed_functions);

	KUNIT_EXPECT_GT(test, test_expect_refused(test, closed_functions, nr), nr / 2);
}

/* It returns on a different stack. */
static void switch_of_stacks_does_not_return(struct kunit *test)
{
	struct kretprobe rp = { .kp.symbol_name = "cpu_switch_to" };
	int ret = register_kretprobe(&rp);

	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	if (!ret)
		unregister_kretprobe(&rp);
}

/* An address with a symbol and without memory, like freed init text. */
static void unmapped_address_is_not_read(struct kunit *test)
{
	char *pages = vmalloc(2 * PAGE_SIZE);
	struct kprobe kp = {};
	unsigned long hole;
	bool on_entry;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	/* A guard page follows it. */
	hole = (unsigned long)pages + 2 * PAGE_SIZE;
	KUNIT_EXPECT_PTR_EQ(test, arch_adjust_kprobe_addr(hole, 0, &on_entry), (void *)hole);
	KUNIT_EXPECT_TRUE(test, on_entry);
	KUNIT_EXPECT_PTR_EQ(test, arch_adjust_kprobe_addr(hole, 4, &on_entry), (void *)hole + 4);
	KUNIT_EXPECT_FALSE(test, on_entry);

	kp.addr = (kprobe_opcode_t *)hole;
	KUNIT_EXPECT_LT(test, register_kprobe(&kp), 0);
	vfree(pages);
}

/* Functions in assembly begin with a landing pad. Probes are after it. */
static void entry_is_behind_landing_pad(struct kunit *test)
{
	unsigned long entry = (unsigned long)insn_test_run;
	bool on_entry;

	KUNIT_ASSERT_TRUE(test, aarch64_insn_is_bti(le32_to_cpu(*(__le32 *)entry)));
	KUNIT_EXPECT_PTR_EQ(test, arch_adjust_kprobe_addr(entry, 0, &on_entry), (void *)entry + 4);
	KUNIT_EXPECT_TRUE(test, on_entry);
	KUNIT_EXPECT_PTR_EQ(test, arch_adjust_kprobe_addr(entry, 4, &on_entry), (void *)entry + 4);
	KUNIT_EXPECT_TRUE(test, on_entry);
	KUNIT_EXPECT_PTR_EQ(test, arch_adjust_kprobe_addr(entry, 8, &on_entry), (void *)entry + 8);
	KUNIT_EXPECT_FALSE(test, on_entry);
	KUNIT_EXPECT_EQ(test, arch_kprobe_function(entry + 4), entry);
}

static noinline int one_more(int x)
{
	barrier();
	return x + 1;
}

/* The result of the architecture's checks for an address. */
static int prepare(unsigned long addr)
{
	struct kprobe kp = { .addr = (kprobe_opcode_t *)addr };
	int ret;

	guard(mutex)(&text_mutex);
	ret = arch_prepare_kprobe(&kp);
	if (!ret)
		arch_remove_kprobe(&kp);
	return ret;
}

/* Words at unaligned addresses of this are instructions that can be probed, too. */
static noinline void some_nops(void)
{
	asm volatile("nop; nop; nop; nop");
}

static void between_instructions_is_refused(struct kunit *test)
{
	unsigned long addr = ALIGN((unsigned long)some_nops, AARCH64_INSN_SIZE), end = addr + 64;
	u32 nop = aarch64_insn_gen_nop(), insns[2];
	unsigned int i, found = 0;

	some_nops();
	for (; addr < end; addr += AARCH64_INSN_SIZE) {
		if (copy_from_kernel_nofault(insns, (void *)addr, sizeof(insns)) ||
		    insns[0] != nop || insns[1] != nop)
			continue;
		found++;
		KUNIT_EXPECT_EQ(test, prepare(addr), 0);
		for (i = 1; i < AARCH64_INSN_SIZE; i++)
			KUNIT_EXPECT_EQ_MSG(test, prepare(addr + i), -EINVAL, "%u bytes on", i);
	}
	KUNIT_EXPECT_GT(test, found, 0);
}

/**
 * struct pointers - the pointers that ftrace has in front of functions
 * @nr: number of pointers
 * @open: number of their halves that can be probed
 */
struct pointers {
	unsigned int nr;
	unsigned int open;
};

static int look_in_front(void *data, const char *name, unsigned long addr)
{
	struct pointers *p = data;

	if (p->nr == 2000 || !core_kernel_text(addr) || !ftrace_location(addr))
		return 0;
	p->nr++;
	p->open += prepare(addr - 8) != -EINVAL;
	p->open += prepare(addr - 4) != -EINVAL;
	return 0;
}

/* Half of a pointer may look like an instruction. */
static void pointer_in_front_of_a_function_is_refused(struct kunit *test)
{
	struct pointers p = { };

	if (!IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS))
		kunit_skip(test, "ftrace has none there");
	kallsyms_on_each_symbol(look_in_front, &p);
	KUNIT_EXPECT_EQ(test, p.nr, 2000);
	KUNIT_EXPECT_EQ(test, p.open, 0);
}

/* Users name functions by symbols, even if the probe is at another address. */
static void function_of_an_entry(struct kunit *test)
{
	unsigned long addr = (unsigned long)one_more;
	unsigned long ip = ftrace_location(addr);

	KUNIT_ASSERT_GT(test, ip, addr);
	KUNIT_EXPECT_EQ(test, arch_ftrace_function(ip), addr);
	KUNIT_EXPECT_EQ(test, arch_kprobe_function(addr), addr);
}

/* Only for these instructions are long lists searched. */
static void may_be_a_branch_or_a_bug(struct kunit *test)
{
	static const struct {
		u32 insn;
		bool branch;
		bool bug;
	} insns[] = {
		{ 0xd503201f, true, false },	/* nop */
		{ 0x14000010, true, false },	/* b */
		{ 0x94000010, false, false },	/* bl */
		{ 0xd4210000, false, true },	/* brk #0x800 */
		{ 0x91000400, false, false },	/* add x0, x0, #1 */
	};
	unsigned int i;
	__le32 insn;

	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		insn = cpu_to_le32(insns[i].insn);
		KUNIT_EXPECT_EQ(test, arch_may_be_jump_label((unsigned long)&insn),
				insns[i].branch);
		KUNIT_EXPECT_EQ(test, arch_may_be_bug((unsigned long)&insn), insns[i].bug);
	}
}

static void drop_kprobe(void *kp)
{
	unregister_kprobe(kp);
}

static struct kprobe *plant(struct kunit *test, void *addr)
{
	struct kprobe *kp = kunit_kzalloc(test, sizeof(*kp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, kp);
	kp->addr = addr;
	KUNIT_ASSERT_EQ(test, register_kprobe(kp), 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop_kprobe, kp));
	return kp;
}

static const struct insn_test_case *find_snippet(struct kunit *test, const char *name)
{
	const struct insn_test_case *c;

	for (c = insn_test_cases; c < insn_test_cases_end; c++) {
		if (!strcmp(c->name, name))
			return c;
	}
	KUNIT_FAIL_AND_ABORT(test, "no snippet %s", name);
	return NULL;
}

static u32 word_at(const void *addr)
{
	return le32_to_cpu(READ_ONCE(*(const __le32 *)addr));
}

static struct arch_specific_insn insn_at(void *addr)
{
	struct kprobe *site;

	guard(preempt)();
	site = get_kprobe(addr);
	return site ? site->ainsn : (struct arch_specific_insn){ };
}

/* One copy ends in a branch to the next instruction, the other one in a breakpoint. */
static void slot_is_filled(struct kunit *test)
{
	const struct insn_test_case *c = find_snippet(test, "insn_test_add_imm");
	void *addr = insn_test_addr(c), *back;
	struct arch_specific_insn ainsn;
	u32 insn = word_at(addr);
	struct kprobe *kp;

	kp = plant(test, addr);
	ainsn = insn_at(addr);
	KUNIT_EXPECT_EQ(test, kp->opcode, insn);
	KUNIT_ASSERT_NOT_NULL(test, ainsn.insn);
	KUNIT_ASSERT_TRUE(test, ainsn.boosted);
	KUNIT_EXPECT_EQ(test, word_at(ainsn.insn + SLOT_COPIES), insn);
	back = ainsn.insn + SLOT_COPIES + 1;
	KUNIT_ASSERT_TRUE(test, aarch64_insn_is_b(word_at(back)));
	KUNIT_EXPECT_PTR_EQ(test, back + aarch64_get_branch_offset(word_at(back)), addr + 4);
	KUNIT_EXPECT_EQ(test, word_at((void *)kprobe_step_start(&ainsn)), insn);
	KUNIT_EXPECT_EQ(test, word_at((void *)kprobe_step_end(&ainsn)), BRK64_OPCODE_KPROBES_SS);
}

static atomic_t stops;

static int count_stop(struct kprobe *p, struct pt_regs *regs)
{
	atomic_inc(&stops);
	return 0;
}

NOKPROBE_SYMBOL(count_stop);

#define NR_IN_A_ROW	300

/* A jump cannot be exchanged for one of these while CPUs execute it. */
static noinline unsigned long many_adds(unsigned long x)
{
	asm volatile(".rept " __stringify(NR_IN_A_ROW) "\n"
		     "add %0, %0, #1\n"
		     ".endr" : "+r" (x));
	return x;
}

static void *first_add(void)
{
	void *addr = many_adds;

	while (word_at(addr) != word_at(addr + AARCH64_INSN_SIZE))
		addr += AARCH64_INSN_SIZE;
	return addr;
}

/* Interrupts are off on all CPUs while the machine is stopped, so it is not stopped for long. */
static void stops_are_short(struct kunit *test)
{
	struct kprobe stop = {
		.symbol_name = "stop_machine_cpuslocked",
		.pre_handler = count_stop,
	};
	const int most = DIV_ROUND_UP(NR_IN_A_ROW, KPROBE_MAX_PER_STOP);
	struct kprobe *kps, **list;
	unsigned int i;

	kps = kunit_kcalloc(test, NR_IN_A_ROW, sizeof(*kps), GFP_KERNEL);
	list = kunit_kcalloc(test, NR_IN_A_ROW, sizeof(*list), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, kps);
	KUNIT_ASSERT_NOT_NULL(test, list);
	for (i = 0; i < NR_IN_A_ROW; i++) {
		kps[i].addr = first_add() + i * AARCH64_INSN_SIZE;
		list[i] = &kps[i];
	}
	KUNIT_ASSERT_EQ(test, register_kprobe(&stop), 0);
	atomic_set(&stops, 0);
	KUNIT_EXPECT_EQ(test, register_kprobes(list, NR_IN_A_ROW), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&stops), most);
	KUNIT_EXPECT_EQ(test, many_adds(1), 1 + NR_IN_A_ROW);
	/* It skips those that are not registered. */
	unregister_kprobes(list, NR_IN_A_ROW);
	KUNIT_EXPECT_EQ(test, atomic_read(&stops), 2 * most);
	KUNIT_EXPECT_EQ(test, many_adds(1), 1 + NR_IN_A_ROW);
	unregister_kprobe(&stop);
}

static void data_is_refused(struct kunit *test)
{
	struct kprobe kp = { .addr = (kprobe_opcode_t *)insn_test_mem };

	KUNIT_EXPECT_EQ(test, register_kprobe(&kp), -EINVAL);
	kp = (struct kprobe){ .addr = (kprobe_opcode_t *)(insn_test_cases + 1) };
	KUNIT_EXPECT_EQ(test, register_kprobe(&kp), -EINVAL);
}

static struct kunit_case plant_cases[] = {
	KUNIT_CASE(closed_function_is_refused),
	KUNIT_CASE(switch_of_stacks_does_not_return),
	KUNIT_CASE(unmapped_address_is_not_read),
	KUNIT_CASE(entry_is_behind_landing_pad),
	KUNIT_CASE(function_of_an_entry),
	KUNIT_CASE(between_instructions_is_refused),
	KUNIT_CASE(pointer_in_front_of_a_function_is_refused),
	KUNIT_CASE(may_be_a_branch_or_a_bug),
	KUNIT_CASE(slot_is_filled),
	KUNIT_CASE(stops_are_short),
	KUNIT_CASE(data_is_refused),
	{}
};

static struct kunit_suite plant_suite = {
	.name = "kprobes_arm64_plant",
	.test_cases = plant_cases,
};

kunit_test_suite(plant_suite);

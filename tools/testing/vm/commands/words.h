/* SPDX-License-Identifier: GPL-2.0 */
/* The words that commands are made of: valid ones, and some that are almost valid. */
#ifndef COMMANDS_WORDS_H
#define COMMANDS_WORDS_H

#define WORDS(name) static const char *const name[]

WORDS(registers) = {
	"di", "si", "dx", "cx", "ax", "bx", "bp", "sp", "r8", "r9", "r10", "r11", "r12", "r13",
	"r14",
	"r15", "ip", "flags", "cs", "ss", "orig_ax",
};

WORDS(no_registers) = {
	"", "nosuch", "rdi", "eax", "al", "DI", "x0", "di0", "di ", "di+8", "r16", "r8d", "ds",
	"fs", "di%si", "%di",
	"orig_rax", "d", "a0", "stack", "return", "pd",
};

WORDS(variables) = {
	"$stack", "$stack0", "$stack1", "$stack2", "$stack8", "$stack63", "$stack64", "$stack0x4",
	"$stack007",
	"$arg1", "$arg2", "$arg3", "$arg4", "$arg5", "$arg6", "$arg1", "$arg2", "$arg3",
	"$retval", "$retval", "$retval", "$comm", "$comm", "$COMM",
};

WORDS(no_variables) = {
	"$", "$nosuch", "$stackx", "$stack-1", "$stack4096", "$stack99999", "$stack99999999999",
	"$stack1x",
	"$stack 1", "$stac", "$stacks", "$stack2048", "$stack2047", "$stack1023", "$stack1024",
	"$arg", "$arg0", "$arg7", "$arg12", "$arg128", "$arg129", "$arg999", "$arg-1", "$arg1x",
	"$argx", "$arg*x",
	"$arg**", "$arg+1", "$arg0x1", "$arg01", "$arg99999999999", "$args", "$retvalx", "$retva",
	"$retval1",
	"$retval ", "$Comm", "$com", "$commx", "$comm1", "$1", "$$", "$arg1->x", "$arg1.x",
	"$stack->x", "$comm->x",
	"$current", "$cpu", "$0", "$retval->", "$retval.", "$STACK", "$ARG1",
};

WORDS(symbols) = {
	"jiffies", "init_task", "saved_command_line", "linux_banner", "init_uts_ns", "nr_cpu_ids",
	"root_task_group",
	"vfs_read", "tasklist_lock", "panic_timeout", "_stext", "init_pid_ns",
	"sysctl_sched_base_slice",
	"system_state", "total_forks",
};

WORDS(no_symbols) = {
	"", "nosuch", "jiffies ", "JIFFIES", "jiffies%", "jiffies*4", "jiffies$", ":jiffies",
	"nosuchmod:jiffies", "0x", "0xg",
	"-1x", "12345678abcde", "1-1", "name_show", "-", "jiffies->x", "jiffies.x",
	"vmlinux:jiffies", "0x-1",
};

WORDS(addresses) = {
	"0", "1", "8", "0x1000", "0xffffffff81000000", "0xffffffffffffffff", "18446744073709551615",
	"18446744073709551616", "-1", "010", "08", "0x10000000000000000", "4096",
};

WORDS(offsets) = {
	"0", "0", "0", "8", "16", "4", "1", "24", "0x10", "0x8", "32", "128", "4095", "4096", "010",
};

WORDS(odd_offsets) = {
	"", "x", "0x", "-8", "+8", "-1", "08", "2147483647", "2147483648", "4294967296",
	"9223372036854775807",
	"9223372036854775808", "18446744073709551616", "1a", "0xg", "u8", "uu8", "8u", "$stack",
	"1-1", "1+1", " 8", "1.5",
	"0x7fffffffffffffff", "0xffffffffffffffff",
};

WORDS(immediates) = {
	"0", "1", "42", "-1", "-42", "0x10", "0xff", "0xffffffffffffffff", "9223372036854775807",
	"-9223372036854775808",
	"18446744073709551615", "010", "2147483648", "-0x1", "+5", "4294967296",
};

WORDS(odd_immediates) = {
	"", "x", "1x", "0x", "08", "-", "--1", "9223372036854775808", "18446744073709551616",
	"-9223372036854775809",
	"'a'", "\"", "\"a", "\"a\"b", "\"a\\\"", "\\1", "\\", "\"a\"\"b\"", "1.0", "$stack", "%ax",
	"0b1", "1 ", "\"a\" ",
	"99999999999999999999999",
};

WORDS(texts) = {
	"", "a", "text", "foo", "a_longer_one_than_that", "with=sign", "x:y", "%d", "a,b", "(x)",
	"\\n", "0123456789012345678901234567",
	"[1]", "$comm", "%s", "caf\xc3\xa9",
};

WORDS(types) = {
	"u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "x8", "x16", "x32", "x64", "char",
};

WORDS(string_types) = { "string", "ustring", "string", "symstr", "symbol", "%pd", "%pD" };

WORDS(bit_types) = {
	"b1@0/8", "b4@0/32", "b4@4/8", "b8@8/32", "b12@4/16", "b31@1/32", "b63@0/64", "b16@48/64",
	"b1@63/64", "b8@0/8",
	"b32@0/32", "b16@0/16", "b0x4@0/32", "b4@0x4/32", "b10@0/64", "b7@1/8",
};

WORDS(no_types) = {
	"", "u", "u7", "u9", "u128", "x", "x0", "x128", "s", "s65", "U8", "u8 ", "u08", "uu8",
	"int", "long", "void", "bool", "strin",
	"strings", "stringx", "String", "ustr", "symbo", "symbols", "symstr2", "sym", "chars",
	"cha", "ptr",
	"%p", "%px", "%pdx", "%pD4", "%", "%pd2", "pd", "u8*", "*u8", "u8:u8", ":u8", "u8->x",
	"u8.x", "(u8)", "u8@1", "enum", "x8x8",
	"b", "b4", "b4@", "b4@0", "b4@0/", "b@0/8", "b4@/8", "b0@0/8", "b9@0/8", "b33@0/32",
	"b64@0/64", "b65@0/64", "b1@8/8",
	"b32@1/32", "b4@0/24", "b4@0/7", "b4@0/128", "b4@-1/32", "b-4@0/32", "b+4@0/32", "b4@0/0",
	"b4@0/0x20", "bx@0/8",
	"b4@x/8", "b4@0/x", "b4@0/32x", "b4/0@32", "b4@0@32", "b4 @0/32", "b4@0/32/32",
	"b99999999999@0/32", "b1@99999999999/32",
	"b17@0/16", "b8@0/", "b4x@0/32", "b4@0x/32", "b1@32/32", "b1@31/32x", "b63@1/64",
	"b2@63/64",
};

WORDS(arrays) = {
	"[1]", "[2]", "[4]", "[3]", "[8]", "[16]", "[63]", "[64]", "[64]", "[0x4]",
};

WORDS(no_arrays) = {
	"[0]", "[65]", "[256]", "[]", "[", "]", "[-1]", "[+1]", "[x]", "[4", "[4x]", "[4]x",
	"[4][4]", "[0x]", "[08]", "[010]", "[ 4]", "[4 ]",
	"[1.5]", "[99999999999999999999]", "[4294967297]", "[1]]", "[[1]", "[1", "[*]", "[4]:u8",
	"[4]u8", "[4]->x", "[1-1]", "[4];",
};

WORDS(argument_names) = {
	"a", "b", "c", "n", "x1", "_u", "count", "file", "path", "arg1", "arg2", "arg9", "ARG",
	"If", "comm", "stack", "retval",
	"a23456789012345678901234567890", "a234567890123456789012345678901", "name", "id", "u8",
	"string",
};

WORDS(no_argument_names) = {
	"", "1", "1a", "a-b", "a.b", "$a", "%a", "a+", "a:b", "a b", "-a", "a->b", "(a)", "a[1]",
	"a*", "caf\xc3\xa9", "a/b", "@a", "\\a", "+a",
	"common_type", "common_pid", "common_flags", "common_preempt_count", "__probe_ip",
	"__probe_func", "__probe_ret_ip",
	"common_x", "__probe_x", "a2345678901234567890123456789012",
	"a23456789012345678901234567890123",
	"a234567890123456789012345678901234567890123456789012345678901234567890",
};

WORDS(event_names) = {
	"", ":e", ":e", ":e", ":e", ":e", ":e", ":e", ":e", ":g/e", ":g/e", ":g.e", ":grp_1/Ev_2",
	":g/", ":kprobes/e", ":_/_",
};

WORDS(odd_event_names) = {
	":", ":/", ":/e", ":g//e", ":g/e/", ":g/e/f", ":g.e.f", ":1a", ":1g/e", ":g/1e", ":a-b",
	":g-h/e", ":e ", ": e", "::e", ":e:", ":$e", ":g.",
	":.e", ":.", ":g/e.f", ":e*", ":e%return", ":caf\xc3\xa9", ":e\\", ":+e",
	":sched/sched_switch", ":syscalls/e", ":ftrace/function",
	":a234567890123456789012345678901234567890123456789012345678901234",
	":a23456789012345678901234567890123456789012345678901234567890123",
	":a2345678901234567890123456789012345678901234567890123456789012",
	":a234567890123456789012345678901234567890123456789012345678901234/e",
	":a23456789012345678901234567890123456789012345678901234567890123/e",
	":a2345678901234567890123456789012345678901234567890123456789012/e",
	":g/a234567890123456789012345678901234567890123456789012345678901234",
	":g/a23456789012345678901234567890123456789012345678901234567890123",
	":g/a2345678901234567890123456789012345678901234567890123456789012",
};

WORDS(maxactives) = { "1", "10", "100", "4096", "0", "4097", "-1", "x", "5x", "0x10", "010",
"08", "99999999999", " 5", "4294967297" };

/* These follow the name of a function. */
WORDS(places_behind) = {
	"+0", "+4", "+1", "+2", "+5", "+20", "+0x4", "-1", "+x", "+", "-", "+0x10000000000",
	"+0x7fffffffffff", "+-1", "+4+4", "+4-4", "%return",
	"%return%return", "%retur", "%returns", "%", "%return+4", "+0%return", "+4%return",
	"+20%return", "%RETURN", "%x", ":x", "->x", ".x",
	"+4x", "+08", "(", "*", " ",
};

WORDS(no_places) = {
	"", "nosuch", "0", "1", "0x1000", "0xffffffffffffffff", "18446744073709551616", "+4", "-4",
	"+", ":", "nosuchmod:", ":vfs_open",
	"nosuchmod:nosuch", "nosuchmod:vfs_read", "nosuchmod:nosuch+4", "nosuchmod:nosuch%return",
	"nosuchmod:nosuch+8%return", "a:b:c",
	"%return", "jiffies", "init_task", "name_show", "name_show+4", "exc_int3", "VFS_READ",
	"vfs-read", "vfs read", "1vfs_read",
	"$arg1", "vfs_read,vfs_write", "/", "/x", "/x:0", "@vfs_read", "\"vfs_read\"",
	"restore_regs_and_return_to_kernel", "no_such_function",
	"vfs_read.", "__fentry__", "_stext", "vmlinux:vfs_read", "schedule", "do_exit",
	"kprobe_int3_handler", "memcpy", "notrace",
};

/* Invalid members of a structure. */
WORDS(no_members) = {
	"nosuch", "", "f_inode", "x", "dentry", "->x", ".", "-", ">", "-x", "f_inode->",
	"f_inode.i_ino", "f_path->dentry", "comm.x", "comm->x",
	"f_path..dentry", "f_path->", "f_path.", "f_path.dentry->d_name.name.x", "1", "$arg1",
	"f_mode->x", "f_mode.x", "(x)", "f_inode[0]",
	"f_op->read->x", "f_pos->x", "F_INODE", "pid ",
	"dentry->d_inode->i_sb->s_root->d_inode->i_sb->s_root->d_inode",
	"dentry->d_parent->d_parent->d_parent->d_parent->d_parent->d_parent->d_parent",
	"mnt->mnt_root->d_inode->i_ino", "dentry->d_inode->i_mapping->host->i_mapping->host->i_ino",
	"f_inode-i_ino", "f_inode>i_ino",
	"f_inode- >i_ino", "counter", "real_parent->real_parent->real_parent->real_parent->pid",
};

WORDS(member_paths) = {
	/* struct file */
	"f_inode", "f_inode->i_ino", "f_inode->i_mode", "f_inode->i_sb->s_id",
	"f_path.dentry->d_name.name", "f_path.dentry->d_iname",
	"f_path.mnt->mnt_flags", "f_flags", "f_mode", "f_op", "f_op->read", "f_pos", "f_path",
	"f_path.mnt", "f_cred->uid.val", "f_cred->uid",
	"private_data", "f_count.counter", "f_owner", "f_mapping->nrpages", "f_ra.size",
	"f_inode->i_size", "f_wb_err", "f_inode->i_rdev",
	/* struct path, dentry */
	"dentry", "mnt", "dentry->d_name.name", "dentry->d_name.len", "dentry->d_name.hash_len",
	"dentry->d_iname", "dentry->d_flags",
	"dentry->d_inode->i_ino", "dentry->d_parent->d_iname", "dentry->d_lockref.count",
	"dentry->d_inode->i_sb->s_id", "dentry->d_sb->s_type->name",
	"mnt->mnt_flags", "mnt->mnt_sb->s_magic", "dentry->d_name", "dentry->d_u", "dentry->d_op",
	"dentry->d_time",
	/* struct filename, open_how, open_flags */
	"name", "uptr", "refcnt.counter", "iname", "aname", "flags", "mode", "resolve", "open_flag",
	"acc_mode", "intent", "lookup_flags",
	/* task_struct */
	"comm", "pid", "tgid", "prio", "__state", "real_parent->pid", "cred->uid.val",
	"se.vruntime", "se.load.weight", "sched_reset_on_fork",
	"in_execve", "sched_contributes_to_load", "mm->pgd", "mm->total_vm", "thread_info.flags",
	"flags", "policy", "stack", "signal->nr_threads", "fs->umask",
	"start_time", "exit_code", "cpus_mask", "cpus_mask.bits", "signal->rlim", "thread.sp",
	"on_cpu", "wake_cpu", "static_prio",
	"nsproxy->uts_ns->name.nodename", "files->next_fd", "se.on_rq",
	"rcu_read_unlock_special.b.blocked", "tasks.next", "pending", "atomic_flags",
	/* sk_buff, pt_regs, kstat */
	"len", "data_len", "pkt_type", "protocol", "dev->name", "sk->__sk_common.skc_family",
	"head", "data", "cb", "users.refs.counter", "mark",
	"cloned", "nohdr", "fclone", "hash", "ip_summed", "di", "si", "ax", "ip", "orig_ax", "ino",
	"size", "result_mask", "mtime.tv_sec", "blksize",
};

/* A function, tracepoint or event, and the names of its parameters or fields. */
struct place {
	const char *name;
	const char *args[10];
};

static const struct place functions[] = {
	{ "vfs_read", { "file", "buf", "count", "pos" } },
	{ "vfs_write", { "file", "buf", "count", "pos" } },
	{ "vfs_open", { "path", "file" } },
	{ "do_filp_open", { "dfd", "pathname", "op" } },
	{ "do_sys_openat2", { "dfd", "filename", "how" } },
	{ "path_openat", { "nd", "op", "flags" } },
	{ "kfree", { "object" } },
	{ "getname_flags", { "filename", "flags" } },
	{ "wake_up_process", { "p" } },
	{ "wake_up_new_task", { "p" } },
	{ "d_path", { "path", "buf", "buflen" } },
	{ "capable", { "cap" } },
	{ "ns_capable", { "ns", "cap" } },
	{ "vfs_getattr", { "path", "stat", "request_mask", "query_flags" } },
	{ "do_mmap", { "file", "addr", "len", "prot", "flags", "vm_flags", "pgoff", "populate",
	  "uf" } },
	{ "from_kuid", { "targ", "kuid" } },
	{ "make_kuid", { "ns", "uid" } },
	{ "ktime_get", { NULL } },
	{ "__set_task_comm", { "tsk", "buf", "exec" } },
	{ "sk_skb_reason_drop", { "sk", "skb", "reason" } },
	{ "consume_skb", { "skb" } },
	{ "kstrdup", { "s", "gfp" } },
	{ "d_lookup", { "parent", "name" } },
	{ "dput", { "dentry" } },
	{ "fput", { "file" } },
	{ "vfs_fsync_range", { "file", "start", "end", "datasync" } },
	{ "set_user_nice", { "p", "nice" } },
	{ "sched_setattr", { "p", "attr" } },
	{ "kernel_clone", { "args" } },
	{ "schedule_timeout", { "timeout" } },
	{ "__x64_sys_openat", { "regs" } },
	{ "seq_printf", { "m", "f" } },
	{ "timespec64_add_safe", { "lhs", "rhs" } },
	{ "simple_strtoul", { "cp", "endp", "base" } },
	{ "strscpy_pad", { "dest", "src", "count" } },
	{ "file_modified_flags", { "file", "flags" } },
	{ "kill_pid_info", { "sig", "info", "pid" } },
	{ "copy_process", { "pid", "trace", "node", "args" } },
	{ "vfs_statx", { "dfd", "filename", "flags", "stat", "request_mask" } },
};

static const struct place tracepoints[] = {
	{ "sched_switch", { "preempt", "prev", "next", "prev_state" } },
	{ "sched_process_fork", { "parent", "child" } },
	{ "sched_wakeup", { "p" } },
	{ "sched_process_exec", { "p", "old_pid", "bprm" } },
	{ "kfree_skb", { "skb", "location", "reason", "rx_sk" } },
	{ "kfree", { "call_site", "ptr" } },
	{ "kmalloc", { "call_site", "ptr", "bytes_req", "bytes_alloc", "gfp_flags", "node" } },
	{ "task_rename", { "task", "comm" } },
	{ "task_newtask", { "task", "clone_flags" } },
	{ "sys_enter", { "regs", "id" } },
	{ "signal_generate", { "sig", "info", "task", "group", "result" } },
	{ "sched_process_wait", { "pid" } },
	{ "cgroup_mkdir", { "cgrp", "path" } },
	{ "workqueue_queue_work", { "req_cpu", "pwq", "work" } },
};

WORDS(no_tracepoints) = {
	"", "nosuch", "no-such", "sched:sched_switch", "sched/sched_switch", "sched_switch%return",
	"sched_switch+0", "1abc", "kfree.", "-", "5-",
	"vfs_read", "SCHED_SWITCH", "sched_switch ", "$x", "__probestub_kfree",
};

/* Events that an eprobe can be attached to, and their fields. */
static const struct place events[] = {
	{ "sched.sched_switch", { "prev_comm", "prev_pid", "prev_prio", "prev_state", "next_comm",
	  "next_pid", "next_prio" } },
	{ "sched/sched_switch", { "prev_comm", "prev_pid", "prev_prio", "prev_state", "next_comm",
	  "next_pid", "next_prio" } },
	{ "syscalls/sys_enter_openat", { "__syscall_nr", "dfd", "filename", "flags", "mode" } },
	{ "syscalls/sys_exit_openat", { "__syscall_nr", "ret" } },
	{ "raw_syscalls.sys_enter", { "id", "args" } },
	{ "sched/sched_process_exec", { "filename", "pid", "old_pid" } },
	{ "task/task_rename", { "pid", "oldcomm", "newcomm", "oom_score_adj" } },
	{ "kmem/kmalloc", { "call_site", "ptr", "bytes_req", "bytes_alloc", "gfp_flags", "node" } },
	{ "signal.signal_generate", { "sig", "errno", "code", "comm", "pid", "group", "result" } },
	{ "workqueue/workqueue_queue_work", { "work", "function", "workqueue", "req_cpu", "cpu" } },
};

WORDS(no_events) = {
	"", "sched", "sched.", ".sched_switch", "sched/", "/sched_switch", "a.b", "a/b",
	"sched.nosuch", "nosuch.sched_switch", "sched-sched_switch",
	"sched.sched_switch.x", "sched/sched_switch/x", "1/2", "sched.sched-switch",
	"ftrace/function", "ftrace.print", "kprobes/e",
	"sched:sched_switch", "syscalls", "sched/sched_switch%return", "sched..sched_switch",
	"sched.*",
};

WORDS(event_fields) = {
	"$common_pid", "$common_type", "$comm", "$COMM", "$stack", "$retval", "$arg1", "$nosuch",
	"$", "prev_pid", "%di", "$prev_pid.x", "$prev_comm->x",
	"$common_comm", "$cpu", "$CPU", "$common_cpu", "$stacktrace", "$STACKTRACE",
	"$prev_comm[0]", "$prev_pidx", "$Prev_pid", "$stack0", "$arg*",
	"$common_flags",
};

WORDS(filters) = {
	" if prev_pid == 0", " if common_pid > 1", " if", " if ", " if nosuch == 1",
	" if prev_comm ~ \"a*\"", " if prev_pid", " if (prev_pid == 0",
	" if prev_pid == 0 && next_pid != 0", " if x if y", " if dfd == 1", " if id == 257",
	" IF prev_pid == 0", " if prev_pid == x",
	" if prev_pid == 0 a=$prev_pid", " if pid > 0", " if 1",
	" if prev_prio & 1 || next_prio < 120",
};

WORDS(user_places) = {
	"/bin/sh:0x1000", "/bin/sh:0x1234", "/bin/sh:4096", "/bin/busybox:0x2000", "/bin/busybox:0",
	"/bin/busybox:0x2000(0x10)",
	"/bin/sh:0x1000%return",
};

WORDS(odd_user_places) = {
	"/bin/sh", "/bin/sh:", "/bin/sh:x", "/bin/sh:-1", "/bin/sh:0x", "/nosuch:0x10",
	"/dev/null:0", "/:0", "/bin:0x10", "bin/sh:0x10", "./x:0x10",
	"/bin/sh:main", "/bin/sh:0x10:0x10", "/bin/sh:0x1000(", "/bin/sh:0x1000()",
	"/bin/sh:0x1000(0x10", "/bin/sh:0x1000(x)",
	"/bin/sh:0x1000(0x10)x", "/bin/sh:0x1000(0)", "/bin/sh:0x1000%", "/bin/sh:0x1000%retur",
	"/bin/sh:0x1000%return%return",
	"/bin/sh:0x1000(0x10)%return", "/bin/sh:0xffffffffffffffff", "/bin/sh:99999999999999999999",
	"/bin/sh+0x10", ":0x1000", "/bin/sh:0x1000+4",
	"/proc/version:0", "/bin/sh:0x7fffffffffffffff", "/bin/sh:18446744073709551616",
	"/bin/sh:010",
};

WORDS(deletions) = {
	"-:e", "-:g/e", "-:kprobes/e", "-:nosuch", "-:", "-", "-:/", "-:g/", "-:kprobes/",
	"-:fprobes/", "-:e vfs_read", "-:e vfs_read a=$arg1", "-:e x y z",
	"-:e vfs_read $arg1:u8", "-e", "-:1a", "-:a-b", "-:e/e", "-:g.e", "- e", "-::e",
	"-:e%return", "-5:e", "-:e vfs_open", "-:e  ", "-:E", "-p:e", "-:uprobes/e",
	"-:e /bin/sh:0x1000", "-:eprobes/",
	"-:a234567890123456789012345678901234567890123456789012345678901234", "-:e*",
	"-:tracepoints/e",
};

#endif

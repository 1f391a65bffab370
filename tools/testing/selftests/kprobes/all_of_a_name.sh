#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Kprobe events on all functions of a name, and on their clones: SYM@*.

cd "$(dirname "$0")" && . ./functions

names=/sys/module/kprobe_test_names/parameters

load_names() {
	load_or_skip kprobe_test_names
}

call_names() {
	echo "$1" > $names/call
	[ "$(cat $names/wrong)" = 0 ]
}

# by_function EVENT: the number of records of each function.
by_function() {
	sed -n "s/.* $1: (\(.* <- \)\?\([a-z0-9_.]*\).*/\2/p" $tracefs/trace | sort | uniq -c |
		awk '{ print $2 "=" $1 }' | tr '\n' ' '
}

# Functions of one name differ only in their addresses.
hooked() {
	grep -c "$1" $kprobes/list || true
}

same_name_in_two_files() {
	load_names
	put 'p:same names_same@* x=$arg1:u64'
	put 'r:back names_same@* x=$arg1:u64 y=$retval:u64'
	[ "$(cat $events)" = 'p:kprobes/same names_same@* x=$arg1:u64
r:kprobes/back names_same@* x=$arg1:u64 y=$retval:u64' ]
	[ "$(hooked ' names_same+')" = 4 ]
	enable kprobes
	call_names 5
	disable kprobes
	call_names 5
	recorded same 10
	recorded back 10
	[ "$(values same x | sort -n | tr '\n' ' ')" = '0 0 1 1 2 2 3 3 4 4 ' ]
	[ "$(values back y | sort -n | tr '\n' ' ')" = '1 1 2 2 3 3 4 4 5 5 ' ]
	hits same 10
	hits back 10
	[ "$(counts kprobes/same HITS)" = 10 ]
	echo 'hist:keys=__probe_ip' > $tracefs/events/kprobes/same/trigger
	enable kprobes
	call_names 5
	disable kprobes
	grep -c 'hitcount: *5$' $tracefs/events/kprobes/same/hist > "$tmp/count"
	[ "$(cat "$tmp/count")" = 2 ]
	echo '!hist:keys=__probe_ip' > $tracefs/events/kprobes/same/trigger
	put '-:same names_same@*'
	put '-:kprobes/back'
	empty $events
	[ "$(hooked ' names_same+')" = 0 ]
}

what_the_compiler_made() {
	load_names
	put 'p:in names_cloned@*'
	put 'p:out names_cloned@*%return'
	put 'p:only names_only@*'
	put 'p:some names_cloned.isra.0@*'
	enable kprobes
	call_names 2
	disable kprobes
	all='names_cloned=2 names_cloned.isra.0=2 names_cloned.isra.0.constprop.12=2'
	all="$all names_cloned.llvm.11847363542=2 names_cloned.part.1=2 "
	[ "$(by_function in)" = "$all" ]
	[ "$(by_function out)" = "$all" ]
	[ "$(by_function only)" = 'names_only.part.0=2 ' ]
	[ "$(by_function some)" = 'names_cloned.isra.0=2 names_cloned.isra.0.constprop.12=2 ' ]
	disable kprobes
	echo > $events
	# Parts of functions, like .cold, have no entry. Some functions cannot be probed at all.
	for cold in $(sed -n 's/.* t \([a-z_0-9]*\)[.]cold$/\1/p' /proc/kallsyms | head -n 20); do
		put "p:cold_$cold $cold@*" || true
	done
	grep -q . $kprobes/list || [ -z "$cold" ]
	not grep '[.]cold+' $kprobes/list
}

cannot_be_probed() {
	load_names
	put 'p:mixed names_mixed@*'
	[ "$(hooked ' names_mixed+')" = 1 ]
	enable kprobes/mixed
	call_names 3
	recorded mixed 3
	disable kprobes/mixed
	bad 'Invalid argument' 'p:dark ^names_dark@*'
	dmesg | tail -n 1 | grep 'Could not probe notrace function names_dark'
	bad 'Invalid argument' 'p:black ^names_black@*'
	bad 'Invalid argument' 'r:black ^names_black@*'
	bad 'Invalid argument' 'p:none ^no_such_function@*'
	bad 'Invalid argument' 'p:none ^names_clone@*'
	bad 'Invalid argument' 'p:none ^kprobe_test_names:vfs_read@*'
	bad 'Invalid argument' 'p:none ^@*'
	bad 'Invalid argument' 'p:none ^kprobe_test_names:@*'
	bad 'Invalid argument' 'p:offs names_same@*^+4'
	grep 'All functions of a name have no offset' $tracefs/error_log
	bad 'Invalid argument' 'p:offs names_same^+4@*'
	bad 'Invalid argument' 'p:offs names_same@*^x'
	bad 'Invalid argument' 'p:offs names_same@*^%what'
	bad 'Invalid argument' 'p:offs names_same^%return@*'
	# The listed command is the one that was written.
	put 'p:twice names_same@*'
	refused exists 'p:twice names_same@*'
	put 'p:twice names_cloned'
	[ "$(grep -c twice $events)" = 2 ]
}

# Use one of the two names at each place. No symbol may be missing.
modules_come_and_go() {
	load_names
	rmmod kprobe_test_names
	refused 'Invalid' 'p:same names_same@*'
	put 'p:early kprobe_test_names:names_early@*'
	put 'p:same kprobe_test_names:names_same@* x=$arg1:u64'
	put 'r:back kprobe_test_names:names_same@*'
	enable kprobes
	for i in 1 2 3; do
		load_names
		call_names 1
		[ "$(hooked ' names_same+')" = 4 ]
		# Init text has been freed.
		[ "$(hooked ' names_early+')" = 0 ]
		rmmod kprobe_test_names
		[ "$(hooked names_)" = 0 ]
	done
	disable kprobes
	recorded early 3
	recorded same 12
	recorded back 12
	hits same 12
	[ "$(wc -l < $events)" = 3 ]
	load_names
	call_names 1
	enable kprobes/same
	call_names 1
	hits same 14
}

# Without MOD:, functions of modules that are loaded later are added, too.
a_module_that_was_not_named() {
	load_names
	put 'p:any names_same@*'
	put 'p:any2 names_only@*'
	rmmod kprobe_test_names
	enable kprobes/any
	load_names
	call_names 1
	recorded any 4
	hits any 4
	hits any2 0
	enable kprobes/any2
	call_names 1
	hits any2 1
}

# not_planted SYM: how many warnings of the kernel say so.
not_planted() {
	dmesg | grep -c "$1.*: not planted" || true
}

# An argument reads a variable of another module, which is gone when this one is loaded: 0.
a_variable_that_is_gone() {
	load_names
	load_target
	variable=$(awk '{ n[$3]++ }
		$2 ~ /[bd]/ && $4 == "[kprobe_test_target]" { all[$3] }
		END { for (v in all) if (n[v] == 1) { print v; exit } }' /proc/kallsyms)
	[ -n "$variable" ] || skip "no variables in kallsyms"
	put "p:any names_same@* x=@$variable y=\$arg1:u64"
	rmmod kprobe_test_target
	rmmod kprobe_test_names
	enable kprobes/any
	load_names
	call_names 3
	recorded any 8
	[ "$(grep -c ' any: .* x=0x0 y=' $tracefs/trace)" = 8 ]
	[ "$(values any y | sort | uniq -c | tr -s ' \n' ' ')" = ' 4 0 2 1 2 2 ' ]
	[ "$(not_planted names_same)" = 0 ]
}

# One of the two functions is notrace.
some_are_planted_later() {
	load_names
	put 'p:mixed kprobe_test_names:names_mixed@*'
	rmmod kprobe_test_names
	enable kprobes/mixed
	load_names
	call_names 3
	recorded mixed 4
	[ "$(not_planted names_mixed)" = 0 ]
}

load_and_go() {
	try put 'p:race names_same@*'
	try enable kprobes/race
	try disable kprobes/race
	try put '-:race'
}

# Events are created and removed while the module is loaded and unloaded.
races_with_a_module() {
	load_names
	rmmod kprobe_test_names
	: > "$tmp/tried"
	put 'r:stays kprobe_test_names:names_cloned@*'
	enable kprobes/stays
	start keep_trying load_and_go
	for i in $(seq 60); do
		load_names
		call_names 5
		rmmod kprobe_test_names
	done
	enough
	finish_all
	hits stays 1800
	sort "$tmp/tried" | uniq -c
	[ "$(hooked names_)" = 0 ]
}

instances_and_perf() {
	needs_perf_open
	load_names
	put 'p:same names_same@*'
	mkdir $tracefs/instances/names
	echo 1 > $tracefs/instances/names/events/kprobes/same/enable
	refused 'busy' '-:same'
	call_names 4
	recorded same 8 names
	recorded same 0
	echo 0 > $tracefs/instances/names/events/kprobes/same/enable
	"$perf_open" -e "$(cat $tracefs/events/kprobes/same/id)" $names/call 3 > "$tmp/perf"
	cat "$tmp/perf"
	grep -w 6 "$tmp/perf"
	call_names 4
	hits same 14
}

system_calls() {
	case $(uname -m) in
	x86_64)		wrapper=__x64_sys_openat ;;
	aarch64)	wrapper=__arm64_sys_openat ;;
	*)		skip "system calls have other names" ;;
	esac
	put 'p:open sys_openat@* regs=$arg1'
	put 'p:opened sys_openat@*%return ret=$retval:s32'
	[ "$(grep -c sys_openat@ $events)" = 2 ]
	enable kprobes
	cat /etc/passwd > "$tmp/copy"
	cat /no/such/file 2> "$tmp/err" || true
	disable kprobes
	grep "open: ($wrapper+0x[0-9a-f]*/.*regs=0x[0-9a-f]*[1-9a-f]" $tracefs/trace
	grep "opened: .* <- $wrapper) ret=-2" $tracefs/trace
	[ "$(hooked "k  .*sys_openat+")" -ge 1 ]
	[ "$(uname -m)" != x86_64 ] || grep ' r .*__ia32_compat_sys_openat' $kprobes/list
	[ "$(uname -m)" != x86_64 ] || [ ! -e /sys/kernel/btf/vmlinux ] ||
		put 'p:dirfd sys_openat@* dfd=regs->di:s32'
	bad 'Invalid argument' 'p:no ^sys_no_such_call@*'
}

# The kernel logs it once for each command.
parameters_may_have_moved() {
	load_names
	for line in 'p:moved names_cloned@* x=$arg1' 'p:moved names_cloned.isra.0 $arg1' \
		'r:moved names_cloned.isra.0@* $arg1' 'f:moved names_cloned.isra.0 $arg1'; do
		before=$(dmesg | grep -c 'moved: on what the compiler made' || true)
		put "$line" $dynamic
		after=$(dmesg | grep -c 'moved: on what the compiler made' || true)
		[ $((before + 1)) = "$after" ]
		put '-:moved' $dynamic
	done
	for line in 'p:moved names_same@* $arg1' 'p:moved names_cloned@*' \
		"p:moved names_cloned@* $reg0" 'p:moved names_cloned $arg1' \
		'p:moved names_only@* $arg1' 'r:moved names_cloned@* $retval'; do
		put "$line" $dynamic
		put '-:moved' $dynamic
	done
	[ "$(dmesg | grep -c 'moved: on what the compiler made' || true)" = "$after" ]
}

# For an ambiguous name, error_log suggests other names. Each of them selects one function.
candidates_are_told() {
	load_names
	bad 'Invalid argument' 'p:one ^names_same'
	grep 'The symbol is not unique' $tracefs/error_log
	grep 'Each of these is one place' $tracefs/error_log
	sed -n 's/ *Command: names_same://p' $tracefs/error_log > "$tmp/told"
	[ "$(wc -w < "$tmp/told")" = 2 ]
	n=0
	for place in $(cat "$tmp/told"); do
		n=$((n + 1))
		put "p:one$n $place"
		put "r:back$n $place"
		put "p:back2$n $place%return"
		put "p:in$n $place x=\$arg1:u64"
	done
	enable kprobes
	call_names 3
	disable kprobes
	for e in one1 one2 back1 back2 back21 back22 in1 in2; do
		hits $e 3
	done
	grep 'one1: (names_same+' $tracefs/trace
	[ "$(sed -n 's/.* names_same+\(0x[0-9a-f]*\) .*/\1/p' $kprobes/list | wc -l)" = 8 ]
	awk '/ names_same\+/ { print $1 }' $kprobes/list | sort | uniq -c | awk '$1 != 4' > "$tmp/odd"
	empty "$tmp/odd"
	# Functions of the kernel, also with an offset in the command.
	twice=$(awk '$2 ~ /[tT]/ && NF == 3 && $3 !~ /^__(pfx|cfi)_|\./ { n[$3]++ }
		END { for (f in n) if (n[f] == 3) { print f; exit } }' /proc/kallsyms)
	[ -n "$twice" ] || return 0
	refused 'Invalid argument' "p:kernel $twice"
	for place in $(sed -n "s/ *Command: $twice://p" $tracefs/error_log); do
		put "p:kernel $place" || put "p:kernel $place" 2>&1 | grep -i argument
	done
	refused 'Invalid argument' "p:kernel $twice+1"
}

# It names some of them, and gives the number of the others.
not_too_many_are_told() {
	many=$(awk '$2 ~ /[tT]/ && NF == 3 && $3 ~ /^[a-z]/ && $3 !~ /^__(pfx|cfi)_|\./ { n[$3]++ }
		END { for (f in n) if (n[f] > 8) { print f; exit } }' /proc/kallsyms)
	[ -n "$many" ] || skip "no name is so frequent"
	refused 'Invalid argument' "p:many $many"
	cat $tracefs/error_log
	grep "Command: $many:.* and [0-9]* more$" $tracefs/error_log
}

begin
run same_name_in_two_files
run what_the_compiler_made
run cannot_be_probed
run modules_come_and_go
run a_module_that_was_not_named
run a_variable_that_is_gone
run some_are_planted_later
run races_with_a_module
run instances_and_perf
run system_calls
run parameters_may_have_moved
run candidates_are_told
run not_too_many_are_told
rmmod kprobe_test_names 2> /dev/null
finish

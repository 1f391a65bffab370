#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Events on lists of functions, with exceptions, and on functions of modules that are loaded later.

cd "$(dirname "$0")" && . ./functions

mod=kprobe_test_target

# functions_of EVENT: the functions in its records, at entry or return.
functions_of() {
	sed -n "s/.* $1: (\(.* <- \)\?\([a-z0-9_.]*\).*/\2/p" $tracefs/trace | sort -u |
		tr '\n' ' '
}

lists_and_exceptions() {
	load_target
	put 'f:two kprobe_target_traced,kprobe_target_other'
	put 'f:but kprobe_target_*,!kprobe_target_black'
	put 'f:first !kprobe_target_[bo]*,kprobe_target_*,vfs_no_such*'
	put "f:mod $mod:kprobe_target_*,!$mod:kprobe_target_other%return"
	put 'f:far kprobe_target_traced,vfs_read:exit $retval'
	put 'f:none kprobe_target_*,!no_such*,!vfs_read,!kprobe_target_plain:entry $arg1'
	enable fprobes
	call 2
	head -n 1 /etc/passwd
	disable fprobes
	[ "$(functions_of two)" = 'kprobe_target_other kprobe_target_traced ' ]
	[ "$(functions_of but)" = 'kprobe_target_other kprobe_target_traced ' ]
	[ "$(functions_of first)" = 'kprobe_target_traced ' ]
	[ "$(functions_of mod)" = 'kprobe_target_black kprobe_target_traced ' ]
	[ "$(grep -c ' far: .* <- kprobe_target_traced) arg1=0x' $tracefs/trace)" = 2 ]
	grep ' far: .* <- vfs_read' $tracefs/trace
	recorded none 6
	[ "$(counts fprobes/two HITS)" = 4 ]
	empty $tracefs/enabled_functions
}

# The listing equals the command, and can be written again.
written_and_read() {
	load_target
	cat > "$tmp/lines" <<-END
		f:fprobes/a kprobe_target_traced,!vfs_read,vfs_write
		f:fprobes/b kprobe_target_*,!kprobe_target_other:entry
		f:fprobes/c vfs_*,!vfs_read:exit arg1=\$retval
		f:fprobes/d vfs_read,vfs_write%return
		f:fprobes/e vfs_read:entry
		f:fprobes/f vfs_read:exit
		f:fprobes/g $mod:kprobe_target_traced,not_loaded:x*
	END
	for i in 1 2; do
		while read -r line; do
			put "$line"
		done < "$tmp/lines"
		cmp "$tmp/lines" $events
		echo > $events
		empty $events
	done
	put 'f:a vfs_read,vfs_write $retval'
	[ "$(cat $events)" = 'f:fprobes/a vfs_read,vfs_write%return arg1=$retval' ]
	# Remove it by its definition, in each form that is allowed.
	refused 'No such' '-:a vfs_read'
	refused 'No such' '-:a vfs_read,vfs_write:entry'
	put '-:a vfs_read,vfs_write:exit arg1=$retval'
	put 'f:a vfs_read,vfs_write:exit'
	put '-:a vfs_read,vfs_write%return'
	put 'f:a vfs_read,vfs_write'
	refused 'No such' '-:a vfs_read,vfs_write:exit'
	put '-:a vfs_read,vfs_write:entry'
	put 'f:a vfs_read,vfs_write'
	refused exists 'f:a vfs_read,vfs_write'
	put 'f:a vfs_read'
	[ "$(wc -l < $events)" = 2 ]
}

not_a_list() {
	load_target
	bad 'Invalid argument' 'f:bad vfs_read,^no_such_function'
	bad 'Invalid argument' 'f:bad ^no_such_function,vfs_read'
	bad 'Invalid argument' 'f:bad vfs_read,^no_such_function,vfs_write:exit'
	bad 'Invalid argument' 'f:bad ^no_such_function'
	bad 'Invalid argument' 'f:bad ^no_such_function:entry'
	bad 'Invalid argument' 'f:bad ^no_such_*'
	bad 'Invalid argument' 'f:bad ^kprobe_target_plain,vfs_read'
	bad 'No such' 'f:bad vfs_*,^!no_such_function'
	bad 'No such' 'f:bad ^vfs_read,!vfs_*'
	bad 'No such' 'f:bad ^no_such_*,no_such?'
	bad 'Invalid argument' "f:bad vfs_read,^$mod:vfs_write"
	bad 'Invalid argument' "f:bad ^$mod:vfs_write"
	bad 'No such' "f:bad vfs_read,^!$mod:vfs_write"
	bad 'Invalid argument' 'f:bad ^!vfs_read'
	bad 'Invalid argument' 'f:bad ^!vfs_read,!vfs_write'
	grep 'names nothing but exceptions' $tracefs/error_log
	for list in '^:vfs_read' '^:entry' '^:exit' "vfs_read,^$mod:" '^,vfs_read' \
		'vfs_read,^,vfs_write' 'vfs_read,^' 'vfs_*,^!' 'vfs_*,^!!vfs_read' "vfs_*,^!:x"; do
		bad 'Invalid argument' "f:bad $list"
	done
	grep 'A name is missing in the list' $tracefs/error_log
	bad 'Invalid argument' 'f:bad vfs_read^%return,vfs_write'
	bad 'Invalid argument' 'f:bad vfs_read:exit^%return'
	bad 'Invalid argument' 'f:bad vfs_read^%return:exit'
	bad 'Invalid argument' 'f:bad vfs_read,vfs_write:entry ^$retval'
	bad 'Invalid argument' 'f:bad vfs_read:entry x=^$retval'
	bad 'Invalid argument' 'f^8:bad vfs_read:entry'
	put 'f8:good vfs_read:exit'
	bad 'Invalid argument' 'f^ vfs_read,vfs_write'
	bad 'Invalid argument' 'f:fprobes/^ vfs_read,vfs_write'
	[ "$(wc -l < $events)" = 1 ]
}

too_long() {
	load_target
	some=$(seq 254 | sed 's/.*/!x*,/' | tr -d '\n')
	put "f:long ${some}vfs_read,vfs_write"
	bad 'Invalid argument' "f:longer ^${some}vfs_read,vfs_write,vfs_read"
	grep 'Too many names' $tracefs/error_log
}

parameters() {
	needs_btf
	put 'f:number kprobe_target_traced,kprobe_target_other $arg1'
	bad 'Operation not supported' 'f:bad kprobe_target_traced,kprobe_target_other ^$arg*'
	bad 'No such' 'f:bad kprobe_target_traced,!vfs_read ^x'
	put "f:one $mod:kprobe_target_traced \$arg*"
	put "f:two $mod:kprobe_target_traced%return x"
	bad 'No such' 'f:bad not_loaded:kprobe_target_traced ^x'
	put 'f:numbered not_loaded:kprobe_target_traced $arg1'
	enable fprobes/one fprobes/two
	call 3
	[ "$(values one x | sort -u | tr '\n' ' ')" = '0 1 2 ' ]
	[ "$(values two x | sort -u | tr '\n' ' ')" = '0 1 2 ' ]
}

waits_for_its_module() {
	load_target
	rmmod $mod
	put "f:init $mod:kprobe_target_init \$arg1"
	put "f:ret $mod:kprobe_target_traced%return"
	put "f:all $mod:kprobe_target_*,!$mod:kprobe_target_init,!kprobe_target_other"
	put "f:mixed vfs_read,$mod:kprobe_target_traced"
	dmesg | grep "$mod:kprobe_target_init: waits for a module with these functions"
	[ "$(wc -l < $events)" = 4 ]
	# Without MOD:, the function of a module has to exist.
	bad 'Invalid argument' 'f:bad ^kprobe_target_traced'
	enable fprobes/init fprobes/ret fprobes/all
	for i in 1 2 3; do
		load_target
		call 1
		[ "$(cat $target/wrong)" = 0 ]
		rmmod $mod
		not grep kprobe_target $tracefs/enabled_functions
	done
	recorded init 3
	# By address, because init text has been freed.
	[ "$(grep -c ' init: (.* arg1=0x1$' $tracefs/trace)" = 3 ]
	recorded ret 6
	# Two functions remain.
	recorded all 12
	load_target
	[ "$(functions_of all)" = 'kprobe_target_black kprobe_target_traced ' ]
	enable fprobes/mixed
	call 1
	head -n 1 /etc/passwd
	# Otherwise reading the trace would add records.
	disable fprobes
	[ "$(grep -c ' mixed: (kprobe_target_traced' $tracefs/trace)" = 1 ]
	grep ' mixed: (vfs_read' $tracefs/trace
}

# The same in modules that are loaded later.
exceptions_in_modules() {
	load_target
	put 'f:early vfs_open,kprobe_target_*,!kprobe_target_[io]*'
	rmmod $mod
	enable fprobes/early
	load_target
	call 1
	disable fprobes
	[ "$(functions_of early | tr ' ' '\n' | grep kprobe_ | tr '\n' ' ')" = \
		'kprobe_target_black kprobe_target_traced ' ]
	enable fprobes
	rmmod $mod
	not grep kprobe_target $tracefs/enabled_functions
}

switch_and_go() {
	try put "f:race $mod:kprobe_target_*,!kprobe_target_black"
	try enable fprobes/race
	try disable fprobes/race
	try put '-:race'
}

races_with_its_module() {
	load_target
	put "f:stays $mod:kprobe_target_traced"
	enable fprobes/stays
	race_with_module switch_and_go
}

begin_dynamic 'f[:[<group>/][<event>]]'
run lists_and_exceptions
run written_and_read
run not_a_list
run too_long
run parameters
run waits_for_its_module
run exceptions_in_modules
run races_with_its_module
finish

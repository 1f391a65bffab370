#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# debugfs kprobes/: list, enabled, blacklist; and the sysctl.

cd "$(dirname "$0")" && . ./functions

list_has_all_probes() {
	load_target
	put 'p:one vfs_open'
	put 'r:two vfs_open'
	put "p:three $inside"
	[ "$(wc -l < $kprobes/list)" = 3 ]
	# ADDRESS  k  FUNCTION+OFFSET  MODULE [FLAGS]
	[ "$(grep -c '^[0-9a-f]\{16\}  [kr]  [a-z_]*+0x[0-9a-f]*  ' $kprobes/list)" = 3 ]
	grep -q '  k  vfs_open+0x[0-9a-f]*  .*\[DISABLED\]' $kprobes/list
	grep -q '  r  vfs_open+0x[0-9a-f]*  .*\[DISABLED\]' $kprobes/list
	grep -q '  k  kprobe_target_other+0x[0-9a-f]*  kprobe_test_target \[DISABLED\]' \
		$kprobes/list
	echo 1 > $tracefs/events/kprobes/enable
	[ "$(wc -l < $kprobes/list)" = 3 ]
	not grep DISABLED $kprobes/list
	echo 0 > $tracefs/events/kprobes/enable
	echo > $events
	[ -z "$(cat $kprobes/list)" ]
}

addresses_are_real() {
	put 'p:one vfs_open'
	address=$(awk '$3 == "vfs_open" && $2 ~ /[tT]/ { print $1 }' /proc/kallsyms)
	there=$(sed 's/ .*//' $kprobes/list)
	echo "$there" | grep '[1-9a-f]'
	[ "${address%??}" = "${there%??}" ]
}

enabled_switches_all() {
	load_target
	put "p:plain $inside"
	put 'r:traced kprobe_test_target:kprobe_target_traced'
	echo 1 > $tracefs/events/kprobes/enable
	[ "$(cat $kprobes/enabled)" = 1 ]
	call 10
	echo 0 > $kprobes/enabled
	[ "$(cat $kprobes/enabled)" = 0 ]
	call 10
	# A probe that is registered meanwhile is accepted, and armed with all others.
	put "p:later $inside"
	echo 1 > $tracefs/events/kprobes/later/enable
	call 10
	hits plain 10
	hits traced 10
	hits later 0
	echo 1 > $kprobes/enabled
	call 10
	hits plain 20
	hits traced 20
	hits later 10
}

# logged TEXT FILE VALUE: writing VALUE logs TEXT, and writing it again does not.
logged() {
	dmesg > "$tmp/before"
	echo "$3" > "$2"
	echo "$3" > "$2"
	dmesg | grep -vxFf "$tmp/before" > "$tmp/said"
	cat "$tmp/said"
	[ "$(grep -cF "kprobes: $1" "$tmp/said")" = 1 ]
}

switches_are_logged() {
	logged 'Kprobes globally disabled' $kprobes/enabled 0
	logged 'Kprobes globally enabled' $kprobes/enabled 1
	f=/proc/sys/debug/kprobes-optimization
	[ -e $f ] || return 0
	logged 'kprobe jump-optimization is disabled.' $f 0
	logged 'kprobe jump-optimization is enabled.' $f 1
}

enabled_takes_only_booleans() {
	refused 'Invalid argument' x $kprobes/enabled
	refused 'Invalid argument' 7 $kprobes/enabled
	[ "$(cat $kprobes/enabled)" = 1 ]
}

blacklist_is_listed() {
	# START-END	FUNCTION
	[ "$(wc -l < $kprobes/blacklist)" -gt 100 ]
	not grep -v '^0x[0-9a-f]*-0x[0-9a-f]*	[^ ]' $kprobes/blacklist
	grep -qw get_kprobe $kprobes/blacklist
}

blacklist_is_refused() {
	# Try some of the functions whose name is unique.
	awk -F '\t' 'NR % 20 == 0 { print $2 }' $kprobes/blacklist |
		sed 's/ .*//; s/+.*//; /^0x/d; /\./d' > "$tmp/black"
	[ "$(wc -l < "$tmp/black")" -gt 5 ]
	while read -r fn; do
		refused . "p:black $fn"
	done < "$tmp/black"
	[ -z "$(cat $events)" ]
}

files_are_private() {
	[ "$(stat -c %a $kprobes/list)" = 400 ]
	[ "$(stat -c %a $kprobes/enabled)" = 600 ]
	[ "$(stat -c %a $kprobes/blacklist)" = 400 ]
}

optimization_is_a_switch() {
	f=/proc/sys/debug/kprobes-optimization
	[ -e $f ] || skip "no jump optimization"
	[ "$(cat $f)" = 1 ]
	echo 0 > $f
	[ "$(cat $f)" = 0 ]
	refused 'Invalid argument' 2 $f
	refused 'Invalid argument' -1 $f
	[ "$(cat $f)" = 0 ]
	echo 1 > $f
}

# A probe that can be a jump is shown as one at once, and its count stays.
optimized_is_listed() {
	f=/proc/sys/debug/kprobes-optimization
	[ -e $f ] || skip "no jump optimization"
	load_target
	[ "$(cat $f)" = 1 ]
	# It depends on the compiler which instructions can be jumps; most can.
	for i in $(seq 40); do
		put "p:jump$i kprobe_test_target:kprobe_target_other+$i" || continue
		echo 1 > $tracefs/events/kprobes/jump$i/enable
		grep 'kprobe_target_other.*\[OPTIMIZED\]' $kprobes/list && break
		echo 0 > $tracefs/events/kprobes/jump$i/enable
		put "-:jump$i"
	done
	[ "$(grep -c OPTIMIZED $kprobes/list)" = 1 ]
	call 10
	hits jump$i 10
	echo 0 > $f
	not grep OPTIMIZED $kprobes/list
	call 10
	hits jump$i 20
	echo 1 > $f
	grep -q OPTIMIZED $kprobes/list
	call 10
	hits jump$i 30
	echo 0 > $tracefs/events/kprobes/jump$i/enable
	not grep OPTIMIZED $kprobes/list
	grep -q DISABLED $kprobes/list
	call 10
	hits jump$i 30
}

begin
[ -e $kprobes/list ] || {
	echo "1..0 # SKIP there is no $kprobes"
	exit $SKIP
}
run list_has_all_probes
run addresses_are_real
run enabled_switches_all
run switches_are_logged
run enabled_takes_only_booleans
run blacklist_is_listed
run blacklist_is_refused
run files_are_private
run optimization_is_a_switch
run optimized_is_listed
finish

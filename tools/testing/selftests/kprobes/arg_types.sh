#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Every type of argument at the ends of its range: from registers and memory, at entry and at
# return, of kprobe events and of function probe events.

cd "$(dirname "$0")" && . ./functions

value=kprobe_args_value

# A number, and its value with each type.
numbers() {
	cat << 'END'
0x0 u8=0 s8=0 x8=0x0 u16=0 s16=0 x16=0x0 u32=0 s32=0 x32=0x0 u64=0 s64=0 x64=0x0
0x1 u8=1 s8=1 x8=0x1 u16=1 s16=1 x16=0x1 u32=1 s32=1 x32=0x1 u64=1 s64=1 x64=0x1
0x7f u8=127 s8=127 x8=0x7f u16=127 s16=127 x16=0x7f u32=127 s32=127 x32=0x7f u64=127 s64=127 x64=0x7f
0x80 u8=128 s8=-128 x8=0x80 u16=128 s16=128 x16=0x80 u32=128 s32=128 x32=0x80 u64=128 s64=128 x64=0x80
0xff u8=255 s8=-1 x8=0xff u16=255 s16=255 x16=0xff u32=255 s32=255 x32=0xff u64=255 s64=255 x64=0xff
0x7fff u8=255 s8=-1 x8=0xff u16=32767 s16=32767 x16=0x7fff u32=32767 s32=32767 x32=0x7fff u64=32767 s64=32767 x64=0x7fff
0x8000 u8=0 s8=0 x8=0x0 u16=32768 s16=-32768 x16=0x8000 u32=32768 s32=32768 x32=0x8000 u64=32768 s64=32768 x64=0x8000
0xffff u8=255 s8=-1 x8=0xff u16=65535 s16=-1 x16=0xffff u32=65535 s32=65535 x32=0xffff u64=65535 s64=65535 x64=0xffff
0x7fffffff u8=255 s8=-1 x8=0xff u16=65535 s16=-1 x16=0xffff u32=2147483647 s32=2147483647 x32=0x7fffffff u64=2147483647 s64=2147483647 x64=0x7fffffff
0x80000000 u8=0 s8=0 x8=0x0 u16=0 s16=0 x16=0x0 u32=2147483648 s32=-2147483648 x32=0x80000000 u64=2147483648 s64=2147483648 x64=0x80000000
0xffffffff u8=255 s8=-1 x8=0xff u16=65535 s16=-1 x16=0xffff u32=4294967295 s32=-1 x32=0xffffffff u64=4294967295 s64=4294967295 x64=0xffffffff
0x7fffffffffffffff u8=255 s8=-1 x8=0xff u16=65535 s16=-1 x16=0xffff u32=4294967295 s32=-1 x32=0xffffffff u64=9223372036854775807 s64=9223372036854775807 x64=0x7fffffffffffffff
0x8000000000000000 u8=0 s8=0 x8=0x0 u16=0 s16=0 x16=0x0 u32=0 s32=0 x32=0x0 u64=9223372036854775808 s64=-9223372036854775808 x64=0x8000000000000000
0xffffffffffffffff u8=255 s8=-1 x8=0xff u16=65535 s16=-1 x16=0xffff u32=4294967295 s32=-1 x32=0xffffffff u64=18446744073709551615 s64=-1 x64=0xffffffffffffffff
END
}

# all_types FETCH: one argument for each numeric type in the table.
all_types() {
	for width in 8 16 32 64; do
		for sign in u s x; do
			echo "$sign$width=$1:$sign$width"
		done
	done | tr '\n' ' '
}

# shown EVENT: the arguments in its only record.
shown() {
	sed -n "s/.* $1: ([^)]*) //p" $tracefs/trace
}

# each_number EVENT...: records have the values of the table for each number.
each_number() {
	echo 1 > $tracefs/events/ends/enable
	numbers > "$tmp/numbers"
	while read -r number expected; do
		: > $tracefs/trace
		echo "$number" > $args/value
		for e in "$@"; do
			[ "$(shown "$e")" = "$expected" ]
		done
	done < "$tmp/numbers"
	echo 0 > $tracefs/events/ends/enable
}

numbers_at_entry() {
	load_args
	put "p:ends/register kprobe_test_args:$value $(all_types '$arg1')"
	put "p:ends/memory kprobe_test_args:$value $(all_types '+0($arg2)')"
	each_number register memory
}

numbers_at_return() {
	load_args
	put "r:ends/result kprobe_test_args:$value $(all_types '$retval')"
	put "r:ends/register kprobe_test_args:$value $(all_types '$arg1')"
	put "r:ends/memory kprobe_test_args:$value $(all_types '+0($arg2)')"
	each_number result register memory
}

numbers_of_functions() {
	grep -qF 'f[:[<group>/][<event>]]' $tracefs/README || skip "no fprobe events"
	load_args
	put "f:ends/in_register $value $(all_types '$arg1')" $dynamic
	put "f:ends/in_memory $value $(all_types '+0($arg2)')" $dynamic
	put "f:ends/result $value%return $(all_types '$retval')" $dynamic
	put "f:ends/out_register $value%return $(all_types '$arg1')" $dynamic
	put "f:ends/out_memory $value%return $(all_types '+0($arg2)')" $dynamic
	each_number in_register in_memory result out_register out_memory
}

# one_record EVENT EXPECTED: the record of one call.
one_record() {
	: > $tracefs/trace
	echo 1 > $tracefs/events/ends/enable
	echo "${number:-0}" > $args/value
	echo 0 > $tracefs/events/ends/enable
	shown "$1"
	[ "$(shown "$1")" = "$2" ]
}

bit_fields() {
	load_args
	put "p:ends/bits kprobe_test_args:$value low=\$arg1:b1@0/8 high=\$arg1:b1@7/8 \
half=\$arg1:b4@4/8 most=\$arg1:b63@1/64 top=\$arg1:b1@63/64 mem=+0(\$arg2):b16@16/32"
	number=0
	one_record bits 'low=0 high=0 half=0 most=0 top=0 mem=0'
	number=0xffffffffffffffff
	one_record bits 'low=1 high=1 half=15 most=9223372036854775807 top=1 mem=65535'
	number=0x8000000000000080
	one_record bits 'low=0 high=1 half=8 most=4611686018427387968 top=1 mem=0'
	number=0x12345678
	one_record bits 'low=0 high=0 half=7 most=152709948 top=0 mem=4660'
	for bad in b0@0/8 b9@0/8 b1@8/8 b2@7/8 b65@0/64 b1@0/7; do
		bad 'Invalid argument' "p:e kprobe_test_args:$value a=\$arg1:^$bad"
	done
}

arrays() {
	load_args
	put "p:ends/array kprobe_test_args:$value one=+0(\$arg2):x8[1] bytes=+0(\$arg2):u8[8] \
halves=+0(\$arg2):s32[2]"
	number=0xffffffff80000000
	one_record array 'one={0x0} bytes={0,0,0,128,255,255,255,255} halves={-2147483648,-1}'
	put '-:ends/array'
	printf %064d 0 | tr 0 7 > $args/text
	put "p:ends/longest kprobe_test_args:$value a=+0(\$arg3):char[64] b=+0(\$arg3):x8[64]"
	one_record longest "$(for t in "'7'" 0x37; do
		echo "{$(for i in $(seq 64); do printf %s, $t; done)}"; done |
		sed 's/,}/}/; 1s/^/a=/; 2s/^/b=/' | tr '\n' ' ' | sed 's/ $//')"
	bad 'Invalid argument' "p:e kprobe_test_args:$value a=+0(\$arg2):u8[^65]"
	bad 'Invalid argument' "p:e kprobe_test_args:$value a=+0(\$arg2):u8[^0]"
}

# With the longest string in the module, and with an empty one.
texts() {
	load_args
	put "p:ends/text kprobe_test_args:$value s=+0(\$arg3):string"
	for length in 1 2 127 254; do
		printf "%0${length}d" 0 > $args/text
		one_record text "s=\"$(printf "%0${length}d" 0)\""
	done
	printf 'a "quoted" \\ \303\244\001 text' > $args/text
	one_record text "s=\"$(printf 'a "quoted" \\ \303\244\001 text')\""
	printf '\000' > $args/text
	one_record text 's=""'
}

# Addresses that cannot be read. The value of a number is undefined then.
faults() {
	load_args
	put "p:ends/fault kprobe_test_args:$value n=+0(\$arg1):u64 s=+0(\$arg1):string u=+u0(\$arg1):u8 \
us=+0(\$arg1):ustring a=+0(\$arg1):u8[2] b=+0(+0(\$arg1)):string"
	for number in 0 0xfff 0x8000000000000000 0xffffffffffffff00; do
		: > $tracefs/trace
		echo 1 > $tracefs/events/ends/enable
		echo $number > $args/value
		echo 0 > $tracefs/events/ends/enable
		shown fault
		shown fault |
			grep -x 'n=[0-9]* s=(fault) u=[0-9]* us=(fault) a={[0-9]*,[0-9]*} b=(fault)'
	done
}

characters_and_symbols() {
	load_args
	put "p:ends/odd kprobe_test_args:$value c=\$arg1:char s=\$arg1:symbol \
t=\$arg2:symbol"
	put "p:ends/text kprobe_test_args:$value s=\$arg1:symstr"
	put "p:ends/name kprobe_test_args:$value s=\$arg2:symstr"
	there='kprobe_args_number+0x0/0x[0-9a-f]* \[kprobe_test_args\]'
	for number in 0x41 0xffffffffffffff41; do
		: > $tracefs/trace
		echo 1 > $tracefs/events/ends/enable
		echo $number > $args/value
		echo 0 > $tracefs/events/ends/enable
		shown odd
		shown odd | grep -x "c='A' s=$number t=$there"
		[ "$(shown text)" = "s=\"$number\"" ]
		shown name | grep -x "s=\"$there\""
	done
}

begin
run numbers_at_entry
run numbers_at_return
run numbers_of_functions
run bit_fields
run arrays
run texts
run faults
run characters_and_symbols
finish

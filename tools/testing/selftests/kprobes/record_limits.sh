#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Limits for the size of records, for ftrace and for perf: up to the limit records are complete.
# Larger records are not written but counted, and nothing is written beyond the limit.

cd "$(dirname "$0")" && . ./functions

events=$dynamic

# The probed function: a write to /dev/null, whose second argument is a string of the caller.
probed=write_null

# perf takes 8192 bytes, 4 of them for the size; ftrace takes what fits in a page.
PERF_MOST=8188
TRACE_MOST=4072

needs_perf_records() {
	[ -e $probe_profile ] || skip "there is no $probe_profile"
	grep -qw $probed $tracefs/available_filter_functions || skip "no $probed()"
	perf_records=./perf_records
	[ -x $perf_records ] && return
	perf_records=$tmp/perf_records
	[ -x "$perf_records" ] || cc -o "$perf_records" perf_records.c 2>/dev/null ||
		skip "perf_records is not built, and there is no compiler"
}

# Offset of the first location of a string in a record of "limit", and the number of locations.
texts() {
	sed -n 's/.*__data_loc.*offset:\([0-9]*\);.*size:\([0-9]*\);.*/\1 \2/p' \
		$tracefs/events/many/limit/format |
	while read -r offset size; do
		echo "${offset}x$((size / 4))"
	done
}

# by_perf LEN: the record that perf has of a write of LEN bytes.
by_perf() {
	"$perf_records" "$(cat $tracefs/events/many/limit/id)" "$1" $(texts) > "$tmp/got" || {
		cat "$tmp/got"
		return 1
	}
	cat "$tmp/got"
}

# by_trace LEN: number of records of a write of LEN bytes. Some are too long to be shown.
by_trace() {
	: > $tracefs/trace
	enable many/limit
	head -c $(($1 - 1)) /dev/zero | tr '\0' A > "$tmp/text"
	printf '\0' >> "$tmp/text"
	dd if="$tmp/text" of=/dev/null bs=$1 count=1 2> "$tmp/dd"
	disable many/limit
	sed -n 's|^# entries-in-buffer/entries-written: [0-9]*/\([0-9]*\) .*|\1|p' $tracefs/trace
}

# unfit COLUMN: number of records of "limit" that were too large, from probe_profile.
unfit() {
	counts many/limit "$1"
}

# Each way to probe writes, as the first words of a command. Arguments are at returns, too.
ways() {
	echo "p:many/limit $probed"
	echo "r:many/limit $probed"
	echo "f:many/limit $probed"
	echo "f:many/limit $probed%return"
}

# with ARG...: run each_way for each way, with an event that has these arguments.
with() {
	ways | while read -r head place; do
		put "$head $place $*"
		each_way
		put '-:many/limit'
	done
}

# A string of LEN bytes takes LEN bytes after the fixed part, so the largest LEN shows the limit.
the_largest_for_perf() {
	each_way() {
		fixed=$(by_perf 1 | cut -d: -f1)
		# Sizes of records are multiples of 8.
		len=$((PERF_MOST - fixed - 2 * 2 + 2))
		by_perf $((len / 2 - 16)) > "$tmp/below"
		grep -q ": $((len / 2 - 17)) $((len / 2 - 17))\$" "$tmp/below"
		[ "$(unfit UNSAMPLED)" = 0 ]
		for l in $(seq $((len / 2 - 8)) $((len / 2 + 8))); do
			echo "$l $(by_perf "$l")"
		done > "$tmp/around"
		cat "$tmp/around"
		# Up to the limit both strings are complete. Larger records are not written.
		awk -v most=$PERF_MOST '
			NF == 1 { none++; next }
			none || $3 != $1 - 1 || $4 != $1 - 1 { exit 1 }
			{ size = $2 + 0; some++ }
			END { exit !(some && none && size == most) }' "$tmp/around"
		[ "$(unfit UNSAMPLED)" = "$(awk 'NF == 1' "$tmp/around" | wc -l)" ]
		[ "$(unfit UNRECORDED)" = 0 ]
	}
	needs_perf_records
	with 'a=+0($arg2):ustring b=+0($arg2):ustring'
}

the_largest_for_ftrace() {
	each_way() {
		[ "$(by_trace 3900)" = 1 ]
		[ "$(unfit UNRECORDED)" = 0 ]
		for l in $(seq 4030 4070); do
			echo "$l $(by_trace "$l")"
		done > "$tmp/around"
		cat "$tmp/around"
		awk -v most=$TRACE_MOST '
			$2 == 0 { none++; next }
			none || $2 != 1 { exit 1 }
			{ len = $1; some++ }
			END { exit !(some && none && len > most - 40) }' "$tmp/around"
		[ "$(unfit UNRECORDED)" = "$(awk '$2 == 0' "$tmp/around" | wc -l)" ]
		[ "$(unfit UNSAMPLED)" = 0 ]
	}
	needs_perf_records
	with 'a=+0($arg2):ustring'
}

# The same with a filter, for which the record is built in another buffer first.
the_largest_with_a_filter() {
	each_way() {
		echo 'a ~ "A*"' > $tracefs/events/many/limit/filter
		[ "$(by_trace 3900)" = 1 ]
		[ "$(by_trace 4095)" = 0 ]
		[ "$(unfit UNRECORDED)" = 1 ]
	}
	needs_perf_records
	with 'a=+0($arg2):ustring'
}

# A symbol's name after strings that leave no room. An earlier version wrote beyond the record.
names_at_the_end() {
	each_way() {
		for l in 2000 4000 4060 4070 4080 4095 4096 8000; do
			by_perf $l
			by_trace $l
		done
	}
	needs_perf_records
	with 'a=+0($arg2):ustring b=+0($arg2):ustring c=$stack0:symstr d=+0($arg2):ustring'
	with 'a=+0($arg2):ustring c=$stack0:symstr d=$stack0:symstr'
}

WORDS="u8 u16 u32 u64 s8 s16 s32 s64 x8 x16 x32 x64 char symbol b5@3/8 b16@0/16 b20@7/32 b40@11/64"

# As a string, code ends at its first byte 0. On arm64 that is later, and 64 strings exceed a record.
texts_of_code=64
[ "$(uname -m)" != aarch64 ] || texts_of_code=24

every_type_to_its_limit() {
	each_way() {
		by_perf 100
		[ "$(wc -l < "$tmp/got")" = 1 ]
		[ "$(by_trace 100)" = 1 ]
	}
	needs_perf_records
	for t in $WORDS; do
		with "a=\$arg2:$t s=+0(\$arg2):ustring"
		with "a=@linux_banner:${t}[64] s=+0(\$arg2):ustring"
	done
	for t in '$comm' '\"a_constant_text_long_as_it_is\"' '+0(@init_task):string' \
		'$arg1:%pD' '$stack0:symstr' '@linux_banner:string' '@init_task:string' \
		'+u0($arg2):string' "@sys_call_table:string[$texts_of_code]"; do
		with "a=$t s=+0(\$arg2):ustring b=$t"
	done
}

# The largest fixed part, and then strings.
all_that_is_fixed() {
	each_way() {
		by_perf 100 > "$tmp/one"
		[ "$(cut -d: -f1 "$tmp/one")" -gt 3072 ]
		grep -q ' 99$' "$tmp/one"
		[ "$(by_trace 100)" = 1 ]
		[ "$(by_trace 1500)" = 0 ]
		[ "$(unfit UNRECORDED)" = 1 ]
	}
	needs_perf_records
	# 3072 bytes, including locations of strings.
	words='a=@linux_banner:x64[64] b=@linux_banner:x64[64] c=@linux_banner:x64[64]'
	words="$words d=@linux_banner:x64[64] e=@linux_banner:x64[64] f=@linux_banner:x64[63]"
	words="$words g=@linux_banner:x32"
	with "$words s=+0(\$arg2):ustring"
	for way in p f; do
		refused 'too long' "$way:many/limit $probed $words h=\$arg2:x8 s=+0(\$arg2):ustring"
	done
}

as_many_as_there_may_be() {
	each_way() {
		by_perf 10 > "$tmp/one"
		[ "$(tr ' ' '\n' < "$tmp/one" | grep -c '^9$')" = 128 ]
		[ "$(by_trace 10)" = 1 ]
		[ "$(by_trace 100)" = 0 ]
		by_perf 100
		[ ! -s "$tmp/got" ]
	}
	needs_perf_records
	all=
	for i in $(seq 128); do
		all="$all +0(\$arg2):ustring"
	done
	with "$all"
}

begin_dynamic 'f[:[<group>/][<event>]]'
run the_largest_for_perf
run the_largest_for_ftrace
run the_largest_with_a_filter
run names_at_the_end
run every_type_to_its_limit
run all_that_is_fixed
run as_many_as_there_may_be
finish

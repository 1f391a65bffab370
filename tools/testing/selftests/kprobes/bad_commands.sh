#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Results of commands: errno, entry in error_log, and position of the caret. The file
# bad_commands.list has commands, their results in 6.12, and a description of its format.
#
# "bad_commands.sh record" prints the list with the results of the running kernel.

cd "$(dirname "$0")" && . ./functions

# Stock lacks it.
if [ -e $tracefs/probe_profile ]; then
	ours=1
fi

# spelt_out LINE: replace {N*TEXT} by N times TEXT.
spelt_out() {
	echo "$1" | awk '{
		while (match($0, /[{][0-9]+[*][^}]*[}]/)) {
			inner = substr($0, RSTART + 1, RLENGTH - 2)
			text = inner
			sub(/^[0-9]+[*]/, "", text)
			all = ""
			for (i = inner + 0; i > 0; i--)
				all = all text
			$0 = substr($0, 1, RSTART - 1) all substr($0, RSTART + RLENGTH)
		}
		print }'
}

# command LINE: write "k COMMAND" to kprobe_events, and "d COMMAND" to dynamic_events.
command() {
	file=$tracefs/kprobe_events
	[ "${1%% *}" = d ] && file=$dynamic
	case $1 in
	*'{'*)
		put "$(spelt_out "${1#* }")" $file 2> "$tmp/err"
		;;
	*)
		put "${1#* }" $file 2> "$tmp/err"
		;;
	esac
}

# The message of the last entry of error_log, and the character above its caret.
logged() {
	awk '{ said = above; above = line; line = $0 }
		END {
			if (!NR)
				exit
			sub(/^\[[^]]*\] /, "", said)
			sub(/: error: /, ": ", said)
			print ", " said " ^" index(line, "^") - length("  Command: ") - 1
		}' $tracefs/error_log
}

answer() {
	: > $tracefs/error_log
	if command "$1"; then
		echo accepted
		# The next command may use the name.
		: > $dynamic
		while read -r line; do
			command "$line"
		done < "$tmp/kept"
		return
	fi
	# The shell may print more before it.
	while read -r line; do
		errno=${line##*: }
	done < "$tmp/err"
	echo "$errno$(logged)"
}

# The list is written for x86-64. Replace registers and functions (one without probes, one in
# assembly, one whose name is ambiguous) by names of this architecture that have the same length,
# because positions of carets depend on it. On x86-64, the first instruction may be an ENDBR that
# precedes the entry. Offsets in the middle of an instruction are replaced, too.
own_list() {
	if [ "$(uname -m)" = x86_64 ]; then
		cat bad_commands.list
		return
	fi
	closed=$(awk '$2 ~ /^el[01]_[a-z0-9]+$/ && length($2) == 8 { print $2; exit }' $kprobes/blacklist)
	[ -n "$closed" ]
	twice=$(awk 'NF == 3 && $2 ~ /[tT]/ && length($3) == 9 && seen[$3]++ { print $3; exit }' /proc/kallsyms)
	[ -n "$twice" ]
	sed "s/\<exc_int3\>/$closed/; s/%ax\>/$reg0/; s/\<name_show\>/$twice/
		s/\<restore_regs_and_return_to_kernel\>/ret_to_kernel/
		s/ r0x10:e vfs_open+4$/ r0x10:e vfs_open+0/; / vfs_open+1000000$/ { N; d }" bad_commands.list
}

# answers: print the list with the answers of this kernel.
answers() {
	: > "$tmp/kept"
	while IFS= read -r line; do
		case $line in
		'#'*)
			: > $dynamic
			: > "$tmp/kept"
			;;
		'	'*)
			continue
			;;
		+*)
			command "${line#+}"
			echo "${line#+}" >> "$tmp/kept"
			;;
		?*)
			printf '%s\n\t' "$line"
			answer "$line"
			continue
			;;
		esac
		printf '%s\n' "$line"
	done < "$tmp/list"
	: > $dynamic
}

# The expected list. Lines with "ours:" replace the answers of 6.12.
expected() {
	if [ -n "$ours" ]; then
		awk '/^\tours: / { sub(/ours: /, ""); last = $0; next }
			{ if (NR > 1) print last; last = $0 }
			END { print last }' "$tmp/list"
	else
		grep -v '^	ours: ' "$tmp/list"
	fi
}

as_6_12_answers() {
	[ -e /sys/kernel/btf/vmlinux ] || skip "the kernel does not know types"
	own_list > "$tmp/list"
	expected > "$tmp/expected"
	answers > "$tmp/answers"
	[ "$(grep -c '^	' "$tmp/answers")" -gt 500 ]
	# Answers that differ, with their commands.
	diff -U 1 "$tmp/expected" "$tmp/answers" > "$tmp/diff" || {
		cat "$tmp/diff"
		return 1
	}
}

begin_dynamic 'f[:[<group>/][<event>]]'
if [ "$1" = record ]; then
	clean > /dev/null 2>&1
	own_list > "$tmp/list"
	answers
	exit
fi
run as_6_12_answers
finish

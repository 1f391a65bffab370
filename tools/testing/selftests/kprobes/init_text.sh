#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Symbols of init text that has been freed. To be run with pti=on or debug_pagealloc=on, with
# which the text is not mapped any more.

cd "$(dirname "$0")" && . ./functions

# Functions in init text, some with further words for the command.
names() {
	awk '/ [a-zA-Z] _sinittext$/ { inside = 1 }
	     / [a-zA-Z] _einittext$/ { inside = 0 }
	     inside && NF == 3 && $3 !~ /[.]/ { print $3 }' /proc/kallsyms | sort -u | head -n "$1"
}

each_name_is_refused() {
	names 200 > "$tmp/names"
	[ "$(wc -l < "$tmp/names")" -ge 100 ]
	cat $dynamic > "$tmp/before"
	while read -r name; do
		put "p:gone/e $name" 2> "$tmp/err" && exit 1
		grep -q -e 'Invalid argument' -e 'No such file' -e 'Cannot assign' "$tmp/err"
		put "p:gone/e $name+5" 2> /dev/null && exit 1
		put "r:gone/e $name" 2> /dev/null && exit 1
		put "f:gone/e $name" "$dynamic" 2> /dev/null && exit 1
	done < "$tmp/names"
	cat $dynamic | cmp - "$tmp/before"
}

each_address_is_refused() {
	awk '/ [a-zA-Z] _sinittext$/ { inside = 1 }
	     / [a-zA-Z] _einittext$/ { inside = 0 }
	     inside { print $1 }' /proc/kallsyms | head -n 200 > "$tmp/addrs"
	[ -s "$tmp/addrs" ]
	while read -r addr; do
		put "p:gone/e 0x$addr" 2> /dev/null && exit 1
		put "r:gone/e 0x$addr" 2> /dev/null && exit 1
	done < "$tmp/addrs"
	empty $dynamic
}

start_kernel_is_refused() {
	refused 'Invalid argument' 'p:gone/e start_kernel'
}

begin
run start_kernel_is_refused
run each_name_is_refused
run each_address_is_refused
finish

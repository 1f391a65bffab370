#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Who may do what with probes, and see which addresses: rights.list, cell by cell. What is
# different while the kernel is locked down is in lockdown_rights.sh.
#
# rights.sh record: the list, with what this kernel answers.

cd "$(dirname "$0")" && . ./functions && . ./rights_functions

# Users that may not have probes add no line, and push out no line of others.
no_reasons_for_nobody() {
	needs_program rights
	: > $reasons
	"$program" perf_func no_such_function '' '' 1001 1001::bpf 0
	"$program" perf_addr 1 '' '' 1001 1001::bpf 0
	"$program" bpf_multi no_such_function '' '' 1001 1001::bpf 0
	empty $reasons
	"$program" perf_func no_such_function '' '' 1001::perfmon
	grep no_such_function $reasons
}

begin
[ -n "$1" ] || run no_reasons_for_nobody
run_list rights.list "$1"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Access rights to probes and to addresses: each cell of rights.list. lockdown_rights.sh tests
# the differences under lockdown.
#
# "rights.sh record" prints the list with the results of this kernel.

cd "$(dirname "$0")" && . ./functions && . ./rights_functions

# Users who may not set probes add no line to probe_errors, and so displace none.
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

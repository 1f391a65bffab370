#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Values of random arguments of events on tracepoints, on other events and on programs: records
# must have the values that were passed. An error shows SEED, which repeats the same events.

cd "$(dirname "$0")" && . ./functions

EVENTS=200
seed=${SEED:-$(od -A n -t u2 -N 2 /dev/urandom | tr -d ' ')}

# known KIND [new]
known() {
	needs_program known_values
	"$program" "$1" "$seed" "$(rounds $EVENTS | wc -l)" ${2:+new}
}

# has TEXT REASON: README contains TEXT; otherwise skip with REASON.
has() {
	grep -qF "$1" "$tracefs/README" || skip "$2"
}

at_tracepoint() {
	has 't[:[<group>/][<event>]] <tracepoint>' "no events on tracepoints"
	known "$@"
}

entries_of_system_calls() {
	at_tracepoint enter
}

results_of_system_calls() {
	at_tracepoint exit
}

text_of_a_tracepoint() {
	at_tracepoint rename
}

fields_of_events() {
	known fields
}

text_of_events() {
	known text
}

programs() {
	known program
}

results_of_programs() {
	known result
}

# With features that 6.12 lacks.
arrays() {
	has this_cpu_read "no arrays in memory of processes"
	at_tracepoint enter new
	at_tracepoint exit new
	known fields new
}

typecasts() {
	has '[(structname' "no typecasts"
	at_tracepoint rename new
	known text new
}

begin
run entries_of_system_calls
run results_of_system_calls
run text_of_a_tracepoint
run fields_of_events
run text_of_events
run programs
run results_of_programs
run arrays
run typecasts
finish

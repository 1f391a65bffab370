#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What `make run` does in the guest: define probes, run a workload, show the
# trace and the hit counts. demo.py puts PROBE and CMD in front.

cd /sys/kernel/tracing || exit 1

fail() {
	echo "$*" >&2
	cat error_log >&2
	# What registration knows beyond that; the untouched base has none.
	[ ! -s probe_errors ] || cat probe_errors >&2
	exit 1
}

step() {
	echo
	echo "# $*"
}

echo "# $(uname -sr)"
echo "$PROBE" | tr ';' '\n' | sed 's/^ *//' | while read -r def; do
	[ -n "$def" ] || continue
	step "echo '$def' >> /sys/kernel/tracing/kprobe_events"
	echo "$def" >> kprobe_events || exit 1
done || fail "The kernel refuses this probe; the caret shows where."

step "cat kprobe_events"
cat kprobe_events
grep -q . kprobe_events || fail "No probe is defined; give one: make run PROBE='p:name function'"

# p:group/event ... -> group/event
events=$(sed 's/^[pr][0-9]*:\([^ ]*\).*/\1/' kprobe_events)
for e in $events; do
	echo 1 > "events/$e/enable" || fail "Event $e cannot be enabled."
done
step "$CMD"
sh -c "$CMD"
for e in $events; do
	echo 0 > "events/$e/enable"
done

step "cat trace"
cat trace

step "cat kprobe_profile    (event, hits, missed)"
cat kprobe_profile

[ -e probe_errors ] || exit 0
echo
echo "# Next, try:"
cat << 'END'
  make run PROBE='r:took vfs_read ns=$duration'      how long each call took
  make run PROBE='p:opens sys_openat@*'              a system call by its plain name
  make run PROBE='p:no vfs_read+2'                   what cannot be probed, and why
END

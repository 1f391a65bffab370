# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154 # common.sh, which measure.sh comes after, sets bench
#
# Make one call for each row in ROWS, which bench.py follows with a debugger.

load
name_places
cat /proc/kallsyms > /mnt/kallsyms
: > /mnt/ready
until [ -e /mnt/go ]; do
	sleep 0.1
done

# bench.py waits until the debugger stops. So make a call after an error, too; bench.py reports it.
call() {
	echo "$1" > $bench/once && return
	echo "refused $row"
	echo none > $bench/once
}

for row in $ROWS; do
	jumps_for "$row"
	case $row in
	event-*)
		/mnt/trace_bench /tmp/functions /tmp/tracepoints "arm-$row"
		call none-open
		/mnt/trace_bench /tmp/functions /tmp/tracepoints disarm
		;;
	*)
		call "$row"
		;;
	esac
done
rmmod probe_bench

# SPDX-License-Identifier: GPL-2.0
#
# One call for each row that ROWS names, which bench.py follows with a debugger.

load
cat /proc/kallsyms > /mnt/kallsyms
: > /mnt/ready
until [ -e /mnt/go ]; do
	sleep 0.1
done
for row in $ROWS; do
	jumps_for "$row"
	# bench.py waits for the next stop, so there has to be one.
	echo "$row" > $bench/once || echo none > $bench/once
done
rmmod probe_bench

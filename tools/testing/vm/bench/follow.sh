#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# One call for each row that ROWS names, which bench.py follows with a debugger.

bench=/sys/module/probe_bench/parameters

echo 0 > /proc/sys/debug/kprobes-optimization
insmod /mnt/probe_bench.ko || exit 1
cat /proc/kallsyms > /mnt/kallsyms
: > /mnt/ready
until [ -e /mnt/go ]; do
	sleep 0.1
done
for row in $ROWS; do
	# bench.py waits for the next stop, so there has to be one.
	echo "$row" > $bench/once || echo none > $bench/once
done
rmmod probe_bench

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Measure the rows that ROWS names, one after the other, for bench.py.

bench=/sys/module/probe_bench/parameters

echo 0 > /proc/sys/debug/kprobes-optimization
insmod /mnt/probe_bench.ko || exit 1
for row in $ROWS; do
	if echo "$row" > $bench/measure; then
		cat $bench/measure
	else
		echo "refused $row"
	fi
done
rmmod probe_bench

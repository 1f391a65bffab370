# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154 # common.sh, which measure.sh comes after, sets bench
#
# Measure the rows in ROWS one after the other.

load
for row in $ROWS; do
	jumps_for "$row"
	if why=$({ echo "$row" > $bench/measure; } 2>&1); then
		cat $bench/measure
	else
		echo "refused $row $why"
	fi
done
rmmod probe_bench

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Measure the memory for the rows in ROWS.

load
cold_functions | awk '{ print $2 }' > /tmp/functions
/mnt/bytes_bench /tmp/functions $ROWS
status=$?
rmmod probe_bench
exit $status

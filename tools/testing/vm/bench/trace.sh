# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Measure the rows in ROWS by the user program.

name_places
/mnt/trace_bench /tmp/functions /tmp/tracepoints $ROWS

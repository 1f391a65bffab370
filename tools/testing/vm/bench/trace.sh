# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Measure the rows of the user program that ROWS names.

name_places
/mnt/trace_bench /tmp/functions /tmp/tracepoints $ROWS

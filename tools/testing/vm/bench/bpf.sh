# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Measure the rows in ROWS by the user program.

name_places
/mnt/bpf_bench /tmp/functions $ROWS

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Measure the rows in ROWS by the user program.

/mnt/path_bench $ROWS

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Measure the rows of the user program that ROWS names.

/mnt/path_bench $ROWS

# SPDX-License-Identifier: GPL-2.0
#
# Measure the rows of the user program that ROWS names.

name_places
# shellcheck disable=SC2086 # a list of words
/mnt/bpf_bench /tmp/functions $ROWS

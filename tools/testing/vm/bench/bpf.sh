# SPDX-License-Identifier: GPL-2.0
#
# Measure the rows of the user program that ROWS names.

# shellcheck disable=SC2086 # a list of words
/mnt/bpf_bench $ROWS

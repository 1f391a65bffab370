#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run the short ones of our kselftests by kselftest's runner. /mnt has the files that
# "make -C tools/testing/selftests TARGETS=kprobes install" installs. Output of tests follows a #.

cd /mnt && exec ./run_kselftest.sh -t kprobes:debugfs.sh -t kprobes:perf.sh -t kprobes:samples.sh

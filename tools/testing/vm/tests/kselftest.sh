#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Our kselftests as "make -C tools/testing/selftests TARGETS=kprobes install" leaves them in
# /mnt, run as people run kselftests: the short ones. What a test prints is behind a #.

cd /mnt && exec ./run_kselftest.sh -t kprobes:debugfs.sh -t kprobes:perf.sh -t kprobes:samples.sh

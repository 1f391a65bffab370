#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# For hitpath.py: print ranges that cannot be probed, and addresses that ftrace patches.

awk '{ print "closed", $1 }' /sys/kernel/debug/kprobes/blacklist
awk '{ print "traced", $1 }' /sys/kernel/tracing/available_filter_functions_addrs

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# For hitpath.py: from where to where nothing can be probed, and where ftrace patches.

awk '{ print "closed", $1 }' /sys/kernel/debug/kprobes/blacklist
awk '{ print "traced", $1 }' /sys/kernel/tracing/available_filter_functions_addrs

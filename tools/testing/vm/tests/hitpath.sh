#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# For hitpath.py: what cannot be probed, and what ftrace patches.

awk '{ print "closed", $2 }' /sys/kernel/debug/kprobes/blacklist
sed 's/ .*//; s/^/traced /' /sys/kernel/tracing/available_filter_functions

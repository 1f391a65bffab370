#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Print results of the KUnit suites that ran at boot.

cat /sys/kernel/debug/kunit/*/results

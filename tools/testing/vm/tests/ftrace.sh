#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The base's ftrace selftests of probes, unmodified. check.py sets BASE before
# this. Logs of failed tests follow the results.

cd "$BASE/tools/testing/selftests/ftrace" || exit 1
# Ignore its status: the results have it.
./ftracetest --ktap --logdir /tmp/logs $TESTS
for log in /tmp/logs/*-log.*; do
	[ -f "$log" ] || continue
	echo "# log $log"
	tail -n 60 "$log" | sed 's/^/# /'
done
exit 0

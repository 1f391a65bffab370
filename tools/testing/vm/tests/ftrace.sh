#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The base's ftrace selftests on probes, unmodified. BASE is put in front by
# check.py; the logs of what fails follow the results.

cd "$BASE/tools/testing/selftests/ftrace" || exit 1
# Its status repeats what the results say.
./ftracetest --ktap --logdir /tmp/logs $TESTS
for log in /tmp/logs/*-log.*; do
	[ -f "$log" ] || continue
	echo "# log $log"
	tail -n 60 "$log" | sed 's/^/# /'
done
exit 0

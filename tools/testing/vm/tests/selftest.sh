#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Our kselftests of tools/testing/selftests/kprobes, which is /mnt here: those
# that TESTS names. Each prints KTAP; one that does not is judged by its status.

for name in $TESTS; do
	echo "    # Subtest: ${name%.sh}"
	# Shown as it comes: the last line tells where a guest died.
	(cd /mnt && sh "./$name"; echo $? > /tmp/code) 2>&1 |
		tee /tmp/out | sed 's/^/    /'
	code=$(cat /tmp/code)
	n=$((n + 1))
	case $code in
	0)	echo "ok $n ${name%.sh}" ;;
	4)	echo "ok $n ${name%.sh} # SKIP $(tail -n 1 /tmp/out)" ;;
	*)	echo "not ok $n ${name%.sh} # status $code" ;;
	esac
done
echo "1..${n:-0}"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Our kselftests of tools/testing/selftests/kprobes, which is /mnt here. Each
# script there prints KTAP; one that does not is judged by its status.

for t in /mnt/*.sh; do
	name=${t##*/}
	[ -x "$t" ] || continue
	echo "    # Subtest: ${name%.sh}"
	(cd /mnt && "$t") > /tmp/out 2>&1
	code=$?
	sed 's/^/    /' /tmp/out
	n=$((n + 1))
	case $code in
	0)	echo "ok $n ${name%.sh}" ;;
	4)	echo "ok $n ${name%.sh} # SKIP $(tail -n 1 /tmp/out)" ;;
	*)	echo "not ok $n ${name%.sh} # status $code" ;;
	esac
done
echo "1..${n:-0}"

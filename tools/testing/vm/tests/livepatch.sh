#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run the base's livepatch selftests, unmodified, from /mnt, with modules built for this kernel.
# TESTS has their names. They read the log, so enable all messages.

cd /mnt || exit 1
export KDIR=/mnt
n=0
for name in $TESTS; do
	echo "    # Subtest: ${name%.sh}"
	timeout 600 bash "./$name" > /tmp/out 2>&1
	code=$?
	awk '/^TEST: / {
		ok = sub(/ \.\.\. ok$/, "")
		sub(/ \.\.\. .*/, "")
		printf "    %sok %d %s\n", ok ? "" : "not ", ++n, substr($0, 7)
	}' /tmp/out
	[ $code = 0 ] || sed 's/^/    # /' /tmp/out
	n=$((n + 1))
	case $code in
	0)	echo "ok $n ${name%.sh}" ;;
	4)	echo "ok $n ${name%.sh} # SKIP $(tail -n 1 /tmp/out)" ;;
	*)	echo "not ok $n ${name%.sh} # status $code" ;;
	esac
done
echo "1..$n"

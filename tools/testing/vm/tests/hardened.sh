#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Check that mitigations are in use. SAYS is "FILE=PATTERN;...". Other scripts follow this one.

dmesg > /tmp/dmesg

says() {
	n=0
	IFS=';'
	for fact in $SAYS; do
		file=${fact%%=*}
		n=$((n + 1))
		if grep -q "${fact#*=}" "$file"; then
			echo "ok $n says ${fact#*=}"
		else
			head -n 1 "$file" >&2
			echo "not ok $n says ${fact#*=} # it is not in $file"
		fi
	done
	[ $n = 0 ] || echo "1..$n"
}

(says)

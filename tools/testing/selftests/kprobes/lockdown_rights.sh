#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Access rights to probes with lockdown=integrity, then =confidentiality: each cell of the list
# lockdown_rights.list. To be run in a boot of its own, because lockdown cannot be undone.

cd "$(dirname "$0")" && . ./functions && . ./rights_functions

begin
if [ ! -w $lockdown ] || ! grep -qF '[none]' $lockdown; then
	echo "1..0 # SKIP no lockdown, or locked down already"
	exit $SKIP
fi
run_list lockdown_rights.list "$1"

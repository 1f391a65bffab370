#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Who may do what with probes while the kernel is locked down, one way, then the other: the list
# lockdown_rights.list, cell by cell. To be run in a boot of its own: there is no way back.

cd "$(dirname "$0")" && . ./functions && . ./rights_functions

begin
if [ ! -w $lockdown ] || ! grep -qF '[none]' $lockdown; then
	echo "1..0 # SKIP no lockdown, or locked down already"
	exit $SKIP
fi
run_list lockdown_rights.list "$1"

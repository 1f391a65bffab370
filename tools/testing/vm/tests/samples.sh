#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The base's sample modules, built from unmodified source for this kernel, in
# /mnt: load each one, hit its probes, and unload it.
# What it wrote is printed as "# says" lines, numbers left out, so that two
# kernels can be compared.

n=0
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
	fi
}

# Who calls is chance: a shell, or kthreadd for a worker that is wanted just then.
shapes() {
	sed -e 's/ ([a-z_]*+0x[^()]*)$/ (CALLER)/' \
		-e 's/^\[[^]]*\] *//' -e 's/0x[0-9a-f]*/N/g' \
		-e 's/[0-9a-f]\{16\}/N/g' -e 's/[0-9][0-9]*/N/g' |
		sort -u | sed "s/^/# says $1: /"
}

tracing=/sys/kernel/tracing
echo 1 > $tracing/tracing_on

echo "TAP version 13"
for ko in /mnt/*.ko; do
	mod=${ko##*/}
	mod=${mod%.ko}
	dmesg -c > /dev/null
	echo > $tracing/trace

	insmod "$ko"
	result $? "$mod loads"
	for _ in 1 2 3; do
		/bin/busybox true
		/bin/busybox cat /etc/passwd > /dev/null
	done
	# What an event looks like is forgotten with its module.
	grep -v '^#' $tracing/trace | sed -n 's/.*: \([a-z_]*\): .*/event \1/p' |
		shapes "$mod"
	shapes "$mod defines" < $tracing/kprobe_events
	grep -s . $tracing/events/kprobes/*/enable |
		sed "s/^/# says $mod enables: /"
	rmmod "$mod"
	result $? "$mod unloads"

	# Stacks are the kernel's own matter, and the first module is told that it taints it.
	dmesg | grep -v -e '^[^a-z]*[a-z0-9_.]*+0x[0-9a-f]*/0x[0-9a-f]*$' -e 'taint.* kernel' |
		grep -i -e handler -e probe -e return -e enter | shapes "$mod"
done
echo "1..$n"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The base's sample modules, built from unmodified source for this kernel, in
# /mnt: load each one, hit its probes, and unload it.
# Print its messages and events as "# says" lines, without numbers, so that two
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

# The caller varies: a shell, or kthreadd if it starts a worker. So leave it out.
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
	# trace cannot show these records after the module has gone.
	grep -v '^#' $tracing/trace | sed -n 's/.*: \([a-z_]*\): .*/event \1/p' |
		shapes "$mod"
	shapes "$mod defines" < $tracing/kprobe_events
	grep -s . $tracing/events/kprobes/*/enable |
		sed "s/^/# says $mod enables: /"
	rmmod "$mod"
	result $? "$mod unloads"

	# Leave out stacks, which differ between kernels, and the message that a module taints the
	# kernel, which only the first one causes.
	dmesg | grep -v -e '^[^a-z]*[a-z0-9_.]*+0x[0-9a-f]*/0x[0-9a-f]*$' -e 'taint.* kernel' |
		grep -i -e handler -e probe -e return -e enter | shapes "$mod"
done
echo "1..$n"

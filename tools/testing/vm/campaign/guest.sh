# SPDX-License-Identifier: GPL-2.0
#
# In the guest: for each chunk of QUEUE, NAME:ROUND:ROUND..., the rounds, with the workload
# running all the while. campaign.py puts QUEUE in front and reads what is printed.

control=/sys/kernel/debug/probe_campaign
optimization=/proc/sys/debug/kprobes-optimization
POLLS=1200

fail() {
	echo "lost $*"
	exit 1
}

start_workload() {
	/mnt/workload /tmp/expected > /tmp/said 2>&1 &
	pid=$!
}

# Once more from the beginning to the end, and then it is over.
finish_workload() {
	kill -USR1 $pid
	wait $pid
	echo "status $?"
	grep -E 'expected:|got:' /tmp/said | sed 's/^/said /'
}

now() {
	cut -d. -f1 /proc/uptime
}

value() {
	awk -v n="$1" '$1 == n { print $2 }' $control/result
}

# Until what is decided to be a jump is one.
settle() {
	jumps=$(grep -c OPTIMIZED /sys/kernel/debug/kprobes/list)
	polls=0
	while [ "$(value jumps)" -lt "$jumps" ]; do
		polls=$((polls + 1))
		if [ $polls -gt $POLLS ]; then
			echo "unsettled $jumps"
			return
		fi
		sleep 0.1
	done
}

# round WHAT: "post" and "plain" are breakpoints, "jump" is with the optimization.
round() {
	command=$(echo "$1" | tr , ' ' | sed 's/jump/plain/')
	case $1 in
	jump*)	echo 1 > $optimization; limit=2000 ;;
	*)	echo 0 > $optimization; limit=500 ;;
	esac
	echo 0 > $control/tired
	from=$(now)
	echo "$command" > $control/round || echo "batch refused"
	placed=$(now)
	case $1 in
	jump*)	settle ;;
	esac
	echo $limit > $control/tired
	settled=$(now)
	finish_workload
	cat $control/result
	echo "times $((placed - from)) $((settled - placed)) $(($(now) - settled))"
	# They go, and the next ones come, while it runs.
	start_workload
	echo off > $control/round
	grep '^odd' $control/result
}

chunk() {
	name=${1%%:*}
	cat "/mnt/$name.places" > $control/places || fail "places of $name"
	echo try > $control/round || fail "trying $name"
	awk '{ n[$2]++ } END { for (e in n) print "refused", e, n[e] }' $control/refused
	awk '$2 == 84 && i++ < 5 { print "middle", $1 }' $control/refused
	for r in $(echo "${1#*:}" | tr : ' '); do
		echo "campaign: chunk $name, $r" > /dev/kmsg
		echo "round $r"
		round "$r"
	done
}

mount -t devpts devpts /dev/pts
echo 0 > /proc/sys/debug/exception-trace
stext=$(awk '$3 == "_stext" { print $1 }' /proc/kallsyms)
insmod /mnt/probe_campaign.ko base=0x"$stext" || fail "no module"
mkdir /tmp/work && cd /tmp/work || fail "no directory"
/mnt/workload > /tmp/expected || fail "no workload"
sed -n 's/:/ &/p' /tmp/expected | sed 's/^/unmet /'
start_workload
for c in $QUEUE; do
	echo "begin ${c%%:*}"
	chunk "$c"
	echo "end ${c%%:*}"
done
finish_workload
rmmod probe_campaign

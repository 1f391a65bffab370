# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# This runs in the guest. campaign.py sets the variables in capitals in front of it, and reads the
# output.
#
# QUEUE has chunks, NAME@MODULE:ROUND:ROUND... where MODULE is empty for the kernel's text. For each
# round register the probes of the chunk while the workload runs, and print the results. Also print
# the places that cannot be probed, with the kernel's reasons, and the places that are still
# breakpoints though jumps are allowed.
#
# TESTS: instead of the workload, run these ftrace selftests, once a round.
# UNHIT: run the workload once a round, after all jumps are written. Print places it does not hit.
# IDLE: run no workload.
# Without a QUEUE only run the workload, while executed.py records what is executed.

control=/sys/kernel/debug/probe_campaign
optimization=/proc/sys/debug/kprobes-optimization
errors=/sys/kernel/tracing/probe_errors
POLLS=600
PER_SECOND=50
MANY=5000
LONG=5

fail() {
	echo "lost $*"
	exit 1
}

# Print the result of each test. As the tests take minutes, also report each at once to fd 3, as a
# sign of life.
run_tests() {
	(cd "$FTRACETEST" && ./ftracetest --ktap --logdir /tmp/logs $TESTS) |
		while read -r line; do
			case $line in
			ok* | "not ok"*)
				echo "did $line" >&3
				echo "$line" ;;
			esac
		done
}

expect() {
	[ -z "$IDLE" ] || return
	if [ -n "$TESTS" ]; then
		run_tests 3>&1 > /tmp/expected
		[ -s /tmp/expected ] || fail "no tests"
		sed -n 's/^not ok/unmet &/p' /tmp/expected
		return
	fi
	/mnt/workload > /tmp/expected || fail "no workload"
	sed -n 's/:/ &/p' /tmp/expected | sed 's/^/unmet /'
}

# Does the workload handle SIGUSR1 already? Before that the signal kills it.
listens() {
	caught=$(awk '$1 == "SigCgt:" { print $2 }' /proc/$pid/status)
	[ $((0x${caught:-200} & 0x200)) != 0 ]
}

start_workload() {
	[ -n "$TESTS$UNHIT$IDLE" ] && return
	/mnt/workload /tmp/expected > /tmp/said 2>&1 &
	pid=$!
	until listens; do
		sleep 0.02
	done
}

# Run the workload or the tests once, and compare the results.
test_all() {
	if [ -n "$TESTS" ]; then
		run_tests 3>&1 > /tmp/got
	else
		/mnt/workload > /tmp/got
	fi
	cmp -s /tmp/expected /tmp/got
	echo "status $?"
	diff /tmp/expected /tmp/got | sed -n 's/^[<>]/said &/p'
}

# Let the workload make one more full pass and end, and print its status.
finish_workload() {
	if [ -n "$IDLE" ]; then
		echo "status 0"
		return
	fi
	if [ -n "$TESTS$UNHIT" ]; then
		test_all
		return
	fi
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

# The kernel first decides for all probes whether they become jumps, then writes jumps. Wait for the
# first jump. Polling delays the kernel, so poll seldom.
await_decisions() {
	probed=$(value probed)
	polls=0
	most=$((probed / PER_SECOND / LONG + 2))
	while [ "$(value jumps)" = 0 ] && [ $polls -lt $most ]; do
		polls=$((polls + 1))
		[ $((polls % 12)) != 0 ] || echo "deciding $polls"
		sleep $LONG
	done
}

# Wait until all jumps that are decided on are written. The list has OPTIMIZED for them, unless they
# are disabled meanwhile. A module may have probes of its own elsewhere.
await_jumps() {
	polls=0
	while
		jumps=$(grep -c "${module:+ $module }.*OPTIMIZED" /sys/kernel/debug/kprobes/list)
		[ "$(value jumps)" -lt "$jumps" ]
	do
		polls=$((polls + 1))
		if [ $polls -gt $POLLS ]; then
			echo "unsettled $jumps"
			return
		fi
		sleep 0.2
	done
}

# Probes in the code that decides on jumps slow it down. So disable those that are hit often, and
# enable them after the others are decided on. With many probes that would take too long: executed.py
# probes these places once more in smaller chunks.
settle() {
	echo 3000 > $control/tired
	[ -z "$UNHIT" ] || await_decisions
	await_jumps
	[ -z "$UNHIT" ] || [ "$(value probed)" -lt $MANY ] || return
	echo 0 > $control/tired
	await_jumps
}

# round WHAT: "post" and "plain" use breakpoints, "jump" and "post-jump" allow jumps. Those with
# "post" have post handlers.
round() {
	command=$(echo "$1" | tr , ' ' | sed 's/post-jump/post/; s/jump/plain/')
	case $1 in
	*jump*)	echo 1 > $optimization; limit=2000 ;;
	*)	echo 0 > $optimization; limit=500 ;;
	esac
	echo 0 > $control/tired
	from=$(now)
	echo "$command" > $control/round || echo "batch refused"
	placed=$(now)
	case $1 in
	*jump*)	settle ;;
	esac
	echo $limit > $control/tired
	settled=$(now)
	finish_workload
	cat $control/result
	[ -z "$UNHIT" ] || cat $control/unhit
	case $1 in
	*jump*)	cat $control/traps ;;
	esac
	echo "times $((placed - from)) $((settled - placed)) $(($(now) - settled))"
	# Unregister these probes, and register the next ones, while the workload runs.
	start_workload
	echo off > $control/round
	grep '^odd' $control/result
}

# Print which places cannot be probed, and why. The module stops before the kernel drops reasons.
try_all() {
	echo try > $control/round || fail "trying $name"
	while :; do
		sed 's/^/refusal /' $control/refused
		[ ! -e $errors ] || sed -n 's/.*register_kprobe: 0x\([^ ]* .*\)/why \1/p' $errors
		[ "$(cat $control/rest)" != 0 ] || break
		echo more > $control/round || fail "trying more of $name"
	done
}

# Offsets count from a module's text, or from the kernel's. Some modules probe kprobe_test_target.
enter() {
	text=0x$stext
	if [ -n "$1" ]; then
		modprobe kprobe_test_target
		modprobe "$1" || fail "no module $1"
		text=$(cat "/sys/module/$1/sections/.text")
	fi
	echo "$text" > /sys/module/probe_campaign/parameters/base
	echo "stext ${text#0x}"
}

# Live patches have to be disabled before.
leave() {
	[ -n "$1" ] || return
	[ ! -e "/sys/kernel/livepatch/$1" ] || echo 0 > "/sys/kernel/livepatch/$1/enabled"
	while [ -e "/sys/kernel/livepatch/$1" ]; do
		sleep 0.2
	done
	rmmod "$1" || fail "$1 stays"
	[ ! -e /sys/module/kprobe_test_target ] || rmmod kprobe_test_target
}

chunk() {
	name=${1%%@*}
	cat "/mnt/$name.places" > $control/places || fail "places of $name"
	try_all
	for r in $(echo "$1:" | cut -d : -f 2- | tr : ' '); do
		echo "campaign: chunk $name, $r" > /dev/kmsg
		echo "round $r"
		round "$r"
	done
}

mount -t devpts devpts /dev/pts
echo 0 > /proc/sys/debug/exception-trace
if [ -z "$QUEUE" ]; then
	mkdir /tmp/work && cd /tmp/work || fail "no directory"
	expect
	echo "watch"
	start_workload
	# Wait until executed.py records, and at the end until it no longer does.
	sleep 5
	finish_workload
	sleep 5
	exit
fi
stext=$(awk '$3 == "_stext" { print $1 }' /proc/kallsyms)
insmod /mnt/probe_campaign.ko base=0x"$stext" || fail "no module"
mkdir /tmp/work && cd /tmp/work || fail "no directory"
expect
start_workload
for c in $QUEUE; do
	module=${c#*@}
	module=${module%%:*}
	enter "$module"
	echo "begin ${c%%@*}"
	chunk "$c"
	leave "$module"
	echo "end ${c%%@*}"
done
[ -n "$TESTS$UNHIT$IDLE" ] || finish_workload
rmmod probe_campaign

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# In the guest: for each chunk of QUEUE, NAME:ROUND:ROUND..., the rounds, with the workload
# running all the while; or, if there are TESTS, with those of the ftrace selftests run once a
# round. With UNHIT, the workload runs once, when all probes are there and are what they are to
# be, and what is not hit then is told place by place. Chunks without rounds are IDLE: no workload
# is of use. What cannot be probed is told, with the kernel's reason, and what is a breakpoint
# though jumps are allowed. campaign.py puts these in front and reads what is printed. Without a
# QUEUE the workload just runs: executed.py looks on.

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

# Their results, a line each; to be seen as they come, too, since that takes minutes.
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

start_workload() {
	[ -n "$TESTS$UNHIT$IDLE" ] && return
	/mnt/workload /tmp/expected > /tmp/said 2>&1 &
	pid=$!
}

# Once from the beginning to the end.
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

# Once more from the beginning to the end, and then it is over.
finish_workload() {
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

# Until there is a jump, hence all is decided on. Whoever asks the kernel meanwhile is in its way.
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

# Until what is decided to be a jump is one. What is disabled meanwhile is no longer to be one.
await_jumps() {
	polls=0
	while
		jumps=$(grep -c OPTIMIZED /sys/kernel/debug/kprobes/list)
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

# Probes in what decides are in its way, so they rest, and are decided on when all others are. Among
# many, that would take too long; these have their turn when there are fewer.
settle() {
	echo 3000 > $control/tired
	[ -z "$UNHIT" ] || await_decisions
	await_jumps
	[ -z "$UNHIT" ] || [ "$(value probed)" -lt $MANY ] || return
	echo 0 > $control/tired
	await_jumps
}

# round WHAT: "post" and "plain" are breakpoints, "jump" and "post-jump" are with the optimization.
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
	# They go, and the next ones come, while it runs.
	start_workload
	echo off > $control/round
	grep '^odd' $control/result
}

# What cannot be probed, and why. The kernel keeps as many reasons as the module refuses at once.
try_all() {
	echo try > $control/round || fail "trying $name"
	while :; do
		sed 's/^/refusal /' $control/refused
		[ ! -e $errors ] || sed -n 's/.*register_kprobe: 0x\([^ ]* .*\)/why \1/p' $errors
		[ "$(cat $control/rest)" != 0 ] || break
		echo more > $control/round || fail "trying more of $name"
	done
}

chunk() {
	name=${1%%:*}
	cat "/mnt/$name.places" > $control/places || fail "places of $name"
	try_all
	for r in $(echo "${1#"$name"}" | tr : ' '); do
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
	# Until it does.
	sleep 5
	finish_workload
	# And until it does no more.
	sleep 5
	exit
fi
stext=$(awk '$3 == "_stext" { print $1 }' /proc/kallsyms)
echo "stext $stext"
insmod /mnt/probe_campaign.ko base=0x"$stext" || fail "no module"
mkdir /tmp/work && cd /tmp/work || fail "no directory"
expect
start_workload
for c in $QUEUE; do
	echo "begin ${c%%:*}"
	chunk "$c"
	echo "end ${c%%:*}"
done
[ -n "$TESTS$UNHIT$IDLE" ] || finish_workload
rmmod probe_campaign

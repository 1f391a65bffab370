#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run the kselftests that TESTS names. /mnt is tools/testing/selftests/kprobes. Tests print KTAP; the
# status counts for one that does not.

# Time limit, so that the others run if one hangs.
limit=${LIMIT:-1200}

# Our modules for a stock kernel.
if [ -d /mnt/modules ]; then
	cat > /tmp/modprobe <<'END'
#!/bin/sh
ko=/mnt/modules/$(echo "$1" | tr - _).ko
if [ -e "$ko" ]; then
	shift
	exec insmod "$ko" "$@"
fi
exec modprobe "$@"
END
	chmod +x /tmp/modprobe
	export MODPROBE=/tmp/modprobe
fi

# show_if_late NAME FILE: show what a test does that will exceed its time limit. At its end, FILE exists.
show_if_late() {
	last=$(($(cut -d . -f 1 /proc/uptime) + limit - 10))
	while [ ! -e "$2" ]; do
		sleep 2
		[ "$(cut -d . -f 1 /proc/uptime)" -ge $last ] || continue
		echo "$1 takes more than $((limit - 10)) s; its last commands and the tasks:"
		tail -n 15 /tmp/tmp.*/log
		for p in /proc/[0-9]*; do
			# Kernel threads that sleep or are idle are of no interest.
			words=$(tr '\0' ' ' < "$p/cmdline")
			[ -n "$words" ] || ! grep -q '^State:.[SI]' "$p/status" || continue
			echo "${p#/proc/} $words"
			cat "$p/stack"
		done
		return
	done 2> /dev/null
}

n=0
for name in $TESTS; do
	echo "    # Subtest: ${name%.sh}"
	began=$(cut -d . -f 1 /proc/uptime)
	# A file of its own, as show_if_late() looks for it seldom.
	code=/tmp/code.$n
	show_if_late "$name" $code | sed 's/^/    # /' &
	# Print output at once, so that the last line shows where a guest died.
	(cd /mnt && timeout $limit sh "./$name"; echo $? > /tmp/status; mv /tmp/status $code) 2>&1 |
		tee /tmp/out | while IFS= read -r line; do
			echo "    $line"
		done
	code=$(cat $code)
	echo "# ${name%.sh}: $(($(cut -d . -f 1 /proc/uptime) - began)) s"
	n=$((n + 1))
	case $code in
	0)	echo "ok $n ${name%.sh}" ;;
	4)	echo "ok $n ${name%.sh} # SKIP $(tail -n 1 /tmp/out)" ;;
	*)	echo "not ok $n ${name%.sh} # status $code" ;;
	esac
done
echo "1..$n"

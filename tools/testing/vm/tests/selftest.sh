#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Our kselftests of tools/testing/selftests/kprobes, which is /mnt here: those that TESTS
# names. Each prints KTAP; one that does not is judged by its status.

# One that hangs is not to take the others along.
limit=${LIMIT:-1200}

# A kernel that is not ours has our modules there.
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

n=0
for name in $TESTS; do
	echo "    # Subtest: ${name%.sh}"
	began=$(cut -d . -f 1 /proc/uptime)
	# Shown as it comes: the last line tells where a guest died.
	(cd /mnt && timeout $limit sh "./$name"; echo $? > /tmp/code) 2>&1 |
		tee /tmp/out | while IFS= read -r line; do
			echo "    $line"
		done
	code=$(cat /tmp/code)
	echo "# ${name%.sh}: $(($(cut -d . -f 1 /proc/uptime) - began)) s"
	n=$((n + 1))
	case $code in
	0)	echo "ok $n ${name%.sh}" ;;
	4)	echo "ok $n ${name%.sh} # SKIP $(tail -n 1 /tmp/out)" ;;
	*)	echo "not ok $n ${name%.sh} # status $code" ;;
	esac
done
echo "1..$n"

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

n=0
for name in $TESTS; do
	echo "    # Subtest: ${name%.sh}"
	began=$(cut -d . -f 1 /proc/uptime)
	# Print output at once, so that the last line shows where a guest died.
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

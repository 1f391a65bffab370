#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run the shell examples of Documentation/trace/{k,f}probe*.rst and probe_*.rst: all blocks
# ".. code-block:: sh". Each command must succeed, in a clean tracefs. Events that are left
# enabled or defined are disabled and removed as by a user, which must succeed.
#
# A line that starts with "!" must fail, which "sh -e" by itself would not check.
#
# A block with a comment ".. needs BTF" before it is skipped without BTF.
#
# Examples have registers of x86-64. On arm64 they are replaced by registers with the same values,
# and an offset by one that ftrace does not patch.
#
# DOCS may name the directory with the documents. Otherwise they are beside this file, where
# "make install" puts them, or in the kernel's tree.

tracing=/sys/kernel/tracing
debug=/sys/kernel/debug/kprobes
files="kprobes.rst kprobetrace.rst probe_arguments.rst fprobe.rst fprobetrace.rst probe_errors.rst"

skip() {
	echo "1..0 # SKIP $*"
	exit 4
}

find_docs() {
	# shellcheck disable=SC2153 # the caller sets it
	for dir in "$DOCS" "${0%/*}" "${0%/*}/../../../../Documentation/trace"; do
		[ -n "$dir" ] && [ -f "$dir/kprobetrace.rst" ] && echo "$dir" && return
	done
}

# Replace registers in commands by those of this architecture, and the address of the return address.
own_registers() {
	case $(uname -m) in
	aarch64)
		sed 's/%di\>/%x0/g; s/%si\>/%x1/g; s/%dx\>/%x2/g; s/%cx\>/%x3/g; s/%ax\>/%x0/g; s/%ip\>/%pc/g
			s/+0(\$stack):symstr/%lr:symstr/; s/vfs_read+4\>/vfs_read+16/'
		;;
	*)	cat ;;
	esac
}

# Write the blocks of file $1 to $work/FILE:LINE without indentation, after a comment with their
# heading and their number below it.
extract() {
	awk -v out="$work/${1##*/}" '
	function indent(s) { match(s, /^ */); return RLENGTH }
	function finish() { if (block) close(block); block = "" }
	!block && /^(===+|---+|~~~+|\^\^\^+)$/ && above != "" { heading = above; nr = 0 }
	{ above = $0 }
	/^ *\.\. code-block:: sh *$/ {
		finish()
		at = indent($0); body = -1
		block = sprintf("%s:%04d%s", out, NR, before == ".. needs BTF" ? ":btf" : "")
		printf "# %s, %d\n", heading, ++nr > block
		before = ""
		next
	}
	!block && /[^ ]/ { before = $0 }
	block && /^ *$/ { if (body >= 0) print "" > block; next }
	block && indent($0) <= at { finish(); before = $0 }
	block && body < 0 && /^ *:[a-z-]+:/ { next }
	block {
		if (body < 0) body = indent($0)
		line = substr($0, body + 1)
		if (line ~ /^! /) line = line " || exit 99"
		print line > block
	}' "$1"
}

probes_registered() {
	wc -l < "$debug/list"
}

# Truncation removes histograms only.
clean_triggers() {
	[ -e "$1" ] || return
	true > "$1"
	grep -v '^#' "$1" | while read -r trigger; do
		echo "!${trigger%%:*}" >> "$1"
	done
}

# Restore tracefs to its state after boot.
clean() {
	echo 1 > "$debug/enabled"
	for dir in instances/*/; do
		[ -d "$dir" ] || continue
		echo 0 > "${dir}events/enable"
		rmdir "$dir"
	done
	sed -n 's/^[a-z][0-9]*:\([^ ]*\).*/\1/p' dynamic_events | sort -u |
		while read -r event; do
			clean_triggers "events/$event/trigger"
		done
	echo 0 > events/enable
	# Not ":", which would end this shell where that fails.
	true > dynamic_events
	true > error_log
	echo nop > current_tracer
	echo > trace
	echo 1 > tracing_on
}

# Settings that clean() should have undone and could not, one a line.
leftovers() {
	sed 's/^/still defined: /' dynamic_events
	sed 's/^/still counted: /' kprobe_profile
	sed 's/^/still enabled: /' set_event
	for dir in instances/*/; do
		[ -d "$dir" ] && echo "instance left: $dir"
	done
	now=$(probes_registered)
	[ "$now" = "$before" ] ||
		echo "$now probes registered, $before before the first example"
	sed 's/^/still hooked: /' enabled_functions
	[ "$(cat "$debug/enabled")" = 1 ] || echo "probes are not enabled"
}

say() {
	sed 's/^/#   /' "$@"
}

# Run the example in file $1, and report the result as $2.
run() {
	own_registers < "$1" > "$work/example"
	(cd / && exec sh -ex "$work/example") < /dev/null > "$work/out" 2>&1
	code=$?
	clean > "$work/clean" 2>&1
	leftovers > "$work/left" 2>&1

	if [ $code = 0 ] && [ ! -s "$work/left" ]; then
		echo "ok $n - $2"
		return
	fi
	echo "not ok $n - $2"
	failed=1
	case $code in
	0)	;;
	99)	echo "# a line with ! succeeded" ;;
	*)	echo "# status $code" ;;
	esac
	echo "# line $line"
	say "$work/out" "$work/clean" "$work/left"
}

echo "TAP version 13"
[ "$(id -u)" = 0 ] || skip "must be root"
docs=$(find_docs)
[ -n "$docs" ] || skip "no documents: set DOCS to Documentation/trace"
[ -e $tracing/kprobe_events ] || skip "there is no $tracing/kprobe_events"
[ -e $debug/list ] || skip "there is no $debug/list"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
for f in $files; do
	extract "$docs/$f"
done
set -- "$work"/*.rst:*
if [ ! -f "$1" ]; then
	echo "Bail out! no example in $docs"
	exit 1
fi

cd $tracing || exit 1
clean > /dev/null 2>&1
before=$(probes_registered)
echo "1..$#"
n=0
failed=0
for example; do
	n=$((n + 1))
	name=${example##*/}
	name=${name%:btf}
	line=${name##*:}
	name="${name%:*}: $(sed -n '1s/^# //p' "$example")"
	if [ "${example%:btf}" != "$example" ] && [ ! -e /sys/kernel/btf/vmlinux ]; then
		echo "ok $n - $name # SKIP no BTF"
		continue
	fi
	run "$example" "$name"
done
exit $failed

# SPDX-License-Identifier: GPL-2.0-only
#
# Writes many functions, each with a way of its own to its result.

BEGIN {
	n = 1000
	print "#include <linux/compiler.h>"
	print "#include \"fprobes.h\""
	for (i = 0; i < n; i++) {
		printf "static noinline __noclone unsigned long fprobe_many_%d(unsigned long x)\n", i
		printf "{\n\tx += %d;\n\tOPTIMIZER_HIDE_VAR(x);\n\treturn x - %d;\n}\n", i + 1000, i + 999
	}
	print "const target_fn fprobe_many[NR_FPROBE_MANY] = {"
	for (i = 0; i < n; i++)
		printf "\tfprobe_many_%d,\n", i
	print "};"
}

# SPDX-License-Identifier: GPL-2.0
"""The patch series: files of each patch, and objects to compile after it."""
import os
import tempfile
import unittest
from unittest import mock

import bisect_series
import lint
import series
import tree
from common import Failure

ORDER = """# a remark
patch: first: one
files: include/a.h kernel/a/
wiring: x.patch y.patch

Problem.

Choice.
patch: second: two
files: kernel/ kernel/a/late.c

Result.
"""
FILE = (b"x", 0o644)


class Wiring(unittest.TestCase):
    HUNK = ["why\n", "--- a/x\n", "+++ b/x\n", "@@ -1,2 +1,3 @@\n", " a\n", "+b\n", " c\n"]

    def test_counted(self):
        self.assertIsNone(tree.miscounted(self.HUNK))
        self.assertIsNone(tree.miscounted(self.HUNK + ["@@ -9 +10 @@\n", "-d\n", "+e\n"]))
        self.assertIsNone(tree.miscounted(self.HUNK + ["--- a/y\n", "+++ b/y\n", "@@ -1 +1 @@\n", "-d\n", "+e\n"]))

    def test_one_line_too_many(self):
        self.assertEqual(tree.miscounted(self.HUNK + [" d\n", "@@ -9 +10 @@\n", "-d\n", "+e\n"]), 8)

    def test_one_line_too_few(self):
        self.assertEqual(tree.miscounted(self.HUNK[:-1]), 6)
        self.assertEqual(tree.miscounted(self.HUNK[:-1] + ["@@ -9 +10 @@\n"]), 7)


class Order(unittest.TestCase):
    def test_lines(self):
        first, second = series.parse(ORDER.splitlines(True))
        self.assertEqual(first.files, ["include/a.h", "kernel/a/"])
        self.assertEqual(first.wiring, ["x.patch", "y.patch"])
        self.assertEqual(first.message(), "first: one\n\nProblem.\n\nChoice.\n")
        self.assertEqual(second.message(), "second: two\n\nResult.\n")

    def test_longest_name_decides(self):
        patches = series.parse(ORDER.splitlines(True))
        for name, nr in (("include/a.h", 0), ("kernel/a/b.c", 0), ("kernel/b.c", 1), ("kernel/a/late.c", 1)):
            self.assertIs(series.owner(patches, name), patches[nr], name)
        with self.assertRaises(Failure):
            series.owner(patches, "lib/a.c")

    def test_the_real_one_is_read(self):
        patches = series.read_order()
        self.assertTrue(all(p.body and (p.files or p.wiring) for p in patches))
        self.assertEqual(len({p.subject for p in patches}), len(patches))
        for p in patches:
            self.assertFalse([l for l in p.body if len(l) > 72], p.subject)
            self.assertRegex(p.subject, r"^[\w/]+(, [\w/]+)*: \S")

    def test_what_is_for_now_becomes_final(self):
        path = os.path.join(series.TOP, "series/interim")
        ends = {n: i for i, p in enumerate(series.read_order()) for n in p.final}
        begun = {w: i for i, p in enumerate(series.read_order()) for w in p.interim}
        self.assertEqual(set(begun), set(os.listdir(path)))
        for w, i in begun.items():
            for n in tree.touched_by(os.path.join(path, w)):
                self.assertGreater(ends[n], i, n)
                changed = series.for_now(w)[n]
                self.assertNotEqual(changed, series.state_of(series.TOP, n))


class Cover(unittest.TestCase):
    def test_table(self):
        readme = ("<!-- make bench ARCH=a: begin -->\n| | 6.12 | ours | ratio |\n| --- | ---: | ---: | ---: |\n"
                  "| **Per hit** | | | |\n| kprobe | 104 | 79 | 0.76 |\n<!-- make bench ARCH=a: end -->\n")
        lines = [l.split() for l in series.bench_table(readme, "a").splitlines() if l]
        self.assertEqual(lines, [["6.12", "ours", "ratio"], ["Per", "hit"], ["kprobe", "104", "79", "0.76"]])
        with self.assertRaises(Failure):
            series.bench_table(readme, "b")


class Bisect(unittest.TestCase):
    def test_what_need_not_be_compiled(self):
        before = {"kernel/a.c", "lib/Makefile"}
        quiet = bisect_series.without_code
        self.assertTrue(quiet({"Documentation/a.rst": FILE, "MAINTAINERS": FILE}, before))
        self.assertTrue(quiet({"kernel/b.c": FILE, "kernel/c/Makefile": FILE}, before))
        self.assertFalse(quiet({"kernel/a.c": FILE}, before))
        self.assertFalse(quiet({"kernel/a.c": None}, before))
        self.assertFalse(quiet({"kernel/b.c": FILE, "lib/Makefile": FILE}, before))
        # It replaces a generated header.
        self.assertFalse(quiet({"arch/x86/include/asm/b.h": FILE}, before))

    def test_objects_of_a_configuration(self):
        text = ("obj-y += a.o b.o\nobj-$(CONFIG_ON) += c.o \\\n\td.o\nobj-$(CONFIG_OFF) += e.o\nKASAN_SANITIZE_f.o := n\n"
                "ifeq ($(CONFIG_OFF),y)\nobj-y += g.o\nelse\nobj-y += h.o\nendif\nifdef CONFIG_ON\nifneq ($(SOME),)\n"
                "obj-$(CONFIG_ON) += i.o\nendif\nendif\nifndef CONFIG_ON\nobj-y += j.o\nendif\n"
                "obj-$(CONFIG_MODULE) += k.o\nk-y := l.o\nobj-$(CONFIG_OFF) += m.o\nm-y := n.o\n")
        config = {"CONFIG_ON": "y", "CONFIG_OFF": "n", "CONFIG_MODULE": "m"}
        self.assertEqual("".join(n for n in "abcdefghijklmn" if bisect_series.built_by(text, n, config)), "abcdhikl")

    def test_objects_that_a_change_can_break(self):
        """a.c includes far.h directly, b.c by another header; far.h is seen by too many."""
        with tempfile.TemporaryDirectory() as top:
            for name, text in (("kernel/a.c", "#include <linux/far.h>\n"), ("kernel/b.c", "#include <linux/other.h>\n"),
                               ("out/kernel/.a.o.cmd", "src/include/linux/far.h \\\n"),
                               ("out/kernel/.b.o.cmd", "src/include/linux/far.h src/include/linux/near.h \\\n"),
                               ("out/kernel/.gone.o.cmd", "src/include/linux/near.h \\\n")):
                path = os.path.join(top, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w") as f:
                    f.write(text)
            k = bisect_series.Kernel.__new__(bisect_series.Kernel)
            k.out, k.dirs = os.path.join(top, "out"), lambda: ["kernel/"]
            far, near = "include/linux/far.h", "include/linux/near.h"
            with mock.patch.multiple(bisect_series, TREE=top, MANY=1):
                self.assertEqual(set(k.seeing([far], False)), {"kernel/a.o"})
                self.assertEqual(set(k.seeing([far], True)), {"kernel/a.o", "kernel/b.o"})
                self.assertEqual(set(k.seeing([], True)), set())
            with mock.patch.multiple(bisect_series, TREE=top, MANY=2):
                self.assertEqual(set(k.seeing([near], False)), {"kernel/b.o"})
                self.assertEqual(set(k.seeing([far], False)), {"kernel/a.o", "kernel/b.o"})
                with open(os.path.join(k.out, "kernel/b.pi.o"), "w", encoding="ascii"):
                    self.assertEqual(set(k.seeing([near], False)), {"kernel/b.pi.o"})

    def test_key_is_of_content(self):
        key = bisect_series.key_of
        self.assertEqual(key({"a": FILE, "b": None}, []), key({"b": None, "a": FILE}, []))
        self.assertNotEqual(key({"a": FILE}, []), key({"a": (b"y", 0o644)}, []))
        self.assertNotEqual(key({"a": FILE}, []), key({"a": None}, []))


    def test_symbols(self):
        known = bisect_series.parse_nm("kernel/built-in.a:kernel/a.o:0000000000000010 T one\n"
                                       "kernel/built-in.a:kernel/a.o:                 U two\n"
                                       "kernel/b.o:0000000000000000 W two\nkernel/b.o:                 U three\n"
                                       "kernel/b.o:0000000000000000 t four\nkernel/b.o:                 w five\n")
        self.assertEqual(known, {"kernel/a.o": (["one"], ["two"]), "kernel/b.o": (["~two"], ["three"])})
        self.assertEqual(bisect_series.faults(known), ({"three"}, set()))
        known["kernel/c.o"] = (["one", "two", "three"], [])
        self.assertEqual(bisect_series.faults(known), (set(), {"one"}))


class Maintainers(unittest.TestCase):
    def test_patterns(self):
        for name, pattern, fits in (("kernel/kprobes/a.c", "kernel/kprobes/", True),
                                    ("kernel/kprobes/tests/a.c", "kernel/kprobes/", True),
                                    ("kernel/trace/fprobe_hit.c", "kernel/trace/fprobe*", True),
                                    ("kernel/trace/probes/fprobe.h", "kernel/trace/fprobe*", False),
                                    ("arch/x86/include/asm/rethook.h", "arch/*/include/asm/rethook.h", True),
                                    ("kernel/kprobes.c", "kernel/kprobes/", False)):
            self.assertEqual(lint.belongs(name, pattern), fits, (name, pattern))

    def test_sections(self):
        text = "Descriptions\n\nA PART\nM:\tX <x@y>\nF:\tkernel/a.c\nF:\tlib/\n\nTHE REST\nF:\t*\n"
        self.assertEqual(lint.sections(text), {"A PART": ["kernel/a.c", "lib/"], "THE REST": ["*"]})


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0
"""The table of architectures, and the steps of each."""
import os
import re
import unittest
import unittest.mock

import check
import kbuild
import lint
import steps
import suites
from arch import ARCHES, split_step
from common import Failure

BOOTED = [a for a in ARCHES.values() if a.code]


class Steps(unittest.TestCase):
    def test_a_step_is_of_one_architecture(self):
        self.assertEqual(split_step("kunit"), ("x86_64", "kunit"))
        self.assertEqual(split_step("debug-kunit"), ("x86_64", "debug-kunit"))
        self.assertEqual(split_step("arm64-kunit"), ("arm64", "kunit"))
        self.assertEqual(split_step("arm64-debug-kunit"), ("arm64", "debug-kunit"))
        # Steps of x86-64 whose names begin like those of an architecture.
        self.assertEqual(split_step("arch-builds"), ("x86_64", "arch-builds"))

    def test_steps_of_other_architectures_are_there(self):
        for arch, names in (suites.ARCH_SUITES | suites.PORT_SUITES).items():
            for n in names:
                self.assertIn(n, suites.SUITES)
                self.assertIn(f"{arch}-{n}", check.STEPS)

    def test_those_of_one_architecture(self):
        names = ["kunit", "lint", "arm64-kunit", "ftrace-beside", "arm64-debug", "riscv64-ftrace"]
        self.assertEqual(check.checked([], names), ["kunit", "lint", "arm64-kunit"])
        self.assertEqual(check.checked([], names, "arm64"), ["arm64-kunit"])
        self.assertEqual(check.checked(["debug"], names, "arm64"), ["arm64-debug"])
        self.assertEqual(check.checked(["kunit"], names, "arm64"), ["arm64-kunit"])
        self.assertEqual(check.checked(["arm64-kunit"], names, "arm64"), ["arm64-kunit"])
        self.assertEqual(check.checked([], names, "x86_64"), ["kunit", "lint"])
        for bad, arch in (("lint", "arm64"), ("arm64-kunit", "x86_64"), ("nosuch", None), ("kunit", "vax")):
            with self.assertRaises(Failure, msg=f"{bad} {arch}"):
                check.checked([bad], names, arch)


    def test_kernels_that_they_boot(self):
        self.assertEqual(check.needs("kunit"), [("x86_64", None)])
        self.assertEqual(check.needs("arm64-kunit"), [("arm64", None)])
        self.assertEqual(check.needs("debug"), [("x86_64", "debug")])
        self.assertEqual(check.needs("arm64-debug"), [("arm64", "debug")])
        self.assertEqual(check.needs("arm64-kcsan"), [("arm64", "kcsan")])
        self.assertEqual(check.needs("litmus"), [])
        self.assertEqual(set(check.needs("lint")), {("x86_64", None), ("arm64", None)})
        self.assertEqual(check.step_name("arm64-debug-kunit"), "arm64-debug")
        self.assertEqual(check.step_name("debug-kunit"), "debug")
        self.assertEqual(check.step_name("arm64-kunit"), "arm64-kunit")

    def test_results_of_two_guests(self):
        results = {"a": ("pass", ""), "b": ("skip", "x"), "c": ("pass", ""), "d": ("fail", "y")}
        check.add_results(results, {"a": ("fail", "z"), "b": ("pass", ""), "c": ("skip", ""), "d": ("pass", ""), "e": ("skip", "")})
        self.assertEqual(results, {"a": ("fail", "z"), "b": ("skip", "x"), "c": ("pass", ""), "d": ("fail", "y"), "e": ("skip", "")})


class Configuration(unittest.TestCase):
    def test_what_is_of_one_architecture_and_profile(self):
        def names(*which):
            return [os.path.basename(f).removesuffix(".config") for f in kbuild.Kernel(*which).fragments]

        self.assertEqual(names("arm64", "small")[-2:], ["small", "arm64-small"])
        self.assertEqual(names("arm64", "debug")[-2:], ["small", "debug"])
        self.assertEqual(names("riscv64", "small")[-1], "small")
        # Tests of named parameters need BTF. Check that both fully tested architectures have it.
        for arch in BOOTED:
            self.assertEqual(kbuild.wanted(kbuild.Kernel(arch.name).fragments).get("CONFIG_DEBUG_INFO_BTF"), "y")


class Lint(unittest.TestCase):
    def test_objects_go_to_their_architecture(self):
        kernels = [kbuild.Kernel("x86_64"), kbuild.Kernel("arm64", "small")]
        files = ["kernel/a.c", "arch/arm64/b.c", "arch/x86/c.c", "tools/d.c", "include/e.h"]
        with unittest.mock.patch("os.path.exists", lambda p: not p.endswith("c.o")):
            objs, left = lint.compiled(files, kernels)
        self.assertEqual([o for _, o in objs], [["kernel/a.o"], ["arch/arm64/b.o"]])
        self.assertEqual(left, ["arch/x86/c.o"])


class Code(unittest.TestCase):
    def test_calls_and_jumps(self):
        lines = {
            "x86_64": ["ffff\tcall   {} <f>", "ffff\tjne    {} <f+0x3>", "ffff\tjmp    {} <f>"],
            "arm64": ["ffff:\tbl\t{} <f>", "ffff:\tb\t{} <f+0x8>", "ffff:\tb.ne\t{} <f>  // b.any",
                      "ffff:\tcbnz\tx0, {} <f>", "ffff:\ttbz\tw1, #4, {} <f>"],
        }
        others = {
            "x86_64": ["ffff\tlea    0x10(%rip),%rax        # ffff81 <f>", "ffff\tjmp    *%rax"],
            "arm64": ["ffff:\tadrp\tx0, ffff81 <f>", "ffff:\tbfi\tx0, x1, #3, #4", "ffff:\tbr\tx16",
                      "ffff:\tblr\tx3", "ffff:\tadr\tx2, ffff81 <f>"],
        }
        for arch in BOOTED:
            for line in lines[arch.name]:
                m = re.search(arch.code.calls, line.format("ffff800080123abc"))
                self.assertTrue(m and m.group(1) == "ffff800080123abc", line)
            for line in others[arch.name]:
                self.assertIsNone(re.search(arch.code.calls, line), line)

    def test_disassembled_where_it_is(self):
        code = {
            # call +0x10; nop
            "x86_64": ({0xffffffff81000000: b"\xe8\x0b\x00\x00\x00", 0xffffffff82000000: b"\x90"},
                       "call   0xffffffff81000010", "nop"),
            # bl +0x10; cbz x0, -4
            "arm64": ({0xffff800080000000: b"\x04\x00\x00\x94", 0xffff800081000000: b"\xe0\xff\xff\xb4"},
                      "bl\t0xffff800080000010", "cbz\tx0, 0xffff800080fffffc"),
        }
        for arch in BOOTED:
            raw, first, second = code[arch.name]
            text = list(steps.disassemble(raw, arch).values())
            self.assertEqual(text, [first, second])
            self.assertTrue(text[0].startswith(arch.code.called))

    def test_all_of_a_booted_one_is_there(self):
        for arch in BOOTED:
            for field in ("machine", "cpu", "console", "demo", "code"):
                self.assertTrue(getattr(arch, field), f"{arch.name}: {field}")
            self.assertEqual(set(arch.objects) - set(check.SEE_OUR_CORE), set(check.VARIANTS))
            re.compile(arch.code.traps)
            re.compile(arch.code.thunks)


if __name__ == "__main__":
    unittest.main()

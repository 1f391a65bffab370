# SPDX-License-Identifier: GPL-2.0
"""Names in the rows of hardened.py exist."""
import os
import types
import unittest

import check
import hardened
import kbuild
import suites
from arch import split_step


class Rows(unittest.TestCase):
    def test_they_are_steps(self):
        for step, row in hardened.HARDENED.items():
            self.assertIn(step, check.STEPS)
            self.assertEqual(check.needs(step), [(split_step(step)[0], row.profile)])
            self.assertIn(row.title, check.title(step))
        self.assertLessEqual(set(hardened.OPTIONAL), set(hardened.HARDENED))
        self.assertLessEqual(set(hardened.OPTIONAL), set(check.OPTIONAL))

    def test_guests(self):
        for step, row in hardened.HARDENED.items():
            k = kbuild.Kernel(split_step(step)[0], row.profile)
            for m in row.machines:
                boot, = hardened.suite(m).boots(types.SimpleNamespace(k=k, step=step, share="/somewhere"))
                for name in m.tests:
                    self.assertTrue(os.path.exists(os.path.join(suites.OURS, name)), name)
                    self.assertNotIn(name, suites.OWN_BOOT)
                # The shell script has it in quotes, with these separators.
                for fact in m.says:
                    self.assertNotRegex("".join(fact), "[;']")
                self.assertIn("says()", boot.text())
                self.assertIn("kunit/*/results", boot.text())

    def test_kernels(self):
        def names(*which):
            return [os.path.basename(f).removesuffix(".config") for f in kbuild.Kernel(*which).fragments]

        self.assertEqual(names("x86_64", "hardened-rt")[-5:], ["small", "expert", "hardened", "x86_64-hardened", "rt"])
        self.assertEqual(names("x86_64", "rt")[-2:], ["expert", "rt"])
        self.assertEqual(names("arm64", "cfi")[-3:], ["small", "cfi", "arm64-cfi"])
        self.assertEqual(kbuild.Kernel("arm64", "cfi").llvm, "-19")
        self.assertEqual(kbuild.Kernel("loongarch", "tracer").llvm, "-19")
        self.assertEqual(kbuild.Kernel("x86_64").llvm, "")
        self.assertEqual(kbuild.Kernel("x86_64", "hardened-rt").packages, ["plugins"])
        self.assertEqual(kbuild.Kernel("riscv64", "small").packages, ["riscv64"])


if __name__ == "__main__":
    unittest.main()

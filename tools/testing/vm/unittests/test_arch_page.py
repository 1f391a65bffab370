# SPDX-License-Identifier: GPL-2.0
"""Names in the page for ports exist."""
import os
import re
import unittest

import tree
from common import TOP, lock

PAGE = "Documentation/trace/kprobes_arch.rst"
# Files with the interface between architectures and the core, and some that the page mentions.
PLACES = ("include/", "kernel/", "lib/", "arch/", "series/wiring/")
OF_THE_BASE = {"memset", "BUG", "CC_FLAGS_FTRACE", "regs_get_kernel_argument"}


def words(text):
    """Functions, types, macros and Kconfig symbols in the page."""
    quoted = re.findall(r"``([^`]+)``", text)
    found = {m.group(1) for q in quoted if (m := re.fullmatch(r"(\w+)\(\)", q))}
    found |= {m.group(1) for q in quoted if (m := re.fullmatch(r"(?:struct )?(_*[a-z]+_[a-z_]+|[A-Z]+_[A-Z_]+)", q))}
    return found


def files(text):
    """Files and directories in the page."""
    return {q.rstrip("/") for q in re.findall(r"``([\w./-]+/[\w./-]*)``", text)}


def setUpModule():
    # The first test of a fresh clone may come before the first build.
    with lock("tree"):
        tree.unpack_base()


class Page(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(TOP, PAGE)) as f:
            self.text = f.read()

    def test_words_are_found(self):
        self.assertEqual(words("``arch_x()`` ``struct a_b`` ``HAVE_X`` ``p->ainsn`` plain_word ``-EINVAL``"),
                         {"arch_x", "a_b", "HAVE_X"})

    def test_what_it_names_is_in_the_tree(self):
        names = [os.path.join(d, f) for p in PLACES for d, _, fs in os.walk(os.path.join(TOP, p)) for f in fs]
        have = set()
        for name in names:
            with open(name, encoding="utf-8", errors="replace") as f:
                have.update(re.findall(r"\w+", f.read()))
        # Kconfig symbols of the base for all architectures.
        for name in ("arch/Kconfig", "kernel/trace/Kconfig"):
            have.update(re.findall(r"\w+", tree.read(os.path.join(tree.BASE, name)).decode()))
        self.assertEqual(words(self.text) - have - OF_THE_BASE, set())

    def test_files_are_there(self):
        for name in files(self.text):
            where = [os.path.join(top, d, name) for top in (TOP, tree.BASE)
                     for d in ("", "include", "arch/arm64/include")]
            self.assertTrue(any(os.path.exists(p) for p in where), name)

    def test_all_that_is_declared_for_architectures_is_named(self):
        with open(os.path.join(TOP, "include/linux/kprobes.h")) as f:
            declared = set(re.findall(r"\b(arch_\w+)\(", f.read()))
        self.assertEqual(declared - words(self.text) - {"arch_kprobe_function", "arch_ftrace_function"}, set())


if __name__ == "__main__":
    unittest.main()

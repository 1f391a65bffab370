# SPDX-License-Identifier: GPL-2.0
"""Static checks and their exceptions, and files that git does not track."""
import os
import re
import subprocess
import tempfile
import unittest
from unittest import mock

import guest
import lint_tools
import tree
from common import HERE, TOP


class Licences(unittest.TestCase):
    def test_lines(self):
        gpl = "SPDX-License-Identifier: GPL-2.0"
        for name, lines in (("a.c", [f"// {gpl}-only"]), ("a.h", [f"/* {gpl} */"]), ("a.S", [f"/* {gpl}-or-later */"]),
                            ("a.rst", [f".. {gpl}"]), ("a.sh", ["#!/bin/sh", f"# {gpl}"]), ("tool", ["#!/bin/sh", f"# {gpl}"]),
                            ("data", ["anything"])):
            self.assertIsNone(lint_tools.licence(name, lines + [""]), name)
        for name, lines in (("a.c", [f"/* {gpl} */"]), ("a.h", [f"// {gpl}"]), ("a.c", ["#include <a>"]), ("tool", ["#!/bin/sh", ""]),
                            ("a.h", [f"/* {gpl}"]), ("a.c", ["// SPDX-License-Identifier: MIT"]), ("a.py", ["", f"# {gpl}"])):
            self.assertIsNotNone(lint_tools.licence(name, lines + [""]), (name, lines))


class Lengths(unittest.TestCase):
    def test_long_files(self):
        with tempfile.TemporaryDirectory() as top, mock.patch.object(lint_tools, "TOP", top):
            for name, lines in (("a.c", 800), ("b.c", 801), ("c.rst", 801), ("tool", 801), ("data.list", 2000)):
                with open(os.path.join(top, name), "w") as f:
                    f.write("#!/bin/sh\n" if name == "tool" else "\n")
                    f.write("\n" * (lines - 1))
            self.assertEqual(lint_tools.lengths(sorted(os.listdir(top))),
                             [f"{n}: 801 lines; split it" for n in ("b.c", "c.rst", "tool")])


class Reasons(unittest.TestCase):
    """Each check that is off has a comment with the reason before it."""

    def test_shellcheck(self):
        with open(os.path.join(TOP, ".shellcheckrc")) as f:
            lines = f.read().splitlines()
        for above, line in zip(lines, lines[1:]):
            if line.startswith("disable="):
                self.assertRegex(above, r"^(# \S|disable=)", line)

    def test_pylint(self):
        with open(os.path.join(HERE, "pylintrc")) as f:
            lines = f.read().partition("disable=")[2].splitlines()
        for above, line in zip(lines, lines[1:]):
            if re.match(r"\t\S", line):
                self.assertRegex(above, "^# ", line)

    def test_scripts(self):
        names = [n for n in lint_tools.tracked() if n.startswith("tools/testing/")]
        found = lint_tools.scripts(names)
        for name in ("tools/testing/vm/packages", "tools/testing/vm/guest/init", "tools/testing/selftests/kprobes/functions"):
            self.assertIn(name, found)
        self.assertFalse([n for n in found if n.endswith((".py", ".c", ".list"))])


class Strays(unittest.TestCase):
    def test_only_what_git_knows(self):
        with tempfile.TemporaryDirectory() as top, mock.patch.object(tree, "TOP", top):
            os.makedirs(os.path.join(top, "kernel"))
            for name in ("known.c", "stray.c"):
                with open(os.path.join(top, "kernel", name), "w"):
                    pass
            self.assertEqual(tree.our_files(), ["kernel/known.c", "kernel/stray.c"])    # no checkout
            subprocess.run(["git", "init", "-q", top], check=True)
            subprocess.run(["git", "-C", top, "add", "kernel/known.c"], check=True)
            self.assertEqual(tree.our_files(), ["kernel/known.c"])
            with mock.patch.object(tree, "say") as said:
                tree.tell_strays()
            self.assertIn("kernel/stray.c", said.call_args[0][0])


class Consoles(unittest.TestCase):
    def test_each_guest_has_its_own(self):
        with tempfile.TemporaryDirectory() as tmp:
            k = mock.Mock(out=os.path.join(tmp, "x86_64"))
            with guest.console_file(k) as a, guest.console_file(k) as b:
                self.assertNotEqual(a.name, b.name)
            with guest.console_file(k) as c:
                self.assertEqual(c.name, a.name)


if __name__ == "__main__":
    unittest.main()

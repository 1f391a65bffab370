# SPDX-License-Identifier: GPL-2.0
"""Answers to commands are compared with recorded ones, and differences are found."""
import tempfile
import unittest
import unittest.mock

import commands
from commands import Answer, Differs, Recorded, Task
from common import Failure


def answers(*texts):
    return [Answer("ask", f"{i}\tK p:e f{i}\t{t}\t\t") for i, t in enumerate(texts)]


class Fake:
    """A guest that dies once, at one command."""

    def __init__(self, deadly=None):
        self.deadly = deadly
        self.tasks = []

    def __call__(self, k, boot, seed, task):
        self.tasks.append(task)
        out = []
        for n in task.numbers:
            if n == self.deadly:
                return out + [Answer("ask", f"{n}\tK p:e x{n}")], "the guest's kernel panicked"
            out.append(Answer("ask", f"{n}\tK p:e x{n}\tok\t\t"))
        return out, ""


class Commands(unittest.TestCase):
    def test_what_guests_run(self):
        task = Task("ask", (1, 2, 3, 7), ("K p:e f",))
        self.assertEqual(task.script(5), "#!/bin/sh\n/mnt/commands ask 5 1 4 || exit\n"
                         "/mnt/commands ask 5 7 8 || exit\n/mnt/commands ask /mnt/lines || exit\n")
        self.assertEqual(task.behind(2), Task("ask", (3, 7), ("K p:e f",)))
        self.assertEqual(task.behind(4), Task("ask", (), ("K p:e f",)))
        self.assertFalse(task.behind(5))

    def test_all_are_asked_once(self):
        self.assertEqual([n for t in commands.tasks("ask", 12345) for n in t.numbers], list(range(12345)))

    def test_another_guest_goes_on_behind_a_death(self):
        fake, faults = Fake(deadly=2), []
        with unittest.mock.patch("commands.ask_guest", fake), unittest.mock.patch("commands.say"):
            got = commands.ask(unittest.mock.Mock(), None, 1, Task("ask", (0, 1, 2, 3)), faults)
        self.assertEqual([a.text for a in got], ["ok\t\t", "ok\t\t", commands.DIES, "ok\t\t"])
        self.assertEqual(fake.tasks[1].numbers, (3,))
        self.assertEqual(len(faults), 1)

    def test_missing_answers_are_no_answers(self):
        with unittest.mock.patch("commands.ask_guest", lambda *_: (answers("ok"), "")):
            self.assertRaises(Failure, commands.ask, unittest.mock.Mock(), None, 1, Task("ask", (0, 1)))

    def compared(self, recorded, now, differs=""):
        """Results that did not pass."""
        with unittest.mock.patch("commands.Recorded.nearest", lambda _: Recorded.of(recorded)), \
                unittest.mock.patch("commands.Differs.load", lambda: Differs(differs)), \
                unittest.mock.patch("commands.stock_says", lambda *_: {}), unittest.mock.patch("commands.say"), \
                unittest.mock.patch("commands.show", lambda *_: "a file"):
            got = commands.check(unittest.mock.Mock(), now, [], None)
        return [(name, state) for name, state, _ in got if state != "pass"]

    def test_what_differs_is_seen(self):
        self.assertEqual(self.compared(answers("ok", "EINVAL"), answers("ok", "EINVAL")), [])
        self.assertEqual(self.compared(answers("ok", "EINVAL"), answers("ok", "ENOENT")), [("kprobe_events", "fail")])
        self.assertEqual(self.compared(answers("ok", "EINVAL"), answers("ok")), [("answers", "fail")])

    def test_what_differs_on_purpose(self):
        was, now = answers("ok", "EINVAL", "ok"), answers("ok", "ENOENT", "E2BIG")
        both, one = (self.figures("p:e", some) for some in (now[1:], now[1:2]))
        self.assertEqual(self.compared(was, now, f"p:e => ^E(NOENT|2BIG) -- {both} -- why\n"), [])
        self.assertEqual(self.compared(was, now, f"p:e => ^ENOENT -- {one} -- why\n"), [("kprobe_events", "fail")])
        self.assertEqual(self.compared(was, was, f"# none\np:e => ^ENOENT -- {one} -- why\n"),
                         [("differs:2: p:e", "fail")])
        self.assertRaises(Failure, Differs, "p:e => ENOENT\n")
        self.assertRaises(Failure, Differs, "p:e => ENOENT -- why\n")

    def figures(self, pattern, some):
        """What a line of this pattern has to say if it excuses some answers."""
        differs = Differs(f"{pattern} => . -- 0 00000000 -- why\n")
        for a in some:
            differs.find(a)
        return differs.entries[0].figures()

    def test_what_is_excused_does_not_change(self):
        was, one = answers("ok", "ok"), answers("ok", "ENOENT")
        line = f"p:e => . -- {self.figures('p:e', one[1:])} -- why\n"
        self.assertEqual(self.compared(was, one, line), [])
        for other in (answers("ok", "EINVAL"), answers("ENOENT", "ENOENT")):
            self.assertEqual(self.compared(was, other, line), [("differs:1: p:e", "fail")])

    def test_read_and_written(self):
        with tempfile.TemporaryDirectory() as stock, unittest.mock.patch("record.STOCK", stock), \
                unittest.mock.patch("record.version", lambda: "6.12.118-1"):
            self.assertIsNone(Recorded.nearest("x86_64"))
            rec = Recorded.of(answers(*["ok"] * 30))
            rec.save("x86_64")
            again = Recorded.nearest("x86_64")
        self.assertEqual((again.commands, again.hashes), (rec.commands, rec.hashes))
        self.assertEqual(rec.changes(again), 0)
        self.assertEqual(rec.changes(Recorded.of(answers("ok"))), 30)
        self.assertEqual(Recorded.of(answers(*["ok"] * 29, "EINVAL")).changes(rec), 1)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0
"""Guests take turns, and after the death of one another one goes on."""
import threading
import unittest

import guest
from guests import Boot, Outcome, Runner, Slots, Times


class TurnsAreTaken(unittest.TestCase):
    def test_not_more_than_there_are_slots_and_in_order(self):
        slots, began, inside, most = Slots(1), [], [0], [0]
        waiting = threading.Event()

        def one(order):
            with slots.take(order):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                began.append(order)
                inside[0] -= 1

        with slots.take(0):
            threads = [threading.Thread(target=one, args=(n,)) for n in (3, 1, 2)]
            for t in threads:
                t.start()
            while len(slots.waiting) < 3:
                waiting.wait(0.01)
        for t in threads:
            t.join()
        self.assertEqual(began, [1, 2, 3])
        self.assertEqual(most, [1])


class Dying(Runner):
    """A runner whose guests die in the test of this name."""

    def __init__(self):
        super().__init__(Times(), Slots(1))
        self.boots = []

    def boot(self, k, b, order=0):
        self.boots.append(list(b.tests))
        results, out = {}, ""
        for t in b.tests:
            name = t[:-3]
            out += f"    # Subtest: {name}\n"
            if name.startswith("deadly"):
                return Outcome(results, out, "the guest's kernel panicked", "log")
            results[f"{name}.case"] = ("pass", "")
            out += f"ok {len(results)} {name}\n"
        return Outcome(results, out, "", "log")


class TheRestIsRun(unittest.TestCase):
    def run_all(self, *tests):
        runner = Dying()
        return runner, runner.boot_rest(None, Boot("s", "s", "x.sh", list(tests)))

    def test_all_is_well(self):
        runner, got = self.run_all("a.sh", "b.sh")
        self.assertEqual(len(runner.boots), 1)
        self.assertEqual(list(got.results), ["a.case", "b.case"])

    def test_behind_a_death(self):
        runner, got = self.run_all("a.sh", "deadly.sh", "b.sh", "deadly2.sh", "c.sh")
        self.assertEqual(runner.boots[1:], [["b.sh", "deadly2.sh", "c.sh"], ["c.sh"]])
        self.assertEqual({n: s for n, (s, _) in got.results.items()},
                         {"a.case": "pass", "b.case": "pass", "c.case": "pass"})


class Complaints(unittest.TestCase):
    def test_what_a_console_says_of_a_fault(self):
        for line in ("BUG: kernel NULL pointer dereference", "WARNING: CPU: 0 PID: 1 at x.c:3", "Oops: 0000 [#1]",
                     "kmemleak: 3 new suspected memory leaks", "INFO: rcu_sched detected stalls",
                     "kernel BUG at x.c:3!", "guest: cannot mount"):
            self.assertTrue(guest.splats(f"[    1.0] {line}\n"), line)
        self.assertFalse(guest.splats("[    1.0] all is well\n"))
        self.assertFalse(guest.splats("BUG: that\n", "BUG: that"))

    def test_gist_of_splat(self):
        lines = ["WARNING: CPU: 0 PID: 1 at kernel/x.c:7 f+0x1/0x2", "Modules linked in: a", "RIP: 0010:f+0x1/0x2",
                 "RAX: 0000", "Call Trace:", " <TASK>", " ? g+0x1/0x2", " h+0x1/0x2", " i+0x3/0x4", " </TASK>",
                 "irq event stamp: 1", " j+0x1/0x2", "---[ end trace 0000000000000000 ]---"]
        splat = guest.splats("\n".join(f"[    1.0] {l}" for l in ["before"] + lines))[0]
        self.assertEqual(guest.gist(splat).splitlines(), [lines[0], lines[2], " h+0x1/0x2", " i+0x3/0x4"])
        self.assertEqual(guest.gist(splat, 2).splitlines(), [lines[0], lines[2]])


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0
"""A run of `make fuzz` goes on where it was, and finds the example that a guest dies of."""
import os
import tempfile
import types
import unittest
import unittest.mock

import fuzz

K = types.SimpleNamespace(name="x86_64-debug-btf", profile=fuzz.PROFILE, arch=types.SimpleNamespace(name="x86_64"))


class Guest:
    """A guest that dies of one example, that tells of another what is odd, and that loses memory of a third."""

    def __init__(self, deadly=None, odd=None, loses=None, alone=True, silent=None):
        self.deadly, self.odd, self.loses, self.alone, self.silent = deadly, odd, loses, alone, silent
        self.ran = []

    def __call__(self, k, boot, seed, first, end, on_example):
        self.ran.append((first, end))
        for n in range(first, end):
            if n == self.deadly and (self.alone or end - first > fuzz.AGAIN):
                return "the guest's kernel panicked", n if end - first <= fuzz.AGAIN else None
            if n == self.silent:
                continue
            # What is told in pieces may come to an end before the guest does.
            if self.deadly is None or n <= self.deadly - 3 or n > self.deadly or end - first <= fuzz.AGAIN:
                on_example(n, "refused", "leaves an event" if n == self.odd else "")
        return ("2 pieces of memory are lost" if self.loses in range(first, end) else ""), None


class Fuzz(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)
        for name, value in (("RESULTS", self.tmp.name), ("STATE", os.path.join(self.tmp.name, "state")),
                            ("say", lambda *_: None), ("out", self.take), ("text_of", lambda *_: ["K p:e f"])):
            patch = unittest.mock.patch.object(fuzz, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.lines = []

    def take(self, line=""):
        self.lines.append(line)

    def run_with(self, guest, **asked):
        with unittest.mock.patch.object(fuzz, "run_guest", guest):
            return fuzz.run(K, **{"seed": 5, "first": 0, "count": 100, "hits": 0, "boots": 0, **asked})

    def test_all_are_run_once(self):
        guest = Guest()
        with unittest.mock.patch.object(fuzz, "PER_BOOT", 40):
            self.assertEqual(self.run_with(guest), 0)
        self.assertEqual(guest.ran, [(0, 40), (40, 80), (80, 100)])
        self.assertIn("100 examples of seed 5", self.lines[-1])

    def test_what_is_odd_fails_and_can_be_repeated(self):
        self.assertEqual(self.run_with(Guest(odd=17)), 1)
        self.assertTrue(self.lines[-1].endswith("make fuzz SEED=5 FROM=17 COUNT=1 BOOTS=0 HITS=0"), self.lines[-1])

    def test_what_a_guest_dies_of_is_found(self):
        guest = Guest(deadly=50)
        self.assertEqual(self.run_with(guest), 1)
        self.assertEqual(fuzz.State.load().failed, [[50, "the guest's kernel panicked"]])
        self.assertEqual(guest.ran[-1], (51, 100))

    def test_a_death_that_does_not_come_again_fails_too(self):
        self.assertEqual(self.run_with(Guest(deadly=50, alone=False)), 1)
        self.assertIn("not by itself", fuzz.State.load().failed[0][1])

    def test_lost_memory_fails(self):
        self.assertEqual(self.run_with(Guest(loses=3)), 1)
        self.assertIn("lost", self.lines[-2] + self.lines[-3])

    def test_an_interrupted_run_goes_on(self):
        state = fuzz.State(5, 0, 100, 0)
        state.next = 60
        state.save()
        guest = Guest()
        self.assertEqual(self.run_with(guest, seed=None, first=None, count=None, hits=None), 0)
        self.assertEqual(guest.ran, [(60, 100)])

    def test_another_seed_begins_anew(self):
        state = fuzz.State(5, 0, 100, 0)
        state.next = 60
        state.save()
        guest = Guest()
        self.run_with(guest, seed=6)
        self.assertEqual(guest.ran, [(0, 100)])

    def test_an_example_without_a_result_fails(self):
        self.assertEqual(self.run_with(Guest(silent=17)), 1)
        self.assertEqual(fuzz.State.load().failed, [[17, "no result up to 17"]])

    def test_a_bad_boot_is_not_forgotten(self):
        odd = types.SimpleNamespace(text=lambda: ["append"])
        bad = unittest.mock.patch.object(fuzz.odd_boots, "run_one", lambda k, boot, seed, n: (["odd"] * (n == 1), None, odd))
        dies = unittest.mock.patch.object(fuzz, "run_hits", unittest.mock.Mock(side_effect=KeyboardInterrupt))
        with bad, dies, unittest.mock.patch.object(fuzz, "keep"):
            self.assertRaises(KeyboardInterrupt, self.run_with, Guest(), boots=3, hits=10)
        with unittest.mock.patch.object(fuzz, "run_hits", lambda *_: ""):
            self.assertEqual(self.run_with(Guest(), seed=None, first=None, count=None, hits=None), 1)
        self.assertTrue(self.lines[-1].endswith("again with: make fuzz SEED=5 FROM=1 COUNT=0 BOOTS=1 HITS=0"), self.lines[-1])

    def test_what_a_guest_says(self):
        seen, job = [], types.SimpleNamespace(timeout=0)
        listener = fuzz.Listener(job, lambda *a: seen.append(a))
        listener.sink(b"1 refused\n2 hit leaves an event\n3")
        self.assertEqual(seen, [(1, "refused", ""), (2, "hit", "leaves an event")])
        self.assertEqual(listener.begun, 3)
        listener.sink(b" no map: ENOMEM refused\n")
        self.assertEqual(seen.pop(), (3, fuzz.NOTHING, "the guest says: 3 no map: ENOMEM refused"))
        listener.sink(b"3 accepted\nlost 4\n")
        self.assertEqual((seen[-1], listener.begun, listener.lost), ((3, "accepted", ""), None, 4))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0
"""Guests of suites, and their tests and options."""
import os
import struct
import tempfile
import unittest
import unittest.mock

import check
import guest
import kbuild
import suites
from common import Failure
from guests import Boot
from results import Expected


class Kernel:
    def __init__(self, stock=False):
        self.stock = stock


class Choosing(unittest.TestCase):
    def test_dealt_so_that_all_are_run_once(self):
        self.assertEqual(suites.deal(list("abcde"), 2), [list("ace"), list("bd")])
        self.assertEqual(suites.deal(["a"], 2), [["a"]])
        self.assertEqual(suites.deal([], 2), [])

    def test_some_are_left_out(self):
        expected = Expected("leave-out s: a.tc -- takes long\nnot-on-stock s: b.tc -- dies of it\n")
        names = ["a.tc", "b.tc", "c.tc"]
        self.assertEqual(suites.listed("s", Kernel(), names, expected), ["b.tc", "c.tc"])
        self.assertEqual(suites.listed("s", Kernel(stock=True), names, expected), ["c.tc"])
        self.assertEqual(suites.listed("t", Kernel(), names, expected), names)

    def test_only_some(self):
        self.assertEqual(suites.chosen(["a.sh", "b.sh"], []), ["a.sh", "b.sh"])
        self.assertEqual(suites.chosen(["a.sh", "b.sh"], ["b"]), ["b.sh"])

    def test_none_is_a_failure(self):
        suite = suites.Suite("", "own", lambda want: [])
        for only, why in ((["typo"], "named like typo"), ([], "no test")):
            ctx = unittest.mock.Mock(only=only)
            self.assertRaisesRegex(Failure, why, check.run_suite, ctx, "s", suite, unittest.mock.Mock())


class OurKUnit(unittest.TestCase):
    def missing(self, ran, append="", arch="x86_64", profile=None, script="kunit.sh", stock=False):
        boot = Boot("s", "s", script, job={"append": f"kunit.enable=1 {append}"})
        k = kbuild.Kernel(arch, profile, stock)
        return suites.kunit_missing(k, boot, {f"{n}.case": ("pass", "") for n in ran})

    def test_suites_of_an_architecture(self):
        both = set(suites.our_kunit("x86")) & set(suites.our_kunit("arm64"))
        self.assertIn("kprobes_table", both)
        self.assertIn("kprobes_x86_insn", set(suites.our_kunit("x86")) - both)
        self.assertIn("kprobes_arm64_decode", set(suites.our_kunit("arm64")) - both)

    def test_a_suite_that_does_not_run_is_missed(self):
        usual = set(suites.our_kunit("x86")) - set(suites.PROFILE_KUNIT)
        self.assertEqual(self.missing(usual), [])
        self.assertEqual(self.missing(usual - {"kprobes_table", "rethook"}), ["kprobes_table", "rethook"])
        self.assertEqual(self.missing(usual - {"rethook"}, "kunit.filter_glob=kprobes_*"), [])
        self.assertEqual(self.missing([], "kunit.filter_glob=rethook"), ["rethook"])
        self.assertEqual(self.missing(usual, profile="debug"), ["kprobes_delays"])
        self.assertEqual(self.missing(usual, profile="kcsan"), ["kprobes_kcsan"])

    def test_suites_that_an_architecture_lacks(self):
        usual = set(suites.our_kunit("arm64")) - set(suites.PROFILE_KUNIT)
        self.assertEqual(self.missing(usual - set(suites.ARCH_KUNIT), arch="arm64"), [])

    def test_guests_that_need_not_run_them(self):
        self.assertEqual(self.missing([], stock=True), [])
        self.assertEqual(self.missing([], script="selftest.sh"), [])


class Boots(unittest.TestCase):
    def test_every_test_with_a_boot_of_its_own_is_there(self):
        for name in suites.OWN_BOOT:
            self.assertTrue(os.path.exists(os.path.join(suites.OURS, name)), name)

    def test_what_is_in_a_file_beside_it(self):
        told = suites.own_boot("boot_bad_events.sh", suites.OURS)
        self.assertRegex(told["append"], "^kprobe_event=p:booted/first,.*[^\n]$")
        self.assertIn("ftrace.event.kprobes", suites.own_boot("bootconfig.sh", suites.OURS)["bootconfig"])

    def test_boot_configuration_behind_an_initrd(self):
        with tempfile.NamedTemporaryFile() as f:
            f.write(b"initrd.")
            f.flush()
            guest.add_bootconfig(f.name, "a = 1\n")
            with open(f.name, "rb") as whole:
                data = whole.read()
        self.assertEqual(len(data) % 4, 0)
        self.assertTrue(data.endswith(b"#BOOTCONFIG\n"))
        size, checksum = struct.unpack("<II", data[-20:-12])
        conf = data[-20 - size:-20]
        self.assertTrue(conf.startswith(b"a = 1\n\0"))
        self.assertEqual(sum(conf), checksum)


class Races(unittest.TestCase):
    def test_only_those_of_others_are_passed_over(self):
        expect = suites.races_of_others({"site_run", "hit.part.0"})

        def counts(text):
            return bool(guest.splats(f"[    1.0] {text}\n", expect))

        self.assertTrue(counts("BUG: KCSAN: data-race in site_run / tick_sched"))
        self.assertTrue(counts("BUG: KCSAN: data-race in tick_sched / hit.part.0"))
        self.assertTrue(counts("BUG: KCSAN: data-race in tick_sched / site_run"))
        self.assertTrue(counts("BUG: KCSAN: data-race in site_run+0x13/0x20"))
        self.assertTrue(counts("BUG: KCSAN: assert: race in site_run / site_run"))
        self.assertTrue(counts("BUG: kernel NULL pointer dereference"))
        self.assertFalse(counts("BUG: KCSAN: data-race in tick_sched / tick_nohz"))
        self.assertFalse(counts("BUG: KCSAN: data-race in site_runner / my_site_run"))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0
"""What a guest of the campaign says is understood, and a sample that is not as the report says is seen."""
import array
import os
import re
import tempfile
import unittest
from unittest import mock

import campaign
import campaign_report

BASE = 0xffffffff81000000
MARK = "on the hit path of probes: NOKPROBE_SYMBOL()"
ENDBR = "ENDBR: indirect branches to a breakpoint fault"
MIDDLE = "inside an instruction"
VERSION = "6.12.1"

LINES = f"""refusal 10 22
why {BASE + 0x10:x} get_kprobe+0x0/0x40: -EINVAL: {MARK}
refusal 20 84
why {BASE + 0x20:x} vfs_read+0x2/0x360: -EILSEQ: inside an instruction; boundaries at +0x0, +0x4
refusal 30 22
why {BASE + 0x30:x} f [m]+0x2/0x3: -22: {ENDBR} (3 times)
why {BASE + 0x99:x} other+0x0/0x1: -EINVAL: of an earlier chunk
round jump
probed 7
jumps 5
ftrace 1
trap 44
odds 0
"""


def chunk(lines, name="s0", size=10, rounds=("jump",)):
    task = campaign.Task(name, array.array("I", range(size)), list(rounds), 0)
    c = campaign.Chunk(task, BASE)
    for line in lines.splitlines():
        c.take(line.split())
    c.ended = True
    return c


class Told(unittest.TestCase):
    def test_each_refusal_has_the_kernels_reason(self):
        self.assertEqual(chunk(LINES).why_refused(), {
            0x10: ("EINVAL", MARK), 0x20: ("EILSEQ", MIDDLE), 0x30: ("EINVAL", ENDBR)})

    def test_figures(self):
        f = chunk(LINES).figures()
        self.assertEqual((f["probed"], f["refused"]), (7, {"EINVAL": 2, "EILSEQ": 1}))
        self.assertEqual((f["jumps"], f["ftrace"], f["traps"], f["post_traps"]), (5, 1, [0x44], []))

    def test_a_round_without_a_result_fails(self):
        said = "round post\nposts 5\nhits 5\nodds 0\nround plain\nstatus 0\n"
        self.assertEqual(chunk(said, rounds=("post", "plain")).complaints(), ["plain: no result"])
        self.assertEqual(chunk(said + "odds 0", rounds=("post", "plain")).complaints(), [])

    def test_a_round_that_did_not_run_fails(self):
        bad = chunk(LINES, rounds=("post", "jump")).complaints()
        self.assertEqual(bad, ["rounds are missing: jump of post jump"])

    def test_post_handlers_have_to_run(self):
        for name, posts, fine in (("post", 980, False), ("post-jump", 0, False), ("post", 990, True), ("jump", 0, True)):
            r = chunk(f"round {name}\nhits 1000\nposts {posts}\nodds 0", rounds=(name,))
            self.assertEqual(r.complaints() == [], fine, f"{name} {posts}")

    def test_a_workload_that_fails_by_itself_fails(self):
        done = []
        listener = campaign.Listener(mock.Mock(), [campaign.Task("t0", array.array("I"), [], 0)], done.append)
        listener.sink(b"unmet fork : failed\nstext ffffffff81000000\nbegin t0\nend t0\n")
        self.assertEqual(done[0].complaints(), ["fails without probes, too: fork : failed"])
        listener = campaign.Listener(mock.Mock(), [campaign.Task("t0", array.array("I"), [], 0)], done.append, ("fork",))
        listener.sink(b"unmet fork : failed\nstext ffffffff81000000\nbegin t0\nend t0\n")
        self.assertEqual(done[1].complaints(), [])

    def test_chunks_that_are_only_tried(self):
        c = chunk("refusal 10 22", "t0", rounds=())
        self.assertEqual((c.complaints(), c.figures()["probed"]), ([], 9))
        self.assertIn("IDLE=y", campaign.settings([campaign.Task("t0", array.array("I"), [], 0)]))
        self.assertIn("IDLE=\n", campaign.settings([campaign.Task("s0", array.array("I"), ["jump"], 0)]))


def figures(refused, probed=4000, entries=40, traps=12, post_traps=60):
    """Of a chunk. refused: {reason: how many}"""
    why = {}
    for reason, n in refused.items():
        why.update({len(why) + i: ("EINVAL", reason) for i in range(n)})
    return {"probed": probed, "why": why, "tried": probed, "ftrace": entries, "hit": 0, "hits": 0, "missed": 0,
            "traps": list(range(traps)), "post_traps": list(range(post_traps))}


class Chunks(unittest.TestCase):
    def test_a_guest_gets_chunks_of_one_kind(self):
        queue = campaign.Queue(["t0", "t1", "t2", "t3", "t4", "t5", "s1", "s2", "s3", "s4", "s5", "r0"])
        self.assertEqual(queue.take(), ["t0", "t1", "t2", "t3", "t4", "t5"])
        self.assertEqual(queue.take(), ["s1", "s2", "s3", "s4"])
        queue.put_back(["s3", "s4"])
        self.assertEqual(queue.take(), ["s3", "s4", "s5"])
        self.assertEqual(queue.take(), ["r0"])
        self.assertEqual(queue.take(), [])

    def test_how_the_kernel_is_preempted(self):
        jobs, kernel = [], mock.Mock(**{"arch.name": "x86_64"})

        def boot(_k, job, _sink):
            jobs.append(job)
            return mock.Mock(fault=None, code=0)

        with tempfile.TemporaryDirectory() as tools:
            for name in (campaign.MODULE + ".ko", "workload"):
                open(os.path.join(tools, name), "w").close()
            for name in ("s0", "r0"):
                campaign.run_guest(kernel, tools, [campaign.Task(name, array.array("I"), [], 0)], [].append, boot=boot)
        self.assertEqual([re.findall(r"preempt=\w+", j.append) for j in jobs], [["preempt=voluntary"], ["preempt=full"]])

    def test_functions_of_a_module(self):
        listed = ("0000000000000000 l    d  .text\t0000000000000000 .text\n"
                  "0000000000000000 l     F .text\t0000000000000010 __pfx_f\n"
                  "0000000000000010 g     F .text\t0000000000000023 f\n"
                  "0000000000000040 g     F .text\t0000000000000005 .hidden g\n")
        with mock.patch("subprocess.run", return_value=mock.Mock(stdout=listed)):
            self.assertEqual(campaign.module_functions("m.ko"), [(0x10, 0x33), (0x40, 0x45)])


class Progress:
    def __init__(self, done):
        self.done, self.failed = done, {}


class Text:
    words = range(40000)

    def names(self, kind):
        return [f"{kind}{i}" for i in range(10)]

    def wanted(self, kind):
        return len(self.names(kind))


@mock.patch("campaign_report.base_version", lambda: VERSION)
class Compared(unittest.TestCase):
    def setUp(self):
        done = {f"s{i}": figures({MARK: 60, ENDBR: 30}) for i in range(10)}
        done["r0"] = figures({"generated code": 1})
        self.report = {"base": VERSION, **campaign_report.make(Text(), Progress(done))}

    def of(self, **chunks):
        return campaign_report.differences(self.report, chunks)

    def test_the_report(self):
        self.assertEqual(self.report["refused"], {ENDBR: {"EINVAL": 300}, MARK: {"EINVAL": 600}})
        self.assertEqual((self.report["tried"], self.report["blacklisted"]), (40900, 600))
        self.assertEqual(self.report["can be probed, of what is not blacklisted, percent"],
                         campaign_report.share(40000, 40300))
        self.assertEqual(self.report["spread: jumps"],
                         {"probes": 39600, "breakpoints": 120, "jumps, percent": campaign_report.share(39480, 39600)})
        self.assertEqual(self.report["chunks done, of"]["s"], [10, 10])

    def test_modules_are_apart(self):
        done = {"m0": figures({MARK: 5}, probed=95), "m1": figures({}, probed=7), "t0": figures({MARK: 1})}
        report = campaign_report.make(Text(), Progress(done))
        self.assertEqual((report["modules: probed"], report["modules: refused"]), (102, {MARK: {"EINVAL": 5}}))
        self.assertEqual(report["refused"], {MARK: {"EINVAL": 1}})

    def test_what_is_tried_counts_when_all_of_it_is(self):
        done = {f"t{i}": figures({MARK: 1}) for i in range(9)}
        done["s0"] = figures({MARK: 60})
        self.assertEqual(campaign_report.make(Text(), Progress(done))["refused"], {MARK: {"EINVAL": 69}})
        done["t9"] = figures({MARK: 1})
        self.assertEqual(campaign_report.make(Text(), Progress(done))["refused"], {MARK: {"EINVAL": 10}})

    def test_a_sample_like_it(self):
        like = figures({MARK: 62, ENDBR: 28})
        self.assertEqual(self.of(s1=like, s2=like, r0=figures({})), [])

    def test_a_reason_that_it_does_not_have(self):
        bad = self.of(s1=figures({MARK: 60, ENDBR: 30}), r0=figures({"phase of the moon": 4}))
        self.assertEqual(bad, ["instructions are refused for a reason that the report lacks: phase of the moon"])

    def test_a_rare_reason_that_it_does_not_have(self):
        bad = self.of(s1=figures({MARK: 60, ENDBR: 30}), r0=figures({"phase of the moon": 3}))
        self.assertEqual(bad, [])

    def test_a_refusal_without_a_reason(self):
        self.report["refused"][campaign_report.NO_REASON] = {"EINVAL": 1}
        bad = self.of(s1=figures({MARK: 60, ENDBR: 30, "": 1}))
        self.assertEqual(bad, ["instructions are refused for a reason that the report lacks: (no reason)"])

    def test_more_or_less_of_a_reason(self):
        # 60 are expected, 4 * sqrt(60) + 6 more or less.
        self.assertEqual(self.of(s1=figures({MARK: 96, ENDBR: 30})), [])
        self.assertTrue(self.of(s1=figures({MARK: 98, ENDBR: 30})))
        self.assertTrue(self.of(s1=figures({MARK: 22, ENDBR: 30})))
        self.assertTrue(self.of(s1=figures({MARK: 60})))

    def test_more_or_fewer_jumps(self):
        # 12 are expected, 4 * sqrt(12) + 1 more or less.
        same = {MARK: 60, ENDBR: 30}
        self.assertEqual(self.of(s1=figures(same, traps=26)), [])
        self.assertEqual(len(self.of(s1=figures(same, traps=28))), 1)
        self.assertEqual(len(self.of(s1=figures(same, post_traps=97))), 1)
        self.assertEqual(len(self.of(s1=figures(same, post_traps=20))), 1)

    def test_neighbours_have_other_shares(self):
        like = figures({MARK: 60, ENDBR: 30})
        self.assertEqual(self.of(s1=like, r0=figures({MARK: 2000}, traps=2000)), [])

    def test_another_base(self):
        self.report["base"] = "6.12.0"
        self.assertEqual(len(self.of(s1=figures({MARK: 60, ENDBR: 30}))), 1)


class Kinds(unittest.TestCase):
    def test_an_instruction(self):
        self.assertEqual(campaign_report.kind_of(1, "push   %rbp"), "1 byte: push")
        self.assertEqual(campaign_report.kind_of(4, "lock xadd %eax,(%rbx)"), "4 bytes: xadd")

    def test_those_with_most(self):
        kinds = campaign_report.by_count(campaign_report.collections.Counter({str(i): 100 - i for i in range(32)}))
        self.assertEqual((len(kinds), kinds["0"], kinds["others"]), (31, 100, 70 + 69))


if __name__ == "__main__":
    unittest.main()

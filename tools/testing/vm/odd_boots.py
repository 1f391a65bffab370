# SPDX-License-Identifier: GPL-2.0
"""Boot with odd and broken events of kprobe_event= and of boot configurations; part of `make fuzz`.

A seed and a number give a boot. The guest lists the events that exist, removes them, writes the same
commands to kprobe_events, and lists again. Both lists have to be equal. Valid events among broken ones
have to exist, and broken ones must not, whatever the runtime interface says.

Some texts fill the command line, or are longer. What is cut off is not there, and what is left of the
command at the cut does what it does at run time. Of several kprobe_event= the last one counts.

Texts have no "#": it begins a comment in kprobe_events, and has no meaning on the command line.
"""
from __future__ import annotations

import os
import random
import re
import tempfile
from typing import Callable, TYPE_CHECKING

import guest

if TYPE_CHECKING:
    from guest import Result
    from kbuild import Kernel

LIMIT = 300             # seconds for a guest
LINE = 2047             # characters of the command line: COMMAND_LINE_SIZE of x86-64 and arm64, without the zero
ROOM = 1850             # those that the harness leaves, about
LONGEST = 1400          # characters of kprobe_event=, if it does not fill the command line
PAST = (-1, 0, 1, 2, 10, 40)        # how far a text goes past the end of the command line, at least
# Kernels of these cut the command line. x86's boot protocol leaves it to the boot loader; its kernel,
# stock included, does not boot with a longer one.
CUTTING = ("arm64",)
TOO_LONG = 256          # characters of a command of a boot configuration, MAX_BUF_LEN of trace_boot.c
APPEND = "loglevel=5"

SCRIPT = """#!/bin/sh
events=/sys/kernel/tracing/kprobe_events
all() {
	sed "s/^/$1 /" $events
}
echo "length $(wc -c < /proc/cmdline)"
all boot
while read -r head place; do
	name=${head#*:}
	[ "$(cat /sys/kernel/tracing/events/$name/enable)" = 1 ] || echo "off $name"
done < $events
echo 0 > /sys/kernel/tracing/events/enable
echo > $events || echo "stays"
all left
# An empty line begins a group. What comes after an error in a group is skipped.
bad=0
while IFS= read -r line; do
	[ -n "$line" ] || { bad=0; continue; }
	[ $bad = 1 ] || printf '%s' "$line" >> $events 2> /dev/null || bad=1
done < /mnt/reference
all reference
echo > $events || echo "stays"
[ -s /sys/kernel/debug/kprobes/list ] && echo "stays in kprobes/list"
exit 0
"""

FUNCTIONS = ("vfs_read", "vfs_write", "vfs_open", "do_filp_open", "kernel_clone", "vfs_statx")
ARGUMENTS = ("", "", ",$arg1", ",n=$arg3:u64", ",$stack0:x64,$comm", ",a=+0($arg1):x8[4]",
             ",c=\\\"text\\\"", ",i=\\42")
# {} is a name that no event may have.
BROKEN = (
    "p:booted/{},no_such_function", "p:booted/{},vfs_read+1", "p:booted/1{},vfs_read", "p:booted/{}-x,vfs_read",
    "p:booted/{}/x,vfs_read", "p:booted/{}", "p:booted/{},", "p:booted/{},,", "r:booted/{},vfs_read+8",
    "p:booted/{},vfs_read,%%", "p:booted/{},vfs_read,a=%zz", "p:booted/{},vfs_read,a=", "p:booted/{},vfs_read,+0(",
    "p:booted/{},vfs_read,a=$arg1,a=$arg1", "p:booted/{},vfs_read,$retval", "p:booted/{},vfs_read,$nosuch",
    "r5x:booted/{},vfs_read", "p5:booted/{},vfs_read", "p:booted/{},nosuchmod:nosuch+x", "f:booted/{},vfs_read",
    "t:booted/{},sched_switch", "e:booted/{},sched/sched_switch", "x:booted/{},vfs_read", "p:booted/{},jiffies",
    "p:booted/{},get_kprobe", "p:booted/{}" + "x" * 64 + ",vfs_read", "p:booted/{},vfs_read," + "a" * 40 + "=$arg1",
    # Too many arguments.
    "p:booted/{},vfs_read" + "".join(f",{a}{b}=$arg1" for a in "abcdefghijkl" for b in "abcdefghijkl"),
    "p:booted/{},vfs_read,a=$arg1:u7", "p:booted/{},vfs_read,a=$arg1:b9@0/8", "p:booted/{},vfs_read,a=$arg1:u8[65]",
)
NOTHING = ("", "", ",", ",,,", "p", "p:", "r:,", "-", "-:", "-:nosuch", "garbage", ":", "=", "p:p:p", "%", "\\",
           "\"\"", "'", "!", "*", "/", "\xe9")
PIECES = (",", ":", "=", "$", "(", ")", "+0(", "[", "]", "@", "%", "\\", "x", "0", "-", "/", "p", "$arg1", "vfs_read",
          "\x7f", "\xe9", "'", ".", "!")
# Probes of boot configurations.
BROKEN_PROBES = ("no_such_function", "vfs_read a=", "vfs_read $nosuch", "vfs_read a=%zz", "vfs_read+1", "", " ",
                 "jiffies", "get_kprobe", "vfs_read $arg1:u7", "p:x vfs_read", "vfs_read " + "a=$arg1" * 60)
BROKEN_SYNTAX = ("ftrace {", "}", "ftrace.event.kprobes.x.probes = 'vfs_read", "= 1", "a.b. = 1\n", "\x01",
                 "ftrace.event.kprobes.\xfc.probes = vfs_read\n")


class OddBoot:
    """A boot: its kernel parameter, its boot configuration, and what is known of their events."""

    def __init__(self, seed: int, number: int, room: int = ROOM) -> None:
        """room: for what is behind the arguments of the harness"""
        self.rand = random.Random(f"{seed} {number}")
        self.good: list[str] = []           # events that have to exist
        self.bad: list[str] = []            # events that must not
        self.groups: list[list[str]] = []   # commands as for kprobe_events; an error ends its group
        self.names = 0
        self.config = self.configuration()
        # The last one decides.
        self.before = f"{APPEND}{' bootconfig' if self.config else ''} "
        self.before += self.earlier() if number % 3 == 2 else ""
        self.before += self.word()
        self.room = room - len(self.before)
        self.events = self.filling() if number % 3 == 1 or self.is_so(10) else self.parameter()
        self.full = len(self.events.encode()) >= self.room
        self.groups += [[c.replace(",", " ")] for c in taken(self.events[:self.room]).split(";")]

    def name(self) -> str:
        self.names += 1
        return f"e{self.names}"

    def is_so(self, percent: int) -> bool:
        return self.rand.randrange(100) < percent

    # kprobe_event=

    def command(self) -> list[str]:
        """One command of kprobe_event=, or some that belong together."""
        name, function = self.name(), self.rand.choice(FUNCTIONS)
        good = f"{self.rand.choice('pppr')}:booted/{name},{function}{self.rand.choice(ARGUMENTS)}"
        way = self.rand.randrange(100)
        if way < 35:
            self.good.append(f"booted/{name}")
            return [good]
        if way < 65:
            self.bad.append(f"booted/{name}")
            return [self.rand.choice(BROKEN).format(name)]
        if way < 80:
            return [self.rand.choice(NOTHING)]
        if way < 85:
            self.bad.append(f"booted/{name}")
            return [good, f"-:booted/{name}"]
        if way < 90:
            self.good.append(f"booted/{name}")
            return [good, good]
        return [self.spoiled(good)]

    def spoiled(self, text: str) -> str:
        """Random changes. The name is another one, because the event may exist or not."""
        text = text.replace("booted/", "odd/")
        for _ in range(self.rand.randrange(1, 5)):
            at = self.rand.randrange(len(text))
            text = text[:at] + self.rand.choice(PIECES) + text[at + self.rand.randrange(2):]
        return text.replace(";", "")

    def parameter(self) -> str:
        """The value of kprobe_event=."""
        many = self.rand.choice((0, 1, 3, 8, 20, 60))
        commands: list[str] = []
        for _ in range(many):
            good, bad = len(self.good), len(self.bad)
            more = self.command()
            if len(";".join(commands + more).encode()) > min(LONGEST, self.room - 10):
                del self.good[good:], self.bad[bad:]
                break
            commands += more
        return ";".join(commands)

    def filling(self) -> str:
        """A value with which the command line is full, or almost. It is ASCII, so that each byte is a character."""
        wanted, text = self.room + self.rand.choice(PAST), ""
        end = min(wanted, self.room)
        while len(text) <= wanted:
            good, bad = len(self.good), len(self.bad)
            text += ";" * bool(text) + ";".join(self.command()).replace("\xe9", "e")
            if len(text) > end:
                # Only the list at run time tells what the rest of these commands does.
                del self.good[good:], self.bad[bad:]
        # What is removed at the cut need not be what was meant.
        last = text[:end].rpartition(";")[2]
        self.good = [n for n in self.good if last not in (f"-:{n}", "-:booted/")]
        return text if wanted > self.room else text[:wanted]

    def word(self) -> str:
        # To the kernel "-" and "_" are the same in names of parameters.
        return self.rand.choice(("kprobe_event=", "kprobe_event=", "kprobe-event="))

    def earlier(self) -> str:
        """Parameters that have no effect, because another one follows."""
        text = ""
        for _ in range(self.rand.randrange(1, 4)):
            commands = [f"p:booted/{self.name()},vfs_read", *self.command()]
            # A quote without another one would stand for the rest of the command line.
            value = ";".join(c for c in commands if c.count('"') % 2 == 0 and c.isascii())
            if len(text) + len(value) < LONGEST // 2:
                text += f"{self.word()}{value} "
        names = re.findall(r"booted/(e\d+)", text)
        self.bad += [f"booted/{n}" for n in names]
        self.good = [n for n in self.good if not n.startswith("booted/")]
        return text

    # Boot configuration

    def probe(self, function: str) -> str:
        what = f"{function}{self.rand.choice(('', '', '%return'))}"
        return what + self.rand.choice(("", " $arg1" if "%" not in what else " $retval", " $comm", " $stack0:x64"))

    def event(self) -> str:
        """The block of one event."""
        name, way = "c" + self.name(), self.rand.randrange(100)
        function = self.rand.choice(FUNCTIONS)
        probes = [f"{function} a=$arg1"]
        if way < 40:
            probes = [self.probe(function)]
        elif way < 55:
            probes = [f"{f} a=$arg1" for f in self.rand.sample(FUNCTIONS, 3)]
        elif way < 65:
            # The first one exists, and none after the error.
            probes += ["no_such_function a=$arg1", "vfs_fsync_range a=$arg1"]
        elif way < 90:
            probes = [self.rand.choice(BROKEN_PROBES)]
            self.bad.append(f"kprobes/{name}")
        else:
            probes = []
            self.bad.append(f"kprobes/{name}")
        if way < 65:
            self.good.append(f"kprobes/{name}")
        self.groups.append([generated(name, p) for p in probes if len(generated(name, p)) < TOO_LONG])
        lines = [f"probes = {', '.join(map(quoted, probes))}"] if probes else []
        more = ("enable", f"filter = '{self.rand.choice(('common_pid > 0', 'nosuch('))}'", "actions = 'nosuch'",
                "nosuch = 1", "hist.keys = nosuch", "enable_")
        lines += self.rand.sample(more, self.rand.randrange(3))
        return "ftrace.event.kprobes.%s {\n\t%s\n}\n" % (name, "\n\t".join(lines))

    def configuration(self) -> str:
        """A boot configuration; "" for none. If its syntax is wrong, none of its events may exist."""
        good, groups = len(self.good), len(self.groups)
        text = "".join(self.event() for _ in range(self.rand.choice((0, 1, 4, 12, 40))))
        if text and self.is_so(20):
            text += self.rand.choice(BROKEN_SYNTAX)
            self.bad += self.good[good:]
            del self.good[good:], self.groups[groups:]
        return text

    def job(self, script: str, share: str, cutting: bool) -> guest.Job:
        """cutting: the kernel cuts the command line"""
        # The parameter is last, because a quote may stand for the rest of the command line.
        append = self.before + (self.events if cutting else self.events[:self.room])
        return guest.Job(script=script, share=share, timeout=LIMIT, append=append, bootconfig=self.config or None)

    def reference(self) -> str:
        """What the guest writes to kprobe_events."""
        return "".join("\n" + "".join(c + "\n" for c in group) for group in self.groups)

    def wrong(self, out: str) -> list[str]:
        """What is wrong with the output of SCRIPT."""
        found: dict[str, list[str]] = {"boot": [], "reference": [], "left": [], "length": []}
        odd = []
        for line in out.splitlines():
            word, _, rest = line.partition(" ")
            if word in found:
                found[word].append(rest)
            elif line != "off " + rest or rest in self.good and rest.startswith("booted/"):
                odd.append(line)
        if self.full and found["length"] != [str(LINE + 1)]:
            odd.append(f"the command line has {found['length']} characters")
        names = {re.split("[: ]", l)[1] for l in found["boot"]}
        odd += [f"{n} is missing" for n in self.good if n not in names]
        odd += [f"{n} exists" for n in self.bad if n in names]
        odd += [f"only at boot: {l}" for l in sorted(set(found["boot"]) - set(found["reference"]))]
        odd += [f"not at boot: {l}" for l in sorted(set(found["reference"]) - set(found["boot"]))]
        return odd + [f"stays: {l}" for l in found["left"]]

    def text(self) -> list[str]:
        """The boot, for a report."""
        at = f"cut after {self.room} characters: " if self.full else ""
        return [f"{at}{self.before}{self.events}"] + self.config.splitlines()


def generated(name: str, probe: str) -> str:
    """The command that trace_boot.c makes of one of the probes of an event."""
    return f"p:kprobes/{name} {probe}"


def quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


def taken(value: str) -> str:
    """What the kernel takes for the value of a parameter: that between quotes."""
    return value[1:].removesuffix('"') if value.startswith('"') else value


def room_of(k: Kernel) -> int:
    """How many characters of the command line a job's arguments can have."""
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        words = guest.command(k, guest.Job(), tmp)
    return LINE - len(words[words.index("-append") + 1].encode())


def run_one(k: Kernel, boot: Callable, seed: int, number: int) -> tuple[list[str], Result, OddBoot]:
    """Boot once. Returns what is wrong, the result of the guest, and the boot."""
    odd = OddBoot(seed, number, room_of(k))
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        script = os.path.join(tmp, "script")
        for name, text in (("script", SCRIPT), ("reference", odd.reference())):
            with open(os.path.join(tmp, name), "w") as f:
                f.write(text)
        res = boot(k, odd.job(script, tmp, k.arch.name in CUTTING))
    wrong = [res.fault] if res.fault else odd.wrong(res.out.decode(errors="replace"))
    if res.code and not res.fault:
        wrong.append(f"the script ends with status {res.code}")
    return wrong, res, odd

# SPDX-License-Identifier: GPL-2.0
"""Run litmus tests in the form of tools/memory-model by the kernel's memory model.

Debian 12 does not have herd7. This module supports the part that our tests need: marked accesses,
fences, RCU and atomic exchanges, but no loops, plain accesses or locks. It enumerates all executions,
and applies the axioms of linux-kernel.cat; relations have the names that they have there. It also
runs those of the kernel's tests that it supports, and compares their results.
"""
from __future__ import annotations

import glob
import itertools
import os
import re
from typing import Any, Iterable, Iterator

import tree
from common import TOP, Failure, lock

OURS = "kernel/kprobes/litmus"
OF_THE_BASE = ("tools/memory-model/litmus-tests", "Documentation/litmus-tests/*")
# At least that many of these tests are supported.
READABLE = 25

TOKEN = re.compile(r"\s*(?:(\w+)|(==|!=|&&|\|\||[-+*&!(){};,=<>]))")

# {macro: mark of its event}
READS = {"READ_ONCE": "once", "rcu_dereference": "once", "smp_load_acquire": "acquire"}
WRITES = {"WRITE_ONCE": "once", "rcu_assign_pointer": "release", "smp_store_release": "release"}
FENCES = {"smp_mb": "mb", "smp_rmb": "rmb", "smp_wmb": "wmb", "rcu_read_lock": "lock", "rcu_read_unlock": "unlock",
          "synchronize_rcu": "gp", "barrier": "barrier"}
# These take a pointer; the others take the variable itself.
BY_POINTER = ("smp_load_acquire", "smp_store_release")
ATOMICS = ("xchg", "cmpxchg")
STRENGTHS = ("", "_relaxed", "_acquire", "_release")


class Test:
    """A test: its threads, initial values, and the result that must not happen."""

    def __init__(self, text: str) -> None:
        text = re.sub(r"//[^\n]*", "", text)
        m = re.search(r"Result: *(\w+)", text)
        self.result = m.group(1) if m else None
        text = re.sub(r"\(\*\s.*?\*\)", "", text, flags=re.S)
        m = re.match(r"\s*C\s+(\S+)[^{]*\{(.*?)\}(.*)", text, re.S)
        if not m:
            raise Failure("a litmus test starts with C, its name, and {}")
        self.name, init, rest = m.groups()
        self.init: dict = dict(self.initial(t) for t in init.split(";") if "=" in t)
        self.threads = [(re.findall(r"(\w+)\s*(?:,|$)", args), body) for args, body in
                        ((a, self.body(rest, end)) for a, end in
                         ((m.group(1), m.end()) for m in re.finditer(r"P\d+\s*\(([^)]*)\)\s*\{", rest)))]
        m = re.search(r"\bexists\b(.*)", rest, re.S)
        if not m or not self.threads:
            raise Failure(f"{self.name}: no threads, or no \"exists\"")
        self.condition = self.to_python(m.group(1))

    @staticmethod
    def initial(text: str) -> tuple[str, int | str]:
        m = re.fullmatch(r".*?(\w+)\s*=\s*&?(\w+)", text.strip(), re.S)
        if not m:
            raise Failure(f"only numbers and names to start with, and not {text.strip()}")
        name, value = m.groups()
        return name, int(value) if value.isdigit() else value

    @staticmethod
    def body(text: str, start: int) -> str:
        """The text between a brace and the one that closes it."""
        depth = 1
        for i in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[i], 0)
            if not depth:
                return text[start:i]
        raise Failure("a brace is missing")

    @staticmethod
    def to_python(text: str) -> str:
        """The condition as an expression on regs[thread, name] and mem[name]."""
        def term(m: re.Match) -> str:
            thread, name, value = m.groups()
            what = f"regs[{thread}, '{name}']" if thread else f"mem['{name}']"
            return f"({what} == {value if value.lstrip('-').isdigit() else repr(value)})"

        text = re.sub(r"(?:(\d+):)?\b([a-zA-Z_]\w*)\s*=\s*&?(-?\w+)", term, text)
        return text.replace("/\\", " and ").replace("\\/", " or ").replace("~", " not ").strip()


class Parser:
    """The statements of a thread, as tuples."""

    def __init__(self, text: str) -> None:
        self.tokens = [a or b for a, b in TOKEN.findall(text)]
        if "".join(self.tokens) != re.sub(r"\s", "", text):
            raise Failure(f"what is this? {text}")

    def peek(self, n: int = 0) -> str | None:
        return self.tokens[n] if n < len(self.tokens) else None

    def take(self, want: str | None = None) -> str:
        t = self.tokens.pop(0)
        if want not in (None, t):
            raise Failure(f"{t} instead of {want}")
        return t

    def block(self) -> list:
        out = []
        while self.peek() not in (None, "}"):
            out += self.statement()
        return out

    def statement(self) -> list:
        if self.peek() == "{":
            self.take()
            out = self.block()
            self.take("}")
            return out
        if self.peek() == "if":
            self.take()
            self.take("(")
            cond = self.expr()
            self.take(")")
            yes, no = self.statement(), []
            if self.peek() == "else":
                self.take()
                no = self.statement()
            return [("if", cond, yes, no)]
        if self.peek() in ("int", "long", "unsigned", "struct"):
            return self.declaration()
        if self.peek(1) == "=":
            name = self.take()
            self.take("=")
            out = [("set", name, self.expr())]
        else:
            out = [("do", self.expr())]
        self.take(";")
        return out

    def declaration(self) -> list:
        """A type, stars, a name, and maybe a value."""
        while self.peek(1) not in (";", "="):
            self.take()
        if self.peek(1) == "=":
            return self.statement()
        self.take()
        self.take(";")
        return []

    LEVELS = (("||",), ("&&",), ("==", "!="), ("+", "-"))

    def expr(self, level: int = 0) -> tuple:
        if level == len(self.LEVELS):
            return self.unary()
        left = self.expr(level + 1)
        while self.peek() in self.LEVELS[level]:
            op = self.take()
            left = ("op", op, left, self.expr(level + 1))
        return left

    def unary(self) -> tuple:
        t = self.take()
        if t == "(":
            e = self.expr()
            self.take(")")
            return e
        if t == "!":
            return ("op", "==", self.unary(), ("int", 0))
        if t == "*":
            return ("deref", self.unary())
        if t == "&":
            return ("loc", self.take())
        if t.isdigit():
            return ("int", int(t))
        if self.peek() != "(":
            return ("name", t)
        self.take("(")
        args = []
        while self.peek() != ")":
            args.append(self.expr())
            if self.peek() == ",":
                self.take()
        self.take(")")
        return ("call", t, args)


class Event:
    def __init__(self, kind: str, tag: str, loc: Any | None = None, value: Any | None = None, addr: Any = (),
                 data: Any = (), ctrl: Any = (), rmw: bool = False) -> None:
        self.kind, self.tag, self.loc, self.value = kind, tag, loc, value
        # Reads of the same thread, as numbers in its order.
        self.addr, self.data, self.ctrl = frozenset(addr), frozenset(data), frozenset(ctrl)
        self.rmw = rmw          # a write of the same operation as the read before it


class Thread:
    """Runs a thread with each combination of values that its reads may return."""

    OPS = {"==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b), "+": lambda a, b: a + b,
           "-": lambda a, b: a - b, "&&": lambda a, b: int(bool(a and b)), "||": lambda a, b: int(bool(a or b))}

    def __init__(self, body: Any, domain: Any) -> None:
        self.code = Parser(body).block()
        self.domain = domain    # {location: values that a read may return}

    def runs(self) -> list:
        """[(events, registers)]"""
        return [(ev, {n: v for n, (v, _) in regs.items()}) for ev, regs, _ in self.run(self.code, (), {}, frozenset())]

    def run(self, code: Any, ev: Any, regs: dict, ctrl: Any) -> Iterator:
        if not code:
            yield ev, regs, ctrl
            return
        first, rest = code[0], code[1:]
        if first[0] == "if":
            for value, deps, ev2 in self.value(first[1], ev, regs, ctrl):
                branch = first[2] if value else first[3]
                for ev3, regs3, ctrl3 in self.run(branch, ev2, regs, ctrl | deps):
                    yield from self.run(rest, ev3, regs3, ctrl3)
            return
        for value, deps, ev2 in self.value(first[-1], ev, regs, ctrl):
            regs2 = {**regs, first[1]: (value, deps)} if first[0] == "set" else regs
            yield from self.run(rest, ev2, regs2, ctrl)

    def values(self, exprs: Any, ev: Any, regs: dict, ctrl: Any) -> Iterator:
        """The values of several expressions."""
        if not exprs:
            yield [], ev
            return
        for value, deps, ev2 in self.value(exprs[0], ev, regs, ctrl):
            for more, ev3 in self.values(exprs[1:], ev2, regs, ctrl):
                yield [(value, deps), *more], ev3

    def value(self, e: Any, ev: Any, regs: dict, ctrl: Any) -> Iterator:
        """(value, reads that it depends on, events)"""
        if e[0] == "int":
            yield e[1], frozenset(), ev
        elif e[0] == "loc":
            yield e[1], frozenset(), ev
        elif e[0] == "name":
            yield (*regs.get(e[1], (e[1], frozenset())), ev)
        elif e[0] == "op":
            for (a, b), ev2 in self.values(e[2:], ev, regs, ctrl):
                yield self.OPS[e[1]](a[0], b[0]), a[1] | b[1], ev2
        elif e[0] == "call":
            yield from self.call(e[1], e[2], ev, regs, ctrl)
        else:
            raise Failure("only marked accesses are known here")

    def call(self, name: str, args: Any, ev: Any, regs: dict, ctrl: Any) -> Iterator:
        if name in FENCES:
            yield 0, frozenset(), (*ev, Event("F", FENCES[name]))
            return
        stem = re.sub("_(relaxed|acquire|release)$", "", name)
        if name not in READS and name not in WRITES and stem not in ATOMICS:
            raise Failure(f"{name}() is not known here")
        pointer = args[0]
        if stem not in ATOMICS and name not in BY_POINTER:
            if pointer[0] != "deref":
                raise Failure(f"{name}() of what is not *pointer")
            pointer = pointer[1]
        for ((loc, addr), *more), ev2 in self.values([pointer, *args[1:]], ev, regs, ctrl):
            if loc not in self.domain:
                continue        # not a pointer to a variable
            if name in WRITES:
                value, data = more[0]
                yield 0, frozenset(), (*ev2, Event("W", WRITES[name], loc, value, addr, data, ctrl))
            elif name in READS:
                for value in self.domain[loc]:
                    yield value, frozenset([len(ev2)]), (*ev2, Event("R", READS[name], loc, value, addr, (), ctrl))
            else:
                yield from self.atomic(name, stem, (loc, addr), more, ev2, ctrl)

    def atomic(self, name: str, stem: str, place: Any, more: Any, ev: Any, ctrl: Any) -> Iterator:
        loc, addr = place
        strength = name[len(stem) + 1:] or "mb"
        new, data = more[-1]
        for old in self.domain[loc]:
            at = frozenset([len(ev) + (strength == "mb")])
            if stem == "cmpxchg" and old != more[0][0]:
                yield old, frozenset([len(ev)]), (*ev, Event("R", "once", loc, old, addr, (), ctrl))
                continue
            fence = (Event("F", "mb"),) if strength == "mb" else ()
            read = Event("R", "acquire" if strength == "acquire" else "once", loc, old, addr, (), ctrl)
            write = Event("W", "release" if strength == "release" else "once", loc, new, addr, data, ctrl, True)
            yield old, at, (*ev, *fence, read, write, *fence)


class Relation:
    """Pairs of events: for each first event, a mask of second events."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    @classmethod
    def of(cls, n: int, pairs: Iterable[tuple[int, int]]) -> Relation:
        rows = [0] * n
        for a, b in pairs:
            rows[a] |= 1 << b
        return cls(rows)

    def __or__(self, o: Relation) -> Relation:
        return Relation([a | b for a, b in zip(self.rows, o.rows)])

    def __and__(self, o: Relation) -> Relation:
        return Relation([a & b for a, b in zip(self.rows, o.rows)])

    def __matmul__(self, o: Relation) -> Relation:
        """Composition; ";" in cat."""
        out = []
        for row in self.rows:
            new, j = 0, 0
            while row:
                if row & 1:
                    new |= o.rows[j]
                row >>= 1
                j += 1
            out.append(new)
        return Relation(out)

    def maybe(self) -> Relation:
        return Relation([r | 1 << i for i, r in enumerate(self.rows)])

    def plus(self) -> Relation:
        rows = list(self.rows)
        for k in range(len(rows)):
            for i, row in enumerate(rows):
                if row >> k & 1:
                    rows[i] |= rows[k]
        return Relation(rows)

    def star(self) -> Relation:
        return self.plus().maybe()

    def inverse(self) -> Relation:
        n = len(self.rows)
        return Relation.of(n, [(b, a) for a in range(n) for b in range(n) if self.rows[a] >> b & 1])

    def irreflexive(self) -> bool:
        return not any(r >> i & 1 for i, r in enumerate(self.rows))

    def acyclic(self) -> bool:
        return self.plus().irreflexive()

    def empty(self) -> bool:
        return not any(self.rows)

    def without_id(self) -> Relation:
        return Relation([r & ~(1 << i) for i, r in enumerate(self.rows)])


class Candidate:
    """Events of one run of each thread, and relations that do not depend on reads-from."""

    def __init__(self, test: Any, locs: Any, runs: Any) -> None:
        self.events, self.thread, base = [], [], []
        self.regs = {(t, name): value for t, (_, regs) in enumerate(runs) for name, value in regs.items()}
        for loc in locs:
            self.events.append(Event("W", "once", loc, test.init.get(loc, 0)))
            self.thread.append(-1)
        for t, (ev, _) in enumerate(runs):
            base.append(len(self.events))
            self.events += ev
            self.thread += [t] * len(ev)
        self.n = n = len(self.events)
        self.base = base
        every = range(n)
        self.po = self.rel((a, b) for a in every for b in range(a + 1, n) if self.same_thread(a, b))
        self.internal = self.rel((a, b) for a in every for b in every if self.same_thread(a, b))
        self.external = self.rel((a, b) for a in every for b in every if not self.same_thread(a, b))
        self.po_loc = self.rel((a, b) for a in every for b in range(a + 1, n)
                               if self.same_thread(a, b) and self.events[a].loc and self.events[a].loc == self.events[b].loc)
        self.rmw = self.rel((i - 1, i) for i in every if self.events[i].rmw)
        self.addr, self.data, self.ctrl = (self.dependency(k) for k in ("addr", "data", "ctrl"))
        self.fences()

    def rel(self, pairs: Iterable[tuple[int, int]]) -> Relation:
        return Relation.of(self.n, pairs)

    def same_thread(self, a: int, b: int) -> bool:
        return self.thread[a] == self.thread[b] >= 0

    def only(self, test: Any) -> Relation:
        return self.rel((i, i) for i, e in enumerate(self.events) if test(e))

    def dependency(self, kind: str) -> Relation:
        return self.rel((self.base[self.thread[i]] + d, i) for i, e in enumerate(self.events) for d in getattr(e, kind))

    def fencerel(self, tag: str) -> Relation:
        return self.po @ self.only(lambda e: e.tag == tag) @ self.po

    def fences(self) -> None:
        access, read, write = self.only(lambda e: e.loc), self.only(lambda e: e.kind == "R"), self.only(lambda e: e.kind == "W")
        self.reads, self.writes = read, write
        acq_po = self.only(lambda e: e.tag == "acquire") @ self.po @ access
        self.po_rel = access @ self.po @ self.only(lambda e: e.tag == "release")
        rmb = read @ self.fencerel("rmb") @ read
        self.wmb = write @ self.fencerel("wmb") @ write
        mb = access @ self.fencerel("mb") @ access
        self.gp = self.only(lambda e: e.tag == "gp")
        self.strong = mb | self.po @ self.gp @ self.po.maybe()
        self.fence = self.strong | self.po_rel | acq_po | self.wmb | rmb
        self.rscsi = self.critical_sections().inverse()

    def critical_sections(self) -> Relation:
        pairs: list = []
        open_at: dict = {}
        for i, e in enumerate(self.events):
            if e.tag == "lock":
                open_at.setdefault(self.thread[i], []).append(i)
            elif e.tag == "unlock":
                start = open_at[self.thread[i]].pop()
                if not open_at[self.thread[i]]:
                    pairs.append((start, i))
        return self.rel(pairs)

    def allowed(self, rf: Relation, co: Relation) -> bool:
        """Do the axioms of linux-kernel.cat allow this execution?"""
        fr = (rf.inverse() @ co).without_id()
        if not (self.po_loc | rf | co | fr).acyclic():
            return False
        ext = self.external
        if not (self.rmw & ((fr & ext) @ (co & ext))).empty():
            return False
        rfe, overwrite, dep = rf & ext, co | fr, self.addr | self.data
        to_w = (dep | self.ctrl) @ self.writes | overwrite & self.internal
        to_r = self.addr @ self.reads | dep @ (rf & self.internal)
        ppo = to_r | to_w | self.fence & self.internal
        cumul = (rfe.maybe() @ (self.strong | self.po_rel) | self.wmb) @ (rf @ self.rmw).star()
        prop = (overwrite & ext).maybe() @ cumul.star() @ rfe.maybe()
        hb = ppo | rfe | prop.without_id() & self.internal
        if not hb.acyclic():
            return False
        pb = prop @ self.strong @ hb.star()
        return pb.acyclic() and self.rcu(prop, hb, pb)

    def rcu(self, prop: Relation, hb: Relation, pb: Relation) -> bool:
        if self.gp.empty():
            return True
        link = self.po.maybe() @ hb.star() @ pb.star() @ prop @ self.po
        gp, rscsi = self.gp, self.rscsi
        order = gp
        while True:
            more = order | gp @ link @ rscsi | rscsi @ link @ gp | gp @ link @ order @ link @ rscsi | \
                rscsi @ link @ order @ link @ gp | order @ link @ order
            if more.rows == order.rows:
                break
            order = more
        fence = self.po @ order @ self.po.maybe()
        return (prop @ fence @ hb.star() @ pb.star()).irreflexive()

    def executions(self) -> Iterator:
        """(reads-from, coherence order, final values of memory)"""
        sources = []
        for i, e in enumerate(self.events):
            if e.kind == "R":
                sources.append([(w, i) for w, x in enumerate(self.events) if x.kind == "W" and x.loc == e.loc
                                and x.value == e.value])
        by_loc: dict = {}
        for i, e in enumerate(self.events):
            if e.kind == "W":
                by_loc.setdefault(e.loc, []).append(i)
        orders = [[(w[0], *p) for p in itertools.permutations(w[1:])] for w in by_loc.values()]
        for rf in itertools.product(*sources):
            for order in itertools.product(*orders):
                co = [(a, b) for o in order for k, a in enumerate(o) for b in o[k + 1:]]
                yield self.rel(rf), self.rel(co), {self.events[o[-1]].loc: self.events[o[-1]].value for o in order}


def find_values(test: Any) -> tuple:
    """({location: values that it may have}, runs of each thread)"""
    locs = set(test.init) | {a for args, _ in test.threads for a in args}
    locs |= {v for v in test.init.values() if isinstance(v, str)}
    domain = {loc: {test.init.get(loc, 0)} for loc in locs}
    while True:
        runs = [Thread(body, domain).runs() for _, body in test.threads]
        size = sum(map(len, domain.values()))
        for ev in (ev for some in runs for ev, _ in some):
            for e in ev:
                if e.kind == "W":
                    domain[e.loc].add(e.value)
        if size == sum(map(len, domain.values())):
            return sorted(locs), runs


def happens(test: Any) -> bool:
    """Does an allowed execution satisfy the condition of the test?"""
    locs, runs = find_values(test)
    for some in itertools.product(*runs):
        regs = {(t, name): value for t, (_, r) in enumerate(some) for name, value in r.items()}
        if "mem[" not in test.condition and not holds(test, regs, {}):
            continue
        candidate = Candidate(test, locs, some)
        for rf, co, mem in candidate.executions():
            if holds(test, regs, mem) and candidate.allowed(rf, co):
                return True
    return False


def holds(test: Any, regs: dict, mem: dict) -> bool:
    try:
        return eval(test.condition, {"regs": regs, "mem": mem})  # pylint: disable=eval-used
    except KeyError:
        return False        # a register that this run does not set


# Changes that make a program weaker. Each is tried alone.
WEAKER = (
    (r"smp_load_acquire\((\w+)\)", r"READ_ONCE(*\1)"),
    (r"smp_store_release\((\w+), (&?\w+)\)", r"WRITE_ONCE(*\1, \2)"),
    (r"rcu_assign_pointer\((\*\w+), (&?\w+)\)", r"WRITE_ONCE(\1, \2)"),
    (r"smp_r?w?mb\(\);|smp_mb\(\);", ""),
    (r"synchronize_rcu\(\);", ""),
    (r"rcu_read_lock\(\);([^}]*)rcu_read_unlock\(\);", r"\1"),
    (r"\b(cmpxchg|xchg)(?:_acquire|_release)?\(", r"\1_relaxed("),
)


def weakenings(text: str) -> list:
    """[(barrier that is left out, the text without it)]"""
    out = []
    for pattern, instead in WEAKER:
        for m in re.finditer(pattern, text):
            line = text.count("\n", 0, m.start()) + 1
            out.append((f"{m.group(0).split('(')[0]} in line {line}",
                        text[:m.start()] + m.expand(instead) + text[m.end():]))
    return out


def check(text: str) -> list:
    """An error of a test: its condition is possible, or stays impossible without a barrier of it."""
    test = Test(text)
    if happens(test):
        return ["it can happen"]
    return [f"nor without {what}: it is not needed, or the test is not good"
            for what, weak in weakenings(text) if not happens(Test(weak))]


def agrees(text: str) -> bool | None:
    """Is the result the one that the test states? None if the test is not supported."""
    try:
        test = Test(text)
        return ("Sometimes" if happens(test) else "Never") == test.result
    except Failure:
        return None


def run() -> list:
    """[(name, state, why)] of our tests, and of the comparison with those of the kernel."""
    results = []
    for path in sorted(glob.glob(os.path.join(TOP, OURS, "*.litmus"))):
        bad = check(tree.read(path).decode())
        results.append((os.path.basename(path), "fail" if bad else "pass", "; ".join(bad)))
    with lock("tree"):
        tree.unpack_base()
    paths = sorted(p for d in OF_THE_BASE for p in glob.glob(os.path.join(tree.BASE, d, "*.litmus")))
    states = {os.path.basename(p): agrees(tree.read(p).decode()) for p in paths}
    wrong = [n for n, good in states.items() if good is False]
    read = sum(good is not None for good in states.values())
    if read < READABLE:
        wrong.append(f"only {read} can be read")
    results.append((f"{read} of the kernel's own come out as they say", "fail" if wrong else "pass", ", ".join(wrong)))
    return results

# SPDX-License-Identifier: GPL-2.0
"""Everything that depends on the architecture, in one table."""
from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import Any

from common import BUILD


@dataclass(frozen=True)
class Code:
    """What tools that read instructions have to know about an architecture."""
    objdump: tuple              # options of objdump for raw bytes
    pc: int                     # number of the program counter among gdb's registers
    calls: str                  # a call or jump in objdump's text; the group is its target
    called: str                 # prefix of that text if it is a call
    traps: str                  # names of entry points of exceptions
    thunks: str = "$^"          # names of functions that are part of a call
    roots: tuple = ()           # functions at which hits begin; see hitpath.py


@dataclass(frozen=True, eq=False)
class Arch:
    name: str                   # as in build/<name> and config/<name>.config
    make: str                   # ARCH= of the kernel's make
    image: str                  # the file that boots, below O=
    qemu: str = ""              # the emulator
    machine: str = ""           # -machine
    cpu: str = ""               # -cpu
    console: str = ""           # console= of the command line
    # All guest CPUs run in one thread. With one thread for each CPU, QEMU 7.2 may translate code
    # while another CPU patches it, and keep the stale translation. On x86 such a kernel, stock
    # included, then hits an int3 that nobody owns.
    threads: str = "single"
    debian: str = ""            # Debian's name; "": guests run programs of the host
    programs: tuple = ()        # sets of packages with more programs for guests
    append: str = ""            # further arguments of the command line; {ticks_khz}: see ticks.py
    cross: str = ""             # CROSS_COMPILE= of the kernel's make
    llvm: str = ""              # LLVM= of the kernel's make, for clang instead of gcc
    demo: str = ""              # the probe of make run
    packages: str = ""          # a further set of packages that building needs
    suite: str = ""             # release of Debian that has the set; "": this one
    compiled: bool = False      # make check compiles its kernels and does not boot them
    # {profile: objects that step_variants or step_arch_builds compiles}
    objects: dict = field(default_factory=dict)
    code: Code = None           # type: ignore[assignment] # compiled only: none
    tested: str = "release"     # its default profile
    nmi: str = ""               # an argument of the command line that NMIs need
    old_cpu: str = ""           # a CPU with few features, for our KUnit suites on instructions

    @property
    def boots(self) -> bool:
        """Can its kernels be booted? Others are only compiled; see step_arch_builds."""
        return bool(self.qemu)

    @property
    def root(self) -> str:
        """The root directory of guests that need more than busybox; see packages."""
        return os.path.join(BUILD, f"root-{self.name}") if self.debian else "/"

    @property
    def busybox(self) -> str:
        """A static busybox for the guest."""
        return os.path.join(self.root, "bin/busybox")

    @property
    def source(self) -> str:
        """Its directory below arch/."""
        return "x86" if self.make == "x86_64" else self.make

    def tool(self, name: str) -> str:
        """One of the binutils that knows this architecture."""
        return self.cross + name


def compiled(name: str, make: str, cross: str, sees: str, **more: Any) -> Arch:
    """An architecture whose part of kprobes is the base's, and has to compile on our core.

    sees: its files below arch/MAKE/ that have to do with kprobes.
    """
    objects = {"tracer": [f"arch/{make}/{n}" for n in sees.split()], **more}
    return Arch(name=name, make=make, cross=cross, image="vmlinux", objects=objects, compiled=True)


ARCHES = {
    "x86_64": Arch(
        name="x86_64",
        make="x86_64",
        image="arch/x86/boot/bzImage",
        qemu="qemu-system-x86_64",
        machine="q35",
        # QEMU 7.2 computes wrong flags for cmpxchg16b if the translated block was entered in
        # its middle, e.g. by a return from a trap. The next interrupt is a double fault then.
        # The kernel works without this instruction.
        cpu="max,-cx16",
        console="ttyS0",
        # One thread of the host runs all guest CPUs, so the TSC of one may seem to stand
        # still on the others. A guest that measures the frequency of the TSC on a busy host
        # gets a wrong one, so pass it.
        append="tsc=reliable tsc_early_khz={ticks_khz} no_timer_check",
        demo="p:myprobe do_filp_open dfd=%di:s32 pathname=+0(+0(%si)):string; r:myretprobe do_filp_open file=$retval",
        objects={
            "rt": ("arch/x86/kernel/kprobes/", "arch/x86/kernel/rethook.o", "arch/x86/kernel/traps.o"),
            "noprobes": ("arch/x86/kernel/traps.o", "arch/x86/kernel/hw_breakpoint.o", "arch/x86/mm/"),
            "bare": ("arch/x86/kernel/kprobes/", "arch/x86/kernel/traps.o", "arch/x86/mm/fault.o"),
        },
        code=Code(
            objdump=("-m", "i386:x86-64", "--no-show-raw-insn"),
            pc=16,
            calls=r"\t(?:call|j[a-z]+)\s+([0-9a-f]+) <",
            called="call",
            traps=r"asm_exc_\w+",
            thunks=r"__x86_(indirect|return)|__pi_",
            roots=(
                # These also call what is no part of probes, before the guard against hits in hits is on.
                "irqentry_nmi_enter", "irqentry_nmi_exit",
                "site_ip_hit", "site_entry_hit",
                "kprobe_int3_handler", "kprobe_exceptions_notify", "kprobe_detour",
                "emulate_nop", "emulate_push_reg", "emulate_call", "emulate_call_reg", "emulate_jmp",
                "emulate_jmp_reg", "emulate_ret", "emulate_jcc", "emulate_loop", "emulate_jcxz",
                "emulate_pushf", "emulate_popf", "emulate_cli", "emulate_sti",
                "emulate_mov", "emulate_lea", "emulate_lea_rip", "emulate_pop", "emulate_add", "emulate_or",
                "emulate_and", "emulate_sub", "emulate_xor", "emulate_cmp", "emulate_test",
            ),
        ),
    ),
    "arm64": Arch(
        name="arm64",
        make="arm64",
        image="arch/arm64/boot/Image",
        qemu="qemu-system-aarch64",
        machine="virt,gic-version=3",
        # QEMU takes long for pointer authentication as the architecture defines it.
        cpu="max,pauth-impdef=on",
        console="ttyAMA0",
        debian="arm64",
        programs=("clients",),
        cross="aarch64-linux-gnu-",
        demo="p:myprobe do_filp_open dfd=%x0:s32 pathname=+0(+0(%x1)):string; r:myretprobe do_filp_open file=$retval",
        tested="small",
        old_cpu="cortex-a57",
        nmi="irqchip.gicv3_pseudo_nmi=1",
        objects={
            "rt": ("arch/arm64/kernel/probes/", "arch/arm64/kernel/debug-monitors.o", "arch/arm64/kernel/traps.o"),
            "noprobes": ("arch/arm64/kernel/probes/", "arch/arm64/kernel/debug-monitors.o",
                         "arch/arm64/kernel/traps.o", "arch/arm64/kernel/hw_breakpoint.o", "arch/arm64/mm/"),
            "bare": ("arch/arm64/kernel/probes/", "arch/arm64/kernel/debug-monitors.o",
                     "arch/arm64/kernel/traps.o", "arch/arm64/mm/fault.o"),
        },
        code=Code(
            objdump=("-m", "aarch64", "--no-show-raw-insn"),
            pc=32,
            calls=r"\t(?:bl?|b\.[a-z]+|cbn?z\s+\w+,|tbn?z\s+\w+, #\w+,)\s+([0-9a-f]+) <",
            called="bl",
            traps=r"el1[ht]_64_sync",
            thunks=r"__pi_",
            roots=(
                "kprobe_brk_handler", "kprobe_ss_brk_handler", "kretprobe_brk_handler",
                "kprobe_detour", "kprobe_detour_leave", "simulate_mrs_pmr",
                "simulate_add_imm", "simulate_mov_wide", "simulate_add_reg", "simulate_logical_reg",
                "simulate_adr", "simulate_b", "simulate_b_cond", "simulate_cbz", "simulate_tbz", "simulate_br",
                "simulate_br_auth", "simulate_ldr_literal", "simulate_nop", "simulate_mrs_daif",
            ),
        ),
    ),
    # Two kinds of architectures have no function tracer: with return hooks, and without.
    "riscv64": replace(
        compiled("riscv64", "riscv", "riscv64-linux-gnu-",
                 "kernel/probes/ kernel/ftrace.o kernel/patch.o kernel/return_address.o kernel/stacktrace.o "
                 "kernel/traps.o mm/fault.o", noftrace=["arch/riscv/kernel/probes/"]),
        image="arch/riscv/boot/Image",
        qemu="qemu-system-riscv64",
        machine="virt",
        cpu="rv64",
        console="ttyS0",
        # Probes and ftrace stop all other CPUs while they write text there, so no CPU translates
        # it meanwhile, and threads are safe. In one thread, each stopped CPU would spin for a
        # tenth of a second per turn.
        threads="multi",
        # Shows errors that happen before there is a console.
        append="earlycon",
        debian="riscv64",
        suite="trixie",
        packages="riscv64",
        demo="p:myprobe do_filp_open dfd=%a0:s32 pathname=+0(+0(%a1)):string; r:myretprobe do_filp_open file=$retval",
        tested="small",
    ),
    "s390x": compiled("s390x", "s390", "s390x-linux-gnu-",
                      "kernel/kprobes.o kernel/rethook.o kernel/ftrace.o kernel/dis.o kernel/dumpstack.o "
                      "kernel/nmi.o kernel/process.o kernel/smp.o kernel/stacktrace.o kernel/time.o "
                      "kernel/traps.o kernel/uprobes.o lib/probes.o mm/fault.o"),
    "powerpc64le": compiled("powerpc64le", "powerpc", "powerpc64le-linux-gnu-",
                            "kernel/kprobes.o kernel/kprobes-ftrace.o kernel/optprobes.o kernel/optprobes_head.o "
                            "kernel/rethook.o kernel/trace/ kernel/hw_breakpoint.o kernel/interrupt.o "
                            "kernel/process.o kernel/stacktrace.o kernel/traps.o lib/code-patching.o lib/sstep.o "
                            "mm/fault.o"),
    "arm": compiled("arm", "arm", "arm-linux-gnueabihf-",
                    "probes/ kernel/ftrace.o kernel/patch.o kernel/stacktrace.o kernel/traps.o mm/fault.o",
                    noftrace=["arch/arm/probes/"]),
    "mips64": compiled("mips64", "mips", "mips64el-linux-gnuabi64-",
                       "kernel/kprobes.o kernel/ftrace.o kernel/branch.o kernel/traps.o mm/fault.o"),
    "parisc": compiled("parisc", "parisc", "hppa-linux-gnu-",
                       "kernel/kprobes.o kernel/ftrace.o kernel/patch.o kernel/traps.o mm/fault.o"),
    "sh": compiled("sh", "sh", "sh4-linux-gnu-",
                   "kernel/kprobes.o kernel/ftrace.o kernel/traps.o kernel/traps_32.o mm/fault.o"),
    "sparc64": compiled("sparc64", "sparc", "sparc64-linux-gnu-",
                        "kernel/kprobes.o kernel/ftrace.o kernel/traps_64.o mm/fault_64.o"),
    # The only compiler of Debian 12 that the kernel accepts there.
    "loongarch": replace(
        compiled("loongarch", "loongarch", "",
                 "kernel/kprobes.o kernel/rethook.o kernel/rethook_trampoline.o kernel/ftrace_dyn.o "
                 "kernel/traps.o mm/fault.o"),
        llvm="-19",
    ),
    # It has no function tracer in 6.12.
    "arc": replace(
        compiled("arc", "arc", "arc-linux-gnu-", ""),
        objects={"noftrace": ["arch/arc/kernel/kprobes.o", "arch/arc/kernel/disasm.o", "arch/arc/kernel/traps.o"]},
    ),
    # csky, the last one of the base with kprobes, has no compiler in Debian 12.
}

DEFAULT = "x86_64"


def split_step(step: str) -> tuple[str, str]:
    """(architecture, suite) of a step of `vm check`: arm64-kunit is kunit on arm64."""
    m = re.match(f"({'|'.join(ARCHES)})-(.+)", step)
    return (m.group(1), m.group(2)) if m else (DEFAULT, step)

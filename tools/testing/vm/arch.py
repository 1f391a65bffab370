# SPDX-License-Identifier: GPL-2.0
"""Everything that depends on the architecture, in one table."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Arch:
    name: str                   # as in build/<name> and config/<name>.config
    make: str                   # ARCH= of the kernel's make
    image: str                  # what boots, below O=
    qemu: str                   # the emulator
    machine: tuple              # its options: machine, processor
    console: str                # console= of the command line
    busybox: str                # a static busybox for the guest
    append: str = ""            # further arguments of the command line; {ticks_khz}: see ticks.py
    cross: str = ""             # CROSS_COMPILE= of the kernel's make
    make_args: tuple = field(default=())

    @property
    def boots(self):
        """Whether its kernels are booted, or only compiled: see step_arch_builds."""
        return bool(self.qemu)


def compiled(name, make, cross):
    """An architecture of the base, whose own part of probes has to compile on our core."""
    return Arch(name=name, make=make, cross=cross, image="vmlinux", qemu="", machine=(), console="", busybox="")


ARCHES = {
    "x86_64": Arch(
        name="x86_64",
        make="x86_64",
        image="arch/x86/boot/bzImage",
        qemu="qemu-system-x86_64",
        # QEMU 7.2 gets the flags of cmpxchg16b wrong when what was before set them only in
        # part of a translated block, e.g. behind a return from a trap; then an interrupt
        # is a double fault. So let there be none, which the kernel can do without.
        machine=("-machine", "q35", "-cpu", "max,-cx16"),
        console="ttyS0",
        busybox="/bin/busybox",
        # One core's worth of host serves several guest CPUs: the TSC of one
        # may seem to stand still for the others; that is no fault of ours. On
        # a busy host a guest that measures the TSC is wrong by a lot: tell it.
        append="tsc=reliable tsc_early_khz={ticks_khz} no_timer_check",
    ),
    "riscv64": compiled("riscv64", "riscv", "riscv64-linux-gnu-"),
    "s390x": compiled("s390x", "s390", "s390x-linux-gnu-"),
    "powerpc64le": compiled("powerpc64le", "powerpc", "powerpc64le-linux-gnu-"),
    "arm": compiled("arm", "arm", "arm-linux-gnueabihf-"),
    "mips64": compiled("mips64", "mips", "mips64el-linux-gnuabi64-"),
}

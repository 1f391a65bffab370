# SPDX-License-Identifier: GPL-2.0
"""Follow a guest instruction by instruction, through QEMU's debug port."""
from __future__ import annotations

import contextlib
import socket

from common import Failure

PATIENCE = 120      # seconds for an answer; a guest that runs is slow to answer


def options(path: str) -> list:
    """Options with which QEMU listens at a socket."""
    return ["-chardev", f"socket,id=gdb,path={path},server=on,wait=off", "-gdb", "chardev:gdb"]


class Remote:
    """Client of gdb's remote protocol, with the commands that stepping needs."""

    def __init__(self, path: str) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(path)
        self.buf = b""
        # QEMU also reports that the guest has stopped, before or after this answer.
        self.send("qSupported")
        while not self.answer().startswith("PacketSize"):
            pass

    def send(self, text: str) -> None:
        data = text.encode()
        self.sock.sendall(b"$%s#%02x" % (data, sum(data) & 255))

    def fill(self) -> None:
        try:
            data = self.sock.recv(65536)
        except socket.timeout:
            raise Failure("QEMU does not answer on its debug port") from None
        if not data:
            raise Failure("the guest ended while it was followed")
        self.buf += data

    def answer(self) -> str:
        """The next packet."""
        while True:
            self.buf = self.buf.lstrip(b"+")
            end = self.buf.find(b"#")
            if end >= 0 and len(self.buf) >= end + 3:
                packet, self.buf = self.buf[1:end], self.buf[end + 3:]
                self.sock.sendall(b"+")
                return packet.decode()
            self.fill()

    def ask(self, text: str) -> str:
        self.send(text)
        return self.answer()

    def read(self, addr: int, size: int) -> bytes:
        """Read memory; fewer bytes than size if the next page is not mapped."""
        for n in (size, 4096 - addr % 4096):
            got = self.ask(f"m{addr:x},{min(n, size):x}")
            if not got.startswith("E"):
                return bytes.fromhex(got)
        raise Failure(f"no code at {addr:#x}")

    def pc(self, register: int) -> int:
        """The program counter; register is its number."""
        regs = bytes.fromhex(self.ask("g"))
        return int.from_bytes(regs[8 * register:8 * register + 8], "little")

    def stop_at(self, addr: int) -> None:
        if self.ask(f"Z1,{addr:x},1") != "OK":
            raise Failure("QEMU does not set a breakpoint")

    def go_on(self) -> None:
        """Let the guest run until it stops."""
        self.ask("c")

    def step(self) -> None:
        self.ask("s")

    def leave(self) -> None:
        """Let the guest run on its own again."""
        with contextlib.suppress(Failure, OSError):
            self.ask("D")
        self.sock.close()

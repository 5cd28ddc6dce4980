"""The filter's decisions, by a small interpreter of its instructions, for both architectures."""

import errno
import struct

import pytest

from pennyproof.proof.inside import seccomp

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
X86, ARM, I386 = 0xC000003E, 0xC00000B7, 0x40000003


def decide(machine: str, architecture: int, number: int, argument: int, *, sockets: bool, signals: bool) -> int:
    """What the kernel would do with a call whose first argument is given."""
    code = list(struct.iter_unpack("HBBI", seccomp.program(machine, sockets=sockets, signals=signals)))
    data = struct.pack("=IIQQ", number, architecture, 0, argument)
    at = accumulator = 0
    while True:
        operation, if_true, if_false, operand = code[at]
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, operand)
            case 0x06:
                return operand
            case 0x15:
                at += if_true if accumulator == operand else if_false
            case 0x35:
                at += if_true if accumulator >= operand else if_false
            case 0x45:
                at += if_true if accumulator & operand else if_false
            case _:
                raise AssertionError(f"no such instruction: {operation:#x}")


@pytest.mark.parametrize(
    ("machine", "architecture", "number", "argument", "expected"),
    [
        ("x86_64", X86, 0, 0, ALLOW),  # read
        ("x86_64", X86, 165, 0, EPERM),  # mount
        ("x86_64", X86, 272, 0, EPERM),  # unshare
        ("x86_64", X86, 101, 0, EPERM),  # ptrace
        ("x86_64", X86, 56, 17, ALLOW),  # clone, as fork calls it
        ("x86_64", X86, 56, 0x10000011, EPERM),  # clone into a new user namespace
        ("x86_64", X86, 56, 0x02000011, EPERM),  # ... cgroup namespace
        ("x86_64", X86, 435, 0, ENOSYS),  # clone3
        ("x86_64", X86, 41, 1, ALLOW),  # socket
        ("x86_64", X86, 62, 1, ALLOW),  # kill
        ("x86_64", X86, 0x40000000 | 165, 0, KILL),  # mount by the x32 table
        ("x86_64", I386, 21, 0, KILL),  # mount by the table of 32 bits
        ("aarch64", ARM, 63, 0, ALLOW),  # read
        ("aarch64", ARM, 40, 0, EPERM),  # mount
        ("aarch64", ARM, 165, 0, ALLOW),  # getrusage, whose number is mount's elsewhere
        ("aarch64", ARM, 220, 17, ALLOW),  # clone
        ("aarch64", ARM, 220, 0x20000011, EPERM),  # clone into a new process namespace
        ("aarch64", X86, 0, 0, KILL),
    ],
)
def test_decisions(machine: str, architecture: int, number: int, argument: int, expected: int) -> None:
    assert decide(machine, architecture, number, argument, sockets=True, signals=True) == expected


@pytest.mark.parametrize(
    ("machine", "architecture", "socket", "kill"), [("x86_64", X86, 41, 62), ("aarch64", ARM, 198, 129)]
)
def test_without_sockets_and_signals(machine: str, architecture: int, socket: int, kill: int) -> None:
    assert decide(machine, architecture, socket, 1, sockets=False, signals=True) == EPERM
    assert decide(machine, architecture, kill, 1, sockets=False, signals=True) == ALLOW
    assert decide(machine, architecture, kill, 1, sockets=False, signals=False) == EPERM

"""The filter's decisions, by a small interpreter of its instructions, for both architectures."""

import errno
import struct

import pytest

from pennyproof.proof.inside import seccomp

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
X86, ARM, I386 = 0xC000003E, 0xC00000B7, 0x40000003


def decide(
    machine: str,
    architecture: int,
    number: int,
    argument: int,
    *,
    sockets: bool = True,
    signals: bool = True,
    lasting: bool = True,
) -> int:
    """What the kernel would do with a call whose first argument is given."""
    program = seccomp.program(machine, sockets=sockets, signals=signals, lasting=lasting)
    code = list(struct.iter_unpack("HBBI", program))
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
        ("x86_64", X86, 41, 1, ALLOW),  # socket, Unix
        ("x86_64", X86, 41, 2, ALLOW),  # ... Internet
        ("x86_64", X86, 41, 16, ALLOW),  # ... netlink
        ("x86_64", X86, 41, 17, EPERM),  # ... packets
        ("x86_64", X86, 41, 40, EPERM),  # ... between a virtual machine and its host
        ("x86_64", X86, 53, 1, ALLOW),  # socketpair
        ("x86_64", X86, 53, 30, EPERM),  # ... of another family
        ("x86_64", X86, 29, 0, ALLOW),  # shmget
        ("x86_64", X86, 62, 1, ALLOW),  # kill
        ("x86_64", X86, 0x40000000 | 165, 0, KILL),  # mount by the x32 table
        ("x86_64", I386, 21, 0, KILL),  # mount by the table of 32 bits
        ("aarch64", ARM, 63, 0, ALLOW),  # read
        ("aarch64", ARM, 40, 0, EPERM),  # mount
        ("aarch64", ARM, 165, 0, ALLOW),  # getrusage, whose number is mount's elsewhere
        ("aarch64", ARM, 198, 10, ALLOW),  # socket, Internet
        ("aarch64", ARM, 198, 38, EPERM),  # ... the kernel's ciphers
        ("aarch64", ARM, 220, 17, ALLOW),  # clone
        ("aarch64", ARM, 220, 0x20000011, EPERM),  # clone into a new process namespace
        ("aarch64", X86, 0, 0, KILL),
    ],
)
def test_decisions(machine: str, architecture: int, number: int, argument: int, expected: int) -> None:
    assert decide(machine, architecture, number, argument) == expected


@pytest.mark.parametrize(
    ("machine", "architecture", "socket", "pair", "kill", "shmget"),
    [("x86_64", X86, 41, 53, 62, 29), ("aarch64", ARM, 198, 199, 129, 194)],
)
def test_without_sockets_signals_and_what_lasts(
    machine: str, architecture: int, socket: int, pair: int, kill: int, shmget: int
) -> None:
    assert decide(machine, architecture, socket, 1, sockets=False) == EPERM
    assert decide(machine, architecture, pair, 1, sockets=False) == ALLOW
    assert decide(machine, architecture, kill, 1, sockets=False) == ALLOW
    assert decide(machine, architecture, kill, 1, signals=False) == EPERM
    assert decide(machine, architecture, shmget, 1, lasting=False) == EPERM

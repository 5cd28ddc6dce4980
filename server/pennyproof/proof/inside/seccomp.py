"""A seccomp filter that takes away what no test suite needs and an escape would.

Refused calls fail with EPERM, so that programs which probe for them carry on. ``clone3``, whose flags a filter cannot
read, does not exist (ENOSYS): the C library then uses ``clone``, whose flags it can.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import platform
import struct
from typing import Dict, List, Tuple

from . import libc

# name → (x86_64, aarch64); the last only where both have it.
_NUMBERS: Dict[str, Tuple[int, ...]] = {
    # mounts and namespaces
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89),
    "statmount": (457, 457), "listmount": (458, 458),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "perf_event_open": (298, 241),
    # the kernel
    "bpf": (321, 280), "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "syslog": (103, 116), "fanotify_init": (300, 262),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "sethostname": (170, 161), "setdomainname": (171, 162), "vhangup": (153, 58), "iopl": (172,), "ioperm": (173,),
}  # fmt: skip
_SIGNALS = {"kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "pidfd_send_signal": (424, 424),
            "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240)}  # fmt: skip
# What outlasts the process that made it, where there is no namespace for it.
_LASTING = {"shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180)}
_SOCKET, _SOCKETPAIR = (41, 198), (53, 199)
_FAMILIES = (1, 2, 10, 16)
"""Unix, both kinds of Internet, and netlink, by which programs learn their addresses. A namespace holds all of these,
and not, say, the virtual wire between a virtual machine and its host."""
_CLONE, _CLONE3 = (56, 220), 435

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_NEW_NAMESPACE = 0x7E020000
"""All ``CLONE_NEW…`` flags that ``clone`` takes."""
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_SYSCALL_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16


def available() -> bool:
    """Whether there is a filter for this machine."""
    return platform.machine() in _ARCHITECTURES


@functools.lru_cache(maxsize=None)
def program(machine: str, *, sockets: bool, signals: bool, lasting: bool) -> bytes:
    """The filter, as the kernel reads it.

    Args:
        machine: As ``platform.machine()`` names it.
        sockets: Whether sockets may be made (pairs always may).
        signals: Whether signals may be sent.
        lasting: Whether memory, semaphores and queues may be made that outlast the process.
    """
    index, architecture = _ARCHITECTURES[machine]
    refused = dict(_NUMBERS, **({} if signals else _SIGNALS), **({} if lasting else _LASTING))
    families = {_SOCKET[index]: _FAMILIES if sockets else (), _SOCKETPAIR[index]: _FAMILIES}
    code: List[Tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _SYSCALL_NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _FAIL | errno.ENOSYS),
    ]
    for numbers in refused.values():
        if index < len(numbers):
            code += [(_EQUAL, 0, 1, numbers[index]), (_RETURN, 0, 0, _FAIL | errno.EPERM)]
    for number, allowed in families.items():
        code += [(_EQUAL, 0, 2 + len(allowed), number), (_LOAD, 0, 0, _FIRST_ARGUMENT)]
        code += [(_EQUAL, len(allowed) - place, 0, family) for place, family in enumerate(allowed)]
        code += [(_RETURN, 0, 0, _FAIL | errno.EPERM), (_LOAD, 0, 0, _SYSCALL_NUMBER)]
    code += [
        (_EQUAL, 0, 3, _CLONE[index]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_ANY_BIT, 0, 1, _NEW_NAMESPACE),
        (_RETURN, 0, 0, _FAIL | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def install(*, sockets: bool = True, signals: bool = True, lasting: bool = True) -> None:
    """Put the filter on this process and all that it starts. ``no_new_privs`` must be set.

    Raises:
        OSError: The kernel refused it.
    """
    text = program(platform.machine(), sockets=sockets, signals=signals, lasting=lasting)

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    filters = Program(len(text) // 8, text)
    seccomp_set_mode_filter, set_seccomp = 2, 22
    zero = ctypes.c_ulong(0)
    libc.call("prctl", set_seccomp, ctypes.c_ulong(seccomp_set_mode_filter), ctypes.byref(filters), zero, zero)

"""Calls that hostile code makes of the kernel, and what the kernel says to them."""

import errno
import platform

import pytest

from tests.proof.sandbox.attack import Attack, check
from tests.proof.sandbox.yard import Yard

CLONE_NEWUSER = 0x10000000

# name → number by machine, arguments. Those that need memory to read get an address that is none, which an unfiltered
# kernel would complain of with EFAULT: the filter does not look so far.
CALLS: dict[str, tuple[dict[str, int], tuple[int, ...]]] = {
    "mount": ({"x86_64": 165, "aarch64": 40}, (0, 0, 0, 0, 0)),
    "umount2": ({"x86_64": 166, "aarch64": 39}, (0, 0)),
    "pivot_root": ({"x86_64": 155, "aarch64": 41}, (0, 0)),
    "chroot": ({"x86_64": 161, "aarch64": 51}, (0,)),
    "unshare": ({"x86_64": 272, "aarch64": 97}, (CLONE_NEWUSER,)),
    "setns": ({"x86_64": 308, "aarch64": 268}, (0, 0)),
    "clone into a user namespace": ({"x86_64": 56, "aarch64": 220}, (CLONE_NEWUSER | 17, 0, 0, 0, 0)),
    "clone3": ({"x86_64": 435, "aarch64": 435}, (0, 0)),
    "fsopen": ({"x86_64": 430, "aarch64": 430}, (0, 0)),
    "open_tree": ({"x86_64": 428, "aarch64": 428}, (-100, 0, 1)),
    "move_mount": ({"x86_64": 429, "aarch64": 429}, (-1, 0, -1, 0, 0)),
    "mount_setattr": ({"x86_64": 442, "aarch64": 442}, (-100, 0, 0, 0, 0)),
    "open_by_handle_at": ({"x86_64": 304, "aarch64": 265}, (-100, 0, 0)),
    "ptrace": ({"x86_64": 101, "aarch64": 117}, (0, 0, 0, 0)),
    "process_vm_readv": ({"x86_64": 310, "aarch64": 270}, (1, 0, 0, 0, 0, 0)),
    "process_vm_writev": ({"x86_64": 311, "aarch64": 271}, (1, 0, 0, 0, 0, 0)),
    "process_madvise": ({"x86_64": 440, "aarch64": 440}, (0, 0, 0, 0, 0)),
    "pidfd_getfd": ({"x86_64": 438, "aarch64": 438}, (0, 0, 0)),
    "kcmp": ({"x86_64": 312, "aarch64": 272}, (1, 1, 0, 0, 0)),
    "perf_event_open": ({"x86_64": 298, "aarch64": 241}, (0, 0, -1, -1, 0)),
    "bpf": ({"x86_64": 321, "aarch64": 280}, (5, 0, 0)),
    "userfaultfd": ({"x86_64": 323, "aarch64": 282}, (1,)),
    "io_uring_setup": ({"x86_64": 425, "aarch64": 425}, (8, 0)),
    "add_key": ({"x86_64": 248, "aarch64": 217}, (0, 0, 0, 0, -3)),
    "request_key": ({"x86_64": 249, "aarch64": 218}, (0, 0, 0, -3)),
    "keyctl": ({"x86_64": 250, "aarch64": 219}, (0, -3, 0)),
    "init_module": ({"x86_64": 175, "aarch64": 105}, (0, 0, 0)),
    "kexec_load": ({"x86_64": 246, "aarch64": 104}, (0, 0, 0, 0)),
    "kexec_file_load": ({"x86_64": 320, "aarch64": 294}, (-1, -1, 0, 0, 0)),
    "reboot": ({"x86_64": 169, "aarch64": 142}, (0, 0, 0, 0)),
    "syslog": ({"x86_64": 103, "aarch64": 116}, (3, 0, 0)),
    "swapon": ({"x86_64": 167, "aarch64": 224}, (0, 0)),
    "acct": ({"x86_64": 163, "aarch64": 89}, (0,)),
    "settimeofday": ({"x86_64": 164, "aarch64": 170}, (0, 0)),
    "clock_settime": ({"x86_64": 227, "aarch64": 112}, (0, 0)),
    "adjtimex": ({"x86_64": 159, "aarch64": 171}, (0,)),
    "sethostname": ({"x86_64": 170, "aarch64": 161}, (0, 0)),
    "fanotify_init": ({"x86_64": 300, "aarch64": 262}, (0, 0)),
    "quotactl": ({"x86_64": 179, "aarch64": 60}, (0, 0, 0, 0)),
    "statmount": ({"x86_64": 457, "aarch64": 457}, (0, 0, 0, 0)),
    "listmount": ({"x86_64": 458, "aarch64": 458}, (0, 0, 0, 0)),
}

CALL = """
found = {}
for name, (number, arguments) in calls.items():
    ctypes.set_errno(0)
    refused = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)) == -1
    found[name] = ctypes.get_errno() if refused else 0
"""


def test_calls_that_no_test_needs(yard: Yard) -> None:
    machine = platform.machine()
    calls = {name: (numbers[machine], arguments) for name, (numbers, arguments) in CALLS.items()}
    answer = yard.run(f"calls = {calls!r}\n{CALL}")
    assert answer.ok, answer
    refused = {errno.EPERM, errno.ENOSYS}
    assert {name: told for name, told in answer.result["found"].items() if told not in refused} == {}


# Sockets by family, kind and protocol; namespaces of the network do not hold all of them.
SOCKETS = {
    "of the machine's virtual wire": "socket.socket(40, socket.SOCK_STREAM)",
    "of the kernel's ciphers": "socket.socket(38, socket.SOCK_SEQPACKET)",
    "of packets": "socket.socket(17, socket.SOCK_RAW, 3)",
    "of raw datagrams": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "of raw datagrams, newer": "socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)",
    "of Bluetooth": "socket.socket(31, socket.SOCK_RAW, 1)",
    "of a bus": "socket.socket(29, socket.SOCK_RAW, 1)",
    "of clusters": "socket.socket(30, socket.SOCK_SEQPACKET)",
    "of express paths": "socket.socket(44, socket.SOCK_RAW)",
    "of phones": "socket.socket(41, socket.SOCK_SEQPACKET, 2)",
}


@pytest.mark.parametrize("opened", SOCKETS.values(), ids=SOCKETS)
def test_socket(yard: Yard, opened: str) -> None:
    answer = yard.run(f"found = attempt(lambda: {opened})")
    assert answer.result == {"found": "refused"}


ATTACKS = [
    Attack(
        "raise its limits",
        """
        import resource
        def raised(kind):
            try:
                resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            except (OSError, ValueError):
                return False
            return True
        found = [name for name in dir(resource) if name.startswith('RLIMIT_') and name in (
            'RLIMIT_AS', 'RLIMIT_CPU', 'RLIMIT_FSIZE', 'RLIMIT_NPROC', 'RLIMIT_CORE', 'RLIMIT_NOFILE'
        ) and raised(getattr(resource, name))]
        """,
        [],
    ),
    Attack(
        "have capabilities left",
        """
        head, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        libc.capget(head, sets)
        found = any(sets)
        """,
        False,
    ),
    Attack("gain rights by a setuid program", "found = libc.prctl(39, 0, 0, 0, 0)", 1),
    Attack("become another user", "found = attempt(lambda: os.setuid(0 if os.getuid() else 12345))"),
    Attack("go before everybody else", "found = attempt(lambda: os.nice(-10))"),
    Attack(
        "be scheduled in real time",
        "found = attempt(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)))",
    ),
    Attack("make a device", "found = attempt(lambda: os.mknod('disk', 0o60600, os.makedev(8, 0)))"),
    Attack(
        "set the kernel, by every way there is",
        """
        found = []
        for folder, _, names in os.walk('/proc/sys'):
            for name in names:
                try:
                    os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
                except OSError:
                    continue
                found.append(name)
        for name in ('sysrq-trigger', 'irq/default_smp_affinity', 'self/oom_score_adj', 'mtrr'):
            if attempt(lambda: os.close(os.open('/proc/' + name, os.O_WRONLY))) != 'refused':
                found.append(name)
        """,
        [],
    ),
    Attack("set the kernel's devices", "found = attempt(lambda: os.listdir('/sys/kernel'))"),
    Attack(
        "look past its root",
        "found = attempt(lambda: os.listdir('/proc/self/root/' + os.path.dirname(secret)))",
    ),
    Attack(
        "look past the root of every process",
        """
        found = [
            number for number in processes()
            if attempt(lambda: os.listdir('/proc/%s/root/%s' % (number, os.path.dirname(secret)))) != 'refused'
            or attempt(lambda: os.listdir('/proc/%s/cwd/%s' % (number, os.path.dirname(secret)))) != 'refused'
        ]
        """,
        [],
    ),
    Attack(
        "leave memory behind for everybody",
        """
        libc.shmget.restype = libc.semget.restype = libc.msgget.restype = ctypes.c_int
        found = [libc.shmget(77777, 4096, 0o1666), libc.semget(77777, 1, 0o1666), libc.msgget(77777, 0o1666)]
        """,
        [-1, -1, -1],
        kinds=("landlock",),
    ),
    Attack(
        "leave a queue behind for everybody",
        "found = ctypes.CDLL('librt.so.1', use_errno=True).mq_open(b'/left', os.O_CREAT | os.O_RDWR, 0o600, None)",
        -1,
        kinds=("landlock",),
    ),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(yard: Yard, attack: Attack) -> None:
    if yard.kind in attack.kinds:
        check(yard, attack)


IPC = """
libc.shmget(77777, 4096, 0o1666)
libc.semget(77777, 1, 0o1666)
libc.msgget(77777, 0o1666)
attempt(lambda: open('/dev/shm/left', 'w').close())
"""


def test_memory_shared_in_one_run_is_not_there_in_the_next(yard: Yard) -> None:
    assert yard.run(IPC).ok
    look = "found = [libc.shmget(77777, 0, 0), libc.semget(77777, 0, 0), libc.msgget(77777, 0)]"
    assert yard.run(look).result == {"found": [-1, -1, -1]}
    assert yard.run("found = os.path.exists('/dev/shm/left')").result == {"found": False}

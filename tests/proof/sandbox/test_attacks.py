"""What hostile code in a run tries, and what comes of it."""

import os
import signal
import socket
import subprocess
import sys
import time
from select import POLLIN, poll

import pytest

from pennyproof.proof.worker import Limits, Status
from tests.proof.sandbox.attack import Attack, check
from tests.proof.sandbox.yard import JOBS, KEY, Yard, processes_with

ATTACKS = [
    Attack("read a file outside", "found = attempt(lambda: open(secret).read())"),
    Attack("list the folder outside", "found = attempt(lambda: os.listdir(os.path.dirname(secret)))"),
    Attack("look around at home", "found = sorted(os.listdir(os.path.expanduser('~')))", []),
    Attack("read a key from the environment", f"found = {KEY!r} in os.environ.values()", False),
    Attack(
        "read a key from the environment of every process",
        f"""
        found = 0
        for number in processes():
            try:
                found += {KEY!r}.encode() in open('/proc/%s/environ' % number, 'rb').read()
            except OSError:
                pass
        """,
        0,
    ),
    Attack("read the machine's accounts", "found = attempt(lambda: open('/etc/shadow').read())"),
    Attack(
        "read the memory of other processes",
        """
        found = [
            number
            for number in processes() if number != os.path.basename(os.path.realpath('/proc/self'))
            and attempt(lambda: os.close(os.open('/proc/%s/mem' % number, os.O_RDONLY))) != 'refused'
        ]
        """,
        [],
    ),
    Attack("trace its parent", "found = libc.ptrace(16, os.getppid(), None, None)", -1),
    Attack(
        "read the memory of its parent by a call",
        """
        class Piece(ctypes.Structure):
            _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]
        here, there = Piece(ctypes.addressof(ctypes.create_string_buffer(8)), 8), Piece(id(None), 8)
        found = libc.process_vm_readv(os.getppid(), ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
        """,
        -1,
    ),
    Attack("write outside", "found = attempt(lambda: open(os.path.dirname(secret) + '/new', 'w'))"),
    Attack("write where programs are", "found = attempt(lambda: open('/usr/bin/new', 'w'))"),
    Attack("write to the root folder", "found = attempt(lambda: open('/new', 'w'))"),
    Attack("write to the devices", "found = attempt(lambda: open('/dev/new', 'w'))"),
    Attack("write bytecode", "found = attempt(lambda: open(pycache + '/new', 'w'))"),
    Attack("change bytecode", "found = attempt(lambda: open(pycache + '/present', 'w'))"),
    Attack("set the kernel", "found = attempt(lambda: open('/proc/sys/kernel/core_pattern', 'r+'))"),
    Attack(
        "write into the work tree",
        """
        with open('module.py', 'w') as file:
            file.write('changed')
        os.unlink('package/__init__.py')
        open('new', 'w').close()
        found = open('module.py').read()
        """,
        "changed",
    ),
    Attack(
        "make the work tree writable",
        """
        MS_REMOUNT, MS_BIND = 32, 4096
        found = [libc.mount(None, path.encode(), None, MS_REMOUNT | MS_BIND, None) for path in (root, '/', '/usr')]
        """,
        [-1, -1, -1],
    ),
    Attack(
        "undo mounts",
        "found = [libc.umount2(path.encode(), 2) for path in (root, '/tmp', '/proc', '/dev/shm')]",
        [-1, -1, -1, -1],
    ),
    Attack("enter a user namespace", "found = libc.unshare(0x10000000)", -1),
    Attack(
        "enter a user namespace by clone",
        """
        clone = 56 if os.uname().machine == 'x86_64' else 220
        found = libc.syscall(ctypes.c_long(clone), ctypes.c_long(0x10000011), 0, 0, 0, 0)
        """,
        -1,
    ),
    Attack(
        "enter a user namespace by clone3",
        "found = libc.syscall(ctypes.c_long(435), ctypes.create_string_buffer(88), ctypes.c_long(88))",
        -1,
    ),
    Attack("enter another's namespace", "found = libc.setns(os.open('module.py', os.O_RDONLY), 0)", -1),
    Attack("gain capabilities", "found = libc.chroot(b'/tmp')", -1),
    Attack(
        "make a ring for calls that no filter sees",
        "found = libc.syscall(ctypes.c_long(425), ctypes.c_long(8), ctypes.create_string_buffer(120))",
        -1,
    ),
    Attack("load a program into the kernel", "found = libc.syscall(ctypes.c_long(321), 5, None, 0)", -1),
    Attack(
        "reach a distant address",
        "found = attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9)))",
    ),
    Attack("stop itself", "os._exit(0)", status=Status.CRASHED, found="exit code 0"),
    Attack("kill itself", "os.kill(os.getpid(), 9)", status=Status.CRASHED, found="SIGKILL"),
    Attack("crash the interpreter", "ctypes.string_at(0)", status=Status.CRASHED, found="SIGSEGV"),
    Attack("raise SystemExit", "raise SystemExit('enough')", status=Status.CRASHED, found="enough"),
    Attack(
        "run for ever",
        """
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        while True:
            pass
        """,
        status=Status.TIMEOUT,
        found="longer than 0.5 s",
        limits=Limits(wall=0.5),
    ),
    Attack(
        "close everything and run for ever",
        """
        os.closerange(0, 4096)
        while True:
            time.sleep(1)
        """,
        status=Status.CRASHED,
        found="before it answered",
        limits=Limits(wall=10),
    ),
    Attack(
        "use up the processor",
        "while True: pass",
        status=Status.CRASHED,
        found="SIG",
        limits=Limits(wall=30, cpu=0),
    ),
    Attack(
        "take 64 GB",
        """
        try:
            bytearray(64 << 30)
        except MemoryError:
            found = 'refused'
        """,
    ),
    Attack(
        "take memory bit by bit",
        """
        taken = []
        try:
            while True:
                taken.append(bytearray(1 << 20))
        except MemoryError:
            taken.clear()
            found = 'refused'
        """,
        limits=Limits(wall=60, memory=512 << 20),
        ended="took more than 512 MB of memory together",
    ),
    Attack(
        "print for ever",
        """
        def flood():
            while True:
                os.write(1, b'x' * 65536)
        found = attempt(flood)
        """,
        limits=Limits(wall=60, file_size=1 << 20),
    ),
    Attack(
        "fill the disk",
        """
        def fill():
            with open(os.path.join(context.scratch, 'big'), 'wb') as file:
                while True:
                    file.write(b'x' * 65536)
        found = attempt(fill)
        """,
        limits=Limits(wall=60, file_size=1 << 20),
    ),
    Attack(
        "fork without end",
        """
        while True:
            try:
                os.fork()
            except OSError:
                pass
        """,
        status=Status.CRASHED,
        found="processes",
        limits=Limits(wall=60, processes=40),
    )
    if os.geteuid() == 0
    else Attack(
        "fork without end",
        """
        def fork():
            while True:
                if os.fork() == 0:
                    signal.pause()
        found = attempt(fork)
        """,
        limits=Limits(wall=60, processes=40),
    ),
    Attack(
        "write an answer of its own to every descriptor",
        """
        for descriptor in range(3, 256):
            attempt(lambda: os.write(descriptor, b'{"status": "ok", "result": {"found": "forged"}}\\n' * 2))
        """,
        status=Status.FORGED,
        found="not",
    ),
    Attack(
        "write a frame of its own to every descriptor",
        """
        import struct
        body = b'R{"found": "forged"}'
        for descriptor in range(3, 256):
            attempt(lambda: os.write(descriptor, struct.pack('>Q32s', len(body), b'0' * 32) + body))
        os._exit(0)
        """,
        status=Status.FORGED,
        found="not signed",
    ),
    Attack(
        "promise an endless answer",
        """
        for descriptor in range(3, 256):
            attempt(lambda: os.write(descriptor, b'\\xff' * 64))
        """,
        status=Status.FORGED,
        found="longer than",
    ),
    Attack(
        "answer from a fork",
        """
        if os.fork() == 0:
            context.reply({'found': 'forged'})
            os._exit(0)
        os.wait()
        found = 'honest'
        """,
        "honest",
    ),
    Attack(
        "answer by itself, when it has got hold of what can",
        "context.reply({'found': 'forged'})",
        status=Status.CRASHED,
        found="meddled",
    ),
    Attack(
        "bend what the answer is made with",
        """
        import hashlib, json, hmac
        def bent(*arguments, **named):
            return b'bent'
        json.dumps = json.loads = json.JSONEncoder.encode = json.JSONEncoder.iterencode = bent
        json.encoder.c_make_encoder = hashlib.blake2b = hmac.new = hmac.digest = os.write = os.getpid = bent
        found = 'honest'
        """,
        "honest",
    ),
    Attack("kill the first process", "found = attempt(lambda: os.kill(1, 9))", "done", kinds=("bubblewrap",)),
    Attack("kill its parent", "found = attempt(lambda: os.kill(os.getppid(), 9))", kinds=("landlock",)),
    Attack(
        "kill everything",
        """
        attempt(lambda: os.kill(-1, 15))
        attempt(lambda: os.kill(-1, 9))
        found = 'alone'
        """,
        "alone",
        # Not tried where nothing but the sandbox under test would save the machine's other processes.
        kinds=("bubblewrap",),
    ),
    Attack(
        "serve on its own loopback",
        """
        server = socket.create_server(('127.0.0.1', 0))
        client = socket.create_connection(server.getsockname(), 5)
        client.sendall(b'heard')
        found = server.accept()[0].recv(9).decode()
        """,
        "heard",
        kinds=("bubblewrap",),
    ),
    Attack("open a socket", "found = attempt(lambda: socket.socket(socket.AF_UNIX))", kinds=("landlock",)),
    Attack("use a pair of sockets", "found = len(socket.socketpair())", 2),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(yard: Yard, attack: Attack) -> None:
    if yard.kind in attack.kinds:
        check(yard, attack)


OUTLIVE = """
first = os.fork()
if first == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 4096)
        os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(600)', token])
    os._exit(0)
os.waitpid(first, 0)
"""


@pytest.mark.parametrize("ending", ["found = 'answered'", "os._exit(3)", "while True: time.sleep(1)"])
def test_nothing_outlives_its_run(yard: Yard, ending: str) -> None:
    token = f"outlive-{yard.kind}-{os.getpid()}"
    yard.run(f"token = {token!r}\n{OUTLIVE}\n{ending}", limits=Limits(wall=1))
    # The next answer comes when the last run has been cleared away.
    assert yard.run("found = 1").ok
    assert processes_with(token) == []


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_the_machines_own_servers_hear_nothing(yard: Yard, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            server.listen()
        port = server.getsockname()[1]
        answer = yard.run(
            f"""
def speak():
    with socket.socket(socket.AF_INET, {int(kind)}) as client:
        client.connect(('127.0.0.1', {port}))
        client.send(b'secret')
        client.send(b'again')
found = attempt(speak)
"""
        )
        assert answer.ok
        heard = poll()
        heard.register(server, POLLIN)
        assert heard.poll(100) == []


OWNER = """
import sys
from pathlib import Path
from pennyproof.core.work import Cancel
from pennyproof.proof.sandbox import find_sandbox
from pennyproof.proof.worker import Limits, Nursery, Worker, WorkerSpec

kind, root, jobs, token = sys.argv[1:]
spec = WorkerSpec(root=Path(root), python=Path(sys.executable), plugins=False, jobs=Path(jobs))
worker = Worker(Nursery(find_sandbox(kind), spec))
with worker.prime(files={}, params={}, limits=Limits(wall=600), cancel=Cancel()) as primed:
    start = "import subprocess as s, sys; s.Popen([sys.executable, '-c', 'import time; time.sleep(600)', %r])"
    print(primed.ask({"code": start % token}, 60).status, flush=True)
    primed.ask({"code": "while True: pass"}, 600)
"""


def test_killing_the_owner_ends_everything(yard: Yard) -> None:
    token = f"owned-{yard.kind}-{os.getpid()}"
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, yard.kind, str(yard.root), str(JOBS), token],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with owner:
        try:
            assert owner.stdout
            assert owner.stdout.readline() == b"ok\n"
            # A program's command line is not there yet at the instant in which it starts.
            patience = time.monotonic() + 10
            while not (found := [process for process in processes_with(token) if process != owner.pid]):
                assert time.monotonic() < patience
            owned = [os.pidfd_open(process) for process in found]
        finally:
            owner.send_signal(signal.SIGKILL)
    for process in owned:
        ended = poll()
        ended.register(process, POLLIN)
        assert ended.poll(10_000), "a process outlived its owner by ten seconds"
        os.close(process)

"""Attacks on other processes and on the clocks, and what is left when a run has used up what it may."""

import os
import signal
from pathlib import Path

import pytest

from pennyproof.proof.worker import Limits, Status
from tests.proof.sandbox.attack import Attack, check
from tests.proof.sandbox.yard import Yard

HOST = os.getpid()
QUICK = Limits(wall=1)

ATTACKS = [
    Attack(
        "inherit descriptors",
        """
        found = []
        for descriptor in range(3, 4096):
            try:
                os.fstat(descriptor)
            except OSError:
                continue
            found.append(descriptor)
        found = len(found)
        """,
        1,  # The pipe for its answer.
    ),
    Attack(
        "open the descriptors of every process",
        """
        mine = str(os.getpid()), os.path.basename(os.path.realpath('/proc/self'))
        found = []
        for number in set(processes()).difference(mine):
            for descriptor in range(64):
                place = '/proc/%s/fd/%d' % (number, descriptor)
                for way in os.O_RDONLY, os.O_WRONLY, os.O_PATH:
                    if attempt(lambda: os.close(os.open(place, way))) != 'refused':
                        found.append(place)
        """,
        [],
    ),
    Attack(
        "write into the memory of the first process",
        "found = attempt(lambda: os.close(os.open('/proc/1/mem', os.O_RDWR)))",
    ),
    Attack("stop its parent", "found = attempt(lambda: os.kill(os.getppid(), signal.SIGSTOP))", ("refused", "done")),
    Attack(
        "signal the process that asked for it",
        f"found = attempt(lambda: os.kill({HOST}, 0))",
    ),
    Attack(
        "signal every number there can be",
        """
        found = 0
        mine = {os.getpid(), os.getppid(), 1}
        for number in range(2, 70000):
            if number not in mine and attempt(lambda: os.kill(number, 0)) != 'refused':
                found += 1
        """,
        0,
    ),
    Attack("signal its group", "signal.signal(15, signal.SIG_IGN); found = attempt(lambda: os.killpg(0, 15))", "done"),
    Attack(
        "ask a queue of signals to reach its parent",
        "found = libc.sigqueue(os.getppid(), 9, 0)",
        -1,
        kinds=("landlock",),
    ),
    Attack(
        "stop itself, and wait",
        "os.kill(os.getpid(), signal.SIGSTOP)",
        status=Status.TIMEOUT,
        found="longer",
        limits=QUICK,
    ),
    Attack(
        "stop everything it can",
        """
        os.fork()
        attempt(lambda: os.killpg(0, signal.SIGSTOP))
        """,
        status=Status.TIMEOUT,
        found="longer",
        limits=QUICK,
    ),
    Attack(
        "stop the clocks",
        """
        frozen = lambda *_: 0.0
        time.time = time.monotonic = time.perf_counter = time.sleep = frozen
        signal.setitimer = signal.alarm = frozen
        while True:
            pass
        """,
        status=Status.TIMEOUT,
        found="longer",
        limits=QUICK,
    ),
    Attack(
        "turn the clocks back",
        """
        time.time = time.monotonic = time.perf_counter = iter(range(10**9, 0, -1)).__next__
        found = 'honest'
        """,
        "honest",
    ),
    Attack(
        "set the clock",
        "found = attempt(lambda: time.clock_settime(time.CLOCK_REALTIME, 0))",
    ),
    Attack(
        "take every alarm for itself",
        """
        for number in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGTERM, signal.SIGXCPU):
            signal.signal(number, lambda *_: None)
        for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)
        while True:
            pass
        """,
        status=Status.TIMEOUT,
        found="longer",
        limits=QUICK,
    ),
    Attack(
        "outlive its deadline in another session",
        """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.setsid()
                while True:
                    time.sleep(1)
            os._exit(0)
        time.sleep(600)
        """,
        status=Status.TIMEOUT,
        found="longer",
        limits=QUICK,
    ),
    Attack(
        "fork faster than it is killed",
        """
        def chain():
            while True:
                if os.fork():
                    os._exit(0)
                os.setsid()
        if os.fork() == 0:
            chain()
        found = 'answered'
        """,
        "answered",
    ),
    Attack(
        "fork while it talks",
        """
        answers = next(number for number in range(3, 4096) if attempt(lambda: os.fstat(number)) != 'refused')
        if os.fork() == 0:
            while True:
                try:
                    if os.fork() == 0:
                        signal.pause()
                except OSError:
                    time.sleep(0.01)
        os.write(answers, b'\\x00\\x00\\x00\\x00\\x03')  # The length of an answer that takes its time.
        while True:
            os.write(answers, b'\\x00')
            time.sleep(0.02)
        """,
        status=Status.CRASHED if os.geteuid() == 0 else Status.FORGED,
        found="processes" if os.geteuid() == 0 else "not",
        limits=Limits(wall=60, processes=40),
    ),
    Attack(
        "start threads without end",
        """
        import threading
        def start():
            while True:
                try:
                    threading.Thread(target=signal.pause, daemon=True).start()
                except RuntimeError:
                    return
        threading.stack_size(1 << 16)
        start()
        found = 'refused'
        """,
        "refused",
        limits=Limits(wall=30, processes=60),
        kinds=() if os.geteuid() == 0 else ("bubblewrap", "landlock"),
    ),
    Attack(
        "take memory by many processes",
        """
        for _ in range(30):
            if os.fork() == 0:
                taken = bytearray(b'x') * (40 << 20)
                time.sleep(60)
        time.sleep(60)
        """,
        status=Status.CRASHED,
        found="memory",
        limits=Limits(wall=60, memory=512 << 20),
    ),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(yard: Yard, attack: Attack) -> None:
    if yard.kind in attack.kinds:
        check(yard, attack)


def test_two_runs_do_not_see_each_other(yard: Yard) -> None:
    """Nor does one that waits for its request: it is there already while another works."""
    found = yard.run("found = [number for number in processes() if attempt(lambda: os.kill(int(number), 0)) == 'done']")
    known = {str(os.getpid()), "1"}
    assert found.ok
    assert len(set(found.result["found"]) - known) <= 1  # Only itself.


def test_the_host_was_not_signalled(yard: Yard) -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: received.append(number))
    try:
        yard.run("for number in processes() or range(2, 5000): attempt(lambda: os.kill(int(number), signal.SIGUSR1))")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert received == []
    assert Path("/proc/self/stat").exists()

"""Attacks on files: links that lead elsewhere, and things left for those who come later."""

import os
import socket
from pathlib import Path

import pytest

from pennyproof.proof.worker import Limits, Status
from tests.proof.sandbox.attack import Attack, check
from tests.proof.sandbox.yard import Yard

ATTACKS = [
    Attack(
        "read through a link in the work tree",
        "os.symlink(secret, 'link'); found = attempt(lambda: open('link').read())",
    ),
    Attack(
        "write through a link in the work tree",
        "os.symlink(os.path.dirname(secret), 'link'); found = attempt(lambda: open('link/new', 'w'))",
    ),
    Attack(
        "write through a link in the scratch folder",
        """
        place = os.path.join(context.scratch, 'link')
        os.symlink(os.path.dirname(secret), place)
        found = attempt(lambda: open(place + '/new', 'w'))
        """,
    ),
    Attack(
        "put links where folders were",
        """
        import shutil
        shutil.rmtree('package')
        os.symlink(os.path.dirname(secret), 'package')
        os.unlink('module.py')
        os.symlink(secret, 'module.py')
        found = attempt(lambda: open('module.py').read())
        """,
    ),
    Attack(
        "exchange folders for links while they are removed",
        """
        import threading
        target = os.path.dirname(secret)
        a, b, c = 'race/inner', 'held', 'trap'
        os.makedirs('race/inner', exist_ok=True)
        os.symlink(target, 'trap')
        if os.fork() == 0:
            os.setsid()
            while True:
                for move in (a, b), (c, a), (a, c), (b, a):
                    attempt(lambda: os.rename(*move))
        found = 'running'
        """,
        "running",
    ),
    Attack(
        "make the work tree a link",
        """
        found = [
            attempt(lambda: os.rename(root, root + '-moved')), attempt(lambda: os.rename('.', 'moved')),
            attempt(lambda: os.symlink('/', root)), attempt(lambda: os.rmdir(root)),
        ]
        """,
        ["refused"] * 4,
    ),
    Attack(
        "link to a file outside for good",
        "found = attempt(lambda: os.link(secret, 'hard'))",
    ),
    Attack(
        "link to a program for good, and change it",
        "found = attempt(lambda: os.link('/usr/bin/env', 'env'))",
    ),
    Attack(
        "leave a folder that nobody may enter",
        """
        os.makedirs('locked/inner')
        open('locked/inner/file', 'w').close()
        os.chmod('locked/inner', 0)
        os.chmod('locked', 0)
        place = os.path.join(context.scratch, 'locked')
        os.makedirs(place + '/inner')
        os.chmod(place + '/inner', 0)
        os.chmod(place, 0)
        os.chmod('package', 0)
        found = 'left'
        """,
        "left",
    ),
    Attack(
        "leave folders too deep to remove",
        """
        for place in (context.root, context.scratch):
            os.chdir(place)
            for _ in range(1500):
                os.mkdir('deep' * 5)
                os.chdir('deep' * 5)
        os.chdir(context.root)
        found = 'left'
        """,
        "left",
    ),
    Attack(
        "leave names that are no text",
        """
        for place in (b'.', os.fsencode(context.scratch)):
            open(os.path.join(place, b'\\xff\\xfe\\n$(touch x)'), 'w').close()
            os.mkfifo(os.path.join(place, b'fifo'))
        found = 'left'
        """,
        "left",
    ),
    Attack(
        "leave a socket",
        "socket.socket(socket.AF_UNIX).bind('left'); found = 'left'",
        "left",
        kinds=("bubblewrap",),
    ),
    Attack(
        "leave code for the interpreter's next start",
        """
        import site, sysconfig
        places = {*sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages(), sys.prefix}
        def write(place):
            with open(os.path.join(place, 'left.pth'), 'w') as file:
                file.write('import os')
        found = sorted(
            place for place in places
            if attempt(lambda: write(place)) == 'done' and not place.startswith((context.scratch, '/tmp/'))
        )
        """,
        [],
    ),
    Attack(
        "leave bytecode",
        """
        import importlib.util
        cached = importlib.util.cache_from_source(os.path.join(context.root, 'module.py'))
        found = [
            attempt(lambda: os.makedirs(os.path.dirname(cached))), attempt(lambda: open(cached, 'wb')),
            attempt(lambda: os.unlink(pycache + '/present')), attempt(lambda: os.rename(pycache, pycache + '2')),
        ]
        """,
        ["refused"] * 4,
    ),
    Attack(
        "leave a git hook",
        """
        os.makedirs('.git/hooks')
        with open('.git/hooks/pre-commit', 'w') as file:
            file.write('#!/bin/sh')
        with open('.git/config', 'w') as file:
            file.write('[core] fsmonitor = evil')
        found = 'left'
        """,
        "left",
    ),
    Attack(
        "leave something at home",
        """
        with open(os.path.expanduser('~/.bashrc'), 'w') as file:
            file.write('evil')
        found = os.path.realpath(os.path.expanduser('~')).startswith(os.path.realpath(context.scratch))
        """,
        True,
    ),
    Attack(
        "leave something at the user's real home",
        f"found = attempt(lambda: open({str(Path.home() / '.pennyproof-attack')!r}, 'w'))",
    ),
    Attack(
        "fill the disk with many files",
        """
        def fill():
            for number in range(10**6):
                with open(os.path.join(context.scratch, str(number)), 'wb') as file:
                    file.write(b'x' * (1 << 20))
        found = attempt(fill)
        """,
        kinds=("bubblewrap",),
    ),
    Attack(
        "fill the disk with many files, in a copy",
        """
        for number in range(160):
            with open(os.path.join(context.scratch, str(number)), 'ab') as file:
                file.write(b'x' * (1 << 20))
        time.sleep(60)
        """,
        status=Status.CRASHED,
        found="to the disk",
        limits=Limits(wall=60, file_size=32 << 20),
        kinds=("landlock",),
    ),
    Attack(
        "use up the names of files",
        """
        def fill():
            for number in range(10**6):
                os.mkdir(os.path.join(context.scratch, str(number)))
        found = attempt(fill)
        """,
        kinds=("bubblewrap",),
    ),
    Attack("use a terminal", "found = attempt(lambda: open('/dev/tty', 'w'))"),
    Attack(
        "type on its terminal",
        "import fcntl, termios; found = attempt(lambda: fcntl.ioctl(0, termios.TIOCSTI, b'x'))",
    ),
    Attack(
        "read the disk",
        """
        names = 'sda', 'vda', 'nvme0n1', 'mem', 'kmsg', 'fuse', 'kvm'
        found = [name for name in names if attempt(lambda: open('/dev/' + name, 'rb')) != 'refused']
        """,
        [],
    ),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(yard: Yard, attack: Attack) -> None:
    if yard.kind in attack.kinds:
        check(yard, attack)


def test_a_changed_file_does_not_follow_a_link_outside(yard: Yard) -> None:
    """The link lies in the project itself: what comes with the request must not be written where it leads."""
    link = yard.root / "out"
    link.symlink_to(yard.secret.parent)
    try:
        answer = yard.run("found = 1", files={"out/secret": b"overwritten"})
        assert answer.status is Status.ERROR
        assert yard.secret.read_text() == "secret"
    finally:
        link.unlink()


def test_a_socket_in_the_project_hears_nothing(yard: Yard) -> None:
    place = yard.root / "door"
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(yard.root, os.O_RDONLY)  # The path is too long for the address of a socket.
        try:
            server.bind(f"/proc/self/fd/{here}/door")
            server.listen()
            knock = "attempt(lambda: socket.socket(socket.AF_UNIX).connect('door'))"
            assert yard.run(f"found = {knock}").result == {"found": "refused"}
        finally:
            os.close(here)
            place.unlink()


def test_the_host_has_no_name_for_an_abstract_socket(yard: Yard) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0pennyproof-{os.getpid()}")
        server.listen()
        knock = f"attempt(lambda: socket.socket(socket.AF_UNIX).connect('\\0pennyproof-{os.getpid()}'))"
        assert yard.run(f"found = {knock}").result == {"found": "refused"}


@pytest.mark.parametrize(
    "asked", ["socket.getaddrinfo('example.org', 80)", "socket.gethostbyname('localhost.example')"]
)
def test_no_name_is_looked_up(yard: Yard, asked: str) -> None:
    assert yard.run(f"found = attempt(lambda: {asked})", limits=Limits(wall=60)).result == {"found": "refused"}

"""What the kernel refuses, and what is said of it: by a table, and for real where this machine can play it."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pennyproof.proof.sandbox import kernel, unsharing
from pennyproof.proof.sandbox.kernel import Facts, Obstacle, Refusal, explain

SCRIPT = str(unsharing.__file__)
TRY = [sys.executable, "-I", "-S", SCRIPT]

CASES = [
    (Refusal("user", errno.EPERM), Facts(clone_forbidden=True), "to all but root", "unprivileged_userns_clone=1"),
    (Refusal("user", errno.ENOSPC), Facts(), "number is limited", "max_user_namespaces"),
    (Refusal("user", errno.EPERM), Facts(chroot=True), "chroot", "outside"),
    (Refusal("mount", errno.EACCES), Facts(apparmor=True), "Ubuntu", "apparmor_restrict_unprivileged_userns=0"),
    (Refusal("map", errno.EPERM), Facts(apparmor=True), "Ubuntu", "apparmor_restrict_unprivileged_userns=0"),
    (Refusal("user", errno.EPERM), Facts(container=True, filtered=True), "this container", "seccomp=unconfined"),
    (Refusal("user", errno.EPERM), Facts(apparmor=True, container=True, root=True), "this container", "seccomp="),
    (Refusal("proc", errno.EPERM), Facts(container=True), "parts of /proc are hidden", "systempaths=unconfined"),
    (Refusal("user", errno.EPERM), Facts(filtered=True), "seccomp filter", "another sandbox"),
    (Refusal("others", errno.EPERM), Facts(), "are refused (EPERM)", "whoever runs this machine"),
    (Refusal("start", 0), Facts(container=True), "cannot be started", "this user may run it"),
]


@pytest.mark.parametrize(("refused", "facts", "what", "remedy"), CASES)
def test_what_is_said(refused: Refusal, facts: Facts, what: str, remedy: str) -> None:
    obstacle = explain(refused, facts)
    assert what in obstacle.what
    assert remedy in obstacle.remedy


def test_each_cause_has_a_sentence_of_its_own() -> None:
    told = {explain(refused, facts) for refused, facts, _, _ in CASES}
    assert len({obstacle.what for obstacle in told}) >= len(CASES) - 2


@pytest.mark.parametrize(("version", "what"), [(0, "no Landlock"), (2, "too old"), (3, None), (7, None)])
def test_landlock(version: int, what: str | None) -> None:
    obstacle = kernel.no_landlock(version)
    assert obstacle == what or (isinstance(obstacle, Obstacle) and str(what) in obstacle.what)


def test_facts_are_read_from_the_system(tmp_path: Path) -> None:
    files = {
        "proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n",
        "proc/sys/kernel/unprivileged_userns_clone": "0\n",
        "proc/sys/user/max_user_namespaces": "0\n",
        "proc/self/status": "Name:\tpython\nSeccomp:\t2\n",
        "proc/self/mountinfo": "21 1 0:20 / /proc rw - proc proc rw\n",
        ".dockerenv": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    root = os.geteuid() == 0
    assert Facts.read(tmp_path) == Facts(True, True, True, True, True, True, root)
    assert Facts.read(tmp_path / "proc") == Facts(root=root)


FILTER = """
import os, sys
sys.path.insert(0, {server!r})
from pennyproof.proof.inside import libc, seccomp
libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
seccomp.install()
{then}
"""
EXECUTE = f"os.execv(sys.executable, [sys.executable, '-I', '-S', {SCRIPT!r}])"
FIND = """
from pennyproof.errors import NoSandbox
from pennyproof.proof.sandbox import find_sandbox
try:
    find_sandbox("bubblewrap")
except NoSandbox as error:
    print(error, find_sandbox("auto").kind)
"""
SERVER = str(Path(unsharing.__file__).parents[3])
NONE_LEFT = f"echo 0 > /proc/sys/user/max_user_namespaces && exec {' '.join(TRY)}"
HIDDEN = (
    *("bwrap", "--dev-bind", "/", "/", "--unshare-user", "--unshare-pid", "--cap-add", "ALL"),
    *("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"),
)
CHROOT = "mount --rbind / {0} && exec chroot {0} " + " ".join(TRY)


def tried(command: Sequence[str]) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    if kernel.refusal():
        pytest.skip("there are no user namespaces here to take away")


def test_nothing_is_refused_here() -> None:
    assert tried(TRY) == "null"
    assert kernel.no_namespaces() is None


def test_a_filter_refuses() -> None:
    assert tried([sys.executable, "-c", FILTER.format(server=SERVER, then=EXECUTE)]) == '{"step": "user", "error": 1}'


def test_where_a_filter_refuses_the_other_sandbox_is_used_and_the_reason_told() -> None:
    told = tried([sys.executable, "-c", FILTER.format(server=SERVER, then=FIND)])
    filtered = replace(Facts.read(), filtered=True)
    assert str(explain(Refusal("user", errno.EPERM), filtered)) in told
    assert told.endswith(" landlock")


def test_none_are_left() -> None:
    told = tried(["unshare", "--user", "--map-root-user", "sh", "-c", NONE_LEFT])
    assert told == f'{{"step": "user", "error": {errno.ENOSPC}}}'


def test_parts_of_proc_are_hidden() -> None:
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap is missing")
    assert tried([*HIDDEN, *TRY]) == '{"step": "proc", "error": 1}'


def test_in_a_chroot(tmp_path: Path) -> None:
    told = tried(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", CHROOT.format(tmp_path)])
    assert told == '{"step": "user", "error": 1}'


def test_as_nobody() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become nobody")
    script = Path(SCRIPT).read_text("utf-8")  # Nobody may not be allowed to look into the folder of the source.
    python = str(Path(sys.executable).resolve())
    command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", python, "-I", "-S", "-c", script]
    assert tried(command) == "null"

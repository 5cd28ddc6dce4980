"""The processes there are, and which of them descend from which (Linux)."""

from __future__ import annotations

import os
from typing import Collection, Dict, Iterator, List, NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Process(NamedTuple):
    """One process, by the numbers of the namespace that ``/proc`` shows."""

    process: int
    parent: int
    threads: int
    user: int
    resident: int
    """Bytes in memory, those included that it shares with others."""


def all_processes() -> Iterator[Process]:
    """Every process that can be seen."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, "rb") as file:
                    # The command, in parentheses, may hold anything.
                    fields = file.read().rpartition(b")")[2].split()
                    user = os.fstat(file.fileno()).st_uid
                    yield Process(int(name), int(fields[1]), int(fields[17]), user, int(fields[21]) * _PAGE)
            except (FileNotFoundError, ProcessLookupError):  # it has ended
                continue


def descendants(ancestor: int, without: Collection[int] = ()) -> Dict[int, Process]:
    """Everything that descends from a process, by number, except for ``without`` and what descends from these."""
    children: Dict[int, List[Process]] = {}
    for found in all_processes():
        if found.process not in without:
            children.setdefault(found.parent, []).append(found)
    members: Dict[int, Process] = {}
    ahead = [ancestor]
    while ahead:
        for child in children.get(ahead.pop(), ()):
            if child.process not in members:
                members[child.process] = child
                ahead.append(child.process)
    return members

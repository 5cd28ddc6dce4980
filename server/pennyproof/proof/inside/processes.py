"""The processes there are, and which of them descend from which (Linux)."""

from __future__ import annotations

import os
from typing import Collection, Dict, Iterator, NamedTuple, Set


class Process(NamedTuple):
    """One process, by the numbers of the namespace that ``/proc`` shows."""

    process: int
    parent: int
    threads: int
    user: int


def all_processes() -> Iterator[Process]:
    """Every process that can be seen."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, "rb") as file:
                    # The command, in parentheses, may hold anything.
                    fields = file.read().rpartition(b")")[2].split()
                    yield Process(int(name), int(fields[1]), int(fields[17]), os.fstat(file.fileno()).st_uid)
            except (FileNotFoundError, ProcessLookupError):  # it has ended
                continue


def descendants(ancestor: int, without: Collection[int] = ()) -> Set[int]:
    """Everything that descends from a process, except for ``without`` and what descends from these."""
    children: Dict[int, Set[int]] = {}
    for found in all_processes():
        if found.process not in without:
            children.setdefault(found.parent, set()).add(found.process)
    members: Set[int] = set()
    ahead = [ancestor]
    while ahead:
        new = children.get(ahead.pop(), set()) - members
        members |= new
        ahead += new
    return members

"""Runs one job without a sandbox: the stand-in for the fork server's child. Called with the interpreter under test.

Usage: child.py INSIDE ROOT SCRATCH JOB, requests as lines of JSON on stdin; answers likewise on stdout.
"""

import importlib.util
import json
import os
import sys


class Context:
    def __init__(self, root, scratch):
        self.root, self.scratch = root, scratch
        # What the tests print must not get between the answers.
        self._requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
        self._answers = os.dup(1)
        self._pid = os.getpid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2) if "PENNYPROOF_TEST_LOUD" not in os.environ else (0, 1):
            os.dup2(quiet, descriptor)

    def receive(self):
        line = self._requests.readline()
        return json.loads(line) if line else None

    def reply(self, answer):
        if os.getpid() == self._pid:
            data = json.dumps(answer).encode() + b"\n"
            while data:
                data = data[os.write(self._answers, data) :]

    def error(self, reason):
        self.reply({"job error": reason})

    def detach(self):
        os.close(self._answers)
        os.close(self._requests.fileno())


def load(inside):
    spec = importlib.util.spec_from_file_location(
        "inside_under_test", inside + "/__init__.py", submodule_search_locations=[inside]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = package
    spec.loader.exec_module(package)
    return importlib.import_module("inside_under_test.jobs")


def main(inside, root, scratch, job):
    sys.path.pop(0)
    jobs = load(inside)
    os.chdir(root)
    context = Context(root, scratch)
    jobs.prepare()
    result = jobs.JOBS[job](context.receive(), context)
    if result is not None:
        context.reply(result)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

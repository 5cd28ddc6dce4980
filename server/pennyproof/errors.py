"""What can go wrong, as one tree.

PennyproofError
├── UsageError             the request makes no sense: exit code 2, LSP InvalidParams
│   ├── OutsideRoot        a file that does not lie in the workspace
│   ├── UnknownTest        a test id that does not exist
│   └── BadDiff            a diff that does not apply
├── EnvironmentProblem     the project or machine cannot do it: exit code 2, LSP RequestFailed
│   ├── NoInterpreter      no Python for the project
│   ├── NoPytest           the project's Python has no pytest
│   ├── NoTests            nothing to run
│   ├── NoSandbox          nothing runs until ``proof.sandbox`` is ``off``
│   ├── Untrusted          the user has not trusted the workspace
│   ├── NoModel            there is no hosted model to ask
│   └── WorkerLost         the fork server ended and could not be started again
├── UnreadableSource       bytes that are no text
├── BlockError             a model's edit that does not apply: told to the model, which is asked again
└── Cancelled              the user, or the client, asked to stop

Every message is one line that says what happened and what to do about it; BlockError's, which no user sees, may go on
with lines of the file.
"""


class PennyproofError(Exception):
    """Anything this package raises on purpose."""


class UsageError(PennyproofError):
    """The request makes no sense as it stands."""


class OutsideRoot(UsageError):
    """A file that does not lie in the workspace."""


class UnknownTest(UsageError):
    """A test id that does not exist."""


class BadDiff(UsageError):
    """A diff that cannot be read or does not apply."""


class EnvironmentProblem(PennyproofError):
    """The project or this machine cannot do what was asked."""


class NoInterpreter(EnvironmentProblem):
    """No Python interpreter for the project."""


class NoPytest(EnvironmentProblem):
    """The project's interpreter cannot import pytest."""


class NoTests(EnvironmentProblem):
    """The project has no tests to run."""


class NoSandbox(EnvironmentProblem):
    """There is no sandbox here, and running without one was not asked for."""


class Untrusted(EnvironmentProblem):
    """The user has not trusted the workspace."""


class NoModel(EnvironmentProblem):
    """There is no hosted model to ask: no key, say."""


class WorkerLost(EnvironmentProblem):
    """The fork server ended and could not be started again."""


class UnreadableSource(PennyproofError):
    """A file that cannot be read as text, or an edit its encoding cannot write."""


class BlockError(PennyproofError):
    """A model's edit that cannot be read or does not apply; the message is for the model."""


class Cancelled(PennyproofError):
    """Asked to stop."""

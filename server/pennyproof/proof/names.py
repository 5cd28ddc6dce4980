"""The gate ``names``: an edit may not use a name that nothing binds."""

from pennyproof.proof.lint import UNRESOLVED, Finding, Linter


def new_unresolved_name(linter: Linter, path: str, before: str, after: str) -> Finding | None:
    """The first name that is unresolved in ``after`` and not already in ``before``.

    Names are compared, not counted: one that the file uses unresolved as it stands comes from somewhere that cannot
    be seen (``_`` of gettext, say), and may be used again.
    """
    found = [finding for finding in linter.findings(path, after) if finding.code == UNRESOLVED]
    if not found:
        return None
    known = {finding.message for finding in linter.findings(path, before) if finding.code == UNRESOLVED}
    return next((finding for finding in found if finding.message not in known), None)

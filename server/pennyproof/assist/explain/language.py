"""In which language the user reads."""

import re
from collections.abc import Mapping

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def language_tag(locale: str | None) -> str:
    """The language tag of a locale, as LSP or an environment writes it; English where it says nothing."""
    name = (locale or "").partition(".")[0].partition("@")[0].replace("_", "-")
    return name if _TAG.fullmatch(name) and name.lower() != "posix" else "en"


def locale_of(environ: Mapping[str, str]) -> str | None:
    """The locale for messages that an environment names, by the order of POSIX."""
    return next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), None)

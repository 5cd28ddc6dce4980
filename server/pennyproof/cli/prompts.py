"""What would be sent: for ``doctor --show-prompt``, which sends nothing."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pennyproof.assist.complete import Place
from pennyproof.assist.complete.completer import completion_request
from pennyproof.assist.complete.shape import shape_at
from pennyproof.assist.report import JsonObject
from pennyproof.cli.output import Style, styled
from pennyproof.context.ignored import Ignored
from pennyproof.core.positions import LineIndex
from pennyproof.core.snapshots import Snapshot
from pennyproof.errors import UsageError
from pennyproof.settings import Settings
from pennyproof.tiers.hosted.requests import fim_wire
from pennyproof.tiers.hosted.routes import route

_PLACE = re.compile(r"(?P<file>.+):(?P<line>[0-9]+)")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request, as it would be sent."""

    path: str
    url: str
    body: dict[str, Any] | None
    """``None``: nothing, as the file is ignored."""

    def as_json(self) -> JsonObject:
        """The same for programs."""
        return {"path": self.path, "url": self.url, "body": self.body}

    def __str__(self) -> str:
        if self.body is None:
            return f"{self.path} is ignored: no model gets to see anything of it"
        parts = [styled(f"A completion at the end of this line would send to {self.url}", Style.BOLD)]
        for name, value in self.body.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            parts.append(f"{styled(name, Style.CYAN)}{f':{chr(10)}{text}' if chr(10) in text else f': {text}'}")
        return "\n".join(parts)


def prompt_at(root: Path, settings: Settings, text: str) -> Prompt:
    """What a completion at the end of a line would send.

    Args:
        root: The workspace folder.
        settings: Which model is asked, and which files are ignored.
        text: ``FILE:LINE``, from one.

    Raises:
        UsageError: There is no such place.
        ProviderError: The provider cannot fill gaps.
    """
    place = _place(Snapshot(root), text)
    way = route(settings.model, settings.model.fast)
    wire = fim_wire(
        replace(completion_request(place, shape_at(place, settings.completion.multiline)), model=way.model),
        way.provider.able,
    )
    url = way.provider.endpoint.url.rstrip("/") + wire.path
    ignored = Ignored(root, settings.context.ignore)(place.path)
    return Prompt(place.path, url, None if ignored else json.loads(wire.body))


def _place(snapshot: Snapshot, text: str) -> Place:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is not FILE:LINE")
    file = Path(found["file"])
    # What a shell completes is relative to the current folder; what tools print is relative to the root.
    path = snapshot.relative(file.resolve() if file.exists() else file)
    source = snapshot.read(path)
    if source is None:
        raise UsageError(f"{path}: no such file in {snapshot.root}")
    index, line = LineIndex(source.text), int(found["line"])
    if not 1 <= line <= len(index):
        raise UsageError(f"{path} has lines 1 to {len(index)}; {line} is not among them")
    return Place(path, index, index.starts[line - 1] + len(index.line(line - 1)))

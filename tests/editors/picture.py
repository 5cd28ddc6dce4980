"""Pictures of terminals for the documentation: what a ``Screen`` shows with its colours, as a small SVG."""

import io
import os
import re
from pathlib import Path

_LARGEST = 60_000
"""Bytes; a page with several pictures is still quick to load."""

_UNKNOWN = re.compile(r"\x1b\[58[;:\d]*m|(?<=\x1b\[4):\d")
"""Colours and kinds of underlines, whose numbers are taken for other attributes."""

_TEMPLATE = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px
}}
.{unique_id}-title {{ font-family: system-ui, sans-serif; font-size: 18px; font-weight: bold }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""As rich's own, but with fonts that readers have: nothing is fetched by who looks at it."""


def wanted() -> bool:
    """Whether this run makes pictures, as ``PENNYPROOF_PICTURES=1`` asks; others leave the checkout alone."""
    return os.environ.get("PENNYPROOF_PICTURES") == "1"


def save(colours: str, path: Path, title: str) -> None:
    """Write a picture, where this run makes some.

    Args:
        colours: The text with its escape sequences, as of ``Screen.colours``.
        path: Where the SVG is written.
        title: Shown above the text.
    """
    if wanted():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(draw(colours, title), "utf-8")


def draw(colours: str, title: str) -> str:
    """The picture as an SVG; the same text gives the same bytes.

    Raises:
        ValueError: It is too large for a page.
    """
    from rich.ansi import AnsiDecoder  # noqa: PLC0415 (only runs that make pictures need it)
    from rich.console import Console  # noqa: PLC0415
    from rich.terminal_theme import SVG_EXPORT_THEME  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    # One decoder for all lines: what is bold at the end of one stays bold in the next.
    text = Text("\n").join(AnsiDecoder().decode(_UNKNOWN.sub("", colours).rstrip()))
    width = max(line.cell_len for line in text.split("\n"))
    console = Console(
        record=True,
        file=io.StringIO(),
        width=width,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.print(text, no_wrap=True, crop=False, overflow="ignore", highlight=False)
    drawn = console.export_svg(title=title, theme=SVG_EXPORT_THEME, code_format=_TEMPLATE, unique_id="s")
    drawn = "\n".join(line.strip() for line in drawn.splitlines() if line.strip()) + "\n"
    if len(drawn.encode()) > _LARGEST:
        raise ValueError(f"{title}: {len(drawn.encode())} bytes are too many for a picture")
    return drawn

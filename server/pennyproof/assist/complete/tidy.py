"""From what a model wrote into a gap to what may be put there.

Models go on where they should end, repeat what stands before the cursor, and write once more what follows it.
"""

import re
from collections.abc import Iterator, Sequence

from pennyproof.assist.complete.place import Place
from pennyproof.assist.complete.shape import Shape

_LEAKED = re.compile(r"<[|｜][^<>\n]{1,40}[|｜]>")
"""Control tokens, which a provider should have taken out."""
_CLOSES = {")": "(", "]": "[", "}": "{"}
_SHORTEST_REPETITION = 4
"""Characters; less may well be meant to stand there twice."""
_MOST_ALIKE = 3
"""Equal lines in a row, from which on a model only repeats itself."""


def tidy(place: Place, shape: Shape, written: str, *, is_whole: bool = True) -> str:
    """The text to put in at the cursor; empty where nothing is left.

    Args:
        place: Where the cursor is.
        shape: What the model was asked for.
        written: What it wrote.
        is_whole: Whether it was done; of what broke off, the last line is left out.
    """
    text = _LEAKED.split(written, maxsplit=1)[0].replace("\r\n", "\n")
    if not is_whole:
        text = text[: max(text.rfind("\n"), 0)]
    text = _without_repeated_prefix(place, text)
    if shape.several_lines:
        text = _without_what_follows(place, text[: end_of_block(place, text)])
    else:
        text = _without_rest_of_line(text.partition("\n")[0], place.after)
    text = text.rstrip() if not place.after.strip() else text
    return text.replace("\n", place.newline) if text.strip() else ""


def end_of_block(place: Place, text: str) -> int:
    """Where the block that a model writes ends: before a line that is indented less than the block's first.

    What stands at the left margin has no such line; it ends at a blank line that something unindented follows. A model
    that writes the same line again and again is done after the first.
    """
    block: int | None = None
    run, run_end, alike, after_blank = "", 0, 0, False
    for start, line in _lines(text):
        whole = place.before + line if start == 0 else line
        if not whole.strip():
            after_blank = True
            continue
        indent = len(whole) - len(whole.lstrip())
        if start > 0 or not place.before.strip():
            if block is None:
                block = indent
            elif indent < block or (after_blank and indent == block == 0):
                return start
        end, after_blank = start + len(line), False
        if line != run:
            run, run_end, alike = line, end, 1
        elif end < len(text):  # Of a line that is still being written nobody knows what it will be.
            alike += 1
            if alike == _MOST_ALIKE:
                return run_end
    return len(text)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines and where they begin."""
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1


def _without_repeated_prefix(place: Place, text: str) -> str:
    """Without the beginning of the cursor's line, where the model wrote it once more."""
    begun = place.before.strip()
    if len(begun) >= _SHORTEST_REPETITION and text.lstrip().startswith(begun):
        rest = text.lstrip()[len(begun) :]
        return rest.lstrip() if place.before.endswith((" ", "\t")) else rest
    if place.before and not begun and _is_deep_enough(place):
        return text.lstrip(" \t")  # The indentation is there already.
    return text


def _is_deep_enough(place: Place) -> bool:
    """Whether a line that is blank up to the cursor may not be indented any further."""
    above = next((line for line in _lines_above(place) if line.strip()), "")
    indent = len(above) - len(above.lstrip())
    opens = above.partition("#")[0].rstrip().endswith((":", "(", "[", "{", "\\", ","))
    return len(place.before) > indent if opens else len(place.before) >= indent


def _lines_above(place: Place) -> Iterator[str]:
    return map(place.index.line, range(place.line - 1, -1, -1))


def _without_rest_of_line(text: str, rest: str) -> str:
    """Without the end that is what follows the cursor: closing brackets and quotes that an editor put there.

    It only is that where the brackets are even without it: ``len(x)`` before ``)`` needs its own.
    """
    rest = rest.rstrip()
    lengths = range(min(len(rest), len(text)), 0, -1)
    overlaps = (text[:-length] for length in lengths if text.endswith(rest[:length]))
    return next((shorter for shorter in overlaps if _is_even(shorter)), text)


def _is_even(text: str) -> bool:
    """Whether every bracket that is opened is closed, and the other way round; quotes are passed over."""
    opened: list[str] = []
    quote = ""
    for character in re.sub(r"\\.", "", text):
        if quote or character in "\"'":
            quote = "" if character == quote else quote or character
        elif character in "([{":
            opened.append(character)
        elif character in _CLOSES and (not opened or opened.pop() != _CLOSES[character]):
            return False
    return not opened


def _without_what_follows(place: Place, text: str) -> str:
    """Up to a line that is the one that follows the cursor's: from there on the model writes what is there already."""
    below = _next_line(place)
    if not below:
        return text
    lines = text.split("\n")
    whole = [place.before + lines[0], *lines[1:]]
    last = len(lines) - 1
    for at, line in enumerate(whole):
        # A line of brackets alone says little: many blocks have one inside.
        if line.rstrip() == below and (at == last or re.search(r"\w", line)):
            return "\n".join(lines[:at])
    return text


def _next_line(place: Place) -> str:
    below: Sequence[int] = range(place.line + 1, len(place.index))
    return next((line for line in (place.index.line(at).rstrip() for at in below) if line), "")

"""When nobody is asked for a completion, unless the user asked for it: where most of them would only disturb."""

from pennyproof.assist.complete.place import Place

_CLOSING = ")]}"


def why_not_ask(place: Place) -> str | None:
    """Why an automatic request at this place is left aside, in words for the log; ``None``: it is not."""
    before, after = place.before, place.after
    if not place.text.strip():
        return "the file is empty"
    if after[:1].isidentifier() or after[:1].isdigit():
        return "the cursor is in or before a word"
    if before.endswith(tuple(_CLOSING)) and not after.strip():
        return "the line ends with a closing bracket"
    if before.lstrip().startswith("#"):
        return "the cursor is in a comment"  # There is nothing that a check could find wrong about one.
    return None

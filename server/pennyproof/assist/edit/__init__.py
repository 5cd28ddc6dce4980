"""Edit: an instruction on some lines, or a docstring to follow, becomes an edit that was run before it is shown."""

from pennyproof.assist.edit.search import EditRequest, EditResult, edit, find_region

__all__ = ["EditRequest", "EditResult", "edit", "find_region"]

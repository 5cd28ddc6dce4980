"""Completions: the text that belongs at the cursor."""

from pennyproof.assist.complete.completer import Completer
from pennyproof.assist.complete.filters import why_not_ask
from pennyproof.assist.complete.place import Completion, Place

__all__ = ["Completer", "Completion", "Place", "why_not_ask"]

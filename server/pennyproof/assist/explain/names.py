"""The name at a place in a text."""

import ast
import re

from pennyproof.assist.explain.definitions import Definition, Resolver
from pennyproof.assist.explain.modules import Module
from pennyproof.assist.explain.scopes import scopes_at
from pennyproof.core.positions import Encoding, LineIndex

_WORD = re.compile(r"\w+")


def definition_at(resolver: Resolver, module: Module, offset: int) -> Definition | None:
    """What the name at an offset (in code points) stands for; ``None`` where no name can be followed."""
    index = LineIndex(module.text)
    # The syntax tree counts columns in UTF-8 and lines from one.
    place = index.position(offset, Encoding.UTF8)
    line, column = place.line + 1, place.character
    scopes = scopes_at(module.tree, line)
    around = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.Name, ast.Attribute))
        and (node.lineno, node.col_offset) <= (line, column) <= (node.end_lineno or 0, node.end_col_offset or 0)
    ]
    if around:
        smallest = max(around, key=lambda node: (node.lineno, node.col_offset, -(node.end_col_offset or 0)))
        return resolver.resolve(module, scopes, smallest)
    word = _word_at(module.text, offset)
    if word is None:
        return None
    scope = scopes[0]
    if not isinstance(scope, ast.Module) and scope.name == word and scope.lineno == line:
        return resolver.declared(module, scopes)
    return resolver.resolve(module, scopes, ast.Name(word))


def _word_at(text: str, offset: int) -> str | None:
    line = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    for match in _WORD.finditer(text, line, end if end >= 0 else len(text)):
        if match.start() <= offset <= match.end() and match[0].isidentifier():
            return match[0]
    return None

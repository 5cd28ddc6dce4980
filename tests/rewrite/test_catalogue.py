"""Every template does what its documentation shows."""

import re

import pytest

from pennyproof.core.edits import apply
from pennyproof.rewrite.catalogue import TEMPLATES, templates_for
from pennyproof.rewrite.catalogue import __doc__ as catalogue_text
from pennyproof.rewrite.module import Module
from pennyproof.rewrite.scope import Scope
from pennyproof.rewrite.template import Rewrite, Template, rewrites, template


def results(found: Template, text: str) -> list[str]:
    """What a template makes of a text, at each of its places."""
    module = Module(text)
    return [
        apply(text, rewrite.edits)
        for statement in module.statements
        for node in module.own_nodes(statement)
        if type(node) in found.nodes
        for rewrite in rewrites(found, node, Scope(module, module.function(statement)))
    ]


@pytest.mark.parametrize("found", TEMPLATES, ids=lambda found: found.name)
def test_example(found: Template) -> None:
    before, after = found.example
    assert after in results(found, before)


@pytest.mark.parametrize("found", TEMPLATES, ids=lambda found: found.name)
def test_example_keeps_its_line_endings(found: Template) -> None:
    before, after = (text.replace("\n", "\r\n") for text in found.example)
    assert after in results(found, before)


@pytest.mark.parametrize("found", TEMPLATES, ids=lambda found: found.name)
def test_documentation(found: Template) -> None:
    assert found.summary.endswith(".")
    assert 0 < found.prior < 0.1


def test_catalogue_names_only_templates_that_exist() -> None:
    _, _, table = (catalogue_text or "").partition("templates\n")
    named = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", table))
    assert named
    assert named <= {found.name for found in TEMPLATES}


def test_templates_for_a_node_come_likeliest_first() -> None:
    node = Module("x < 1").tree.body[0].value  # type: ignore[attr-defined]
    priors = [found.prior for found in templates_for(node)]
    assert priors == sorted(priors, reverse=True)
    assert len(priors) > 3


def test_a_template_needs_an_example() -> None:
    def undocumented(node: object, scope: Scope) -> list[Rewrite]:
        """Do something."""
        return []

    with pytest.raises(ValueError, match="example"):
        template(object, prior=0.1)(undocumented)  # type: ignore[arg-type, type-var]

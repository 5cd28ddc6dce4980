"""The catalogue: all templates of all families, and where their frequencies come from.

A template's *prior* is the chance that a single one of its rewrites is the fix, compared with a single rewrite of
another template. It is a share divided by a fan-out: how often bugs of that kind occur, over how many rewrites the
template makes at a usual place. Rare kinds with few possibilities (a flipped ``True``) therefore come before common
kinds with many (another variable).

The shares follow TSSB-3M (Richter and Wehrheim, "TSSB-3M: Mining single statement bugs at massive scale", MSR 2022),
which counted 20 patterns among 3 million single-statement fixes in Python projects; per 100 fixes that fit a pattern:

====================================  =====  ==========================================================
pattern                               share  templates
====================================  =====  ==========================================================
another identifier                     16.5  swap_name, swap_target, use_variable, change_return
another operand of a binary operator   12.1  use_expression, off_by_one, drop_operand, use_literal
more arguments                         10.4  add_argument
another function name                   9.3  swap_callee, swap_own_callee
function added around an expression     8.1  wrap_in_call, wrap_in_own_call
another attribute                       7.2  swap_attribute
another numeric literal                 6.7  change_number, change_range
more specific ``if``                    4.7  add_condition, add_permuted_condition, change_filter
method call added                       4.2  add_string_method
element added to an iterable            4.0  (what to add is seldom at hand)
fewer arguments                         3.5  drop_argument, unwrap_call
another boolean literal                 2.6  flip_boolean, flip_answers
attribute access added                  2.2  add_attribute, add_or_drop_receiver
another binary operator                 2.0  swap_arithmetic, swap_boolean, swap_comparison, swap_augmented
same function of another object         1.7  swap_name
less specific ``if``                    1.5  drop_condition, add_condition
another keyword argument                1.4  add_argument, drop_argument
another unary operator                  1.0  drop_unary, negate_condition, negate_number
swapped arguments                       0.6  swap_arguments, swap_operands
another type of constant                0.4  change_empty
====================================  =====  ==========================================================

ManySStuBs4J (Karampatsis and Sutton, MSR 2020) found about the same order in Java. Statement-level templates follow
the patterns of TBar (Liu et al., ISSTA 2019), and ``copy_statement`` the plastic surgery hypothesis (Barr et al.,
FSE 2014); those works give no frequencies that fit here, so the priors of these templates, of the parts within a
pattern, and of the weights within a template were set by hand and tuned on one half of HumanEvalPack's bugs.

A weight goes up where the code at hand is odd by itself, whatever the tests say: a name that nothing defines, an
operation that changes nothing (``n / 1``, ``depth += 0``), one uneven step in an even row of numbers, an order asked of
what the module else compares by ``is``. It goes down for what the language would not bear: ``@property`` on
``__init__``.
"""

import ast

from pennyproof.rewrite import (  # noqa: F401 - importing a family registers its templates
    additions,
    calls,
    comparisons,
    conditions,
    constants,
    decorators,
    exceptions,
    expressions,
    names,
    operators,
    statements,
    strings,
)
from pennyproof.rewrite.template import REGISTRY, Template

TEMPLATES: tuple[Template, ...] = tuple(REGISTRY.values())

_BY_NODE: dict[type[ast.AST], tuple[Template, ...]] = {}


def templates_for(node: ast.AST) -> tuple[Template, ...]:
    """The templates that apply to a node, the likeliest first."""
    kind = type(node)
    if kind not in _BY_NODE:
        found = [template for template in TEMPLATES if kind in template.nodes]
        _BY_NODE[kind] = tuple(sorted(found, key=lambda template: -template.prior))
    return _BY_NODE[kind]

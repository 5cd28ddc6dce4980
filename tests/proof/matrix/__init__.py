"""The kinds of projects that verdicts have to be right on."""

from tests.proof.matrix import behaviour, candidates, configuration, kinds, layouts, plugins

ROWS = [
    *behaviour.ROWS,
    *candidates.ROWS,
    *layouts.ROWS,
    *configuration.ROWS,
    *plugins.ROWS,
    *kinds.ROWS,
]

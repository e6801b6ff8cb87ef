"""Cues that a prompt may give by order or label, at the candidates and one edge away from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from workspan_evidence.audit.leaks import parents, prompt_rows
from workspan_evidence.families.graph import GraphInstance

Cue = Callable[[GraphInstance, int], float]
"""A number that the prompt shows for a candidate; the lower one is guessed."""


def _row(instance: GraphInstance, node: int) -> int:
    return list(prompt_rows(instance.prompt)).index(node)


def _parent(instance: GraphInstance, node: int) -> int:
    return parents(prompt_rows(instance.prompt))[node][0]


CUES: Final[Mapping[str, Cue]] = {
    "asked first": lambda p, v: p.candidates.index(v),
    "row first": _row,
    "row nearer to the source's": lambda p, v: abs(_row(p, v) - _row(p, p.source)),
    "smaller label": lambda _, v: v,
    "label nearer to the source's": lambda p, v: abs(v - p.source),
    "row nearer to its parent's": lambda p, v: abs(_row(p, v) - _row(p, _parent(p, v))),
    "label nearer to its parent's": lambda p, v: abs(v - _parent(p, v)),
    "parent's row first": lambda p, v: _row(p, _parent(p, v)),
    "earlier among its parent's children": lambda p, v: p.rows[_parent(p, v)].index(v),
    "fewer children": lambda p, v: len(p.rows[v]),
    "fewer children of its parent": lambda p, v: len(p.rows[_parent(p, v)]),
}
"""Each is right in half of the problems in which it says anything, if nothing leaks."""


def says(cue: Cue, instance: GraphInstance) -> bool | None:
    """Say whether a cue names the right candidate; None where the two are equal to it."""
    right, wrong = cue(instance, instance.answer), cue(instance, instance.decoy)
    return None if right == wrong else right < wrong

"""What the field says of breadth and depth: ideas with their sources, and how they bear on others.

They stand in ``ideas.toml``. Whether they hold is in no line there: that is what was measured, and
stands in the store.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from workspan.lab.map.rows import Kind

Relation: TypeAlias = Literal["supports", "qualifies", "contradicts"]


class Gap(NamedTuple):
    """Why a claim was not measured on one kind of model, and what would."""

    why: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A node of the map."""

    id: str
    name: str
    claim: str
    source: str
    published: str
    """What the source reports."""
    gaps: Mapping[Kind, Gap] = field(default_factory=dict)
    """What is said where nothing was measured on a kind of model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """How one idea bears on another, and the experiments that test it."""

    start: str
    relation: Relation
    end: str
    why: str
    tests: tuple[str, ...]
    """By name."""


class _Gap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gap as the file has it: one thing that measures it, or why nothing does and what would."""

    claim: str = ""
    """On the trained reasoner."""
    claim_on_your_own: str = ""
    """On any engine."""
    sweep: str = ""
    """Of these strategies, on a model of one's own."""
    why: str = ""
    command: str = ""

    def told(self) -> Gap:
        """Say what would fill it."""
        if self.why:
            return Gap(self.why, self.command)
        if self.sweep:
            how = f"sweep {self.sweep} on a model of yours: docs/howto/sweeps.md"
            return Gap(f"{_ABSENT}; {how}", _SWEEP)
        own = "--engine URL --model NAME " if self.claim_on_your_own else ""
        name = self.claim or self.claim_on_your_own
        return Gap(_ABSENT, f"workspan claims {name} {own}--store STORE")


class _Idea(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    name: str
    claim: str
    source: str
    published: str
    gaps: dict[Kind, _Gap]

    def told(self) -> Idea:
        return Idea(
            id=self.id,
            name=self.name,
            claim=self.claim,
            source=self.source,
            published=self.published,
            gaps={kind: gap.told() for kind, gap in self.gaps.items()},
        )


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    idea: list[_Idea]
    edge: list[Edge]


_ABSENT = "this store has no measurement of it yet"
_SWEEP = "workspan runs compare SWEEP --verdicts --store STORE"


def _read() -> _File:
    text = Path(__file__).with_name("ideas.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), type=_File)


_HELD = _read()
IDEAS: tuple[Idea, ...] = tuple(one.told() for one in _HELD.idea)
EDGES: tuple[Edge, ...] = tuple(_HELD.edge)

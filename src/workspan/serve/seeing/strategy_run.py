"""A strategy's run as it goes on, put on its request's timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from workspan.answers import canonical
from workspan.core.clock import Call
from workspan.core.context import Began, Delta, Ended, Event
from workspan.data.types import AnswerKind, Candidate, Tally
from workspan.serve.scaled.watching import Decided
from workspan.serve.seeing.timeline import LONGEST, Bar, Timeline, Vote

_COMPARED: frozenset[AnswerKind] = frozenset({"choice", "json", "number", "open", "text"})
"""Kinds of answers that are compared at once; formulas take a solver, and stand as they are."""


@dataclass(slots=True)
class Run:
    """Listens to one run."""

    timeline: Timeline
    _open: dict[str, Bar] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, Delta):
            self._said(event)
        elif isinstance(event, Began):
            bar = self.timeline.begin(event.key, event.engine, event.start)
            self._open[event.key] = bar
        elif isinstance(event, Ended):
            self._ended(event.call)

    def _said(self, event: Delta) -> None:
        bar = self._open.get(event.key)
        if bar is None:
            return
        bar.tokens += 1  # a piece is a token at least; the bill comes at the end
        if self.timeline.shows and len(bar.text) < LONGEST:
            bar.text = (bar.text + event.chunk.text)[:LONGEST]

    def _ended(self, call: Call) -> None:
        self.timeline.queued += call.queued
        bar = self._open.pop(call.key, None)
        if bar is not None:
            bar.start, bar.engine = call.start, call.member or bar.engine
            self.timeline.end(bar, call.outcome, call.usage)

    def decide(self, told: Decided) -> None:
        """Note who voted for what, and which calls the reply stands for."""
        timeline, answer = self.timeline, told.result.answer
        places = _places(answer.votes, answer.candidates, told.kind)
        taken, won = set(told.chosen), {places.get(key) for key in told.chosen}
        for bar in timeline.bars:
            bar.vote, bar.is_chosen = places.get(bar.key), bar.key in taken
        timeline.votes = tuple(
            Vote(vote.weight, place in won, vote.answer[:LONGEST] if timeline.shows else "")
            for place, vote in enumerate(answer.votes)
        )
        timeline.rule, timeline.is_tied = told.rule, answer.tied


def _places(
    votes: Sequence[Tally], candidates: Sequence[Candidate], kind: AnswerKind
) -> dict[str, int]:
    """Return the place among the votes of each call's answer."""
    exact = {vote.answer: place for place, vote in reversed([*enumerate(votes)])}
    alike = {}
    if kind in _COMPARED and any(one.answer not in exact for one in candidates):
        alike = {canonical(vote.answer, kind, 0.05): i for i, vote in enumerate(votes)}
    found: dict[str, int] = {}
    for one in candidates:
        if one.answer is None or not one.key:
            continue
        place = exact.get(one.answer)
        if place is None and alike:
            place = alike.get(canonical(one.answer, kind, 0.05))
        if place is not None:
            found[one.key] = place
    return found

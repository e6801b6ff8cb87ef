"""From what a file says of its chains to a recording that a vote can be counted on fairly.

A length is decoded tokens, hidden reasoning included. Where nobody counted them, visible characters
stand for it, and the whole recording is in characters. A sample of neither length was a call that
failed and is left out.

An answer that was not logged is an answer all the same: a vote that passed it over would count only
those that were. It gets a name of its own, equal to no other. Where more than `UNLOGGED` of the
answers are missing, there is nothing to vote on. Who asks for it gets them as none at all: they
vote for nothing, and whoever waits for agreement sees that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

from workspan.data.types import AnswerKind, Message, Problem
from workspan.recordings.recording import Chain, Recording, Unit
from workspan.recordings.spoken import spoken, unnamed

UNLOGGED = 0.05
"""Share of samples that may lack what they are needed for."""


class Refused(Exception):
    """A recording can't be replayed; the message says why. Never leaves the readers."""


class Place(NamedTuple):
    """Where a chain belongs."""

    problem: str
    task: str
    gold: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One chain as the file has it."""

    place: Place
    number: int
    answers: tuple[str | None, ...]
    verdicts: tuple[float | None, ...]
    """True, False or a score, an answer."""
    tokens: tuple[int, ...] | None
    """Cumulative; None where any is missing."""
    characters: tuple[int, ...] | None
    is_sample: bool
    """A finished answer, logged or not; a step may have none."""


def chain_of_steps(
    place: tuple[str, str, str],
    number: int,
    answers: tuple[str | None, ...],
    verdicts: tuple[float | None, ...],
    tokens: Sequence[int | None],
    characters: Sequence[int | None],
) -> Draft:
    """Make a chain of its steps: `tokens` are cumulative, `characters` each step's own."""
    counted = _whole(tokens)
    seen = _whole(characters)
    summed = None if seen is None else tuple(accumulate(seen))
    return Draft(Place(*place), number, answers, verdicts, counted, summed, is_sample=False)


def samples_of(
    place: tuple[str, str, str],
    answers: Sequence[str | None],
    verdicts: Sequence[float | None],
    tokens: Sequence[int | None],
    characters: Sequence[int | None],
) -> list[Draft]:
    """Make a chain of one step of each sample."""
    return [
        Draft(Place(*place), i, (answer,), (verdict,), _whole([t]), _whole([c]), is_sample=True)
        for i, (answer, verdict, t, c) in enumerate(
            zip(answers, verdicts, tokens, characters, strict=True)
        )
    ]


def recording_of(
    model: str,
    setting: str,
    drafts: Sequence[Draft],
    kind: AnswerKind,
    prompts: Mapping[str, str],
    effort: str = "",
    unlogged: float = UNLOGGED,
    *,
    names_missing: bool = True,
) -> Recording:
    """Put the chains of one model and setting together.

    Args:
        model: whose.
        setting: under which, as the file writes it.
        drafts: the chains.
        kind: how answers are compared.
        prompts: the question by problem id.
        effort: the depth setting, where there is one.
        unlogged: share of the answers that may be missing.
        names_missing: an answer that was not logged gets a name of its own; else it is none.

    Raises:
        Refused: a vote on them would not be a fair one.
    """
    unit, counted = _counted(drafts)
    logged = [any(a is not None for a in draft.answers) for draft in counted]
    if any(draft.is_sample for draft in counted):
        missing = 1 - sum(logged) / len(logged)
        if missing > unlogged:
            raise Refused(
                f"{missing:.0%} of its answers were not logged, so a vote would be among the others"
            )
    elif not any(logged):
        raise Refused(
            "it says how its steps were graded and not what they answered: nothing to vote on"
        )
    chains: dict[str, tuple[Chain, ...]] = {}
    verdicts: dict[str, Mapping[str, float]] = {}
    places: dict[str, Place] = {}
    by_problem: dict[str, list[Draft]] = {}
    for draft in counted:
        by_problem.setdefault(draft.place.problem, []).append(draft)
        places[draft.place.problem] = draft.place
    for name, own in sorted(by_problem.items()):
        ordered = sorted(own, key=attrgetter("number"))
        chains[name], verdicts[name] = _said(ordered, unit, kind, names_missing=names_missing)
    problems = (_problem(name, prompts.get(name), kind) for name in chains)
    golds = {name: place.gold for name, place in places.items()}
    tasks = {name: place.task for name, place in places.items()}
    return Recording(model, tuple(problems), chains, golds, tasks, verdicts, setting, unit, effort)


def _problem(name: str, prompt: str | None, kind: AnswerKind) -> Problem:
    asked = (Message("user", name if prompt is None else prompt),)
    return Problem(name, asked, kind, is_asked=prompt is not None)


def _counted(drafts: Sequence[Draft]) -> tuple[Unit, list[Draft]]:
    """Choose what to count in, and leave out what has no length."""
    units: tuple[tuple[Unit, str], ...] = (("tokens", "tokens"), ("characters", "characters"))
    for unit, name in units:
        counted = [draft for draft in drafts if getattr(draft, name)]
        if counted and len(counted) >= (1 - UNLOGGED) * len(drafts):
            return unit, counted
    raise Refused("neither the tokens nor the characters of its chains were counted")


def _said(
    drafts: Sequence[Draft], unit: Unit, kind: AnswerKind, *, names_missing: bool
) -> tuple[tuple[Chain, ...], Mapping[str, float]]:
    """Make one problem's chains, and the grade of each answer: its mean, if it was graded twice."""
    names = spoken((a for draft in drafts for a in draft.answers if a is not None), kind)
    chains: list[Chain] = []
    grades: dict[str, list[float]] = {}
    for draft in drafts:
        answers = tuple(names[a] if a is not None else None for a in draft.answers)
        is_named = names_missing and draft.is_sample and answers[0] is None
        if is_named and draft.verdicts[0] is not None:
            answers = (unnamed(len(names) + len(chains)),)
        depths = draft.tokens if unit == "tokens" else draft.characters
        chains.append(Chain(depths or (), answers))
        for answer, verdict in zip(answers, draft.verdicts, strict=True):
            if answer is not None and verdict is not None:
                grades.setdefault(answer, []).append(verdict)
    return tuple(chains), {answer: sum(found) / len(found) for answer, found in grades.items()}


def _whole(counts: Sequence[int | None]) -> tuple[int, ...] | None:
    """Return the counts if none is missing and there is any; a length is at least 1."""
    known = [max(1, count) for count in counts if count is not None]
    return tuple(known) if known and len(known) == len(counts) else None

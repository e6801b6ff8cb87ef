"""A race on recorded samples: one recording of a model for each effort, served as if drawn now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workspan.answers import canonical
from workspan.core.engine import Engine, Price
from workspan.data.types import Problem
from workspan.errors import InputError, nearest
from workspan.lab.efforts.race import Entrant
from workspan.lab.efforts.seen import APART, RIGHT
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Recording
from workspan.strategies.adaptive.ladder import Ladder
from workspan.strategies.auto.fit.seen import Draw, Ladders, Rung, Seen
from workspan.strategies.auto.groups import Groups
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Ungraded

MOST_MISSING = 0.1
"""Share of a recording's answers that may be missing; of more the others would be no fair part."""


_NAMED = 8
"""Models that a message lists."""


@dataclass(frozen=True, slots=True)
class RecordedRace:
    """What a race on recordings is run with."""

    entrants: tuple[Entrant, ...]
    tasks: tuple[Task, ...]
    engines: Mapping[str, Engine]
    """By effort."""
    model: str
    unit: str
    pooled: bool
    """The right answer of each problem has one name in all recordings."""
    left_out: Mapping[str, str]
    """Recordings that are not used, and why."""
    recordings: tuple[Recording, ...]

    async def grade(self, entrant: int, task: Task, answer: str) -> float | None:
        """Grade an answer as its own recording does."""
        return self.recordings[entrant].grade(task.problem, answer)


def recorded_race(
    found: Sequence[Recording],
    efforts: Sequence[str],
    *,
    votes: int | None = None,
    price: Price | None = None,
    seed: int = 0,
) -> RecordedRace:
    """Set up a race of the efforts that a model was recorded at.

    Args:
        found: recordings of one model.
        efforts: those to race, or none for all.
        votes: samples of each problem; as many as all problems have, up to 8, if None.
        price: of the model; prompts were not recorded, so its output price alone counts.
        seed: of the order in which each problem's samples come.

    Raises:
        InputError: they are of several models, or have a price and no tokens, there are fewer than
            two efforts, no problem has
            samples at all of them, or fewer samples than there are to be votes.
    """
    models = [*dict.fromkeys(one.model for one in found)]
    if len(models) > 1:
        raise InputError(f"say whose recordings: {_of_several(found)}")
    by_effort, left_out = _by_effort(found)
    for one in efforts:
        if one not in by_effort:
            raise InputError(f"nothing was recorded at effort {one!r}: {nearest(one, by_effort)}")
    chosen = [by_effort[one] for one in efforts or by_effort]
    if price is not None and chosen and chosen[0].unit != "tokens":
        raise InputError(
            f"a price is of tokens, and of {models[0]} {chosen[0].unit} were counted alone: leave "
            "it out"
        )
    if len(chosen) < 2:
        why = "".join(f"; {name}: {said}" for name, said in left_out.items())
        raise InputError(f"{models[0]} was recorded at one effort alone that can be used{why}")
    common = [
        problem
        for problem in chosen[0].problems
        if all(problem.id in one.chains for one in chosen[1:])
    ]
    if not common:
        raise InputError("these recordings have no problem in common")
    widths = {one.effort: _width(one, common) for one in chosen}
    least = min(widths, key=lambda effort: widths[effort])
    if votes is not None and votes > widths[least]:
        raise InputError(
            f"votes is {votes}, and at effort {least} there are {widths[least]} samples of nearly "
            "all problems: no more can be drawn"
        )
    width = votes or min(8, widths[least])
    longest = max(one.longest for one in chosen)
    entrants = tuple(
        Entrant(
            Rung(one.effort),
            Ladder(efforts=("",), n=(width,), engines=(one.effort,), max_tokens=longest),
        )
        for one in chosen
    )
    rate = None if price is None else Price(price.input * 0, price.output)
    engines = {
        one.effort: ReplayEngine(
            one.keep({p.id for p in common}), price=rate, order=seed, once=True
        )
        for one in chosen
    }
    return RecordedRace(
        entrants,
        tuple(Task(problem, "", Ungraded("is graded by its recording")) for problem in common),
        engines,
        models[0],
        chosen[0].unit,
        _is_comparable(chosen, common),
        left_out,
        tuple(chosen),
    )


def _of_several(found: Sequence[Recording]) -> str:
    """Name the models that were recorded at several efforts, those with most of them first."""
    efforts: dict[str, set[str]] = {}
    for one in found:
        efforts.setdefault(one.model, set()).update({one.effort} - {""})
    held = {name: many for name, many in efforts.items() if len(many) > 1}
    named = sorted(held or efforts, key=lambda name: (-len(efforts[name]), name))
    more = f", and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    why = "were recorded at several efforts" if held else "none was recorded at several efforts"
    return f"{', '.join(named[:_NAMED])}{more} ({why})"


def _by_effort(found: Sequence[Recording]) -> tuple[dict[str, Recording], dict[str, str]]:
    """Keep one recording for each effort, those that count in tokens; say what is left out."""
    kept: dict[str, Recording] = {}
    left_out: dict[str, str] = {}
    units = [one.unit for one in found]
    unit = "tokens" if "tokens" in units else "characters"
    for one in sorted(found, key=lambda one: -sum(map(len, one.chains.values()))):
        if one.unit != unit:
            left_out[one.name] = f"it counts {one.unit}, and others {unit}"
        elif not one.effort:
            left_out[one.name] = "its file does not say how much it was told to think"
        elif one.effort in kept:
            left_out[one.name] = f"another recording at effort {one.effort} has more samples"
        else:
            kept[one.effort] = one
    order = sorted(kept.values(), key=_tokens)
    return {one.effort: one for one in order}, left_out


def _tokens(one: Recording) -> float:
    lengths = [chain.tokens for many in one.chains.values() for chain in many]
    return sum(lengths) / len(lengths)


def _width(one: Recording, problems: Sequence[Problem]) -> int:
    """Return how many samples nearly all problems have."""
    sizes = sorted(len(one.chains[problem.id]) for problem in problems)
    return sizes[len(sizes) // 10]


def _is_comparable(found: Sequence[Recording], problems: Sequence[Problem]) -> bool:
    """Say whether the right answer of each problem is called the same in all recordings.

    It is not where the options of a question were shuffled anew for each recording.
    """
    return all(
        len({one.references.get(problem.id, "") for one in found}) == 1 for problem in problems
    )


def recorded_ladders(race: RecordedRace) -> Ladders:
    """Return all that was recorded as a profile has it, without a race."""
    problems = []
    for task in race.tasks:
        problem = task.problem
        one_for_all = Groups(problem.kind, key=canonical)
        draws, right = [], set[int]()
        for i, one in enumerate(race.recordings):
            apart = Groups(problem.kind, key=canonical)
            groups, base = (one_for_all, 0) if race.pooled else (apart, i * APART)
            row = []
            for chain in one.chains[problem.id]:
                answer = chain.answers[-1]
                group = -1 if answer is None else base + groups.number(answer)
                row.append(Draw(group, chain.tokens))
                if answer is not None and one.grade(problem, answer) >= RIGHT:
                    right.add(group)
            draws.append(tuple(row))
        problems.append(Seen(tuple(draws), tuple(sorted(right))))
    rungs = tuple(one.rung for one in race.entrants)
    return Ladders(rungs, tuple(problems), race.pooled, max(one.longest for one in race.recordings))

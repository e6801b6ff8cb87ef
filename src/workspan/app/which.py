"""Which effort of a model pays on problems like yours."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspan.app.answers import data_frame, html_table
from workspan.app.engines import DEFAULT_ENGINE, EngineLike, Opened, opened
from workspan.app.problems import ProblemsLike, as_tasks, repeated
from workspan.app.replaying import recorded_kind
from workspan.app.specs import (
    EFFORTS,
    BudgetLike,
    as_budget,
    as_efforts,
    check_count,
    check_unasked,
)
from workspan.app.state import opened_journal
from workspan.batch.trials import Trial
from workspan.core.engine import Engine, Price
from workspan.data.budget import Budget
from workspan.data.efforts import check_form
from workspan.errors import InputError, MissingDependency, SpecError
from workspan.legible import counted
from workspan.runner import check
from workspan.spec.engines import parse_price
from workspan.store.journals import JournalFile
from workspan.strategies.adaptive.ladder import Ladder, check_effort
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Ungraded

if TYPE_CHECKING:
    from workspan.lab.efforts.race import Entrant, Raced
    from workspan.lab.efforts.records import WhichRecord
    from workspan.strategies.auto.fit.profile import Profile

DEFAULT = "default"
"""Stands for the effort that a model has by itself."""
VOTES = 3
"""Samples of each effort on each problem."""
DEPTH = 32_768
"""Tokens of a sample, at most, thinking included."""
DEEPEST = 1 << 20
"""More than any model decodes at a time."""
MOST_VOTES = 256
"""Of one effort on one problem: beyond them accuracy stands still, and a dry run plays each."""


@dataclass(frozen=True, slots=True)
class Which:
    """A finished race of efforts, with a record an arm and the policy's at the end."""

    records: Sequence[WhichRecord]
    raced: Raced
    left_out: Mapping[str, str]
    """Recordings that were not used, and why."""
    profile: Profile | None
    """What `auto` climbs by; None where too little was graded."""
    unit: str = "tokens"
    """What work and span are; characters of recordings whose tokens nobody counted."""

    @property
    def policy(self) -> WhichRecord | None:
        """What to run; None where too little was graded to say."""
        return next((one for one in self.records if one.kind == "policy"), None)

    @property
    def caveats(self) -> list[str]:
        """What the numbers don't say by themselves."""
        said = _caveats(self.raced, self.records)
        if self.unit != "tokens":
            said.append(
                "nobody counted tokens here: work, span, and all that a strategy has of lengths "
                f"are {self.unit}"
            )
        return said

    def frame(self) -> Any:
        """Return a pandas data frame, a row an arm.

        Raises:
            MissingDependency: pandas is not installed.
        """
        return data_frame([asdict(record) for record in self.records])

    def _repr_html_(self) -> str:
        shown = ("arm", "accuracy", "low", "high", "work", "cost", "cost_per_right", "verdict")
        said = "".join(f"<p>{escape(caveat)}</p>" for caveat in self.caveats)
        return html_table(shown, [asdict(record) for record in self.records]) + said


async def which(
    problems: ProblemsLike | None = None,
    *,
    efforts: str | Sequence[str] | None = None,
    engine: EngineLike = DEFAULT_ENGINE,
    pilot: BudgetLike = None,
    votes: int | None = None,
    depth: int = DEPTH,
    budget: int | None = None,
    kind: str = "text",
    limit: int | None = None,
    seed: int = 0,
    to: Path | str | None = None,
    journal: JournalFile | Path | str | None = None,
    engines: Mapping[str, Engine | str] | None = None,
    recorded: Path | str | None = None,
    model: str = "",
    tasks: Sequence[str] = (),
    price: Price | str | None = None,
    on_progress: Callable[[Trial], None] | None = None,
) -> Which:
    """Race efforts on labelled problems within a pilot's budget, and say which pays.

    Args:
        problems: as `solve_many`, with answers; without them agreement is all that can be said.
        efforts: words such as "low", numbers of thinking tokens such as "32k", "default", each
            behind ``NAME:`` where a further engine is meant; a list, or a text with commas.
            'low,medium,high' if None; of recordings all that there are.
        engine: as `solve`.
        pilot: of all runs together, never passed: money, work, calls or prefill, such as '$2'.
        votes: samples of each effort on each problem; 3, or as many as were recorded.
        depth: tokens of a sample, at most.
        budget: work that the policy may take of a problem, on the mean; None is what comes close to
            the best.
        kind: of plain questions, and of recorded answers.
        limit: of the problems.
        seed: root of all randomness.
        to: a file to write a profile to, for ``auto(profile=…)``.
        journal: a file in which every call is kept; the same call with it resumes, and one with a
            higher pilot goes on.
        engines: as `solve`.
        recorded: a file of recorded samples (.parquet) in place of an engine.
        model: of that file.
        tasks: task sets of that file; all if none is named.
        price: of the recorded model; a text such as '1.25/10'.
        on_progress: called with each run as it is finished.

    Raises:
        MissingDependency: the extra `lab` is not installed.
        WorkspanError: what is wrong, before anything is spent; or the engine is gone: what was
            finished is in the journal.
    """
    try:
        import numpy  # noqa: F401  # what it needs, said before anything is spent
    except ImportError:
        raise MissingDependency("a race of efforts", "lab") from None
    check_count("votes", votes, MOST_VOTES)
    check_count("depth", depth, DEEPEST)
    check_count("budget", budget)
    named = None if efforts is None else as_efforts(efforts)
    if recorded is not None:
        check_unasked("recorded samples", problems=problems, journal=journal, engines=engines)
        rate = parse_price(price) if isinstance(price, str) else price
        source = _Source(Path(recorded), model, (*tasks,), named or [], votes, rate, kind, limit)
        return await _replayed(source, pilot, budget, seed, to, on_progress)
    found, entrants, limits, unlabelled = prepared(
        problems, named, pilot, votes, depth, kind=kind, limit=limit, seed=seed, to=to
    )
    async with opened(engine, engines) as rig:
        check_entrants(entrants, rig, limits)
        with opened_journal(journal, rig.header(seed)) as journals:
            done = await _raced(
                entrants, found, rig, limits, budget, seed, to, journals, on_progress
            )
    if unlabelled:
        whose = f"{counted(unlabelled, 'problem')}"
        done = replace(done, left_out={whose: "without a right answer, and so not drawn"})
    return done


def prepared(
    problems: ProblemsLike | None,
    efforts: Sequence[str] | None,
    pilot: BudgetLike,
    votes: int | None,
    depth: int,
    *,
    kind: str = "text",
    limit: int | None = None,
    seed: int = 0,
    to: Path | str | None = None,
) -> tuple[list[Task], list[Entrant], Budget, int]:
    """Read what a race is told, before any engine is opened: problems in their order, settings.

    Where some problems have right answers the others are left out, and counted: nothing that is
    drawn of them says which effort pays.

    Raises:
        InputError: there is no pilot or no problem, or a problem's answers can't be voted on.
        SpecError: an effort or the pilot is not understood.
    """
    from workspan.lab.efforts.race import Entrant, check_pilot
    from workspan.strategies.auto.fit.seen import FEWEST, Rung

    if pilot is None:
        raise InputError("say what the race may cost in all: a pilot, such as '$2' or '500k work'")
    limits = as_budget(pilot)
    check_pilot(limits)
    if limits == Budget():
        raise InputError("a pilot without a limit could cost anything: give it one, such as '$2'")
    if problems is None:
        raise InputError("say which problems: a file, a task set, or questions with answers")
    found = as_tasks(problems, kind=kind, limit=limit, seed=seed)
    for task in found:
        if task.problem.kind == "open":
            raise InputError(
                f"the answer to {task.problem.id} is an open text: texts can't be voted on, so "
                "that nobody can say when cheap ones agree; give problems with short answers"
            )
    labelled = [task for task in found if _is_labelled(task)]
    if to is not None and not labelled:
        raise InputError(
            "no problem has a right answer, so there is nothing for a profile to learn: label some"
        )
    if to is not None and len(labelled) < FEWEST:
        raise InputError(
            f"a profile takes {FEWEST} problems with right answers at least, and here "
            f"{'is' if len(labelled) == 1 else 'are'} {len(labelled)}: label more"
        )
    unlabelled = len(found) - len(labelled) if labelled else 0
    found = labelled or found
    random.Random(seed).shuffle(found)
    width = VOTES if votes is None else votes
    entrants = []
    for text in efforts or as_efforts(EFFORTS):
        name, colon, effort = text.rpartition(":")
        effort = "" if effort == DEFAULT else effort
        if effort:
            _check_form(effort)
        drawn = Ladder((effort,), (width,), engines=(name,) if colon else (), max_tokens=depth)
        entrants.append(Entrant(Rung(effort, name), drawn))
    return found, entrants, limits, unlabelled


def _check_form(effort: str) -> None:
    try:
        check_form(effort)
    except InputError as error:
        raise SpecError(str(error)) from None


def _is_labelled(task: Task) -> bool:
    return not isinstance(task.grader, Ungraded)


def check_entrants(entrants: Sequence[Entrant], rig: Opened, pilot: Budget) -> None:
    """Refuse, before anything is spent, an effort that its engine does not take.

    Raises:
        SpecError: its model takes others, nobody knows which, or there is no such engine.
        UnsupportedCapability: the engine can't be told at all.
        UnpricedModel: the pilot limits money, and no price is known.
    """
    for one in entrants:
        check(one.strategy, rig.engine, pilot, rig.engines, rig.tools)
        if one.rung.engine:
            check_effort(one.rung.effort, rig.engines[one.rung.engine].info)


async def _raced(
    entrants: Sequence[Entrant],
    found: Sequence[Task],
    rig: Opened,
    pilot: Budget,
    budget: int | None,
    seed: int,
    to: Path | str | None,
    journals: JournalFile | None,
    on_progress: Callable[[Trial], None] | None,
) -> Which:
    """Race on an engine, and sum it up."""
    from workspan.lab.efforts.race import grade_by_task, race
    from workspan.lab.efforts.records import records_of

    raced = await race(
        entrants,
        found,
        rig.engine,
        budget=pilot,
        grade=grade_by_task,
        seed=seed,
        journals=journals,
        engines=rig.engines,
        tools=rig.tools,
        on_progress=on_progress,
    )
    price = None if rig.engines else rig.engine.info.price
    records = records_of(raced, price, budget=budget, seed=seed)
    profile = _profile(raced, rig.engine.info.model, pooled=True)
    return _kept(Which(records, raced, {}, profile), to)


@dataclass(frozen=True, slots=True)
class _Source:
    """Recordings to race on."""

    file: Path
    model: str
    tasks: tuple[str, ...]
    efforts: Sequence[str]
    votes: int | None
    price: Price | None
    kind: str
    limit: int | None


async def _replayed(
    source: _Source,
    pilot: BudgetLike,
    budget: int | None,
    seed: int,
    to: Path | str | None,
    on_progress: Callable[[Trial], None] | None,
) -> Which:
    """Race on recordings, and sum it up."""
    from workspan.lab.efforts.race import race
    from workspan.lab.efforts.recorded import MOST_MISSING, recorded_race
    from workspan.lab.efforts.records import records_of
    from workspan.recordings.parquet import read_recordings

    if source.file.suffix.lower() != ".parquet":
        raise InputError(f"{source.file} is no .parquet file of recorded samples")
    limits = Budget() if pilot is None else as_budget(pilot)
    read = read_recordings(
        source.file,
        [source.model] if source.model else [],
        [*source.tasks],
        kind=recorded_kind(source.kind),
        unlogged=MOST_MISSING,
        names_missing=False,
    )
    made = recorded_race(
        read.recordings, source.efforts, votes=source.votes, price=source.price, seed=seed
    )
    held = [*made.tasks]
    random.Random(seed).shuffle(held)
    first = next(iter(made.engines.values()))
    raced = await race(
        made.entrants,
        held[: source.limit],
        first,
        budget=limits,
        grade=made.grade,
        seed=seed,
        engines=made.engines,
        on_progress=on_progress,
    )
    rate = first.info.price
    records = records_of(raced, rate, pooled=made.pooled, is_replay=True, budget=budget, seed=seed)
    profile = _profile(raced, made.model, pooled=made.pooled, unit=made.unit)
    left_out = {**read.left_out, **made.left_out}
    return _kept(Which(records, raced, left_out, profile, made.unit), to)


def _profile(raced: Raced, model: str, *, pooled: bool, unit: str = "tokens") -> Profile | None:
    """Return the profile of the efforts that are left; None where too little was graded."""
    from workspan.lab.efforts.seen import ladders_of, profile_of
    from workspan.strategies.auto.fit.seen import FEWEST

    alive = [place for place in raced.alive if raced.of(place)]
    ladders = ladders_of(raced, alive, pooled=pooled) if alive else None
    if (
        _is_all_wrong(raced)
        or ladders is None
        or sum(all(one.draws) for one in ladders.problems) < FEWEST
    ):
        return None
    return profile_of(raced, ladders, model, unit)


def _kept(done: Which, to: Path | str | None) -> Which:
    """Write the profile, where one is wanted.

    Raises:
        InputError: too few problems were graded for one.
    """
    if to is not None:
        from workspan.strategies.auto.fit.profile import write_profile

        if done.profile is None:
            why = (
                "no sample was right, so there is nothing for a profile to learn: a higher depth "
                "may help where answers are missing"
                if _is_all_wrong(done.raced)
                else "too few problems were graded at all efforts for a profile: raise the pilot, "
                "or label more"
            )
            raise InputError(f"{why}; what was paid for is in the journal")
        write_profile(done.profile, Path(to))
    return done


def _caveats(raced: Raced, records: Sequence[WhichRecord]) -> list[str]:
    """Say what the numbers don't: what was cut, failed, missing, and what nobody knows."""
    from workspan.strategies.auto.fit.seen import FEWEST

    said = [
        f"the journal held {had} before this race began, more than the pilot of {most}: nothing "
        "was asked; a pilot above that goes on from there"
        for had, most in raced.passed
    ]
    if raced.ended_by != "done":
        n = min(raced.whole, len(raced.tasks))
        later = sum(place >= raced.whole for _, place in raced.measured)
        left = {"that it cut": raced.cut, "on later problems": later}
        aside = ", and ".join(f"{counted(k, 'run')} {what}" for what, k in left.items() if k)
        aside = (
            f"; {aside}, count neither way: of those the short ones alone came to their end"
            if aside
            else ""
        )
        said.append(
            f"the pilot's limit on {raced.ended_by} ended the race after {n} of "
            f"{counted(len(raced.tasks), 'problem')}{aside}; the same command with a higher pilot "
            "goes on"
        )
    if not records and (spent := raced.spent).calls:
        money = "" if spent.cost is None else f", ${spent.cost:f}"
        said.append(
            f"spent all the same: {counted(spent.calls, 'call')}, {spent.output_tokens} work{money}"
        )
    if raced.failed:
        said.append(f"{counted(raced.failed, 'run')} failed; the same command asks again")
    over = [one for one in records if one.kind == "arm" and one.missing > MISSING]
    for name in dict.fromkeys(one.effort or DEFAULT for one in over):
        most = max(one.missing for one in over if (one.effort or DEFAULT) == name)
        said.append(
            f"{most:.0%} of the samples at {name} held no answer: they vote for nothing; a higher "
            "--depth leaves more room"
        )
    said += _unheard(raced)
    if twice := repeated(raced.tasks):
        said.append(
            f"of the problems {twice} ask what another one asks: intervals take them for others, "
            "and are too narrow unless the traffic to come repeats itself as these do"
        )
    if any(one.verdict == "unlabelled" for one in records):
        said.append(
            "without right answers nothing was dropped and no policy chosen: give the answers of "
            f"{2 * FEWEST} problems at least; {_power(max(one.problems for one in records))}"
        )
    elif _is_all_wrong(raced) and max(one.problems for one in records) >= 2 * FEWEST:
        said.append("no sample was right: there is nothing to choose a policy by")
    elif not any(one.kind == "policy" for one in records):
        said.append(
            "too few problems were graded at all efforts to choose a policy by: it takes "
            f"{2 * FEWEST} at least"
        )
    else:
        said.append(_power(max(one.problems for one in records)))
    return said


def _is_all_wrong(raced: Raced) -> bool:
    """Say whether all that was graded is wrong."""
    known = [s.right for one in raced.measured.values() for s in one.samples if s.right is not None]
    return bool(known) and not any(known)


def _power(n: int) -> str:
    """Say what so many labels can show, and how many a smaller difference takes."""
    from workspan.lab.stats import detectable, problems_needed

    seen = detectable(n)
    shown = "no difference" if seen is None else f"a difference of {100 * seen:.0f} points"
    return (
        f"by {counted(n, 'labelled problem')} {shown} can be shown (80 % power, where two arms "
        f"differ on 30 % of them); one of 5 points takes {problems_needed(0.05)}"
    )


def _unheard(raced: Raced) -> list[str]:
    """Say where a server may take no notice of what it is told: all think for about as long."""
    means = {}
    for place, one in enumerate(raced.entrants):
        tokens = [s.usage.output_tokens for _, held in raced.of(place) for s in held.samples]
        if tokens:
            means[one.rung.name] = sum(tokens) / len(tokens)
    if len(means) < 2 or max(means.values()) > ALIKE * min(means.values()):
        return []
    return [
        f"samples at {' and '.join(means)} are about as long: the server may take no notice of how "
        "much it is told to think"
    ]


ALIKE = 1.1
"""Ratio of mean lengths up to which efforts make no difference that could be seen."""
MISSING = 0.1
"""Share of samples without an answer from which on it is said."""

"""From recorded chains to a calibration profile: answers become numbers, labels become groups."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from workspan.answers import canonical
from workspan.batch.trials import Trial
from workspan.core.journal import digest
from workspan.data.explanation import Explanation, Grown
from workspan.data.types import Problem
from workspan.errors import GraderError, InputError
from workspan.recordings.engine import asked_tokens
from workspan.recordings.journals import AS_PLANNED
from workspan.recordings.recording import Chain, Recording
from workspan.runner import Result
from workspan.strategies.auto.fit.profile import Case, Once, Profile, Record
from workspan.strategies.auto.groups import Groups
from workspan.strategies.auto.prompt_features import prompt_features
from workspan.tasks.base import Task


def calibrate(recordings: Sequence[Recording]) -> Profile:
    """Make a profile of all problems of some recordings of one unit.

    Problems without a right answer or a verdict give finish times and vote shapes.

    Raises:
        InputError: there is none, or units differ.
    """
    units = {one.unit for one in recordings}
    if len(units) != 1:
        raise InputError("a profile is made of recordings that count in one unit, at least one")
    places = [(one, problem) for one in recordings for problem in one.problems]
    read = [
        one.once("calibrated", problem, partial(_read, one, problem)) for one, problem in places
    ]
    cases, counts, tokens, ahead = zip(*read, strict=True)
    asked = sum(tokens) / sum(counts) if any(counts) else 0.0
    models = dict.fromkeys(one.model for one in recordings)
    signals = {"length": gain} if (gain := _gain(ahead)) is not None else {}
    return Profile(", ".join(models), units.pop(), cases, asked, signals)


class _Read(NamedTuple):
    """What one recorded problem tells a profile."""

    case: Case
    probes: int
    asked: int
    """Tokens of the probes together."""
    ahead: _Ahead


def _read(recording: Recording, problem: Problem) -> _Read:
    case = _case(recording, problem)
    probes = [
        asked_tokens(answer)
        for chain in recording.chains[problem.id]
        for answer in chain.answers[:-1]
    ]
    return _Read(case, len(probes), sum(probes), _length_ahead(case))


async def calibrate_runs(
    trials: Sequence[Trial],
    model: str,
    arms: Mapping[str, Sequence[Trial]] | None = None,
) -> Profile:
    """Make a profile of runs that explain themselves, those of `Exhaustive` best of all.

    Runs that failed are left out. A task without a reference is an unlabelled problem.

    Args:
        trials: of chains, one a problem.
        model: its name.
        arms: trials of other strategies on the same problems, by the arm's name in a profile.

    Raises:
        InputError: no run is left.
    """
    told = [(one, one.result.answer.why) for one in trials if one.result and one.result.answer.why]
    if not told:
        raise InputError("no run was finished: there is nothing to calibrate on")
    others = [{digest(one.task.problem): one for one in runs} for runs in (arms or {}).values()]
    cases, probes, tokens = [], 0, 0
    for trial, why in told:
        chains, task = _chains(why), trial.task
        right, named = await _right(task, why), task.problem.metadata.get("task", "")
        runs = tuple(_once(by_problem.get(digest(task.problem))) for by_problem in others)
        cut = _was_cut(trial.result, why)
        cases.append(Case(chains, right, named, runs, prompt_features(task.problem), cut))
        probes += sum(len(one.depths) - one.ended for one in chains)
        tokens += why.work - sum(one.depths[-1] for one in chains)
    signals = {"length": gain} if (gain := _gain(map(_length_ahead, cases))) is not None else {}
    asked = tokens / probes if probes else 0.0
    kinds = tuple(sorted({trial.task.problem.kind for trial, _ in told}))
    return Profile(model, "tokens", tuple(cases), asked, signals, (*(arms or {}),), kinds)


def _was_cut(result: Result | None, why: Explanation) -> bool:
    """Tell whether a limit cut draws short, or kept them from beginning."""
    last = {grown.chain: grown for step in why.steps for grown in step.grown}
    is_open = any(not grown.ended for grown in last.values())
    return is_open or (result is not None and result.stop not in AS_PLANNED)


def _once(trial: Trial | None) -> Once | None:
    """Keep a run of an arm; where nobody can grade it, a pass of its verifier counts as right."""
    if trial is None or trial.result is None:
        return None
    best = trial.result.answer.best
    passed = best.score == 1.0 if best is not None and best.score is not None else None
    right = trial.grade.correct >= 0.5 if trial.grade is not None else passed
    return None if right is None else Once(trial.result.work, trial.result.span, right)


def _chains(why: Explanation) -> tuple[Record, ...]:
    """Put each chain's steps together; of two at one depth, the last."""
    steps: dict[int, dict[int, Grown]] = {}
    for step in why.steps:
        for grown in step.grown:
            steps.setdefault(grown.chain, {})[grown.depth] = grown
    found = []
    for own in steps.values():
        *_, last = own.values()
        groups = tuple(one.group for one in own.values())
        found.append(Record((*own,), groups, ended=last.ended and last.group >= 0))
    return tuple(found)


async def _right(task: Task, why: Explanation) -> tuple[int, ...] | None:
    """Grade each answer of a run; None where nothing to grade by is known."""
    found: list[int] = []
    for group, answer in enumerate(why.answers):
        try:
            grade = await task.grader(task, answer)
        except GraderError:
            return None
        found += [group] * (grade.correct >= 0.5)
    return tuple(found)


def _case(recording: Recording, problem: Problem) -> Case:
    groups = Groups(problem.kind, key=canonical)
    chains = tuple(_record(chain, groups) for chain in recording.chains[problem.id])
    is_known = bool(recording.references.get(problem.id) or recording.verdicts.get(problem.id))
    right = (i for i, one in enumerate(groups.answers) if recording.grade(problem, one) >= 0.5)
    task = recording.tasks.get(problem.id, "")
    known = tuple(right) if is_known else None
    cut = problem.id in recording.cut
    return Case(chains, known, task, prompt_features=prompt_features(problem), cut=cut)


def _record(chain: Chain, groups: Groups) -> Record:
    """Keep the probes below the chain's end, one at each depth, and the end itself."""
    numbers = [groups.number(answer) for answer in chain.answers]
    probes = {
        depth: number
        for depth, number in zip(chain.depths, numbers, strict=True)
        if depth < chain.tokens
    }
    probes[chain.tokens] = numbers[-1]
    return Record((*probes,), (*probes.values(),), ended=numbers[-1] >= 0)


class _Ahead(NamedTuple):
    """Pairs of a right and a wrong chain of one problem, and by how many the longer is right."""

    wins: int
    pairs: int


def _length_ahead(case: Case) -> _Ahead:
    if case.right is None:
        return _Ahead(0, 0)
    ends = [(one.depths[-1], one.groups[-1] in case.right) for one in case.chains]
    right = sorted(depth for depth, is_right in ends if is_right)
    wrong = sorted(depth for depth, is_right in ends if not is_right)
    shorter = sum(bisect_left(wrong, depth) for depth in right)
    longer = sum(len(wrong) - bisect_right(wrong, depth) for depth in right)
    return _Ahead(shorter - longer, len(right) * len(wrong))


def _gain(ahead: Iterable[_Ahead]) -> float | None:
    """Return 2 AUC - 1 of a chain's length for its being right, within problems; None unknown."""
    wins, pairs = map(sum, zip(*ahead, strict=True))
    return wins / pairs if pairs else None

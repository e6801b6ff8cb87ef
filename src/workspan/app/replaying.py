"""Strategies on recorded chains, charged as if they were decoded now."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workspan.app.specs import as_efforts, as_kind
from workspan.boundary.inputs import check_there
from workspan.data.budget import Budget
from workspan.data.types import AnswerKind
from workspan.errors import InputError, MissingDependency, SpecError, nearest
from workspan.legible import quoted
from workspan.recordings.recording import Recording
from workspan.spec import split_list
from workspan.tasks import open_tasks, read_tasks

if TYPE_CHECKING:
    from workspan.lab.replay.efforts import Climbing
    from workspan.lab.replay.fitted import Method
    from workspan.lab.replay.folds import Folds
    from workspan.lab.replay.records import ReplayRecord

STRATEGIES = "best_fixed,single,self_consistency(n=8),adaptive_consistency,esc,oracle"
CLIMBING = "best_fixed,auto,oracle"
"""The same where a model was recorded at several efforts."""
BUDGETS = "4k,8k,16k,32k,64k,128k"
ALL = "all"
"""All efforts that a model was recorded at."""
_NUMBER = re.compile(r"[\d._]+[kKmM]?")
KINDS: tuple[AnswerKind, ...] = ("text", "math", "number", "choice", "code", "open")
"""How recorded answers may be compared."""
_NAMED = 8
"""Models that a message lists."""


async def replay(
    file: Path | str | Sequence[Recording],
    strategies: str | None = None,
    budgets: str | Sequence[Budget] = BUDGETS,
    *,
    efforts: str | None = None,
    folds: str = "problem",
    models: Sequence[str] = (),
    tasks: Sequence[str] = (),
    problems: Path | str | None = None,
    kind: str = "text",
    limit: int | None = None,
    by: str = "",
    seed: int = 0,
    seeds: int = 4,
    on_progress: Callable[[int, int], None] | None = None,
    on_left_out: Callable[[Mapping[str, str]], None] | None = None,
) -> list[ReplayRecord]:
    """Run strategies on recorded chains within budgets, learning only from other problems.

    Args:
        file: chains or samples (.parquet), or a journal; or recordings that were read.
        strategies: with commas between them, `best_fixed` and `oracle` among them; the others are
            held against the first. `STRATEGIES` if None; of efforts `CLIMBING`.
        budgets: of a problem, such as '4k,8k work + 2k span,unlimited'; a bare number is work.
        efforts: of each model, such as 'low,high', or 'all': ladders of them are run beside votes
            at one effort, on the problems that were recorded at all.
        folds: problem, task or model; ':K' for K parts.
        models: of the file, those to use; all if none is named.
        tasks: likewise; of a journal, the sets that have its right answers.
        problems: a file with the problems: of a journal, labelled; else their text.
        kind: how answers are compared.
        limit: problems, chosen by `seed`.
        by: records for each "model" or "task"; "" puts all together.
        seed: root of all randomness.
        seeds: orders of a problem's chains.
        on_progress: called with the runs done and planned; not of efforts, played all at once.
        on_left_out: of efforts, called with the models and recordings that can't be used, and why.

    Raises:
        MissingDependency: the extra `lab` is not installed.
        WorkspanError: what is wrong, before anything is run.
    """
    asked = check_replay(strategies, budgets, folds, by, efforts)
    from workspan.lab.replay.efforts import grouped, replay_efforts
    from workspan.lab.replay.records import records
    from workspan.lab.replay.replay import replay as run_replay

    if isinstance(file, str | Path):
        source = Path(problems) if problems is not None else None
        read_as = recorded_kind(kind)
        is_climbed = efforts is not None
        found, _ = await read_recorded(
            Path(file), models, tasks, source, read_as, is_climbed=is_climbed
        )
    else:
        found = [*file]
    found = limited(found, limit, seed)
    if efforts is not None:
        groups, left_out = grouped(found, named_efforts(efforts))
        if on_left_out is not None:
            on_left_out(left_out)
        told = (groups, asked.climbing, asked.budgets)
        climbed = replay_efforts(*told, folds=asked.folds, seed=seed, seeds=seeds)
        return records(climbed, by)
    done = await run_replay(
        found,
        asked.methods,
        asked.budgets,
        folds=asked.folds,
        seed=seed,
        seeds=seeds,
        on_progress=on_progress,
    )
    return records(done, by)


class Asked(NamedTuple):
    """What a replay was told."""

    methods: list[Method | None]
    climbing: list[Climbing | None]
    """In their place where efforts are climbed."""
    budgets: list[Budget]
    folds: Folds


def check_replay(
    strategies: str | None,
    budgets: str | Sequence[Budget],
    folds: str,
    by: str,
    efforts: str | None = None,
) -> Asked:
    """Read what a replay is told, before anything is opened.

    Raises:
        MissingDependency: the extra `lab` is not installed.
        SpecError: a strategy, a budget or the folds are not understood.
        InputError: there are no records by that name.
    """
    try:
        from workspan.lab.replay.efforts import read_climbing
        from workspan.lab.replay.folds import Folds
        from workspan.lab.replay.methods import BEST_FIXED, ORACLE, name_of, read_methods
    except ImportError:
        raise MissingDependency("a replay", "lab") from None
    if by not in ("", "model", "task"):
        raise InputError(f"by is {by!r}: model or task")
    limits = read_budgets(budgets) if isinstance(budgets, str) else [*budgets]
    if efforts is None:
        methods = read_methods(strategies or STRATEGIES)
        fixed = [name for name in map(name_of, methods) if name in (BEST_FIXED, ORACLE)]
        _check_limits(limits, fixed)
        return Asked(methods, [], limits, Folds.parse(folds))
    named_efforts(efforts)
    climbing = read_climbing(strategies or CLIMBING)
    _check_limits(limits, [*map(name_of, climbing)])
    return Asked([], climbing, limits, Folds.parse(folds))


def named_efforts(text: str) -> list[str]:
    """Read efforts with commas between them; none for "all".

    Raises:
        SpecError: none is named, or one twice.
    """
    return [] if text.strip() == ALL else as_efforts(text)


def _check_limits(limits: Sequence[Budget], fixed: Sequence[str]) -> None:
    """Refuse limits that would bear on nothing, and so be passed.

    Args:
        limits: of a problem.
        fixed: names of what is chosen by work and span alone.

    Raises:
        InputError: there is one.
    """
    for limit in limits:
        if limit.seconds is not None:
            raise InputError(
                f"{limit}: chains that were recorded take no seconds: limit work or span"
            )
        if fixed and limit != Budget(work=limit.work, span=limit.span):
            raise InputError(
                f"{limit}: {' and '.join(fixed)} are chosen by work and span alone: limit those, "
                "or leave them out"
            )


def recorded_kind(kind: str) -> AnswerKind:
    """Return the kind that recorded answers are compared by.

    Raises:
        InputError: recorded answers can't be compared so.
    """
    if kind not in KINDS:
        raise InputError(f"kind is {kind!r}: one of {', '.join(KINDS)}")
    return as_kind(kind)


def read_budgets(text: str) -> list[Budget]:
    """Read ``4k,8k work + 2k span,unlimited``; a bare number is work.

    Raises:
        SpecError: one can't be read, or is given twice.
    """
    found: list[Budget] = []
    for item in split_list(text):
        words = item.replace("+", ",")
        if item in ("unlimited", "none"):
            budget = Budget()
        else:
            budget = Budget.parse(f"{words} work" if _NUMBER.fullmatch(item) else words)
        if budget in found:
            raise SpecError(f"the budget {item!r} is given twice")
        found.append(budget)
    if not found:
        raise SpecError("no budget is named: such as 4k,8k work + 2k span")
    return found


async def read_recorded(
    file: Path,
    models: Sequence[str],
    tasks: Sequence[str],
    problems: Path | None,
    kind: AnswerKind,
    *,
    is_climbed: bool = False,
) -> tuple[list[Recording], dict[str, str]]:
    """Read a file by its kind; return with it what is left out of it, and why.

    Where efforts are climbed a missing answer is none, and up to a tenth may be missing.

    Raises:
        InputError: a journal without right answers, or problems that are others.
        DataError: the file can't be read.
    """
    check_there(file)
    if file.suffix.lower() != ".parquet":
        from workspan.recordings.journals import read_journal

        if is_climbed:
            raise InputError(f"{file} is a journal: efforts are climbed on samples (.parquet)")
        if problems is None and not tasks:
            raise InputError(
                f"{file} has no right answers: give the problems that were run (--input "
                "FILE.jsonl) or their task sets (--task NAME)"
            )
        known = read_tasks(problems) if problems else []
        known += [one for name in tasks for one in open_tasks(name, imports=True).load()]
        return [await read_journal(file, known)], {}
    from workspan.lab.efforts.recorded import MOST_MISSING
    from workspan.recordings.drafts import UNLOGGED
    from workspan.recordings.parquet import read_recordings

    prompts = _prompts(problems) if problems else {}
    found = read_recordings(
        file,
        [*models],
        [*tasks],
        prompts=prompts,
        kind=kind,
        unlogged=MOST_MISSING if is_climbed else UNLOGGED,
        names_missing=not is_climbed,
    )
    held = {problem.id for one in found.recordings for problem in one.problems}
    if problems and held.isdisjoint(prompts):
        said = f"such as {min(prompts)}, where {file} has {min(held)}"
        raise InputError(
            f"{problems} holds none of the recorded problems: its ids are others, {said}"
        )
    return [*found.recordings], {**found.left_out}


def _prompts(path: Path) -> dict[str, str]:
    """Return the text of each problem of a file, by id."""
    problems = [task.problem for task in read_tasks(path)]
    return {one.id: "\n".join(turn.text for turn in one.prompt) for one in problems}


def limited(recordings: Sequence[Recording], limit: int | None, seed: int) -> list[Recording]:
    """Return the part of some recordings that holds so many problems, chosen by the seed."""
    names = sorted({problem.id for one in recordings for problem in one.problems})
    if limit is None or limit >= len(names):
        return [*recordings]
    chosen = {*random.Random(seed).sample(names, limit)}
    return [kept for one in recordings if (kept := one.keep(chosen)).problems]


def each_once(found: Sequence[Recording], effort: str | None) -> Sequence[Recording]:
    """Keep those at an effort, and refuse what holds a problem twice, or several models.

    Raises:
        InputError: it does, or nothing was recorded at the effort.
    """
    efforts = [*dict.fromkeys(one.effort for one in found if one.effort)]
    if effort is not None:
        found = [one for one in found if one.effort == effort]
        if not found:
            hint = nearest(effort, efforts) if efforts else "the file names no efforts"
            raise InputError(f"nothing was recorded at effort {quoted(effort)}: {hint}")
    counts = Counter(problem.id for one in found for problem in one.problems)
    if max(counts.values(), default=0) > 1:
        models = [*dict.fromkeys(one.model for one in found)]
        how = [f"one model ({', '.join(models[:_NAMED])})"] * (len(models) > 1)
        how += [f"one effort ({', '.join(efforts)})"] * (effort is None and len(efforts) > 1)
        said = " and ".join(how) or "a file that holds each once"
        raise InputError(
            "the recordings hold the same problems several times, and who counts a problem twice "
            f"promises too much: name {said}"
        )
    if len(models := [*dict.fromkeys(one.model for one in found)]) > 1:
        raise InputError(
            f"these are draws of {len(models)} models: name one ({', '.join(models[:_NAMED])})"
        )
    return found

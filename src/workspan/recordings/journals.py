"""Chains from the project's own journals: what was sampled once, replayed under other rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from workspan.answers import extract
from workspan.core.journal import digest
from workspan.data.entry import Entry, Line
from workspan.errors import DataError, GraderError, SpecError
from workspan.legible import quoted
from workspan.recordings.recording import Chain, Recording
from workspan.recordings.spoken import spoken
from workspan.spec.text import name_of
from workspan.store.lines import read_lines
from workspan.tasks.base import Task

PLAIN = frozenset(
    {
        "single",
        "self_consistency",
        "adaptive_consistency",
        "esc",
        "bayesian_stopping",
        "short_m_at_k",
    }
)
"""Strategies all of whose calls are tries from the start: their samples are chains."""

ALIKE = frozenset({"single", "self_consistency"})
"""Those that draw as many as were planned whatever they say."""
AS_PLANNED = frozenset({"done", "calls"})
"""What ends a run without a look at how long its samples are."""


async def read_journal(path: Path, tasks: Sequence[Task]) -> Recording:
    """Make chains of the samples that plain votes drew, without interim answers.

    A journal holds neither questions nor right answers, so `tasks` must be those that were run.
    A call that several strategies shared counts once; a chain that was cut has no answer.

    Raises:
        DataError: no journal, a damaged line, or no sample of a plain vote on one of `tasks`.
    """
    header, lines = read_lines(path)
    known = {task.problem.id: task for task in tasks}
    texts = _drawn(lines, known, path)
    if not texts:
        said = f"no sample of {', '.join(sorted(PLAIN))} on the problems that were given"
        raise DataError(said, path=str(path))
    chains: dict[str, tuple[Chain, ...]] = {}
    verdicts: dict[str, dict[str, float]] = {}
    for name, entries in texts.items():
        task, kind = known[name], known[name].problem.kind
        read = [_read(entry, task) for entry in entries.values()]
        names = spoken((answer for _, answer in read if answer is not None), kind)
        chains[name] = tuple(
            Chain((tokens,), (None if answer is None else names[answer],))
            for tokens, answer in read
        )
        verdicts[name] = {said: await _grade(task, answer) for answer, said in names.items()}
    problems = tuple(known[name].problem for name in sorted(chains))
    references = {name: known[name].reference for name in chains}
    whose = header.model or header.engine
    cut = frozenset(chains) - _whole(lines)
    return Recording(whose, problems, chains, references, verdicts=verdicts, cut=cut)


def _whole(lines: Sequence[Line]) -> set[str]:
    """Return the ids of problems whose draws came to as many as were planned, whatever they said.

    A limit on calls ends a row however long its chains are.
    """
    return {
        line.run.problem
        for line in lines
        if line.entry.end is not None
        and line.entry.end.stop in AS_PLANNED
        and plain_name(line.run.strategy) in ALIKE
    }


def _drawn(
    lines: Sequence[Line], known: Mapping[str, Task], path: Path
) -> dict[str, dict[str, Entry]]:
    """Return the samples of plain votes, by the problem's id and what was asked.

    Raises:
        DataError: problems of one id were run, and none of them is the one that is given.
    """
    found: dict[str, dict[str, dict[str, Entry]]] = {}
    for line in lines:
        run, entry = line.run, line.entry
        if entry.sample is not None and run.problem in known and _is_plain(run.strategy):
            own = found.setdefault(run.problem, {}).setdefault(run.digest, {})
            own[entry.fingerprint or entry.key] = entry
    texts: dict[str, dict[str, Entry]] = {}
    for name, several in found.items():
        given = digest(known[name].problem)
        if given not in several and len(several) > 1:
            said = f"holds {len(several)} problems of the id {quoted(name)}, none as it was given"
            raise DataError(said, path=str(path))
        texts[name] = several[given if given in several else next(iter(several))]
    return texts


def _is_plain(written: str) -> bool:
    return plain_name(written) in PLAIN


@cache
def plain_name(written: str) -> str:
    """Return the name of a written strategy; "" of what is none."""
    try:
        return name_of(written)
    except SpecError:
        return ""


def _read(entry: Entry, task: Task) -> tuple[int, str | None]:
    sample = entry.sample
    assert sample is not None
    answer = extract(sample.text, task.problem.kind, finished=sample.finish == "stop")
    return max(1, entry.usage.output_tokens), answer


async def _grade(task: Task, answer: str) -> float:
    """Grade an answer; one that can't be judged is not right."""
    try:
        return (await task.grader(task, answer)).correct
    except GraderError:
        return 0.0

"""What the numbers of a comparison don't say by themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from workspan.batch.compare import Comparison
from workspan.lab.records import Record, matched
from workspan.lab.stats import DISAGREEMENT, detectable, problems_needed
from workspan.legible import counted

SIMULATED = frozenset({"scripted", "recorded", "simulated"})
"""Engines that no model stands behind."""


def caveats(done: Comparison, found: Sequence[Record]) -> list[str]:
    """Say what failed, what is proven, and where the counts come from; a sentence or two each."""
    engines = dict.fromkeys([done.engine, *done.kinds_of_engine])
    said = [
        f"simulated: no language model stands behind the engine {engine!r}"
        for engine in engines
        if engine in SIMULATED
    ]
    if done.ungraded:
        example = done.ungraded[0]
        said.append(
            f"{len(done.ungraded)} of {counted(len(done.trials), 'run')} failed, neither right nor "
            f"wrong; the same command asks them again. One of them: {example.error}"
        )
    said += over_budget(done, found)
    said += _noticed(done)
    if len(found) > 1:
        said.append(f"{_verdict(found)}; {power(len(done.tasks))}")
    estimated = [record.strategy for record in found if record.source == "estimated"]
    if estimated:
        said.append(f"some counts are upper bounds, not measured: {', '.join(estimated)}")
    return said


def over_budget(done: Comparison, found: Sequence[Record]) -> list[str]:
    """Say which strategies passed the budget, if any did."""
    over = [f"{r.strategy} ({counted(r.over_budget, 'run')})" for r in found if r.over_budget]
    if not over:
        return []
    of = "the budget of all runs together" if done.pooled else "its budget"
    beside = "so no difference is given; " if len(found) > 1 else ""
    return [
        f"† passed {of}, {done.budget}: {', '.join(over)}: not matched, {beside}the engine billed "
        "more than it was asked for"
    ]


def _noticed(done: Comparison) -> list[str]:
    """Repeat what was odd about the runs, each once, with how many runs it concerns."""
    runs: Counter[str] = Counter()
    for trial in done.trials:
        notices = trial.result.notices if trial.result is not None else ()
        runs.update({notice.of_all or notice.text for notice in notices})
    return [
        f"{text} ({count} of {counted(len(done.trials), 'run')})" for text, count in runs.items()
    ]


def _verdict(found: Sequence[Record]) -> str:
    base, rivals = found[0].strategy, matched(found[1:])
    if found[0].over_budget:
        return f"no verdict: {base}, which the others are compared with, passed its budget"
    if not rivals:
        return f"no verdict: all but {base} passed their budget"
    different = [f"{r.strategy} ({r.difference:+.2f})" for r in rivals if r.differs]
    if different:
        return f"different from {base} at 95 %: {', '.join(different)}"
    within = " that kept its budget" if len(rivals) < len(found) - 1 else ""
    return f"no strategy{within} differs from {base} at 95 %"


def power(problems: int) -> str:
    """Say whether so many problems suffice to tell two strategies apart."""
    share = f"{DISAGREEMENT * 100:.0f} %"
    given = f"(80 % power at 95 %, if two strategies differ on {share} of the problems)"
    least, tenth = detectable(problems), problems_needed(0.1)
    if least is None:
        return f"by {counted(problems, 'problem')} nobody can tell strategies apart {given}"
    more = "" if problems >= tenth else f"; a difference of 0.10 takes {counted(tenth, 'problem')}"
    return f"{problems} problems show a true difference of {least:.2f} or more {given}{more}"

"""A comparison as one page: no scripts, nothing loaded from elsewhere, private to the user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from workspan import __version__
from workspan.batch.compare import Comparison
from workspan.batch.trials import Trial
from workspan.core.engine import engine_names
from workspan.core.journal import digest
from workspan.lab.records import Record, by_parallelism, letter, records
from workspan.lab.report.caveats import caveats
from workspan.lab.report.figures import HUES, accuracy_plot, difference_plot, timeline
from workspan.lab.report.pages import GENERATOR, write_page
from workspan.legible import counted, legible
from workspan.tasks.base import Task

EXAMPLES = 2
"""Problems shown at length."""

_LONGEST = 6_000
"""Characters shown of one text."""


def write_report(comparison: Comparison, path: Path) -> None:
    """Write the page to `path`, readable by its owner only.

    Raises:
        InputError: something else is there.
        OutputError: the page can't be written.
    """
    write_page(render(comparison), path)


def render(comparison: Comparison) -> str:
    """Return the page; every text from outside is escaped, since model output is untrusted."""
    found = records(comparison)
    n, m = len(comparison.strategies), len(comparison.tasks)
    return template("report.html.j2").render(
        title=f"{n} {'strategies' if n > 1 else 'strategy'} on {m} problem{'s' * (m > 1)}",
        facts=_facts(comparison),
        caveats=caveats(comparison, found),
        records=found,
        rows=by_parallelism(found),
        has_costs=any(record.cost != 0 for record in found),
        accuracy=Markup(accuracy_plot(found)),  # our own drawing: it holds no text from outside
        differences=Markup(difference_plot(found)) if _has_pairs(found) else "",
        examples=[_example(comparison, task) for task in examples(comparison)],
        sources=" or ".join(sorted({record.source for record in found})),
        hues=HUES,
        letter=letter,
    )


def template(name: str) -> jinja2.Template:
    """Load a page's template; what is put in is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("workspan.lab.report", "."),
        autoescape=True,
        finalize=_visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.globals["generator"] = GENERATOR
    return environment.get_template(name)


def _visible(value: object) -> object:
    """Take out of a text what can't be seen, such as what turns its direction."""
    return legible(value) if type(value) is str else value


def examples(comparison: Comparison) -> list[Task]:
    """Choose problems to show: those that the strategies differ on most come first."""
    grades: dict[str, list[float]] = {}
    for trial in comparison.trials:
        if trial.grade is not None:
            grades.setdefault(digest(trial.task.problem), []).append(trial.grade.correct)

    def spread(task: Task) -> float:
        found = grades.get(digest(task.problem), [0.0])
        return min(found) - max(found)

    return sorted(comparison.tasks, key=spread)[:EXAMPLES]


def _facts(comparison: Comparison) -> dict[str, str]:
    usage = comparison.usage
    return {
        "engine": engine_names(f"{comparison.engine}, {comparison.model}", comparison.engines),
        "budget of each run": str(comparison.budget),
        "problems": str(len(comparison.tasks)),
        "seed": str(comparison.seed),
        "spent in all": f"{counted(usage.calls, 'call', ',')}, "
        f"{counted(usage.work, 'token', ',')} decoded, "
        f"{counted(usage.prefill, 'prompt token', ',')} read",
        "workspan": __version__,
    }


def _has_pairs(found: Sequence[Record]) -> bool:
    return any(record.difference is not None for record in found)


@dataclass(frozen=True, slots=True)
class _Shown:
    """One strategy's part of an example."""

    answer: str
    verdict: str
    votes: str
    text: str


def _example(comparison: Comparison, task: Task) -> dict[str, object]:
    trials = [trial for trial in comparison.trials if trial.task is task]
    return {
        "id": task.problem.id,
        "prompt": _cut("\n\n".join(turn.text for turn in task.problem.prompt)),
        "reference": _cut(task.reference) or "graded by tests",
        "timeline": Markup(timeline([trial.result for trial in trials])),
        "trials": [_shown(trial) for trial in trials],
    }


def _shown(trial: Trial) -> _Shown:
    if trial.result is None:
        return _Shown("no result", "failed", "", trial.error)
    answer = trial.result.answer
    votes = ", ".join(f"{_cut(vote.answer, 80)} × {vote.weight:g}" for vote in answer.votes[:8])
    spent = f"{trial.result.work:,} work, {trial.result.span:,} span"
    verdict = f"{_judged(trial)}{', tied' if answer.tied else ''}; {spent}"
    if answer.best is None:
        return _Shown("no answer", verdict, "", "No sample held an answer.")
    return _Shown(_cut(answer.text or "", 200), verdict, votes, _cut(answer.best.text))


def _judged(trial: Trial) -> str:
    if trial.grade is None:
        return "not graded"
    known = {1.0: "right", 0.0: "wrong"}
    return known.get(trial.grade.correct, f"graded {trial.grade.correct:.2f}")


def _cut(text: str, longest: int = _LONGEST) -> str:
    left = len(text) - longest
    return text if left <= 0 else f"{text[:longest]} … and {counted(left, 'character', ',')} more"

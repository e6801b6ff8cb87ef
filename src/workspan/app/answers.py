"""Answers to many problems: a record each, a table in a notebook, a data frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, overload

from workspan.data.types import Usage
from workspan.errors import MissingDependency
from workspan.legible import for_html

if TYPE_CHECKING:
    from workspan.app.engines import Opened
    from workspan.batch.compare import Comparison
    from workspan.batch.trials import Trial
    from workspan.lab.records import Record
    from workspan.runner import Result

_SHOWN = 50
"""Rows of a table in a notebook."""


def result_record(result: Result, budget: str, opened: Opened) -> dict[str, object]:
    """Flatten a result into what JSON can say."""
    answer, usage, engine = result.answer, result.usage, opened.engine.info
    return {
        "problem": result.problem,
        "answer": answer.text,
        "text": answer.best.text if answer.best else None,
        "sources": answer.best.sources if answer.best else (),
        "votes": [{"answer": vote.answer, "weight": vote.weight} for vote in answer.votes],
        "margin": answer.margin,
        "tied": answer.tied,
        "certified": answer.certified,
        "why": answer.why,
        "engine": engine.name,
        "model": engine.model,
        "engines": opened.models,
        "strategy": result.strategy,
        "budget": budget,
        "stop": result.stop,
        "unanswered": result.unanswered or None,
        "work": result.work,
        "span": result.span,
        "parallelism": round(result.parallelism, 3),
        "prefill": usage.prefill,
        "cached": usage.cached_tokens,
        "reasoning": usage.reasoning_tokens,
        "unseen": usage.unseen_tokens,
        "calls": usage.calls,
        "failures": result.failures,
        "seconds": round(result.seconds, 3),
        "call_seconds": round(result.call_seconds, 3),
        "queue_seconds": round(result.queue_seconds, 3),
        "cost": None if usage.cost is None else str(usage.cost),
        "source": usage.source,
        "overrun": result.overrun,
        "overruns": {limit: str(excess) for limit, excess in result.overruns.items()},
        "notices": [notice._asdict() for notice in result.notices],
    }


def trial_record(trial: Trial, budget: str, opened: Opened) -> dict[str, object]:
    """Flatten one of many answers; one whose run failed has an error in its place."""
    if trial.result is not None:
        return result_record(trial.result, budget, opened)
    return {"problem": trial.task.problem.id, "answer": None, "error": trial.error}


@dataclass(frozen=True, slots=True)
class Answers(Sequence["Trial"]):
    """The answers to many problems, in their order."""

    done: Comparison
    records: Sequence[Mapping[str, Any]] = field(repr=False)
    """What JSON says of each: its fields are those of `workspan solve --json`."""

    @overload
    def __getitem__(self, place: int) -> Trial: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Trial]: ...
    def __getitem__(self, place: int | slice) -> Trial | Sequence[Trial]:
        """Return the run on one problem, or on several."""
        return self.done.trials[place]

    def __len__(self) -> int:
        return len(self.done.trials)

    def __iter__(self) -> Iterator[Trial]:
        return iter(self.done.trials)

    @property
    def texts(self) -> list[str | None]:
        """The answers themselves; None where there is none."""
        return [one.result.answer.text if one.result else None for one in self.done.trials]

    @property
    def failed(self) -> int:
        """Runs that a failed call ended: asked again with the same journal."""
        return sum(one.result is None for one in self.done.trials)

    @property
    def usage(self) -> Usage:
        """What all of them cost, failed runs included."""
        return self.done.usage

    def frame(self) -> Any:
        """Return a pandas data frame, a row a problem.

        Raises:
            MissingDependency: pandas is not installed.
        """
        return data_frame(self.records)

    def _repr_html_(self) -> str:
        shown = ("problem", "answer", "margin", "work", "span", "calls", "stop", "error")
        return html_table(shown, self.records)


@dataclass(frozen=True, slots=True)
class Compared:
    """A finished comparison, with a record a strategy."""

    done: Comparison
    records: Sequence[Record]

    @property
    def usage(self) -> Usage:
        """What everything cost, failed runs included."""
        return self.done.usage

    @property
    def caveats(self) -> list[str]:
        """What the numbers don't say by themselves, such as what differs, and what failed."""
        from workspan.lab.report.caveats import caveats

        return caveats(self.done, self.records)

    def frame(self) -> Any:
        """Return a pandas data frame, a row a strategy.

        Raises:
            MissingDependency: pandas is not installed.
        """
        return data_frame([asdict(record) for record in self.records])

    def _repr_html_(self) -> str:
        shown = ("strategy", "accuracy", "low", "high", "difference", "work", "span", "calls")
        said = "".join(f"<p>{for_html(caveat)}</p>" for caveat in self.caveats)
        return html_table(shown, [asdict(record) for record in self.records]) + said


def data_frame(records: Sequence[Mapping[str, Any]]) -> Any:
    """Return a pandas data frame, a row a record.

    Raises:
        MissingDependency: pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise MissingDependency("a data frame", distribution="pandas") from None
    return pandas.DataFrame.from_records([dict(record) for record in records])


def html_table(columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> str:
    """Lay records out for a notebook; whatever models wrote is text, never markup."""
    used = [name for name in columns if any(record.get(name) is not None for record in records)]
    head = "".join(f"<th>{for_html(name)}</th>" for name in used)
    rows = [
        "<tr>" + "".join(f"<td>{_cell(record.get(name))}</td>" for name in used) + "</tr>"
        for record in records[:_SHOWN]
    ]
    more = f"<p>{len(records) - _SHOWN} more</p>" if len(records) > _SHOWN else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{more}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return for_html(f"{value:.3g}" if isinstance(value, float) else str(value))

"""What a run that searches is measured by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from workspan.core.journal import Journal
from workspan.retrieval import Found, Passage, found
from workspan.runner import Result
from workspan.tasks.base import Task, references
from workspan.tasks.graders.overlap import exact_match, f1


@dataclass(frozen=True, slots=True)
class RetrievalMetrics:
    """One run."""

    exact_match: float
    """1 or 0; no answer is 0."""
    f1: float
    rounds: int
    """Calls of the tool "search": queries that go together are one round."""
    queries: int
    passages: int
    """As many as came back, repetitions included."""
    distinct: int
    """Passages with different ids: what was there to read (information diversity)."""
    tokens: int
    """Of all prompts and texts together: retrieval is paid for in prompts."""
    work: int
    span: int
    seconds: float

    @property
    def diversity(self) -> float:
        """Distinct passages as a share of all that came back; 1 where none came."""
        return self.distinct / self.passages if self.passages else 1.0


def retrieval_metrics(task: Task, result: Result, journal: Journal) -> RetrievalMetrics:
    """Measure a finished run by its result and its journal, which holds what was found."""
    rounds = [*searches(journal)]
    ids = [passage.id for one in rounds for row in one.passages for passage in row]
    answer, right = result.answer.text, references(task)
    return RetrievalMetrics(
        exact_match=0.0 if answer is None else exact_match(answer, right),
        f1=0.0 if answer is None else f1(answer, right),
        rounds=len(rounds),
        queries=sum(len(one.queries) for one in rounds),
        passages=len(ids),
        distinct=len(set(ids)),
        tokens=result.usage.input_tokens + result.usage.output_tokens,
        work=result.work,
        span=result.span,
        seconds=result.seconds,
    )


def searches(journal: Journal) -> Iterator[Found]:
    """Yield the retrieval rounds of a run in the order they ended."""
    for entry in journal.entries:
        if isinstance(entry.value, str) and (one := found(entry.value)) is not None:
            yield one


def recall(retrieved: Iterable[Passage], gold: Collection[str]) -> float:
    """Return the share of the gold passages, by their ids, that were found.

    Raises:
        ValueError: there are none to find.
    """
    if not gold:
        raise ValueError("recall needs at least one gold passage")
    return len({passage.id for passage in retrieved} & set(gold)) / len(set(gold))

"""What a searching run is measured by is read off its journal."""

from __future__ import annotations

import msgspec
import pytest

from workspan.core.journal import Journal
from workspan.data.entry import Entry
from workspan.data.types import Answer, Candidate, Problem, Usage
from workspan.lab.retrieval import retrieval_metrics
from workspan.retrieval import Found, Passage
from workspan.runner import Result
from workspan.tasks.base import Task
from workspan.tasks.graders.overlap import F1


def result(answer: str | None) -> Result:
    best = Candidate("", answer) if answer else None
    usage = Usage(2, 30, output_tokens=12)
    return Result("p", "retrieve", Answer(best), usage, 9, 1.5, "done", ())


def journal() -> Journal:
    one, two = Passage("1", "", "x"), Passage("2", "", "y")
    rounds = [Found(("a", "b"), ((one, two), (one,))), Found(("c",), ((),))]
    values = [msgspec.json.encode(found).decode() for found in rounds]
    entries = [Entry(f"/{i}", "value", value=value) for i, value in enumerate([*values, "17"])]
    return Journal([*entries, Entry("/9", "value", value="null")])


def test_rounds_queries_and_passages_are_counted_and_rooms_are_not() -> None:
    task = Task(Problem.ask("?"), "Mirel Dast", F1())
    found = retrieval_metrics(task, result("Mirel"), journal())
    assert (found.rounds, found.queries, found.passages, found.distinct) == (2, 3, 3, 2)
    assert (found.tokens, found.work, found.span, found.seconds) == (42, 12, 9, 1.5)
    assert found.exact_match == 0
    assert found.f1 == pytest.approx(2 / 3)
    assert found.diversity == pytest.approx(2 / 3)


def test_a_run_without_searches_or_answer_counts_nothing() -> None:
    found = retrieval_metrics(Task(Problem.ask("?"), "x", F1()), result(None), Journal())
    assert (found.rounds, found.passages, found.exact_match, found.f1) == (0, 0, 0.0, 0.0)
    assert found.diversity == 1.0

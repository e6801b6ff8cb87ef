"""Multi-hop questions of known shape can be answered from their corpus, and from nothing else."""

from __future__ import annotations

import re

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.core.journal import Journal
from workspan.errors import InputError, SpecError
from workspan.lab.retrieval import RetrievalMetrics, retrieval_metrics
from workspan.retrieval import search_tool
from workspan.retrieval.bm25 import Bm25
from workspan.runner import run
from workspan.spec import parse_strategy
from workspan.tasks.catalogue import serial_depth
from workspan.tasks.hops import Hops
from workspan_evidence.simulated.searcher import SimulatedSearcher


def follow(shape: Hops, seed: int) -> tuple[str, str]:
    """Answer the first question by reading every passage; return (answer, reference)."""
    task, passages = shape.load(1, seed)[0], shape.passages(1, seed)
    question = task.problem.prompt[0].text
    text = {p.id: p.text for p in passages}
    head = re.search(r"Begin with (?:each of )?([^:]*):", question)
    assert head is not None
    ends = {}
    for start in re.findall(r"[A-Z]\w+", head[1]):
        person = start
        for relation in re.findall(r"(\w+) of that person", question):
            step = re.search(rf"The {relation} of {person} is (\w+)\.", text[person])
            assert step is not None
            person = step[1]
        books = re.search(rf"{person} owns (\d+) books", text[person])
        assert books is not None
        ends[start] = int(books[1])
    best = max(ends, key=lambda start: ends[start])
    return (best if len(ends) > 1 else str(ends[best])), task.reference


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 30), st.integers(0, 50))
def test_the_reference_follows_from_the_passages(
    h: int, f: int, distractors: int, seed: int
) -> None:
    said, reference = follow(Hops(h, f, distractors), seed)
    assert said == reference


def test_no_two_passages_of_a_set_are_of_one_person() -> None:
    names = [p.id for p in Hops(3, 3).passages(100)]
    assert len(names) == len(set(names)) == 100 * (9 + 20 + 2)


def test_a_task_is_the_same_whatever_the_limit_and_another_for_another_seed() -> None:
    few, many = Hops().load(2, 1), Hops().load(5, 1)
    assert [t.problem for t in few] == [t.problem for t in many[:2]]
    assert few[0].problem.prompt != Hops().load(1, 2)[0].problem.prompt
    with pytest.raises(InputError, match="how many"):
        Hops().load()


def test_the_written_form_names_what_is_wrong() -> None:
    assert (
        Hops.from_text("hops(hops=3, fanout=2)").hops,
        Hops.from_text("hops(fanout=2)").fanout,
    ) == (3, 2)
    with pytest.raises(SpecError, match="did you mean 'fanout'"):
        Hops.from_text("hops(fanot=2)")
    with pytest.raises(SpecError, match="at most 9"):
        Hops.from_text("hops(hops=10)")


def measure(mode: str, h: int, f: int) -> RetrievalMetrics:
    """Run the simulated searcher, which is no model, on one task."""
    shape, journal = Hops(h, f), Journal()
    task = shape.load(1, 3)[0]
    strategy = parse_strategy(f"retrieve(mode={mode!r}, rounds=40)")
    tools = {"search": search_tool(Bm25.build(shape.passages(1, 3)))}
    engine = SimulatedSearcher(mode=mode)  # type: ignore[arg-type]

    async def main() -> RetrievalMetrics:
        result = await run(strategy, task.problem, engine, journal=journal, tools=tools)
        return retrieval_metrics(task, result, journal)

    return anyio.run(main)


@pytest.mark.parametrize(("h", "f"), [(1, 1), (3, 1), (1, 5), (2, 3), (3, 4)])
def test_rounds_are_h_f_one_at_a_time_and_h_f_over_k_together(h: int, f: int) -> None:
    one, several, planned = (measure(m, h, f) for m in ("sequential", "parallel", "dependency"))
    assert (one.exact_match, several.exact_match, planned.exact_match) == (1, 1, 1)
    # At most: a fact may turn up in a passage found for another.
    assert h * f - 1 <= one.rounds <= h * f
    assert planned.rounds == h * -(-f // 3)
    assert planned.queries <= h * f
    assert planned.rounds - 1 <= several.rounds <= planned.rounds  # spare queries may be lucky


def test_on_a_chain_guesses_cost_passages_and_save_no_round() -> None:
    planned, guessing = measure("dependency", 4, 1), measure("parallel", 4, 1)
    assert guessing.rounds == planned.rounds == 4
    assert guessing.queries > planned.queries == 4
    assert guessing.work > planned.work
    assert guessing.diversity < planned.diversity


def test_its_serial_depth_is_its_hops_and_asked_of_named_sets_alone() -> None:
    assert serial_depth("hops(hops=4)") == 4
    for unknown in ("demo", "mine.jsonl", "hf:OWNER/NAME", "os:system", "hops(hops=0)", "no", ""):
        assert serial_depth(unknown) is None

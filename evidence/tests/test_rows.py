"""Everything that the evidence brings loads by name, says all of itself, and keeps its suite."""

from __future__ import annotations

import anyio
import pytest

from workspan.claims import claim
from workspan.errors import SpecError
from workspan.registry._rows import OFFICIAL
from workspan.registry.card import cost
from workspan.registry.table import Row, table
from workspan.spec import make, parse_verifier, write
from workspan.spec.describing import described
from workspan.spec.engines import open_engine
from workspan.tasks import open_tasks
from workspan.testing.task_suite import check_tasks
from workspan.testing.verifier_suite import check_verifier

OURS = OFFICIAL["workspan-evidence"]
PROBLEMS = {"timetable_check": "timetable", "walk": "deep(d=2)"}


def brought(group: str) -> dict[str, Row]:
    return {name: table(group).find(name) for name in OURS[group]}  # type: ignore[arg-type]


@pytest.mark.parametrize("name", OURS["verifiers"])
def test_every_verifier_keeps_its_suite_and_says_all_of_itself(name: str) -> None:
    row = brought("verifiers")[name]
    verifier = parse_verifier(row.example)
    check_verifier(verifier, open_tasks(PROBLEMS[name]).load(1)[0].problem)
    assert write(verifier) == name  # as journals have it
    assert row.card.helps.endswith(".")
    assert row.card.hurts.endswith(".")
    assert row.card.source.startswith("arXiv:")
    assert cost(make(row.example, "verifiers")) is not None


@pytest.mark.parametrize("name", OURS["tasks"])
def test_every_task_set_keeps_its_suite(name: str) -> None:
    row = brought("tasks")[name]
    anyio.run(check_tasks, open_tasks(row.example))
    assert described(row).parameters


@pytest.mark.parametrize("name", OURS["engines"])
def test_every_engines_example_opens_and_says_what_it_is(name: str) -> None:
    async def main() -> None:
        engine = await open_engine(row.example)
        info = engine.info
        await engine.aclose()
        if name.startswith("simulated"):
            assert "no model" in info.model

    row = brought("engines")[name]
    anyio.run(main)
    told = described(row)
    assert told.summary.endswith(".")
    assert ("no model" in told.summary) == name.startswith("simulated")
    assert all(item.doc.endswith(".") for item in told.parameters)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("simulated_planner", "needs its task: write simulated_planner"),
        ("simulated_planner(task='deep')", "knows plans, such as trip_planning"),
        ("simulated_planner(task='trip_planning', follows=2)", "follows is 2"),
        ("simulated_planner(task='trip_planning', limit=0)", "limit is 0"),
        ("simulated_searcher(mode='up')", "mode must be"),
        ("simulated_searcher(k=0)", "k is 0"),
        ("reasoner:grafs", "no reasoner 'grafs'"),
        ("reasoner(model=3)", "model must be"),
    ],
)
def test_what_an_engine_refuses_is_said(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        anyio.run(open_engine, text)


@pytest.mark.parametrize("name", OURS["claims"])
def test_every_claim_says_all_of_itself_and_has_a_model_of_its_own(name: str) -> None:
    one = claim(name)
    assert one.name == name
    assert not one.any_engine
    texts = (one.statement, one.source, one.design, one.statistic, one.on, one.changes)
    assert all(len(text) > 8 for text in texts)

"""The map: ideas, what tests them, and that nothing is left without a word."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from map_rig import HELD, everywhere
from workspan.claims import claim, names
from workspan.errors import MissingDependency
from workspan.lab.map.gathered import SEED, gather
from workspan.lab.map.ideas import EDGES, IDEAS
from workspan.lab.map.rows import Row
from workspan.registry._rows import OFFICIAL

KNOWN = {idea.id for idea in IDEAS}
RECORDED = {
    name
    for path in (Path(__file__).parents[2] / "benchmarks" / "recorded_claims").glob("*.py")
    for name in re.findall(r'\n    name="(\w+)"', path.read_text())
}


def test_the_ideas_are_those_that_the_field_argues_with() -> None:
    assert {
        *("parallel", "sequential", "hybrid", "evolution", "retrieval", "task_structure"),
        *("training_format", "serial_scaling", "overthinking", "selected_votes", "effort"),
    } == KNOWN
    assert len(IDEAS) == len(KNOWN)
    for idea in IDEAS:
        assert idea.claim.endswith(".")
        assert "20" in idea.source or "19" in idea.source, "a citation has a year"


def test_edges_join_known_ideas_once_by_experiments_that_exist() -> None:
    pairs = [frozenset((edge.start, edge.end)) for edge in EDGES]
    assert all(pair <= KNOWN and len(pair) == 2 for pair in pairs)
    directed = [(edge.start, edge.end) for edge in EDGES]
    assert len(directed) == len({*directed})
    official = OFFICIAL["workspan-evidence"]["claims"]
    known = {*names(), *official, *RECORDED}
    assert {test for edge in EDGES for test in edge.tests} <= known
    assert {end for pair in pairs for end in pair} == KNOWN, "no idea stands apart"


def test_every_claim_bears_on_an_idea_and_names_its_model_and_budget() -> None:
    for name in names():
        try:
            one = claim(name)
        except MissingDependency:
            continue
        if one.idea:
            assert one.idea in KNOWN
            assert one.budget
            assert one.model
            assert one.kind in {"reasoner", "model", "program"}
    assert all(claim(name).idea for name in ("overthinking", "natural_chain", "stretched_chain"))


def test_an_empty_store_says_of_every_idea_what_would_measure_it() -> None:
    found = gather([])
    for node in found.nodes:
        assert node.verdict == "not measured"
        assert {row.kind for row in node.rows} == {*SEED}
        assert all(row.why and row.command.startswith("workspan ") for row in node.rows)
    assert all(link.verdict == "not measured" for link in found.links)


def test_every_idea_has_a_row_for_the_reasoner_and_one_for_a_model() -> None:
    for kinds in ((), ("model",), ("reasoner",), ("model", "reasoner")):
        rows = [row for kind in kinds for row in everywhere(kind=kind)]  # type: ignore[arg-type]
        for node in gather(rows).nodes:
            assert {row.kind for row in node.rows} >= {*SEED}
            assert sum(row.verdict == "not measured" for row in node.rows) == 2 - len(kinds)


def test_an_idea_held_only_if_it_did_on_both_kinds_of_model() -> None:
    def words(*rows: Row) -> set[str]:
        return {node.verdict for node in gather(rows).nodes}

    model, reasoner = everywhere(kind="model"), everywhere(kind="reasoner")
    assert words(*model) == words(*reasoner) == {"held in part"}
    assert words(*model, *reasoner) == {"held"}
    assert words(*everywhere("undecided")) == {"undecided"}
    assert words(*everywhere(kind="program")) == {"not measured"}


def test_a_relation_stands_as_its_experiments_do() -> None:
    against = replace(HELD, model="another", verdict="came out against")
    [link] = [
        one
        for one in gather([HELD, against]).links
        if (one.edge.start, one.edge.end) == ("sequential", "parallel")
    ]
    assert link.verdict == "held in part"
    assert {*link.rows} == {HELD.id, against.id}


def test_a_program_counts_for_a_relation_only_where_no_model_was_measured() -> None:
    program = replace(HELD, name="evolution_over_sampling", idea="evolution", kind="program")
    model = replace(program, kind="model", verdict="came out against", model="m")

    def word(*rows: object) -> str:
        found = gather(rows)  # type: ignore[arg-type]
        ends = ("evolution", "parallel")
        return next(x.verdict for x in found.links if (x.edge.start, x.edge.end) == ends)

    assert word(program) == "held"
    assert word(program, model) == "came out against"
    assert next(n for n in gather([program]).nodes if n.idea.id == "evolution").verdict == (
        "not measured"
    )


def test_what_bears_on_no_idea_stands_by_itself() -> None:
    found = gather([replace(HELD, idea="mine")])
    assert found.nodes[-1].idea.id == "others"
    assert [row.idea for row in found.nodes[-1].rows] == ["mine"]

"""Votes on recorded chains, counted on arrays: the same as runs on an engine that replays them."""

from __future__ import annotations

import random
import re
from pathlib import Path

import anyio
import pytest

from sweep_rig import figures
from workspan.core.engine import Engine
from workspan.data.types import Problem
from workspan.lab.sweeping.cell import Cell, problems_digest
from workspan.lab.sweeping.here import Here, Lane
from workspan.lab.sweeping.nested import families
from workspan.lab.sweeping.recorded import Recorded, hash_of
from workspan.recordings.recording import Chain, Recording


def recording(problems: int, chains: int, kind: str = "number", seed: int = 0) -> Recording:
    rng = random.Random(seed)
    asked = [
        Problem.ask(f"Question {i}?", kind=kind, id=f"q{i}")  # type: ignore[arg-type]
        for i in range(problems)
    ]
    said = ("4", "4.0", "5", "6", None, "7")
    held = {
        one.id: tuple(
            Chain((rng.randint(1, 900),), (rng.choice(said[: 2 + i % 5]),)) for _ in range(chains)
        )
        for i, one in enumerate(asked)
    }
    return Recording("m", tuple(asked), held, {one.id: "4" for one in asked})


def here(found: Recording) -> tuple[Here, Lane]:
    one = Recorded(found)
    engine: Engine = one.all_chains()
    lane = Lane(engine, {}, f"replay {hash_of(found)}", one.tasks(), one)
    return Here({("r", ""): lane}, None), lane


def cells(lane: Lane, strategies: list[str], seed: int = 0) -> list[Cell]:
    digest = problems_digest(lane.tasks["recorded"])
    return [
        Cell("r", lane.identity, "m", "recorded", digest, text, "unlimited", "", seed)
        for text in strategies
    ]


@pytest.mark.parametrize("kind", ["number", "text"])
@pytest.mark.parametrize("seed", [0, 3])
def test_arrays_and_runs_say_the_same(kind: str, seed: int) -> None:
    executor, lane = here(recording(12, 9, kind))
    sizes = (9, 5, 2, 1)
    [family] = families(
        cells(lane, [f"self_consistency(n={n}, max_tokens=900)" for n in sizes], seed)
    )
    rows = executor.at_once(family)
    assert rows is not None

    async def main() -> None:
        for cell in family.cells:
            for place, row in enumerate(rows[cell.id]):
                measured = await executor.measure(cell, place, "a sweep")
                assert measured.row is not None
                assert figures(measured.row) == figures(row)

    anyio.run(main)


@pytest.mark.parametrize(
    "strategy",
    ["self_consistency(n=10, max_tokens=900)", "self_consistency(n=2)", "esc(max_tokens=900)"],
)
def test_what_votes_do_not_tell_is_run(strategy: str) -> None:
    found = recording(4, 9)
    found = Recording("m", found.problems, found.chains, found.references)
    if strategy == "self_consistency(n=2)":  # a cap of 1024 tokens would cut a longer chain
        chain = Chain((2000,), ("4",))
        found = Recording(
            "m", found.problems, {**found.chains, "q0": (chain,) * 9}, found.references
        )
    executor, lane = here(found)
    [family] = families(cells(lane, [strategy]))
    assert executor.at_once(family) is None


def test_other_chains_are_other_cells() -> None:
    first, second = (here(recording(3, 4, seed=seed))[1] for seed in (0, 1))
    assert cells(first, ["single"])[0].id != cells(second, ["single"])[0].id


def test_a_file_of_recorded_chains_is_swept(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from workspan.app.sweeping import sweep

    path = tmp_path / "chains.parquet"
    write(recording(8, 6), path)
    plan = tmp_path / "plan.toml"
    plan.write_text(
        "strategies = ['single', {of = 'self_consistency', n = [1, 2, 6]}, 'ahead_by(n=6)']\n"
        f"budgets = ['unlimited', '1k work']\n[[engines]]\nname = 'm'\nrecording = '{path}'\n"
        "kind = 'number'\n"
    )
    done = anyio.run(lambda: sweep(plan, str(tmp_path / "s.db")))
    assert [row.status for row in done.cells] == ["done"] * 10
    free = [row for row in done.cells if row.budget == "unlimited" and "self_" in row.strategy]
    votes = {row.calls: row for row in free}
    assert [*votes] == [1, 2, 6]
    assert {row.draws for row in free} == {votes[6].id}
    assert max(one.tokens for many in recording(8, 6).chains.values() for one in many) == int(
        re.findall("max_tokens=([0-9]+)", votes[6].strategy)[0]
    )  # chains run to their recorded end
    assert max(row.work for row in done.cells if row.budget == "1000 work") <= 1000


def write(found: Recording, path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    rows = [
        {
            "problem_id": one.id,
            "task": "recorded",
            "model": found.model,
            "gold": found.references[one.id],
            "samples": [
                {"answer": c.answers[-1] or "8", "tokens": c.tokens} for c in found.chains[one.id]
            ],
        }
        for one in found.problems
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)

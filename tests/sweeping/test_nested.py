"""One run at the largest n gives every smaller one: exactly what a run of its own would give."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from sweep_rig import Rig, figures
from workspan.lab.sweeping.nested import NESTED
from workspan.spec import STRATEGIES, parse_strategy, write
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import chatter


def sized(name: str, n: int) -> str:
    from dataclasses import replace

    strategy = parse_strategy(STRATEGIES[name].example)
    return write(replace(strategy, **{NESTED[name]: n}))  # type: ignore[type-var]


@pytest.mark.parametrize("budget", ["unlimited", "600 work", "120 work"])
@pytest.mark.parametrize("name", NESTED)
def test_a_shared_cell_is_that_of_a_run_of_its_own(tmp_path: Path, name: str, budget: str) -> None:
    sizes = (1, 2, 5, 8)

    async def main() -> None:
        engine = ScriptedEngine(chatter, lambda request: request.seed % 4)
        shared = Rig(engine, str(tmp_path / "shared.db"), tmp_path / "shared")
        rows = await shared.sweep([sized(name, n) for n in sizes], (budget,), (0, 1))
        trials = await shared.trials(rows)
        assert sum(row.spent_calls for row in rows) == engine.billed.calls
        assert sum(row.spent_work for row in rows) == engine.billed.output_tokens
        for n in sizes:
            alone = Rig(
                ScriptedEngine(chatter, lambda request: request.seed % 4),
                str(tmp_path / f"{n}.db"),
                tmp_path / str(n),
            )
            own = await alone.sweep([sized(name, n)], (budget,), (0, 1))
            mine = await alone.trials(own)
            for one in own:
                assert [*map(figures, mine[one.id])] == [*map(figures, trials[one.id])]
        drew = {row.draws for row in rows}
        if budget == "unlimited":
            assert drew == {row.id for row in rows if row.strategy == sized(name, 8)}
            assert all(row.spent_calls == 0 for row in rows if row.id not in drew)

    anyio.run(main)


def test_a_smaller_cell_that_comes_later_shares_what_was_kept(tmp_path: Path) -> None:
    engine = ScriptedEngine(chatter)
    one = Rig(engine, str(tmp_path / "store.db"), tmp_path / "calls")

    async def main() -> None:
        await one.sweep(["self_consistency(n=8, max_tokens=60)"])
        before = len(engine.requests)
        both = [f"self_consistency(n={n}, max_tokens=60)" for n in (8, 3)]
        large, small = await one.sweep(both)
        assert len(engine.requests) == before
        assert (small.draws, small.spent_work, small.status) == (large.id, 0, "done")
        for path in one.folder.rglob("*.jsonl"):  # the calls are gone: it is run for itself
            path.unlink()
        *_, other = await one.sweep([*both, "self_consistency(n=2, max_tokens=60)"])
        assert other.draws == other.id
        assert len(engine.requests) == before + 2 * 6

    anyio.run(main)

"""AB-MCTS-M: refused without its extra; with it, journaled and replayable."""

from __future__ import annotations

from importlib.util import find_spec

import anyio
import pytest

from workspan.core.journal import Journal
from workspan.data.types import Problem, Request
from workspan.errors import MissingDependency
from workspan.runner import Result, run
from workspan.strategies.hybrid.ab_mcts_m import AbMctsM
from workspan.testing.scripted import ScriptedEngine

PROBLEM = Problem.ask("Name a good number.", kind="number")
IS_INSTALLED = all(find_spec(name) for name in ("treequest", "pymc", "numpyro", "jax"))
without = pytest.mark.skipif(IS_INSTALLED, reason="the extra is installed")
with_it = pytest.mark.skipif(not IS_INSTALLED, reason="treequest[abmcts-m] is not installed")


def simulated(request: Request) -> str:
    """Draft a 2, improve by 1, rate as it is worth."""
    last = request.prompt[-1].text
    worth = int(request.prompt[-2].text.split()[-1]) if len(request.prompt) == 3 else 2
    if "from 0 (certainly wrong)" in last:
        return str(worth)
    return f"Answer: {worth + 1 if 'A check gave' in last else worth}"


def solve(engine: ScriptedEngine, journal: Journal, n: int) -> Result:
    strategy = AbMctsM(n=n, batch=1)
    return anyio.run(lambda: run(strategy, PROBLEM, engine, journal=journal))


@without
def test_without_the_extra_it_is_refused_before_any_spend() -> None:
    engine = ScriptedEngine(simulated)
    with pytest.raises(MissingDependency, match=r"workspan\[search\]"):
        solve(engine, Journal(), 2)
    assert not engine.requests


@with_it
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")
def test_with_the_extra_a_resumed_run_grows_the_recorded_tree() -> None:
    engine, journal = ScriptedEngine(simulated), Journal()
    whole = solve(engine, journal, 4)
    assert whole.usage.calls == 8
    assert len(whole.answer.candidates) == 4
    again = ScriptedEngine(simulated)
    replayed = solve(again, Journal(journal.entries), 4)
    assert not again.requests
    assert replayed.answer == whole.answer
    entries = [entry for entry in journal.entries if entry.outcome != "end"]
    resumed = solve(again, Journal(entries[:-2]), 4)
    assert [c.text for c in resumed.answer.candidates] == [c.text for c in whole.answer.candidates]

"""The claims about language models, on scripted models whose right verdict is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workspan.claims import _evolving, claim, retrieval_rounds
from workspan.claims.base import Finding, Setting
from workspan.claims.connectivity_english import CHANCE, TASK
from workspan.core.engine import Engine
from workspan.data.types import Request
from workspan.errors import EngineError
from workspan.spec.engines import open_engine
from workspan.tasks import open_tasks
from workspan.testing.scripted import ScriptedEngine

Script = Callable[[Request], str]
PROBLEMS = 24


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Setting, "size", lambda *_: PROBLEMS)


def knowing(task: str, words: int) -> Script:
    """Think for so many words, then say the right answer; asked before that, say nothing right."""
    tasks = open_tasks(task).load(PROBLEMS, seed=0)
    answers = {one.problem.prompt[-1].text: one.reference for one in tasks}

    def script(request: Request) -> str:
        before, cue, asked = request.prefix.rpartition("\nAnswer:")
        thought = len((before if cue else asked).split())
        right = answers[request.prompt[-1].text]
        if cue and asked.strip() in {"", "node"}:
            return f" {right}" if thought >= words else " unknown"
        return "think " * max(0, words - thought) + f"\nAnswer: {right}"

    return script


def judged(name: str, script: Script) -> Finding:
    def engine() -> Engine:
        return ScriptedEngine(script)

    return claim(name).test(Setting(engine=engine))


def test_one_natural_chain_beats_cut_ones_of_a_model_that_thinks_twenty_words() -> None:
    found = judged("natural_chain", knowing("demo", 20))
    assert found.verdict == "holds"
    assert found.measured.statistic == 1
    assert found.measured.problems == PROBLEMS


def test_it_does_not_of_a_model_that_answers_at_once() -> None:
    found = judged("natural_chain", knowing("demo", 1))
    assert found.measured.statistic == 0
    assert found.verdict == "undecided"


def test_a_model_that_follows_links_for_sixty_words_needs_the_long_chain() -> None:
    found = judged("connectivity_english", knowing(TASK, 60))
    assert found.verdict == "holds"
    assert [row.value for row in found.measured.rows] == [1, CHANCE]


def test_a_model_that_thinks_little_is_not_harmed_by_short_chains() -> None:
    found = judged("connectivity_english", knowing(TASK, 10))
    assert [row.value for row in found.measured.rows] == [1, 1]


def doubting() -> Script:
    """Answer right at once, and take it back when told to wait."""
    at_once = knowing("demo", 0)

    def script(request: Request) -> str:
        if "Wait" not in request.prefix:
            return at_once(request)
        return " -999999" if request.prefix.endswith("Answer:") else " no.\nAnswer: -999999"

    return script


@pytest.mark.parametrize("name", ["stretched_chain", "overthinking"])
def test_a_model_that_doubts_itself_is_harmed_by_every_wait(name: str) -> None:
    found = judged(name, doubting())
    assert found.verdict == "holds"
    assert found.measured.statistic == 1


@pytest.mark.parametrize("name", ["stretched_chain", "overthinking"])
def test_a_model_that_stands_by_its_answer_is_not(name: str) -> None:
    found = judged(name, knowing("demo", 2))
    assert found.verdict != "holds"


def test_a_model_that_is_gone_is_an_error_and_no_verdict() -> None:
    def gone(request: Request) -> str:
        raise EngineError("the server is gone")

    with pytest.raises(EngineError):
        judged("natural_chain", gone)


async def planner() -> Engine:
    task, seed = _evolving.TASK, 1
    return await open_engine(
        _evolving.PLANNER.format(task=task, limit=PROBLEMS, seed=seed, follows=0.5)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "rival",
    ["evolution_over_sampling", pytest.param("evolution_by_feedback", marks=pytest.mark.heavy)],
)
def test_a_planner_of_ones_own_that_follows_feedback_evolves(rival: str) -> None:
    """The simulated planner stands in for the user's model."""
    found = claim(rival).test(Setting(engine=planner))
    assert found.verdict == "holds"
    solved = {row.what: row.value for row in found.measured.rows}
    assert solved["evolution"] > 0.8  # four times the budget of the claim's own planner


def test_a_model_that_plans_nothing_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Setting, "size", lambda *_: 4)
    monkeypatch.setattr(_evolving, "WORK", 30)
    found = claim("evolution_over_revision").test(
        Setting(engine=lambda: ScriptedEngine(lambda _: "I can't plan."))
    )
    assert found.verdict == "undecided"
    assert {row.value for row in found.measured.rows} == {0.0}


def test_a_searcher_of_ones_own_is_counted_by_its_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval_rounds, "SHAPES", ((2, 3),))
    found = claim("retrieval_rounds").test(
        Setting(engine=lambda: open_engine("simulated_searcher(mode='dependency')"))
    )
    assert found.verdict == "holds"
    assert found.measured.statistic == pytest.approx(3, abs=0.05)
    several = {row.what: row.value for row in found.measured.rows}
    assert several["2 hops x 3, several: rounds (expected 2)"] == 2
    assert several["2 hops x 3, several: exact"] == 1


def test_a_model_that_never_searches_has_no_more_rounds_one_way_than_the_other() -> None:
    found = claim("retrieval_chains").test(
        Setting(engine=lambda: ScriptedEngine(lambda _: "<answer> nobody </answer>"))
    )
    assert found.verdict == "undecided" if found.measured.low <= 1 else "holds"
    assert all(row.value == 0 for row in found.measured.rows if "tokens" not in row.what)

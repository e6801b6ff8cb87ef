"""Random picks, coverage and effective n of what runs drew, by hand."""

from __future__ import annotations

import anyio
import pytest

from lab_rig import execute, task, tasks
from workspan.batch.drawn import MOST_GRADED, Drawn, drawn, graded
from workspan.data.types import Answer, Candidate, Problem, Tally
from workspan.lab.records import records
from workspan.recordings.recording import Chain, Recording
from workspan.spec import parse_strategy
from workspan.testing.scripted import ScriptedEngine

VOTE = parse_strategy("self_consistency(n=3)")


def test_a_random_pick_is_right_as_often_as_candidates_are() -> None:
    assert drawn([1, 0, 0, 1]) == Drawn(0.5, 1)
    assert drawn([0.25, 0.5]) == Drawn(0.375, 0.5)
    assert drawn([]) == Drawn(0, 0)


def test_effective_n_is_one_where_all_agree_and_n_where_all_differ() -> None:
    def votes(*weights: float) -> float | None:
        return Answer(
            None, votes=tuple(Tally(str(i), w) for i, w in enumerate(weights))
        ).effective_n

    assert votes(5) == 1
    assert votes(1, 1, 1, 1) == 4
    assert votes(2, 1) == pytest.approx(9 / 5)
    assert votes() is None


def test_a_comparison_says_what_was_drawn_beside_what_was_chosen() -> None:
    engine = ScriptedEngine(["Answer: 4", "Answer: 5", "Answer: 5"])
    (found,) = records(execute([VOTE], tasks(1), engine))
    assert (found.accuracy, found.coverage) == (0, 1)
    assert found.random == pytest.approx(1 / 3)
    assert found.effective_n == pytest.approx(9 / 5)


def test_candidates_without_an_answer_are_none_to_pick() -> None:
    engine = ScriptedEngine(["Answer: 4", "hm", "hm"])
    (found,) = records(execute([VOTE], tasks(1), engine))
    assert (found.accuracy, found.random, found.coverage) == (1, 1, 1)
    (found,) = records(execute([VOTE], tasks(1), ScriptedEngine(["hm"])))
    assert (found.random, found.coverage, found.effective_n) == (0, 0, None)


def test_what_can_not_be_graded_is_unknown() -> None:
    (found,) = records(execute([VOTE], [task(1, "unjudged")], ScriptedEngine(["Answer: 4"])))
    assert (found.random, found.coverage) == (None, None)


def test_each_different_text_is_graded_once_and_too_many_are_not() -> None:
    asked: list[str] = []

    async def grade(text: str) -> float:
        asked.append(text)
        return float(text == "4")

    def answer(*texts: str) -> Answer:
        candidates = tuple(Candidate(text, text) for text in texts)
        return Answer(candidates[0], candidates)

    async def main() -> None:
        found = await graded(answer("5", "4", "4", "6"), 0.0, grade)
        assert found == Drawn(0.5, 1)
        assert asked == ["4", "6"]  # the answer's own grade was known
        many = [str(i) for i in range(MOST_GRADED + 1)]
        assert await graded(answer(*many), 0.0, grade) is None

    anyio.run(main)


def test_a_replay_says_it_too() -> None:
    pytest.importorskip("scipy")
    from workspan.app.replaying import replay

    problems = tuple(Problem.ask(f"{i}?", id=f"p{i}") for i in range(2))
    said = {"p0": "7778", "p1": "9998"}
    chains = {
        name: tuple(Chain((10,), (letter,)) for letter in letters) for name, letters in said.items()
    }
    held = Recording("m", problems, chains, {"p0": "7", "p1": "8"})

    async def main() -> None:
        found = await replay(
            [held], "self_consistency(n=4),single,oracle", "unlimited", folds="problem:2", seeds=2
        )
        vote, single, oracle = found
        assert (vote.accuracy, vote.random, vote.coverage) == (0.5, 0.5, 1)
        assert vote.effective_n == pytest.approx(16 / 10)
        assert single.random == single.coverage == single.accuracy
        assert (oracle.random, oracle.coverage, oracle.effective_n) == (None, None, None)

    anyio.run(main)

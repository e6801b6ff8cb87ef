"""Tree of thoughts on Countdown, with a scripted proposer that lists moves and one that values."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from fractions import Fraction

import anyio
import pytest

from workspan.data.budget import Budget
from workspan.data.types import AnswerKind, Problem, Request
from workspan.errors import EngineUnavailable
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

START = ("4", "9", "10", "13")
TARGET = 24
PROBLEM = Problem.ask(f"Make {TARGET} of {' '.join(START)}.")

Left = tuple[str, ...]
"""The expressions that are left to combine."""


class Lines(str):
    """A text whose words, as the scripted engine cuts it, keep the ends of their lines."""

    __slots__ = ()

    def split(self, *_: object) -> list[str]:
        return re.findall(r"\S+\n?", self)


def worth(expression: str) -> Fraction | None:
    """Compute a fully bracketed expression; None divides by zero."""
    if expression.isdigit():
        return Fraction(expression)
    depth = 0
    for i, char in enumerate(expression[1:-1], 1):
        depth += (char == "(") - (char == ")")
        if depth == 0 and char in "+-*/":
            a, b = worth(expression[1:i]), worth(expression[i + 1 : -1])
            if a is None or b is None or (char == "/" and b == 0):
                return None
            return {"+": a + b, "-": a - b, "*": a * b}[char] if char != "/" else a / b
    raise AssertionError(expression)


def moves(left: Left) -> Iterator[Left]:
    """List all ways to combine two of the expressions."""
    for i, j in itertools.permutations(range(len(left)), 2):
        rest = tuple(x for k, x in enumerate(left) if k not in (i, j))
        for sign in "+*-/" if i < j else "-/":
            made = f"({left[i]}{sign}{left[j]})"
            if worth(made) is not None:
                yield (made, *rest)


def reachable(left: Left) -> bool:
    if len(left) == 1:
        return worth(left[0]) == TARGET
    return any(reachable(after) for after in moves(left))


def state_of(request: Request) -> Left:
    texts = [m.text for m in request.prompt if m.role == "assistant"]
    lines = re.findall(r"left: (.*?)(?: Answer:|$)", texts[-1].strip()) if texts else []
    return tuple(lines[-1].split()) if lines else START


def knows(left: Left) -> str:
    return "sure" if reachable(left) else "impossible"


def countdown(value: Callable[[Left], str] = knows) -> Callable[[Request], str]:
    """Simulate a model that lists every move and values states as told."""

    def reply(request: Request) -> str:
        left, last = state_of(request), request.prompt[-1].text
        if "sure, likely or impossible" in last.replace("\n", " "):
            return value(left)
        if "Complete the solution" in last:
            return f"Answer: {left[0]}"
        return Lines("\n".join(_line(after) for after in moves(left)))

    return reply


def _line(after: Left) -> str:
    return f"- left: {' '.join(after)}" + (f" Answer: {after[0]}" if len(after) == 1 else "")


def solve(
    spec: str,
    engine: ScriptedEngine,
    budget: str | None = None,
    problem: Problem = PROBLEM,
) -> Result:
    limits = Budget.parse(budget) if budget else None
    strategy = parse_strategy(spec)
    result = anyio.run(lambda: run(strategy, problem, engine, budget=limits))
    assert result.work == engine.billed.output_tokens
    return result


def asked(engine: ScriptedEngine, words: str) -> int:
    return sum(words in r.prompt[-1].text for r in engine.requests)


PROPOSALS, VALUES, ENDINGS = "Propose up to", "sure, likely or", "Complete the solution"


@pytest.mark.parametrize("breadth", [1, 5])
def test_breadth_first_solves_countdown_in_three_levels(breadth: int) -> None:
    engine = ScriptedEngine(countdown())
    spec = f"tot_bfs(steps=3, breadth={breadth}, thoughts=40, verifier=state_value(samples=1))"
    result = solve(spec, engine)
    assert worth(result.answer.text or "") == TARGET
    assert sorted(re.findall(r"\d+", result.answer.text or "")) == sorted(START)
    assert asked(engine, PROPOSALS) == 1 + 2 * breadth
    assert asked(engine, ENDINGS) == 0


def test_the_paths_of_a_level_are_grown_side_by_side() -> None:
    engine = ScriptedEngine(countdown(lambda left: "likely" if len(left) > 1 else knows(left)))
    solve("tot_bfs(steps=2, breadth=4, thoughts=4, verifier=state_value(samples=2))", engine)
    assert engine.widest == 4 * 4 * 2


def test_depth_first_prunes_dead_ends_and_goes_straight_down() -> None:
    engine = ScriptedEngine(countdown())
    result = solve("tot_dfs(steps=3, thoughts=40, verifier=state_value(samples=1))", engine)
    assert worth(result.answer.text or "") == TARGET
    assert asked(engine, PROPOSALS) == 3


def test_depth_first_backs_out_of_what_looked_well() -> None:
    """Values that say nothing until the end: only going back can find the answer."""

    def vague(left: Left) -> str:
        return "likely" if len(left) > 1 else knows(left)

    spec = "tot_dfs(steps=3, thoughts=40, nodes=200, verifier=state_value(samples=1))"
    engine = ScriptedEngine(countdown(vague))
    assert worth(solve(spec, engine).answer.text or "") == TARGET
    assert asked(engine, PROPOSALS) > 10
    greedy = "tot_bfs(steps=3, breadth=1, thoughts=40, verifier=state_value(samples=1))"
    assert worth(solve(greedy, ScriptedEngine(countdown(vague))).answer.text or "") != TARGET


def test_depth_first_stops_at_its_number_of_nodes_and_completes_the_best_state() -> None:
    engine = ScriptedEngine(countdown(lambda _: "likely"))
    spec = "tot_dfs(steps=9, thoughts=2, nodes=2, verifier=state_value(samples=1))"
    result = solve(spec, engine)
    assert asked(engine, PROPOSALS) == 2
    assert asked(engine, ENDINGS) == 1
    assert result.answer.text is not None


def test_depth_first_completes_states_at_its_depth() -> None:
    engine = ScriptedEngine(countdown(lambda _: "likely"))
    result = solve("tot_dfs(steps=1, nodes=3, verifier=state_value(samples=1))", engine)
    assert asked(engine, PROPOSALS) == 1
    assert asked(engine, ENDINGS) == 2
    assert len(result.answer.candidates) == 2


def test_votes_choose_the_state_that_goes_on() -> None:
    def reply(request: Request) -> str:
        last = request.prompt[-1].text
        if "most promising" in last:
            return "Choice: 2"
        if "Complete" in last:
            return f"so Answer: {request.prompt[-2].text.split()[-1]}"
        return Lines("1. take a\n*\n2. take b\n3. take a")

    engine = ScriptedEngine(reply)
    result = solve("tot_bfs(steps=2, breadth=1, evaluate='vote', votes=3)", engine)
    assert result.answer.text == "b"
    assert asked(engine, "most promising") == 2 * 3
    assert "Choice 2:\ntake b\n" in engine.requests[1].prompt[-1].text
    assert engine.requests[-1].prompt[-2].text == "take b\ntake b\n"


def test_sampled_thoughts_are_calls_of_their_own() -> None:
    texts = itertools.cycle(["first", "second", "third"])

    def reply(request: Request) -> str:
        last = request.prompt[-1].text
        return "likely" if VALUES in last else "Answer: x" if ENDINGS in last else next(texts)

    engine = ScriptedEngine(reply)
    solve("tot_bfs(steps=1, thoughts=3, generate='sample')", engine)
    assert asked(engine, "only its next step") == 3
    assert asked(engine, VALUES) == 3 * 3


def test_values_that_no_one_can_read_count_0_and_an_answer_comes_all_the_same() -> None:
    for spec in ("tot_bfs(steps=2, breadth=2, thoughts=3)", "tot_dfs(steps=2)"):
        result = solve(spec, ScriptedEngine(countdown(lambda _: "well, well")))
        assert result.answer.text is not None


@pytest.mark.parametrize("spec", ["tot_bfs(answer_tokens=40)", "tot_dfs(answer_tokens=40)"])
@pytest.mark.parametrize("budget", ["30 work", "90 work", "41 span", "300 work, 60 span"])
def test_a_budget_that_ends_mid_search_leaves_room_for_the_answer(spec: str, budget: str) -> None:
    result = solve(spec, ScriptedEngine(countdown(lambda _: "likely")), budget)
    assert result.answer.text is not None


@pytest.mark.parametrize("spec", ["tot_bfs", "tot_dfs"])
def test_a_failed_call_does_not_end_the_search(spec: str) -> None:
    engine = FaultyEngine(countdown(), faults={1: (0, EngineUnavailable("down"))})
    result = solve(f"{spec}(steps=3, thoughts=40, verifier=state_value(samples=1))", engine)
    assert result.failures == 1
    assert worth(result.answer.text or "") == TARGET


@pytest.mark.parametrize("kind", ["open", "text"])
def test_a_plan_is_complete_only_when_it_was_completed(kind: AnswerKind) -> None:
    plan = Problem.ask("Plan a day.", kind=kind)

    def reply(request: Request) -> str:
        last = request.prompt[-1].text
        return "likely" if VALUES in last else "bed" if ENDINGS in last else Lines("rise\neat")

    result = solve("tot_bfs(steps=2)", ScriptedEngine(reply), problem=plan)
    assert result.answer.text == ("rise\nrise\nbed" if kind == "open" else "bed")

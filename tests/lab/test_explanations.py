"""Explanations: what they say of known lines, what is read of a file, what a page shows."""

from __future__ import annotations

from io import StringIO
from math import log
from pathlib import Path

import anyio
import msgspec
import pytest
from rich.console import Console

from workspan.cli.explain import show
from workspan.core.journal import Journal
from workspan.data.budget import Budget
from workspan.data.entry import Header, RunId
from workspan.data.explanation import Explanation, Tried
from workspan.data.types import Problem
from workspan.errors import DataError
from workspan.lab.report.explained import render
from workspan.lab.report.explanations import Told, chosen, read_explanations
from workspan.runner import run
from workspan.spec import parse_strategy
from workspan.store.journals import JournalFile
from workspan.strategies.auto.policies.explaining import evidence, explain, more, natural_depth
from workspan.strategies.auto.policies.state import Chain, Decision, Probe, State
from workspan.testing.scripted import ScriptedEngine

EVIL = "<script>alert(1)</script>"


def chain(depth: int, group: int, *, ended: bool = True, probes: tuple[Probe, ...] = ()) -> Chain:
    return Chain(depth, probes, group, ended)


def told(answers: tuple[str, ...] = ("4",)) -> Told:
    begin, end = State(), State((chain(500, 0), chain(300, 0, ended=False)), 800, 500)
    steps = [(begin, Decision("widen", n=2, block=500)), (end, Decision("stop", leader=0))]
    return Told("p1", "auto", "8k work", explain(steps, end, answers))


def test_the_natural_depth_is_a_median_that_knows_of_open_chains() -> None:
    assert natural_depth([chain(10, 0), chain(20, 0), chain(30, 0)]) == 20
    assert natural_depth([chain(10, 0), chain(20, 0, ended=False), chain(30, 0)]) == 30
    assert natural_depth([chain(10, 0, ended=False)] * 3) is None


def test_the_evidence_of_a_depth_is_the_exponent_of_its_vote() -> None:
    lines = [chain(900, 0, probes=(Probe(500, i % 4 and 1),)) for i in range(4)]
    (found,) = evidence(lines)
    assert (found.depth, found.chains, found.first, found.second) == (500, 4, 0.75, 0.25)
    gap = (0.75**0.5 - 0.25**0.5) ** 2
    assert found.per_token == pytest.approx(-log(1 - gap) / 500)


def test_more_chains_change_little_after_many_equal_votes() -> None:
    few, many = more([chain(10, 0)]), more([chain(10, 0)] * 20)
    assert [one.chains for one in few] == [1, 2, 4, 8]
    assert [one.tokens for one in few] == [10, 20, 40, 80]
    assert few[1].change == pytest.approx(1 / 6, abs=1e-4)  # two votes against: B(2, 3) / B(2, 1)
    assert many[-1].change < 0.001
    assert more([]) == ()


def test_a_step_lists_the_chains_that_it_grew() -> None:
    first, last = told().why.steps
    assert [(grown.chain, grown.depth, grown.ended) for grown in first.grown] == [
        (0, 500, True),
        (1, 300, False),
    ]
    assert last.grown == ()


def test_a_page_escapes_what_a_model_wrote() -> None:
    page = render([told((EVIL,))])
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert page.count("<svg") == 1


def test_explanations_are_read_from_a_journal(tmp_path: Path) -> None:
    path, problem = tmp_path / "run.jsonl", Problem.ask("2 + 2?", kind="number")

    async def one(text: str, journal: Journal) -> None:
        engine, budget = ScriptedEngine(["Answer: 4"]), Budget(work=90)
        await run(parse_strategy(text), problem, engine, budget=budget, journal=journal)

    with JournalFile(path, Header("e", 0)) as journals:
        for text in ("single", "auto(n=2)"):
            anyio.run(one, text, journals.journal(RunId(text, problem.id, budget="90 work")))
    (found,) = read_explanations(path)
    assert (found.problem, found.strategy, found.budget) == ("question", "auto(n=2)", "90 work")
    assert found.why.answers == ("4",)
    assert chosen([found], {"problem": "que", "strategy": ""}) == [found]
    assert chosen([found], {"problem": "x", "strategy": ""}) == []


def test_explanations_are_read_from_records(tmp_path: Path) -> None:
    one = told()
    record = {"problem": "p1", "strategy": "auto", "budget": "8k work", "why": one.why}
    failed = {"problem": "p2", "answer": None, "error": "gone"}
    plain = {"problem": "p3", "strategy": "single", "budget": "", "why": None}
    lines = [msgspec.json.encode(each) for each in (record, failed, plain)]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([*lines, b'{"half']))
    assert read_explanations(tmp_path / "a.jsonl") == [one]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]\n[2]", b'{"problem":1}\n', b"\xff\n{}"])
def test_a_file_without_an_explanation_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.jsonl"):
        read_explanations(tmp_path / "a.jsonl")


def test_an_explanation_that_points_nowhere_is_refused(tmp_path: Path) -> None:
    why = msgspec.json.encode(told().why).replace(b'"answers":["4"]', b'"answers":[]')
    record = b'{"problem":"p","strategy":"auto","budget":"","why":' + why + b"}"
    (tmp_path / "a.jsonl").write_bytes(record)
    with pytest.raises(DataError, match="does not hold"):
        read_explanations(tmp_path / "a.jsonl")


def test_a_step_says_what_an_arm_took() -> None:
    before, chain = State(), Chain(10, group=0, ended=True)
    after = State((chain,), 10, 10)
    end = State((chain,), 40, 30, tried=(Tried(1, 30, 1),))
    taken = [(before, Decision("widen", n=1)), (after, Decision("switch", block=50, arm=1))]
    why = explain(taken, end, ["4", "5"])
    assert [step.tried for step in why.steps] == [(), (Tried(1, 30, 1),)]
    assert why.work == 40
    assert msgspec.json.decode(msgspec.json.encode(why), type=Explanation) == why
    console = Console(record=True, width=200, file=StringIO())
    show(why, console)
    assert "arm 2 took 30 tokens" in console.export_text()
    assert "arm 2, 30 tokens" in render([Told("p", "auto", "1k work", why)])

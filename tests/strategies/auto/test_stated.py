"""`auto` at a stated risk: what it answers as certified, what not, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from workspan import sync
from workspan.core.engine import EngineInfo
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.errors import DataError, InputError, SpecError
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Chain as RecordedChain
from workspan.recordings.recording import Recording
from workspan.runner import Result, run
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.certificate import (
    Certificate,
    is_certificate,
    read_certificate,
    write_certificate,
)
from workspan.strategies.auto.policies.cold import Cold
from workspan.strategies.auto.policies.state import NONE, Chain, State
from workspan.strategies.auto.policies.stated import Stated

TOKENS = 10


def recording(answers: Sequence[str]) -> Recording:
    problem = Problem.ask("which?", kind="text", id="p")
    chains = tuple(RecordedChain((TOKENS,), (one,)) for one in answers)
    return Recording("m", (problem,), {"p": chains}, {"p": "a"})


def solved(strategy: Auto, answers: Sequence[str], budget: Budget | None = None) -> Result:
    held = recording(answers)

    async def main() -> Result:
        engine = ReplayEngine(held)
        return await run(strategy, held.problems[0], engine, budget=budget or Budget())

    return anyio.run(main)


def certificate(tmp_path: Path, **told: Any) -> str:
    made = {
        "mode": "risk",
        "model": "m",
        "alpha": 0.1,
        "delta": 0.1,
        "threshold": 0.75,
        "n": 8,
        "hopeless": 0.02,
        "problems": 60,
    }
    path = tmp_path / "certificate.json"
    write_certificate(Certificate(**{**made, **told}), path)
    return str(path)


def test_agreeing_chains_are_certified_after_seven() -> None:
    result = solved(Auto(floor="mode"), ["a"] * 64)
    assert (result.answer.text, result.answer.certified, result.usage.calls) == ("a", True, 7)


def test_what_is_not_certified_is_answered_and_said_not_to_be() -> None:
    result = solved(Auto(floor="mode"), ["a", "b"] * 32)
    assert result.answer.text in {"a", "b"}
    assert result.answer.certified is False
    assert result.usage.calls < 64  # hopeless
    assert result.answer.why is not None
    assert "hardly" in str(result.answer.why.steps[-1].why["because"])


def test_a_number_as_floor_says_nothing_of_certificates() -> None:
    assert solved(Auto(floor=0.1, n=4), ["a"] * 8).answer.certified is None


def test_a_budget_ends_it_without_a_certificate() -> None:
    result = solved(Auto(floor="mode"), ["a"] * 64, Budget(work=4 * TOKENS))
    assert (result.answer.text, result.answer.certified) == ("a", False)
    assert result.work <= 4 * TOKENS


def test_a_risk_that_was_certified_is_kept(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    sure = solved(Auto(floor="risk", certificate=path), ["a"] * 8)
    assert (sure.answer.certified, sure.usage.calls) == (True, 3)
    torn = solved(Auto(floor="risk", certificate=path), ["a", "b", "c", "d"] * 2)
    assert torn.answer.certified is False


def test_a_file_of_an_older_version_that_certifies_nothing_is_refused(tmp_path: Path) -> None:
    path = Path(certificate(tmp_path))
    path.write_bytes(path.read_bytes().replace(b'"threshold":0.75', b'"threshold":null'))
    with pytest.raises(DataError, match="holds no certificate: no threshold kept its risk"):
        Auto(floor="risk", certificate=str(path))


def test_side_by_side_the_certificate_is_of_the_first_votes() -> None:
    result = solved(Auto(floor="mode", prefers="span"), ["a"] * 64)
    assert (result.answer.certified, result.usage.calls) == (True, 8)
    assert result.span == TOKENS


def chain(group: int, *, ended: bool = True) -> Chain:
    return Chain(TOKENS, (), group, ended)


def test_votes_behind_an_open_chain_do_not_count() -> None:
    rule = Stated(0.1, 64)
    rows = [chain(0)] * 6 + [chain(0, ended=False)] + [chain(0)] * 20
    assert rule.decide(State(tuple(rows))).action == "deepen"
    assert rule.decide(State((*rows[:6], chain(0), *rows[7:]))).action == "stop"
    cut = rule.decide(State(tuple(rows), work_left=0))
    assert (cut.action, cut.leader) == ("abstain", 0)


def test_lines_without_an_answer_are_draws_but_no_votes() -> None:
    rule = Stated(0.1, 10)
    assert rule.decide(State((chain(NONE),) * 10)).action == "abstain"
    assert rule.decide(State((chain(NONE), *[chain(1)] * 7))).leader == 1


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"floor": "mode", "n": 6}, "can't certify a mode"),
        ({"floor": "mode", "delta": 0.0}, "delta is 0.0"),
        ({"floor": "mode", "certificate": "x"}, "without a certificate"),
        ({"floor": "risk"}, "workspan certify"),
        ({"floor": "sure"}, "one of mode, risk, agreement"),
        ({"certificate": "x"}, "floor='risk'"),
        ({"floor": "mode", "arms": (Auto(),)}, "votes alone"),
    ],
)
def test_promises_that_can_not_be_kept_are_refused(told: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Auto(**told)


def test_a_certificate_of_another_promise_or_model_is_refused(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    with pytest.raises(ValueError, match="certifies risk"):
        Auto(floor="agreement", certificate=path)
    plan = Auto(floor="risk", certificate=path)
    with pytest.raises(SpecError, match=r"certificate .* is of 'm'"):
        plan.check(EngineInfo("http", "other"))
    Auto(floor="risk", certificate=path, of="m").check(EngineInfo("http", "other"))


def test_a_file_that_is_no_certificate_is_refused_and_left(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"format":1}')
    with pytest.raises(DataError, match="not a certificate"):
        read_certificate(path)
    with pytest.raises(DataError, match="left as it is"):
        write_certificate(read_certificate(Path(certificate(tmp_path))), path)
    assert path.read_text() == '{"format":1}'
    assert is_certificate(Path(certificate(tmp_path)))
    with pytest.raises(DataError, match="out of range"):
        read_certificate(Path(certificate(tmp_path, alpha=3.0)))


def test_a_rule_that_was_fitted_never_stands_for_a_promise() -> None:
    result = solved(Auto(floor="mode", fitted=Cold(confidence=0.5)), ["a", "b"] * 32)
    assert result.answer.certified is False


def test_a_stated_risk_is_neither_pooled_nor_calibrated() -> None:
    rows = [{"id": "a", "prompt": "1 + 1?", "kind": "number"}]
    told: dict[str, Any] = {"engine": "scripted", "strategy": "auto(floor='mode')"}
    with pytest.raises(InputError, match="pooled"):
        sync.solve_many(rows, budget="1k work", pooled=True, **told)
    with pytest.raises(SpecError, match="draws all chains"):
        sync.calibrate(rows, **told)


@pytest.mark.parametrize(("name", "held"), [("temperature", 0.0), ("max_tokens", 1024)])
def test_a_certificate_of_draws_at_other_settings_is_refused(
    name: str, held: float, tmp_path: Path
) -> None:
    path = certificate(tmp_path, **{name: held})
    info = EngineInfo("replay", "m")
    with pytest.raises(SpecError, match=rf"give auto {name}={held}, or certify anew"):
        Auto(floor="risk", certificate=path).check(info)
    told: dict[str, Any] = {name: held}
    Auto(floor="risk", certificate=path, **told).check(info)


def test_a_vote_of_fewer_draws_than_the_certificate_is_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"n=2, and .* of a vote of up to 8 draws"):
        Auto(floor="risk", certificate=certificate(tmp_path), n=2)
    Auto(floor="risk", certificate=certificate(tmp_path, n=128))


@pytest.mark.parametrize("floor", [0.0, 0.5, "risk", "agreement"])
def test_a_delta_that_nothing_takes_is_refused(floor: Any) -> None:
    with pytest.raises(ValueError, match="delta is for floor='mode' alone"):
        Auto(floor=floor, delta=0.01)


def test_answers_of_another_kind_are_said_to_be_outside_the_promise(tmp_path: Path) -> None:
    for kinds, times in ((("text",), 0), (("number",), 1), ((), 0)):
        path = certificate(tmp_path, kinds=kinds)
        result = solved(Auto(floor="risk", certificate=path), ["a"] * 8)
        said = [one for one in result.notices if one.code == "other_library"]
        assert len(said) == times, kinds


def test_certifying_keeps_how_draws_were_made(tmp_path: Path) -> None:
    rows = [{"prompt": f"{i} + 1?", "kind": "number", "answer": str(i + 1)} for i in range(4)]
    dials = "probe='', temperature=0.9, max_tokens=100"
    path = tmp_path / "kept.json"
    told: dict[str, Any] = {"engine": "scripted", "n": 4, "alpha": 0.9, "budget": "4k work"}
    sync.certify(rows, mode="agreement", strategy=f"auto({dials})", to=path, delta=0.5, **told)
    kept = read_certificate(path)
    assert (kept.temperature, kept.max_tokens) == (0.9, 100)

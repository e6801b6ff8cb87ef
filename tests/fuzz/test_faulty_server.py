"""The server's own count, and the judge: what they must see, they see."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import anyio
import pytest

from workspan.core.journal import Journal
from workspan.data.types import Usage
from workspan.testing.faults import FAULTS, Fault, FaultyServer, Habits, Served
from workspan.testing.faults.asked import Asked
from workspan.testing.faults.frames import VERBATIM, encoded
from workspan.testing.faults.script import Piece, script_of
from workspan.testing.fuzz.case import Case, case
from workspan.testing.fuzz.drive import Evidence, Pass, drive
from workspan.testing.fuzz.judge import claimed, due, judge

BODY: dict[str, Any] = {
    "messages": [{"role": "user", "content": "What is 2 + 2?"}],
    "max_tokens": 40,
    "temperature": 0.7,
    "seed": 1,
    "n": 2,
    "top_p": 0.9,
    "stop": ["."],
    "logprobs": True,
    "top_logprobs": 2,
    "add_generation_prompt": False,
    "stream": True,
    "stream_options": {"include_usage": True},
}


def ask(server: FaultyServer, **changes: Any) -> tuple[int, bytes]:
    async def main() -> tuple[int, bytes]:
        async with (
            server.serve(),
            aiohttp.ClientSession() as client,
            client.post(f"{server.url}/chat/completions", json=BODY | changes) as reply,
        ):
            return reply.status, await reply.read()

    return anyio.run(main)


def events(body: bytes) -> list[dict[str, Any]]:
    lines = [line[6:] for line in body.split(b"\n\n") if line.startswith(b"data: {")]
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("per_piece", [1, 5, 16])
def test_an_honest_server_says_what_it_counts(per_piece: int, stream: bool) -> None:
    server = FaultyServer(Habits(per_piece=per_piece, decodes_end=True, cached=0.5))
    status, body = ask(server, n=1, stream=stream)
    said = events(body)[-1]["usage"] if stream else json.loads(body)["usage"]
    (row,) = server.tally.rows
    assert status == 200
    assert row.is_complete
    assert said["completion_tokens"] == row.work == server.tally.work > 0
    assert said["prompt_tokens"] == row.prompt > 2 * row.cached - 2 > 0
    assert row.told == row.work - (row.finishes == ["stop"])  # the end token is not sent
    if stream:
        sent = [e["choices"][0]["delta"]["content"] for e in events(body)[:-2]]
        assert "".join(sent) == row.answers[0]


def test_a_server_whose_client_is_gone_decodes_on_as_far_as_it_says() -> None:
    async def main() -> Served:
        server = FaultyServer(Habits(length=(200, 200), overshoot=7))
        async with server.serve():
            async with aiohttp.ClientSession() as client:
                body = BODY | {"n": 1, "max_tokens": 150}
                async with client.post(f"{server.url}/chat/completions", json=body) as reply:
                    await reply.content.readany()
            await server.settle()
        return server.tally.rows[0]

    row = anyio.run(main)
    assert row.is_gone
    assert row.after == 7
    assert 7 < row.work < 40


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_each_fault_changes_what_some_request_gets(fault: Fault) -> None:
    assert fault.real

    def written(change: Callable[[Any, random.Random], None], ignores_cap: bool) -> str:
        rng = random.Random(3)
        habits = Habits(length=(60, 60), overshoot=1)
        asked = Asked(is_chat=True, body=BODY | {"n": 1 + (fault.name in WITH_N)})
        script = script_of(asked, habits, rng, ignores_cap=ignores_cap)
        change(script, random.Random(4))
        pieces = [step for step in script.steps if isinstance(step, Piece)]
        return f"{script} {len(pieces)}"

    honest = written(lambda _s, _r: None, False)
    assert written(fault.change, fault.ignores_cap) != honest


WITH_N = {"one_choice_of_n", "usage_of_one", "refuses_n"}


def test_numbers_that_json_does_not_know_are_written_as_they_are() -> None:
    assert encoded({"a": f"{VERBATIM}1e999", "b": ["x", f"{VERBATIM}NaN"]}) == (
        b'{"a": 1e999, "b": ["x", NaN]}'
    )


def row(work: int, **more: Any) -> Served:
    served = Served(
        Asked(is_chat=True, body=BODY | {"n": 1}), (), 9, 0, [work], ["ab " * 20], [None]
    )
    return replace(served, **more)


def test_a_false_figure_counts_only_where_nothing_contradicts_it() -> None:
    drawn = case(0)
    said = {"prompt_tokens": 9, "completion_tokens": 15, "total_tokens": 24}
    assert due(row(20, reports=[said]), drawn) == 15
    assert due(row(20, reports=[said], told=20), drawn) == 20
    assert due(row(20, reports=[said | {"completion_tokens": 1, "total_tokens": 10}]), drawn) == 20
    assert due(row(20, reports=[said | {"completion_tokens": -5, "total_tokens": 4}]), drawn) == 20
    assert due(row(20, reports=[said], unreported=3), drawn) == 20
    assert due(row(20, reports=[None]), drawn) == 20


def test_thinking_beside_the_completion_is_part_of_what_a_server_says() -> None:
    def said(completion: int, total: int | None, thought: int | None) -> int | None:
        report: dict[str, Any] = {"prompt_tokens": 9, "completion_tokens": completion}
        report |= {"total_tokens": total} if total is not None else {}
        details = {"reasoning_tokens": thought}
        return claimed(row(20, reports=[report | {"completion_tokens_details": details}]))

    assert said(5, 29, None) == 20
    assert said(5, None, 15) == 20
    assert said(20, 29, 15) == 20


def test_tokens_that_no_client_can_know_of_are_not_owed() -> None:
    drawn = replace(case(0), overshoot=16, habits=Habits())
    assert due(row(30, is_gone=True, after=16), drawn) == 30
    assert due(row(60, is_gone=True, after=40), drawn) == 20
    assert due(row(30, is_gone=True, held=25), drawn) == 5
    assert due(row(30, hidden=12), drawn) == 18
    assert due(row(30, hidden=12, is_complete=True, finishes=["length"]), drawn) == 30
    assert due(row(30, answers=["想答"]), drawn) == 7  # as many as its bytes, and an end
    assert due(row(30, answers=["想答"], told=20), drawn) == 21
    assert due(row(30, is_refused=True), drawn) == 0


HONEST = next(
    drawn
    for drawn in map(case, range(2000))
    if drawn.is_honest
    and drawn.kill is None
    and not drawn.budget.seconds
    and drawn.habits.reports == "last"
    and drawn.n_per_request == 1
    and drawn.is_priced
)
"""A run that must pass, to be falsified below."""


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    found = anyio.run(drive, HONEST)
    assert judge(found) == []
    assert found.tally.work > 0
    return found


def falsified(evidence: Evidence, **usage: Any) -> Evidence:
    last = evidence.passes[-1]
    spent = replace(last.account.spent, **usage)

    class Account:
        held = last.account.held

    account: Any = Account()
    account.spent = spent
    entries = [e for e in last.entries if not e.usage.calls]
    changed = Pass(account, entries, result=last.result)
    return replace(evidence, passes=[*evidence.passes[:-1], changed])


@pytest.mark.parametrize(
    ("usage", "code"),
    [
        ({"output_tokens": 0, "unseen_tokens": 0}, "work below served"),
        ({"calls": 0}, "calls below served"),
        ({"input_tokens": 0, "cached_tokens": 0}, "prefill below served"),
        ({"cost": Usage().cost}, "cost below served"),
        ({"cost": None}, "cost below served"),
        ({"cached_tokens": -1}, "impossible account"),
        ({"reasoning_tokens": 10**6}, "impossible account"),
    ],
)
def test_the_judge_sees_an_account_that_is_too_small(
    evidence: Evidence, usage: dict[str, Any], code: str
) -> None:
    codes = [problem.code for problem in judge(falsified(evidence, **usage))]
    assert code in codes
    assert "journal" in codes


def test_the_judge_sees_a_passed_budget_a_lost_answer_and_a_second_question(
    evidence: Evidence,
) -> None:
    drawn: Case = replace(HONEST, budget=replace(HONEST.budget, work=1))
    assert "work over budget" in codes_of(replace(evidence, case=drawn))
    first = evidence.passes[0]
    lost = [e for e in first.entries if e.sample is None]
    without = replace(first, entries=lost)
    assert "answer lost" in codes_of(replace(evidence, passes=[without, *evidence.passes[1:]]))
    assert "asked again" in codes_of(replace(evidence, asked_by_first=evidence.asked_by_first - 1))
    assert "hang" in codes_of(replace(evidence, passes=[replace(first, is_hung=True)]))
    crashed = replace(first, crash=KeyError("x"))
    assert any(
        code.startswith("crash KeyError") for code in codes_of(replace(evidence, passes=[crashed]))
    )


def codes_of(evidence: Evidence) -> list[str]:
    return [problem.code for problem in judge(evidence)]


def test_a_killed_run_is_resumed_from_what_was_journaled_by_then() -> None:
    drawn = replace(HONEST, kill="killed", kill_after=1)
    found = anyio.run(drive, drawn)
    first, second = found.passes
    assert first.is_killed
    assert first.result is None
    assert second.result is not None
    assert Journal(first.entries).usage().calls > 0
    assert judge(found) == []


def test_the_port_of_a_killed_server_stays_its_own() -> None:
    async def main() -> None:
        async with FaultyServer().serve() as server:
            url = f"{server.url}/models"
            server.kill()
            with pytest.raises(OSError, match="in use"), socket.socket() as other:
                other.bind(("127.0.0.1", server.port))
            async with aiohttp.ClientSession() as client:
                with pytest.raises(aiohttp.ClientConnectorError):
                    await client.get(url)
                await server.revive()
                async with client.get(url) as reply:
                    assert reply.status == 200

    anyio.run(main)

"""A trajectory's budget, over real connections: hard across its turns, and told in time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.rig import (
    ASK,
    DONE,
    Scripted,
    Seen,
    begin,
    end,
    gate,
    line,
    part,
    piece,
    reply,
    run,
    upstream,
    usage,
    whole,
)
from store_rig import rig
from workspan.core.engine import Price
from workspan.data.budget import Budget
from workspan.serve.store.keys import make_key
from workspan.serve.trajectories.rules import TrajectoryRules

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def says(tokens: int, text: str = "word ") -> Any:
    """Answer with so many tokens, as a stream where one is asked for, capped as it is asked."""

    async def answer(_: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        cap = seen.value.get("max_tokens") or seen.value.get("max_completion_tokens") or 10**9
        many = min(tokens, cap)
        if not seen.value.get("stream"):
            await reply(writer, whole(text * many, many))
            return
        await begin(writer)
        for _place in range(many):
            await part(writer, piece({"content": text}))
        await part(writer, piece({}, "stop" if many == tokens else "length"))
        await part(writer, line({"id": "c", "choices": [], "usage": usage(9, many)}) + DONE)
        await end(writer)

    return answer


HEADERS = {"Workspan-Trajectory": "run-1", "Workspan-Trajectory-Budget": "100 work"}
GO = [{"role": "user", "content": "Go."}]
DIALECTS = [
    ("/chat/completions", ASK),
    ("/responses", {"model": "m", "input": GO}),
    ("/messages", {"model": "m", "max_tokens": 9, "messages": GO}),
]


def test_turns_share_a_budget_and_the_next_is_refused_before_it_spends() -> None:
    async def main() -> None:
        async with Scripted(says(40)).serve() as up, gate(up.url) as gw:
            told = [await gw.post({**ASK, "max_tokens": 40}, headers=HEADERS) for _ in range(3)]
            assert [one.status for one in told] == [200, 200, 429]
            assert [one.value["usage"]["completion_tokens"] for one in told[:2]] == [40, 40]
            assert told[0].value["workspan"]["trajectory"]["turn"] == 1
            assert told[0].value["workspan"]["trajectory"]["left"] == {"work": 60.0}
            assert told[1].headers["x-workspan-trajectory-left"] == "60 work"
            assert told[2].error["code"] == "budget_exceeded"
            said = "the trajectory's budget of 100 work has 20 work left, the request needs more"
            assert told[2].error["message"] == said
            assert told[2].headers["x-should-retry"] == "false"
            assert len(up.seen) == 2
            rest = await gw.post({**ASK, "max_tokens": 20}, headers=HEADERS)
            assert rest.value["workspan"]["trajectory"]["left"] == {"work": 0.0}

    run(main)


def test_another_name_or_none_is_another_account() -> None:
    async def main() -> None:
        async with Scripted(says(90)).serve() as up, gate(up.url) as gw:
            body = {**ASK, "max_tokens": 90}
            for _ in range(2):
                await gw.post(body, headers=HEADERS)
            assert (await gw.post(body, headers=HEADERS)).status == 429
            assert (await gw.post(body)).status == 200
            other = {**HEADERS, "Workspan-Trajectory": "run-2"}
            assert (await gw.post(body, headers=other)).status == 200

    run(main)


def test_a_body_says_the_same_and_an_upstream_never_sees_it() -> None:
    async def main() -> None:
        wish = {"trajectory": "a", "trajectory_budget": "50 work", "trajectory_turns": 3}
        async with Scripted(says(50)).serve() as up, gate(up.url) as gw:
            got = await gw.ask(workspan=wish, max_tokens=50)
            assert got.value["workspan"]["trajectory"]["left"] == {"work": 0.0}
            assert "workspan" not in up.seen[0].value
            assert not [name for name in up.seen[0].headers if "trajectory" in name]
            assert (await gw.ask(workspan=wish)).error["code"] == "budget_exceeded"

    run(main)


def test_the_operator_s_budget_is_above_the_client_s() -> None:
    async def main() -> None:
        rules = TrajectoryRules(Budget(work=60))
        async with Scripted(says(40)).serve() as up, gate(up.url, trajectories=rules) as gw:
            first = await gw.post({**ASK, "max_tokens": 40}, headers=HEADERS)
            assert first.value["workspan"]["trajectory"]["left"] == {"work": 20.0}
            second = await gw.post({**ASK, "max_tokens": 40}, headers=HEADERS)
            assert second.error["code"] == "budget_exceeded"

    run(main)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Workspan-Trajectory": "x" * 129}, "1 to 128 plain characters"),
        ({"Workspan-Trajectory": "né"}, "plain characters"),
        ({"Workspan-Trajectory": "a", "Workspan-Trajectory-Budget": "5s"}, "'5s' limits seconds"),
        ({"Workspan-Trajectory": "a", "Workspan-Trajectory-Budget": "many"}, "40 calls, $2'; span"),
        ({"Workspan-Trajectory": "a", "Workspan-Trajectory-Turns": "0"}, "1 to 10000"),
        ({"Workspan-Trajectory": "a", "Workspan-Trajectory-Turns": "1e3"}, "1 to 10000"),
        ({"Workspan-Trajectory": "a", "Workspan-Trajectory-Tells": "maybe"}, "true or false"),
        ({"Workspan-Trajectory": "a", "Workspan-Trajectory-Budget": "$1"}, "no price is known"),
    ],
)
def test_what_can_t_be_read_is_refused_before_it_spends(headers: dict[str, str], said: str) -> None:
    async def main() -> None:
        async with Scripted(says(5)).serve() as up, gate(up.url) as gw:
            got = await gw.post(ASK, headers=headers)
            assert got.status == 400
            assert said in got.error["message"]
            assert (got.error["param"] or "workspan.trajectory").startswith("workspan.trajectory")
            assert up.seen == []

    run(main)


@pytest.mark.parametrize(
    "wish",
    [
        {"trajectory": ""},
        {"trajectory": "a", "trajectory_turns": "3"},
        {"trajectory": "a", "trajectory_turns": 3.0},
        {"trajectory": "a", "trajectory_tells": "true"},
        {"trajectory": "a", "trajectory_tells": 1},
    ],
)
def test_a_body_s_fields_are_what_they_are(wish: dict[str, Any]) -> None:
    async def main() -> None:
        async with Scripted(says(5)).serve() as up, gate(up.url) as gw:
            got = await gw.ask(workspan=wish)
            assert (got.status, up.seen) == (400, [])

    run(main)


@pytest.mark.parametrize(("path", "body"), DIALECTS)
def test_another_budget_than_at_first_is_a_conflict(path: str, body: dict[str, Any]) -> None:
    async def main() -> None:
        async with (
            Scripted(says(5)).serve() as up,
            gate(replace(upstream(up.url), speaks=("chat",))) as gw,
        ):
            assert (await gw.post(body, path, headers=HEADERS)).status == 200
            other = {**HEADERS, "Workspan-Trajectory-Budget": "1k work"}
            got = await gw.post(body, path, headers=other)
            assert (got.status, len(up.seen)) == (409, 1)
            assert got.error["code"] == "trajectory_began"
            assert "began with 100 work" in got.error["message"]
            assert got.headers["x-should-retry"] == "false"
            bare = {"Workspan-Trajectory": "run-1"}
            assert (await gw.post(body, path, headers=bare)).status == 200

    run(main)


@pytest.mark.parametrize(
    ("path", "body"),
    [("/embeddings", {"input": "Go."}), ("/completions", {"prompt": "Go."})],
)
@pytest.mark.parametrize("rules", [TrajectoryRules(), TrajectoryRules(by_prefix=True)])
def test_what_goes_on_from_nothing_names_its_run(
    path: str, body: dict[str, Any], rules: TrajectoryRules
) -> None:
    async def main() -> None:
        async with Scripted(says(5)).serve() as up, gate(up.url, trajectories=rules) as gw:
            told = {"Workspan-Trajectory-Budget": "5 work"}
            got = await gw.post({"model": "m", **body}, path, headers=told)
            assert (got.status, up.seen) == (400, [])
            assert got.error["param"] == "workspan.trajectory"

    run(main)


def test_money_is_shared_by_turns() -> None:
    async def main() -> None:
        price = Price(Decimal("1"), Decimal("1"))
        async with Scripted(says(40)).serve() as up, gate(upstream(up.url, price=price)) as gw:
            headers = {"Workspan-Trajectory": "m", "Workspan-Trajectory-Budget": "$0.0004"}
            told = [await gw.post({**ASK, "max_tokens": 40}, headers=headers) for _ in range(9)]
            assert told[-1].error["code"] == "budget_exceeded"
            costs = [one.value["workspan"]["cost"] for one in told if one.status == 200]
            assert len(costs) > 2
            assert sum(costs) <= 0.0004

    run(main)


def test_a_stream_is_cut_at_the_trajectory_s_end() -> None:
    async def main() -> None:
        async with Scripted(says(400)).serve() as up, gate(up.url) as gw:
            got = await gw.post({**ASK, "stream": True}, headers=HEADERS)
            assert got.status == 200
            assert got.events[-1]["workspan"]["stop"].startswith("budget")
            record = await gw.record()
            assert record.total.output_tokens + record.total.unseen_tokens <= 100

    run(main)


def test_an_agent_is_told_only_where_its_client_wishes_so() -> None:
    async def main() -> None:
        tells = {**HEADERS, "Workspan-Trajectory-Tells": "true", "Workspan-Trajectory-Turns": "9"}
        first = {"role": "user", "content": "Go."}
        called = {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
            ],
        }
        result = {"role": "tool", "tool_call_id": "c1", "content": "a  door \u00e9"}
        async with Scripted(says(10)).serve() as up, gate(up.url) as gw:
            body = {**ASK, "messages": [first, called, result], "tools": [TOOL]}
            await gw.post(body, headers=HEADERS)
            await gw.post(body, headers=tells)
            plain, told = (one.value["messages"] for one in up.seen)
            assert plain == body["messages"]
            assert told[:2] == body["messages"][:2]
            assert told[2]["content"] == (
                "a  door \u00e9\n\n[Turn 2 of 9; left of this run's budget: 90 work]"
            )
            raw = [json.dumps(one).encode() for one in (first, called)]
            assert all(one in up.seen[1].body for one in raw)

    run(main)


def test_other_dialects_are_told_in_their_own_parts() -> None:
    async def main() -> None:
        tells = {**HEADERS, "Workspan-Trajectory-Tells": "true"}
        async with (
            Scripted(says(4)).serve() as up,
            gate(replace(upstream(up.url), speaks=("chat",))) as gw,
        ):
            message = {
                "model": "m",
                "max_tokens": 9,
                "messages": [{"role": "user", "content": "A"}],
            }
            got = await gw.post(message, "/messages", tells)
            assert got.status == 200
            assert got.headers["x-workspan-trajectory-turn"] == "1"
            got = await gw.post({"model": "m", "input": "B"}, "/responses", tells)
            assert got.status == 200
            said = [one.value["messages"][-1]["content"] for one in up.seen if one.body]
            texts = [json.dumps(one) for one in said]
            assert [one[1] for one in texts[-2:]] == ["A", "B"]
            assert "left of this run's budget: 100 work" in texts[-2]
            assert "left of this run's budget: 96 work" in texts[-1]

    run(main)


def test_keys_do_not_share_a_name_and_workers_share_a_budget(tmp_path: Path) -> None:
    async def main() -> None:
        address = str(tmp_path / "store.db")
        async with rig(address, "10k work") as one:
            keys = []
            for name in ("a", "b"):
                stored, text = make_key(name, one.key.limits, now=one.utc())
                await one.store.add(stored)
                keys.append(text)
            async with (
                Scripted(says(40)).serve() as up,
                gate(up.url, store=address) as first,
                gate(up.url, store=address) as second,
            ):
                body = {**ASK, "max_tokens": 40}
                mine = {**HEADERS, "Authorization": f"Bearer {keys[0]}"}
                theirs = {**HEADERS, "Authorization": f"Bearer {keys[1]}"}
                got = [await gw.post(body, headers=mine) for gw in (first, second) * 3]
                assert {one.status for one in got} == {200, 429}
                spent = sum(x.value["usage"]["completion_tokens"] for x in got if x.status == 200)
                assert 80 <= spent <= 100
                assert got[-1].error["code"] == "budget_exceeded"
                assert (await first.post(body, headers=theirs)).status == 200
                bare = {"Workspan-Trajectory": "run-1", "Authorization": f"Bearer {keys[0]}"}
                assert (await second.post(body, headers=bare)).status == 429
            rows = await one.store.rows(0, 100)
            assert len({row.trajectory for row in rows}) == 2
            names = [usage.stored.key.name for usage in await one.store.usage(one.utc())]
            assert sorted(names) == ["a", "b", "test"]

    run(main)

"""A pool keeps the promises of an engine, and goes by how its members answer."""

from __future__ import annotations

import asyncio
import os
import sys
import textwrap
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workspan as ws
from workspan.core.engine import FREE, Bill, Engine, EngineInfo, Price
from workspan.core.journal import Journal
from workspan.data.entry import Entry
from workspan.data.types import Chunk, Message, Notice, Problem, Request
from workspan.engines.endpoint import Endpoint, Retries
from workspan.engines.pool import Member, Members, Pool
from workspan.engines.pool.file import read_pool
from workspan.engines.pool.health import FIRST_REST, LONGEST_REST, STRIKES, Health
from workspan.engines.pool.rates import MINUTE, Rates
from workspan.errors import DataError, EngineRejected, EngineUnavailable, InputError, SpecError
from workspan.serve import prices as rows
from workspan.testing.engine_suite import REQUEST, check_engine, draw
from workspan.testing.scripted import FaultyEngine, ScriptedEngine
from workspan.testing.server import Behaviour, SimulatedServer
from workspan.testing.strategy_suite import chatter
from workspan.testing.turned import TurnedTime

PROBLEM = Problem("p", (Message("user", "What is 2 + 2?"),), "number")
DOWN = EngineUnavailable("it is down", status=503)


def wordy(request: Request) -> str:
    return chatter(request) + " one two three four five six"


def failing(*errors: Exception, words: int = 0, first: int = 0) -> FaultyEngine:
    faults = {first + at: (words, error) for at, error in enumerate(errors)}
    return FaultyEngine(wordy, faults=faults)  # type: ignore[arg-type]


def pool(engines: Mapping[str, Engine], time: TurnedTime | None = None, **stated: object) -> Pool:
    """Make a pool whose members are asked in their order."""
    members = Members([Member(name) for name in engines], in_turn=True)
    return Pool(engines, members, time=time or TurnedTime(), **stated)  # type: ignore[arg-type]


def test_a_pool_of_scripted_engines_conforms() -> None:
    engines = {name: ScriptedEngine(wordy, overshoot=8) for name in "abc"}
    anyio.run(check_engine, Pool(engines, Members([Member(name) for name in engines])))
    assert all(engine.requests for engine in engines.values())


def test_a_pool_conforms_while_members_fail() -> None:
    engines = {"a": failing(*[DOWN] * 200), "b": ScriptedEngine(wordy)}
    anyio.run(check_engine, pool(engines))


def test_a_pool_of_servers_conforms() -> None:
    async def main() -> None:
        behaviour = Behaviour(text="one two three four five " * 9, is_numbered=True)
        async with AsyncExitStack() as stack:
            servers = [SimulatedServer(behaviour) for _ in "ab"]
            for server in servers:
                await stack.enter_async_context(server.serve())
            engines = {
                f"e{i}": Endpoint(server.url, "simulated", api_key="", sends_seed=False)
                for i, server in enumerate(servers)
            }
            made = Pool(engines, Members([Member(name) for name in engines]))
            try:
                await check_engine(made)
            finally:
                await made.aclose()
            assert all(server.requests for server in servers)

    anyio.run(main)


def test_a_member_that_is_down_is_passed_over_and_rests() -> None:
    async def main() -> None:
        time = TurnedTime()
        engines = {"a": failing(DOWN, DOWN), "b": ScriptedEngine(wordy)}
        made = pool(engines, time)
        first = await draw(made, REQUEST)
        assert first[2].member == "b"
        assert first[2].usage.calls == 1
        assert [n.code for n in first[2].notices] == ["unavailable"]
        assert "a was passed over" in first[2].notices[0].text
        assert (await draw(made, REQUEST))[2].notices == []  # it rests, and is not asked
        assert len(engines["a"].requests) == 1
        time.turn(FIRST_REST)
        assert (await draw(made, REQUEST))[2].member == "b"  # the probe failed
        assert len(engines["a"].requests) == 2
        time.turn(FIRST_REST)
        await draw(made, REQUEST)
        assert len(engines["a"].requests) == 2  # it rests for twice as long
        time.turn(FIRST_REST)
        assert (await draw(made, REQUEST))[2].member == "a"
        assert next(iter(made.members)).health.state == "up"

    anyio.run(main)


def test_what_was_charged_is_asked_again_on_the_account_elsewhere() -> None:
    """A call that died after its first token is charged, and no member answers it in secret."""

    async def main() -> None:
        engines = {"a": failing(DOWN, words=2), "b": ScriptedEngine("Answer: 4")}
        made, lines = pool(engines), list[Entry]()
        journal = Journal((), sink=lines.append)
        result = await ws.run(ws.parse_strategy("single"), PROBLEM, made, journal=journal)
        served = sum((engine.billed for engine in engines.values()), ws.Usage())
        assert result.usage.output_tokens == served.output_tokens
        assert result.usage.calls == served.calls == 2
        assert [(call.outcome, call.member) for call in result.trace] == [
            ("lost", "a"),
            ("sample", "b"),
        ]
        assert [line.member for line in lines if line.sample is not None] == ["b"]

    anyio.run(main)


def test_a_refusal_of_the_request_itself_is_asked_of_nobody_else() -> None:
    async def main() -> None:
        bad = EngineRejected("no such field", status=400)
        engines = {"a": failing(bad), "b": ScriptedEngine(wordy)}
        with pytest.raises(EngineRejected, match="no such field"):
            await draw(pool(engines), REQUEST)
        assert not engines["b"].requests

    anyio.run(main)


def test_a_key_that_is_refused_is_that_members_alone() -> None:
    async def main() -> None:
        wrong = EngineRejected("the key is wrong", status=401)
        made = pool({"a": failing(wrong), "b": ScriptedEngine(wordy)})
        assert (await draw(made, REQUEST))[2].member == "b"
        both = pool({"a": failing(wrong), "b": failing(wrong)})
        with pytest.raises(EngineRejected, match="key is wrong"):
            await draw(both, REQUEST)

    anyio.run(main)


def test_a_member_that_names_a_time_is_waited_for() -> None:
    async def main() -> None:
        time = TurnedTime()
        limited = EngineUnavailable("too many", status=429, retry_after=7.0)
        engines = {"a": failing(limited), "b": failing(limited)}
        made = pool(engines, time)
        async with anyio.create_task_group() as group:
            bills: list[Bill] = []

            async def ask() -> None:
                bills.append((await draw(made, REQUEST))[2])

            group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            assert [m.health.why for m in made.members] == ["limited", "limited"]
            time.turn(6.5)
            await anyio.wait_all_tasks_blocked()
            assert not bills
            time.turn(0.5)
        assert bills[0].member == "a"
        assert bills[0].usage.calls == 1

    anyio.run(main)


def test_whoever_would_wait_too_long_is_told() -> None:
    async def main() -> None:
        limited = EngineUnavailable("too many", status=429, retry_after=700.0)
        made = pool({"a": failing(limited)}, patience=5)
        with pytest.raises(EngineUnavailable, match="too many"):
            await draw(made, REQUEST)
        with pytest.raises(EngineUnavailable, match="can be asked for 700 s: a limited") as told:
            await draw(made, REQUEST)
        assert told.value.retry_after == 700.0

    anyio.run(main)


def test_who_can_not_wait_asks_members_that_rest_for_what_others_asked() -> None:
    """A request that no member can bear lets all of them rest: others are answered all the same."""

    async def main() -> None:
        made = pool({"a": ScriptedEngine(wordy), "b": ScriptedEngine(wordy)}, patience=5)
        for member in made.members:
            member.health.failed(0.0, is_probe=False)
            member.health.until = 1e9
        bill = (await draw(made, REQUEST))[2]
        assert bill.usage.calls == 1
        down = failing(*[DOWN] * 3)
        made = pool({"a": down}, patience=5)
        [member] = made.members
        member.health.failed(0.0, is_probe=False)
        member.health.until = 1e9
        for _ in range(3):  # each asks once, and no rest is longer for it
            with pytest.raises(EngineUnavailable):
                await draw(made, REQUEST)
        assert len(down.requests) == 3
        assert member.health.rest == 1.0

    anyio.run(main)


def test_all_that_failed_are_named_and_who_rests_is_asked_before_that() -> None:
    async def main() -> None:
        lacks = [EngineRejected("a answered 404: no such model", status=404) for _ in range(2)]
        dead = [EngineUnavailable("b can't be reached") for _ in range(2)]
        made = pool({"a": failing(*lacks), "b": failing(*dead)}, patience=0)
        for _ in range(2):  # by the second both rest
            with pytest.raises(EngineUnavailable) as told:
                await draw(made, REQUEST)
            said = "b can't be reached; no other could answer: a answered 404: no such model"
            assert str(told.value) == said

    anyio.run(main)


@pytest.mark.parametrize(("why", "status"), [("limited", 429), ("failed", 503)])
def test_who_says_when_is_told_first_and_is_limited_only_by_its_limits(
    why: str, status: int
) -> None:
    async def main() -> None:
        broken = EngineUnavailable("a answered 503", status=503)
        made = pool({"a": failing(broken), "b": ScriptedEngine(wordy)}, patience=0)
        _, second = made.members
        wait = 7.0 if why == "limited" else None
        second.health.failed(0.0, is_probe=False, wait=wait)
        second.health.until = 7.0
        with pytest.raises(EngineUnavailable) as told:
            await draw(made, REQUEST)
        said = f"no other member of pool can be asked for 7 s: b {why}"
        assert str(told.value) == f"{said}; no other could answer: a answered 503"
        assert (told.value.status, told.value.retry_after) == (status, 7.0)

    anyio.run(main)


class Lying(ScriptedEngine):
    """Answers, and its figures contradict each other."""

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        async for chunk in super().stream(request, bill):
            yield chunk
        bill.notices.append(Notice("contradiction", "the figures differ"))


def test_who_lies_is_named_and_rests_after_some_lies() -> None:
    async def main() -> None:
        time = TurnedTime()
        made = pool({"a": Lying(wordy), "b": ScriptedEngine(wordy)}, time)
        for _ in range(STRIKES):
            bill = (await draw(made, REQUEST))[2]
            assert bill.member == "a"
            assert [notice.text for notice in bill.notices] == ["a: the figures differ"]
        assert (await draw(made, REQUEST))[2].member == "b"
        [first, _] = made.members
        assert (first.health.why, first.health.lies) == ("lying", STRIKES)

    anyio.run(main)


class Late(ScriptedEngine):
    """Turns the clock by some seconds before its first token."""

    def __init__(self, time: TurnedTime, seconds: float) -> None:
        super().__init__(wordy)
        self.time, self.seconds = time, seconds

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        self.time.turn(self.seconds)
        async for chunk in super().stream(request, bill):
            yield chunk


def test_a_slow_member_rests_and_is_probed_again() -> None:
    async def main() -> None:
        time = TurnedTime()
        slow, fast = Late(time, 9.0), Late(time, 0.5)
        made = Pool({"a": slow, "b": fast}, Members([Member("a"), Member("b")]), time=time)
        told = Counter[str]()
        for seed in range(60):
            told[(await draw(made, replace(REQUEST, seed=seed)))[2].member] += 1
        assert told["a"] < told["b"] / 3
        assert next(iter(made.members)).health.why == "slow"
        slow.seconds = 0.5
        time.turn(LONGEST_REST)
        for seed in range(60, 90):
            told[(await draw(made, replace(REQUEST, seed=seed)))[2].member] += 1
        assert [m.health.state for m in made.members] == ["up", "up"]

    anyio.run(main)


def test_money_is_held_at_the_dearest_and_charged_at_who_answered() -> None:
    async def main() -> None:
        prices = {"a": Price(Decimal(1), Decimal(2)), "b": Price(Decimal(3), Decimal(10))}
        engines = {name: ScriptedEngine("Answer: 4", price=one) for name, one in prices.items()}
        made = pool(engines)
        held = made.info.price
        assert held is not None
        assert (held.input, held.output) == (Decimal(3), Decimal(10))
        usage = ws.Usage(input_tokens=7, output_tokens=5)
        assert held.of(usage) == max(one.of(usage) for one in prices.values())
        result = await ws.run(ws.parse_strategy("single"), PROBLEM, made)
        assert result.usage.cost == prices["a"].of(result.usage)
        free = pool({"a": ScriptedEngine(wordy), "b": ScriptedEngine(wordy, price=None)})
        assert free.info.price is None
        assert pool({"a": ScriptedEngine(wordy)}).info.price is FREE

    anyio.run(main)


class Caching(ScriptedEngine):
    """Says that it keeps prompts."""

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, caches=8)


def test_prompts_that_a_cache_may_hold_go_to_one_member() -> None:
    async def main() -> None:
        engines = {name: Caching(wordy) for name in "abcd"}
        made = Pool(engines, Members([Member(name) for name in engines]), time=TurnedTime())
        told: dict[str, set[str]] = {}
        for at in range(30):
            turn = Message("user", f"A long question, number {at}")
            for seed in range(4):
                later = () if seed % 2 else (Message("assistant", "Well."), Message("user", "So?"))
                asked = Request((turn, *later), max_tokens=3, seed=seed)
                told.setdefault(turn.text, set()).add((await draw(made, asked))[2].member)
        assert all(len(members) == 1 for members in told.values())
        assert len(set.union(*told.values())) == 4

    anyio.run(main)


def test_a_full_member_hands_on_to_the_next() -> None:
    members = Members([Member("a", places=1), Member("b")], in_turn=True)
    call = members.begin(members.order(b"")[0], 1, 0.0)
    assert [one.name for one in members.order(b"")] == ["b", "a"]
    call.end(0.0, 1)
    assert [one.name for one in members.order(b"")] == ["a", "b"]


def test_weights_share_the_calls_out_and_a_member_that_goes_moves_its_own_alone() -> None:
    members = Members([Member("a", 1.0), Member("b", 3.0), Member("c", 0.0)])
    keys = [str(at).encode() for at in range(4000)]
    told = Counter(members.order(key)[0].name for key in keys)
    assert told["c"] == 0
    assert abs(told["b"] / 4000 - 0.75) < 0.03
    fewer = Members([Member("b", 3.0), Member("d", 1.0)])
    was_b = [key for key in keys if members.order(key)[0].name == "b"]
    still = sum(fewer.order(key)[0].name == "b" for key in was_b)
    assert still / len(was_b) > 0.7


@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=60
    )
)
def test_no_minute_holds_more_than_its_limits(calls: list[tuple[float, int, int]]) -> None:
    """Whatever comes when: calls that wait as they are told stay within any sixty seconds."""
    rates, now = Rates(4, 60), 0.0
    begun: list[tuple[float, int]] = []
    for pause, bound, used in calls:
        now += pause
        now += rates.wait(now, bound)
        assert rates.wait(now, bound) <= 1e-6
        taken = rates.take(now, bound)
        rates.settle(taken, min(bound, used))
        begun.append((now, min(bound, used)))
    for at, _ in begun:
        window = [one for one in begun if at - MINUTE + 1e-6 < one[0] <= at]
        assert len(window) <= 4
        assert sum(tokens for _, tokens in window) <= 60


@given(
    st.lists(st.tuples(st.sampled_from(["ok", "fail", "wait", "lie", "drop"]), st.floats(0, 20)))
)
def test_health_lets_one_call_probe_and_every_rest_ends(steps: list[tuple[str, float]]) -> None:
    health, now = Health(), 0.0
    for what, seconds in steps:
        now += seconds
        if not health.may_be_asked(now):
            assert health.state == "resting"
            assert health.until <= now + max(LONGEST_REST, 30.0)
            continue
        is_probe = health.begin(now)
        assert is_probe == (health.state == "probed")
        if is_probe:
            assert not health.may_be_asked(now)  # only this one
        if what == "ok":
            health.speaks(is_probe=is_probe)
            health.answered()
            assert health.state == "up"
        elif what in ("fail", "wait"):
            health.failed(now, is_probe=is_probe, wait=30.0 if what == "wait" else None)
            assert health.state == "resting"
        elif what == "lie":
            health.strike(now, "lying", is_probe=is_probe)
        else:
            health.give_up(now, is_probe=is_probe)
        assert health.state != "probed"  # the call has ended


FILE = """
model = "both"
[[member]]
name = "a"
engine = "{a}"
model = "simulated"
key_env = "POOL_KEY_A"
price = "1/2"
requests_per_minute = 100
[[member]]
name = "b"
engine = "{b}"
model = "simulated-large"
weight = 2
set = {{ overshoot = 16 }}
"""


def test_a_pool_opens_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each member is given its own key, and one without a variable none."""
    monkeypatch.setenv("POOL_KEY_A", "sk-of-member-a")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody-here")
    path = tmp_path / "pool.toml"

    async def main() -> None:
        servers = [SimulatedServer(Behaviour(text="Answer: 4")) for _ in "ab"]
        async with servers[0].serve(), servers[1].serve():
            path.write_text(FILE.format(a=servers[0].url, b=servers[1].url))
            async with ws.open_engine(f"pool:{path}") as engine:
                assert engine.info.model == "both"
                assert engine.info.overshoot == 64
                for seed in range(12):
                    await draw(engine, replace(REQUEST, seed=seed))
        assert set(servers[0].authorizations) == {"Bearer sk-of-member-a"}
        assert set(servers[1].authorizations) == {""}

    anyio.run(main)


def test_what_no_pool_takes_is_said_with_what_would_be_right(tmp_path: Path) -> None:
    from workspan.engines.settings import Settings, read_settings
    from workspan.spec.engines import open_engine

    with pytest.raises(SpecError, match=r"names no file: write pool:FILE\.toml"):
        anyio.run(partial(open_engine, "pool:", imports=True))
    (path := tmp_path / "pool.toml").write_text("")
    told = Settings({"effort": "low"})
    with pytest.raises(SpecError, match="states effort for each member: write it there"):
        anyio.run(partial(open_engine, f"pool:{path}", None, None, told, imports=True))
    with pytest.raises(SpecError, match="--set effort= has no value"):
        read_settings(["effort="], None, {"": "scripted"})
    with pytest.raises(SpecError, match="effort has no value"):
        Settings({"effort": " "}).for_completions()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"1 to 64 \[\[member\]\]"),
        ("member = 3", r"1 to 64 \[\[member\]\]"),
        ('[[member]]\nname = "a"', "needs engine"),
        ('[[member]]\nname = "a"\nengine = "http://h/v1"\nwieght = 2', "unknown field.*weight"),
        ('[[member]]\nname = "a"\nengine = "http://h/v1"\nweight = -1', "0 or more"),
        ('[[member]]\nname = "a"\nengine = "http://h/v1"\nweight = true', "is a number"),
        ('[[member]]\nname = "a"\nengine = "http://h/v1"\nrequests_per_minute = 0', "1 or more"),
        ('[[member]]\nname = "a"\nengine = "http://h/v1"\nset = 3', "set is a table"),
        ('sticky = 3\n[[member]]\nname = "a"\nengine = "http://h/v1"', "true or false"),
        ('[[member]]\nname = "a"\nengine = "scripted"\n' * 2, "each of another name"),
        ('[[member]]\nname = "a"\nengine = "pool:pool.toml"', "is a pool itself"),
        ('[[member]]\nname = "a"\nengine = "pool(file=\'pool.toml\')"', "is a pool itself"),
        ("\x00", "no TOML"),
    ],
)
def test_a_file_that_is_no_pool_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "pool.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_pool(path)


def test_a_key_in_the_place_of_its_variable_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "pool.toml"
    path.write_text('[[member]]\nname = "a"\nengine = "http://h/v1"\nkey_env = "sk-secret-123"')
    with pytest.raises(InputError, match="key_env") as told:
        read_pool(path)
    assert "sk-secret" not in str(told.value)


def test_a_server_that_refuses_is_left_at_once_whatever_it_says_of_waiting(
    tmp_path: Path,
) -> None:
    """The pool goes on to the next member where an engine alone would ask again and again."""
    path = tmp_path / "pool.toml"

    async def main() -> None:
        servers = [
            SimulatedServer(Behaviour(fault="rate_limited", retry_after="30")),
            SimulatedServer(Behaviour(text="Answer: 4")),
        ]
        async with servers[0].serve(), servers[1].serve():
            members = "".join(
                textwrap.dedent(f"""
                [[member]]
                name = "{name}"
                engine = "{server.url}"
                model = "simulated"
                """)
                for name, server in zip("ab", servers, strict=True)
            )
            path.write_text(f"in_turn = true\n{members}")
            async with ws.open_engine(f"pool:{path}") as engine:
                for _ in range(3):
                    assert (await draw(engine, REQUEST))[2].member == "b"
            assert servers[0].bill.refused == 1
            assert servers[1].bill.calls == 3

    anyio.run(main)


def test_a_pool_on_the_command_line_is_journaled_and_resumed(tmp_path: Path) -> None:
    """The same command again asks nothing; the journal says who answered."""
    path, output = tmp_path / "pool.toml", tmp_path / "answers.jsonl"
    problems = tmp_path / "problems.jsonl"
    problems.write_text('{"id": "p", "prompt": "What is 2 + 2?", "kind": "number"}\n')
    command = ["solve", "--input", str(problems), "--output", str(output), "--engine"]
    command += [f"pool:{path}", "--strategy", "self_consistency(n=6)"]

    async def asked() -> None:
        done = await anyio.run_process(
            [sys.executable, "-m", "workspan", *command], check=False, env=dict(os.environ)
        )
        assert done.returncode == 0, done.stderr.decode()

    async def main() -> None:
        servers = [SimulatedServer(Behaviour(text="Answer: 4", fault="overloaded"))]
        servers.append(SimulatedServer(Behaviour(text="Answer: 4")))
        async with servers[0].serve(), servers[1].serve():
            members = "".join(
                f'[[member]]\nname = "{name}"\nengine = "{server.url}"\nmodel = "simulated"\n'
                for name, server in zip("ab", servers, strict=True)
            )
            path.write_text(f"in_turn = true\n{members}")
            await asked()
            assert servers[1].bill.calls == 6
            journal = output.with_name(output.name + ".journal").read_text()
            assert journal.count('"member":"b"') == 6
            await asked()
            assert servers[1].bill.calls == 6

    anyio.run(main)


def test_a_pool_opens_and_counts_while_a_member_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "pool.toml"

    async def main() -> None:
        server = SimulatedServer(Behaviour(text="Answer: 4"))
        async with server.serve():
            path.write_text(
                'in_turn = true\n[[member]]\nname = "gone"\nengine = "http://127.0.0.1:9/v1"\n'
                f'model = "m"\n[[member]]\nname = "b"\nengine = "{server.url}"\nmodel = "simulated"'
            )
            async with ws.open_engine(f"pool:{path}") as engine:
                assert await engine.count(REQUEST) > 0
                budget = ws.Budget.parse("200 work, 5k prefill")
                result = await ws.run(
                    ws.parse_strategy("self_consistency(n=3)"), PROBLEM, engine, budget=budget
                )
                assert result.usage.calls == 3
                assert any("gone was passed over" in one.text for one in result.notices)
            members = (
                '[[member]]\nname = "gone"\nengine = "http://127.0.0.1:9/v1"\n'
                f'[[member]]\nname = "b"\nengine = "{server.url}"\nmodel = "simulated"'
            )
            path.write_text(f'in_turn = true\nmodel = "m"\n{members}')  # of all, gone's as well
            async with ws.open_engine(f"pool:{path}") as engine:
                result = await ws.run(ws.parse_strategy("single"), PROBLEM, engine, budget=budget)
                assert [call.member for call in result.trace] == ["b"]
            path.write_text(members)
            with pytest.raises(EngineUnavailable, match=r"the member gone: .*model = "):
                async with ws.open_engine(f"pool:{path}"):
                    pass

    anyio.run(main)


def test_a_minute_is_kept_by_calls_that_fall_back_side_by_side() -> None:
    """Ten calls are passed over at once, and the one that is left may be asked three times."""

    async def main() -> None:
        time = TurnedTime()
        engines = {"a": failing(*[DOWN] * 10), "b": ScriptedEngine(wordy)}
        members = [Member("a"), Member("b", rates=Rates(requests_per_minute=3))]
        made = Pool(engines, Members(members, in_turn=True), patience=1.0, time=time)
        told: list[str] = []

        async def ask() -> None:
            try:
                told.append((await draw(made, REQUEST))[2].member)
            except EngineUnavailable:
                told.append("busy")

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(ask)
            for _ in range(8):
                await anyio.wait_all_tasks_blocked()
                time.turn(0.25)
        assert len(engines["b"].requests) == 3
        assert told.count("b") == 3
        assert len(told) == 10

    anyio.run(main)


def test_a_server_that_dies_under_a_request_may_have_served_it() -> None:
    """It hung up before its first byte, and is gone: what it may have decoded is charged."""

    async def main() -> None:
        async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            server.close()
            writer.transport.abort()

        server = await asyncio.start_server(die, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        engine = Endpoint(url, "m", api_key="", retries=Retries(attempts=1))
        bill = Bill()
        try:
            with pytest.raises(EngineUnavailable):
                await draw(engine, REQUEST, bill)
        finally:
            await engine.aclose()
        assert bill.usage.calls == 1

    anyio.run(main)


def test_a_long_prompt_is_held_at_the_rates_that_a_member_has_for_it() -> None:
    long = rows.Tier(100, rows.Rates(Decimal(50), Decimal(90)))
    lane = rows.Lane(rows.Rates(Decimal(1), Decimal(2)), long)
    row = rows.PriceRow.make("m", lane, source="a test", date=date(2026, 11, 1))
    engines = {"a": ScriptedEngine(wordy, price=row)}
    engines["b"] = ScriptedEngine(wordy, price=Price(Decimal(3), Decimal(4)))
    held = pool(engines).info.price
    assert held is not None
    usage = ws.Usage(input_tokens=101, output_tokens=10)
    assert held.of(usage) == row.of(usage) > Price(Decimal(3), Decimal(4)).of(usage)

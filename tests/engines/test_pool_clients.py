"""What one client asks lets a member rest for that client; for all once others fail there, too."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.core.engine import Bill
from workspan.data.types import Chunk, Request
from workspan.engines.pool import Member, Members, Pool
from workspan.engines.pool.health import FIRST_REST, LONGEST_REST, STRIKES
from workspan.engines.pool.members import _MOST_CLIENTS, Call
from workspan.errors import EngineRejected, EngineUnavailable
from workspan.serve.relay.in_line import LineFull
from workspan.testing.engine_suite import REQUEST, draw
from workspan.testing.scripted import FaultyEngine, ScriptedEngine
from workspan.testing.turned import TurnedTime


class Rig:
    """One member of two, and what calls of clients come to there."""

    def __init__(self) -> None:
        self.member, self.other = Member("a"), Member("b")
        self.members = Members([self.member, self.other])
        self.now = 0.0

    def begin(self, client: str, member: Member | None = None) -> Call:
        return self.members.begin(member or self.member, 9, self.now, client)

    def does(self, client: str, what: str) -> None:
        """Let one call come to something."""
        call = self.begin(client)
        if what in ("good", "lie", "late"):
            call.began_to_answer(9.0 if what == "late" else 0.1)
        call.has_lied = what == "lie"
        if what == "fail":
            call.failed(self.now)
        elif what == "down":
            call.failed(self.now, is_certain=True)
        elif what == "wait":
            call.failed(self.now, 7.0)
        call.end(self.now, 9, 9)

    def may_ask(self, client: str) -> bool:
        return self.member.may_be_asked(self.now, client)


def test_a_failure_rests_for_the_client_whose_call_it_was() -> None:
    rig = Rig()
    for _ in range(9):
        rig.does("poison", "fail")
        assert not rig.may_ask("poison")
        assert rig.may_ask("other")
        rig.does("other", "good")
        rig.now += LONGEST_REST
        assert rig.may_ask("poison")
    assert rig.member.health.state == "up"


def test_two_clients_in_a_row_let_it_rest_for_all() -> None:
    rig = Rig()
    rig.does("a", "fail")
    rig.does("c", "good")  # in between it was well
    rig.does("b", "fail")
    assert rig.may_ask("c")
    rig.does("a", "fail")
    assert not rig.may_ask("c")
    assert rig.member.health.why == "failed"
    rig.now += FIRST_REST
    rig.does("c", "good")
    assert rig.member.health.state == "up"


@pytest.mark.parametrize("is_busy", [False, True])
@pytest.mark.parametrize("what", ["fail", "lie"])
def test_two_that_work_together_let_it_rest_for_a_moment(what: str, *, is_busy: bool) -> None:
    """Whether others ask it meanwhile or not: it rests longer only for what fails them, too."""
    rig = Rig()
    rested = 0
    for tick in range(6_000):
        rig.now = tick / 10
        for client in ("a", "b"):
            if rig.may_ask(client):
                rig.does(client, what)
        if not rig.may_ask("other"):
            rested += 1
            assert rig.member.health.until <= rig.now + FIRST_REST
        elif is_busy:
            rig.does("other", "good")
    assert rested / 6_000 < 0.05


def test_what_fails_one_client_after_the_other_rests_longer_each_time() -> None:
    rig = Rig()
    for place in range(9):
        rig.does(f"c{place}", "fail")
        if place:
            rest = min(LONGEST_REST, FIRST_REST * 2 ** (place - 1))
            assert rig.member.health.until == rig.now + rest
            rig.now += rest


@pytest.mark.parametrize("what", ["down", "wait"])
def test_what_would_fail_whatever_is_asked_lets_it_rest_for_all(what: str) -> None:
    rig = Rig()
    rig.does("a", what)
    assert not rig.may_ask("b")


def test_one_client_has_the_only_word_where_nobody_tells_them_apart() -> None:
    rig = Rig()
    rig.does("", "fail")
    assert not rig.may_ask("")
    assert rig.member.health.why == "failed"


def test_a_probe_that_its_request_may_have_failed_leaves_the_next_one_to_probe() -> None:
    rig = Rig()
    rig.does("a", "down")
    rig.now += FIRST_REST
    rig.does("poison", "fail")
    assert rig.may_ask("b")
    rig.does("b", "good")
    assert rig.member.health.state == "up"


@pytest.mark.parametrize("what", ["lie", "late"])
def test_strikes_count_by_client(what: str) -> None:
    rig = Rig()
    good = rig.begin("a", rig.other)
    good.began_to_answer(0.1)
    good.end(0.0, 9, 9)
    for _ in range(STRIKES):
        rig.does("odd", what)
    assert not rig.may_ask("odd")
    assert rig.may_ask("b")
    for _ in range(STRIKES):
        rig.does("b", what)
    assert not rig.may_ask("c")  # none was answered well in between


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["good", "fail", "down", "wait", "lie", "late", "gone"]),
        st.floats(0, 20),
    )
)


@given(STEPS)
def test_every_rest_ends_whoever_asks(steps: list[tuple[str, str, float]]) -> None:
    """No state is left that nobody probes: an hour later anybody may ask."""
    rig = Rig()
    for client, what, seconds in steps:
        rig.now += seconds
        rig.does(client, what)
        states = [rig.member.health.state, *(one.state for one in rig.member.apart.values())]
        assert "probed" not in states
    rig.now += 3_600.0
    assert all(rig.may_ask(client) for client in "abcd")
    assert rig.member.in_flight == 0


@given(STEPS)
def test_one_client_alone_never_lets_it_rest_for_others(
    steps: list[tuple[str, str, float]],
) -> None:
    rig = Rig()
    for _, what, seconds in steps:
        rig.now += seconds
        rig.does("poison", {"down": "fail", "wait": "fail"}.get(what, what))
        assert rig.may_ask("other")


def test_the_clients_that_are_remembered_are_bounded() -> None:
    rig = Rig()
    for place in range(3 * _MOST_CLIENTS):
        rig.does(f"c{place}", "fail")
        rig.does("well", "good")
    assert len(rig.member.apart) <= _MOST_CLIENTS
    assert rig.may_ask("well")
    assert rig.member.rests(rig.now)
    assert not rig.member.rests(rig.now + 2 * LONGEST_REST)


def test_slowness_is_judged_beside_prompts_as_long() -> None:
    """Of a long prompt it is what no cache served that takes its time."""
    rig = Rig()

    def took(member: Member, seconds: float, read: int) -> None:
        call = rig.begin("a", member)
        call.began_to_answer(seconds)
        call.end(rig.now, read + 1, read)

    for _ in range(9):
        took(rig.other, 0.2, 100)
        took(rig.member, 0.2, 100)
    for _ in range(9):  # a hundred thousand tokens, and nobody else had any as long
        took(rig.member, 30.0, 100_000)
    assert rig.may_ask("a")
    took(rig.other, 0.3, 300)  # most of a long prompt was cached here
    took(rig.member, 30.0, 100_000)
    assert rig.may_ask("a")
    took(rig.other, 4.0, 90_000)
    for _ in range(STRIKES):
        took(rig.member, 30.0, 100_000)
    assert not rig.may_ask("a")
    assert rig.member.apart["a"].why == "slow"


@given(st.integers(0, 10**7))
def test_prompts_of_one_size_differ_by_less_than_twice(read: int) -> None:
    from workspan.engines.pool.members import size_of

    size = size_of(read)
    assert read <= 2**size
    assert 2 * read > 2**size or read <= 1


class Lined(ScriptedEngine):
    """Lets each call stand in line for some seconds of a clock."""

    def __init__(self, time: TurnedTime, seconds: float) -> None:
        super().__init__("Answer: 4")
        self.time, self.seconds = time, seconds

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        self.time.turn(self.seconds)
        bill.stood = self.seconds
        async for chunk in super().stream(request, bill):
            yield chunk


def test_time_in_line_is_not_the_member_s() -> None:
    async def main() -> None:
        time = TurnedTime()
        engines = {"a": Lined(time, 50.0), "b": Lined(time, 0.0)}
        members = Members([Member("a"), Member("b")], in_turn=True)
        for first in ("b", *"a" * 9):
            pool = Pool(engines, members, time=time, first=first)
            assert (await draw(pool, REQUEST))[2].member == first

    anyio.run(main)


def test_a_client_whose_own_line_is_full_lets_nobody_rest() -> None:
    """128 calls of one key wait: the next one is refused before anybody is asked."""

    async def main() -> None:
        full = LineFull("too many wait", status=503, retry_after=1)
        engines = {"a": FaultyEngine("Answer: 4", faults={0: (0, full)}), "b": ScriptedEngine("4")}
        members = Members([Member("a"), Member("b")], in_turn=True)
        pool = Pool(engines, members, time=TurnedTime(), client="k")
        assert (await draw(pool, REQUEST))[2].member == "b"
        assert [one.health.state for one in members] == ["up", "up"]
        assert (await draw(pool, REQUEST))[2].member == "a"

    anyio.run(main)


def test_a_pool_asks_for_one_client_and_rests_for_that_one() -> None:
    async def main() -> None:
        bad = EngineUnavailable("the server failed", status=500)
        wrong = EngineRejected("the key is wrong", status=401)
        for error, others in ((bad, "a"), (wrong, "b")):
            engines = {
                "a": FaultyEngine("Answer: 4", faults={0: (0, error)}),
                "b": ScriptedEngine("Answer: 4"),
            }
            members = Members([Member("a"), Member("b")], in_turn=True)
            pools = [Pool(engines, members, time=TurnedTime(), client=name) for name in "km"]
            assert (await draw(pools[0], REQUEST))[2].member == "b"
            assert (await draw(pools[0], REQUEST))[2].member == "b"
            assert (await draw(pools[1], REQUEST))[2].member == others

    anyio.run(main)

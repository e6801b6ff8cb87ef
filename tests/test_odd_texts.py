"""What people and scripts write wrong: typed errors in bounded time, whatever the text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.boundary.address import checked_url
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.engines.embedded import protocol
from workspan.engines.embedded.protocol import Cancel, pack, unpack
from workspan.errors import DataError, EngineProtocolError, InputError, SpecError
from workspan.lab.report.explanations import read_explanations
from workspan.legible import legible, one_line, quoted
from workspan.runner import Result, run
from workspan.spec import STRATEGIES, parse_strategy, split_list, write
from workspan.spec.engines import parse_price
from workspan.store.lines import read_lines
from workspan.strategies.auto.fit.profile import read_profile
from workspan.tasks import read_tasks
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import chatter

PIECES = st.lists(
    st.sampled_from([
        *STRATEGIES, "(", ")", "[", "]", "{", "}", ",", "=", "n=", "1", "-1", "1e999", "'", '"',
        "\\", "**", "*", ".", "\n", "\0", "\u202e", "é", "0x", "9" * 40, "verifier=judge", "None",
        "True", "lambda:", "not ", "strategy=", "temperature=", "\ud800", "#", ":=",
        "f'{", "b'", "...",
    ]),
    max_size=12,
).map("".join)  # fmt: skip


@given(PIECES | st.text(max_size=60))
def test_any_text_is_a_strategy_or_a_spec_error(text: str) -> None:
    try:
        strategy = parse_strategy(text)
    except SpecError:
        strategy = None
    if strategy is not None:
        assert parse_strategy(write(strategy)) == strategy
    split_list(text)


@pytest.mark.parametrize(
    "text",
    [
        "then(" * 10_000 + "single" + ")" * 10_000,
        "(" * 150 + "single" + ")" * 150,
        "-" * 60_000 + "1",
        "not " * 10_000 + "a",
        "a" + ".a" * 20_000,
        "x" * 1_000_000,
        "self_consistency(n=" + "1+" * 20_000 + "1)",
        "self_consistency(n=0x" + "f" * 9_000 + ")",
        "self_consistency(n=" + "9" * 9_000 + ")",
        "self_consistency(n=1, n=2)",
        "budget_forcing(nudge='\\ud800')",
    ],
    ids=lambda text: text[:24],
)
def test_strategies_of_any_size_and_depth(text: str) -> None:
    with pytest.raises(SpecError):
        parse_strategy(text)


def test_a_long_list_is_split_at_once() -> None:
    assert len(split_list("single," * 150_000)) == 150_000


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("  self_consistency(m=3)", 17),
        ("then(single, budget_forcing(nudge='ééé'), singel)", 0),
        ("best_of_n(verifier='ééé', n='x')", 19),
        ("self_consistency(\n  n='x')", 20),
    ],
)
def test_the_caret_stands_where_the_mistake_is(text: str, column: int) -> None:
    with pytest.raises(SpecError) as caught:
        parse_strategy(text)
    if column:
        assert caught.value.column == column
    assert str(caught.value).split("\n")[-1].strip() == "^"


BUDGET_PIECES = st.lists(
    st.sampled_from([
        "8", "k", "M", " ", "work", "span", "s", "ms", "$", ",", ".", "-", "1e30", "inf", "nan",
        "٣", "9" * 20, "0.0000001", "wide", "calls", "h", "\u202e", "０",
    ]),
    max_size=8,
).map("".join)  # fmt: skip


@given(BUDGET_PIECES | st.text(max_size=30))
def test_any_text_is_a_budget_or_a_spec_error(text: str) -> None:
    try:
        budget = Budget.parse(text)
    except SpecError:
        return
    assert budget != Budget()
    assert Budget.parse(str(budget)) == budget


@given(st.floats(min_value=1e-3, max_value=1e9))
def test_seconds_are_written_without_losing_any(seconds: float) -> None:
    assert Budget.parse(str(Budget(seconds=seconds))).seconds == seconds


@pytest.mark.parametrize(
    "limits",
    [{"seconds": float("nan")}, {"seconds": float("inf")}, {"cost": Decimal("nan")}, {"work": -1}],
)
def test_a_limit_that_is_no_number_is_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        Budget(**limits)  # type: ignore[arg-type]


@given(st.text(st.sampled_from("0123456789./-$einfa٣ _"), max_size=12) | st.text(max_size=12))
def test_any_text_is_a_price_or_a_spec_error(text: str) -> None:
    try:
        price = parse_price(text)
    except SpecError:
        return
    assert 0 <= price.input < 10**9
    assert 0 <= price.output < 10**9


ADDRESS_PIECES = st.lists(
    st.sampled_from([
        "http://", "https://", "host", "127.0.0.1", "[::1]", "[fe80::1%eth0]", "[", "]", ":",
        "8080", "99999", "-1", "/v1", "@", "u:p", "?k=1", "#", " ", "\n", "\0", "é", "\u202e", "%",
        "..", "a" * 70, "xn--", "٣", "\u2100", "\ud800",
    ]),
    max_size=7,
).map("".join)  # fmt: skip


@given(ADDRESS_PIECES | st.text(max_size=30))
def test_any_text_is_an_address_or_an_input_error(text: str) -> None:
    try:
        url = checked_url(text)
    except InputError:
        return
    assert url.lower().startswith(("http://", "https://"))
    assert url.isprintable()


@pytest.mark.parametrize("read", [read_explanations, read_lines, read_profile, read_tasks])
def test_a_device_without_an_end_is_not_read(
    read: Callable[[Path], object], tmp_path: Path
) -> None:
    endless = tmp_path / "problems.jsonl"
    endless.symlink_to("/dev/zero")
    with pytest.raises(DataError, match="is a device"):
        read(endless)


@given(st.text())
def test_legible_text_steers_nothing(text: str) -> None:
    shown = legible(text)
    assert all(char.isprintable() or char in "\n\t" for char in shown)
    assert legible(shown) == shown
    assert one_line(text, 40).isprintable()
    assert len(one_line(text, 40)) <= 40
    assert quoted(text).isprintable()


@given(st.binary(max_size=60))
def test_frames_that_are_no_messages_are_a_broken_protocol(noise: bytes) -> None:
    for decoder in (protocol.events, protocol.commands):
        for sent in (noise, len(noise).to_bytes(4, "little") + noise):
            buffer = bytearray(sent)
            try:
                list(unpack(buffer, decoder))
            except EngineProtocolError:
                continue
    whole = bytearray(pack(Cancel(3)) + pack(Cancel(4))[:-1])
    assert list(unpack(whole, protocol.commands)) == [Cancel(3)]


def _wide(name: str) -> list[str]:
    strategy: Any = parse_strategy(STRATEGIES[name].example)
    held = {item.name: getattr(strategy, item.name) for item in dataclasses.fields(strategy)}
    return [field for field, value in held.items() if type(value) is int]


def _run(name: str, field: str, value: int) -> Result | None:
    strategy: Any = parse_strategy(STRATEGIES[name].example)
    try:
        strategy = dataclasses.replace(strategy, **{field: value})
    except ValueError:
        return None

    async def tool(_: str) -> str:
        return '{"queries": [], "passages": []}'

    async def main() -> Result:
        engine = ScriptedEngine(chatter)
        return await run(
            strategy,
            Problem.ask("How many are there?", kind="number"),
            engine,
            budget=Budget(work=100),
            engines={"b": engine},
            tools={"search": tool},
        )

    return anyio.run(main)


NEEDS_MORE = {"retrieve", "ab_mcts_m"}
"""A corpus of its own, an extra."""
PLACES = [(name, field) for name in STRATEGIES if name not in NEEDS_MORE for field in _wide(name)]
WIDE = {"n", "k", "breadth", "agents", "threads", "drafts", "plans", "children", "islands"}


@pytest.mark.parametrize(("name", "field"), [one for one in PLACES if one[1] in WIDE])
def test_a_width_in_the_billions_ends_with_the_budget(name: str, field: str) -> None:
    result = _run(name, field, 10**9)
    assert result is None or (result.work <= 100 and result.overrun == 0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "field"), PLACES)
@pytest.mark.parametrize("value", [10**6, 10**9, 10**15])
def test_every_whole_parameter_may_be_huge(name: str, field: str, value: int) -> None:
    result = _run(name, field, value)
    assert result is None or (result.work <= 100 and result.overrun == 0)

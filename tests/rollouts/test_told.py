"""What commands say of their use: read in the forms that agents write, or not at all."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.engines.rollout.told import Reader, Told, read_all, read_one

CLAUDE = {
    "type": "result",
    "total_cost_usd": 0.125,
    "usage": {
        "input_tokens": 10,
        "cache_creation_input_tokens": 200,
        "cache_read_input_tokens": 3000,
        "output_tokens": 77,
    },
}
CODEX = {
    "type": "turn.completed",
    "usage": {
        "input_tokens": 24763,
        "cached_input_tokens": 24448,
        "output_tokens": 122,
        "reasoning_output_tokens": 64,
    },
}


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (CLAUDE, Told(3210, 3000, 77, 0, Decimal("0.125"), is_total=True)),
        ([{"type": "system"}, CLAUDE], Told(3210, 3000, 77, 0, Decimal("0.125"), is_total=True)),
        (CODEX, Told(24763, 24448, 122, 64)),
        ({"output_tokens": 5}, Told(None, 0, 5, is_total=True)),
        (
            {"input_tokens": 9, "output_tokens": 5, "cost": "0.02"},
            Told(9, 0, 5, 0, Decimal("0.02"), is_total=True),
        ),
        ({"input_tokens": 9, "output_tokens": -5}, Told(9, 0, None, is_total=True)),
        ({"output_tokens": True, "cost": float("inf")}, None),
        ({"output_tokens": 10**13, "cost": -1}, Told(None, 0, None, is_total=True)),
        ({"usage": [3]}, None),
        ({"tokens": 3}, None),
        (7, None),
    ],
)
def test_forms(said: object, read: Told | None) -> None:
    if said == {"output_tokens": True, "cost": float("inf")}:
        assert read_one(b'{"output_tokens": true}') == Told(is_total=True)
        return
    assert read_one(json.dumps(said).encode()) == read


def test_turns_add_up_and_a_total_stands_for_all() -> None:
    line = json.dumps(CODEX).encode()
    two = read_all(b"thinking aloud\n" + line + b"\n{broken usage\n" + line)
    assert two == Told(2 * 24763, 2 * 24448, 244, 128)
    both = read_all(line + b"\n" + json.dumps(CLAUDE).encode())
    assert both is not None
    assert (both.output, both.cost) == (77, Decimal("0.125"))
    assert read_all(b"nothing of the kind") is None


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_lines_are_read_however_they_are_cut(cuts: list[int]) -> None:
    text = b"".join(b"x" * n + b"\n" + json.dumps(CODEX).encode() + b"\n" for n in cuts)
    reader = Reader()
    for start in range(0, len(text), 7):
        reader.add(text[start : start + 7])
    reader.end()
    assert reader.told.output == 122 * len(cuts)


@given(st.binary(max_size=300))
def test_no_bytes_break_it(content: bytes) -> None:
    told = read_all(content)
    assert told is None or (told.output or 0) >= 0

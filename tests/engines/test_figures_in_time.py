"""Figures that came before the rest of the answer, and thinking under two names."""

from __future__ import annotations

import anyio
import pytest

from workspan.engines.endpoint.wire import Delta
from workspan.testing.fuzz.case import case
from workspan.testing.fuzz.drive import drive
from workspan.testing.fuzz.judge import judge


@pytest.mark.parametrize(
    ("names", "thought"),
    [
        ({"reasoning": "so it is"}, "so it is"),
        ({"reasoning_content": "so", "reasoning": "so"}, "so"),  # gateways that send both
        ({"reasoning_content": "so", "reasoning": "so it is"}, "so it is"),
        ({"reasoning_content": "so it is", "thinking": "so"}, "so it is"),
        ({"reasoning_content": "first, ", "reasoning": "then"}, "first, then"),
    ],
)
def test_thinking_under_several_names_is_counted_once_and_whole(
    names: dict[str, str], thought: str
) -> None:
    assert Delta(**names).thought == thought


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(6228, id="joined requests whose only usage came with the first piece"),
        pytest.param(7699, id="a whole reply past its cap with thinking under two names"),
        pytest.param(4730, id="a limit in seconds"),
        pytest.param(4413, id="a whole reply without blanks with its first piece's usage"),
        pytest.param(6369, id="joined requests whose usage came before their end tokens"),
        pytest.param(1417, id="stripped marks, and no figure ever"),
        pytest.param(1118, id="a killed process asks for nothing more"),
        pytest.param(2272, id="a stream that held nothing but a refusal"),
        pytest.param(3258, id="a killed process whose call was about to be written ahead"),
    ],
)
def test_runs_that_once_broke_a_promise(number: int) -> None:
    drawn = case(number)
    evidence = anyio.run(drive, drawn)
    assert judge(evidence) == []
    spent = evidence.passes[-1].account.spent
    assert spent.amount.work > 0

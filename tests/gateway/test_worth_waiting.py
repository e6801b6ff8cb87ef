"""A wait that no client should sit through is told in words: some sleep for hours in a call."""

from __future__ import annotations

import pytest

from workspan.errors import Refused
from workspan.serve.wire.errors import failed

TOLD: dict[float | None, tuple[dict[str, str], str]] = {
    None: ({"x-should-retry": "false"}, "no room"),
    0.2: ({"retry-after": "1"}, "no room"),
    44.2: ({"retry-after": "45"}, "no room"),
    61: ({"x-should-retry": "false"}, "no room; there is room again in 2 min"),
    21_601: ({"x-should-retry": "false"}, "no room; there is room again in 6 h 1 min"),
}


@pytest.mark.parametrize("seconds", TOLD)
def test_when_to_ask_again(seconds: float | None) -> None:
    said = failed(Refused("no room", code="budget_exceeded", retry_after=seconds))
    assert (said.status, said.code) == (429, "budget_exceeded")
    assert (said.headers, str(said)) == TOLD[seconds]

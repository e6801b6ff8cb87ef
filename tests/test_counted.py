"""A number of things agrees with its noun."""

from __future__ import annotations

import pytest

from workspan.legible import counted


@pytest.mark.parametrize(
    ("number", "form", "said"),
    [
        (0, "", "0 runs"),
        (1, "", "1 run"),
        (2, "", "2 runs"),
        (1, ",", "1 run"),
        (99, ",", "99 runs"),
    ],
)
def test_one_is_one(number: int, form: str, said: str) -> None:
    assert counted(number, "run", form) == said

"""What the command's options come to, and what is refused before anything listens."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from workspan.data.budget import Budget
from workspan.errors import InputError
from workspan.serve.options import configured

ONE = ["http://127.0.0.1:9/v1"]
TWO = ["a=http://127.0.0.1:9/v1", "b=http://127.0.0.1:8/v1"]


def test_one_engine_without_a_name_has_what_is_stated_without_one() -> None:
    config = configured(ONE, ["m"], ["1/2"], ["concurrency=3"])
    (only,) = config.upstreams
    assert (only.name, only.model) == ("default", "m")
    assert only.price is not None
    assert only.price.output == 2
    assert only.settings.stated == {"concurrency": "3"}


def test_several_have_what_is_stated_by_name() -> None:
    config = configured(TWO, ["a=x", "b=y"], ["b=1/2"], failover=True, budget="8k work")
    assert [(one.name, one.model) for one in config.upstreams] == [("a", "x"), ("b", "y")]
    assert config.upstreams[0].price is None
    assert config.budget == Budget(work=8000)


def test_the_one_without_a_name_is_meant_by_the_name_that_replies_have_for_it() -> None:
    config = configured(["http://127.0.0.1:9/v1", TWO[1]], ["default=x", "b=y"], ["default=1/2"])
    assert [(one.name, one.model) for one in config.upstreams] == [("default", "x"), ("b", "y")]
    assert config.upstreams[0].price is not None


def test_a_file_of_prices_fills_in_what_is_not_stated(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    row = 'input = 1\noutput = 10\ncached = 0.1\nsource = "its page"\ndate = 2026-11-01\n'
    file.write_text(f'[[price]]\nmodel = "x"\n{row}')
    config = configured(TWO, ["a=x", "b=y"], price_file=file)
    found = config.upstreams[0].price
    assert found is not None
    assert found.cached == Decimal("0.1")
    assert config.upstreams[1].price is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engines": []}, "no engine"),
        ({"engines": ONE, "failover": True}, "second engine"),
        ({"engines": ONE, "port": 70_000}, "port"),
        ({"engines": ONE, "workers": 0}, "workers"),
        ({"engines": ONE, "workers": 2, "trajectory_budget": "9 work"}, "--store"),
        ({"engines": ONE, "budget": "much"}, "not understood"),
        ({"engines": ONE, "budget": "$1"}, "no price is known"),
        ({"engines": ONE, "strategy": "nosuch"}, "nosuch"),
        ({"engines": ONE, "names": ["x"]}, "NAME=STRATEGY"),
        ({"engines": ONE, "names": ["x=single", "x=single"]}, "once"),
        ({"engines": ["http://user:pw@h/v1"]}, "holds no key"),
        ({"engines": TWO, "models": ["c=x"]}, "no engine is named"),
        ({"engines": [*TWO, "a=http://h/v1"]}, "twice"),
        ({"engines": ONE, "otlp": "ftp://h"}, "--otlp"),
        *(
            ({"engines": ONE, name: ""}, f"--{name} is empty")
            for name in ("host", "store", "strategy", "judge", "verifier")
        ),
    ],
)
def test_what_can_t_be_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        configured(**options)  # type: ignore[arg-type]

"""Tells schemathesis what the forms are that `/openapi.json` names, by its own hook for that."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import strategies as st

_ITEMS = ("8k work", "500 span", "3 calls", "2 wide", "20s")
budgets = st.lists(st.sampled_from(_ITEMS), min_size=1, unique=True).map(", ".join)
run_budgets = st.sampled_from(("8k work", "3 calls", "9k prefill"))
strategies = st.one_of(
    st.sampled_from(["auto", "careful", "none", "straight", "single"]),
    st.integers(1, 4).map("self_consistency(n={})".format),
)
models = st.sampled_from(["m", "auto", "careful", "m:careful", "m:self_consistency(n=2)"])

schemathesis.openapi.format("workspan-budget", budgets)
schemathesis.openapi.format("workspan-run-budget", run_budgets)
schemathesis.openapi.format("workspan-strategy", strategies)
schemathesis.openapi.format("workspan-model", models)


_MOST_CHOICES = 4096


@schemathesis.hook  # type: ignore[untyped-decorator]
def filter_body(context: Any, body: Any) -> bool:
    """Leave out what breaks the one bound that JSON Schema can't say: of choices times prompts."""
    if not isinstance(body, dict) or not isinstance(body.get("prompt"), list):
        return True
    told = [body.get(name) for name in ("n", "best_of")]
    most = max([one for one in told if isinstance(one, int | float)], default=1)
    return most * len(body["prompt"]) <= _MOST_CHOICES


@schemathesis.hook  # type: ignore[untyped-decorator]
def map_body(context: Any, body: Any) -> Any:
    """Write whole numbers whole: 2.0 is an integer to JSON Schema, and to nobody's client."""
    return _whole(body)


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return int(value) if is_whole else value

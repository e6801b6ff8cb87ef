"""Inspect runs samples through a strategy on its own model: usage, limits and cache are its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from peers.inside.conftest import SIDE, Inside, Serve, run_side

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

PACKAGES = ("inspect-ai==0.3.285", "openai==3.57.0")
SAMPLES, DRAWS, CALL = 2, 4, 10
"""Of a run; and tokens of a call, its prompt's included."""


def test_votes_limits_cache_and_time(inside: Inside, serve: Serve, tmp_path: Path) -> None:
    python = inside("inspect", *PACKAGES)
    server = serve("--text", "So the Answer: 4")
    slow = serve("--text", "So the Answer: 4", "--latency", "3600")
    told = run_side([python, SIDE / "inspect_tasks.py", server.url, slow.url], tmp_path)

    votes = told["votes"]
    assert votes["status"] == "success"
    assert votes["outputs"] == ["So the Answer: 4"] * SAMPLES
    assert votes["metadata"] == [["workspan"]] * SAMPLES
    assert [one["calls"] for one in votes["records"]] == [DRAWS] * SAMPLES
    # Inspect's own sum is ours, draw by draw
    assert votes["usage"][1] == sum(one["work"] for one in votes["records"])
    assert votes["usage"][0] == sum(one["prefill"] for one in votes["records"])

    first, again = told["cached"]
    assert [one["calls"] for one in first["records"]] == [DRAWS] * SAMPLES
    assert first["usage"] == votes["usage"]  # n draws are n calls, with a cache as well
    assert again["usage"] is None  # and a run over the same cache asks nothing
    assert again["outputs"] == first["outputs"]

    tokens = told["tokens"]
    assert tokens["limits"] == [None] * SAMPLES  # it is never passed, and no answer lost to it
    assert tokens["outputs"] == ["So the Answer: 4"] * SAMPLES
    for one in tokens["records"]:
        assert 75 - CALL <= one["work"] + one["prefill"] <= 75

    time = told["time"]
    assert time["limits"] == ["time"] * SAMPLES
    assert time["scored"] == [True] * SAMPLES
    assert [one["stop"] for one in time["records"]] == ["cancelled"] * SAMPLES
    assert [one["calls"] for one in time["records"]] == [DRAWS] * SAMPLES
    asked = SAMPLES * DRAWS * 2 + sum(one["calls"] for one in tokens["records"])
    assert server.bill["calls"] == asked


def test_inspect_starts_without_the_application(inside: Inside, tmp_path: Path) -> None:
    python = inside("inspect", *PACKAGES)
    code = (
        "import json, sys\n"
        "from inspect_ai._util.entrypoints import ensure_entry_points\n"
        "from inspect_ai._util.registry import registry_lookup\n"
        "ensure_entry_points()\n"
        "assert registry_lookup('solver', 'workspan/scaled') is not None\n"
        "heavy = ('sympy', 'workspan.app', 'workspan.runner', 'workspan.answers')\n"
        "print(json.dumps([name for name in sys.modules if name.startswith(heavy)]))"
    )
    assert run_side([python, "-c", code], tmp_path) == []

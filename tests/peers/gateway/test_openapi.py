"""schemathesis sends what `/openapi.json` allows, and what it does not, and finds nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from peers.conftest import Install
from peers.gateway.commands import run
from peers.gateway.conftest import Keyed
from peers.gateway.driven import SIDE
from peers.gateway.served import Served
from workspan.serve.routes.openapi import UPLOAD

pytestmark = [pytest.mark.peers, pytest.mark.heavy, pytest.mark.timeout(1800)]

EXAMPLES = 40
"""Of each operation and phase."""


@pytest.fixture(scope="module")
def schemathesis(installed: Install) -> Path:
    return installed("gateway-schemathesis", ["schemathesis==4.32.5"]).with_name("st")


def findings(schemathesis: Path, url: str, folder: Path, *options: str) -> str:
    """Run all checks in all phases, from one seed; return what was found."""
    words: list[object] = [
        schemathesis,
        "run",
        f"{url}/openapi.json",
        "--checks",
        "all",
        "--mode",
        "all",
    ]
    words += ["--phases", "examples,coverage,fuzzing,stateful", "-n", str(EXAMPLES)]
    words += ["--seed", "20261129", "--generation-deterministic", "--continue-on-failure"]
    words += ["--no-color", "--warnings", "off"]
    words += [
        "--exclude-operation-id",
        UPLOAD,
    ]  # `tests/gateway/batches/test_files.py` sends it forms
    words += ["--request-timeout", "60", "--report", "json", *options]
    variables = {"SCHEMATHESIS_HOOKS": "openapi_forms", "PYTHONPATH": str(SIDE)}
    ran = run([*words, "--report-json-path", folder / "found.json"], folder, variables)
    return "" if ran.code == 0 else ran.all


def test_nothing_is_found(schemathesis: Path, gateway: Served, tmp_path: Path) -> None:
    assert findings(schemathesis, gateway.root, tmp_path) == ""
    told = json.loads((tmp_path / "found.json").read_text())
    assert told
    assert not [line for line in gateway.lines() if line["code"] == "bug"]


def test_nothing_is_found_where_keys_are_kept(
    schemathesis: Path, keyed: Keyed, tmp_path: Path
) -> None:
    header = ["-H", f"Authorization: Bearer {keyed.rich}"]
    assert findings(schemathesis, keyed.gateway.root, tmp_path, *header) == ""
    assert not [line for line in keyed.gateway.lines() if line["code"] == "bug"]

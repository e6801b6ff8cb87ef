"""Inspect's own models, by Responses and by Messages, unmodified."""

from __future__ import annotations

from pathlib import Path

import pytest

from peers.conftest import Install
from peers.gateway import simulated_answers as answers
from peers.gateway.driven import driven, python
from peers.gateway.served import Served
from peers.gateway.simulated_upstream import Upstream

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]
PACKAGES = ("inspect-ai==0.3.285", "openai==3.57.0", "anthropic==2.14.0")


@pytest.mark.parametrize("dialect", ["responses", "messages"])
@pytest.mark.parametrize("model", ["m", "m:careful"])
def test_it_answers_and_calls_tools(
    dialect: str,
    model: str,
    installed: Install,
    gateway: Served,
    upstream: Upstream,
    tmp_path: Path,
) -> None:
    """It asks a greeting first, to see what the server knows: what it asks is settled whole."""
    command = python("gateway-inspect", "inspect_python.py", *PACKAGES, told=[dialect])
    upstream.clear()
    gateway.forget()
    with driven("inspect", command(installed), tmp_path) as client:
        told = client.do("answer", gateway.url, model)
        assert (told["text"], told["finish"]) == (answers.TEXT, "stop"), told
        told = client.do("tool", gateway.url, model)
        assert told["calls"] == ["get_weather", {"city": "Paris"}], told
        assert told["text"] == answers.AFTER_TOOL, told
    lines = gateway.wait_for_next(3)
    assert {line["status"] for line in lines} == {200}
    assert sum(line["work"] for line in lines) == upstream.decoded["m"]

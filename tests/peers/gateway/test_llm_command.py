"""Simon Willison's `llm`, the command, with a file that names the gateway's models."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from peers.conftest import Install
from peers.gateway import simulated_answers as answers
from peers.gateway.commands import Ran, run
from peers.gateway.conftest import Keyed
from peers.gateway.driven import environment_of
from peers.gateway.served import KEY, Served
from peers.gateway.simulated_upstream import BEHAVIOURS, Upstream

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]

Llm: TypeAlias = Callable[..., Ran]
WEATHER = "def get_weather(city: str) -> str:\n    'Look it up'\n    return 'sun'\n"


@pytest.fixture(scope="module")
def command(installed: Install) -> Path:
    return installed("gateway-llm", ["llm==0.36"]).with_name("llm")


def configured(home: Path, url: str, key: str = KEY) -> dict[str, str]:
    """Write the models of a gateway and its key down; return the variables that lead there."""
    (home / "keys.json").write_text(json.dumps({"workspan": key}))
    names = [*BEHAVIOURS, "auto", "m:careful"]
    rows = [
        {
            "model_id": f"ws-{name}",
            "model_name": name,
            "api_base": url,
            "api_key_name": "workspan",
            "supports_tools": True,
            "supports_schema": True,
        }
        for name in names
    ]
    (home / "extra-openai-models.yaml").write_text(json.dumps(rows))  # JSON is YAML
    return {"LLM_USER_PATH": str(home)}


@pytest.fixture
def llm(command: Path, gateway: Served, upstream: Upstream, tmp_path: Path) -> Llm:
    variables = configured(tmp_path, gateway.url)

    def ask(model: str, *options: str) -> Ran:
        upstream.clear()
        gateway.forget()
        words: list[object] = [command, "prompt", "What is 2 + 2?", "-m", f"ws-{model}"]
        return run([*words, *options], tmp_path, variables)

    return ask


@pytest.mark.parametrize("options", [[], ["--no-stream"]], ids=["stream", "whole"])
@pytest.mark.parametrize("model", ["m", "auto", "m:careful", "bare"])
def test_it_answers(llm: Llm, model: str, options: list[str]) -> None:
    ran = llm(model, *options)
    assert (ran.code, ran.out.strip()) == (0, answers.TEXT), ran.err


@pytest.mark.parametrize("options", [[], ["--no-stream"]], ids=["stream", "whole"])
def test_it_is_told_the_usage(
    llm: Llm, gateway: Served, upstream: Upstream, options: list[str]
) -> None:
    ran = llm("m", "--usage", *options)
    decoded = upstream.decoded["m"]
    assert f"{decoded} output" in ran.err
    (line,) = gateway.wait_for_next(1)
    assert line["work"] == decoded


@pytest.mark.parametrize("options", [[], ["--no-stream"]], ids=["stream", "whole"])
@pytest.mark.parametrize("model", ["m", "auto", "bare"])
def test_it_calls_tools(llm: Llm, upstream: Upstream, model: str, options: list[str]) -> None:
    ran = llm(model, "--functions", WEATHER, *options)
    assert (ran.code, ran.out.strip()) == (0, answers.AFTER_TOOL), ran.err
    assert upstream.seen[-1].body["messages"][-1]["role"] == "tool"


@pytest.mark.parametrize("model", ["m", "auto"])
def test_it_reads_structured_output(llm: Llm, model: str) -> None:
    ran = llm(model, "--schema", "city, population int")
    assert json.loads(ran.out) == {"city": "Paris", "population": 7}, ran.err


TROUBLE = {
    "e401": ("your key is not the reason", 1),
    "e404": ("e404 answered 404", 1),
    "e429": ("e429 answered 429", 3),
    "e500": ("e500 answered 500", 3),
    "dies": ("dies broke off", 1),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_an_upstreams_refusal_is_said(llm: Llm, upstream: Upstream, name: str) -> None:
    words, tries = TROUBLE[name]
    ran = llm(name, "--no-stream")
    assert ran.code == 1
    assert words in ran.err
    assert len(upstream.seen) == tries


@pytest.mark.parametrize("name", ["dies", "early", "errs"])
def test_a_stream_that_breaks_off_fails(llm: Llm, upstream: Upstream, name: str) -> None:
    ran = llm(name)
    assert ran.code == 1, ran.out
    assert name in ran.err
    assert len(upstream.seen) == 1


def test_a_key_without_budget_is_said(command: Path, keyed: Keyed, tmp_path: Path) -> None:
    variables = configured(tmp_path, keyed.gateway.url, keyed.poor)
    ran = run([command, "prompt", "Hi", "-m", "ws-m"], tmp_path, variables)
    assert ran.code == 1
    assert "budget of 1 prefill/day" in ran.err


def test_interrupted_it_is_followed_upstream(
    command: Path, gateway: Served, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.clear()
    gateway.forget()
    variables = environment_of(tmp_path) | configured(tmp_path, gateway.url)
    words = [str(command), "prompt", "Hi", "-m", "ws-slow"]
    with subprocess.Popen(
        words, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as running:
        assert running.stdout is not None
        assert os.read(running.stdout.fileno(), 3)
        running.send_signal(signal.SIGINT)
        upstream.wait_gone("slow")
    (line,) = gateway.wait_for_next(1)
    assert (line["status"], line["code"]) == (499, "client_gone")
    assert line["work"] + line["unseen"] >= upstream.decoded["slow"]

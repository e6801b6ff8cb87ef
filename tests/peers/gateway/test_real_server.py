"""Unmodified clients, the gateway, and llama.cpp's own server with a real, small model behind it.

What the server says that it has decoded is what the clients are told, and what is on the account.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from peers.conftest import Install
from peers.gateway.driven import Client, driven
from peers.gateway.held_back import held_back
from peers.gateway.kits import CLIENTS, Kit
from peers.gateway.served import Served, served
from real_servers import Counters, settled

pytestmark = [pytest.mark.peers, pytest.mark.heavy, pytest.mark.timeout(1800)]

UNFIT = ("dspy", "litellm responses", "pydantic-ai responses", "pydantic-ai messages")
"""Clients that ask more than once for an answer, or do not say why it ended."""
LIMIT = 200
"""Work of a request: a small model may go on for long."""
SHORT = 60
"""Work of a stream that is left: no more than may be decoded unseen after a hang-up."""


@pytest.fixture(scope="module")
def real(llama: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The gateway before the real server, whose model says the same each time it is asked."""
    folder = tmp_path_factory.mktemp("gateway")
    options = ["-e", f"{llama}/v1", "--model", "small", "--budget", f"{LIMIT} work"]
    options += ["--name", "careful=self_consistency(n=3)", "-o", "body.temperature=0"]
    with served(folder, *options) as running:
        yield running


@pytest.fixture(scope="module")
def endless(llama: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The gateway before the same, whose streams end when their clients do."""
    folder = tmp_path_factory.mktemp("endless")
    with (
        held_back(llama) as address,
        served(
            folder, "-e", f"{address}/v1", "--model", "small", "--budget", f"{SHORT} work"
        ) as running,
    ):
        yield running


@pytest.fixture(scope="module", params=[name for name in CLIENTS if name not in UNFIT])
def client(
    request: pytest.FixtureRequest, installed: Install, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Kit, Client]]:
    kit = CLIENTS[request.param]
    name = request.param.replace("/", "-")
    with driven(name, kit.command(installed), tmp_path_factory.mktemp("home")) as running:
        yield kit, running


@dataclass(frozen=True, slots=True)
class Scene:
    kit: Kit
    client: Client
    gateway: Served
    llama: str

    def do(self, step: str, model: str = "small") -> tuple[dict[str, Any], Counters]:
        """Run a step; return what the client has seen, and what the server has decoded for it."""
        before = settled(self.llama)
        self.gateway.forget()
        told = self.client.do(step, self.gateway.url, model)
        return told, settled(self.llama).since(before)

    def billed(self) -> int:
        """Return the tokens on the account, those that a cut left unseen included."""
        return sum(line["work"] + line["unseen"] for line in self.gateway.wait_for_next(1))


@pytest.fixture
def scene(client: tuple[Kit, Client], real: Served, llama: str) -> Scene:
    return Scene(*client, real, llama)


@pytest.mark.parametrize("step", ["answer", "stream"])
@pytest.mark.parametrize("model", ["small", "auto"])
def test_it_answers_within_its_budget(scene: Scene, model: str, step: str) -> None:
    told, truth = scene.do(step, model)
    assert "raised" not in told, told
    assert told["text"].strip()
    assert told["finish"] in ("stop", "length")
    assert told["completion_tokens"] == scene.billed() == truth.decoded <= LIMIT


def test_a_form_is_kept_by_each_draft(scene: Scene) -> None:
    if "structured" in scene.kit.lacks:
        pytest.skip(f"{scene.client.name} has no structured output of its own")
    told, truth = scene.do("structured", "careful")
    if "raised" in told:  # cut at its budget within a text: the client says so itself
        assert {line["stop"] for line in scene.gateway.wait_for_next(1)} != {"done"}, told
    else:
        assert isinstance(told["value"]["city"], str)
        assert isinstance(told["value"]["population"], int)
    assert truth.decoded <= scene.billed()
    assert truth.decoded <= LIMIT


def test_a_client_that_goes_is_followed(scene: Scene, endless: Served) -> None:
    scene = replace(scene, gateway=endless)
    if "cancel_stream" in scene.kit.lacks:
        pytest.skip(f"{scene.client.name} has no stream that can be left")
    told, truth = scene.do("cancel_stream")
    assert "raised" not in told, told
    assert truth.decoded <= scene.billed()
    (line,) = scene.gateway.wait_for_next(1)
    assert (line["status"], line["code"]) == (499, "client_gone")

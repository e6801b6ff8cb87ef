"""Agents whose clients name no run: each loop is followed by what its prompts go on from.

Their clients are unmodified, and each writes the conversation anew in a way of its own: the gateway
finds one trajectory, holds its budget, tells the agent where asked, and shows it on its timeline.
"""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from peers.conftest import Install
from peers.gateway import simulated_walk as walk
from peers.gateway.driven import Client, driven, node, python
from peers.gateway.kits import PYDANTIC_AI
from peers.gateway.served import Served
from peers.gateway.simulated_upstream import Upstream

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

DIALECTS = ("chat", "responses", "messages")
AGENTS = {
    "openai": python("gateway-openai", "loops_openai.py", "openai==3.57.0"),
    "anthropic": python("gateway-anthropic", "loops_anthropic.py", "anthropic==2.14.0"),
    "npm": node("loops_npm.mjs"),
    **{
        f"pydantic-ai-{one}": python(
            "gateway-pydantic-ai", "loops_pydantic_ai.py", PYDANTIC_AI, told=[one]
        )
        for one in DIALECTS
    },
}
PROVIDERS = ("openai", "responses", "unstored", "messages", "compatible")
LOOPS: Mapping[str, tuple[str, ...]] = {
    "openai": (
        *("chat", "chat_streamed"),
        *("responses", "responses_streamed", "responses_kept", "responses_runner"),
    ),
    "anthropic": ("runner", "runner_streamed"),
    "npm": (
        *("chat", "chat_streamed", "responses", "messages", "messages_streamed"),
        *(f"ai_{one}{end}" for one in PROVIDERS for end in ("", "_streamed")),
    ),
    **{f"pydantic-ai-{one}": ("run", "run_streamed") for one in DIALECTS},
}
TWINS = {
    **dict.fromkeys(AGENTS, ("twins",)),
    "npm": ("twins", *(f"ai_{one}_twins" for one in PROVIDERS)),
}
MODELS = ("thinks", "tagged", "walks:careful")
LEFT = "left of this run's budget"


def each(loops: Mapping[str, tuple[str, ...]]) -> pytest.MarkDecorator:
    """Run a test with each loop of each client."""
    found = [(name, loop) for name, some in loops.items() for loop in some]
    ids = [f"{name}-{loop}" for name, loop in found]
    return pytest.mark.parametrize(("client", "loop"), found, indirect=["client"], ids=ids)


@pytest.fixture(scope="module")
def client(
    request: pytest.FixtureRequest, installed: Install, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    home = tmp_path_factory.mktemp("home")
    with driven(request.param, AGENTS[request.param](installed), home) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Scene:
    """One client before the gateway, with nothing remembered of what was."""

    client: Client
    gateway: Served
    upstream: Upstream

    def do(self, loop: str, model: str, **headers: str) -> dict[str, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.do(loop, self.gateway.url, model, headers=named)

    def runs(self, turns: int) -> dict[str, list[dict[str, Any]]]:
        """Return the log's lines of so many turns, by their trajectories.

        Anthropic's own loops ask for a thread first, which no gateway keeps: that is no turn.
        """
        while len(lines := [*filter(_is_turn, self.gateway.wait_for_next(0))]) < turns:
            time.sleep(0.02)
        found: dict[str, list[dict[str, Any]]] = {}
        for line in lines:
            found.setdefault(line["trajectory"], []).append(line)
        return found

    def shown(self, trajectory: str) -> dict[str, Any]:
        """Return what the page is told of one."""
        with urllib.request.urlopen(f"{self.gateway.root}/_/events") as events:
            line = next(line for line in events if line.startswith(b"data: "))
        found = json.loads(line[6:])["trajectories"]
        [one] = [one for one in found if one["id"] == trajectory]
        told: dict[str, Any] = one
        return told


def _is_turn(line: Mapping[str, Any]) -> bool:
    return str(line["route"]).startswith("/v1/") and line["code"] != "unsupported"


@pytest.fixture
def scene(client: Client, following: Served, upstream: Upstream) -> Scene:
    following.forget()
    upstream.clear()
    return Scene(client, following, upstream)


def _has_walked(told: Mapping[str, Any]) -> bool:
    """Say whether all was done, in any order: some clients run calls of one turn side by side."""
    return sorted(told["steps"], key=repr) == sorted(walk.STEPS, key=repr)


@each(LOOPS)
@pytest.mark.parametrize("model", MODELS)
def test_a_loop_is_one_trajectory(scene: Scene, loop: str, model: str) -> None:
    told = scene.do(loop, model)
    assert "raised" not in told, told
    assert _has_walked(told)
    assert told["text"].endswith(walk.DONE)
    turns = len(walk.TURNS)
    [(id, lines)] = scene.runs(turns).items()
    assert id
    assert [line["status"] for line in lines] == [200] * turns
    work = sum(line["work"] for line in lines)
    assert work == scene.upstream.decoded[model.partition(":")[0]]
    shown = scene.shown(id)
    calls = len(scene.upstream.seen)
    assert (shown["turns"], shown["calls"], shown["work"]) == (turns, calls, work)
    assert [number for number, *_ in shown["past"]] == [1, 2, 3, 4]
    assert shown["limits"] == [{"limit": "10000 work", "most": 10_000, "left": 10_000 - work}]


@each(LOOPS)
def test_its_budget_is_counted_and_told(scene: Scene, loop: str) -> None:
    headers = {"Workspan_Trajectory_Budget": "2 calls", "Workspan_Trajectory_Tells": "true"}
    told = scene.do(loop, "walks", **headers)
    assert told["raised"], told
    [(_, lines)] = scene.runs(3).items()
    assert [line["status"] for line in lines[:3]] == [200, 200, 429]
    assert {line["code"] for line in lines[2:]} == {"budget_exceeded"}
    first, second = [json.dumps(seen.body["messages"][-1]) for seen in scene.upstream.seen]
    assert re.search(rf"\[Turn 1; {LEFT}: 10000 work, 2 calls\]", first)
    assert re.search(rf"\[Turn 2; {LEFT}: 99\d\d work, 1 calls\]", second)
    assert LEFT not in json.dumps(scene.upstream.seen[1].body["messages"][:-1])


@each(TWINS)
def test_two_with_one_task_are_two(scene: Scene, loop: str) -> None:
    """Whatever they are told, to the letter and at the same time."""
    told = scene.do(loop, "twins")
    assert "raised" not in told, told
    for one in told["notes"]:
        assert _has_walked(one)
        assert one["text"] == walk.DONE
    turns = len(walk.TURNS)
    runs = scene.runs(2 * turns)
    assert sorted(map(len, runs.values())) == [turns, turns]

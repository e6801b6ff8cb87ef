"""Unmodified clients in environments of their own, before one gateway and a simulated upstream.

Each client answers, streams and calls tools, sees each kind of trouble as an error of its own, and
asks no more often than it must; what it gave up is closed upstream and settled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from peers.conftest import Install
from peers.gateway import simulated_answers as answers
from peers.gateway.conftest import Keyed
from peers.gateway.driven import Client, driven
from peers.gateway.kits import CLIENTS, DEAF, Kit
from peers.gateway.served import Served
from peers.gateway.simulated_upstream import Upstream

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

CALLED = ["get_weather", {"city": "Paris"}]
CITY = {"city": "Paris", "population": 7}
FIRST = " ".join(answers.TEXT.split()[:2])
"""What has been said where a stream breaks off."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One client before one gateway."""

    kit: Kit
    client: Client
    gateway: Served
    upstream: Upstream

    def do(self, step: str, model: str = "m", **more: Any) -> dict[str, Any]:
        """Run a step, with nothing remembered of those before."""
        self.upstream.clear()
        return self.client.do(step, more.pop("url", self.gateway.url), model, **more)

    def lines(self, asked: int) -> list[dict[str, Any]]:
        """Return the log's lines of this step, of which there are so many."""
        return self.gateway.wait_for_next(asked)


def having(step: str) -> pytest.MarkDecorator:
    """Run a test with each client that has such a step."""
    names = [name for name, kit in CLIENTS.items() if step not in kit.lacks]
    return pytest.mark.parametrize("client", names, indirect=True)


@pytest.fixture(scope="module")
def client(
    request: pytest.FixtureRequest, installed: Install, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Kit, Client]]:
    kit = CLIENTS[request.param]
    home = tmp_path_factory.mktemp("home")
    name = request.param.replace("/", "-")
    with driven(name, kit.command(installed), home) as running:
        yield kit, running


@pytest.fixture
def scene(client: tuple[Kit, Client], gateway: Served, upstream: Upstream) -> Scene:
    gateway.forget()
    return Scene(*client, gateway, upstream)


def _is_settled(scene: Scene, asked: int) -> None:
    """Each request is on the account, and the sum is what the upstream has sent, to the token."""
    lines = scene.lines(asked)
    assert [line["status"] for line in lines] == [200] * asked
    assert sum(line["work"] for line in lines) == scene.upstream.decoded["m"]
    assert {line["source"] for line in lines} == {"measured"}
    assert sum(line["calls"] for line in lines) == len(scene.upstream.seen)


@having("answer")
def test_it_answers(scene: Scene) -> None:
    told = scene.do("answer")
    assert "raised" not in told, told
    assert told["text"] in (answers.TEXT, "4")  # a program of DSPy reads its field
    assert told.get("finish", "stop") == "stop"
    assert told["completion_tokens"] == scene.upstream.decoded["m"]
    _is_settled(scene, 1)


@having("stream")
def test_it_streams(scene: Scene) -> None:
    told = scene.do("stream")
    assert "raised" not in told, told
    assert (told["text"], told["finish"]) == (answers.TEXT, "stop")
    assert told["completion_tokens"] == scene.upstream.decoded["m"]
    _is_settled(scene, 1)


@having("stream_helper")
def test_its_helper_streams(scene: Scene) -> None:
    told = scene.do("stream_helper")
    assert (told["text"], told["final"], told["finish"]) == (answers.TEXT, answers.TEXT, "stop")
    _is_settled(scene, 1)


@having("answer_async")
def test_it_does_so_at_the_same_time(scene: Scene) -> None:
    told = scene.do("answer_async")
    assert told["texts"] == [answers.TEXT] * 4
    _is_settled(scene, 4)
    scene.gateway.forget()
    told = scene.do("stream_async")
    assert (told["text"], told["finish"]) == (answers.TEXT, "stop")
    assert told["completion_tokens"] is None  # not asked for
    _is_settled(scene, 1)


@having("tool")
@pytest.mark.parametrize("model", ["m", "m:careful", "auto"])
def test_it_calls_tools(scene: Scene, model: str) -> None:
    told = scene.do("tool", model)
    assert "raised" not in told, told
    assert (told["calls"], told["text"]) == (CALLED, answers.AFTER_TOOL)
    _is_settled(scene, 2)
    assert len(scene.upstream.seen) == (2 if model == "m" else 6)


@having("stream_tool")
@pytest.mark.parametrize("model", ["m", "m:careful", "auto"])
def test_it_streams_calls_of_tools(scene: Scene, model: str) -> None:
    told = scene.do("stream_tool", model)
    assert "raised" not in told, told
    assert told["calls"] == CALLED
    asked = 2 if told.get("text") else 1  # the AI SDK goes on by itself
    _is_settled(scene, asked)
    assert len(scene.upstream.seen) == asked * (1 if model == "m" else 3)


@having("structured")
@pytest.mark.parametrize("model", ["m", "m:careful", "auto"])
def test_it_reads_structured_output(scene: Scene, model: str) -> None:
    told = scene.do("structured", model)
    assert "raised" not in told, told
    assert told["value"] == CITY
    _is_settled(scene, 1)
    assert len(scene.upstream.seen) == (1 if model == "m" else 3)


@pytest.mark.parametrize(
    ("client", "step"),
    [
        (name, step)
        for name, kit in CLIENTS.items()
        for step in ("answer", "stream", "tool", "stream_tool")
        if step not in kit.lacks
    ],
    indirect=["client"],
)
def test_it_goes_on_behind_a_careless_upstream(scene: Scene, step: str) -> None:
    told = scene.do(step, "bare")
    assert "raised" not in told, told
    assert told.get("calls", CALLED) == CALLED
    assert told.get("text") in (answers.TEXT, answers.AFTER_TOOL, "4", None)
    asked = len(scene.upstream.seen)
    lines = scene.lines(asked)
    # One that tells no figures and calls tools may have decoded all that the client allowed.
    most = 2 * asked * scene.kit.cap
    assert scene.upstream.decoded["bare"] <= sum(line["work"] for line in lines) < most


@dataclass(frozen=True, slots=True)
class Trouble:
    status: int
    code: str
    spends: bool = False
    """The upstream may have decoded: a bound of it is on the account."""


REFUSED: Mapping[str, Trouble] = {
    "e401": Trouble(502, "upstream_unauthorized"),
    "e404": Trouble(404, "model_not_found"),
    "e429": Trouble(429, "upstream_rate_limit"),
    "e500": Trouble(500, "server_error", spends=True),
    "dies": Trouble(502, "upstream_broke", spends=True),
}


@having("answer")
@pytest.mark.parametrize("name", REFUSED)
def test_an_upstreams_refusal_is_an_error_of_its_own(scene: Scene, name: str) -> None:
    trouble, tries = REFUSED[name], scene.kit.tries.get(name, 1)
    told = scene.do("answer", name)
    _is_raised(scene.kit, told, name, trouble.status, trouble.code)
    assert len(scene.upstream.seen) == tries
    lines = scene.lines(tries)
    assert {(line["status"], line["code"]) for line in lines} == {(trouble.status, trouble.code)}
    if trouble.spends:
        assert sum(line["work"] + line["unseen"] for line in lines) >= scene.upstream.decoded[name]
    else:
        assert {(line["work"], line["unseen"], line["calls"]) for line in lines} == {(0, 0, 0)}


def _is_raised(kit: Kit, told: dict[str, Any], name: str, status: int, code: str) -> None:
    assert kit.kinds[name] in told.get("kinds", ()), told
    if kit.tells_status:
        assert told["status"] == status, told
    if kit.tells_code:
        assert told["code"] == code, told


@pytest.mark.parametrize(
    "client", [name for name, kit in CLIENTS.items() if kit.tries], indirect=True
)
def test_what_it_asks_again_is_billed_once(scene: Scene) -> None:
    told = scene.do("answer", "flaky")
    assert "raised" not in told, told
    lines = scene.lines(3)
    assert [line["status"] for line in lines] == [429, 429, 200]
    assert [line["calls"] for line in lines] == [0, 0, 1]
    assert sum(line["work"] for line in lines) == scene.upstream.decoded["flaky"]


@having("stream")
@pytest.mark.parametrize("name", ["dies", "errs", "early"])
def test_a_stream_that_breaks_off_never_looks_finished(scene: Scene, name: str) -> None:
    told = scene.do("stream", name)
    kinds = {scene.kit.kinds["mid-stream"]}
    if not told["text"]:  # the trouble came before the first token had gone to the client
        kinds |= {scene.kit.kinds["dies"]}
    assert kinds & set(told.get("kinds", ())), told
    assert told["text"] in (FIRST, "")
    assert told["finish"] in (None, "error")
    tries = len(scene.upstream.seen)
    assert tries == 1 or scene.kit.tries is DEAF
    assert {line["status"] for line in scene.lines(tries)} == {502}
    spent = sum(line["work"] for line in scene.lines(tries))
    assert spent >= scene.upstream.decoded[name]


@having("answer")
def test_a_key_without_budget_is_a_typed_error(scene: Scene, keyed: Keyed) -> None:
    keyed.gateway.forget()
    told = scene.do("answer", url=keyed.gateway.url, key=keyed.poor)
    _is_raised(scene.kit, told, "poor", 429, "budget_exceeded")
    assert "budget" in told["message"]
    assert scene.upstream.seen == []
    (line, *_) = keyed.gateway.wait_for_next(1)
    assert (line["code"], line["work"], line["calls"]) == ("budget_exceeded", 0, 0)


@having("answer")
def test_a_strangers_key_is_a_typed_error(scene: Scene, keyed: Keyed) -> None:
    told = scene.do("answer", url=keyed.gateway.url, key="sk-somebody-elses")
    _is_raised(scene.kit, told, "stranger", 401, "invalid_api_key")
    assert scene.upstream.seen == []


@having("answer")
def test_a_key_of_the_gateway_is_taken(scene: Scene, keyed: Keyed) -> None:
    keyed.gateway.forget()
    told = scene.do("answer", url=keyed.gateway.url, key=keyed.rich)
    assert "raised" not in told, told
    (line,) = keyed.gateway.wait_for_next(1)
    assert line["key"] == keyed.rich.split("-")[1]
    assert line["work"] == scene.upstream.decoded["m"]
    assert keyed.rich not in keyed.gateway.log.read_text()


@pytest.mark.parametrize(
    ("client", "step"),
    [
        (name, step)
        for name, kit in CLIENTS.items()
        for step in ("cancel_stream", "cancel_answer")
        if step not in kit.lacks
    ],
    indirect=["client"],
)
def test_a_client_that_goes_is_followed_upstream(scene: Scene, step: str) -> None:
    scene.do(step, "slow")
    (line,) = scene.lines(1)
    assert (line["status"], line["code"]) == (499, "client_gone")
    scene.upstream.wait_gone("slow")
    assert line["work"] + line["unseen"] >= scene.upstream.decoded["slow"]


@having("answer")
@pytest.mark.parametrize("ending", ["/v1", "/v1/", "", "/"])
def test_any_ending_of_the_address_will_do(scene: Scene, ending: str) -> None:
    told = scene.do("answer", url=scene.gateway.root + ending)
    assert "raised" not in told, told
    _is_settled(scene, 1)


@having("models")
def test_it_lists_the_models(scene: Scene) -> None:
    told = scene.do("models")
    assert {"m", "auto", "careful", "m:careful"} <= set(told["names"])


@having("embed")
def test_it_embeds(scene: Scene) -> None:
    told = scene.do("embed")
    assert told["vectors"] == [[*answers.VECTOR]] * 2


@having("completion")
def test_it_goes_on_from_a_text(scene: Scene) -> None:
    told = scene.do("completion")
    assert told["text"] == "2 + 2 = 4."


@having("wishes")
def test_it_wishes_a_budget_and_a_strategy(scene: Scene) -> None:
    told = scene.do("wishes")
    spent = told["workspan"]
    assert (spent["strategy"], spent["calls"]) == ("self_consistency(n=3)", 3)
    assert spent["work"] == scene.upstream.decoded["m"] <= 2_000
    assert len(spent["candidates"]) == 3

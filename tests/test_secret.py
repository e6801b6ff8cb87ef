from __future__ import annotations

import base64
import html
import json
import logging
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from urllib.parse import quote

import anyio
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from endpoint_client import ASK, QUICK, draw
from workspan.boundary.secret import Secret, key_in
from workspan.data.budget import Budget
from workspan.data.entry import Header
from workspan.data.types import Problem
from workspan.engines.endpoint import Endpoint
from workspan.engines.settings import read_settings
from workspan.errors import EngineError, EngineUnavailable, InputError, SpecError
from workspan.runner import Result, identify, run
from workspan.store.journals import JournalFile
from workspan.strategies.sequential.single import Single
from workspan.testing.server import Behaviour, SimulatedServer

KEY = "sk-proj-aB3dE6gH9jK2mN5pQ8rS-tU_vW"

WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in an address": lambda key: quote(key, safe=""),
    "twice in an address": lambda key: quote(quote(key + "/", safe=""), safe=""),
    "every byte of it": lambda key: "".join(f"%{byte:02x}" for byte in key.encode()),
    "JSON": json.dumps,
    "JSON in JSON": lambda key: json.dumps(json.dumps({"key": key})),
    "JSON's escapes": lambda key: "".join(f"\\u{ord(char):04X}" for char in key),
    "HTML's escapes": lambda key: "".join(f"&#{ord(char)};" for char in key),
    "HTML": html.escape,
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 of addresses": lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
    "base64 of the header": lambda key: base64.b64encode(b"Bearer " + key.encode()).decode(),
    "base64 of a name with it": lambda key: base64.b64encode(b"u:" + key.encode()).decode(),
    "hexadecimal": lambda key: key.encode().hex().upper(),
    "letters apart": " ".join,
    "letters with nothing between": "\u200b".join,
    "lines": "\n".join,
    "halves": lambda key: f"{key[: len(key) // 2]} and then {key[len(key) // 2 :]}",
    "capitals": str.upper,
}


def letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isascii() and char.isalnum())


@pytest.mark.parametrize("way", WAYS)
def test_a_key_is_found_however_it_is_written(way: str) -> None:
    written = WAYS[way](KEY)
    left = Secret(KEY).scrub(f"The key {written} is wrong.")
    assert left.startswith("The key ")
    assert left.endswith(" is wrong.")
    assert "***" in left
    rest, all_of_it = letters(left), letters(written)
    begun = 12 if way == "base64 of the header" else 0  # its first letters say "Bearer"
    assert not any(all_of_it[i : i + 8] in rest for i in range(begun, len(all_of_it) - 8))


@given(key=st.from_regex(r"\A[A-Za-z0-9_-]{3}[A-Za-z0-9]{8}[!-~]{0,30}\Z"), data=st.data())
def test_no_way_of_writing_it_leaves_it(key: str, data: st.DataObject) -> None:
    written = WAYS[data.draw(st.sampled_from(["as it is", "in an address", "JSON's escapes"]))](key)
    around = data.draw(st.text(max_size=20))
    assert written not in Secret(key).scrub(around + written + around)


@given(text=st.text(), key=st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_what_holds_no_key_stays_as_it_was(text: str, key: str) -> None:
    plain = "Rate limit reached: try again in 3 s (über 100 %)"
    assert Secret("0Zq7Xw1Vt5").scrub(plain) == plain
    Secret(key).scrub(text)  # whatever it is, it can be read


def test_a_key_that_no_header_can_hold_is_refused_unseen() -> None:
    with pytest.raises(InputError) as caught:
        Secret(f"{KEY}\r\nX: y")
    assert KEY not in str(caught.value)
    assert KEY not in repr(Secret(KEY)) + str(Secret(KEY))


def chain(error: BaseException | None) -> str:
    """Write all that an error and what led to it could show."""
    said = []
    while error is not None:
        said.append(f"{error!r} {error} {vars(error)}")
        error = error.__cause__ or error.__context__
    return "\n".join(said)


async def _answers(kind: str, request: web.Request) -> web.StreamResponse:
    key = request.headers["Authorization"].removeprefix("Bearer ")
    if kind == "redirect":
        raise web.HTTPTemporaryRedirect(f"http://elsewhere/?key={quote(key)}")
    if kind == "finish":
        body = {"choices": [{"delta": {"content": "x"}, "finish_reason": None}]}
        late = {"error": {"message": f"bad {key}", "code": 500}}
        lines = f"data: {json.dumps(body)}\n\ndata: {json.dumps(late)}\n\n"
        return web.Response(text=lines, content_type="text/event-stream")
    if kind == "torn":
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        assert request.transport is not None
        request.transport.close()
        return reply
    if kind == "page":
        return web.Response(text=f"<html>{key}", content_type="text/html")
    if kind == "reason":
        return web.Response(reason=f"no {key}", status=418)
    said = f"\x1b]8;;http://evil\x07{WAYS[kind](key)}\u202e\r wrong"
    return web.json_response({"error": {"message": said, "type": said}}, status=401)


@pytest.mark.parametrize("kind", [*WAYS, "redirect", "finish", "torn", "page", "reason"])
def test_no_error_and_no_cause_of_it_holds_a_key(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> EngineError:
        app = web.Application()

        async def answer(request: web.Request) -> web.StreamResponse:
            return await _answers(kind, request)

        app.router.add_route("*", "/{any:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        engine = Endpoint(f"http://127.0.0.1:{port}/v1", "m", api_key=KEY, retries=QUICK)
        try:
            with pytest.raises(EngineError) as caught:
                await draw(engine, ASK)
        finally:
            await engine.aclose()
            await runner.cleanup()
        return caught.value

    with caplog.at_level(logging.DEBUG, logger="stamina"):
        error = anyio.run(main)
    shown = chain(error) + "".join(record.getMessage() for record in caplog.records)
    assert KEY not in shown
    assert letters(KEY)[:12] not in letters(shown)
    assert str(error).isprintable()


def test_a_server_that_is_not_there_shows_no_header() -> None:
    async def main() -> EngineError:
        engine = Endpoint("http://127.0.0.1:9/v1", "m", api_key=KEY, retries=QUICK)
        try:
            with pytest.raises(EngineUnavailable) as caught:
                await draw(engine, ASK)
        finally:
            await engine.aclose()
        return caught.value

    assert KEY not in chain(anyio.run(main))


def test_a_key_that_a_server_gives_back_as_text_is_kept_nowhere(tmp_path: Path) -> None:
    key = "sk-proj-0123456789abcdefXYZ"
    path = tmp_path / "journal"

    async def main() -> Result:
        behaviour = Behaviour(text=f"I was sent {key} today. Answer: 4")
        header = Header(engine="endpoint simulated", seed=0)
        problem = Problem.ask("2 + 2?", kind="number")
        async with (
            SimulatedServer(behaviour).serve() as server,
            aclosing(Endpoint(server.url, "simulated", api_key=key)) as engine,
        ):
            with JournalFile(path, header) as journals:
                journal = journals.journal(identify(Single(), problem, Budget()))
                return await run(Single(), problem, engine, journal=journal)

    found = anyio.run(main)
    assert found.answer.text == "4"
    assert found.answer.best is not None
    assert found.answer.best.text == "I was sent *** today. Answer: 4"
    assert key.encode() not in path.read_bytes()


def test_a_key_in_the_place_of_a_variables_name_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOST_KEY", f" {KEY}\n")
    monkeypatch.delenv("OTHER_KEY", raising=False)
    assert key_in("HOST_KEY") == KEY
    with pytest.raises(InputError, match="no OTHER_KEY"):
        key_in("OTHER_KEY")
    for said in (KEY, "gsk_aB3dE6gH9jK2mN5pQ8", "hunter2", ""):
        with pytest.raises(InputError, match="no such variable") as caught:
            key_in(said)
        assert not said or said not in str(caught.value)
    with pytest.raises(SpecError, match="no such variable") as refused:
        read_settings(None, ["sk-given-itself"], {"": "http://127.0.0.1:1/v1"})
    assert "given-itself" not in str(refused.value)

"""What a user states about an engine on the command line, and where each key goes."""

from __future__ import annotations

import anyio
import pytest
from aiohttp import web

from workspan.app.engines import open_engines
from workspan.engines.endpoint import Endpoint
from workspan.engines.settings import Settings, read_settings
from workspan.errors import SpecError
from workspan.spec.engines import open_engine

ENGINES = {"": "http://127.0.0.1:9/v1", "b": "http://127.0.0.2:9/v1", "prm": "reward:http://h"}


def stated(*settings: str) -> dict[str, Settings]:
    return read_settings(settings, (), ENGINES)


def test_every_setting_reaches_the_engine_it_is_for() -> None:
    told = stated(
        "prefill=true",
        "form=completion",
        "seed=false",
        "stream=no",
        "context=8192",
        "effort=low",
        "concurrency=3",
        "n_per_request=4",
        "overshoot=0",
        "timeout.connect=2",
        "timeout.first_token=30s",
        "retries.attempts=2",
        "key_header=api-key",
        "header.X-Team=ours",
        'body.provider={"only": ["x"]}',
        "body.min_p=0.1",
        "b.concurrency=7",
        "prm.concurrency=9",
    )
    engine = Endpoint("http://host/v1", "m", **told[""].for_completions())
    assert (engine.prefill, engine.form, engine.sends_seed) == (True, "completion", False)
    assert (engine.streams, engine.context, engine.reasoning_effort) == (False, 8192, "low")
    assert (engine.concurrency, engine.n_per_request, engine.overshoot) == (3, 4, 0)
    assert (engine.timeouts.connect, engine.timeouts.first_token) == (2.0, 30.0)
    assert (engine.retries.attempts, engine.key_header) == (2, "api-key")
    assert engine.headers == {"X-Team": "ours"}
    assert engine.extra_body == {"provider": {"only": ["x"]}, "min_p": 0.1}
    assert told["b"].for_completions()["concurrency"] == 7
    assert told["prm"].for_scores()["concurrency"] == 9
    assert "ours" not in repr(engine)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("prefil=true", "did you mean 'prefill'"),
        ("prefill", "write KEY=VALUE"),
        ("=1", "write KEY=VALUE"),
        ("prefill=maybe", "true or false"),
        ("context=0", "1 or more"),
        ("context=many", "a whole number"),
        ("form=chats", "chat or completion"),
        ("timeout.connect=soon", "seconds"),
        ("body.tier=flex", "JSON"),
        ("c.prefill=true", "no such setting"),
        ("timeout.=3", "no such setting"),
    ],
)
def test_what_can_not_be_read_says_what_would_be_right(setting: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        stated(setting)[""].for_completions()


def test_stated_twice_is_refused() -> None:
    with pytest.raises(SpecError, match="given twice"):
        stated("context=1", "context=2")


@pytest.mark.parametrize("text", ["scripted", "embedded", "reasoner"])
def test_an_engine_that_is_no_server_takes_none(text: str) -> None:
    with pytest.raises(SpecError, match="is no server"):
        anyio.run(open_engine, text, None, None, Settings({"prefill": "true"}))


def test_a_reward_model_takes_no_setting_of_a_model_that_writes() -> None:
    engines = ["scripted", "p=reward:http://h"]
    with pytest.raises(SpecError, match="no such setting"):
        anyio.run(open_engines, engines, None, None, ["p.prefill=true"])


def test_what_changes_the_answers_is_part_of_a_journals_identity() -> None:
    told = stated("effort=low", "body.min_p=0.1", "concurrency=2", "header.X=secret")[""]
    assert told.drawn == " (body.min_p=0.1, effort=low)"


def test_the_environments_key_goes_to_one_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", "sk-other")
    keys = {name: said.key for name, said in read_settings((), (), ENGINES).items()}
    assert keys == {"": None, "b": "", "prm": ""}
    alone = {"": "embedded", "b": "https://host/v1", "c": "https://host/v1"}
    keys = {name: said.key for name, said in read_settings((), (), alone).items()}
    assert (keys["b"], keys["c"]) == (None, None)
    keys = {n: said.key for n, said in read_settings((), ["b=OTHER_KEY"], ENGINES).items()}
    assert keys == {"": None, "b": "sk-other", "prm": ""}
    assert "sk-other" not in repr(read_settings((), ["b=OTHER_KEY"], ENGINES))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["c=OTHER_KEY"], "no engine is named 'c'"),
        (["b=NO_SUCH_VARIABLE"], "has no NO_SUCH_VARIABLE"),
        (["OTHER_KEY", "OTHER_KEY"], "given twice"),
        (["b="], "no such variable"),
    ],
)
def test_a_key_that_is_not_there_is_said_at_once(
    keys: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_KEY", "sk-other")
    with pytest.raises(SpecError, match=said):
        read_settings((), keys, ENGINES)


def test_each_server_sees_its_own_key_and_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSPAN_API_KEY", "sk-own")
    monkeypatch.setenv("STRONG_KEY", "sk-strong")
    seen: list[dict[str, str]] = []

    async def models(request: web.Request) -> web.Response:
        names = ("Authorization", "api-key", "X-Team")
        seen.append({name: request.headers[name] for name in names if name in request.headers})
        return web.json_response({"data": [{"id": "m"}]})

    async def serve() -> tuple[web.AppRunner, str]:
        app = web.Application()
        app.router.add_get("/v1/models", models)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

    async def main() -> None:
        (one, own), (two, strong) = await serve(), await serve()
        plain = read_settings((), (), {"": own, "strong": strong})
        told = read_settings(
            ["strong.key_header=api-key", "strong.header.X-Team=ours"],
            ["strong=STRONG_KEY"],
            {"": own, "strong": strong},
        )
        for url, said in ((own, plain[""]), (strong, plain["strong"]), (strong, told["strong"])):
            await Endpoint.discover(url, **said.for_completions())
        await one.cleanup()
        await two.cleanup()

    anyio.run(main)
    assert seen == [
        {"Authorization": "Bearer sk-own"},
        {},
        {"api-key": "sk-strong", "X-Team": "ours"},
    ]

"""Retrievers and embeddings behind HTTP, on real servers of this machine."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from workspan.errors import EngineProtocolError, EngineRejected, EngineUnavailable, InputError
from workspan.retrieval import Passage
from workspan.retrieval.bm25 import Bm25
from workspan.retrieval.dense import Dense, EndpointEmbedder, Hybrid
from workspan.retrieval.http import HttpRetriever
from workspan.retrieval.index import open_corpus
from workspan.retrieval.vectors import open_hybrid, parse_embedder

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serving(handler: Handler, ask: Callable[[str], Awaitable[None]]) -> None:
    app = web.Application()
    app.router.add_post("/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        await ask(f"http://127.0.0.1:{port}/retrieve")
    finally:
        await runner.cleanup()


def searched(
    answer: object,
    queries: tuple[str, ...] = ("a, b",),
    top: int = 2,
    *,
    status: int = 200,
    delay: float = 0.0,
    timeout_seconds: float = 5.0,
) -> tuple[list[list[Passage]], list[object]]:
    asked: list[object] = []
    found: list[list[Passage]] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(await request.json())
        await asyncio.sleep(delay)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return web.Response(text=text, status=status, content_type="application/json")

    async def ask(url: str) -> None:
        found.extend(await HttpRetriever(url, timeout_seconds).search(queries, top))

    anyio.run(serving, handler, ask)
    return found, asked


def test_all_queries_of_a_round_go_in_one_request() -> None:
    found, asked = searched({"result": [["one", "two", "three"], []]}, ("a, b", "c"))
    assert asked == [{"queries": ["a, b", "c"], "topk": 2}]
    assert [[p.text for p in row] for row in found] == [["one", "two"], []]


@pytest.mark.parametrize(
    "item",
    [
        {"id": "7", "title": "Alba", "text": "A harbour."},
        {"document": {"id": 7, "contents": '"Alba"\nA harbour.'}, "score": 1.5},
    ],
)
def test_passages_are_read_in_the_forms_that_servers_use(item: object) -> None:
    assert searched([[item]])[0] == [[Passage("7", "Alba", "A harbour.")]]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("no json", "did not answer with JSON"),
        ("[" * 100_000, "did not answer with JSON"),
        ({"else": []}, "lists of passages"),
        ([["a"], ["b"]], "2 lists of passages for 1 question"),
        ([[{"score": 1}]], "a passage without a text"),
        ([[None]], "a passage without a text"),
    ],
)
def test_an_answer_of_another_form_is_the_servers_fault(answer: object, said: str) -> None:
    with pytest.raises(EngineProtocolError, match=said):
        searched(answer)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, EngineRejected),
        (401, EngineRejected),
        (429, EngineUnavailable),
        (503, EngineUnavailable),
    ],
)
def test_a_refusal_says_whether_asking_again_may_help(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=f"answered {status}: .*why"):
        searched({"error": "why"}, status=status)


def test_a_redirect_is_not_followed() -> None:
    with pytest.raises(EngineRejected, match="answered 302"):
        searched("", status=302)


def test_a_silent_server_is_given_up() -> None:
    with pytest.raises(EngineUnavailable, match=r"did not answer within 0\.2 s"):
        searched([[]], delay=2.0, timeout_seconds=0.2)


def test_a_server_that_is_not_there_may_be_there_later() -> None:
    with pytest.raises(EngineUnavailable, match="can't be reached"):
        anyio.run(HttpRetriever("http://127.0.0.1:9/x").search, ["a"], 1)


def hashed(text: str) -> list[float]:
    """Embed by hashing words: what is alike shares words, which suffices here."""
    vector = [0.0] * 64
    for word in text.lower().replace(".", "").split():
        vector[zlib.crc32(word.encode()) % 64] += 1.0
    return vector


TEXTS = [Passage(str(i), "", text) for i, text in enumerate(["deep harbour", "high tower", "sea"])]


async def embeddings(request: web.Request) -> web.Response:
    body = await request.json()
    assert request.path.endswith("/embeddings")
    assert body["model"] == "tiny"
    rows = [{"index": i, "embedding": hashed(text)} for i, text in enumerate(body["input"])]
    return web.json_response({"data": rows[::-1]})  # the order is the index's, not the list's


def test_dense_retrieval_ranks_by_cosine_through_an_endpoint() -> None:
    async def ask(url: str) -> None:
        dense = await Dense.build(TEXTS * 50, EndpointEmbedder(url, "tiny"))  # in three batches
        found = await dense.search(["tower", "the sea"], 2)
        assert [row[0].text for row in found] == ["high tower", "sea"]
        assert all(len(row) == 2 for row in found)

    anyio.run(serving, embeddings, ask)


def test_embeddings_that_are_missing_are_the_servers_fault() -> None:
    async def none(request: web.Request) -> web.Response:
        return web.json_response({"data": []})

    async def ask(url: str) -> None:
        with pytest.raises(EngineProtocolError, match="0 vectors for 3 texts"):
            await Dense.build(TEXTS, EndpointEmbedder(url, "tiny"))

    anyio.run(serving, none, ask)


def test_fusion_adds_reciprocal_ranks() -> None:
    a, b, c = TEXTS
    fused = Hybrid((), k=60).fuse([[a, b, c], [c, b]])
    # a: 1/61 = .01639; b: 1/62 + 1/62 = .03226; c: 1/63 + 1/61 = .03227
    assert [p.id for p in fused] == ["2", "1", "0"]


def test_a_hybrid_asks_both_kinds() -> None:
    async def ask(url: str) -> None:
        dense = await Dense.build(TEXTS, EndpointEmbedder(url, "tiny"))
        found = await Hybrid((Bm25.build(TEXTS), dense)).search(["harbour"], 1)
        assert [p.text for p in found[0]] == ["deep harbour"]

    anyio.run(serving, embeddings, ask)


def test_a_hybrid_fails_as_its_part_does() -> None:
    broken = HttpRetriever("http://127.0.0.1:9/x")
    with pytest.raises(EngineUnavailable):
        anyio.run(Hybrid((Bm25.build(TEXTS), broken)).search, ["a"], 1)


def test_the_embeddings_of_a_corpus_are_kept_beside_its_index(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("A deep harbour.")
    asked: list[int] = []

    async def counted(request: web.Request) -> web.Response:
        asked.append(len((await request.json())["input"]))
        return await embeddings(request)

    async def ask(url: str) -> None:
        cache = tmp_path / "cache"
        corpus = open_corpus(tmp_path / "corpus", cache)
        for _ in range(2):
            hybrid = await open_hybrid(corpus, EndpointEmbedder(url, "tiny"), cache)
            assert (await hybrid.search(["deep water"], 1))[0][0].text == "A deep harbour."
        [kept] = (cache / corpus.digest).glob("vectors-*.npy")
        kept.write_bytes(b"broken")
        await open_hybrid(corpus, EndpointEmbedder(url, "tiny"), cache)

    anyio.run(serving, counted, ask)
    assert len(asked) == 4  # the corpus, two queries, and the corpus again


def test_an_embedder_is_written_as_a_model_at_an_address() -> None:
    embedder = parse_embedder("org/tiny@http://127.0.0.1:9/v1")
    assert (embedder.model, embedder.url) == ("org/tiny", "http://127.0.0.1:9/v1")
    for wrong in ("tiny", "@http://x", "tiny@ftp://x"):
        with pytest.raises(InputError, match="MODEL@http://HOST/v1"):
            parse_embedder(wrong)


def test_a_key_is_sent_and_shown_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSPAN_API_KEY", "sk-of-the-run")
    monkeypatch.setenv("WORKSPAN_API_KEY_EMBEDDER", "sk-very-secret")

    async def refusing(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer sk-very-secret"
        return web.Response(text="the key sk-very-secret is wrong", status=401)

    async def ask(url: str) -> None:
        with pytest.raises(EngineRejected, match=r"the key \*\*\* is wrong"):
            await EndpointEmbedder(url, "tiny").embed(["x"])

    anyio.run(serving, refusing, ask)


def test_neither_a_proxy_nor_a_netrc_of_the_environment_sees_a_plain_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password for-another-service\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nothing listens there
    heads: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        heads.append(request.headers.get("Authorization"))
        return web.json_response([["one"]])

    async def ask(url: str) -> None:
        assert await HttpRetriever(url, 60.0).search(("a",), 1)

    anyio.run(serving, handler, ask)
    assert heads == [None]

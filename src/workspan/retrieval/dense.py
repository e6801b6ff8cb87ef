"""Dense retrieval by embeddings from an endpoint, and its fusion with other rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import msgspec
from anyio import to_thread

from workspan.boundary.address import checked_url
from workspan.errors import EngineProtocolError, MissingDependency, ungrouped
from workspan.legible import counted
from workspan.retrieval.base import Passage, Retriever
from workspan.retrieval.post import bearer, post

_BATCH = 64
"""Texts of one request."""

_CHARACTERS = 8_000
"""Of a text that are embedded at most: models of embeddings read some hundred tokens."""

RRF_K = 60
"""Cormack, Clarke and Büttcher 2009 ("Reciprocal rank fusion…", SIGIR): their k."""


class _Embedding(msgspec.Struct):
    embedding: list[float]
    index: int


class _Embeddings(msgspec.Struct):
    data: list[_Embedding]


@dataclass(frozen=True)
class EndpointEmbedder:
    """Embeds texts by ``POST url/embeddings`` of the OpenAI form."""

    url: str
    """Ends in /v1."""
    model: str
    timeout_seconds: float = 60.0
    """Of a batch."""
    key_variables: tuple[str, ...] = ("WORKSPAN_API_KEY_EMBEDDER",)
    """The environment variables that may hold a key, the first that does counts: not those of the
    run's own engine, whose key is for no other server."""

    def __post_init__(self) -> None:
        """Refuse what is no address.

        Raises:
            InputError: see `checked_url`.
        """
        checked_url(self.url)

    async def embed(self, texts: Sequence[str]) -> Any:
        """Return unit vectors: float32 [texts, dimensions].

        Raises:
            EngineError: as `post`; EngineProtocolError for vectors that are missing or unequal.
            MissingDependency: numpy is not installed.
        """
        vectors: list[list[float]] = []
        for i in range(0, len(texts), _BATCH):
            vectors += await self._batch([text[:_CHARACTERS] for text in texts[i : i + _BATCH]])
        if len({len(vector) for vector in vectors}) > 1:
            raise EngineProtocolError(f"{self.url} answered vectors of different lengths")
        return _unit(vectors)

    async def _batch(self, texts: list[str]) -> list[list[float]]:
        url = f"{self.url.rstrip('/')}/embeddings"
        body = {"model": self.model, "input": texts, "encoding_format": "float"}
        headers = bearer(self.key_variables)
        answer = await post(url, body, seconds=self.timeout_seconds, headers=headers)
        try:
            data = msgspec.convert(answer, _Embeddings).data
        except msgspec.ValidationError as error:
            raise EngineProtocolError(f"{url} did not answer with embeddings: {error}") from None
        if sorted(item.index for item in data) != list(range(len(texts))):
            said = f"{counted(len(data), 'vector')} for {counted(len(texts), 'text')}"
            raise EngineProtocolError(f"{url} answered {said}")
        return [item.embedding for item in sorted(data, key=lambda item: item.index)]


@dataclass(frozen=True, eq=False)
class Dense:
    """Ranks by the cosine of query and passage; looks at every passage."""

    passages: Sequence[Passage]
    vectors: Any
    """float32 [passages, dimensions], rows of length 1."""
    embedder: EndpointEmbedder

    @classmethod
    async def build(cls, passages: Sequence[Passage], embedder: EndpointEmbedder) -> Dense:
        """Embed all passages; raises as `EndpointEmbedder.embed`."""
        texts = [f"{passage.title}\n{passage.text}" for passage in passages]
        return cls(tuple(passages), await embedder.embed(texts), embedder)

    async def search(self, queries: Sequence[str], top: int) -> list[list[Passage]]:
        """Rank for each query; equal ones stay in the corpus's order."""
        asked = await self.embedder.embed(queries)
        if asked.shape[1] != self.vectors.shape[1]:
            raise EngineProtocolError(f"{self.embedder.url} changed the length of its vectors")
        scores = await to_thread.run_sync(lambda: asked @ self.vectors.T)  # [queries, passages]
        orders = (-scores).argsort(axis=1, kind="stable")[:, :top]
        return [[self.passages[i] for i in order] for order in orders]


@dataclass(frozen=True)
class Hybrid:
    """Fuses rankings of one corpus by reciprocal rank.

    A passage's score is the sum of 1 / (k + rank) over the rankings that hold it, ranks from 1
    (Cormack et al. 2009), so that scores of different kinds need no common scale.
    """

    retrievers: tuple[Retriever, ...]
    k: int = RRF_K
    depth: int = 50
    """Passages taken from each ranking."""

    async def search(self, queries: Sequence[str], top: int) -> list[list[Passage]]:
        """Ask all retrievers at once and fuse; the first error of one is raised."""
        rankings: list[list[list[Passage]]] = [[] for _ in self.retrievers]

        async def ask(i: int) -> None:
            rankings[i] = await self.retrievers[i].search(queries, max(top, self.depth))

        try:
            async with anyio.create_task_group() as group:
                for i in range(len(self.retrievers)):
                    group.start_soon(ask, i)
        except BaseExceptionGroup as errors:
            raise ungrouped(errors) from errors
        return [self.fuse([ranked[i] for ranked in rankings])[:top] for i in range(len(queries))]

    def fuse(self, rankings: Sequence[Sequence[Passage]]) -> list[Passage]:
        """Return every passage once, best first; of equals the one first seen."""
        scores: dict[str, float] = {}
        by_id: dict[str, Passage] = {}
        for ranking in rankings:
            for rank, passage in enumerate(ranking, 1):
                by_id.setdefault(passage.id, passage)
                scores[passage.id] = scores.get(passage.id, 0.0) + 1 / (self.k + rank)
        return [by_id[name] for name in sorted(scores, key=lambda name: -scores[name])]


def _unit(vectors: list[list[float]]) -> Any:
    try:
        import numpy as np
    except ImportError:
        raise MissingDependency("dense retrieval", "retrieval") from None
    found = np.array(vectors, dtype=np.float32)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return found / np.maximum(lengths, 1e-12)

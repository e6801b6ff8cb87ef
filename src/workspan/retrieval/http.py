"""A retriever behind HTTP, in the form of Search-R1's and RAG-R1's servers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workspan.boundary.address import checked_url
from workspan.errors import EngineProtocolError, at_least
from workspan.legible import counted
from workspan.retrieval.base import Passage
from workspan.retrieval.post import post


@dataclass(frozen=True)
class HttpRetriever:
    """Ask ``POST url {"queries": [...], "topk": n}``, all queries of a round at once.

    The answer is a list with one list of passages for each query, bare or as the field ``result``
    (``results``, ``documents``, ``passages``). A passage is its text, or an object with ``text``
    or ``contents`` and maybe ``title``, ``id``, ``source`` or ``url``; one inside a field
    ``document`` is taken out. A title may also be the first line of ``contents``, in quotes.
    """

    url: str
    timeout_seconds: float = 30.0
    """Of one round."""

    def __post_init__(self) -> None:
        """Refuse what is no address, and values out of range.

        Raises:
            InputError: see `checked_url`.
        """
        checked_url(self.url)
        at_least(0.001, timeout_seconds=self.timeout_seconds)

    async def search(self, queries: Sequence[str], top: int) -> list[list[Passage]]:
        """Ask once; raises as `post`, and EngineProtocolError for an answer of another form."""
        body = {"queries": list(queries), "topk": top}
        answer = await post(self.url, body, seconds=self.timeout_seconds)
        rows = answer
        if isinstance(answer, dict):
            names = ("result", "results", "documents", "passages")
            rows = next((answer[name] for name in names if name in answer), None)
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise EngineProtocolError(f"{self.url} did not answer with lists of passages")
        if len(rows) != len(queries):
            said = (
                f"{counted(len(rows), 'list')} of passages for {counted(len(queries), 'question')}"
            )
            raise EngineProtocolError(f"{self.url} answered {said}")
        return [[self._passage(item) for item in row[:top]] for row in rows]

    def _passage(self, item: Any) -> Passage:
        inner = item.get("document", item) if isinstance(item, dict) else item
        row = {"text": inner} if isinstance(inner, str) else inner
        text = row.get("text", row.get("contents")) if isinstance(row, dict) else None
        if not isinstance(text, str):
            raise EngineProtocolError(f"{self.url} answered a passage without a text")
        title, first = row.get("title"), text.partition("\n")
        if not isinstance(title, str):
            is_titled = bool(first[1]) and first[0].startswith('"')
            title, text = (first[0].strip('" '), first[2]) if is_titled else ("", text)
        source = str(row.get("source") or row.get("url") or "")
        return Passage(str(row.get("id") or _name(title, text)), title, text, source)


def _name(title: str, text: str) -> str:
    """Tell passages without an id apart by what they say."""
    return title or hashlib.blake2b(text.encode(), digest_size=6).hexdigest()

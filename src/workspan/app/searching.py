"""What strategies that search are given to search in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workspan.errors import InputError

if TYPE_CHECKING:
    from workspan.batch.trials import Tool
    from workspan.retrieval import Passage


@dataclass(frozen=True, slots=True)
class Corpus:
    """An open corpus, or none."""

    identity: str = ""
    """Hash of its content, or the address of its retriever: a kept run belongs to it."""
    tools: dict[str, Tool] = field(default_factory=dict)


async def open_search(
    corpus: str | None, embedder: str | None = None, brought: Sequence[Passage] = ()
) -> Corpus:
    """Open what the user named; index a folder if it is new or has changed.

    Without a name, the passages that the tasks bring with them are searched, if there are any.

    Raises:
        InputError: an embedder without a folder, or one that is not understood.
        DataError: a file can't be read, or holds what is no passage.
        EngineError: the embedder failed.
        MissingDependency: an extra is not installed.
    """
    if embedder and (corpus is None or "://" in corpus):
        raise InputError("--embedder needs a folder to embed: --corpus FOLDER")
    if corpus is None and not brought:
        return Corpus()
    from workspan.retrieval import search_tool

    if corpus is None:
        from workspan.retrieval.bm25 import Bm25

        return Corpus("brought by the tasks", {"search": search_tool(Bm25.build(brought))})
    if corpus.startswith(("http://", "https://")):
        from workspan.retrieval.http import HttpRetriever

        return Corpus(corpus, {"search": search_tool(HttpRetriever(corpus))})
    from workspan.retrieval.index import open_corpus

    opened = open_corpus(corpus)
    if embedder is None:
        return Corpus(opened.digest, {"search": search_tool(opened)})
    from workspan.retrieval.vectors import open_hybrid, parse_embedder

    hybrid = await open_hybrid(opened, parse_embedder(embedder))
    return Corpus(f"{opened.digest} {embedder}", {"search": search_tool(hybrid)})

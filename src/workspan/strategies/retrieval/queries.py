"""The queries of a search block: which are asked now, and which wait for an answer."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from workspan.data.types import Problem

_BULLET = re.compile(r"\s{0,8}(?:[-*•]|\d{1,2}[.)])\s")
_WAITS = re.compile(r"#\d")
_LONGEST = 300
_MOST = 16
_QUESTION = 1_000
"""Characters."""


class Queries(NamedTuple):
    """What one turn wants to know."""

    ready: tuple[str, ...]
    kept_back: tuple[str, ...]
    """They stand on the answer of another query, which they call ``#1``."""


def plan(block: str, mode: str, k: int) -> Queries:
    """Choose what is asked now: one query, up to k, or up to k of those that wait for no other."""
    queries = read_queries(block)
    waiting = [q for q in queries if mode == "dependency" and _WAITS.search(q)]
    ready = [query for query in queries if query not in waiting]
    return Queries(tuple(ready[: 1 if mode == "sequential" else k]), tuple(waiting))


def instead(problem: Problem, wrong: Queries) -> Queries:
    """Ask the question itself, for a model that asked nothing."""
    return Queries((problem.prompt[-1].text[:_QUESTION],), wrong.kept_back)


def read_queries(block: str) -> tuple[str, ...]:
    """Return the queries of a search block: a JSON list of texts, or one on each line.

    Commas never split a query (RAG-R1's code splits at them and breaks "Paris, Texas"). Bullets,
    quotes, empty and repeated ones are dropped.
    """
    lines: list[str] = block.splitlines()
    try:
        decoded = msgspec.json.decode(block, type=str | list[str])
        lines = [decoded] if isinstance(decoded, str) else decoded
    except (msgspec.MsgspecError, RecursionError):
        lines = [_BULLET.sub("", line, count=1) for line in lines]
    found: dict[str, str] = {}
    for line in lines[: 4 * _MOST]:
        query = " ".join(line.split()).strip("\"'“”,; ")[:_LONGEST]
        if query:
            found.setdefault(query.casefold(), query)
    return (*found.values(),)[:_MOST]

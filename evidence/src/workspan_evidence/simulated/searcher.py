"""A simulated searcher: a scripted policy, no model, that answers `workspan.tasks.hops`.

It reads nothing but its prompt: the question, and the facts in the passages that it was shown. So
what it costs to be right depends on the mode alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from workspan.core.engine import EngineInfo
from workspan.data.types import Request
from workspan.testing.scripted import Script, ScriptedEngine

_STARTS = re.compile(r"Begin with (?:each of )?([A-Z][\w, ]*):")
_STEP = re.compile(r"(\w+) of that person")
_FACT = re.compile(r"The (\w+) of (\w+) is (\w+)\.|(\w+) owns (\d+) books\.")
_THOUGHT = "I know what I have read so far and I still miss what the next step needs"


@dataclass
class SimulatedSearcher(ScriptedEngine):
    """Asks for the facts that it misses, as a model in each mode would.

    "sequential" asks for one, way by way. "parallel" always asks k: what it misses on this step of
    every way, and guesses at later steps to fill up. "dependency" asks only what can be asked now.
    """

    script: Script = ()
    mode: Literal["sequential", "parallel", "dependency"] = "sequential"
    k: int = 3

    @property
    def info(self) -> EngineInfo:
        """Say that there is no model."""
        name = f"simulated searcher, {self.mode} (no model)"
        return replace(super().info, name="simulated", model=name)

    def _text(self, request: Request) -> str:
        prompt = [turn.text for turn in request.prompt]
        ways = _ways(prompt)
        queries = [*self._queries(ways)]
        if not queries or "No search is left" in prompt[-1]:
            known = {way.start: way.books for way in ways if way.books is not None}
            best = max(known, key=lambda start: known[start], default="unknown")
            answer = best if len(ways) > 1 else str(known.get(best, "unknown"))
            return f"<think> {_THOUGHT} </think> <answer> {answer} </answer>"
        asked = msgspec.json.encode(queries).decode()
        return f"<think> {_THOUGHT} </think> <search> {asked} </search>"

    def _queries(self, ways: list[_Way]) -> Iterator[str]:
        open_ways = [way for way in ways if way.query]
        if not open_ways:
            return
        step = min(way.step for way in open_ways)
        now = [way for way in open_ways if way.step == step]
        if self.mode == "sequential":
            yield open_ways[0].query
            return
        yield from [way.query for way in now][: self.k]
        if self.mode == "parallel":
            guesses = [guess for way in now for guess in way.guesses]
            yield from guesses[: max(0, self.k - len(now))]


@dataclass(frozen=True, slots=True)
class _Way:
    """How far one way is known."""

    start: str
    step: int
    books: int | None
    query: str
    """For the next fact; empty at the end, or where asking twice did not help."""
    guesses: tuple[str, ...]
    """Queries for later facts, whose person is not known yet."""


def _ways(prompt: list[str]) -> list[_Way]:
    question = next(text for text in prompt if _STARTS.search(text))
    found = _STARTS.search(question)
    starts = re.findall(r"\b[A-Z]\w+", found[1]) if found else []
    relations = _STEP.findall(question)
    read = "\n".join(text for text in prompt if "<information>\n" in text)
    facts: dict[tuple[str, str], str] = {}
    for relation, name, other, owner, books in _FACT.findall(read):
        facts[(relation, name) if relation else ("books", owner)] = other or books
    asked = set(re.findall(r"^Query: (.+)$", read, re.MULTILINE))
    return [_way(start, [*relations, "books"], facts, asked) for start in starts]


def _way(start: str, steps: list[str], facts: dict[tuple[str, str], str], asked: set[str]) -> _Way:
    person = start
    for i, step in enumerate(steps):
        fact = facts.get((step, person))
        if fact is None:
            forms = (f"{step} of {person}", person)
            query = next((form for form in forms if form not in asked), "")
            later = [f"{' of the '.join(steps[i + 1 : j + 1][::-1])} of the {step} of {person}"
                     for j in range(i + 1, len(steps))]  # fmt: skip
            return _Way(start, i, None, query, tuple(later))
        person = fact
    return _Way(start, len(steps), int(person), "", ())

"""The append-only record of a run: what happened, in order, and all that a resumed run needs.

A call's key is its place in the program (``/2.0/1``), not a time, so that a re-run finds it again.
Each call is written ahead with the most that it may cost ("open") and again when it has ended, so
that a killed process loses neither a finished sample nor the account of an unfinished one. A key
whose call came to nothing ("open", "cut", "lost") is asked again under the key with a ``+``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from operator import attrgetter

import msgspec

from workspan.data.content import NO_FIELDS, JsonObject, ToolCall
from workspan.data.entry import End, Entry
from workspan.data.types import Amount, Message, Problem, Prompt, Request, Usage
from workspan.errors import ReplayMismatch

_AGAIN = frozenset({"open", "cut", "lost", "retry"})


class Journal:
    """The record of one run, in memory; `sink` writes each entry on."""

    def __init__(
        self, entries: Iterable[Entry] = (), sink: Callable[[Entry], None] | None = None
    ) -> None:
        self.entries: list[Entry] = []
        self._latest: dict[str, tuple[int, Entry]] = {}
        for entry in entries:
            self._add(entry)
        self.is_durable = sink is not None
        self._sink = sink

    def append(self, entry: Entry) -> None:
        """Write `entry`, on disk first.

        Raises:
            JournalError: the disk refused it.
            ReplayMismatch: the key has ended already.
        """
        if self._sink is not None:
            self._sink(entry)
        self._add(entry)

    def attempts(self, key: str, fingerprint: str) -> list[tuple[int, Entry]]:
        """Return (position, entry) of one call, oldest first: those to ask again, then the last.

        Raises:
            ReplayMismatch: the recorded call asked for something else.
        """
        found = []
        while (held := self._latest.get(key)) is not None:
            entry = held[1]
            if entry.fingerprint and entry.fingerprint != fingerprint:
                raise ReplayMismatch(
                    f"call {key} of the journal is not the call that the program makes now: "
                    "was the strategy, the problem or the version changed?"
                )
            found.append(held)
            if entry.outcome not in _AGAIN:
                break
            key += "+"
        return found

    def usage(self, prefix: str = "") -> Usage:
        """Add up what the calls at and under `prefix` cost."""
        total = Usage()
        inside = (prefix + "/", prefix + ".", prefix + "+")
        for key, (_, entry) in self._latest.items():
            if not prefix or key == prefix or key.startswith(inside):
                total += entry.usage
        return total

    def calls(self) -> list[Entry]:
        """Return what is known last of each call that cost something."""
        return [entry for _, entry in self._latest.values() if entry.usage.calls]

    @property
    def seconds(self) -> float:
        """Wall clock of the run so far."""
        return max((entry.ended for entry in self.entries), default=0.0)

    def end(self, budget: str) -> Entry | None:
        """Return the line that ended the run under this very budget: then nothing is asked."""
        ends = (entry for entry in self.entries if entry.end is not None)
        return next((entry for entry in ends if entry.end and entry.end.budget == budget), None)

    @property
    def cut_by(self) -> str:
        """The limit that had cut one of its samples; "" where none had."""
        cut = (entry.refused for entry in self.entries if entry.outcome == "sample")
        return next(filter(None, cut), "")

    def finish(self, end: End, seconds: float) -> None:
        """Write down that the run has ended.

        Raises:
            JournalError: the disk refused it.
        """
        self.append(Entry(f"end {len(self.entries)}", "end", end=end, ended=seconds))

    def _add(self, entry: Entry) -> None:
        before = self._latest.get(entry.key)
        if before is None or entry.outcome == "end" or before[1].outcome == "open":
            kept = entry
        elif before[1].outcome == "failed" and entry.outcome == "retry":
            kept = msgspec.structs.replace(before[1], outcome="retry")
        else:
            raise ReplayMismatch(f"call {entry.key} ended twice in the journal")
        self._latest[entry.key] = (len(self.entries), kept)
        self.entries.append(entry)


_FIELDS = (
    "prefix",
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "logprobs",
    "top_logprobs",
    "engine",
    "reasoning_effort",
)
"""Of a request beside its prompt: always hashed, in this order; the others only where they are set,
so that a new field leaves the hashes of requests without it as they are."""
_OTHERS = {f.name: f.default for f in fields(Request) if f.name not in {"prompt", "seed", *_FIELDS}}
_own, _others = attrgetter(*_FIELDS), attrgetter(*_OTHERS)
_UNSET = (*_OTHERS.values(),)
_beside = attrgetter("name", "tool_calls", "tool_call_id", "reasoning", "refusal", "extra")
_NOTHING = ("", (), "", "", None, NO_FIELDS)


class _Turn(msgspec.Struct, omit_defaults=True):
    """A message as it is hashed: what it does not use leaves no trace."""

    role: str
    content: object
    name: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    reasoning: str = ""
    refusal: str | None = None
    extra: JsonObject = NO_FIELDS


def _turns(prompt: Prompt) -> list[_Turn]:
    return [_turn(message) for message in prompt]


def _turn(message: Message) -> _Turn:
    content: object = message.content
    if isinstance(content, tuple):
        content = [(type(part).__name__, part) for part in content]
    beside = _beside(message)
    return _Turn(message.role, content, *(() if beside == _NOTHING else beside))


def fingerprint(request: Request, seed: int) -> str:
    """Hash what a request asks for, stable between processes and versions of Python."""
    content = [seed, _turns(request.prompt), *_own(request)]
    others = _others(request)
    if others != _UNSET:
        told = zip(_OTHERS, others, _UNSET, strict=True)
        content.append({name: value for name, value, unset in told if value != unset})
    return hashlib.blake2b(msgspec.json.encode(content), digest_size=8).hexdigest()


def digest(problem: Problem) -> str:
    """Hash all that a strategy may see of a problem, stable between processes."""
    content = [problem.id, _turns(problem.prompt), problem.kind, _facts(problem)]
    listed = (problem.choices, problem.tests)
    if any("\n" in text for texts in listed for text in texts):  # joined, others read the same
        content.append(listed)
    if problem.request is not None:
        content.append(fingerprint(replace(problem.request, prompt=()), 0))
    encoded = msgspec.json.encode(content, order="deterministic")
    return hashlib.blake2b(encoded, digest_size=6).hexdigest()


def _facts(problem: Problem) -> dict[str, str]:
    """Return what stands beside the prompt as it was once written: seeds hang on that."""
    told = dict(problem.metadata)
    if problem.choices:
        told["choices"] = "\n".join(problem.choices)
    if problem.tests:
        told["tests"] = "\n".join(problem.tests)
    if problem.plan:
        told["plan"] = json.dumps(problem.plan.value)
    return told


def seed_for(root: int, key: str) -> int:
    """Derive the seed of the call at `key`, in [0, 2**31): independent of scheduling."""
    digest = hashlib.blake2b(f"{root}:{key}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def bound_usage(bound: Amount) -> Usage:
    """State what an open call may cost at most: what it is charged if nothing more is heard."""
    return Usage(
        bound.calls, bound.prefill, output_tokens=bound.work, cost=bound.cost, source="estimated"
    )

"""What the simulated server answers with: scripted text, cut into chunks, in the form of the wire.

Requests and answers are those of OpenAI's chat and text completions; whatever servers add to them
(reasoning, cached tokens, a cap under another name) is here, too.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import msgspec

Fault: TypeAlias = Literal[
    "unauthorized",  # 401
    "unknown_model",  # 404
    "context",  # 400, the prompt is too long
    "rate_limited",  # 429 with Retry-After
    "overloaded",  # 503
    "echoes_key",  # 400 whose text repeats the Authorization header
    "redirects",  # 307 to another host
    "html",  # 200 with a web page
    "malformed",  # a data line that is not JSON
    "stream_error",  # an error event in mid-answer
    "dies",  # the connection breaks in mid-answer
    "no_finish",  # the stream ends cleanly but too early
    "filtered",  # finish_reason content_filter
    "hangs",  # no byte at all
    "stalls",  # no byte after the first half of the answer
    "refuses_stream_options",
    "refuses_max_tokens",  # wants max_completion_tokens
    "refuses_top_logprobs",
]
"""What can go wrong."""

UsageReport: TypeAlias = Literal["full", "one_choice", "none"]
"""full: all choices added up; one_choice: of the first choice only, as llama.cpp does."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the server answers with, and how it misbehaves."""

    text: str = "The answer is 4."
    """Split at white space into its tokens; choice i > 0 of a request starts with its number."""
    reasoning: str = ""
    """Sent before the text as `reasoning_content`."""
    tokens_per_chunk: int = 1
    is_numbered: bool = False
    """Each answer ends with the number of its call, so that no two are the same."""
    is_seeded: bool = False
    """The text comes 1 to 8 times, then a number: both drawn from the request's prompt and seed."""
    is_by_effort: bool = False
    """Sums are done as by a model whose effort decides how often it is right, and for how long it
    thinks: see `summed`. Simulated: no model stands behind it."""
    latency_seconds: float = 0.0
    """Before the first byte of an answer."""
    delay_seconds: float = 0.0
    """Before each chunk; without one, a whole answer is written at once."""
    usage: UsageReport = "full"
    honours_n: bool = True
    honours_logprobs: bool = True
    counts_tokens: bool = False
    """Offer vLLM's `/tokenize`."""
    cached_tokens: int = 0
    fault: Fault | None = None
    fault_times: int | None = None
    """So many requests are hit; None is all."""
    retry_after: str = "0"


class Call(msgspec.Struct):
    """The part of a request that the server looks at."""

    model: str = ""
    messages: list[dict[str, Any]] = msgspec.field(default_factory=list)
    prompt: str = ""
    n: int = 1
    seed: int | None = None
    stream: bool = False
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    logprobs: bool | int | None = None
    top_logprobs: int | None = None
    stream_options: dict[str, Any] | None = None
    reasoning_effort: str | None = None

    @property
    def cap(self) -> int:
        """The most tokens of one choice."""
        return self.max_tokens or self.max_completion_tokens or 1_000_000

    @property
    def prompt_tokens(self) -> int:
        """Words, and one a message for its frame."""
        contents = [str(message.get("content", "")) for message in self.messages] or [self.prompt]
        return sum(len(content.split()) + 1 for content in contents)


class Piece(msgspec.Struct):
    """Tokens of one chunk."""

    tokens: list[str]
    is_reasoning: bool
    finish: str | None = None


_WORD = re.compile(r"\s*\S+")
"""A token."""


def drawn(call: Call, text: str) -> str:
    """Answer at random, and equal requests alike."""
    rng = random.Random(f"{call.seed} {call.messages} {call.prompt}")
    return f"{(text + ' ') * rng.randint(1, 8)}Answer: {rng.randint(0, 3)}"


_SUM = re.compile(r"(\d+) \+ (\d+)")
_SKILLS = {"low": (0.6, 4), "medium": (0.85, 12), "high": (0.95, 40)}
"""By effort: the chance of a right answer, and words of thinking; without one as at medium."""


def summed(call: Call) -> tuple[str, str]:
    """Think about a sum and answer it, equal requests alike: right more often at a higher effort.

    Sums whose first number ends in 9 are hard: half as often right, and twice as long to think of.
    """
    asked = " ".join(str(message.get("content", "")) for message in call.messages) or call.prompt
    found = _SUM.search(asked)
    a, b = map(int, found.groups()) if found else (0, 0)
    rng = random.Random(f"{call.seed} {asked} {call.reasoning_effort}")
    chance, words = _SKILLS.get(call.reasoning_effort or "medium", _SKILLS["medium"])
    is_hard = a % 10 == 9
    is_right = rng.random() < (chance / 2 if is_hard else chance)
    thoughts = "hm " * (words * (2 if is_hard else 1) + rng.randint(0, 3))
    return thoughts, f"Answer: {a + b + (0 if is_right else rng.choice((-1, 1, 10)))}"


def cut(call: Call, behaviour: Behaviour, index: int) -> Iterator[Piece]:
    """Cut one choice's answer into chunks, and at the cap; the last one carries the reason."""
    text = f"{index} {behaviour.text}" if index else behaviour.text
    tokens = [(word, True) for word in _WORD.findall(behaviour.reasoning)]
    tokens += [(word, False) for word in _WORD.findall(text)]
    reason = "stop" if len(tokens) <= call.cap else "length"
    if behaviour.fault == "filtered":
        reason = "content_filter"
    tokens = tokens[: call.cap]
    while tokens:
        kind = tokens[0][1]
        size = next((i for i, (_, other) in enumerate(tokens) if other != kind), len(tokens))
        size = min(size, behaviour.tokens_per_chunk)
        piece, tokens = tokens[:size], tokens[size:]
        yield Piece([word for word, _ in piece], kind)
    yield Piece([], is_reasoning=False, finish=reason)


def round_robin(plan: list[list[Piece]]) -> Iterator[tuple[int, Piece]]:
    """Yield the choices' chunks in turn, each with the number of its choice."""
    for step in range(max(map(len, plan))):
        for index, pieces in enumerate(plan):
            if step < len(pieces):
                yield index, pieces[step]


def event_of(call: Call, piece: Piece, index: int, *, chat: bool) -> bytes:
    """Write one chunk as a server-sent event."""
    text = "".join(piece.tokens)
    choice: dict[str, Any] = {"index": index, "finish_reason": piece.finish}
    if not chat:
        choice["text"] = text
        if call.logprobs:
            named = {str(i): value for i, value in enumerate(_alternatives(int(call.logprobs)))}
            choice["logprobs"] = {
                "token_logprobs": [-0.5] * len(piece.tokens),
                "top_logprobs": [named] * len(piece.tokens),
            }
    else:
        choice["delta"] = {"reasoning_content" if piece.is_reasoning else "content": text}
        if call.logprobs:
            others = [{"logprob": value} for value in _alternatives(call.top_logprobs or 0)]
            told = {"logprob": -0.5, "top_logprobs": others}
            entries = [{"token": token, **told} for token in piece.tokens]
            choice["logprobs"] = {"content": entries}
    return event_line({"id": "simulated", "model": call.model, "choices": [choice]})


def _alternatives(count: int) -> list[float]:
    """Log-probabilities of the most likely tokens at any place: a confidence of count / 2."""
    return [-0.5 - i for i in range(count)]


def usage_of(call: Call, behaviour: Behaviour, counts: list[int]) -> dict[str, Any]:
    """Report the tokens of all choices, or of the first alone, as the behaviour has it."""
    completion = sum(counts) if behaviour.usage == "full" else counts[0]
    thought = min(len(_WORD.findall(behaviour.reasoning)), call.cap)
    return {
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": call.prompt_tokens + completion,
        "prompt_tokens_details": {"cached_tokens": behaviour.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }


def event_line(event: object) -> bytes:
    """Write anything as a server-sent event."""
    return b"data: " + msgspec.json.encode(event) + b"\n\n"

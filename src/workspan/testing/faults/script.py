"""How one request is answered: steps in order, which faults rewrite."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from workspan.testing.faults.asked import Asked

Words: TypeAlias = Literal["short", "long", "cjk", "digits", "emoji"]
"""What a token looks like; an emoji takes three tokens and is sent when it is whole."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What differs between servers that do nothing wrong."""

    per_piece: int = 1
    """Tokens that are gathered into one event."""
    words: Words = "short"
    decodes_end: bool = False
    """The model's end token is decoded and counted, and not sent."""
    thinking: int = 0
    """Tokens of thinking before the answer, sent as `reasoning_content`."""
    cached: float = 0.0
    """Share of each prompt that a cache serves."""
    counts_prompts: bool = False
    """It has vLLM's door for counting a prompt's tokens."""
    reports: Literal["last", "always", "never"] = "last"
    """Usage at the end if asked for, in every event, or not at all."""
    overshoot: int = 0
    """Tokens decoded, at most, after it has noticed that the client is gone."""
    length: tuple[int, int] = (2, 40)
    """Tokens that the model wants to write."""
    seconds: float = 0.0
    """After each piece; without, only some turns of the event loop pass."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens are decoded and sent as one event; without text nothing is sent."""

    text: str
    tokens: int
    choice: int = 0
    field: str = "content"
    told: int | None = None
    """Log-probabilities beside it, where asked for; one a token if None."""
    as_parts: bool = False
    """The text comes as a list of typed parts."""
    noise: tuple[tuple[str, Any], ...] = ()
    """Further fields of the event."""


@dataclass(frozen=True, slots=True)
class Ends:
    """A choice is over."""

    reason: str
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Reports:
    """The usage so far is sent, as `change` has it."""

    change: Callable[[dict[str, Any]], Any] = lambda true: true
    place: Literal["event", "choice", "message"] = "event"
    """An event of its own, or inside the one choice of an event, or beside such a choice."""
    choice: int | None = None
    """Only of this choice."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes are sent as they are."""

    data: bytes
    is_error: bool = False
    is_refusal: bool = False
    """An error by whose code the request was refused."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Nothing more is sent until the client hangs up."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """The same bytes come again and again until the client hangs up."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Drops:
    """The connection is reset."""


@dataclass(frozen=True, slots=True)
class Stops:
    """The connection is closed without the end of the body."""


Step: TypeAlias = Piece | Ends | Reports | Raw | Waits | Repeats | Drops | Stops

DONE = Raw(b"data: [DONE]\n\n")


@dataclass(slots=True)
class Script:
    """The whole answer to one request."""

    asked: Asked
    steps: list[Step] = field(default_factory=list)
    status: int = 200
    said: bytes = b""
    """The body of a reply that is no completion."""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = ""
    is_whole: bool = False
    """One JSON reply."""
    is_gzipped: bool = False
    bytes_at_a_time: int | None = None
    line_end: bytes = b"\n"
    ends_connection: bool = False
    """Closed after the reply, unannounced."""
    drops_unread: bool = False
    """Reset before anything is sent."""
    drops_after_headers: bool = False
    breaks_body: float | None = None
    """A whole reply is reset after this share of its bytes."""
    overshoot: int = 0

    def pieces(self) -> list[int]:
        """Return where the pieces are."""
        return [at for at, step in enumerate(self.steps) if isinstance(step, Piece)]

    def place(self, rng: random.Random) -> int:
        """Choose a place among the pieces, the first and the end included."""
        pieces = self.pieces()
        return rng.choice([*pieces, pieces[-1] + 1]) if pieces else 0

    def cut(self, at: int, *instead: Step) -> None:
        """Let something else happen from step `at` on."""
        self.steps[at:] = instead

    def each(self, kind: type, change: Callable[[Any], Step | list[Step]]) -> None:
        """Rewrite every step of a kind."""
        rewritten: list[Step] = []
        for step in self.steps:
            new = change(step) if isinstance(step, kind) else step
            rewritten += new if isinstance(new, list) else [new]
        self.steps = rewritten

    def report(self, change: Callable[[dict[str, Any]], Any], **more: Any) -> None:
        """Send another usage than the true one; add a report where the server sends none."""
        if not any(isinstance(step, Reports) for step in self.steps):
            place = next((i for i, s in enumerate(self.steps) if s is DONE), len(self.steps))
            self.steps.insert(place, Reports())
        self.each(Reports, lambda step: replace(step, change=change, **more))


def script_of(
    asked: Asked, habits: Habits, rng: random.Random, *, ignores_cap: bool = False
) -> Script:
    """Write what a server without faults does."""
    script = Script(asked, is_whole=not asked.is_streamed, overshoot=habits.overshoot)
    plans = [
        list(_choice(asked, habits, rng, choice, ignores_cap=ignores_cap))
        for choice in range(asked.choices)
    ]
    reports = habits.reports == "always"
    for turn in range(max(map(len, plans))):
        for plan in plans:
            if turn < len(plan):
                script.steps.append(plan[turn])
                if reports and isinstance(plan[turn], Piece):
                    script.steps.append(Reports(place="message"))
    if habits.reports != "never" and asked.wants_usage:
        script.steps.append(Reports())
    script.steps.append(DONE)
    return script


def _choice(
    asked: Asked, habits: Habits, rng: random.Random, choice: int, *, ignores_cap: bool
) -> Iterator[Step]:
    wanted = rng.randint(*habits.length)
    if ignores_cap:
        wanted = asked.cap + rng.randint(1, 200)
    tokens = [("reasoning_content", _word(habits.words, rng)) for _ in range(habits.thinking)]
    tokens += [("content", _word(habits.words, rng)) for _ in range(wanted)]
    tokens += [("content", (text, 1)) for text in answer(asked, rng)]
    size = sum(count for _, (_, count) in tokens)
    end = 1 if habits.decodes_end else 0
    is_cut = not ignores_cap and size + end > asked.cap
    room = asked.cap if is_cut else size
    while tokens and room > 0:
        name = tokens[0][0]
        text, count = "", 0
        while tokens and tokens[0][0] == name and count < habits.per_piece and room > 0:
            word, cost = tokens.pop(0)[1]
            if cost > room:  # cut inside a character: decoded, and nothing to show for it
                tokens.clear()
                word, cost = "", room
            text, count, room = text + word, count + cost, room - cost
        yield Piece(text, count, choice, name)
    if is_cut:
        yield Ends("length", choice)
        return
    if end:
        yield Piece("", 1, choice, "end")
    yield Ends("stop", choice)


def _word(words: Words, rng: random.Random) -> tuple[str, int]:
    """Draw one word and the tokens it takes."""
    if words == "cjk":
        return rng.choice("想答案数学加上等于"), 1
    if words == "digits":
        return rng.choice("0123456789"), 1
    if words == "emoji":
        return rng.choice("🙂🤔🧮🎲"), 3
    if words == "long":
        return " " + rng.choice(("consequently", "multiplication", "straightforward")), 1
    return rng.choice("abcdefgh") + rng.choice("abcdefgh") + " ", 1


def answer(asked: Asked, rng: random.Random) -> list[str]:
    """Write the tokens that end an answer in the form that the prompt asks for."""
    if any("</search>" in text for text in asked.texts) and rng.random() < 0.5:
        return [" <search>", ' ["one",', ' "two"]', " </search>"]
    if "certainly wrong" in asked.texts[-1]:
        return [" ", str(rng.randint(0, 10))]
    return ["\nAnswer", ":", f" {rng.randint(3, 5)}"]

"""One chain on its way: what it may draw, what it has drawn, and what its reader has had of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from workspan.engines.embedded.text import TextStream
from workspan_evidence.grammar import EOS, decode


@dataclass(slots=True, eq=False)
class Chain:
    """Grows by `add` until it has a `finish`; `take` gives what is new."""

    seed: int
    limit: int
    """Tokens at most."""
    stop: Sequence[str] = ()
    """Strings that end it; they are not part of its text."""
    is_continued: bool = False
    """Its text follows a text, so that a space comes first."""
    tokens: list[int] = field(default_factory=list)
    """All that were drawn, the end mark included."""
    logprobs: list[float] = field(default_factory=list)
    """One for each token, before temperature, where the prefix keeps them."""
    finish: Literal["stop", "length"] | None = None
    _taken: int = 0
    _text: TextStream = field(init=False)
    _ready: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._text = TextStream(self.stop)

    def add(self, token: int) -> bool:
        """Take the next token; say whether it was the last."""
        self.tokens.append(token)
        if self.stop and token != EOS:
            self._write([token])
        if token == EOS or self._text.is_stopped:
            self.finish = "stop"
        elif len(self.tokens) >= self.limit:
            self.finish = "length"
        return self.finish is not None

    def take(self) -> tuple[str, tuple[float, ...]]:
        """Return the text and log-probabilities that came since the last time."""
        begin, self._taken = self._taken, len(self.tokens)
        if not self.stop:
            self._write([token for token in self.tokens[begin:] if token != EOS])
        if self.finish is not None:
            self._ready.append(self._text.finish())
        text = "".join(self._ready)
        self._ready.clear()
        return text, tuple(self.logprobs[begin:])

    def _write(self, tokens: Sequence[int]) -> None:
        if tokens:
            space = " " if self.is_continued else ""
            self.is_continued = True
            self._ready.append(self._text.feed((space + decode(tokens)).encode()))

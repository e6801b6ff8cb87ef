"""Counts what one choice streamed and holds the server's own figure against it."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

from workspan.engines.endpoint.refusals import finish_of
from workspan.engines.endpoint.wire import Choice, Report
from workspan.errors import EngineRejected
from workspan.types import Chunk, FinishReason, Request, Source, Usage

_LONGEST_TOKEN = 24
"""Characters beyond which a chunk surely holds more than one token of ordinary text."""
_TOKEN = 4
"""Characters of an average token, by which such chunks are counted."""
_STRENGTH: tuple[Source, ...] = ("measured", "tokenised", "estimated")


class Meter:
    """The pieces of one choice, turned into chunks and counts.

    A chunk of the stream is at least one token, log-probabilities are one a token. The server's
    figure is believed where it is not below that; where there is none, our count stands, and says
    what it is: tokenised where it rests on log-probabilities, else an estimate.
    """

    def __init__(self, request: Request, prompt_bound: int, runahead: int) -> None:
        self.request = request
        self._runahead = runahead
        self._prompt = prompt_bound
        self._cached = 0
        self._prompt_source: Source = "estimated"
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._logprobs: list[float] = []
        self._confidences: list[float] = []
        self._chunks = 0
        self._scored = 0
        self._estimate = 0
        self._thought = 0
        self.finish: FinishReason | None = None
        self._settled: Usage | None = None

    def take(self, choice: Choice) -> None:
        """Add what one event says of this choice.

        Raises:
            EngineError: the choice ended for a reason that makes it no answer.
        """
        delta = choice.delta or choice.message
        if delta is not None:
            thought = delta.thought
            if thought:
                self._reasoning.append(thought)
                self._thought += self._count(thought)
            text = delta.text
        else:
            text = choice.text
        if text:
            self._text.append(text)
            self._count(text)
        if choice.logprobs is not None:
            values = choice.logprobs.values
            self._scored += len(values)
            self._logprobs += values
            self._confidences += choice.logprobs.confidences
        if choice.finish_reason:
            self.finish = "stop" if finish_of(choice.finish_reason) == "stop" else "length"

    def _count(self, text: str) -> int:
        """Count a chunk; a long one holds more than one token."""
        tokens = 1 if len(text) <= _LONGEST_TOKEN else math.ceil(len(text) / _TOKEN)
        self._chunks += 1
        self._estimate += tokens
        return tokens

    @property
    def was_served(self) -> bool:
        """The stream held something of this choice."""
        return self._chunks > 0 or self.finish is not None

    @property
    def is_empty(self) -> bool:
        """Nothing waits to be handed on."""
        return not (self._text or self._reasoning or self._logprobs)

    @property
    def at_least(self) -> int:
        """Decoded tokens that have surely arrived."""
        return max(self._chunks, self._scored)

    @property
    def seen(self) -> int:
        """Decoded tokens that have arrived, by our count."""
        if self._scored:
            return self.at_least
        return max(self._chunks, min(self._estimate, self.request.max_tokens))

    @property
    def has_overrun(self) -> bool:
        """More arrived than was asked for: the server knows no cap."""
        return self.at_least > self.request.max_tokens

    def chunk(self) -> Chunk | None:
        """Return what arrived since the last time, or None if nothing did."""
        if self.is_empty:
            return None
        chunk = Chunk(
            "".join(self._text),
            "".join(self._reasoning),
            tuple(self._logprobs),
            tuple(self._confidences),
        )
        for waiting in (self._text, self._reasoning, self._logprobs, self._confidences):
            waiting.clear()
        return chunk

    def last_chunk(self) -> Chunk:
        """Return the rest, with the reason why it ended.

        Raises:
            EngineRejected: log-probabilities were asked for, and the server sent none.
        """
        if self.request.logprobs and self.seen and not self._scored:
            raise EngineRejected("the server sends no log-probabilities: it ignores `logprobs`")
        rest = self.chunk() or Chunk()
        return replace(rest, finish=self.finish)

    def expects(self, prompt: int, cached: int, source: Source) -> None:
        """Replace the prompt's bound by a better figure."""
        self._prompt, self._cached, self._prompt_source = prompt, min(cached, prompt), source

    def report(self, report: Report, *, with_prompt: bool = True) -> None:
        """Believe the server's figures for this choice where what was streamed allows it."""
        if report.prompt_tokens and with_prompt:
            self.expects(report.prompt_tokens, cached_of(report), "measured")
        details = report.completion_tokens_details
        thought = (details.reasoning_tokens if details else None) or self._thought
        is_plausible = report.completion_tokens >= self.at_least
        tokens = report.completion_tokens if is_plausible else self.decoded
        source: Source = "measured" if is_plausible else self._count_source
        self._settled = self._usage(tokens, thought, source)
        if report.cost is not None:
            self._settled = replace(self._settled, cost=Decimal(repr(report.cost)))

    def settle(self, tokens: int | None = None, source: Source | None = None) -> None:
        """Close the account of a choice that ended, without or with a figure for it."""
        counted = self.decoded if tokens is None else tokens
        self._settled = self._usage(counted, self._thought, source or self._count_source)

    @property
    def decoded(self) -> int:
        """Our count of an ended choice: an end token is decoded, too, but not streamed."""
        end = 1 if self.finish == "stop" else 0
        return max(self.seen, min(self.seen + end, self.request.max_tokens))

    @property
    def usage(self) -> Usage:
        """The bill so far: settled, or as far as was seen."""
        if self._settled is not None:
            return self._settled
        return self._usage(self.seen, self._thought, self._count_source)

    @property
    def usage_if_cut(self) -> Usage:
        """The bill if nothing more is read: what the server may decode before it notices."""
        if self._settled is not None:
            return self._settled
        unseen = max(0, min(self._runahead, self.request.max_tokens - self.seen))
        return self._usage(self.seen, self._thought, "estimated", unseen)

    @property
    def _count_source(self) -> Source:
        return "tokenised" if self._scored >= max(1, self._chunks) else "estimated"

    def _usage(self, tokens: int, thought: int, source: Source, unseen: int = 0) -> Usage:
        return Usage(
            calls=1,
            input_tokens=self._prompt,
            cached_tokens=self._cached,
            output_tokens=tokens,
            reasoning_tokens=min(thought, tokens),
            unseen_tokens=unseen,
            source=max(source, self._prompt_source, key=_STRENGTH.index),
        )


def cached_of(report: Report) -> int:
    """Return the prompt tokens that came from a cache; 0 where the server does not say."""
    details = report.prompt_tokens_details
    return (details.cached_tokens if details else None) or 0

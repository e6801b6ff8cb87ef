"""Whether the draws of one request differ, as they should above temperature 0."""

from __future__ import annotations

from workspan.data.types import Notice, Request, Sample

_FEWEST = 3
"""Draws that must be the same before it is said: two may well be."""


class Draws:
    """What a run has drawn, by request."""

    def __init__(self) -> None:
        self._same: dict[Request, tuple[int, str] | None] = {}
        """How often a request was drawn and what came each time; None where two draws differ."""

    def note(self, request: Request, sample: Sample) -> None:
        """Take a draw in. One that was cut says nothing, nor one at temperature 0."""
        if request.temperature is not None and request.temperature <= 0:
            return
        if sample.finish not in ("stop", "length"):
            return
        called = [(call.name, call.arguments) for call in sample.tool_calls]
        text = repr((sample.reasoning, sample.text, sample.refusal, called))
        seen = self._same.get(request, (0, text))
        if seen is not None:
            times, first = seen
            self._same[request] = (times + 1, first) if text == first else None

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Say that several draws brought one answer, and so no more than one would have."""
        times = sum(seen is not None and seen[0] >= _FEWEST for seen in self._same.values())
        return (Notice("alike", _ALIKE, times),) if times else ()


_ALIKE = (
    "all draws of a request were the same to the letter: the server may ignore the temperature, "
    "or answer from a cache"
)

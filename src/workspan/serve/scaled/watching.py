"""What is seen of a run while it goes on, and is in no sample: names, tokens, progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from workspan.core.context import Delta, Event
from workspan.data.types import AnswerKind
from workspan.legible import one_line
from workspan.runner import Result

_SHOWN = 160
"""Characters of a draft that progress quotes."""


@dataclass(frozen=True, slots=True)
class Decided:
    """How a run was decided, for whoever shows it."""

    result: Result
    chosen: tuple[str, ...]
    """The keys of the calls that the choices of the reply stand for."""
    kind: AnswerKind
    """How drafts were compared."""
    rule: str
    """By what, in one sentence."""


@dataclass(slots=True)
class Watch:
    """Listens to one run."""

    further: Callable[[Event], None] | None = None
    """Whoever else listens."""
    progress: Callable[[str], None] | None = None
    """Told a line when a draft has ended."""
    decided: Callable[[Decided], None] | None = None
    """Told the votes, before the reply."""
    names: dict[str, str] = field(default_factory=dict)
    """What the upstream calls thinking, by the key of a call."""
    scored: dict[str, list[object]] = field(default_factory=dict)
    """Tokens with their log-probabilities, by the key of a call."""
    details: dict[str, list[object]] = field(default_factory=dict)
    """Parts of thinking that the upstream wants back, by the key of a call."""
    ended: int = 0
    """Calls so far."""
    _texts: dict[str, list[str]] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Take an event of the run."""
        if isinstance(event, Delta):
            self._take(event)
        if self.further is not None:
            self.further(event)

    def _take(self, event: Delta) -> None:
        key, chunk = event.key, event.chunk
        if chunk.reasoning_name:
            self.names[key] = chunk.reasoning_name
        if chunk.details:
            self.details.setdefault(key, []).extend(chunk.details)
        if chunk.scored:
            self.scored.setdefault(key, []).extend(chunk.scored)
        if self.progress is None:
            return
        if chunk.text:
            self._texts.setdefault(key, []).append(chunk.text)
        if chunk.finish is not None:
            self.ended += 1
            said = one_line("".join(self._texts.pop(key, [])), _SHOWN)
            called = ", ".join(f"{call.name}({call.arguments})" for call in chunk.tool_calls)
            shown = one_line(called, _SHOWN) if called else said
            self.progress(f"Call {self.ended} ended: {shown or 'nothing to show'}\n")

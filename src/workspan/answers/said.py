"""What a reader is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from workspan.answers import signs


@dataclass(frozen=True)
class Said:
    """The visible part of what a model wrote: thinking and its own next questions are cut."""

    text: str
    finished: bool
    """The model ended by itself; else a last line may go on where it was cut."""
    asked: str = ""
    """The name that a program must define, where the task says it."""
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    """What a JSON answer must be like."""

    @cached_property
    def plain(self) -> str:
        """The text with plain signs, as long as it was."""
        return signs.plain(self.text)

    @cached_property
    def low(self) -> str:
        """The plain text in lower case, as long as it was."""
        return signs.lower(self.plain)


class Found(NamedTuple):
    """An answer in `Said.text`."""

    answer: str
    start: int
    end: int
    rule: str
    """What made it the answer, in a few words."""

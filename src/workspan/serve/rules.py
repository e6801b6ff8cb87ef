"""What the operator stated about turns that are worth more than one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workspan.errors import InputError

if TYPE_CHECKING:
    from workspan.session import Verifier


@dataclass(frozen=True, slots=True)
class Rules:
    """How the gateway scales turns; the same for all requests.

    Raises:
        InputError: a number is below 1.
    """

    judge: str | None = None
    """The engine that compares open texts, by its name, "" for the one that wrote them; without it,
    and without a verifier, an open text costs one call."""
    verifier: Verifier | None = None
    """The operator's own: it scores what no vote can tell apart, in place of a judge."""
    drafts: int = 4
    """Of an open text, where something can choose among them."""
    width: int = 9
    """Drafts of a turn that is voted on, at most, where the strategy is ``auto``."""
    window: int = 3
    """So many of them at once, which end it if they agree."""
    max_tokens: int = 4096
    """Of one draft, where a client caps none."""
    max_reasoning_tokens: int | None = None
    """The most thinking of one draft, where a client says nothing and the engine takes a cap."""
    shows_progress: bool = False
    """Streams tell what goes on, as thinking, also where a request does not ask to be told."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("drafts", "width", "window", "max_tokens"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is at least 1")
        if self.max_reasoning_tokens is not None and self.max_reasoning_tokens < 1:
            raise InputError("max_reasoning_tokens is at least 1")

    @property
    def can_choose(self) -> bool:
        """Something can tell open texts apart."""
        return self.judge is not None or self.verifier is not None

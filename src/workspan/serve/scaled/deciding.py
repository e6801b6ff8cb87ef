"""What ``auto`` does to a turn of a trajectory: one draft, and a vote where two of them differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from workspan.answers.voting import calls_tools
from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.serve.trajectories.course import Course
from workspan.strategies.reading import read

_LONGEST_NAME = 64
_MOST_NAMES = 4


@dataclass(frozen=True)
class Deciding:
    """Draw one draft; where a second pays, draw it, and while calls differ go on to a clear lead.

    The lead is that of MAKER's first-to-ahead-by-k (2025, arXiv:2511.09030), here within a width
    that the trajectory can pay. Drafts in words are not told apart: the first stands for them.
    """

    n: int = 9
    lead: int = 2
    max_tokens: int = 4096
    temperature: float = 0.7
    course: Course = field(default_factory=Course)
    requires: ClassVar[frozenset[Capability]] = frozenset()

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, lead=self.lead, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    @property
    def window(self) -> int:
        """Drafts at once, at most."""
        return self.lead

    def written(self) -> str:
        """Return how a reply names it."""
        return f"auto(n={self.n}, lead={self.lead}, by='trajectory')"

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw until no more is worth it, and vote."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        candidates = read(problem, await session.samples(request, 1))
        most = self.course.width(names_of(candidates[0]), self.n)
        vote = await session.vote(candidates, problem.kind)
        while size := self._size(candidates, most):
            if vote.best is not None:
                session.best(vote.best)
            try:
                candidates += read(problem, await session.samples(request, size))
            except (BudgetExceeded, EngineError):
                break  # what was drawn is paid for
            vote = await session.vote(candidates, problem.kind)
        return vote

    def _size(self, candidates: Sequence[Candidate], most: int) -> int:
        """Return how many drafts to draw at once: no more than a lead still takes at least."""
        rest = most - len(candidates)
        if rest < 1:
            return 0
        if len(candidates) < 2:
            return 1
        if not differ(candidates[0], candidates[1]):
            return 0
        return max(0, min(rest, self.lead - lead_of(candidates)))


def names_of(candidate: Candidate) -> tuple[str, ...]:
    """Return the tools that a draft calls, each once, by name; no name is what can't be read."""
    turn = candidate.turn
    if decision(candidate) is None:
        return ("",)
    called = () if turn is None else turn.tool_calls
    return tuple(sorted({call.name[:_LONGEST_NAME] for call in called}))[:_MOST_NAMES]


def decision(candidate: Candidate) -> str | None:
    """Return what a draft decides, the same for equal calls; None where it can't be read."""
    if calls_tools(candidate):
        return candidate.answer
    turn = candidate.turn
    is_empty = not candidate.text.strip() and not (turn is not None and turn.refusal)
    return None if is_empty else ""


def differ(first: Candidate, second: Candidate) -> bool:
    """Say whether two drafts decide differently; one that can't be read agrees with none."""
    one, other = decision(first), decision(second)
    return one is None or one != other


def lead_of(candidates: Sequence[Candidate]) -> int:
    """Return by how many drafts the first decision is ahead of the second."""
    counts: dict[str, int] = {}
    for one in candidates:
        if (said := decision(one)) is not None:
            counts[said] = counts.get(said, 0) + 1
    first, second = [*sorted(counts.values(), reverse=True), 0, 0][:2]
    return first - second

"""Open texts side by side: a judge compares two at a time, in both orders."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Message, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.strategies.chosen import choice
from workspan.strategies.listing import listing
from workspan.strategies.reading import read
from workspan.verifiers.spoken import ROOM, is_whole

RULE = (
    "Above are a conversation and two responses to its last turn. Which of them is the better one: "
    "more correct, more complete, closer to what was asked? Neither their order nor their length "
    "counts. Name it in a last line of this form: Choice: <number>"
)


@dataclass(frozen=True)
class Judged:
    """Draw n texts and let a judge choose in a knock-out, each pair in both orders.

    Judges lean to a place (Zheng et al. 2023, arXiv:2306.05685): only a text that wins in both
    orders has won. A disagreement is a tie, and the earlier drawn goes on.
    """

    n: int = 4
    engine: str = ""
    max_tokens: int = 4096
    temperature: float = 0.7
    choice_tokens: int = ROOM
    requires: ClassVar[frozenset[Capability]] = frozenset()

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, max_tokens=self.max_tokens, choice_tokens=self.choice_tokens)
        at_least(0, temperature=self.temperature)

    def written(self) -> str:
        """Return how a reply names it."""
        by = f", engine={self.engine!r}" if self.engine else ""
        return f"judged(n={self.n}{by})"

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw n at once, then knock out."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        candidates = read(problem, await session.samples(request, self.n))
        vote = await session.vote(candidates, problem.kind)
        left = _distinct(candidates)
        tied = False
        while len(left) > 1:
            session.best(left[0])
            pairs = [left[i : i + 2] for i in range(0, len(left), 2)]
            won = await session.map(lambda s, pair: self._better(s, problem, pair), pairs)
            left, tied = [one for one, _ in won], won[0][1]
        return replace(vote, best=left[0], tied=tied) if left else vote

    async def _better(
        self, session: Session, problem: Problem, pair: Sequence[Candidate]
    ) -> tuple[Candidate, bool]:
        """Return the better of two, and whether they are tied; one alone is better than none."""
        if len(pair) < 2:
            return pair[0], False
        first, second = await session.map(
            lambda s, order: self._chosen(s, problem, order), [tuple(pair), tuple(pair)[::-1]]
        )
        if first == 0 and second == 1:
            return pair[0], False
        return (pair[1], False) if first == 1 and second == 0 else (pair[0], True)

    async def _chosen(
        self, session: Session, problem: Problem, shown: tuple[Candidate, ...]
    ) -> int | None:
        """Return which of two texts the judge chooses; None where that can't be read."""
        texts = listing((one.text for one in shown), label="Response")
        prompt = (Message("user", f"{_conversation(problem)}\n\n{texts}\n\n{RULE}"),)
        asked = Request(prompt, max_tokens=self.choice_tokens, temperature=0.0, engine=self.engine)
        with suppress(BudgetExceeded, EngineError):
            reply = await session.sample(asked)
            found = choice(reply.text, len(shown), finished=is_whole(reply))
            if found is not None:
                return found
        session.notice("no_verdict", "a comparison of two texts gave no choice: they count as tied")
        return None


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Leave out what is no answer or was said before, word for word."""
    first: dict[str, Candidate] = {}
    for one in candidates:
        if one.answer is not None:
            first.setdefault(one.answer, one)
    return [*first.values()]


def _conversation(problem: Problem) -> str:
    """Write the conversation as one text: a judge is told of it, and takes no part in it."""
    turns = [f"[{turn.role}]\n{turn.text}" for turn in problem.prompt]
    return "--- Conversation ---\n" + "\n\n".join(turns)

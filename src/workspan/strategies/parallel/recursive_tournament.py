"""Recursive tournament voting: summaries meet in small groups, winners go on until one is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.strategies.asking import pick
from workspan.strategies.parallel.genselect import RULE
from workspan.strategies.reading import read
from workspan.strategies.summaries import summarised


@dataclass(frozen=True)
class RecursiveTournament:
    """Draw n attempts, summarise each, and vote group by group for the best (arXiv:2604.16529).

    RTV there, of agents' rollouts (16 of them): a summary holds the way, what was established and
    what may be wrong. Groups of `k` in draw order; `votes` calls judge each group side by side, and
    the attempt that most of them choose goes on. It ends when all that are left answer alike. A
    group without a vote that can be read sends its first on; if there was none at all, the vote
    over all attempts decides.
    """

    n: int = 8
    k: int = 4
    votes: int = 3
    max_tokens: int = 1024
    temperature: float = 0.7
    summary_tokens: int = 256
    """Of each attempt's summary."""
    choice_tokens: int = 1024
    """Of each vote."""
    engine: str = ""
    """Summarises and votes; the run's own engine if empty."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example=(
            "recursive_tournament(n=3, k=2, votes=2, max_tokens=100, summary_tokens=30, "
            "choice_tokens=50)"
        ),
        source="arXiv:2604.16529",
        family="parallel",
        parameters={
            "n": "Attempts.",
            "k": "Attempts of a group.",
            "votes": "Votes in a group.",
        },
        calls="2 * n + votes * ((n - 1 + (k - 2) * ceil(log2(n) / log2(k))) // (k - 1))",
        work=(
            "n * (max_tokens + summary_tokens) + "
            "votes * ((n - 1 + (k - 2) * ceil(log2(n) / log2(k))) // (k - 1)) * choice_tokens"
        ),
        span="max_tokens + summary_tokens + ceil(log2(n) / log2(k)) * choice_tokens",
        is_most=True,
        helps="Long attempts, as of agents, that no prompt holds side by side.",
        hurts="Answers that can be compared: a vote costs no call.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, votes=self.votes, max_tokens=self.max_tokens)
        at_least(1, summary_tokens=self.summary_tokens, choice_tokens=self.choice_tokens)
        at_least(2, k=self.k)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw and summarise at once, then round after round of groups."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        candidates = read(problem, await session.samples(request, self.n))
        vote = await session.vote(candidates, problem.kind)
        left = [one for one in candidates if one.answer is not None]
        if len(vote.votes) < 2:
            return vote
        session.best(left[0])
        asked = Request((), "", self.choice_tokens, self.temperature, engine=self.engine)
        brief = replace(asked, max_tokens=self.summary_tokens)
        texts = await summarised(session, problem, left, brief)
        held, is_chosen = list(zip(left, texts, strict=True)), False
        while len((await session.vote([one for one, _ in held], problem.kind)).votes) > 1:
            groups = [held[i : i + self.k] for i in range(0, len(held), self.k)]
            places = await session.map(
                lambda s, group: self._elect(s, problem, group, asked), groups
            )
            is_chosen |= any(place is not None for place in places)
            held = [group[place or 0] for group, place in zip(groups, places, strict=True)]
            session.best(held[0][0])
        if not is_chosen:
            session.notice("no_verdict", "no choice of a candidate could be read: the vote decides")
            return vote
        return replace(vote, best=held[0][0], tied=False)

    async def _elect(
        self,
        session: Session,
        problem: Problem,
        group: Sequence[tuple[Candidate, str]],
        asked: Request,
    ) -> int | None:
        """Return the place of the one that most votes choose, the first of equals."""
        if len(group) < 2:
            return None
        texts = [text for _, text in group]

        async def one(session: Session, _: int) -> int | None:
            return (await pick(session, problem, texts, RULE, asked))[0]

        chosen = Counter(await session.map(one, range(session.branches(self.votes))))
        del chosen[None]
        return min(chosen, key=lambda place: (-chosen[place], place or 0), default=None)

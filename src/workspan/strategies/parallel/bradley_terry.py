"""A Bradley-Terry tournament: answers meet in pairs, and the strongest of all games is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.bradley_terry import Game, strengths, swiss
from workspan.strategies.asking import pick
from workspan.strategies.parallel.genselect import RULE
from workspan.strategies.reading import read
from workspan.strategies.summaries import summarised


@dataclass(frozen=True)
class BradleyTerry:
    """Draw n solutions, let a model compare them in pairs, rate them by Bradley and Terry's model.

    As OpenDeepThink rates its population (arXiv:2605.15177). One solution stands for each different
    answer. In a round all meet at once: the first round pairs them at random, the later ones those
    of about the same strength that have not met. Which of a pair is shown first is drawn. A choice
    that can't be read is no game; without any game the votes decide, as they do between equals.
    With `summary_tokens` summaries are compared in place of the solutions.
    """

    n: int = 8
    rounds: int = 3
    max_tokens: int = 1024
    temperature: float = 0.7
    choice_tokens: int = 1024
    """Of each comparison."""
    summary_tokens: int = 0
    """Of each solution's summary; 0 compares the solutions as they are."""
    engine: str = ""
    """Compares and summarises; the run's own engine if empty."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="bradley_terry(n=4, rounds=2, max_tokens=100, choice_tokens=50)",
        source="arXiv:2605.15177",
        family="parallel",
        parameters={
            "n": "Candidates.",
            "rounds": "Rounds in which all that differ meet in pairs.",
        },
        calls="n * (2 if summary_tokens else 1) + rounds * (n // 2)",
        work="n * (max_tokens + summary_tokens) + rounds * (n // 2) * choice_tokens",
        span="max_tokens + summary_tokens + rounds * choice_tokens",
        is_most=True,
        helps="Answers that are hard to rate alone and easy to compare: proofs, programs, texts.",
        hurts="A judge that prefers the longer or the first one; matters of taste.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, rounds=self.rounds, max_tokens=self.max_tokens)
        at_least(1, choice_tokens=self.choice_tokens)
        at_least(0, temperature=self.temperature, summary_tokens=self.summary_tokens)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw n at once, then play round after round."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        candidates = read(problem, await session.samples(request, self.n))
        vote = await session.vote(candidates, problem.kind)
        players = different(vote)
        if len(players) < 2:
            return vote
        session.best(players[0])
        asked = Request((), "", self.choice_tokens, self.temperature, engine=self.engine)
        texts = [player.text for player in players]
        if self.summary_tokens:
            brief = replace(asked, max_tokens=self.summary_tokens)
            texts = await summarised(session, problem, players, brief)
        games = await self._play(problem, session, texts, asked)
        if not games:
            session.notice("no_verdict", "no comparison could be read: the vote decides")
            return vote
        rated = strengths(len(players), games)
        best = max(range(len(players)), key=lambda i: (rated[i], -i))
        return replace(vote, best=players[best], tied=False)

    async def _play(
        self, problem: Problem, session: Session, texts: Sequence[str], asked: Request
    ) -> list[Game]:
        """Play the rounds and return the games, each round's at once."""

        async def meet(session: Session, pair: tuple[int, int]) -> Game | None:
            first, second = pair if session.rng.random() < 0.5 else pair[::-1]
            shown = [texts[first], texts[second]]
            index, _ = await pick(session, problem, shown, RULE, asked)
            if index is None:
                return None
            return Game(second, first) if index else Game(first, second)

        order = session.rng.sample(range(len(texts)), len(texts))
        games: list[Game] = []
        met: set[tuple[int, int]] = set()
        for _ in range(self.rounds):
            pairs = swiss(order, met)
            met |= {*pairs}
            games += [game for game in await session.map(meet, pairs) if game is not None]
            rated = strengths(len(texts), games)
            order = sorted(range(len(texts)), key=lambda i: (-rated[i], i))
        return games


def different(vote: Answer) -> list[Candidate]:
    """Return the first candidate of each answer that was voted for, most votes first."""
    firsts: dict[str, Candidate] = {}
    for candidate in vote.candidates:
        if candidate.answer is not None:
            firsts.setdefault(candidate.answer, candidate)
    return [firsts[tally.answer] for tally in vote.votes]

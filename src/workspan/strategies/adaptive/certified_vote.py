"""Certified vote: draw until the leader is certified as the model's most frequent answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp
from typing import ClassVar

from workspan.core.engine import Capability, EngineInfo
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import SpecError, at_least, within
from workspan.registry.card import Card
from workspan.search.mode_set import certifiable
from workspan.search.stated_votes import HOPELESS, NO_ANSWER, ModeVotes
from workspan.strategies.adaptive.rounds import rounds, vote_in_rounds
from workspan.strategies.auto.groups import Groups


@dataclass(frozen=True)
class CertifiedVote:
    """Vote until no other answer may be the mode, seen or not, at level `delta`; else give up.

    The certificate is of `workspan.search.mode_set`: bets on the leader against every rival,
    those not seen yet among them, as in CITE (arXiv:2605.05873) with bets of this package's own.
    The answer says whether it is certified; a vote that will hardly be is given up with what leads.
    With `weighted` a vote weighs what the model's own probabilities say of it, the inverse of its
    perplexity, and the mode is that of the weights. Votes count in draw order, `batch` at a time.
    """

    delta: float = 0.1
    n: int = 64
    batch: int = 1
    weighted: bool = False
    hopeless: float = HOPELESS
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="certified_vote(delta=0.5, n=5, batch=2, max_tokens=100)",
        source="arXiv:2605.05873",
        family="adaptive",
        parameters={
            "delta": "Chance of a false certificate, over all looks together.",
            "n": "Samples, at most.",
            "batch": "Samples drawn at once.",
            "weighted": "Votes weigh the inverse of their perplexity.",
            "hopeless": "Chance of a certificate below which it gives up; 0 never.",
        },
        calls="n",
        work="n * max_tokens",
        span="ceil(n / batch) * max_tokens",
        is_most=True,
        helps="Answers of which it must be known whether more votes could change them.",
        hurts="Answers close to one another: they are given up, and marked so.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, batch=self.batch, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)
        within(0, 1, delta=self.delta, hopeless=self.hopeless)
        if not 0 < self.delta < 1:
            raise ValueError(f"delta is {self.delta}: a chance between 0 and 1, such as 0.1")
        if not certifiable(self.n, self.delta):
            raise ValueError(f"n={self.n} votes can't certify a mode at delta={self.delta}")

    def check(self, info: EngineInfo) -> None:
        """Refuse weights of an engine that tells no probabilities.

        Raises:
            SpecError: it does not.
        """
        if self.weighted and "logprobs" not in info.capabilities:
            raise SpecError("weighted=True needs an engine that tells log-probabilities")

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw in rounds of `batch` until the leader is certified, or that is hopeless."""
        request = Request(
            problem.prompt,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            logprobs=self.weighted,
        )
        groups = Groups(problem.kind, session.same)
        votes = ModeVotes(self.delta, self.n, self.hopeless)
        first: dict[int, Candidate] = {}

        async def is_enough(_: Answer, latest: list[Candidate]) -> bool:
            for one in latest:
                group = NO_ANSWER if one.answer is None else groups.number(one.answer)
                first.setdefault(group, one)
                votes.vote(group, self._weight(one))
                if votes.verdict != "draw":
                    return True
            return False

        sizes = rounds(self.n, self.batch)
        vote = await vote_in_rounds(problem, session, request, sizes, is_enough)
        best = vote.best if votes.leader == NO_ANSWER else first[votes.leader]
        return replace(vote, best=best, certified=votes.verdict == "answer")

    def _weight(self, one: Candidate) -> float:
        return exp(min(0.0, one.logprob or 0.0)) if self.weighted else 1.0

"""MMC: draw votes until a certificate holds that the leader is the most frequent answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem
from workspan.errors import within
from workspan.registry.card import Card
from workspan.search.mode_certificate import ModeCertificate
from workspan.strategies.adaptive.rounds import check_rounds, vote_until
from workspan.strategies.auto.groups import Groups


@dataclass(frozen=True)
class Mmc:
    """Vote, and stop once the leader is certified as the mode at level `delta` (arXiv:2510.17472).

    The martingale majority certificate: two bets, of the leader against the runner-up and against
    all but the three leading answers, must both reach 1 / delta. As published the bets go on when
    the leader changes, and a rival that was not seen yet has no bet against it; it is also
    expensive: eight votes of eight at delta 0.05. Votes count in draw order, `batch` at a time.
    """

    delta: float = 0.05
    n: int = 64
    batch: int = 1
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="mmc(delta=0.5, n=5, batch=2, max_tokens=100)",
        source="arXiv:2510.17472",
        family="adaptive",
        parameters={
            "delta": "Risk at which it stops, for each of the two bets.",
            "n": "Samples, at most.",
            "batch": "Samples drawn at once.",
        },
        calls="n",
        work="n * max_tokens",
        span="ceil(n / batch) * max_tokens",
        is_most=True,
        helps="A vote that may be looked at after every sample without the looks costing surety.",
        hurts="Few samples: other rules stop at half as many.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        check_rounds(self)
        within(0, 1, delta=self.delta)
        if not self.delta:
            raise ValueError("delta is 0: no number of votes makes anything certain")

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw in rounds of `batch` until the leader is certified or n are drawn."""
        groups, certificate = Groups(problem.kind, session.same), ModeCertificate(self.delta)

        async def is_certain(_: Answer, latest: list[Candidate]) -> bool:
            for one in latest:
                if one.answer is not None:
                    certificate.vote(groups.number(one.answer))
            return certificate.is_certain

        return await vote_until(self, problem, session, is_certain)

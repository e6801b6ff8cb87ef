"""DeepConf, online: chains are cut while they are being drawn, once the model gets unsure."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from workspan.answers.voting import share
from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Problem, Request, Sample
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.search.confidence import chain_confidence, falls_below, percentile
from workspan.strategies.reading import read


@dataclass(frozen=True)
class DeepConfOnline:
    """Draw `warmup` chains, then cut every further one whose group confidence falls below theirs.

    Fu et al. 2025, arXiv:2508.15260, section 3.3. The bar s is the (100 - eta)th percentile of the
    warm-up's lowest groups: eta 10 is the paper's DeepConf-low, 90 its DeepConf-high. Up to n
    chains (256 or 512 there, 16 of them warm-up), until the winner holds `consensus` of all votes,
    each weighing its lowest group. A chain that was cut has no vote; the warm-up has, though in the
    published code only what lies above s. The budget's width says how many are
    under way at once. Below a full `window` nothing is cut; for it see `deepconf_offline`.
    """

    n: int = 16
    warmup: int = 4
    eta: int = 90
    consensus: float = 0.95
    window: int = 128
    alternatives: int = 20
    max_tokens: int = 1024
    temperature: float = 0.6
    requires: ClassVar[frozenset[Capability]] = frozenset({"logprobs"})
    card: ClassVar[Card] = Card(
        example="deepconf_online(n=5, warmup=2, window=4, max_tokens=300)",
        source="arXiv:2508.15260",
        family="parallel",
        parameters={
            "n": "Chains, at most.",
            "warmup": "Chains that are drawn whole and set the bar.",
            "eta": "Per cent of the warm-up's chains above the bar.",
            "consensus": "Share of the votes at which it stops.",
            "window": "Tokens of a group.",
            "alternatives": "Likeliest tokens that are asked for at each place.",
        },
        calls="n",
        work="n * max_tokens",
        span="max_tokens * (2 if n > warmup else 1)",
        is_most=True,
        helps="The same, where unsure chains should not be paid to their end.",
        hurts="Short answers, and engines that decode on after a hang-up.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, warmup=self.warmup, window=self.window, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature, alternatives=self.alternatives)
        at_least(self.warmup, n=self.n)
        if not (0 <= self.eta <= 100 and 0 < self.consensus <= 1):
            raise ValueError("eta is a percentage, consensus a share in (0, 1]")

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Warm up, set the bar, race the others under it until the votes agree."""
        drawn = Request(problem.prompt, "", self.max_tokens, self.temperature)
        request = replace(drawn, logprobs=True, top_logprobs=self.alternatives)
        chains = await session.samples(request, self.warmup)
        s = percentile([self._weight(chain) for chain in chains], 100 - self.eta)
        answer = await self._vote(problem, session, chains)
        left = session.branches(self.n - self.warmup) * (share(answer) < self.consensus)
        with suppress(BudgetExceeded, EngineError):  # the chains that are complete have voted
            halt = partial(falls_below, s, self.window)
            async with session.as_completed([request] * left, halt) as race:
                async for chain in race:
                    if chain.finish != "halted":
                        chains.append(chain)
                        answer = await self._vote(problem, session, chains)
                        if share(answer) >= self.consensus:
                            break
        return answer

    async def _vote(self, problem: Problem, session: Session, chains: list[Sample]) -> Answer:
        weights = [self._weight(chain) for chain in chains]
        answer = await session.vote(read(problem, chains), problem.kind, weights)
        if answer.best is not None:
            session.best(answer.best)
        return answer

    def _weight(self, chain: Sample) -> float:
        return chain_confidence(chain, "lowest", self.window)

"""DeepConf, offline: the surest of many finished chains vote, by how sure they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.confidence import Measure, chain_confidence, percentile
from workspan.strategies.reading import read


@dataclass(frozen=True)
class DeepConfOffline:
    """Keep the top `eta` percent of n chains by confidence and let them vote with it as weight.

    Fu et al. 2025, arXiv:2508.15260, section 3.2. A token's confidence is minus the mean
    log-probability of its `alternatives` most likely tokens (20 there), or the probability of the
    token drawn where the engine does not tell them; a group is `window` tokens in a row (2,048
    there, for chains of tens of thousands). `measure` says what stands for a chain: the mean of all
    its tokens, of its tail, of its bottom 10% of groups, or its lowest group. The paper has n = 512
    and eta 10 or 90; as its code does, what ties at the percentile is kept, and only chains with an
    answer count.
    """

    n: int = 16
    eta: int = 90
    measure: Measure = "bottom"
    window: int = 128
    alternatives: int = 20
    max_tokens: int = 1024
    temperature: float = 0.6
    requires: ClassVar[frozenset[Capability]] = frozenset({"logprobs"})
    card: ClassVar[Card] = Card(
        example="deepconf_offline(n=4, eta=50, window=8, max_tokens=300)",
        source="arXiv:2508.15260",
        family="parallel",
        parameters={
            "n": "Chains.",
            "eta": "Per cent of the chains that are kept, the surest.",
            "measure": "Which of a chain's tokens stand for it.",
            "window": "Tokens of a group.",
            "alternatives": "Likeliest tokens that are asked for at each place.",
        },
        calls="n",
        work="n * max_tokens",
        span="max_tokens",
        helps="Long chains in which a low stretch of confidence gives a wrong turn away.",
        hurts="Short answers: no window of tokens is long enough to tell.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, eta=self.eta, window=self.window, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature, alternatives=self.alternatives)
        if self.eta > 100:
            raise ValueError(f"eta is {self.eta}: a percentage")

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw n at once, drop the unsure, add up the confidence of equal answers."""
        request = Request(
            problem.prompt,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            logprobs=True,
            top_logprobs=self.alternatives,
        )
        samples = await session.samples(request, self.n)
        confidences = [chain_confidence(chain, self.measure, self.window) for chain in samples]
        drawn = zip(read(problem, samples), confidences, strict=True)
        answered = [(chain, sure) for chain, sure in drawn if chain.answer is not None]
        threshold = percentile([sure for _, sure in answered] or [0.0], 100 - self.eta)
        kept = [(chain, sure) for chain, sure in answered if sure >= threshold]
        return await session.vote(
            [chain for chain, _ in kept], problem.kind, [sure for _, sure in kept]
        )

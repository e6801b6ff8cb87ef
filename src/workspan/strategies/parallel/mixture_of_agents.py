"""Mixture of agents: layers of proposers that read the layer before, and an aggregator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Prompt, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.strategies.asking import cycled, each
from workspan.strategies.listing import beside, listing
from workspan.strategies.reading import candidate

AGGREGATE = (
    "Above are responses of several models to this task; some of what they say may be biased or "
    "wrong. Weigh them against each other and write one response that is better than each, in the "
    "form that the task asks for; do not merely repeat one of them."
)


@dataclass(frozen=True)
class MixtureOfAgents:
    """Propose n times a layer, each with the layer before in view, and aggregate at the end.

    Wang et al. (2024, arXiv:2406.04692): l = 3 layers of n = 6 proposers there, of which the last
    is the aggregator alone; so it is counted here, and each name in `engines` proposes in turn.
    Earlier responses stand in the task's own turn, not in a system turn as in the paper's code.
    Where the aggregator gives no answer, the last proposals vote.
    """

    engines: tuple[str, ...] = ()
    """Proposers, by the names of the run's engines; "" and none at all mean the run's own."""
    engine: str = ""
    """The aggregator."""
    layers: int = 3
    n: int = 6
    max_tokens: int = 512
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="mixture_of_agents(layers=3, n=2, max_tokens=100)",
        source="arXiv:2406.04692",
        family="parallel",
        parameters={
            "layers": "Rounds, the aggregator's included.",
            "n": "Proposers of a layer.",
        },
        calls="(layers - 1) * n + 1",
        work="((layers - 1) * n + 1) * max_tokens",
        span="layers * max_tokens",
        helps="Several models that know different things; open texts, where no vote can be held.",
        hurts="Small contexts: every proposal is read by the whole next layer.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(2, layers=self.layers)
        at_least(1, n=self.n, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Go layer by layer; what the budget does not reach is left out."""
        layer: list[Candidate] = []
        seen: list[Candidate] = []
        try:
            for _ in range(self.layers - 1):
                request = self._request(self._view(problem, layer))
                engines = cycled(self.engines, session.branches(self.n))
                requests = [replace(request, engine=name) for name in engines]
                drawn = [candidate(problem, s) for s in await each(session, requests) if s]
                layer = [c for c in drawn if c.answer is not None] or layer or drawn
                seen += drawn
                session.best((await session.vote(layer, problem.kind)).best or layer[0])
            request = replace(self._request(self._view(problem, layer)), engine=self.engine)
            final = candidate(problem, await session.sample(request))
        except (BudgetExceeded, EngineError):
            if not seen:
                raise
            final = Candidate("", None)
        vote = replace(await session.vote(layer, problem.kind), candidates=tuple(seen))
        return vote if final.answer is None else replace(vote, best=final, tied=False)

    def _view(self, problem: Problem, layer: Sequence[Candidate]) -> Prompt:
        shown = listing((c.text for c in layer), "Response")
        return beside(problem.prompt, f"{shown}\n\n{AGGREGATE}") if layer else problem.prompt

    def _request(self, prompt: Prompt) -> Request:
        return Request(prompt, max_tokens=self.max_tokens, temperature=self.temperature)

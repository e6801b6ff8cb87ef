"""CMC: chains side by side, opened, dropped, hurried and stopped by how sure the finished are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Problem, Request
from workspan.errors import at_least, first_error, within
from workspan.registry.card import Card
from workspan.search.cmc import CmcControl, Settings
from workspan.strategies.adaptive.probed_chain import ProbedChain, grow
from workspan.strategies.auto.groups import Groups


@dataclass(frozen=True)
class Cmc:
    """Grow chains in blocks under one dial, `beta`, and vote among the finished (2605.08083).

    The controller that AutoTTS found by search on recorded chains, arXiv:2605.08083: see
    `workspan.search.cmc` for its rule. A chain counts once it has ended; one cut at `max_tokens`
    has no vote, and where none has ended interim answers vote. Unlike there, asking a chain for
    its answer is a call that is charged, and a chain that grows by several blocks is asked once.
    A thinking model's `probe` must close its thought first.
    """

    beta: float = 0.5
    block: int = 500
    probe: str = "\nAnswer:"
    probe_tokens: int = 24
    max_tokens: int = 50_000
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue"})
    card: ClassVar[Card] = Card(
        example="cmc(beta=0.1, block=20, max_tokens=60)",
        source="arXiv:2605.08083",
        family="adaptive",
        parameters={
            "beta": "From 0 to 1: more chains, more patience, a surer stop.",
            "block": "Tokens between two probes.",
            "probe": "What a chain is asked with.",
            "probe_tokens": "Tokens of its answer, at most.",
        },
        calls="ceil(4 + 60 * beta) * 2 * ceil(max_tokens / block)",
        work=("ceil(4 + 60 * beta) * (max_tokens + ceil(max_tokens / block) * probe_tokens)"),
        span=("ceil(4 + 60 * beta) * (max_tokens + ceil(max_tokens / block) * probe_tokens)"),
        is_most=True,
        helps="Reasoning models whose chains that end early and agree are right more often.",
        hurts="Models whose short chains are the wrong ones; short answers.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        within(0, 1, beta=self.beta)
        at_least(1, block=self.block, probe_tokens=self.probe_tokens, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Go round by round until the rule stops it or no chain is left to grow."""
        told = Settings.of(self.beta)
        control, groups = CmcControl(told), Groups(problem.kind, session.same)
        chains = [ProbedChain()] * session.branches(told.chains)
        dropped: set[int] = set()
        vote = Answer(None)
        done: list[int] = []
        while live := [i for i, c in enumerate(chains) if c.is_live and i not in dropped]:
            control.begin(done)
            sizes = [self._size(chains[i], control, groups, done) for i in live]
            grown = await self._grow(problem, session, [chains[i] for i in live], sizes)
            for i, chain in zip(live, grown, strict=True):
                chains[i] = chain
            vote = await self._vote(problem, session, chains)
            going = [(i, groups.number(chains[i].now.answer)) for i in live if chains[i].is_live]
            done = [groups.number(chain.now.answer) for chain in chains if chain.has_ended]
            dropped |= {*control.look(done, going)}
            move = control.move
            if move == "stop":
                break
            if move == "widen" and not any(chains[i].error for i in live):
                wider = min(len(chains) + told.widen, session.branches(told.most))
                chains += [ProbedChain()] * (wider - len(chains))
        errors = [chain.error for chain in chains if chain.error and not chain.tokens]
        if len(errors) == len(chains):
            raise first_error(errors)
        return vote

    def _size(
        self, chain: ProbedChain, control: CmcControl, groups: Groups, done: Sequence[int]
    ) -> int:
        """Return by how many tokens a chain grows in this round."""
        blocks = control.blocks(groups.number(chain.now.answer), done)
        return min(blocks * self.block, self.max_tokens - chain.tokens)

    async def _grow(
        self,
        problem: Problem,
        session: Session,
        chains: Sequence[ProbedChain],
        sizes: Sequence[int],
    ) -> list[ProbedChain]:
        """Grow each chain by its size and ask those that have not ended."""
        ask = Request(problem.prompt, self.probe, self.probe_tokens, 0.0, stop=("\n",))

        async def one(session: Session, job: tuple[ProbedChain, int]) -> ProbedChain:
            chain, size = job
            block = Request(problem.prompt, "", size, self.temperature)
            longer = await grow(problem, block, ask, session, chain)
            is_over = longer.tokens < chain.tokens + size or longer.tokens >= self.max_tokens
            return replace(longer, is_live=longer.is_live and not is_over)

        return await session.map(one, list(zip(chains, sizes, strict=True)))

    async def _vote(
        self, problem: Problem, session: Session, chains: Sequence[ProbedChain]
    ) -> Answer:
        """Vote among the finished; among interim answers where none has finished."""
        ended = [chain.now for chain in chains if chain.has_ended]
        vote = await session.vote(ended, problem.kind)
        if vote.best is None:
            vote = await session.vote([chain.now for chain in chains], problem.kind)
        if vote.best is not None:
            session.best(vote.best)
        return vote

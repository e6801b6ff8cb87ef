"""Parallel-Probe: many chains side by side, asked now and then, pruned and stopped together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Problem, Request
from workspan.errors import at_least, first_error
from workspan.registry.card import Card
from workspan.search.probing import ProbeControl
from workspan.strategies.adaptive.probed_chain import ProbedChain, grow
from workspan.strategies.auto.groups import Groups


@dataclass(frozen=True)
class ParallelProbe:
    """Grow W chains in blocks, ask each for its answer, prune strays (arXiv:2602.03845).

    `n` is the paper's W. As in the authors' code the first block is not probed, a stray is pruned
    at its `patience`-th miss in a row, and chains that ended go on voting. Unlike there, a probe is
    a call that is charged, and one without an answer has no vote. A thinking model's `probe` must
    close its thought first.
    """

    n: int = 64
    block: int = 500
    warmup: int = 15
    patience: int = 7
    stable: int = 40
    probe: str = "\nAnswer:"
    probe_tokens: int = 24
    max_tokens: int = 50_000
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue"})
    card: ClassVar[Card] = Card(
        example="parallel_probe(n=3, block=20, warmup=0, patience=1, stable=3, max_tokens=80)",
        source="arXiv:2602.03845",
        family="adaptive",
        parameters={
            "n": "Chains.",
            "block": "Tokens between two probes.",
            "warmup": "Blocks before a chain may be pruned.",
            "patience": "Misses in a row at which a stray is pruned.",
            "stable": "Probes of one majority in a row that end it.",
            "probe": "What a chain is asked with.",
            "probe_tokens": "Tokens of its answer, at most.",
        },
        calls="n * (2 * ceil(max_tokens / block) - 1)",
        work="n * (max_tokens + (ceil(max_tokens / block) - 1) * probe_tokens)",
        span="max_tokens + (ceil(max_tokens / block) - 1) * probe_tokens",
        is_most=True,
        helps="Long chains of reasoning models: those that agree early need not end.",
        hurts="Short answers: probes cost more than they save.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, block=self.block, patience=self.patience, stable=self.stable)
        at_least(1, probe_tokens=self.probe_tokens, max_tokens=self.max_tokens)
        at_least(0, warmup=self.warmup, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Grow and probe until the majority is stable or no chain is left to grow."""
        chains = [ProbedChain()] * session.branches(self.n)
        control = self._control(problem, session, len(chains))
        ask = Request(problem.prompt, self.probe, self.probe_tokens, 0.0, stop=("\n",))
        vote = Answer(None)
        for row in range(-(-self.max_tokens // self.block)):
            live = [i for i in control.active if chains[i].is_live]
            if not live or control.is_stable:
                break
            size = min(self.block, self.max_tokens - row * self.block)
            block = Request(problem.prompt, "", size, self.temperature)
            step = partial(grow, problem, block, ask if row else None)
            grown = dict(zip(live, await session.map(step, [chains[i] for i in live]), strict=True))
            chains = [grown.get(i, chain) for i, chain in enumerate(chains)]
            if row:
                control.look([c.now.answer for c in chains], [i for i in live if chains[i].is_live])
            vote = await session.vote([chains[i].now for i in control.active], problem.kind)
            if vote.best is not None:
                session.best(vote.best)
        errors = [chain.error for chain in chains if chain.error and not chain.tokens]
        if len(errors) == len(chains):
            raise first_error(errors)
        return vote

    def _control(self, problem: Problem, session: Session, n: int) -> ProbeControl:
        groups = Groups(problem.kind, session.same)

        def majority(answers: Sequence[str | None]) -> str | None:
            votes = Counter(groups.number(answer) for answer in answers if answer is not None)
            return groups.answers[votes.most_common(1)[0][0]] if votes else None

        rest = (self.warmup, self.patience, self.stable)
        return ProbeControl(n, majority, partial(session.same, kind=problem.kind), *rest)

"""The chains of an allocation: chains grown as a rule decides, and what it may see of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from workspan.core.session import Session, Verifier
from workspan.data.explanation import Tried
from workspan.data.types import Candidate, Problem, Request
from workspan.errors import BudgetExceeded, first_error
from workspan.strategies.adaptive.probed_chain import ProbedChain, grow
from workspan.strategies.auto.groups import Groups
from workspan.strategies.auto.policies.state import NONE, Chain, Decision, Probe, State
from workspan.strategies.auto.prompt_features import prompt_features


@dataclass
class Chains:
    """What was started so far; a chain without a token is dropped."""

    problem: Problem
    whole: Request
    ask: Request | None
    """The question for an interim answer; None where chains can't be asked."""
    is_whole: bool
    """Chains can't be continued: each is drawn to its end at once."""
    verifier: Verifier | None
    most: int
    groups: Groups
    counts_cut: bool = True
    """A chain that the budget cut has ended, with the answer that it had; else it is left open, so
    that it never votes."""
    grown: list[ProbedChain] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    found: list[Candidate | None] = field(default_factory=list)
    """By arms, as they were tried."""

    def __post_init__(self) -> None:
        self.prompt_features = prompt_features(self.problem)

    def state(self, session: Session) -> State:
        """Say how it stands."""
        left = session.left()
        work = sum(chain.depth + chain.cost_of_probes for chain in self.chains)
        work += sum(one.work for one in self.tried)
        chains, tried = tuple(self.chains), tuple(self.tried)
        span = session.clock.now
        return State(chains, work, span, left.work, left.span, tried, self.prompt_features)

    async def step(self, decision: Decision, session: Session) -> bool:
        """Grow the chains named beside new ones, judge those that end; say whether any grew."""
        named = [i for i in decision.chains if self.grown[i].is_live]
        n = session.branches(min(decision.n, self.most - len(self.grown)))
        before = [self.grown[i] for i in named] + [ProbedChain()] * n
        size = self.whole.max_tokens if self.is_whole else decision.block

        async def one(session: Session, own: ProbedChain) -> ProbedChain:
            block = replace(self.whole, max_tokens=min(size, self.whole.max_tokens - own.tokens))
            grown = await grow(self.problem, block, self.ask, session, own)
            now = replace(grown.now, answer=grown.now.answer or own.now.answer)  # the latest
            if session.standing.best is None and now.answer is not None:
                session.best(now)
            is_open = not self.is_whole and own.tokens < grown.tokens < self.whole.max_tokens
            is_live = grown.is_live and is_open
            if self.verifier is not None and not is_live and now.answer:
                [now] = await session.score(self.verifier, self.problem, [now])
            return replace(grown, now=now, is_live=is_live)

        grown = await session.map(one, before)
        for i, own in zip(named, grown, strict=False):
            self.grown[i], self.chains[i] = own, self._chain(own, self.chains[i])
        new = [own for own in grown[len(named) :] if own.tokens]
        self.grown += new
        self.chains += [self._chain(own, Chain(0)) for own in new]
        if not self.grown and not self.tried:
            raise first_error([own.error for own in grown if own.error])
        return any(a.tokens > b.tokens for a, b in zip(grown, before, strict=True))

    def _chain(self, own: ProbedChain, before: Chain) -> Chain:
        group = NONE if own.now.score == 0 else self.groups.number(own.now.answer)
        probes = before.probes + (Probe(own.tokens, group),) * (own.asked > before.cost_of_probes)
        ended = not own.is_live and (self.counts_cut or not self._was_cut(own))
        return Chain(own.tokens, probes, group, ended, own.asked, own.now.score)

    def _was_cut(self, own: ProbedChain) -> bool:
        """Tell a chain that the budget cut from one that ended, is at its cap, or failed."""
        failed = own.error is not None and not isinstance(own.error, BudgetExceeded)
        return not (own.has_ended or failed or own.tokens >= self.whole.max_tokens)

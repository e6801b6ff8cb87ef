"""The lines of an allocation: chains grown as a rule decides, and what it may see of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from workspan.core.session import Session, Verifier
from workspan.data.explanation import Tried
from workspan.data.types import Candidate, Problem, Request
from workspan.errors import BudgetExceeded, first_error
from workspan.strategies.adaptive.probed_chain import Chain, grow
from workspan.strategies.auto.groups import Groups
from workspan.strategies.auto.policies.state import NONE, Decision, Line, Probe, State
from workspan.strategies.auto.prompt_features import prompt_features


@dataclass
class Lines:
    """What was started so far; a line without a token is dropped."""

    problem: Problem
    whole: Request
    ask: Request | None
    """The question for an interim answer; None where lines can't be asked."""
    is_whole: bool
    """Lines can't be continued: each is drawn to its end at once."""
    verifier: Verifier | None
    most: int
    groups: Groups
    counts_cut: bool = True
    """A line that the budget cut has ended, with the answer that it had; else it is left open, so
    that it never votes."""
    chains: list[Chain] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    found: list[Candidate | None] = field(default_factory=list)
    """By arms, as they were tried."""

    def __post_init__(self) -> None:
        self.prompt_features = prompt_features(self.problem)

    def state(self, session: Session) -> State:
        """Say how it stands."""
        left = session.left()
        work = sum(line.depth + line.cost_of_probes for line in self.lines)
        work += sum(one.work for one in self.tried)
        lines, tried = tuple(self.lines), tuple(self.tried)
        span = session.clock.now
        return State(lines, work, span, left.work, left.span, tried, self.prompt_features)

    async def step(self, decision: Decision, session: Session) -> bool:
        """Grow the lines named beside new ones, judge those that end; say whether any grew."""
        named = [i for i in decision.lines if self.chains[i].is_live]
        n = session.branches(min(decision.n, self.most - len(self.chains)))
        before = [self.chains[i] for i in named] + [Chain()] * n
        size = self.whole.max_tokens if self.is_whole else decision.block

        async def one(session: Session, chain: Chain) -> Chain:
            block = replace(self.whole, max_tokens=min(size, self.whole.max_tokens - chain.tokens))
            grown = await grow(self.problem, block, self.ask, session, chain)
            now = replace(grown.now, answer=grown.now.answer or chain.now.answer)  # the latest
            if session.standing.best is None and now.answer is not None:
                session.best(now)
            is_open = not self.is_whole and chain.tokens < grown.tokens < self.whole.max_tokens
            is_live = grown.is_live and is_open
            if self.verifier is not None and not is_live and now.answer:
                [now] = await session.score(self.verifier, self.problem, [now])
            return replace(grown, now=now, is_live=is_live)

        grown = await session.map(one, before)
        for i, chain in zip(named, grown, strict=False):
            self.chains[i], self.lines[i] = chain, self._line(chain, self.lines[i])
        new = [chain for chain in grown[len(named) :] if chain.tokens]
        self.chains += new
        self.lines += [self._line(chain, Line(0)) for chain in new]
        if not self.chains and not self.tried:
            raise first_error([chain.error for chain in grown if chain.error])
        return any(a.tokens > b.tokens for a, b in zip(grown, before, strict=True))

    def _line(self, chain: Chain, before: Line) -> Line:
        group = NONE if chain.now.score == 0 else self.groups.number(chain.now.answer)
        probes = before.probes + (Probe(chain.tokens, group),) * (
            chain.asked > before.cost_of_probes
        )
        ended = not chain.is_live and (self.counts_cut or not self._was_cut(chain))
        return Line(chain.tokens, probes, group, ended, chain.asked, chain.now.score)

    def _was_cut(self, chain: Chain) -> bool:
        """Tell a chain that the budget cut from one that ended, is at its cap, or failed."""
        failed = chain.error is not None and not isinstance(chain.error, BudgetExceeded)
        return not (chain.has_ended or failed or chain.tokens >= self.whole.max_tokens)

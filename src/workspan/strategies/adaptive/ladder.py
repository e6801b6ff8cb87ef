"""A ladder of efforts: cheap samples first, dearer ones where those disagree or took long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from workspan.core.engine import Capability, EngineInfo
from workspan.core.session import Session
from workspan.data.efforts import exact_effort, thinking_tokens
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import (
    BudgetExceeded,
    EngineError,
    InputError,
    SpecError,
    UnsupportedCapability,
    at_least,
)
from workspan.registry.card import Card
from workspan.search.climbing import Drawn, Stage, settles
from workspan.strategies.reading import candidate

_LATER = 1e-6
"""What the vote of a later rung weighs more: it breaks ties."""


class Rest(NamedTuple):
    """How a problem stands after a rung."""

    rung: int
    read: tuple[Candidate, ...]
    """What the rung drew."""
    drawn: Sequence[Drawn]
    """The same, with its tokens."""
    votes: Answer
    """Of all rungs so far."""
    share: float
    """Of all that was drawn and counts, how much stands behind the best."""
    is_settled: bool


@dataclass(frozen=True)
class Ladder:
    """Draw `n` samples at each effort in turn, and stop where all of them agree.

    Cascades by consistency are Yue et al. 2024 (arXiv:2310.03094); here the rungs are one model's
    efforts: words such as "low" and "high", numbers of thinking tokens such as "32k", or "" for its
    own default. A sample that thought for more than `within` tokens settles nothing, nor does one
    without an answer. Votes of all rungs count, by `weights`, or those of the last rung alone where
    not `pooled`. `workspan which` finds the rungs for a model and for problems like yours.
    """

    efforts: tuple[str, ...] = ("medium", "high")
    n: tuple[int, ...] = (2, 1)
    within: tuple[int, ...] = ()
    """Tokens of a sample, by rungs; 0 or nothing is no limit."""
    weights: tuple[float, ...] = ()
    """Of a vote, by rungs; 1 each if empty, of ties the later rung's."""
    engines: tuple[str, ...] = ()
    """By rungs, by the names of the run's engines; all the run's own if empty."""
    pooled: bool = True
    max_tokens: int = 32_768
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example='ladder(efforts=("", ""), n=(2, 1), max_tokens=120)',
        source="arXiv:2310.03094; this package",
        family="adaptive",
        parameters={
            "efforts": "Rungs, cheap ones first: low, high, 32k; '' is the model's default.",
            "n": "Samples of each rung, side by side.",
            "pooled": "Votes of all rungs count, not of the last alone.",
        },
        calls="sum(n)",
        work="sum(n) * max_tokens",
        span="len(n) * max_tokens",
        is_most=True,
        helps="Hosted models, whose thoughts can't be cut: easy problems never see dear effort.",
        hurts="A cheap effort that is wrong and agrees with itself: nothing is handed on.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range, and rungs that do not fit together."""
        at_least(1, rungs=len(self.efforts), n=min(self.n, default=0), max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature, within=min(self.within, default=0))
        at_least(0, weights=min(self.weights, default=0))
        for name in ("n", "within", "weights", "engines"):
            held = getattr(self, name)
            if (held or name == "n") and len(held) != len(self.efforts):
                raise ValueError(
                    f"{name} has {len(held)} values, and there are {len(self.efforts)} efforts: "
                    "give one for each"
                )

    def check(self, info: EngineInfo) -> None:
        """Refuse an effort that the run's own engine does not take, before any spend.

        Raises:
            SpecError: its model takes others, or nobody knows which; it says what would be right.
            UnsupportedCapability: the engine can't be told at all.
        """
        for i, effort in enumerate(self.efforts):
            if not self._engine(i):
                check_effort(effort, info)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Climb until a rung settles it, or there is none above."""
        votes = Answer(None)
        async for rest in self.climb(problem, session):
            votes = rest.votes
        return votes

    async def climb(self, problem: Problem, session: Session) -> AsyncIterator[Rest]:
        """Yield how it stands after each rung, the last one that was needed included."""
        found: list[tuple[int, Candidate]] = []
        for i, stage in enumerate(self.stages):
            try:
                samples = await session.samples(self._request(problem, i), stage.n)
            except (BudgetExceeded, EngineError):
                if not found:
                    raise
                break  # what cheap samples said stands
            read = [candidate(problem, sample) for sample in samples]
            found += [(i, one) for one in read]
            votes, weight = await self._vote(found, problem, session)
            if votes.best is not None:
                session.best(votes.best)
            vote = await session.vote(read, problem.kind)
            alike = vote.votes[0].answer if len(vote.votes) == 1 else None
            drawn = [
                Drawn(None if one.answer is None else alike, sample.usage.output_tokens)
                for one, sample in zip(read, samples, strict=True)
            ]
            share = votes.votes[0].weight / weight if votes.votes else 0.0
            yield (rest := Rest(i, tuple(read), drawn, votes, share, settles(stage, drawn)))
            if rest.is_settled:
                break

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The rungs as a plan."""
        within = self.within or (0,) * len(self.n)
        return tuple(Stage(i, n, w) for i, (n, w) in enumerate(zip(self.n, within, strict=True)))

    async def _vote(
        self, found: list[tuple[int, Candidate]], problem: Problem, session: Session
    ) -> tuple[Answer, float]:
        """Count the votes of all rungs, or of the last that has any answer and of its equals.

        Return what all of them weigh, too, those without an answer included.
        """
        answered = [i for i, one in found if one.answer is not None]
        last = self._name(max(answered, default=0))
        counted = [
            (i, one) for i, one in found if self.pooled or not answered or self._name(i) == last
        ]
        weights = self.weights or (1.0,) * len(self.efforts)
        told = [weights[i] * (1 + _LATER * i) for i, _ in counted]
        vote = await session.vote([one for _, one in counted], problem.kind, told)
        return replace(vote, candidates=tuple(one for _, one in found)), sum(told)

    def _name(self, rung: int) -> tuple[str, str]:
        return self.efforts[rung], self._engine(rung)

    def _engine(self, rung: int) -> str:
        return self.engines[rung] if self.engines else ""

    def _request(self, problem: Problem, rung: int) -> Request:
        effort = self.efforts[rung]
        tokens = thinking_tokens(effort)
        return Request(
            problem.prompt,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            engine=self._engine(rung),
            reasoning_effort=effort if effort and tokens is None else None,
            max_reasoning_tokens=tokens,
        )


def check_effort(effort: str, info: EngineInfo) -> None:
    """Refuse an effort that an engine does not take; "" is what it does by itself.

    Raises:
        SpecError: its model takes others, or nobody knows which.
        UnsupportedCapability: the engine can't be told at all.
    """
    if not effort:
        return
    tokens = thinking_tokens(effort)
    needed: Capability = "reasoning_effort" if tokens is None else "thinking_cap"
    if needed not in info.capabilities:
        how = "state the field that its server has for it: thinking_cap"
        raise UnsupportedCapability(
            f"{info.name} {info.model} can't be told how much to think"
            + (f" in tokens: {how}" if tokens is not None else "")
        )
    try:
        exact_effort(info.model, effort, stated=info.has_effort_field or tokens is not None)
    except InputError as error:
        raise SpecError(str(error)) from None

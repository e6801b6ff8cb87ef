"""A chain that grows block by block and is asked for its answer on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workspan.core.session import Session
from workspan.data.types import Candidate, Problem, Request
from workspan.errors import BudgetExceeded, EngineError
from workspan.strategies.reading import candidate

_NOTHING = Candidate("", None)


@dataclass(frozen=True, slots=True)
class ProbedChain:
    """A chain of thought so far."""

    now: Candidate = _NOTHING
    """All of its text, and its latest answer."""
    tokens: int = 0
    is_live: bool = True
    """It can grow: it neither ended nor was cut, and its last call did not fail."""
    error: BudgetExceeded | EngineError | None = None
    asked: int = 0
    """Tokens of its interim answers together."""
    has_ended: bool = False
    """The model itself ended it: its answer is its last word."""


async def grow(
    problem: Problem, block: Request, ask: Request | None, session: Session, chain: ProbedChain
) -> ProbedChain:
    """Draw one more block after the chain's text, then ask for the answer.

    Where the chain can't go on it keeps its latest answer. The prefix of `ask` is put after the
    chain's text, and what comes then is the answer; None does not ask.
    """
    try:
        sample = await session.sample(replace(block, prefix=chain.now.text))
    except (BudgetExceeded, EngineError) as error:
        return replace(chain, is_live=False, error=error)
    now = candidate(problem, sample, chain.now.text)
    tokens = chain.tokens + sample.usage.output_tokens
    if sample.finish == "stop":
        return replace(chain, now=now, tokens=tokens, is_live=False, has_ended=True)
    if now.answer is None:
        now = replace(now, answer=chain.now.answer)
    chain = replace(chain, now=now, tokens=tokens)
    if sample.finish != "length":  # the account cut it
        return replace(chain, is_live=False)
    return chain if ask is None else await _interim(problem, session, chain, ask)


async def _interim(
    problem: Problem, session: Session, chain: ProbedChain, ask: Request
) -> ProbedChain:
    """Let the chain answer when asked; it keeps its latest answer if it can't be asked."""
    now = chain.now
    try:
        sample = await session.sample(replace(ask, prefix=now.text + ask.prefix))
    except (BudgetExceeded, EngineError):
        return chain
    answer = candidate(problem, sample, ask.prefix).answer if sample.text.strip() else None
    asked = chain.asked + sample.usage.output_tokens
    return replace(chain, now=replace(now, answer=answer), asked=asked)

"""Forced choice: the candidate that the model holds more probable once it has thought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, at_least, first_error
from workspan.registry.card import Card
from workspan.strategies.sequential.choosing import choices_of, probabilities
from workspan.strategies.sequential.thinking import Thinking


@dataclass(frozen=True)
class ForcedChoice:
    """Think, then answer what has more probability among the answers that the problem names.

    The reading of "Let Me Think!" (Mirtaheri et al. 2025, arXiv:2505.21825), where a chain that is
    cut still chooses. `choices` stand for every problem; the problem's own if empty. Of `n` chains
    the probabilities are averaged: their mean is the answer's probability with the chain summed
    out, and a chain in doubt, or without a word for any candidate, moves it little. The score of
    a candidate is its share. See `choosing.probabilities` for `draws` and `steps`.
    """

    n: int = 1
    thinking: int = 120
    waits: int = 0
    nudge: str = "\nWait"
    cue: str = "\nAnswer:"
    draws: int = 16
    steps: int = 4
    choices: tuple[str, ...] = ()
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue", "logprobs"})
    card: ClassVar[Card] = Card(
        example="forced_choice(choices=['3', '4'], n=2, thinking=40, draws=3)",
        source="arXiv:2505.21825",
        family="sequential",
        parameters={
            "n": "Chains whose probabilities are averaged.",
            "thinking": "Tokens of thought of a chain, at most.",
            "waits": "Ends of the thought that are answered with the nudge.",
            "nudge": "What makes the model go on.",
            "cue": "What asks for the answer.",
            "draws": "Single tokens drawn after the cue.",
            "steps": "Places at which tokens are drawn, where one begins several choices.",
            "choices": "The answers; the problem's own if empty.",
        },
        calls="n * (waits + 1 + steps * draws)",
        work="n * (thinking + steps * draws)",
        span="thinking + steps",
        is_most=True,
        needs="two answers or more to choose from: `choices`, or the problem's own",
        helps="Few known answers, and chains that are cut before they say theirs.",
        hurts="Open answers.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, thinking=self.thinking, draws=self.draws, steps=self.steps)
        at_least(0, waits=self.waits, temperature=self.temperature)
        if self.choices and len({*self.choices} - {""}) < max(2, len(self.choices)):
            raise ValueError("choices are two answers at least, all different")

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Think n times at once and choose; abstain where no chain has a word for a candidate.

        Raises:
            InputError: the problem names no two answers; nothing is spent then.
        """
        choices = self.choices or choices_of(problem)
        left = session.left()
        rooms = [left.span and left.span - 1, left.work and left.work // self.n - self.draws]
        limit = max(1, min([self.thinking, *(room for room in rooms if room is not None)]))
        thinking = Thinking(limit, self.temperature, self.waits, self.nudge)
        errors: list[BudgetExceeded | EngineError] = []

        async def one(session: Session, _: int) -> tuple[Candidate, dict[str, float]] | None:
            try:
                thought = await thinking.draw(problem, session)
            except (BudgetExceeded, EngineError) as error:
                errors.append(error)
                return None
            ask = Request(problem.prompt, thought.text + self.cue)
            return thought, await probabilities(session, ask, choices, self.draws, self.steps)

        width = range(session.branches(self.n))
        read = [one for one in await session.map(one, width) if one is not None]
        if not read:
            raise first_error(errors)
        sums = [sum(found[choice] for _, found in read) for choice in choices]
        if not any(sums):
            return Answer(None, tuple(thought for thought, _ in read))
        shares = [each / sum(sums) for each in sums]
        named = []
        for choice, share in zip(choices, shares, strict=True):
            thought, _ = max(read, key=lambda one: one[1][choice])
            named.append(Candidate(thought.text + self.cue + " " + choice, choice, share))
        return await session.vote(named, problem.kind, shares)

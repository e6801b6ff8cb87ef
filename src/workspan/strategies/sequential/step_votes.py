"""Votes on each step: the next line is drawn until one version of it is ahead by k."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from workspan.answers import extract
from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request, Sample
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.search.ahead import lead
from workspan.strategies.auto.groups import Groups
from workspan.strategies.listing import beside

RULE = (
    "{done}Write the next step only: one short line, nothing else. Where no step is left, write "
    "one line of this form in its place: Answer: <the final answer>"
)
_DONE = "Steps done so far:\n{steps}\n\n"


@dataclass(frozen=True)
class StepVotes:
    """Grow one chain line by line, each line elected: the first to be ahead by `k` votes is taken.

    MAKER (Meyerson et al. 2025, arXiv:2511.09030): a step is one call that sees the problem and the
    steps so far. Lines vote by their words, final answers by what they say. Red flags: a line that
    fills `step_tokens` or is empty has no vote, since a model that rambles is likelier wrong.
    Ballots are drawn as many at once as could decide it; after `most` of them the leader is taken.
    `workspan.search.ahead.lead_needed` gives k for a number of steps: it grows as its logarithm.
    """

    k: int = 2
    most: int = 12
    max_steps: int = 32
    step_tokens: int = 96
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="step_votes(most=3, max_steps=2, step_tokens=40)",
        source="arXiv:2511.09030",
        family="sequential",
        parameters={
            "k": "Votes by which a step must be ahead.",
            "most": "Ballots of a step, at most.",
        },
        calls="max_steps * most",
        work="max_steps * most * step_tokens",
        span="max_steps * most * step_tokens",
        is_most=True,
        helps="Long tasks of small steps that can each be said in one way: moves, sums, rules.",
        hurts="Free reasoning: no two lines read alike, so that no step is ever ahead.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, k=self.k, max_steps=self.max_steps, step_tokens=self.step_tokens)
        at_least(self.k, most=self.most)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Elect step after step until one is the answer."""
        steps: list[str] = []
        answer = None
        while len(steps) < self.max_steps and answer is None:
            try:
                step = await self._elect(problem, session, steps)
            except (BudgetExceeded, EngineError):
                if not steps:
                    raise
                break
            if step is None:
                break
            steps.append(step)
            answer = _final(step, problem)
            session.best(Candidate("\n".join(steps), answer))
        whole = "\n".join(steps)
        return await session.vote([Candidate(whole, answer)], problem.kind)

    async def _elect(self, problem: Problem, session: Session, steps: Sequence[str]) -> str | None:
        """Return the step that is ahead, None if every ballot was void.

        Raises:
            BudgetExceeded, EngineError: there was no ballot.
        """
        groups = Groups(problem.kind, session.same)
        firsts: dict[object, str] = {}
        votes: Counter[object] = Counter()
        request, cast = self._request(problem, steps), 0
        while cast < self.most:
            ahead = lead([count for _, count in votes.most_common(2)])
            if ahead >= self.k:
                break
            size = min(self.k - ahead, self.most - cast)
            try:
                ballots = await session.samples(request, size)
            except (BudgetExceeded, EngineError):
                if not votes:
                    raise
                break
            cast += size
            for step in filter(None, map(_sound, ballots)):
                answer = _final(step, problem)
                key = _words(step) if answer is None else groups.number(answer)
                firsts.setdefault(key, step)
                votes[key] += 1
        return firsts[votes.most_common(1)[0][0]] if votes else None

    def _request(self, problem: Problem, steps: Sequence[str]) -> Request:
        done = _DONE.format(steps="\n".join(steps)) if steps else ""
        asked = beside(problem.prompt, RULE.format(done=done))
        return Request(asked, max_tokens=self.step_tokens, temperature=self.temperature)


def _sound(ballot: Sample) -> str | None:
    """Return the line of a ballot that raises no red flag."""
    text = ballot.text.strip()
    return text if text and ballot.finish == "stop" else None


def _final(step: str, problem: Problem) -> str | None:
    """Return the answer that a step marks; None where it is a step on the way."""
    return extract(f"{step}\n", problem.kind, finished=False)


def _words(step: str) -> str:
    return " ".join(step.casefold().split())

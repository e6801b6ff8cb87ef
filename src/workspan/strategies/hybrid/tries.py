"""Whole answers as nodes of a search: a draft at the root, an improved answer below an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Candidate, Message, Problem, Prompt, Request
from workspan.errors import BudgetExceeded, EngineError, first_error
from workspan.strategies.reading import candidate

IMPROVE = (
    "A check gave this answer {score:.2f} of 1. {feedback}\nFind what is wrong or missing in it "
    "and write a better solution, whole, with the final answer in the same form."
)


class Tries:
    """The tries of one search and what came of them: made and judged side by side, counted once.

    A try that failed or did not fit is None; one that holds no answer scores 0 without a verdict
    being asked; one that the verifier gave no verdict has no score.
    """

    def __init__(
        self, problem: Problem, session: Session, verifier: Verifier, request: Request
    ) -> None:
        """Draw each try as `request` says, its prompt and engine aside."""
        self._problem, self._session, self._verifier = problem, session, verifier
        self._request = request
        self._errors: list[BudgetExceeded | EngineError] = []
        self.made = 0
        self.candidates: list[Candidate] = []

    @property
    def is_over(self) -> bool:
        """A try passed, or the budget refused one."""
        refused = any(isinstance(error, BudgetExceeded) for error in self._errors)
        return refused or any(c.score is not None and c.score >= 1 for c in self.candidates)

    async def expand(
        self, parents: Sequence[Candidate | None], engines: Sequence[str] = ()
    ) -> list[Candidate | None]:
        """Draw and judge one child of each parent at once; None as a parent is the root."""
        jobs = list(zip(parents, engines or [""] * len(parents), strict=True))
        self.made += len(jobs)
        drawn = await self._session.map(self._one, jobs)
        self.candidates += [one for one in drawn if one is not None]
        answered = [one for one in self.candidates if one.answer is not None]
        if answered:
            self._session.best(max(answered, key=lambda c: -1.0 if c.score is None else c.score))
        return drawn

    async def answer(self) -> Answer:
        """Return the best-scored candidate; without a single score, what most of them say."""
        if not self.candidates:
            raise first_error(self._errors)
        kind = self._problem.kind
        chosen = await self._session.leader(self.candidates, kind)
        return chosen if chosen.best else await self._session.vote(self.candidates, kind)

    async def _one(self, session: Session, job: tuple[Candidate | None, str]) -> Candidate | None:
        parent, engine = job
        prompt = self._problem.prompt if parent is None else improving(self._problem, parent)
        try:
            sample = await session.sample(replace(self._request, prompt=prompt, engine=engine))
        except (BudgetExceeded, EngineError) as error:
            self._errors.append(error)
            return None
        drawn = candidate(self._problem, sample)
        if drawn.answer is None:
            return replace(drawn, score=0.0, feedback="No final answer could be read.")
        return (await session.score(self._verifier, self._problem, [drawn]))[0]


def improving(problem: Problem, parent: Candidate) -> Prompt:
    """Ask for a better answer than `parent`, with what its check said."""
    wish = IMPROVE.format(score=parent.score or 0.0, feedback=parent.feedback)
    return (*problem.prompt, Message("assistant", parent.text), Message("user", wish))

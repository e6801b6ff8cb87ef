"""What all step-level searches share: one more step for each path, judged, and the last vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, first_error
from workspan.search.steps import DELIMITER, Path, answered


@dataclass(frozen=True, slots=True)
class Steps:
    """Grows paths by steps of at most `max_tokens` tokens."""

    problem: Problem
    session: Session
    verifier: Verifier
    max_tokens: int
    temperature: float

    async def grow(self, paths: Sequence[Path]) -> list[Path]:
        """Return the paths, in order, each open one a step longer and judged, all at once.

        Finished ones come back as they are; so do those whose step failed or did not fit.

        Raises:
            BudgetExceeded: no step fits.
            EngineError: every draw failed.
        """
        errors: list[BudgetExceeded | EngineError] = []

        async def one(session: Session, path: Path) -> Path:
            if path.is_finished:
                return path
            before = path.candidate.text
            request = Request(
                self.problem.prompt,
                before,
                self.max_tokens,
                self.temperature,
                stop=(DELIMITER,),
                logprobs="logprobs" in self.verifier.requires,
            )
            try:
                step = await session.sample(request)
            except (BudgetExceeded, EngineError) as error:
                errors.append(error)
                return path
            drawn = path.longer(step, self.problem.kind)
            is_cut = step.finish in ("budget", "deadline") and drawn.candidate.answer is None
            if is_cut and path.depth:
                return path
            if drawn.candidate.text == before:  # the model had ended: nothing new to judge
                return drawn
            scored = await session.score(self.verifier, self.problem, [drawn.candidate])
            return replace(drawn, candidate=scored[0])

        grown = await self.session.map(one, paths)
        if errors and all(path in paths for path in grown):
            raise first_error(errors)
        if leaders := answered(grown):
            self.session.best(max(leaders, key=lambda path: path.score).candidate)
        return grown

    async def vote(self, paths: Sequence[Path]) -> Answer:
        """Add up the scores of equal answers: best-of-N weighted, or a PRM-weighted majority."""
        voters = answered(paths) or [path for path in paths if path.depth]
        candidates = [path.candidate for path in voters]
        return await self.session.vote(
            candidates, self.problem.kind, [path.score for path in voters]
        )

    async def choose(self, paths: Sequence[Path]) -> Answer:
        """Take the answer that scored highest; without a single verdict, what most of them say."""
        scored = [path.candidate for path in answered(paths)]
        chosen = await self.session.leader(scored, self.problem.kind)
        return chosen if chosen.best else await self.vote(paths)

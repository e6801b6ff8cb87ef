"""Refinement through critical conversation: parents and their feedback in, one child out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workspan.core.session import Session, Verifier
from workspan.data.types import Candidate, Message, Problem, Prompt, Request
from workspan.strategies.reading import candidate

AUTHOR = "Refined solution:"
CRITIC = (
    "First speak as a critic: go through what the evaluator says of the solutions above, and "
    "propose how to set each point right and what to keep of which solution. Then speak as the "
    f"author: after a line '{AUTHOR}' write one new solution, whole, in the form asked for."
)
PLAIN = (
    "Write one new solution that is better than those above, whole, in the form asked for, after a "
    f"line '{AUTHOR}'."
)
CHOOSE = (
    "Choose {size} of the solutions above that are good and as different from one another as they "
    "can be. Reply with their numbers only, separated by spaces."
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """How children are asked for; the switches are the ablations of arXiv:2501.09891, table 5."""

    problem: Problem
    verifier: Verifier
    request: Request
    retries: int
    critic: bool
    feedback: bool
    questions: str

    async def turn(self, session: Session, parents: Sequence[Candidate]) -> Candidate:
        """Ask for a child until one can be read, at most `retries` times, and have it judged.

        Raises:
            BudgetExceeded, EngineError: not even one call went through.
        """
        prompt = self.problem.prompt if not parents else self.prompt(parents)
        tries = 0
        while True:
            sample = await session.sample(replace(self.request, prompt=prompt))
            solution = sample.text.rpartition(AUTHOR)[2].removeprefix("**").strip()
            child = candidate(self.problem, replace(sample, text=solution))
            if child.answer is not None:
                child = (await session.score(self.verifier, self.problem, [child]))[0]
            tries += 1
            if tries == self.retries or (child.answer is not None and child.score != 0):
                return child

    def prompt(self, parents: Sequence[Candidate]) -> Prompt:
        """Lay out the parents with what the evaluator says of each, then ask for a child."""
        wish = CRITIC if self.critic else PLAIN
        parts = [self.show(i + 1, parent) for i, parent in enumerate(parents)]
        text = "\n\n".join(part for part in (*parts, self.questions, wish) if part)
        return (*self.problem.prompt, Message("user", text))

    def show(self, number: int, parent: Candidate) -> str:
        """Show one solution, its score and, unless switched off, its textual feedback."""
        score = "no score" if parent.score is None else f"{parent.score:.2f} of 1"
        said = f"\nThe evaluator says: {parent.feedback}" if self.feedback else ""
        return f"Solution {number} ({score}):\n{parent.answer}{said}"

    def choice(self, pool: Sequence[Candidate], size: int) -> Prompt:
        """Lay out a pool and ask for `size` good and different ones."""
        shown = "\n\n".join(self.show(i + 1, each) for i, each in enumerate(pool))
        wish = CHOOSE.format(size=size)
        return (*self.problem.prompt, Message("user", f"{shown}\n\n{wish}"))

"""Thoughts: one step of a solution each; a state is the text of all steps so far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from workspan.answers import extract
from workspan.core.session import Session
from workspan.data.types import Candidate, Message, Problem, Prompt, Request
from workspan.errors import BudgetExceeded, EngineError
from workspan.strategies.reading import candidate

PROPOSE = (
    "Do not write the whole solution. Propose up to {k} different next steps that could follow, "
    "each on a line of its own, and nothing else."
)
SAMPLE = "Do not write the whole solution, only its next step."
LAST = " A step that completes it ends with: Answer: <answer>"
FINISH = "Complete the solution from here, with the final answer in the form that was asked for."
_BULLET = re.compile(r"(?:[-*•]|\d{1,3}[.)])\s+")

Generate = Literal["propose", "sample"]


@dataclass(frozen=True)
class Thinker:
    """Grows states of one problem; a state that marks an answer is complete."""

    problem: Problem
    request: Request
    """How thoughts are drawn, the prompt aside."""
    answer_tokens: int
    """Cap of the call that completes a state."""
    generate: Generate
    """propose: one call lists thoughts, a line each; sample: each thought is a call."""
    k: int

    async def children(self, session: Session, states: Sequence[Candidate]) -> list[Candidate]:
        """Grow up to k children of each state, all at once; those of failed calls are missing."""
        return [child for grown in await session.map(self._grow, states) for child in grown]

    async def finish(self, session: Session, state: Candidate) -> Candidate:
        """Write the rest of the solution in one call."""
        prompt = self._ask(state, FINISH)
        request = replace(self.request, prompt=prompt, max_tokens=self.answer_tokens)
        return candidate(self.problem, await session.sample(request), state.text)

    async def _grow(self, session: Session, state: Candidate) -> list[Candidate]:
        draw = partial(replace, self.request)
        try:
            if self.generate == "sample":
                request = draw(prompt=self._ask(state, SAMPLE + LAST))
                texts = [s.text for s in await session.samples(request, self.k)]
            else:
                request = draw(prompt=self._ask(state, PROPOSE.format(k=self.k) + LAST))
                texts = (await session.sample(request)).text.splitlines()
        except (BudgetExceeded, EngineError):
            return []
        steps = [_BULLET.sub("", text.strip(), count=1).strip() for text in texts]
        kept = [step for step in dict.fromkeys(steps) if any(map(str.isalnum, step))][: self.k]
        return [self._state(f"{state.text}{step}\n") for step in kept]

    def _state(self, text: str) -> Candidate:
        is_open = self.problem.kind == "open"  # any text would be its answer
        return Candidate(
            text, None if is_open else extract(text, self.problem.kind, finished=False)
        )

    def _ask(self, state: Candidate, wish: str) -> Prompt:
        *before, last = self.problem.prompt
        if not state.text:
            return (*before, last.plus(f"\n\n{wish}"))
        return (*before, last, Message("assistant", state.text), Message("user", wish))

"""A chain of thought of a wanted length: cut at a cap, carried on past an early end."""

from __future__ import annotations

from dataclasses import dataclass

from workspan.core.session import Session
from workspan.data.types import Candidate, Problem, Request
from workspan.errors import BudgetExceeded, EngineError
from workspan.strategies.reading import candidate

_NOTHING = Candidate("", None)


@dataclass(frozen=True, slots=True)
class Thinking:
    """How long to think: `limit` tokens at most, the nudges not counted, as no model wrote them."""

    limit: int
    temperature: float
    waits: int = 0
    """Ends that are answered with `nudge`."""
    nudge: str = "\nWait"
    minimum: int = 0
    """Tokens before which every end is answered, unless the model adds nothing."""
    end: str = ""
    """What ends the thinking; the end of the turn if empty."""

    async def draw(self, problem: Problem, session: Session) -> Candidate:
        """Think until the end is allowed; what a refused call would have added is left out.

        Raises:
            BudgetExceeded: not even a first token fits.
            EngineError: the first call failed.
        """
        thought, spent, wait = _NOTHING, 0, 0
        stop = (self.end,) if self.end else ()
        while True:
            before = thought.text + self.nudge if wait else ""
            request = Request(
                problem.prompt, before, self.limit - spent, temperature=self.temperature, stop=stop
            )
            try:
                step = await session.sample(request)
            except (BudgetExceeded, EngineError):
                if not wait:
                    raise
                return thought
            thought = candidate(problem, step, before)
            spent += step.usage.output_tokens
            is_short = spent < self.minimum and bool(step.text.strip())
            if step.finish != "stop" or spent >= self.limit or not (wait < self.waits or is_short):
                return thought
            wait += 1

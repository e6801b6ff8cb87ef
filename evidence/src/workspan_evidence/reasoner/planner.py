"""The reasoner in a conversation: any strategy can have its plans proposed, mended and mixed.

Strategies show a model the problem, plans and what an evaluator says of them, in words. The weights
read one grammar. So a prompt is looked through for what the model needs: the problem, the plans
after it, and the clashes that are named; without a plan one is proposed, one whose clash is named
is mended, and of others two are mixed, or one with itself. Chance comes from the request's seed.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from random import Random

from workspan.core.engine import Bill, Capability, EngineInfo
from workspan.data.types import Chunk, Message, Request
from workspan.errors import EngineRejected, InputError
from workspan_evidence.families.planning import Plan, PlanInstance, read_plan, read_problem
from workspan_evidence.grammar import encode
from workspan_evidence.reasoner.engine import Reasoner

NAME = "planning"
"""The weights that plan."""

_PLAN = re.compile(r"(?:n\d{1,2} )+= (?:ok|bad|\?)")
_CLASH = re.compile(r"\bclash (n\d{1,2}) (n\d{1,2})\b")
_STATEMENT = re.compile(r"<s> plan ; [^:]{1,4000}steps : n\d{1,2}")


class Planner:
    """The reasoner's planning weights behind any prompt that holds one of their problems.

    The bill is in tokens of the grammar: what the model read and wrote.
    """

    def __init__(self, reasoner: Reasoner) -> None:
        self._reasoner = reasoner

    @property
    def info(self) -> EngineInfo:
        """What stands behind it; a prompt in words can't be continued in the grammar."""
        kept: frozenset[Capability] = frozenset({"logprobs", "seed"})
        return replace(self._reasoner.info, name="reasoner, as a planner", capabilities=kept)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one plan; see `Engine.stream`.

        Raises:
            EngineRejected: the prompt holds no problem.
        """
        async for chunk in self._reasoner.stream(self._asked(request), bill):
            yield chunk

    async def count(self, request: Request) -> int:
        """Return the tokens of the prompt that the model will read."""
        return await self._reasoner.count(self._asked(request))

    async def aclose(self) -> None:
        """Close the engine behind it."""
        await self._reasoner.aclose()

    def _asked(self, request: Request) -> Request:
        text = "\n".join(turn.text for turn in request.prompt)
        found = _STATEMENT.search(text)
        try:
            problem = read_problem(found[0] if found else "")
        except InputError as error:
            raise EngineRejected(f"a planner's prompt holds a timetable: {error}") from None
        said = text[found.end() if found else 0 :]
        prompt = (Message("user", _role(problem, said, Random(request.seed)).text),)
        return replace(request, prompt=prompt)


def _role(problem: PlanInstance, said: str, rng: Random) -> PlanInstance:
    """Make what was said the prompt of one of the three roles."""
    read = (read_plan(problem, encode(text)) for text in _PLAN.findall(said))
    plans = list(dict.fromkeys(plan for plan in read if plan is not None))
    if not plans:
        return problem
    if len(plans) == 1:
        named = _blamed(problem, plans[0], said)
        if named:
            return problem.revising(plans[0], rng.choice(named))
        return problem.recombining(plans[0], plans[0])
    one, other = rng.sample(plans, 2)
    return problem.recombining(one, other)


def _blamed(problem: PlanInstance, plan: Plan, said: str) -> list[tuple[int, int]]:
    """Return the clashes that are named and that the plan has, either item first."""
    violated = set(problem.violated(plan))
    names = {f"n{item}": place for place, item in enumerate(problem.items)}
    pairs = [(names.get(a, -1), names.get(b, -1)) for a, b in _CLASH.findall(said)]
    both = [pair for a, b in pairs for pair in ((a, b), (b, a))]
    return sorted({(a, b) for a, b in both if (a, b) in violated or (b, a) in violated})

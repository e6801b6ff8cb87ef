"""A simulated planner: it proposes plans by chance and follows feedback as often as it is told to.

No language model is here. It stands in for one where a mechanism is studied: what a strategy gains
from an evaluator's feedback, as the share of it that is followed goes from 0 to 1.
"""

from __future__ import annotations

import random
import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from anyio.lowlevel import checkpoint

from workspan.core.engine import FREE, Bill, Capability, EngineInfo
from workspan.data.types import Chunk, Problem, Request, Usage
from workspan.errors import EngineRejected
from workspan.planning import Instance, read
from workspan_evidence.simulated._moves import Moves, moves_for

_TRIES = 30
"""Edits tried in search of one that sets a violation right."""

_TOKEN = re.compile(r"\S+\s*")
_LIST = re.compile(r"\bSolution (\d{1,4}) \(")


@dataclass
class SimulatedPlanner:
    """An engine that plans; a word is a token. It keeps its own bill, to compare accounts with.

    It knows a problem by its last turn, wherever that stands in a prompt. Without a plan after it,
    a draft is drawn; with one, that plan is edited, and with several, two are recombined first.
    For each violation of the plan at hand that the prompt names, it looks with probability
    `follows` for an edit that sets it right; where it attends to none, it edits at random. An edit
    may break what was right. All chance comes from the request's seed and the problem.
    """

    problems: Mapping[str, Instance]
    """The instance for the text of each problem's last turn; see `of`."""
    follows: float = 0.8
    """Probability that a violation which the prompt names is attended to."""
    skill: float = 0.5
    """Probability that a single choice in a draft is a sensible one."""
    billed: Usage = field(default_factory=Usage)
    requests: list[Request] = field(default_factory=list)

    @classmethod
    def of(
        cls, problems: Iterable[Problem], *, follows: float = 0.8, skill: float = 0.5
    ) -> SimulatedPlanner:
        """Make a planner for problems that carry their instances.

        Raises:
            InputError: one does not.
        """
        known = {problem.prompt[-1].text: read(problem.metadata) for problem in problems}
        return cls(known, follows, skill)

    @property
    def info(self) -> EngineInfo:
        """Say that this is no model."""
        seeded: frozenset[Capability] = frozenset({"seed"})
        model = f"simulated planner (no model), follows {self.follows:g}, skill {self.skill:g}"
        return EngineInfo(
            "simulated planner (no model)",
            model,
            capabilities=seeded,
            price=FREE,
            concurrency=1000,
        )

    async def count(self, request: Request) -> int:
        """Count words."""
        return sum(len(message.text.split()) for message in request.prompt)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Stream the plan, a word with the space behind it at a time.

        Raises:
            EngineRejected: the prompt holds no problem that the planner knows.
        """
        words = _TOKEN.findall(self.answer(request))
        self.requests.append(request)
        self._charge(bill, Usage(1, await self.count(request)))
        for word in words[: request.max_tokens]:
            self._charge(bill, Usage(output_tokens=1))
            yield Chunk(word)
        await checkpoint()
        yield Chunk(finish="length" if len(words) > request.max_tokens else "stop")

    async def aclose(self) -> None:
        """Nothing to give back."""

    def answer(self, request: Request) -> str:
        """Return the whole text that answers a request.

        Raises:
            EngineRejected: as `stream`.
        """
        statement, said = self._recognise(request)
        instance = self.problems[statement]
        rng = random.Random(f"{request.seed} {statement}")  # runs of one seed differ by problem
        if "numbers only" in said:  # it is asked to choose among solutions, not for a plan
            listed = [*dict.fromkeys(_LIST.findall(said))]
            return " ".join(rng.sample(listed, len(listed)))
        moves = moves_for(instance)
        parents = [*dict.fromkeys(moves.read(said))]
        if not parents:
            return moves.write(moves.draft(rng, self.skill))
        plan = rng.choice(parents)
        if len(parents) > 1:
            plan = moves.cross(plan, rng.choice([p for p in parents if p != plan]), rng)
        return moves.write(self._revised(instance, moves, plan, said, rng))

    def _recognise(self, request: Request) -> tuple[str, str]:
        """Return the problem's statement and all that is said after it."""
        text = "\n\n".join(m.text for m in request.prompt if m.role != "system")
        for statement in self.problems:
            _, found, after = text.partition(statement)
            if found:
                return statement, after
        raise EngineRejected("the simulated planner knows no problem in this prompt")

    def _revised(
        self, instance: Instance, moves: Moves[Any], plan: Any, said: str, rng: random.Random
    ) -> Any:
        """Attend to some of the violations that are named, or else change anything."""
        named = [v for v in instance.evaluate(moves.write(plan)).violations if v in said]
        attended = [violation for violation in named if rng.random() < self.follows]
        for violation in attended:
            for _ in range(_TRIES):
                child = moves.edit(plan, rng)
                after = instance.evaluate(moves.write(child)).violations
                if not moves.persists(violation, after):
                    plan = child
                    break
        return plan if attended else moves.edit(plan, rng)

    def _charge(self, bill: Bill, usage: Usage) -> None:
        bill.usage += usage
        self.billed += usage

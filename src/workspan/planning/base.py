"""What an evaluator says of a plan, and how an instance travels with its problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

from workspan.data.content import JsonObject

LONGEST = 20_000
"""Characters of a text that are read for a plan; the rest is ignored."""

UNREADABLE = "No plan could be read."
"""Begins the feedback on every text that holds no plan."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good a plan is and what is wrong with it."""

    score: float
    """In [0, 1]: 1 exactly where the plan is a solution, 0 exactly where no plan can be read."""
    raw: float
    """The form's own unit, in which higher is better: see its `evaluate`."""
    violations: tuple[str, ...] = ()
    """One sentence for each violated constraint, in the plan's order."""
    plan: str = ""
    """The plan as the evaluator read it, in the answer form; equal for equal plans."""

    @property
    def solved(self) -> bool:
        """Tell whether the plan is a solution."""
        return self.score == 1.0

    @property
    def is_readable(self) -> bool:
        """Tell whether a plan was found at all."""
        return bool(self.plan)

    @property
    def feedback(self) -> str:
        """Say all of it in words that a model can act on."""
        if not self.violations:
            return "The plan satisfies every constraint."
        if not self.is_readable:
            return f"{UNREADABLE} {' '.join(self.violations)}"
        count = f"{len(self.violations)} constraint{'s' * (len(self.violations) > 1)}"
        listed = "\n".join(f"- {said}" for said in self.violations)
        return f"The plan violates {count}:\n{listed}"


class Instance(Protocol):
    """One planning problem: its constraints, without a solution."""

    form: ClassVar[str]

    def evaluate(self, text: str) -> Evaluation:
        """Read a plan from a model's text and judge it. Never raises, whatever the text is."""
        ...


def unreadable(raw: float, wanted: str) -> Evaluation:
    """Return the evaluation of a text without a plan; `wanted` says what one looks like."""
    return Evaluation(0.0, raw, (wanted,))


def penalised(violations: Sequence[str], plan: str) -> Evaluation:
    """Return the evaluation of a plan that loses 1 for each violation: score 1 / (1 + number)."""
    return Evaluation(1 / (1 + len(violations)), -float(len(violations)), tuple(violations), plan)


def dump(instance: Any) -> JsonObject:
    """Write an instance, a dataclass, as `Problem.plan`."""
    return JsonObject.of({"form": instance.form, **asdict(instance)})

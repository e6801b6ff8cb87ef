"""The demonstration's problems: hard enough for a small model to fail at, easy enough to solve.

SmolLM2-135M-Instruct (Q4_1, on OpenVINO) at temperature 0.7, 60 problems of seed 1000 with 8
samples each, on 2026-11-23: a sample is right in 0.43 of the cases, the vote of 8 in 0.60, any of 8
in 0.82, at 27 tokens a sample. Chosen among sums of 2, 3, 4 and 6 digits (0.85, 0.42, 0.18 and 0.03
of 320 samples right) for lying between 0 and 1; no strategy was looked at for the choice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from workspan.data.types import Message
from workspan.tasks.base import Task
from workspan.tasks.procedural import SOURCE, procedural

SPEC = "chain_sum(min_terms=3, max_terms=3, min_digits=1, max_digits=1)"

_DRAWN = 8
"""Sums drawn for one that is kept: differences, and sums with a nought, are left out."""

_WORKED = {
    "3 + 6 + 2": "3 + 6 = 9. 9 + 2 = 11.\nAnswer: 11",
    "8 + 1 + 5": "8 + 1 = 9. 9 + 5 = 14.\nAnswer: 14",
    "4 + 7 + 5": "4 + 7 = 11. 11 + 5 = 16.\nAnswer: 16",
}
"""Earlier turns of the conversation: they show the form, and that a step at a time helps."""


@dataclass(frozen=True, slots=True)
class Demo:
    """The demonstration's task set."""

    name: str = "demo"
    summary: str = "sums of three digits after three worked examples, in reach of the small model"
    source: str = SOURCE

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Make `limit` tasks; raises as `Procedural.load` does."""
        several = None if limit is None else limit * _DRAWN
        plain = replace(procedural(SPEC), asking="").load(several, seed)
        sums = [task for task in plain if not re.search(r"-|\b0\b", _question(task))]
        return [
            replace(task, problem=replace(task.problem, prompt=_prompt(task)))
            for task in sums[:limit]
        ]


def _question(task: Task) -> str:
    return task.problem.prompt[-1].text.rsplit(":", 1)[-1].strip(" =\n")


def _prompt(task: Task) -> tuple[Message, ...]:
    turns = []
    for asked, worked in _WORKED.items():
        turns += [Message("user", f"What is {asked}?"), Message("assistant", worked)]
    return (*turns, Message("user", f"What is {_question(task)}?"))

"""The demonstration's problems: hard enough for a small model to fail at, easy enough to solve.

Provisional. SmolLM2-135M-Instruct (Q4_1) on OpenVINO at temperature 0.7 and at most 192 tokens, on
2026-11-23, n problems x samples each, prompts without an instruction to mark the answer:

    set                                          n x m    single  vote  any right  tokens  answered
    aiw(max_entities=3)                          12 x 4    0.21   0.33    0.50       115      0.71
    number_format, 2-3 numbers                   12 x 4    0.19   0.25    0.58        82      0.77
    products, 1-2 digits                         12 x 4    0.08   0.00    0.33        81      0.79
    chain_sum, 3 terms of 1 digit                12 x 4    0.04   0.00    0.17        50      0.94
    basic_arithmetic, 2-3 terms of 1 digit       12 x 4    0.02   0.08    0.08       110      0.73
    simple_equations, numbers to 10              12 x 4    0.02   0.00    0.08       145      0.50
    leg_counting, 1-2 animals                    12 x 4    0.00   0.00    0.00        89      0.73
    needle_haystack, 2-6 statements              12 x 4    0.00   0.00    0.00       109      0.67

None is at 0.3 or more, and 12 problems tell no two of the upper rows apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from workspan.tasks.base import Task
from workspan.tasks.procedural import SOURCE, procedural

SPEC = "aiw(max_entities=3)"


@dataclass(frozen=True, slots=True)
class Demo:
    """The demonstration's task set."""

    name: str = "demo"
    summary: str = "family riddles that the embedded model gets right now and then"
    source: str = SOURCE

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Make `limit` tasks; raises as `Procedural.load` does."""
        return replace(procedural(SPEC), asking="").load(limit, seed)

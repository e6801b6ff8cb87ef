"""How probable a model holds each of the answers that a problem names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from workspan.core.session import Session
from workspan.data.types import Problem, Request, Sample
from workspan.errors import BudgetExceeded, EngineError, InputError
from workspan.search.choices import meant

_ROUNDING = 1e-3
"""How far above 0 a log-probability may be by rounding."""


def choices_of(problem: Problem) -> tuple[str, ...]:
    """Return the answers that a problem names: ``metadata["choices"]``, one a line.

    Raises:
        InputError: it names fewer than two.
    """
    lines = [line.strip() for line in problem.metadata.get("choices", "").splitlines()]
    named = tuple(dict.fromkeys(line for line in lines if line))
    if len(named) < 2:
        raise InputError(
            f"the problem {problem.id!r} does not name two answers to choose from: give them, one "
            'a line, as metadata["choices"], or to the strategy as choices=[...]'
        )
    return named


async def probabilities(
    session: Session, ask: Request, choices: Sequence[str], draws: int, steps: int
) -> dict[str, float]:
    """Return the probability that the continuation of `ask` begins one candidate and no other.

    Engines score what they draw and not what they are given. So `draws` single tokens are drawn,
    and each different one counts once, with the model's own probability of it: that is exact for
    a beginning that was drawn, and 0 stands for the others. Where a token begins several
    candidates, the next one is drawn after it, the most probable such beginning first, `steps`
    times in all. What the budget or a failed call does not allow is left out.
    """
    found = dict.fromkeys(choices, 0.0)
    shared = {"": 1.0}
    for _ in range(steps):
        if not shared:
            break
        said = max(shared, key=lambda text: shared[text])
        mass = shared.pop(said)
        try:
            drawn = await session.samples(_after(ask, said), draws)
        except (BudgetExceeded, EngineError):
            break
        for (text, is_end), probability in _distinct(drawn).items():
            now = said + text
            left = meant(now + "\n" if is_end else now, choices)
            if len(left) == 1:
                found[left[0]] += mass * probability
            elif left and text and not is_end:
                shared[now] = mass * probability
    return found


def _after(ask: Request, said: str) -> Request:
    return Request(
        ask.prompt, ask.prefix + said, max_tokens=1, temperature=1.0, logprobs=True, top_p=1.0
    )


def _distinct(samples: Iterable[Sample]) -> dict[tuple[str, bool], float]:
    """Return the probability of each different token, and whether it ends the turn."""
    told: dict[tuple[str, bool], float] = {}
    for sample in samples:
        if sample.logprobs and sample.logprobs[0] < _ROUNDING:  # else it is NaN, or no logarithm
            probability = math.exp(min(0.0, sample.logprobs[0]))
            told.setdefault((sample.text, sample.finish == "stop"), probability)
    return told

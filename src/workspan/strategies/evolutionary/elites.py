"""Who lives on a reset island: the model picks among the best of all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from workspan.session import Session
from workspan.strategies.evolutionary.conversation import Conversation
from workspan.types import Candidate


async def choose(
    elites: Sequence[Candidate], top: int, talk: Conversation, session: Session
) -> list[Candidate]:
    """Let the model pick `top` elites that differ; what it leaves open is filled with the best.

    Raises:
        BudgetExceeded, EngineError: it could not be asked.
    """
    prompt = talk.choice(elites, top)
    asked = replace(talk.request, prompt=prompt, max_tokens=64, temperature=0.0)
    said = (await session.sample(asked)).text
    named = [int(number) - 1 for number in re.findall(r"\d{1,4}", said)]
    order = dict.fromkeys([i for i in named if 0 <= i < len(elites)] + [*range(len(elites))])
    return [elites[i] for i in order][:top]

"""Who lives on a reset island: the model picks among the best of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workspan.core.session import Session
from workspan.data.types import Candidate
from workspan.strategies.chosen import choices
from workspan.strategies.evolutionary.conversation import Conversation
from workspan.verifiers.spoken import is_whole


async def choose(
    elites: Sequence[Candidate], top: int, talk: Conversation, session: Session
) -> list[Candidate]:
    """Let the model pick `top` elites that differ; what it leaves open is filled with the best.

    Raises:
        BudgetExceeded, EngineError: it could not be asked.
    """
    prompt = talk.choice(elites, top)
    reply = await session.sample(replace(talk.request, prompt=prompt, temperature=0.0))
    named = choices(reply.text, len(elites)) if is_whole(reply) else []
    order = dict.fromkeys([*named, *range(len(elites))])
    return [elites[i] for i in order][:top]

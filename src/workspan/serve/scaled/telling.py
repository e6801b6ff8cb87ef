"""The object `workspan` of a reply: what was spent, what decided, and what its reader must know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from workspan.answers.voting import calls_tools
from workspan.data.types import Sample
from workspan.legible import counted
from workspan.protocol.chat_reply import Turn
from workspan.runner import Result
from workspan.serve.scaled.plan import Plan

_MAY_WELL_BE_ALIKE = 64
"""Tokens of drafts that agree to the letter without anything being odd, as calls of tools do."""
_SHOWN = 400
"""Characters of a candidate's answer that an explanation quotes."""


def told(
    plan: Plan,
    result: Result,
    turns: Sequence[Turn],
    drawn: Mapping[str, Sample],
    engine: str,
    *,
    explains: bool,
) -> dict[str, Any]:
    """Say how a reply was made.

    Args:
        plan: how it was to be.
        result: how it went.
        turns: the choices.
        drawn: all that was drawn, by key.
        engine: the upstream's name.
        explains: each candidate, vote and call is told, too.
    """
    usage = result.usage
    members = Counter(call.member for call in result.trace if call.member)
    said: dict[str, Any] = {
        "work": result.work,
        "span": result.span,
        "calls": usage.calls,
        "cost": None if usage.cost is None else float(usage.cost),
        "source": usage.source,
        "stop": result.stop,
        "strategy": plan.name,
        "engine": next(iter(members)) if len(members) == 1 else engine,
        "overrun": result.overrun,
        "kind": plan.kind.name,
        "rule": plan.rule,
        "tied": result.answer.tied,
        "notices": [*plan.notices, *_notices(plan, result, turns, drawn)],
    }
    if len(members) > 1:
        said["members"] = dict(members)
    if result.answer.certified is not None:
        said["certified"] = result.answer.certified
    return said | (_explained(result, drawn) if explains else {})


def _notices(
    plan: Plan, result: Result, turns: Sequence[Turn], drawn: Mapping[str, Sample]
) -> list[str]:
    longest = max((one.usage.output_tokens for one in drawn.values()), default=0)
    found = [
        notice.text
        for notice in result.notices
        if notice.code != "alike" or longest > _MAY_WELL_BE_ALIKE
    ]
    if eaten := sum(_is_eaten(sample) for sample in drawn.values()):
        found.append(
            f"thinking took all of the tokens of {eaten} of {counted(len(drawn), 'draft')}, and "
            "left none for an answer: raise max_completion_tokens, or cap max_reasoning_tokens"
        )
    most = plan.request.max_reasoning_tokens
    over = sum(one.usage.reasoning_tokens > most for one in drawn.values()) if most else 0
    if over:
        found.append(
            f"{counted(over, 'draft')} thought for more than the cap of "
            f"{counted(most or 0, 'token')}"
        )
    if plan.kind.name in ("structured", "tools") and drawn and result.answer.best is None:
        found.append("no draft was valid, so that none had a vote: the first whole one was taken")
    elif drawn and result.answer.best is None and result.answer.votes:
        found.append("the strategy abstained: its votes were not sure enough for any draft")
    if plan.request.logprobs and any(turn.scored is None for turn in turns):
        found.append("log-probabilities were asked for, and the engine gave none with its tokens")
    return list(dict.fromkeys(found))


def _is_eaten(sample: Sample) -> bool:
    """Say whether a draft ended within its thinking."""
    says = sample.text.strip() or sample.tool_calls or sample.refusal
    return bool(sample.reasoning and not says and sample.finish != "stop")


def _explained(result: Result, drawn: Mapping[str, Sample]) -> dict[str, Any]:
    candidates = [
        {
            "key": one.key,
            "answer": None if one.answer is None else one.answer[:_SHOWN],
            "calls_tools": calls_tools(one),
            "score": one.score,
            "finish": drawn[one.key].finish if one.key in drawn else None,
            "tokens": drawn[one.key].usage.output_tokens if one.key in drawn else None,
        }
        for one in result.answer.candidates
    ]
    votes = [
        {"answer": vote.answer[:_SHOWN], "weight": vote.weight} for vote in result.answer.votes
    ]
    steps = [
        {
            "key": call.key,
            "start": call.start,
            "tokens": call.usage.output_tokens,
            "outcome": call.outcome,
            "began": round(call.began, 4),
            "ended": round(call.ended, 4),
        }
        for call in result.trace
    ]
    overruns = {name: float(value) for name, value in result.overruns.items()}
    return {"candidates": candidates, "votes": votes, "steps": steps, "overruns": overruns}

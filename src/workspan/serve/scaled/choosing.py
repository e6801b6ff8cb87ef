"""From a finished run to the choices of a reply: whole turns, as the model said them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workspan.answers import canonical, structured
from workspan.answers.voting import by_field, calls_tools, plurality
from workspan.core.journal import Journal
from workspan.data.content import JsonObject
from workspan.data.types import Answer, Candidate, Message, Sample
from workspan.protocol.chat_reply import DETAILS, Turn
from workspan.protocol.details import merged
from workspan.runner import Result
from workspan.serve.scaled.plan import Plan
from workspan.serve.scaled.watching import Watch


def samples(journal: Journal) -> dict[str, Sample]:
    """Return all that was drawn, by the keys of the calls, in the order in which it ended."""
    return {one.key: one.sample for one in journal.entries if one.sample is not None}


def chosen(result: Result, plan: Plan, drawn: Mapping[str, Sample]) -> list[Candidate]:
    """Return the candidates that stand for the choices, best first.

    Distinct ones come first, by their votes; where there are fewer than choices, equal ones follow.
    Where nothing had a vote, the best that was said stands for an answer: it was paid for.
    """
    answer = _by_fields(result.answer, plan)
    found = _ranked(answer, plan) or _unvoted(answer, drawn)
    rest = [one for one in answer.candidates if not any(one is other for other in found)]
    return [*found, *rest][: plan.n]


def turn_of(candidate: Candidate, plan: Plan, drawn: Mapping[str, Sample], watch: Watch) -> Turn:
    """Return what a candidate stands for, verbatim: never the answer that was read from it."""
    sample = drawn.get(candidate.key)
    name = watch.names.get(candidate.key, "reasoning_content")
    scored = None
    if plan.request.logprobs and (told := watch.scored.get(candidate.key)):
        scored = tuple(told)
    if sample is not None and (candidate.turn is not None or candidate.text == sample.text):
        message = replace(sample.message, reasoning_name=name)
        if details := merged(watch.details.get(candidate.key, ())):
            message = replace(
                message, extra=JsonObject.of({**message.extra.value, DETAILS: details})
            )
        return Turn(message, sample.finish, scored)
    if candidate.turn is not None:
        return Turn(candidate.turn)
    return Turn(Message("assistant", candidate.text), "stop" if sample is None else sample.finish)


def _ranked(answer: Answer, plan: Plan) -> list[Candidate]:
    """Return one candidate for each answer, the chosen one first, the others by their votes."""
    if answer.best is None:
        return []
    found, rest = [answer.best], list(answer.candidates)
    while len(found) < plan.n:
        rest = [one for one in rest if one.answer is not None and not _same(one, found[-1], plan)]
        best = plurality(rest, plan.problem.kind).best
        if best is None:
            break
        found.append(best)
    return found


def _same(a: Candidate, b: Candidate, plan: Plan) -> bool:
    if calls_tools(a) is not calls_tools(b) or a.answer is None or b.answer is None:
        return False
    if calls_tools(a) or a.answer == b.answer:
        return a.answer == b.answer
    kind = plan.problem.kind
    return canonical(a.answer, kind, _SECONDS) == canonical(b.answer, kind, _SECONDS)


_SECONDS = 2.0


def _unvoted(answer: Answer, drawn: Mapping[str, Sample]) -> list[Candidate]:
    """Return what was drawn where nothing of it had a vote: what ended by itself first."""
    known = {one.key: one for one in answer.candidates}
    order = sorted(drawn.values(), key=_rank)
    return [
        known.get(one.key) or Candidate(one.text, None, key=one.key, turn=one.message)
        for one in order
    ]


def _rank(sample: Sample) -> tuple[bool, bool]:
    """Put what says something first, and of that what ended by itself."""
    says = bool(sample.text or sample.tool_calls or sample.refusal)
    return not says, sample.finish != "stop"


def _by_fields(answer: Answer, plan: Plan) -> Answer:
    """Where all structured drafts differ, take the one that agrees with most fields of the vote."""
    valid = [one for one in answer.candidates if one.answer is not None and not calls_tools(one)]
    is_split = len(answer.votes) > 1 and answer.votes[0].weight <= 1 and len(valid) > 2
    is_voted = plan.problem.kind == "json" and answer.best is not None
    if not is_voted or not is_split or (answer.best is not None and calls_tools(answer.best)):
        return answer
    merged = by_field(valid).best
    if merged is None or merged.answer is None:
        return answer
    wanted = dict(_leaves(structured.value_of(merged.answer)))
    best = max(valid, key=lambda one: _agreement(one, wanted))  # the first of equals
    return replace(answer, best=best, tied=False)


def _agreement(candidate: Candidate, wanted: Mapping[str, object]) -> int:
    said = _leaves(structured.value_of(candidate.answer or "null"))
    return sum(wanted.get(place) == key for place, key in said)


def _leaves(value: Any, place: str = "") -> Sequence[tuple[str, object]]:
    """Return what stands at each place of an object; lists are wholes, as in the vote."""
    if isinstance(value, dict):
        return [leaf for name, one in value.items() for leaf in _leaves(one, f"{place}/{name}")]
    return [(place, structured.value_key(value))]

"""Votes over candidates: who leads, by how much, and who only shares the lead. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

from workspan.answers import canonical, is_cut
from workspan.data.types import Answer, AnswerKind, Candidate, Tally

_ABSENT = object()


def plurality(
    candidates: Sequence[Candidate],
    kind: AnswerKind,
    weights: Sequence[float] | None = None,
    limit: Callable[[], float] | None = None,
) -> Answer:
    """Return the answer with the most weight; equivalent answers count together.

    Where some call tools and others don't, that is voted on first; then come the answers of those
    that won. A candidate without an answer does not vote, so "no answer" never wins. A tie goes to
    the answer drawn first and is marked; the winner's first candidate, by draw order, stands for
    it.

    Args:
        candidates: in draw order.
        kind: how answers are compared.
        weights: one for each candidate, at least 0; 1 each if None.
        limit: says how many seconds are left; what was not compared by then counts as different.
    """
    weights = [1.0] * len(candidates) if weights is None else weights
    groups, uncompared = _groups(candidates, kind, limit)
    leaders: dict[int, Candidate] = {}
    totals: dict[int, float] = {}
    forms: dict[bool, float] = {}
    for candidate, weight in zip(candidates, weights, strict=True):
        if candidate.answer is not None:
            group = groups[calls_tools(candidate), candidate.answer]
            leaders.setdefault(group, candidate)
            totals[group] = totals.get(group, 0.0) + weight
            form = calls_tools(candidate)
            forms[form] = forms.get(form, 0.0) + weight
    first = max(forms, key=lambda form: forms[form], default=False)
    is_behind = {group: calls_tools(one) is not first for group, one in leaders.items()}
    order = sorted(totals, key=lambda group: (is_behind[group], -totals[group], group))
    votes = tuple(Tally(leaders[group].answer or "", totals[group]) for group in order)
    same_form = [totals[group] for group in order if not is_behind[group]]
    tied = len(same_form) > 1 and same_form[0] == same_form[1]
    tied = tied or len(set(forms.values())) < len(forms)
    best = leaders[order[0]] if order else None
    return Answer(best, tuple(candidates), votes, tied, uncompared=uncompared)


def calls_tools(candidate: Candidate) -> bool:
    """Say whether a candidate wishes that tools be called."""
    return candidate.turn is not None and bool(candidate.turn.tool_calls)


def by_field(
    candidates: Sequence[Candidate],
    weights: Sequence[float] | None = None,
) -> Answer:
    """Return the JSON object whose every member has the most weight among the candidates'.

    A member that most leave out is left out. Objects inside are voted on in the same way, lists as
    wholes. Where one candidate says exactly that, it stands for the vote; else the answer was said
    by nobody, and its candidate has no text. Answers that are no objects vote as wholes.

    Args:
        candidates: in draw order, with answers of kind "json".
        weights: one for each candidate, at least 0; 1 each if None.
    """
    from workspan.answers import structured  # only where objects are voted on

    whole = plurality(candidates, "json", weights)
    weights = [1.0] * len(candidates) if weights is None else weights
    said: list[tuple[Any, float]] = []
    for candidate, weight in zip(candidates, weights, strict=True):
        if candidate.answer is not None:
            try:
                said.append((structured.value_of(candidate.answer), weight))
            except ValueError:
                return whole
    if not said or not all(isinstance(value, dict) for value, _ in said):
        return whole
    answer = structured.written(_merged(said))
    key = canonical(answer, "json")
    same = (c for c in candidates if c.answer is not None and canonical(c.answer, "json") == key)
    return replace(whole, best=next(same, Candidate("", answer)))


def best(
    candidates: Sequence[Candidate], kind: AnswerKind, limit: Callable[[], float] | None = None
) -> Answer:
    """Return the candidate that scored highest; the first drawn of equals, marked as tied.

    Equal scores of one and the same answer are no tie. Candidates without a score stand back, but
    not behind a score of 0: where all that was judged is certainly wrong, the others vote.
    """
    scored = [c for c in candidates if c.score is not None and c.answer is not None]
    if not scored:
        return Answer(None, tuple(candidates))
    top = max(scored, key=lambda c: c.score or 0.0)
    unjudged = [c for c in candidates if c.score is None and c.answer is not None]
    if top.score == 0 and unjudged:
        return replace(plurality(unjudged, kind, limit=limit), candidates=tuple(candidates))
    rivals = [c for c in scored if c.score == top.score]
    vote = plurality(scored, kind, limit=limit)
    tied = len(plurality(rivals, kind, limit=limit).votes) > 1
    return Answer(top, tuple(candidates), vote.votes, tied, uncompared=vote.uncompared)


def share(answer: Answer) -> float:
    """Return the part of all votes that the heaviest answer holds, in [0, 1]; 0 without votes."""
    weights = [vote.weight for vote in answer.votes]
    return max(weights) / sum(weights) if any(weights) else 0.0


def _groups(
    candidates: Sequence[Candidate], kind: AnswerKind, limit: Callable[[], float] | None
) -> tuple[dict[tuple[bool, str], int], int]:
    """Map each distinct answer, and whether it is one of calls, to the number of its group.

    Groups are numbered by first draw.

    Beside them stands how many pairs were not compared in time. A key costs for each answer, and
    equal keys are an equivalence, so the order of the draws changes no group.
    """
    groups: dict[tuple[bool, str], int] = {}
    numbers: dict[Hashable, int] = {}
    cut = 0
    for candidate in candidates:
        answer, is_call = candidate.answer, calls_tools(candidate)
        if answer is None or (is_call, answer) in groups:
            continue
        key: Hashable = ("calls", answer)
        if not is_call:
            key = canonical(answer, kind, None if limit is None else limit())
        cut += is_cut(key)
        groups[is_call, answer] = numbers.setdefault(key, len(numbers))
    decided = len(numbers) - cut
    return groups, cut * decided + cut * (cut - 1) // 2 if cut else 0


def _merged(said: Sequence[tuple[Any, float]]) -> dict[str, Any]:
    """Vote on each member of some objects."""
    names = dict.fromkeys(name for value, _ in said for name in value)
    merged: dict[str, Any] = {}
    for name in names:
        value = _heaviest([(one.get(name, _ABSENT), weight) for one, weight in said])
        if value is not _ABSENT:
            merged[name] = value
    return merged


def _heaviest(said: Sequence[tuple[Any, float]]) -> Any:
    """Return the value of most weight, the first of equals; objects are voted on by member."""
    from workspan.answers import structured

    objects = [(value, weight) for value, weight in said if isinstance(value, dict)]
    if sum(weight for _, weight in objects) * 2 > sum(weight for _, weight in said):
        return _merged(objects)
    totals: dict[Hashable, float] = {}
    firsts: dict[Hashable, Any] = {}
    for value, weight in said:
        key = "absent" if value is _ABSENT else structured.value_key(value)
        totals[key] = totals.get(key, 0.0) + weight
        firsts.setdefault(key, value)
    return firsts[max(totals, key=lambda key: totals[key])]

"""Votes over candidates: who leads, by how much, and who only shares the lead. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workspan.answers import compared
from workspan.types import Answer, AnswerKind, Candidate, Tally


def plurality(
    candidates: Sequence[Candidate],
    kind: AnswerKind,
    weights: Sequence[float] | None = None,
    limit: Callable[[], float] | None = None,
) -> Answer:
    """Return the answer with the most weight; equivalent answers count together.

    A candidate without an answer does not vote, so "no answer" never wins. A tie goes to the answer
    drawn first and is marked; the winner's first candidate, by draw order, stands for it.

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
    for candidate, weight in zip(candidates, weights, strict=True):
        if candidate.answer is not None:
            group = groups[candidate.answer]
            leaders.setdefault(group, candidate)
            totals[group] = totals.get(group, 0.0) + weight
    order = sorted(totals, key=lambda group: (-totals[group], group))
    votes = tuple(Tally(leaders[group].answer or "", totals[group]) for group in order)
    tied = len(votes) > 1 and votes[0].weight == votes[1].weight
    best = leaders[order[0]] if order else None
    return Answer(best, tuple(candidates), votes, tied, uncompared=uncompared)


def best(
    candidates: Sequence[Candidate], kind: AnswerKind, limit: Callable[[], float] | None = None
) -> Answer:
    """Return the candidate that scored highest; the first drawn of equals, marked as tied.

    Equal scores of one and the same answer are no tie. Candidates without a score stand back.
    """
    scored = [c for c in candidates if c.score is not None and c.answer is not None]
    if not scored:
        return Answer(None, tuple(candidates))
    top = max(scored, key=lambda c: c.score or 0.0)
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
) -> tuple[dict[str, int], int]:
    """Map each distinct answer to the number of its group; groups are numbered by first draw.

    Beside them stands how many pairs were not compared in time.
    """
    groups: dict[str, int] = {}
    uncompared = 0
    representatives: list[str] = []
    for candidate in candidates:
        answer = candidate.answer
        if answer is None or answer in groups:
            continue
        for number, known in enumerate(representatives):
            verdict = compared(answer, known, kind, None if limit is None else limit())
            uncompared += verdict is None
            if verdict:
                groups[answer] = number
                break
        else:
            groups[answer] = len(representatives)
            representatives.append(answer)
    return groups, uncompared

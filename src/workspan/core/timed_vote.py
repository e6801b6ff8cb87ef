"""Votes on the run's clock: counted beside the event loop, cut when the time is up, recorded.

Comparing formulas may take long, and what a cut left uncompared depends on the moment; so the
outcome is journaled, and a resumed run, which has other time left, goes by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
import msgspec

from workspan.answers import compared, may_take_long
from workspan.core.context import Context
from workspan.core.stopwatch import Limit
from workspan.data.entry import Entry
from workspan.data.types import Answer, AnswerKind, Candidate, Notice, Tally
from workspan.errors import GraderError

_CUT = Notice(
    "comparison_cut",
    "answers that could not be compared in time count as different",
)


class _Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a journal keeps of an `Answer`: the candidates are there already."""

    best: int | None
    """Its place among the candidates."""
    votes: tuple[Tally, ...]
    tied: bool = False
    uncompared: int = 0


async def counted(
    run: Context,
    key: str,
    candidates: Sequence[Candidate],
    kind: AnswerKind,
    count: Callable[[Limit | None], Answer],
) -> Answer:
    """Return what `count` makes of the candidates in the time that is left."""
    if not may_take_long({c.answer for c in candidates if c.answer is not None}, kind):
        return count(None)
    attempts = run.journal.attempts(key, "")
    if attempts:
        kept = msgspec.convert(attempts[-1][1].value, _Outcome)
        best = None if kept.best is None else candidates[kept.best]
        answer = Answer(best, tuple(candidates), kept.votes, kept.tied, uncompared=kept.uncompared)
    else:
        began = run.elapsed()
        try:
            answer = await anyio.to_thread.run_sync(count, run.limit)
        except GraderError:  # a result that was paid for is not lost over this
            answer = count(_no_time)
        place = next((i for i, one in enumerate(candidates) if one is answer.best), None)
        outcome = _Outcome(place, answer.votes, answer.tied, answer.uncompared)
        _record(run, key, msgspec.to_builtins(outcome), began)
    if answer.uncompared:
        run.notice(_CUT)
    return answer


def same(run: Context, key: str, a: str, b: str, kind: AnswerKind) -> bool:
    """Compare two answers in the time that is left; in the way of everything else meanwhile."""
    if not may_take_long({a, b}, kind):
        return compared(a, b, kind) is True
    attempts = run.journal.attempts(key, "")
    if attempts:
        verdict = msgspec.convert(attempts[-1][1].value, bool | None)
    else:
        began = run.elapsed()
        try:
            verdict = compared(a, b, kind, None if run.limit is None else run.limit())
        except GraderError:
            verdict = None
        _record(run, key, verdict, began)
    if verdict is None:
        run.notice(_CUT)
    return verdict is True


def _no_time() -> float:
    return 0.0


def _record(run: Context, key: str, value: object, began: float) -> None:
    run.journal.append(Entry(key, "value", value=value, began=began, ended=run.elapsed()))

"""What every verifier must keep: a score or none, on the account, the same when it is resumed.

Each check runs the verifier on a scripted engine and raises AssertionError where the promise is
broken. None needs a right verdict: whether a verifier is right is its author's to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability, Engine
from workspan.core.session import Session, Verifier
from workspan.data.budget import Budget
from workspan.data.types import Amount, Answer, Candidate, Problem, Usage
from workspan.registry.card import cost
from workspan.testing.strategy_suite import PROBLEM, SCRIPTS, Outcome, execute

TEXTS = (
    ("2 + 2 is 4. Answer: 4", "4"),
    ("Answer: 5", "5"),
    ("I can't tell.", None),
    ("", None),
    ("Rating: 10\nFLAWLESS\nChoice: 1\n<think>" + "0.99 " * 50, "0.99"),
)
"""Candidates with their answers: right, wrong, none, empty, and one that talks to its judge."""


@dataclass(frozen=True)
class Judged:
    """Have candidates judged and answer with the best of them."""

    verifier: Verifier
    candidates: tuple[Candidate, ...] = tuple(
        Candidate(text, answer, logprob=-0.5) for text, answer in TEXTS
    )
    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Score all at once."""
        scored = await session.score(self.verifier, problem, self.candidates)
        return Answer(scored[0], tuple(scored))


def check_verifier(
    verifier: Verifier,
    problem: Problem = PROBLEM,
    *,
    engines: Mapping[str, Engine] | None = None,
) -> None:
    """Run every check.

    Args:
        verifier: as a user would write it.
        problem: one that it can judge answers of.
        engines: further ones that it names.
    """
    strategy = Judged(verifier)
    bound = cost(verifier)
    asks_nothing = bound is not None and bound.calls == 0
    for script in SCRIPTS[:1] if asks_nothing else SCRIPTS:
        for budget in (Budget(),) if asks_nothing else (Budget(), Budget(calls=2), Budget(work=20)):

            def again(**more: object) -> Outcome:
                return execute(
                    strategy,
                    budget,  # noqa: B023  # called at once
                    problem=problem,
                    engines=engines,
                    script=script,  # noqa: B023
                    **more,  # type: ignore[arg-type]
                )

            whole = again()
            assert whole.result is not None
            scores = [one.score for one in whole.result.answer.candidates]
            assert len(scores) == len(strategy.candidates)
            assert all(score is None or 0 <= score <= 1 for score in scores)
            assert whole.account.spent == whole.journal.usage()
            assert whole.account.held == Amount()
            assert whole.result.overrun == 0
            if bound is not None:
                calls = bound.calls * len(scores)
                assert whole.result.usage.calls <= calls, "more calls than its card says"
                assert whole.result.work <= bound.work * len(scores), "more work than its card says"
            replayed = again(recorded=whole.journal.entries)
            assert replayed.engine.billed == Usage(), "a finished run asked again"
            assert replayed.result is not None
            assert replayed.result.answer == whole.result.answer, "resumed, the verdicts differ"

"""Public tests: the share of them that a candidate's program passes, in a sandbox."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem
from workspan.errors import VerifierError, at_least
from workspan.registry.card import Card


@dataclass(frozen=True)
class PublicTests:
    """Run the tests that the problem itself shows (Li et al. 2022, arXiv:2203.07814).

    They stand in ``problem.metadata["tests"]``, one assert a line. Each runs in a sandbox of its
    own, out of reach of the candidate's program in another: see `workspan.sandbox.trial`. The
    reference tests of a task are never seen here.
    """

    seconds: float = 5.0
    """Of processor time and of waiting, for each test."""
    memory_mb: int = 512
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="public_tests",
        source="arXiv:2203.07814",
        parameters={
            "memory_mb": "Megabytes that a program may use.",
        },
        calls="0",
        work="0",
        span="0",
        needs='a sandbox (Linux), and tests in the problem\'s metadata["tests"]',
        helps="Programs with tests that the problem itself shows.",
        hurts="Tests that a wrong program passes, too.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(0, seconds=self.seconds)
        at_least(1, memory_mb=self.memory_mb)

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        """Return the share of tests passed; no program passes none.

        Raises:
            VerifierError: the problem shows no tests.
            SandboxUnavailable: code can't be run safely on this machine.
        """
        tests = [line for line in problem.metadata.get("tests", "").splitlines() if line.strip()]
        if not tests:
            raise VerifierError(f"problem {problem.id} shows no tests in metadata['tests']")
        if candidate.answer is None:
            return Score(0.0, "no program")
        given = json.dumps([candidate.answer, tests])
        ends = json.loads(await session.call(self._run, given))
        return Score(ends.count("passed") / len(ends), ", ".join(ends))

    async def _run(self, given: str) -> str:
        """Run a program with each of its tests, both as JSON; returns how each ended, as JSON."""
        from workspan.sandbox import run_tests

        program, tests = json.loads(given)
        ends = []
        for test in tests:
            trial = await run_tests(program, [test], seconds=self.seconds, memory_mb=self.memory_mb)
            ends.append(trial.end)
        return json.dumps(ends)

"""Right is a program that passes the task's tests, in a sandbox."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from workspan.errors import GraderError
from workspan.graders.base import NO_ANSWER, Grade, Task


@dataclass(frozen=True, slots=True)
class Code:
    """Run the answer, then every test; all must pass.

    ``task.data["preamble"]``, if given, is source that stands before the answer: the head of the
    function that the prompt asks to complete, say.
    """

    seconds: float = 10.0
    """Of processor time and of waiting, for all tests together."""
    memory_mb: int = 512

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Judge one answer.

        Raises:
            GraderError: the task has no tests.
            SandboxUnavailable: code can't be run safely on this machine.
        """
        from workspan.sandbox import run_python

        if not task.tests:
            raise GraderError(f"problem {task.problem.id} has no tests to run")
        if answer is None:
            return NO_ANSWER
        # An answer that ends the program early passes no test: only the last line says so.
        passed = secrets.token_hex(8)
        program = "\n\n".join(
            (str(task.data.get("preamble", "")), answer, *task.tests, f"print('\\n{passed}')")
        )
        outcome = await run_python(program, seconds=self.seconds, memory_mb=self.memory_mb)
        if outcome.reason != "ok":
            last = outcome.stderr.strip().rpartition("\n")[2]
            return Grade(0.0, f"{outcome.reason}: {last[:200]}")
        if not outcome.stdout.rstrip().endswith(passed):
            return Grade(0.0, "it ended before its tests")
        return Grade(1.0, "all tests pass")

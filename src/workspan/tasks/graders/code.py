"""Right is a program that passes the task's tests, in a sandbox."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from workspan.errors import GraderError
from workspan.tasks.base import NO_ANSWER, Grade, Task


@dataclass(frozen=True, slots=True)
class Code:
    """Run the answer, and every test of it out of its reach; all must pass.

    What a test can do, and what an answer can't: `workspan.sandbox.trial`.

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
        from workspan.sandbox import run_tests

        if not task.tests:
            raise GraderError(f"problem {task.problem.id} has no tests to run")
        if answer is None:
            return NO_ANSWER
        preamble = str(task.data.get("preamble", ""))
        trial = await run_tests(
            f"{preamble}\n\n{answer}",
            task.tests,
            helpers=helpers(preamble),
            seconds=self.seconds,
            memory_mb=self.memory_mb,
        )
        if trial.end == "passed":
            return Grade(1.0, "all tests pass")
        if trial.end == "ended early":
            return Grade(0.0, "it ended before its tests")
        return Grade(0.0, f"{trial.end}: {trial.said}")


def helpers(preamble: str) -> str:
    """Return what a preamble defines besides the function that is asked for, its last one.

    Tests may use it, and a program must not put its own in its place.
    """
    for ending in ("", "\n    pass\n"):
        try:
            tree = ast.parse(preamble + ending)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        asked = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)][-1:]
        tree.body = [node for node in tree.body if node not in asked]
        return ast.unparse(tree)
    return ""

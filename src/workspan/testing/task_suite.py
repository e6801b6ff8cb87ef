"""What every set of tasks must keep: the same problems for a seed, and references that pass."""

from __future__ import annotations

from workspan.tasks.base import TaskSet


async def check_tasks(tasks: TaskSet, limit: int = 4) -> None:
    """Run every check on the first `limit` tasks of two seeds."""
    assert tasks.name
    assert tasks.summary
    assert "\n" not in tasks.summary
    assert tasks.source
    drawn = tasks.load(limit, seed=3)
    assert drawn == tasks.load(limit, seed=3), "the same seed gave other problems"
    ids = [task.problem.id for task in drawn]
    assert 0 < len(ids) <= limit
    assert len(set(ids)) == len(ids), "an id is given twice"
    for task in (*drawn, *tasks.load(limit, seed=4)):
        assert task.problem.prompt[-1].text.strip(), "a problem without a question"
        if task.reference:
            grade = await task.grader(task, task.reference)
            assert grade.correct == 1, f"the reference of {task.problem.id} does not pass"
        abstained = await task.grader(task, None)
        assert abstained.correct == 0, f"no answer passes {task.problem.id}"

"""Multi-hop questions whose gold passages are known: HotpotQA, MuSiQue, 2Wiki in one form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workspan.errors import DataError
from workspan.tasks.base import Task
from workspan.tasks.files import read_tasks
from workspan.tasks.graders.overlap import ExactMatch


@dataclass(frozen=True, slots=True)
class Step:
    """One hop, asked as if the answers of those before it were known."""

    question: str
    gold: str
    """Id of the passage that answers it."""


@dataclass(frozen=True, slots=True)
class MultiHop:
    """One question."""

    task: Task
    """Graded by exact match with the reference or an alias."""
    dataset: str
    gold: tuple[str, ...]
    """Ids of the passages that hold the facts it needs; empty where they are not known."""
    steps: tuple[Step, ...] = ()
    """The questions that it is made of, in order, where the set says so (MuSiQue)."""


def read_multihop(path: str | Path) -> list[MultiHop]:
    """Read a file of problems whose ``meta`` may hold ``gold_pids`` and ``answer_aliases``.

    Raises:
        DataError: as `read_tasks`, and for a broken ``decomposition``.
        MissingDependency: as `read_tasks`.
    """
    return [_multihop(task) for task in read_tasks(path)]


def _multihop(task: Task) -> MultiHop:
    held = task.data.get("meta")
    meta: dict[str, Any] = held if isinstance(held, dict) else {}
    aliases = tuple(str(alias) for alias in meta.get("answer_aliases") or ())
    graded = replace(task, grader=ExactMatch(), data={**task.data, "aliases": aliases})
    try:
        steps = _steps(meta)
    except (KeyError, IndexError, TypeError):
        raise DataError(f"problem {task.problem.id}: its decomposition can't be read") from None
    gold = tuple(str(name) for name in meta.get("gold_pids") or ())
    return MultiHop(graded, task.problem.metadata.get("task", ""), gold, steps)


def _steps(meta: dict[str, Any]) -> tuple[Step, ...]:
    """Read MuSiQue's decomposition: ``#1`` in a question stands for the first answer."""
    found, answers = list[Step](), list[str]()
    for part in meta.get("decomposition") or ():
        if not isinstance(part, dict) or "paragraph_support_idx" not in part:
            return ()
        question = str(part["question"]).replace(" >> ", " ")
        for n, answer in enumerate(answers, 1):
            question = question.replace(f"#{n}", answer)
        found.append(Step(question, str(meta["context_pids"][part["paragraph_support_idx"]])))
        answers.append(str(part["answer"]))
    return tuple(found)

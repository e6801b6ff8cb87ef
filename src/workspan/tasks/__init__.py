"""Sets of problems with graders: procedural ones, files of the user's own, Hugging Face data sets.

A strategy is given `Task.problem` and nothing else; references stay with the graders. Names are
loaded when first used: a task alone needs none of the sets.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workspan.tasks.base import MOST as MOST
    from workspan.tasks.base import Task as Task
    from workspan.tasks.base import TaskSet as TaskSet
    from workspan.tasks.catalogue import open_tasks as open_tasks
    from workspan.tasks.files import read_tasks as read_tasks
    from workspan.tasks.tables import tasks_of_rows as tasks_of_rows

_HOME_OF = {
    "MOST": "base",
    "Task": "base",
    "TaskSet": "base",
    "open_tasks": "catalogue",
    "read_tasks": "files",
    "tasks_of_rows": "tables",
}

__all__ = ["MOST", "Task", "TaskSet", "open_tasks", "read_tasks", "tasks_of_rows"]


def __getattr__(name: str) -> object:
    """Load a name from its home."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'workspan.tasks' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"workspan.tasks.{home}"), name)
    globals()[name] = value
    return value

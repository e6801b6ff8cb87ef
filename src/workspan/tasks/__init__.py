"""Sets of problems with graders: procedural ones, files of the user's own, Hugging Face data sets.

A strategy is given `Task.problem` and nothing else; references stay with the graders.
"""

from workspan.tasks.base import MOST, Task, TaskSet
from workspan.tasks.catalogue import catalogue, open_tasks
from workspan.tasks.files import read_tasks

__all__ = ["MOST", "Task", "TaskSet", "catalogue", "open_tasks", "read_tasks"]

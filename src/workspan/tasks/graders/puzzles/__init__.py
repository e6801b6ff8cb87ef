"""Exact checks of reasoning-gym's families, written here: one for each family that can be checked.

The library's own scorers give credit to answers that contain the right one, that are near it, or to
any text at all (see `workspan.tasks.graders.reasoning_gym`). A check here says whether an answer is
right and nothing between. Answers are untrusted: they are parsed, bounded, and never run.
"""

from workspan.tasks.graders.puzzles.table import CHECKED, LEFT_OUT, Family, family

__all__ = ["CHECKED", "LEFT_OUT", "Family", "family"]

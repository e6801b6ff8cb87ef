"""Planning problems made on the spot, of every difficulty, each with a solution."""

from workspan.tasks.planning.sets import Planning

__all__ = ["Planning"]

"""Planning problems whose plans a program can judge and explain: the world of Mind Evolution.

Trip planning, meeting planning and calendar scheduling in the form of Natural Plan
(arXiv:2406.04520), and StegPoet (arXiv:2501.09891). An instance holds the constraints alone,
travels as `Problem.plan` and evaluates a model's text: a score, and feedback
that names each violated constraint.
"""

from workspan.planning.base import UNREADABLE, Evaluation, Instance, dump
from workspan.planning.forms import read

__all__ = ["UNREADABLE", "Evaluation", "Instance", "dump", "read"]

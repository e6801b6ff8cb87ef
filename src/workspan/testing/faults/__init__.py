"""A faulty server: what real servers do wrong, as rows of a registry, beside its own exact count.

It shares no code with the engine whose account is held against it.
"""

from workspan.testing.faults.fault import Fault
from workspan.testing.faults.registry import FAULTS
from workspan.testing.faults.script import Habits
from workspan.testing.faults.server import FaultyServer
from workspan.testing.faults.tally import Served, Tally, Tariff

__all__ = ["FAULTS", "Fault", "FaultyServer", "Habits", "Served", "Tally", "Tariff"]

"""What a row of the registry is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from workspan.testing.faults.script import Script

Change: TypeAlias = Callable[[Script, random.Random], None]
"""Rewrites the script of one answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which real servers differ from the protocol, or fail."""

    name: str
    real: str
    """What a real server or proxy does so."""
    change: Change
    keeps: bool = False
    """The whole answer arrives all the same, and may be read: it must not be thrown away."""
    stalls: bool = False
    """Only a clock ends it."""
    ignores_cap: bool = False
    """The answer is longer than was asked for."""
    is_coarse: bool = False
    """A piece holds as many tokens as a small run-ahead: one that nobody read takes a larger."""

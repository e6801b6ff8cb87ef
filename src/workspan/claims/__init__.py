"""The field's claims as experiments that anyone can repeat."""

from __future__ import annotations

import importlib

from workspan.claims.base import Claim
from workspan.errors import SpecError, nearest

_WHERE = {
    "stretched_chain": "stretched_chain:CLAIM",
    "natural_chain": "natural_chain:CLAIM",
    "overthinking": "overthinking:CLAIM",
    "votes_needed": "votes_needed:DEEP",
    "votes_needed_bridge": "votes_needed:BRIDGE",
    "long_chain": "long_chain:CLAIM",
    "connectivity_english": "connectivity_english:CLAIM",
    "wrong_start": "wrong_start:CLAIM",
    "wrong_majority": "wrong_majority:CLAIM",
    "guessing_tokens": "guessing_tokens:CLAIM",
    "guessing_latency": "guessing_latency:CLAIM",
    "retrieval_rounds": "retrieval_rounds:CLAIM",
    "retrieval_chains": "retrieval_chains:CLAIM",
    "retrieval_learnt": "retrieval_learnt:CLAIM",
    "serial_scaling": "serial_scaling:CLAIM",
    "training_format": "training_format:CLAIM",
    "training_format_reinforced": "training_format_reinforced:CLAIM",
    "task_structure": "task_structure:CLAIM",
    "evolution_over_sampling": "evolution_over_sampling:CLAIM",
    "evolution_over_revision": "evolution_over_revision:CLAIM",
    "evolution_by_feedback": "evolution_by_feedback:CLAIM",
    "evolution_learnt": "evolution_learnt:CLAIM",
}

NAMES = tuple(_WHERE)
"""In the order in which they are told."""


def claim(name: str) -> Claim:
    """Import a claim.

    Raises:
        SpecError: there is none of that name.
    """
    if name not in _WHERE:
        raise SpecError(f"there is no claim {name!r}: {nearest(name, NAMES)}")
    module, attribute = _WHERE[name].split(":")
    found: Claim = getattr(importlib.import_module(f"workspan.claims.{module}"), attribute)
    return found

"""The field's claims as experiments that anyone can repeat."""

from __future__ import annotations

from workspan.claims.base import Claim
from workspan.errors import PluginError
from workspan.registry import table

NAMES = tuple(table("claims").ours)
"""Ours, in the order in which they are told."""


def claim(name: str) -> Claim:
    """Import a claim.

    Raises:
        SpecError: there is none of that name.
        PluginError: a distribution brings it, and it is none.
    """
    row = table("claims").find(name)
    found = row.load()
    if not isinstance(found, Claim):
        raise PluginError(f"the claim {name!r} of {row.distribution} is a {type(found).__name__}")
    return found

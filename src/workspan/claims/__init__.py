"""The field's claims as experiments that anyone can repeat.

Those of ours judge the model of any engine. Those that come with a model of their own are brought
by a plug-in, as anyone's may be.
"""

from __future__ import annotations

from workspan.claims.base import Claim
from workspan.errors import MissingDependency, PluginError
from workspan.registry.table import table


def names() -> list[str]:
    """Return the names of all claims: ours in the order in which they are told, then others'."""
    return [*table("claims")]


def claim(name: str) -> Claim:
    """Import a claim.

    Raises:
        SpecError: there is none of that name.
        PluginError: a distribution brings it, and it is none.
        MissingDependency: the distribution that brings it, or an extra, is not installed.
    """
    row = table("claims").find(name)
    try:
        found = row.load()
    except ImportError as error:
        raise MissingDependency(f"the claim {name} ({error.name})", "all") from None
    if not isinstance(found, Claim):
        raise PluginError(f"the claim {name!r} of {row.distribution} is a {type(found).__name__}")
    return found

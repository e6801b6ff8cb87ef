"""Keys of the gateway, what they may spend, and what they have spent."""

from __future__ import annotations

from workspan.serve.store.driven import DrivenStore
from workspan.store.database import database_at


def store_at(address: str) -> DrivenStore:
    """Return the store at a path or at ``postgresql://…``, not opened yet.

    Raises:
        InputError: it is neither.
        MissingDependency: PostgreSQL's driver is not installed.
    """
    return DrivenStore(database_at(address))

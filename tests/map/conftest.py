from __future__ import annotations

from store_fixtures import address, postgres

__all__ = ["address", "postgres"]

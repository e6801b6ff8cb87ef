"""Sums of money that no library's setting changes.

The precision of decimal numbers belongs to the thread, and anyone may lower it: reasoning-gym does,
for all that follows. An account must not hang on that.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from decimal import Context, Decimal, localcontext

_EXACT = Context(prec=50)

add = _EXACT.add
subtract = _EXACT.subtract


def exactly() -> AbstractContextManager[Context]:
    """Compute within the block as if nobody had changed how decimal numbers are rounded."""
    return localcontext(_EXACT)


def plus(a: int | Decimal, b: int | Decimal) -> int | Decimal:
    """Add two amounts of one column: money, or whole counts."""
    return add(a, b) if isinstance(a, Decimal) or isinstance(b, Decimal) else a + b


def minus(a: int | Decimal, b: int | Decimal) -> int | Decimal:
    """Subtract one amount of a column from another."""
    return subtract(a, b) if isinstance(a, Decimal) or isinstance(b, Decimal) else a - b

"""How far back: a stretch of time or a date, as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from workspan.errors import InputError
from workspan.legible import quoted

_AGE = re.compile(r"(?P<number>[1-9][0-9]{0,4}) ?(?P<unit>[hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def past(text: str, now: float) -> float:
    """Return the moment that ``7d``, ``12h``, ``4w`` or a date (its start, by UTC) stands for.

    Args:
        text: as it was written.
        now: in seconds of UTC's epoch, as what is returned.

    Raises:
        InputError: it is none of them.

    Example:
        >>> past("2h", 10_000.0)
        2800.0
    """
    if found := _AGE.fullmatch(text.strip()):
        return now - int(found["number"]) * _UNITS[found["unit"]].total_seconds()
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            f"--since {quoted(text)}: write 7d, 12h, 4w or a date such as 2027-03-01"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

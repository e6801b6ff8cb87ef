"""All faults by name."""

from __future__ import annotations

from collections.abc import Mapping

from workspan.testing.faults import answering, breaking, refusing, reporting
from workspan.testing.faults.fault import Fault

FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        *refusing.STATUSES,
        *refusing.PARAMETERS,
        *breaking.CONNECTIONS,
        *breaking.BYTES,
        *answering.SHAPES,
        *answering.ENDS,
        *reporting.USAGE,
    )
}
"""In order: what is refused, what breaks, what is spelled otherwise, what is false."""

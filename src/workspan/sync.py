"""The application's calls for ordinary code: ``from workspan import sync as ws``.

They are those of `workspan` (`solve`, `solve_many`, `compare`, `calibrate`, `certify`, `replay`,
`which`, `estimate`, `sweep`) and block until they are done. Inside an event loop, as in a
notebook, they say what to write instead.

Example:
    >>> from workspan import sync
    >>> sync.solve("2 + 2?", kind="number", engine="scripted").answer.text in {"3", "4", "5"}
    True
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import anyio

from workspan.app import calibrating, certifying, comparing, replaying, solving, sweeping
from workspan.app import which as racing
from workspan.runner import refuse_loop

P = ParamSpec("P")
T = TypeVar("T")


def _blocking(call: Callable[P, Awaitable[T]]) -> Callable[P, T]:
    """Make an asynchronous call one that blocks."""

    @functools.wraps(call)
    def blocking(*args: P.args, **kwargs: P.kwargs) -> T:
        refuse_loop(call.__name__)
        return anyio.run(functools.partial(call, *args, **kwargs))

    return blocking


solve = _blocking(solving.solve)
solve_many = _blocking(solving.solve_many)
compare = _blocking(comparing.compare)
estimate = _blocking(comparing.estimate)
calibrate = _blocking(calibrating.calibrate)
certify = _blocking(certifying.certify)
replay = _blocking(replaying.replay)
sweep = _blocking(sweeping.sweep)
which = _blocking(racing.which)

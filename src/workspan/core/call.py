"""One engine call: from the journal if it holds it, else tried, and tried again if it was lost."""

from __future__ import annotations

from dataclasses import replace

from workspan.core.attempt import Attempt, Halt, Lost
from workspan.core.clock import Clock
from workspan.core.context import Context
from workspan.core.engine import check_offered, needs
from workspan.core.journal import fingerprint, seed_for
from workspan.core.ledger import Ledger
from workspan.data.entry import Entry, Failure
from workspan.data.types import Request, Sample
from workspan.errors import EngineError

MAX_LOSSES = 1
"""How often a call that died on the way is asked again."""


async def draw(
    run: Context,
    ledger: Ledger,
    clock: Clock,
    key: str,
    request: Request,
    halt: Halt | None = None,
    *,
    races: bool = False,
) -> Sample:
    """Draw the sample at `key`: from the journal if it holds it, else from the engine.

    One that `races` others may be cut because those have ended.

    Raises:
        BudgetExceeded: the call does not fit the account, the span or the time.
        EngineError: the call failed, and asking once more could not help or did not.
        UnsupportedCapability: the engine lacks what the request needs, or can't bound a prompt of
            which the account limits the size; nothing was spent.
    """
    asked_of, request = run.engine_of(request), run.shape(request)
    check_offered(asked_of.info, needs(request))
    seed = seed_for(run.seed, key)
    asked = fingerprint(request, seed)
    unseeded, request = request, replace(request, seed=seed)
    losses = 0
    for _, entry in run.journal.attempts(key, asked):
        replay(run, ledger, clock, entry)
        if entry.outcome == "sample" and entry.sample is not None:
            run.draws.note(unseeded, entry.sample)
            return entry.sample
        if entry.outcome == "failed":
            raise recorded_error(entry)
        losses += entry.outcome == "lost"
        key = entry.key + "+"
    while True:
        attempt = Attempt(run, ledger, clock, key, request, asked, halt, races=races)
        try:
            sample = await attempt.draw(is_last=losses >= MAX_LOSSES or not run.asks_again)
        except Lost:
            losses += 1
            key += "+"
        else:
            run.draws.note(unseeded, sample)
            return sample


def replay(run: Context, ledger: Ledger, clock: Clock, entry: Entry) -> None:
    """Account for a recorded call as if it had just been made."""
    ledger.charge(entry.usage)
    clock.advance(entry.after)
    run.record(clock, entry)


def recorded_error(entry: Entry) -> EngineError:
    """Make the error of a failed call again from its journal line."""
    told = entry.error or Failure("EngineError", "it failed")
    kinds = {kind.__name__: kind for kind in EngineError.__subclasses__()}
    error = kinds.get(told.kind, EngineError)(told.text, status=told.status)
    error.keys = (entry.key,)
    return error

"""Runs one case on loopback, in this process, and brings back what the judge needs."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import msgspec

from workspan.core.engine import Price
from workspan.core.journal import Journal
from workspan.core.ledger import Ledger
from workspan.data.budget import Budget
from workspan.data.entry import Entry
from workspan.engines.endpoint import Endpoint, Retries, Timeouts
from workspan.errors import WorkspanError
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.faults import FaultyServer, Tally, Tariff
from workspan.testing.fuzz.case import Case
from workspan.testing.strategy_suite import PROBLEM, TOOLS
from workspan.testing.turned import TurnedTime

TARIFF = Tariff()
_PRICE = Price(TARIFF.prompt, TARIFF.completion, TARIFF.cached)
_RETRIES = Retries(attempts=2, seconds=0.5, wait_initial=0.001, wait_max=0.002)
_PATIENT = Timeouts(connect=60.0, first_token=60.0, between_chunks=60.0)
_SHORT = Timeouts(connect=60.0, first_token=0.2, between_chunks=0.2)
_TOKEN = 0.001
"""Seconds that a token takes on the run's clock: a budget of seconds ends at the same token on any
machine, at most what is known to be on its way after it."""
_TICK = 0.25
_TICKS = 240
"""Ticks without a token, a request or a journal line after which a run hangs. A busy loop has fewer
ticks, too; only what another process does, such as comparing answers, must be quicker."""
_MOST = 1000
"""Requests of which no small example needs half as many: more are a loop."""


@dataclass(slots=True)
class Pass:
    """One start of the run: the first, or a resumption."""

    account: Ledger
    entries: list[Entry]
    """Of the journal, those included that it began with."""
    result: Result | None = None
    error: WorkspanError | None = None
    crash: BaseException | None = None
    is_hung: bool = False
    is_killed: bool = False

    @property
    def is_whole(self) -> bool:
        """It ended by itself, with a result."""
        return self.result is not None

    @property
    def trace(self) -> str:
        """Where a crash came from, innermost last."""
        if self.crash is None:
            return ""
        frames = traceback.extract_tb(self.crash.__traceback__)
        return " < ".join(f"{f.filename.rpartition('/')[2]}:{f.name}" for f in frames[-3:])


@dataclass(slots=True)
class Evidence:
    """All passes of a case and the server's count."""

    case: Case
    tally: Tally
    passes: list[Pass]
    asked_by_first: int
    """Requests that the first pass made."""
    served_to_first: int
    """Those of them that were answered: refusals have no row."""


async def drive(case: Case) -> Evidence:
    """Run a case; resume it if it was cut down, else run it again from its journal."""
    server = FaultyServer(case.habits, case.faults, case.share, seed=case.number)
    async with server.serve():
        first = await _pass(case, server, (), is_first=True)
        asked, served = server.tally.requests, len(server.tally.rows)
        passes = [first]
        if first.crash is None and not first.is_hung:
            passes.append(await _pass(case, server, first.entries, is_first=False))
        return Evidence(case, server.tally, passes, asked, served)


async def _pass(
    case: Case, server: FaultyServer, recorded: Sequence[Entry], *, is_first: bool
) -> Pass:
    stalls = any(fault.stalls for fault in case.faults)
    engine = Endpoint(
        server.url,
        "m",
        api_key="",
        form=case.form,
        prefill=True,
        price=_PRICE if case.is_priced else None,
        n_per_request=case.n_per_request,
        timeouts=_SHORT if stalls else _PATIENT,
        retries=_RETRIES,
        overshoot=case.overshoot,
    )
    entries = list(recorded)
    clock = TurnedTime()
    this = Pass(Ledger(Budget()), entries)
    journal = Journal(_copied(recorded), sink=entries.append)
    try:
        async with anyio.create_task_group() as group:
            kills = case.kill if is_first else None
            group.start_soon(_watch, case, server, this, kills, clock, group.cancel_scope)
            await _run(case, engine, journal, this, clock)
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await engine.aclose()
            await server.settle()
            server.is_deaf = False
    return this


def _copied(entries: Sequence[Entry]) -> list[Entry]:
    """Read the entries back from the bytes that a journal's file would hold."""
    return [msgspec.json.decode(msgspec.json.encode(entry), type=Entry) for entry in entries]


async def _run(
    case: Case, engine: Endpoint, journal: Journal, this: Pass, clock: TurnedTime
) -> None:
    try:
        this.result = await run(
            parse_strategy(case.strategy),
            PROBLEM,
            engine,
            budget=case.budget,
            seed=case.number,
            journal=journal,
            account=this.account,
            tools=TOOLS,
            time=clock,
        )
    except WorkspanError as error:
        this.error = error
    except Exception as error:  # noqa: BLE001 whatever it is, it is what the fuzzer looks for
        this.crash = error


async def _watch(
    case: Case,
    server: FaultyServer,
    this: Pass,
    kills: str | None,
    clock: TurnedTime,
    scope: anyio.CancelScope,
) -> None:
    """Turn the clock by what is decoded; end a run that hangs, and one that is to be cut down."""
    tally, enough = server.tally, anyio.Event()
    last = tally.work

    def count() -> None:
        nonlocal last
        last, before = tally.work, last
        clock.turn(_TOKEN * (last - before))
        if kills and tally.work >= case.kill_after:
            enough.set()

    tally.watchers.append(count)
    try:
        still, seen = 0, (0, 0, 0)
        while still < _TICKS and tally.requests < _MOST:
            with anyio.move_on_after(_TICK):
                await enough.wait()
                this.is_killed = True
                if kills == "killed":  # what it journals or asks until the scope ends is no more
                    this.entries = list(this.entries)
                    server.is_deaf = True
                scope.cancel()
                return
            now = (tally.work, tally.requests, len(this.entries))
            still, seen = (still + 1, seen) if now == seen else (0, now)
        this.is_hung = True
        scope.cancel()
    finally:
        tally.watchers.clear()

"""Runs on other projects' servers, held against what the server behind them has decoded."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from real_servers import Counters
from workspan.core.ledger import Ledger
from workspan.data.budget import Budget
from workspan.data.types import Problem, Usage
from workspan.engines.endpoint import Endpoint
from workspan.errors import WorkspanError
from workspan.runner import Result, run
from workspan.spec import STRATEGIES, parse_strategy
from workspan.testing.strategy_suite import TOOLS

PROBLEM = Problem.ask("What is 7 + 5? End with 'Answer: <number>'.", kind="number")
NAMES = [name for name, known in STRATEGIES.ours.items() if not known.card.extra]

SCORED = ("confidence_vote", "deepconf_offline", "deepconf_online")
"""They rest on log-probabilities."""

FIGURES = "WORKSPAN_PEER_FIGURES"
"""A file, if set, to which every run adds a line of JSON: served, account and notices."""


@dataclass(frozen=True)
class Peer:
    """A server that runs, and who tells what it has really decoded."""

    name: str
    url: str
    """What an engine is pointed at."""
    model: str | None
    settled: Callable[[], Counters]
    """Counts, when all that was asked for is done with."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the engine."""


@dataclass(frozen=True)
class Spent:
    """One run, or what it came to before it failed."""

    result: Result | None
    error: WorkspanError | None
    usage: Usage
    limit: int
    truth: Counters
    """Of the model's server, for this run."""

    @property
    def account(self) -> int:
        """Decoded tokens that are on the account, those that a cut left unseen included."""
        return self.usage.output_tokens + self.usage.unseen_tokens

    @property
    def notices(self) -> dict[str, str]:
        """What was said of the peer."""
        return {notice.code: notice.text for notice in self.result.notices} if self.result else {}


def spend(peer: Peer, strategy: str, work: int, **options: Any) -> Spent:
    """Run a strategy by an engine that knows nothing yet of the server."""

    async def main() -> Spent:
        engine = await Endpoint.discover(
            peer.url, peer.model, **{"api_key": "", **peer.options, **options}
        )
        account, result, error = Ledger(Budget()), None, None
        before = await anyio.to_thread.run_sync(peer.settled)
        try:
            result = await run(
                parse_strategy(strategy),
                PROBLEM,
                engine,
                budget=Budget(work=work),
                account=account,
                tools=TOOLS,
            )
        except WorkspanError as raised:
            error = raised
        finally:
            await engine.aclose()
        after = await anyio.to_thread.run_sync(peer.settled)
        return Spent(result, error, account.spent, work, after.since(before))

    spent = anyio.run(main)
    _note(peer, strategy, spent)
    return spent


def hold(spent: Spent) -> None:
    """Nothing that was served is missing on the account, nor over the budget unmarked."""
    truth, usage = spent.truth, spent.usage
    assert truth.decoded <= spent.account
    assert truth.read <= usage.prefill
    if spent.result is not None:
        assert spent.result.overrun >= spent.account - spent.limit
        if usage.source == "measured" and not usage.unseen_tokens:
            assert usage.output_tokens == truth.decoded


def _note(peer: Peer, strategy: str, spent: Spent) -> None:
    """Write the figures down where they are asked for."""
    if path := os.environ.get(FIGURES):
        row = {
            "peer": peer.name,
            "strategy": strategy,
            "limit": spent.limit,
            "served": spent.truth.decoded,
            "read": spent.truth.read,
            "cached": spent.truth.cached,
            "work": spent.usage.output_tokens,
            "unseen": spent.usage.unseen_tokens,
            "prefill": spent.usage.prefill,
            "input": spent.usage.input_tokens,
            "calls": spent.usage.calls,
            "source": spent.usage.source,
            "overrun": spent.result.overrun if spent.result else None,
            "stop": spent.result.stop if spent.result else None,
            "notices": spent.notices,
            "error": f"{type(spent.error).__name__}: {spent.error}" if spent.error else None,
        }
        with Path(path).open("a") as rows:
            rows.write(json.dumps(row) + "\n")

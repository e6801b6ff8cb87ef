"""Strategies on a real model behind a proxy that misreports; `tests/peers` has it unmodified."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.to_thread
import pytest

from real_servers import Counters, settled
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.engines.endpoint import Endpoint
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.proxy import CountingProxy

pytestmark = [pytest.mark.slow, pytest.mark.peers]

PROBLEM = Problem.ask("What is 7 + 5? End with 'Answer: <number>'.", kind="number")
WORK = 400


def spend(llama: str, strategy: str, fault: str) -> tuple[Result, Counters]:
    """Run behind the proxy; the truth is the server's own, whole replies included."""

    async def main() -> tuple[Result, Counters]:
        before = await anyio.to_thread.run_sync(settled, llama)
        faults: dict[str, Any] = {fault: True}
        async with CountingProxy(llama, **faults).serve() as proxy:
            engine = await Endpoint.discover(proxy.url, api_key="", n_per_request=4)
            try:
                parsed = parse_strategy(strategy)
                result = await run(parsed, PROBLEM, engine, budget=Budget(work=WORK))
            finally:
                await engine.aclose()
        after = await anyio.to_thread.run_sync(settled, llama)
        return result, after.since(before)

    return anyio.run(main)


@pytest.mark.parametrize("fault", ["omits_usage", "ignores_n", "reports_one_choice"])
@pytest.mark.parametrize(
    ("strategy", "is_joined"),
    [("self_consistency(n=4, max_tokens=60)", True), ("best_of_n(n=3)", False)],
)
def test_servers_that_misreport_do_not_hide_what_was_decoded(
    llama: str, strategy: str, is_joined: bool, fault: str
) -> None:
    result, truth = spend(llama, strategy, fault)
    usage = result.usage
    account = usage.output_tokens + usage.unseen_tokens
    assert 0 < truth.decoded <= min(WORK, account)
    assert result.overrun == max(0, account - WORK)
    hides = fault == "omits_usage" or (fault == "reports_one_choice" and is_joined)
    assert usage.source == ("estimated" if hides else "measured")
    if not hides:
        assert usage.output_tokens == truth.decoded

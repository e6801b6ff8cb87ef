"""Reported = true tokens for every strategy, on a real model behind the counting proxy."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from workspan.budget import Budget
from workspan.engines.endpoint import Endpoint
from workspan.runner import Result, run
from workspan.spec import STRATEGIES, parse_strategy
from workspan.testing.proxy import CountingProxy
from workspan.testing.strategy_suite import TOOLS
from workspan.types import Problem

pytestmark = [pytest.mark.slow, pytest.mark.peers]

PROBLEM = Problem.ask("What is 7 + 5? End with 'Answer: <number>'.", kind="number")


def spend(
    llama: str, strategy: str, budget: str, together: int = 1, **faults: Any
) -> tuple[Result, CountingProxy]:
    async def main() -> tuple[Result, CountingProxy]:
        async with CountingProxy(llama, **faults).serve() as proxy:
            engine = await Endpoint.discover(proxy.url, api_key="", n_per_request=together)
            try:
                result = await run(
                    parse_strategy(strategy),
                    PROBLEM,
                    engine,
                    budget=Budget.parse(budget),
                    tools=TOOLS,
                )
            finally:
                await engine.aclose()
            return result, proxy

    return anyio.run(main)


def assert_true(result: Result, proxy: CountingProxy, limit: int) -> None:
    usage, bill = result.usage, proxy.bill
    assert usage.output_tokens <= bill.completion_tokens
    assert bill.completion_tokens <= usage.output_tokens + usage.unseen_tokens
    assert bill.completion_tokens <= limit
    assert usage.calls >= bill.calls
    if not usage.unseen_tokens:  # the proxy does not see a call, or its prompt, that was cut early
        assert (usage.calls, usage.input_tokens) == (bill.calls, bill.prompt_tokens)


@pytest.mark.parametrize("name", [name for name, known in STRATEGIES.items() if not known.extra])
def test_every_strategy_reports_what_was_decoded(llama: str, name: str) -> None:
    result, proxy = spend(llama, STRATEGIES[name].example, "400 work")
    assert result.work > 0
    assert_true(result, proxy, 400)


@pytest.mark.parametrize("fault", ["omits_usage", "ignores_n", "reports_one_choice"])
@pytest.mark.parametrize("strategy", ["self_consistency(n=4, max_tokens=60)", "best_of_n(n=3)"])
def test_servers_that_misreport_do_not_hide_what_was_decoded(
    llama: str, strategy: str, fault: str
) -> None:
    result, proxy = spend(llama, strategy, "400 work", together=4, **{fault: True})
    usage, bill = result.usage, proxy.bill
    assert (
        usage.output_tokens <= bill.completion_tokens <= usage.output_tokens + usage.unseen_tokens
    )
    assert usage.source == ("measured" if fault == "ignores_n" else "estimated")

"""Whether a chat is passed on or scaled, beyond what its model's name says."""

from __future__ import annotations

from dataclasses import replace

from workspan.engines.base import EngineInfo
from workspan.serve.efforts import Effort, effort_for
from workspan.serve.gateway import Gateway
from workspan.serve.relay.asking import Passed
from workspan.serve.routing import Target
from workspan.serve.seeing.record import Record


def worth(gateway: Gateway, target: Target, passed: Passed, record: Record) -> Target:
    """Return the target that a chat is worth.

    Where a strategy would make one call and change nothing, the request goes through byte for byte.
    Where the upstream would not take it as it is, or would let thinking eat the answer, it doesn't.

    Raises:
        InputError: it can't be done; nothing was spent.
    """
    if target.upstream not in gateway.servers:
        return target
    info = gateway.engines[target.upstream].info
    if target.strategy is None:
        return _shaped(target, passed, info)
    from workspan.serve.scaled import plan

    made = plan(passed.asked, info, gateway.config.rules)
    if not made.is_single or not made.is_as_asked or passed.asked.wish.explain:
        return target
    record.why_straight = made.kind.name
    return replace(target, strategy=None, written="")


def _shaped(target: Target, passed: Passed, info: EngineInfo) -> Target:
    """Let a request be written anew, where its own words would be refused or ignored."""
    effort = passed.body.get("reasoning_effort", str, "a text")
    needs_words = effort is not None and effort_for(info.model, effort) != Effort(effort)
    needs_cap = "max_reasoning_tokens" in passed.body or "thinking_cap" in info.capabilities
    if not needs_words and not needs_cap:
        return target
    from workspan.strategies.sequential.single import Single

    return replace(target, strategy=Single(), written="single")

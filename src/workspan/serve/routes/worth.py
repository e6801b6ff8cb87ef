"""Whether a chat is passed on or scaled, beyond what its model's name says."""

from __future__ import annotations

from dataclasses import replace

from workspan.data.efforts import effort_for
from workspan.errors import InputError, UnsupportedCapability
from workspan.serve.gateway import Gateway
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.native.asking import effort_asked
from workspan.serve.routing import Target
from workspan.serve.seeing.record import Record


async def worth(gateway: Gateway, target: Target, passed: Passed, record: Record) -> Target:
    """Return the target that a chat is worth.

    Where a strategy would make one call and change nothing, the request goes through byte for byte.
    What the relay itself writes into it, such as an effort in the model's words, is no change.

    Raises:
        InputError: it can't be done, or its model has no such effort; nothing was spent.
    """
    if (here := await _here(gateway, target, passed)) is None:
        return target
    info, server = gateway.engines[target.upstream].info, gateway.servers[target.upstream]
    if target.strategy is None and (dialect := here.dialect) is not None:
        if (effort := effort_asked(dialect, passed.body)) is not None:
            effort_for(info.model, effort)
        return target
    if target.strategy is None and here.backward is not None:
        return target
    if target.strategy is not None and not server.spoken.has_chat:
        raise InputError(
            f"{server.name} speaks no Chat, by the operator's word, and a strategy asks by it: "
            "ask for the model alone"
        )
    passed = passed.as_chat
    if target.strategy is None:
        if (effort := passed.body.get("reasoning_effort", str, "a text")) is not None:
            effort_for(info.model, effort)
        return _capped(target, passed)
    from workspan.serve.scaled import plan

    made = plan(passed.asked, info, gateway.config.rules)
    if not made.is_single or not made.is_as_asked or passed.asked.wish.explain:
        return target
    record.why_straight = made.kind.name
    return replace(target, strategy=None, written="")


async def _here(gateway: Gateway, target: Target, passed: Passed) -> Passed | None:
    """Return what the upstream is asked; None where that can't be, and others may be asked it.

    None, too, for an engine of this process.
    """
    if target.upstream not in gateway.servers:
        return None
    try:
        return await passed.at(gateway.servers[target.upstream])
    except (InputError, UnsupportedCapability):
        if target.strategy is None and len(gateway.pools.order(target.upstream)) > 1:
            return None
        raise


def _capped(target: Target, passed: Passed) -> Target:
    """Keep to a cap on thinking whether the upstream minds it or not: that takes an engine."""
    if "max_reasoning_tokens" not in passed.body:
        return target
    from workspan.strategies.sequential.single import Single

    return replace(target, strategy=Single(), written="single")

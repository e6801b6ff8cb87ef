"""Advice as JSON writes it, for the command and for the gateway's page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from workspan.lab.advising.advice import Advice


def told(advice: Advice) -> dict[str, Any]:
    """Return a row with what it rests on, and every setting that was run beside."""
    first = advice.first
    return {
        "route": advice.route,
        "model": advice.model,
        "kind": advice.kind,
        "requests": advice.requests,
        "now": advice.now,
        "recommend": advice.recommend,
        "difference": first.difference,
        "low": first.low,
        "high": first.high,
        "cost_now": advice.cost_now,
        "cost_then": first.cost,
        "verdict": advice.verdict,
        "cost_unit": advice.cost_unit,
        "compared": first.strategy,
        "truth": advice.truth,
        "margin": advice.margin,
        "more": advice.more,
        "why": advice.why,
        "strategies": [asdict(one) for one in advice.compared],
    }

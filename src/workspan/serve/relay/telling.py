"""What a reply says beside its answer: what was spent, on what, and why it ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from workspan.data.types import Usage
from workspan.serve.relay.attempt import Attempt
from workspan.serve.wire import sse

DONE = "done"


def spent(attempt: Attempt, usage: Usage, stop: str) -> dict[str, Any]:
    """Return the ``workspan`` object of a request that was passed on."""
    told: dict[str, Any] = {
        "work": usage.work,
        "span": span(attempt, usage),
        "calls": usage.calls,
        "cost": None if usage.cost is None else float(usage.cost),
        "source": usage.source,
        "stop": stop,
        "strategy": None,
        "engine": attempt.server.name,
        "overrun": overrun(attempt, usage),
    }
    if (turn := attempt.passed.asked.turn) is not None:
        told["trajectory"] = turn.told(usage)
    return told | ({"notices": attempt.notices} if attempt.notices else {})


def overrun(attempt: Attempt, usage: Usage) -> int:
    """Return the decoded tokens beyond what the request was allowed."""
    most = attempt.passed.asked.budget.work
    return 0 if most is None else max(0, usage.output_tokens + usage.unseen_tokens - most)


def span(attempt: Attempt, usage: Usage) -> int:
    """Return the tokens of the longest choice: they were decoded side by side."""
    meters = attempt.counts.meters
    return usage.work if len(meters) == 1 else min(usage.work, max(m.seen for m in meters))


def usage_value(attempt: Attempt, usage: Usage) -> dict[str, Any]:
    """Return the usage as clients read it: the server's own words, else our bound."""
    if attempt.usage is not None:
        return attempt.usage
    if attempt.native is not None:
        return attempt.native.usage_value(usage)
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def last_events(attempt: Attempt, usage: Usage, stop: str) -> bytes:
    """Write what follows the last token of a stream: usage where asked for, and the end."""
    passed = attempt.passed
    if attempt.native is not None:
        return attempt.native.ending(usage_value(attempt, usage), spent(attempt, usage, stop))
    if not (passed.wants_usage or passed.asked.wish.explain or stop != DONE):
        return sse.DONE
    value = {**frame(attempt), "choices": []}
    if passed.wants_usage:
        value["usage"] = usage_value(attempt, usage)
    value["workspan"] = spent(attempt, usage, stop)
    return sse.event(value) + sse.DONE


def cut_events(attempt: Attempt, usage: Usage, stop: str, unfinished: Sequence[int]) -> bytes:
    """Write the end of a stream that was cut at its budget, which is true: it has no more tokens.

    It says so in ``finish_reason`` and, for whoever reads it, in ``workspan.stop``.
    """
    if attempt.native is not None:
        return attempt.native.cut(usage_value(attempt, usage), spent(attempt, usage, stop))
    piece: dict[str, Any] = {"text": ""} if passed_text(attempt) else {"delta": {}}
    choices = [{"index": i, **piece, "finish_reason": "length"} for i in unfinished]
    value = {**frame(attempt), "choices": choices}
    return sse.event(value) + last_events(attempt, usage, stop)


def passed_text(attempt: Attempt) -> bool:
    """Tell completions from chats."""
    return attempt.passed.form == "completion"


def frame(attempt: Attempt) -> dict[str, Any]:
    """Return the fields that all events of a stream share."""
    try:
        value = json.loads(attempt.first)
    except (ValueError, RecursionError):
        value = {}
    told = value if isinstance(value, dict) else {}
    kind = "text_completion" if passed_text(attempt) else "chat.completion.chunk"
    asked = attempt.passed.asked
    return {
        "id": told.get("id") or asked.id,
        "object": told.get("object") or kind,
        "created": told.get("created") or 0,
        "model": told.get("model") or attempt.server.model or asked.model,
    }

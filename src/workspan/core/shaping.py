"""What the owner of a problem wants of every call that asks its prompt as it is.

A strategy asks in its own way: a cap, a temperature. What the owner has said (tools, a form, stops,
penalties, a cap of his own) goes onto those of its calls that ask his very prompt. Calls that ask
something else, such as a judge's, get none of it but who is to serve them; and a further engine,
which the owner did not ask, speaks for itself.
"""

from __future__ import annotations

from dataclasses import replace

from workspan.data.content import JsonObject
from workspan.data.types import Problem, Request

_ROUTING = frozenset(
    {
        *("provider", "models", "route", "transforms", "user", "safety_identifier"),
        *("prompt_cache_key", "prompt_cache_retention", "service_tier", "store", "metadata"),
    }
)
"""Fields of providers that say who serves a call, and for whom: every call has them."""


def shaped(problem: Problem, request: Request) -> Request:
    """Return a strategy's request as the problem's owner wants it; the same again if it is so."""
    asked = problem.request
    if asked is None or request.engine:
        return request
    if request.prompt is not problem.prompt and request.prompt != problem.prompt:
        routing = (
            {n: v for n, v in asked.extra.value.items() if n in _ROUTING} if asked.extra else {}
        )
        return replace(request, extra=JsonObject.of({**routing, **request.extra}))
    if request.prefix:
        return replace(
            request,
            reasoning_effort=request.reasoning_effort or asked.reasoning_effort,
            frequency_penalty=asked.frequency_penalty,
            presence_penalty=asked.presence_penalty,
            logit_bias=asked.logit_bias,
            stop=request.stop or asked.stop,
            extra=asked.extra,
        )
    return replace(
        asked,
        prompt=request.prompt,
        prefix="",
        engine="",
        seed=request.seed,
        max_tokens=min(request.max_tokens, asked.max_tokens),
        logprobs=request.logprobs or asked.logprobs,
        top_logprobs=max(request.top_logprobs, asked.top_logprobs),
        reasoning_effort=asked.reasoning_effort or request.reasoning_effort,
        stop=tuple(dict.fromkeys((*asked.stop, *request.stop))),
    )

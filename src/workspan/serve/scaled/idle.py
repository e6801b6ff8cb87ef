"""Fields that say what is so anyway: an engine that has no such setting need not refuse them.

Clients send them out of habit. To an engine that does have the setting they go as they came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from workspan.core.engine import Capability, EngineInfo
from workspan.data.content import NO_FIELDS, JsonObject
from workspan.data.types import Request

_IDLE: Mapping[str, tuple[Capability, Callable[[Any], bool]]] = {
    "response_format": ("response_format", lambda told: told.value.get("type") == "text"),
    "frequency_penalty": ("penalties", lambda told: told == 0),
    "presence_penalty": ("penalties", lambda told: told == 0),
    "logit_bias": ("logit_bias", lambda told: not told),
}
"""Of a request: what the field needs, and the values that ask for nothing."""
_FOR_NOBODY = frozenset(
    {
        *("user", "safety_identifier", "metadata", "store", "service_tier", "prompt_cache_key"),
        *("prompt_cache_retention", "function_call"),
    }
)
"""Fields for a provider's own books, which change no answer."""


def without_idle(request: Request, info: EngineInfo) -> Request:
    """Leave out what asks for nothing, where the engine has no such setting."""
    left_out: dict[str, Any] = {
        name: None
        for name, (capability, is_idle) in _IDLE.items()
        if capability not in info.capabilities
        and (told := getattr(request, name)) is not None
        and is_idle(told)
    }
    if not request.tools and request.tool_choice in ("auto", "none"):
        left_out["tool_choice"] = None
    if request.extra and "provider_fields" not in info.capabilities:
        rest = {k: v for k, v in request.extra.value.items() if k not in _FOR_NOBODY}
        left_out["extra"] = JsonObject.of(rest) if rest else NO_FIELDS
    return replace(request, **left_out) if left_out else request

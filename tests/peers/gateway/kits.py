"""The clients that are driven against the gateway, each in an environment of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from peers.conftest import Install
from peers.gateway.driven import node, python


@dataclass(frozen=True)
class Kit:
    """A client, and how it behaves."""

    command: Callable[[Install], list[str]]
    lacks: frozenset[str] = frozenset()
    """Steps that it has no call for."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """The error that it raises, by trouble."""
    tries: Mapping[str, int] = field(default_factory=dict)
    """How often it asks, by trouble; what is not here it asks once."""
    tells_code: bool = True
    """Its errors hold the gateway's `error.code`."""
    tells_status: bool = True
    cap: int = 500
    """Tokens that it lets a call have, unless it is told."""


OPENAI = {
    "e401": "InternalServerError",
    "e404": "NotFoundError",
    "e429": "RateLimitError",
    "e500": "InternalServerError",
    "dies": "InternalServerError",
    "poor": "RateLimitError",
    "stranger": "AuthenticationError",
    "mid-stream": "APIError",
}
PATIENT = {"e429": 3, "e500": 3}
"""Three requests where asking again may help: `x-should-retry: false` is obeyed elsewhere."""
DEAF = {"e401": 3, "e429": 3, "e500": 3, "dies": 3, "poor": 3}
"""It knows no `x-should-retry`."""
AI_SDK = {**dict.fromkeys(OPENAI, "APICallError"), "mid-stream": "StreamProviderError"}
_ONLY_OPENAI = frozenset(
    {"answer_async", "stream_async", "stream_helper", "completion", "wishes", "models", "embed"}
)
_ONLY_CHAT = _ONLY_OPENAI - {"stream_helper"}
_ONLY_LITELLM = _ONLY_OPENAI | {"stream_tool", "structured", "cancel_answer", "cancel_stream"}
PYDANTIC_AI = "pydantic-ai-slim[openai,anthropic]==2.68.0"
CLIENTS: Mapping[str, Kit] = {
    "openai": Kit(
        python("gateway-openai", "openai_python.py", "openai==3.57.0"),
        kinds=OPENAI,
        tries=PATIENT,
    ),
    "litellm": Kit(
        python("gateway-litellm", "litellm_python.py", "litellm==1.110.2"),
        _ONLY_OPENAI | {"structured", "cancel_answer"},
        {
            **OPENAI,
            "e401": "BadGatewayError",
            "dies": "BadGatewayError",
            "mid-stream": "MidStreamFallbackError",
        },
        PATIENT,
        tells_code=False,
    ),
    "langchain-openai": Kit(
        python("gateway-langchain", "langchain_python.py", "langchain-openai==1.7.4"),
        _ONLY_OPENAI | {"cancel_answer"},
        OPENAI,
        PATIENT,
    ),
    "dspy": Kit(
        python("gateway-dspy", "dspy_python.py", "dspy==3.4.1"),
        _ONLY_OPENAI
        | {"stream", "tool", "stream_tool", "structured", "cancel_stream", "cancel_answer"},
        {
            "e401": "LMServerError",
            "e404": "LMUnsupportedModelError",
            "e429": "LMRateLimitError",
            "e500": "LMServerError",
            "dies": "LMServerError",
            "poor": "LMRateLimitError",
            "stranger": "LMAuthError",
        },
        dict.fromkeys(DEAF, 4),
        tells_code=False,
        tells_status=False,
    ),
    "openai-npm": Kit(
        node("openai_npm.mjs"),
        _ONLY_OPENAI - {"stream_helper", "models", "embed"},
        OPENAI,
        PATIENT,
    ),
    "ai @ai-sdk/openai": Kit(
        node("ai_sdk.mjs", "openai"), _ONLY_OPENAI | {"cancel_answer"}, AI_SDK, DEAF
    ),
    "ai @ai-sdk/openai-compatible": Kit(
        node("ai_sdk.mjs", "compatible"), _ONLY_OPENAI | {"cancel_answer"}, AI_SDK, DEAF
    ),
    "openai responses": Kit(
        python("gateway-openai", "responses_python.py", "openai==3.57.0"),
        _ONLY_CHAT,
        {**OPENAI, "mid-stream": "RuntimeError"},
        PATIENT,
    ),
    "openai-npm responses": Kit(
        node("responses_npm.mjs"), _ONLY_CHAT, {**OPENAI, "mid-stream": "Error"}, PATIENT
    ),
    "anthropic": Kit(
        python("gateway-anthropic", "anthropic_python.py", "anthropic==2.14.0"),
        _ONLY_CHAT,
        {**OPENAI, "mid-stream": "APIStatusError"},
        PATIENT,
    ),
    "anthropic-npm": Kit(
        node("anthropic_npm.mjs"), _ONLY_CHAT | {"structured"}, OPENAI, PATIENT, tells_code=False
    ),
    "ai @ai-sdk/openai responses": Kit(
        node("ai_sdk.mjs", "responses"), _ONLY_OPENAI | {"cancel_answer"}, AI_SDK, DEAF
    ),
    "ai @ai-sdk/anthropic": Kit(
        node("ai_sdk.mjs", "messages"),
        _ONLY_OPENAI | {"cancel_answer"},
        AI_SDK,
        DEAF,
        tells_code=False,
        cap=4096,
    ),
    "litellm responses": Kit(
        python("gateway-litellm", "litellm_dialects.py", "litellm==1.110.2", told=["responses"]),
        _ONLY_LITELLM | {"stream"},  # it makes a stream of a whole reply
        {**OPENAI, "e401": "APIError", "dies": "APIError"},
        tells_code=False,
    ),
    "litellm messages": Kit(
        python("gateway-litellm", "litellm_dialects.py", "litellm==1.110.2", told=["messages"]),
        _ONLY_LITELLM,
        {**OPENAI, "mid-stream": "Exception", "e401": "APIError", "dies": "APIError"},
        tells_code=False,
    ),
    **{
        f"pydantic-ai {dialect}": Kit(
            python("gateway-pydantic-ai", "pydantic_ai_python.py", PYDANTIC_AI, told=[dialect]),
            _ONLY_OPENAI | {"stream_tool", "cancel_answer", "cancel_stream"},
            dict.fromkeys(OPENAI, "AgentRunError"),
            PATIENT,
            tells_code=False,
        )
        for dialect in ("responses", "messages")
    },
}

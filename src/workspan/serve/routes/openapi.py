"""What may be asked, in OpenAPI's form; what is passed on is open to further fields."""

from __future__ import annotations

from typing import Any

import msgspec

from workspan.serve.batches.records import ENDPOINTS, WINDOWS
from workspan.serve.relay.asking import MOST_CHOICES
from workspan.serve.trajectories.named import LONGEST, MOST_TURNS

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_BUDGET_FORM = {"format": "workspan-budget", "examples": ["8k work, 30s"]}
_NAME_FORM = {"minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]([ -~]*[!-~])?$"}
_OF_A_RUN = ("budget", "turns", "tells")
_RUN_FORM = {"format": "workspan-run-budget", "examples": ["40k work"]}
"""Of an agent's run: its calls are limited, and no time of it."""
_STRATEGY_FORM = {"format": "workspan-strategy", "examples": ["self_consistency(n=8)"]}
"""What is read by more than a pattern has a form by name."""
_WISH: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "What the request wishes; it never goes upstream. A run whose budget, turns or "
    "tells are said, and not its name, is found by the chat that the request goes on from.",
    "additionalProperties": False,
    "properties": {
        "budget": {"type": ["string", "null"], **_BUDGET_FORM},
        "strategy": {"type": ["string", "null"], **_STRATEGY_FORM},
        "explain": {"type": ["boolean", "null"]},
        "trajectory": {"type": ["string", "null"], **_NAME_FORM},
        "trajectory_budget": {"type": ["string", "null"], **_RUN_FORM},
        "trajectory_turns": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_TURNS},
        "trajectory_tells": {"type": ["boolean", "null"]},
        "lane": {"enum": ["live", "batch", None]},
    },
}
_PLAIN_WISH = {
    **_WISH,
    "description": "What the request wishes; it never goes upstream.",
    "properties": {n: form for n, form in _WISH["properties"].items() if n != "strategy"},
    "anyOf": [  # what is said of a run is said of one that is named
        {"properties": {f"trajectory_{what}": {"type": "null"} for what in _OF_A_RUN}},
        {"properties": {"trajectory": {"type": "string"}}, "required": ["trajectory"]},
    ],
}
"""Of what is passed on whatever is wished: no strategy answers it, and it goes on from nothing."""
_TOKENS = {"type": "array", "items": {"type": "integer"}, "minItems": 1}
_TEXTS = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        _TOKENS,
        {"type": "array", "items": _TOKENS, "minItems": 1},
    ]
}
_COUNT = {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_CHOICES}
_CAP = {"type": ["integer", "null"], "minimum": 1}
_STREAM = {
    "stream": {"type": ["boolean", "null"]},
    "stream_options": {"type": ["object", "null"]},
    "n": _COUNT,
}
_MODEL_NAME = {"type": "string", "minLength": 1, "format": "workspan-model", "examples": ["auto"]}
_PART = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": {"type": "string", "minLength": 1}},
    "if": {"properties": {"type": {"const": "text"}}},
    "then": {"required": ["text"], "properties": {"text": {"type": "string"}}},
}
_TURN = {
    "type": "object",
    "required": ["role"],
    "properties": {
        "role": {"enum": ["system", "developer", "user", "assistant", "tool", "function"]},
        "content": {
            "anyOf": [{"type": ["string", "null"]}, {"type": "array", "items": _PART}],
        },
    },
}
_CHAT = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": _MODEL_NAME,
        "messages": {"type": "array", "items": _TURN, "minItems": 1},
        "max_tokens": _CAP,
        "max_completion_tokens": _CAP,
        "workspan": _WISH,
        **_STREAM,
    },
    "anyOf": [  # two names of one cap
        {"properties": {"max_tokens": {"type": "null"}}},
        {"properties": {"max_completion_tokens": {"type": "null"}}},
    ],
}
_TEXT = {
    "type": "object",
    "required": ["model", "prompt"],
    "properties": {
        "model": _MODEL_NAME,
        "prompt": _TEXTS,
        "best_of": _COUNT,
        "max_tokens": {**_CAP, "minimum": 0},
        "workspan": _PLAIN_WISH,
        **_STREAM,
    },
}
_EMBED = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": _MODEL_NAME,
        "input": _TEXTS,
        "workspan": _PLAIN_WISH,
    },
}
_ITEM = {
    "type": "object",
    "required": ["role"],
    "properties": {
        "type": {"enum": ["message", None]},
        "role": {"enum": ["system", "developer", "user", "assistant"]},
        "content": {"type": ["string", "null"]},
    },
}
_RESPONSES = {
    "type": "object",
    "required": ["model", "input"],
    "description": "What an upstream of the dialect is asked goes to it as it came; what one that "
    "speaks Chat can't be told is refused with its name.",
    "properties": {
        "model": _MODEL_NAME,
        "input": {"anyOf": [{"type": "string"}, {"type": "array", "items": _ITEM, "minItems": 1}]},
        "instructions": {"type": ["string", "null"]},
        "max_output_tokens": _CAP,
        "stream": {"type": ["boolean", "null"]},
        "store": {"type": ["boolean", "null"], "description": "Taken; nothing is stored here."},
        "previous_response_id": {"type": "null", "description": "No response is kept."},
        "conversation": {"type": "null"},
        "background": {"enum": [False, None]},
        "truncation": {"enum": ["disabled", None]},
        "workspan": _WISH,
    },
}
_BLOCKS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["type", "text"],
        "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
    },
}
_TEXT_OR_BLOCKS = [{"type": "string"}, _BLOCKS]
_COUNTED = {
    "model": _MODEL_NAME,
    "messages": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["role", "content"],
            "properties": {
                "role": {"enum": ["user", "assistant", "system"]},
                "content": {"anyOf": _TEXT_OR_BLOCKS},
            },
        },
    },
    "system": {"anyOf": [*_TEXT_OR_BLOCKS, {"type": "null"}]},
}
_COUNT_TOKENS = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": _COUNTED,
}
_MESSAGES = {
    **_COUNT_TOKENS,
    "description": _RESPONSES["description"],
    "properties": {
        **_COUNTED,
        "max_tokens": _CAP,
        "stream": {"type": ["boolean", "null"]},
        "workspan": _WISH,
    },
}
_HEADERS = [
    {"name": name, "in": "header", "required": False, "schema": {"type": "string", **form}}
    for name, form in (
        ("Workspan-Budget", _BUDGET_FORM),
        ("Workspan-Strategy", _STRATEGY_FORM),
        ("Workspan-Trajectory", {"maxLength": LONGEST}),
        ("Workspan-Trajectory-Budget", _RUN_FORM),
    )
]
_FAILURES = {
    str(status): {
        "description": said,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    for status, said in {
        400: "The request is wrong; nothing was spent.",
        401: "The key is none, or not known.",
        403: "The key may not ask this.",
        404: "No such model or address.",
        405: "No such method here.",
        408: "The body did not come in time.",
        409: "It has ended already, or the run began with another budget.",
        413: "The body is too large.",
        422: "The upstream refuses the request.",
        429: "No room in an account of ours (error.code budget_exceeded, budget_busy, "
        "rate_limit_exceeded), or in the upstream's (upstream_rate_limit, upstream_quota).",
        431: "The headers are too large.",
        500: "A bug.",
        502: "The upstream failed.",
        503: "Too many requests are in line, or the server ends.",
        504: "The upstream was silent for too long.",
    }.items()
}


def _asking(
    summary: str, schema: dict[str, Any], *, streams: bool, scales: bool = False
) -> dict[str, Any]:
    kinds: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}
    if streams:
        kinds["text/event-stream"] = {}  # events, each a value of JSON or [DONE]
    return {
        "post": {
            "summary": summary,
            "parameters": _HEADERS if scales else _HEADERS[:1],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": schema}},
            },
            "responses": {"200": {"description": "The answer.", "content": kinds}, **_FAILURES},
        }
    }


def _telling(summary: str, kind: str = "application/json") -> dict[str, Any]:
    schema = {"type": "object"} if kind == "application/json" else {"type": "string"}
    good = {"description": "As asked.", "content": {kind: {"schema": schema}}}
    return {"get": {"summary": summary, "responses": {"200": good, **_FAILURES}}}


_MODEL = _telling("One model.")
_MODEL["get"]["parameters"] = [
    {"name": "model", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
]
_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"},
}
_LISTS = [
    {"name": "after", "in": "query", "schema": {"type": "string"}},
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": 999_999},
    },
]
_BATCH = {
    "type": "object",
    "required": ["input_file_id", "endpoint", "completion_window"],
    "additionalProperties": False,
    "properties": {
        "input_file_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"},
        "endpoint": {"enum": list(ENDPOINTS)},
        "completion_window": {"enum": list(WINDOWS)},
        "metadata": {
            "type": ["object", "null"],
            "maxProperties": 16,
            "propertyNames": {"maxLength": 64},
            "additionalProperties": {"type": "string", "maxLength": 512},
        },
    },
}


UPLOAD = "upload"
"""Names the one operation that takes a form: its fields are texts, whatever types a schema says."""
_FILE = {
    "type": "object",
    "required": ["file", "purpose"],
    "properties": {
        "file": {
            "type": "string",
            "description": "JSONL in UTF-8: a request on each line.",
        },
        "purpose": {"const": "batch"},
    },
}


def _named(summary: str, method: str = "get", *more: Any) -> dict[str, Any]:
    """Describe what is asked of one thing that has an id, or of a list of them."""
    told = _telling(summary)["get"]
    return {method: {**told, "parameters": [*more]}}


_DESCRIBED: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Workspan gateway", "version": "1"},
    "paths": {
        "/v1/chat/completions": _asking("A turn of a chat.", _CHAT, streams=True, scales=True),
        "/v1/completions": _asking(
            f"A text that goes on: at most {MOST_CHOICES} choices of all prompts together.",
            _TEXT,
            streams=True,
        ),
        "/v1/embeddings": _asking("Vectors of texts.", _EMBED, streams=False),
        "/v1/responses": _asking(
            "A response, as OpenAI's Responses has it.", _RESPONSES, streams=True, scales=True
        ),
        "/v1/messages": _asking(
            "A message, as Anthropic's Messages has it.", _MESSAGES, streams=True, scales=True
        ),
        "/v1/messages/count_tokens": _asking(
            "The tokens of a message, where the upstream counts them.", _COUNT_TOKENS, streams=False
        ),
        "/v1/files": {
            **_named("The key's files.", "get", *_LISTS),
            "post": {
                "summary": "Keep a file of requests.",
                "operationId": UPLOAD,
                "requestBody": {
                    "required": True,
                    "content": {"multipart/form-data": {"schema": _FILE}},
                },
                "responses": _telling("")["get"]["responses"],
            },
        },
        "/v1/files/{id}": {
            **_named("One file.", "get", _ID),
            **_named("Forget it.", "delete", _ID),
        },
        "/v1/batches": {
            **_named("The key's batches.", "get", *_LISTS),
            "post": {
                **_asking("Requests of a file, behind whoever waits.", _BATCH, streams=False)[
                    "post"
                ],
                "parameters": [],
            },
        },
        "/v1/batches/{id}": _named("One batch.", "get", _ID),
        "/v1/batches/{id}/cancel": _named("Ask no more of its lines.", "post", _ID),
        "/v1/models": _telling("What may be named as model."),
        "/v1/models/{model}": _MODEL,
        "/healthz": _telling("The process runs."),
        "/readyz": _telling("Requests are taken."),
        "/metrics": _telling("Figures for Prometheus.", "text/plain"),
        "/tokenizer_info": _telling("What the upstream says of its tokenizer."),
        "/openapi.json": _telling("This."),
    },
    "components": {
        "schemas": {"Error": _ERROR},
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    },
    "security": [{"key": []}, {}],
}
DOCUMENT: bytes = msgspec.json.encode(_DESCRIBED)
"""Served as it is."""

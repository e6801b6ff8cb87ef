"""Rows: replies that are no completion, and parameters that are refused."""

from __future__ import annotations

import json
import random
from email.utils import formatdate

from workspan.testing.faults.fault import Change, Fault
from workspan.testing.faults.script import Script


def _status(status: int, said: str = "", **headers: str) -> Change:
    body = json.dumps({"error": {"message": said or f"status {status}", "code": status}}).encode()

    def change(script: Script, _rng: random.Random) -> None:
        script.status, script.said = status, body
        script.headers |= {name.replace("_", "-"): value for name, value in headers.items()}

    return change


def _said(status: int, body: bytes, kind: str = "application/json") -> Change:
    def change(script: Script, _rng: random.Random) -> None:
        script.status, script.said, script.content_type = status, body, kind

    return change


def _waits(*values: str, name: str = "Retry-After") -> Change:
    def change(script: Script, rng: random.Random) -> None:
        _status(429, "Rate limit reached.")(script, rng)
        script.headers[name] = rng.choice(values)

    return change


def _refuses(name: str, said: str = "Unsupported parameter: '{}' is not supported.") -> Change:
    """Answer 400 to requests that have a field."""

    def change(script: Script, rng: random.Random) -> None:
        if script.asked.body.get(name) is not None:
            _status(400, said.format(name))(script, rng)

    return change


STATUSES = (
    Fault("status_400", "a proxy's own check of the body", _status(400, "bad request")),
    Fault("status_401", "a key that was withdrawn in mid-run", _status(401, "Incorrect API key")),
    Fault("status_404", "a model that is being swapped", _status(404, "no such model")),
    Fault("status_408", "nginx: the request took too long", _status(408)),
    Fault("status_409", "Azure: a deployment is being changed", _status(409)),
    Fault("status_429", "a rate limit without a date", _status(429, "Rate limit reached.")),
    Fault(
        "quota_spent",
        "OpenAI: a 429 that no wait can help",
        _status(429, "insufficient_quota: you exceeded your current quota"),
    ),
    Fault("status_500", "vLLM: an exception in the engine", _status(500, "Internal error")),
    Fault("status_502", "a proxy whose server is gone", _said(502, b"<html>Bad Gateway</html>")),
    Fault("status_503", "an overloaded server", _status(503)),
    Fault("status_529", "Anthropic: overloaded", _status(529, "Overloaded")),
    Fault(
        "status_413",
        "the prompt is too long for the model",
        _status(413, "maximum context length is 16 tokens"),
    ),
    Fault("error_without_body", "a load balancer", _said(500, b"")),
    Fault("error_is_text", "a proxy that answers in words", _said(500, b"upstream gone")),
    Fault("error_is_list", "FastAPI: a list of complaints", _said(422, b'[{"msg":"bad"}]')),
    Fault("error_is_null", "an error whose key is null", _said(400, b'{"error":null}')),
    Fault("error_is_deep", "a hostile body", _said(400, b"[" * 60_000)),
    Fault("error_is_huge", "a body without an end", _said(400, b"x" * 2_000_000, "text/plain")),
    Fault("error_not_utf8", "a proxy in another encoding", _said(400, b'{"error":"\xff\xfe"}')),
    Fault("retry_after_zero", "a limit that has just passed", _waits("0", "0.0")),
    Fault("retry_after_odd", "hand-written proxies", _waits("-5", "x", "", "nan", "1e999", "inf")),
    Fault("retry_after_long", "a daily quota", _waits("999999", "1e18", formatdate(4e9))),
    Fault("retry_after_date", "RFC 9110: a date", _waits(formatdate(0), "Mon, 99 Foo 2026")),
    Fault("retry_after_ms", "OpenAI, Azure", _waits("5", "0", "x", name="retry-after-ms")),
    Fault(
        "redirect",
        "an address without /v1 or with http",
        _status(307, Location="http://127.0.0.1:9/v1"),
    ),
    Fault("html", "a log-in page", _said(200, b"<html><body>Welcome</body></html>", "text/html")),
    Fault("no_content", "a 204 from a proxy's cache", _status(204)),
    Fault("empty_reply", "a crashed handler: 200 and no body", _said(200, b" ")),
    Fault("array_reply", "a TGI that answers with a list", _said(200, b'[{"generated_text":"a"}]')),
)


PARAMETERS = tuple(
    Fault(f"refuses_{name}", real, _refuses(name, said), keeps=True)
    for name, real, said in (
        ("seed", "Mistral, Gemini's compatible door", "Extra inputs are not permitted: {}"),
        ("stream", "o1-pro: no streaming", "Unsupported value: '{}' does not support true."),
        ("stream_options", "older vLLM, Mistral", "Unknown parameter: '{}'."),
        ("logprobs", "reasoning models", "'{}' is not supported with this model."),
        ("top_logprobs", "TGI", "Unknown parameter: '{}'."),
        ("n", "Groq, llama.cpp", "'{}' : number must be at most 1"),
        ("max_tokens", "o1 and later", "'{}' is not supported. Use 'max_completion_tokens'."),
        ("temperature", "o1 and later", "Unsupported value: '{}' does not support 0.7."),
        ("top_p", "o1 and later", "Unsupported parameter: '{}'."),
        ("stop", "o3, o4-mini", "Unsupported parameter: '{}'."),
        ("add_generation_prompt", "servers without a template", "unexpected field {}"),
    )
)

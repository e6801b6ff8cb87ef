"""What a refusal teaches: every setting in every shape of refusal, and what is no lesson at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from endpoint_client import ASK
from workspan.boundary.secret import Secret
from workspan.data.types import Request
from workspan.engines.endpoint.complaints import Complaint, read_complaint
from workspan.engines.endpoint.dialect import Asking, Dialect
from workspan.engines.endpoint.rejections import rejection
from workspan.errors import ContextExceeded, EngineRejected, EngineUnavailable

NO_KEY = Secret("")
FULL = replace(
    ASK, top_p=0.5, stop=(), top_logprobs=4, reasoning_effort="low", prefix="It is", max_tokens=64
)
EXTRA = {"presence_penalty": 0.5, "frequency_penalty": 0.5, "min_p": 0.1}
DROPPED = (
    "seed",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "top_logprobs",
    "logprobs",
    "n",
    "reasoning_effort",
    "add_generation_prompt",
    "continue_final_message",
    "presence_penalty",
    "frequency_penalty",
    "min_p",
)
"""Settings that are given up; the caps are renamed, what a strategy rests on is an error."""


TOGETHER = {
    "stream": {"stream_options"},
    "logprobs": {"top_logprobs"},
    "top_logprobs": {"logprobs"},  # asked for only for their sake
}


def body(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


def openai(name: str) -> tuple[int, bytes]:
    message = f"Unsupported parameter: '{name}' is not supported with this model."
    error = {"message": message, "type": "invalid_request_error", "param": name}
    return 400, body({"error": {**error, "code": "unsupported_parameter"}})


def openai_value(name: str) -> tuple[int, bytes]:
    message = f"Unsupported value: '{name}' does not support 0.7 with this model. "
    message += "Only the default (1) value is supported."
    error = {"message": message, "type": "invalid_request_error", "param": name}
    return 400, body({"error": {**error, "code": "unsupported_value"}})


def azure(name: str) -> tuple[int, bytes]:
    message = f"Unrecognized request argument supplied: {name}"
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return 400, body({"error": error})


def gemini(name: str) -> tuple[int, bytes]:
    said = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    error: dict[str, Any] = {"code": 400, "message": said, "status": "INVALID_ARGUMENT"}
    detail = {"@type": "type.googleapis.com/google.rpc.BadRequest"}
    error["details"] = [{**detail, "fieldViolations": [{"description": said}]}]
    return 400, body([{"error": error}])


def mistral(name: str) -> tuple[int, bytes]:
    entry = {"type": "extra_forbidden", "loc": ["body", name], "input": 1}
    detail = {"detail": [{**entry, "msg": "Extra inputs are not permitted"}]}
    return 422, body({"object": "error", "message": detail, "type": "invalid_request_error"})


def mistral_json_in_text(name: str) -> tuple[int, bytes]:
    entry = {"type": "extra_forbidden", "loc": ["body", name], "input": 0.0}
    detail = {"detail": [{**entry, "msg": "Extra inputs are not permitted"}]}
    return 422, body({"object": "error", "message": json.dumps(detail), "code": "1000"})


def fastapi(name: str) -> tuple[int, bytes]:
    entry = {"loc": ["body", name], "msg": "extra fields not permitted"}
    return 422, body({"detail": [{**entry, "type": "value_error.extra"}]})


def vllm(name: str) -> tuple[int, bytes]:
    entry = {"type": "extra_forbidden", "loc": ("body", name)}
    listed = [{**entry, "msg": "Extra inputs are not permitted", "input": True}]
    error = {"object": "error", "message": str(listed), "type": "BadRequestError", "param": None}
    return 400, body({**error, "code": 400})


def pydantic(name: str) -> tuple[int, bytes]:
    said = f"1 validation error for ChatCompletionRequest\n{name}\n  Extra inputs are not permitted"
    said += " [type=extra_forbidden, input_value=7, input_type=int]"
    return 400, body({"object": "error", "message": said, "code": 400})


def groq(name: str) -> tuple[int, bytes]:
    said = f"property '{name}' is unsupported"
    return 400, body({"error": {"message": said, "type": "invalid_request_error"}})


def litellm(name: str) -> tuple[int, bytes]:
    said = f"litellm.UnsupportedParamsError: azure does not support parameters: ['{name}'], for "
    said += "model=some-model. To drop these, set `litellm.drop_params=True`."
    return 400, body({"error": {"message": said, "type": "None", "param": "None", "code": "400"}})


def serde(name: str) -> tuple[int, bytes]:
    said = f"Failed to deserialize the JSON body: unknown field `{name}`, expected one of `model`, "
    said += "`messages`, `max_tokens`, `top_k` at line 1 column 12"
    return 422, body(said)


def schema(name: str) -> tuple[int, bytes]:
    said = f"Additional properties are not allowed ('{name}' was unexpected)"
    return 400, body({"error": {"message": f"{said} - 'body'"}})


def anthropic(name: str) -> tuple[int, bytes]:
    error = {"type": "invalid_request_error", "message": f"{name}: Extra inputs are not permitted"}
    return 400, body({"type": "error", "error": error})


def python(name: str) -> tuple[int, bytes]:
    said = f"generate() got an unexpected keyword argument '{name}'"
    return 500, body({"detail": said})


def plain(name: str) -> tuple[int, bytes]:
    return 400, f"Error: parameter '{name}' is not supported by this backend".encode()


def nested_text(name: str) -> tuple[int, bytes]:
    inner = json.loads(openai(name)[1])
    return 400, body({"error": {"message": f"Error from provider: {json.dumps(inner)}"}})


SHAPES: tuple[Callable[[str], tuple[int, bytes]], ...] = (
    openai,
    openai_value,
    azure,
    gemini,
    mistral,
    mistral_json_in_text,
    fastapi,
    vllm,
    pydantic,
    groq,
    litellm,
    serde,
    schema,
    anthropic,
    python,
    plain,
    nested_text,
)


def dialect(**known: Any) -> Dialect:
    return Dialect("chat", "some-model", extra=EXTRA, **known)


def asking(known: Dialect, request: Request = FULL, n: int = 3) -> Asking:
    return Asking(known, request, n, None, 40)


def told(shape: Callable[[str], tuple[int, bytes]], name: str) -> Complaint:
    status, text = shape(name)
    return read_complaint(status, text, NO_KEY)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
@pytest.mark.parametrize("name", DROPPED)
def test_a_refused_setting_is_given_up_and_nothing_else_is(
    name: str, shape: Callable[[str], tuple[int, bytes]]
) -> None:
    known = dialect()
    asked = asking(known)
    before = msgspec.json.decode(asked.body())
    assert asked.learn(told(shape, name))
    after = msgspec.json.decode(asked.body())
    lost = {key for key in before if key not in after or before[key] != after[key]}
    assert lost == {name} | TOGETHER.get(name, set())
    assert after.get("stream") is (None if name == "stream" else True)  # not even a false one
    assert not asked.learn(told(shape, name))  # the same refusal of what is not sent any more
    said = [notice.text for notice in asked.notices]
    assert all(name in text for text in said)
    assert bool(said) is (name not in {"stream_options", "n"})


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_cap_is_renamed_and_never_left_out(shape: Callable[[str], tuple[int, bytes]]) -> None:
    known = dialect()
    asked = asking(known)
    assert "max_tokens" in msgspec.json.decode(asked.body())
    assert asked.learn(told(shape, "max_tokens"))
    after = msgspec.json.decode(asked.body())
    assert (after.get("max_tokens"), after.get("max_completion_tokens")) == (None, 64)
    assert not asked.learn(told(shape, "max_completion_tokens"))
    assert "max_completion_tokens" in msgspec.json.decode(asked.body())


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
@pytest.mark.parametrize("name", ["stop", "logprobs"])
def test_what_a_strategy_rests_on_is_an_error_that_says_so(
    name: str, shape: Callable[[str], tuple[int, bytes]]
) -> None:
    known = dialect()
    request = replace(FULL, stop=("END",), logprobs=True)
    asked = asking(known, request)
    asked.body()
    with pytest.raises(EngineRejected, match=f"`{name}`, which this strategy rests on"):
        asked.learn(told(shape, name))
    with pytest.raises(EngineRejected, match="rests on"):  # said at once the next time
        asking(known, request)
    asking(known, ASK)  # other requests are served


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, {"error": {"message": "max_tokens is too large: context is 1000"}}),
        (400, {"error": {"message": "max_tokens must be at least 1", "param": "max_tokens"}}),
        (400, {"error": {"message": "max_tokens must be at least 1, got -186.", "code": 400}}),
        (400, {"error": {"message": "Invalid value for temperature", "param": "temperature"}}),
        (
            400,
            {
                "error": {
                    "message": "Invalid 'temperature': decimal above maximum value. Expected a "
                    "value <= 2, but got 3 instead.",
                    "param": "temperature",
                    "code": "decimal_above_max_value",
                }
            },
        ),
        (
            400,
            {
                "error": {
                    "message": "Unsupported value: 'reasoning_effort' does not support 'minimal' "
                    "with this model. Supported values are: 'low', 'medium', and 'high'.",
                    "param": "reasoning_effort",
                    "code": "unsupported_value",
                }
            },
        ),
        (400, {"error": {"message": "Unsupported content type; seed and top_p were read."}}),
        (400, {"error": {"message": "The model `seed` is not supported.", "code": "bad_model"}}),
        (400, {"error": {"message": "model seed-oss-36b is not supported", "param": "model"}}),
        (404, {"error": {"message": "Unknown model. Try without seed.", "code": "not_found"}}),
        (
            400,
            {"error": {"message": "Unknown parameter: 'tool_choice'. Known: 'seed', 'stop'."}},
        ),
        (
            422,
            {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required"}]},
        ),
        (
            422,
            {
                "detail": [
                    {
                        "type": "less_than_equal",
                        "loc": ["body", "temperature"],
                        "msg": "Input should be less than or equal to 1.5",
                    }
                ]
            },
        ),
        (
            422,
            {
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "messages", 0, "user", "seed"],
                        "msg": "Extra inputs are not permitted",
                    }
                ]
            },
        ),
        (
            400,
            [
                {
                    "error": {
                        "message": "Unknown name \"seed\" at 'tools[0].parameters': Cannot find "
                        "field."
                    }
                }
            ],
        ),
        (401, {"error": {"message": "temperature is not supported for this key"}}),
        (429, {"error": {"message": "stream is not available now", "param": "stream"}}),
        (503, {"error": {"message": "seed is not supported while loading", "param": "seed"}}),
        (400, {"error": {"message": "Please stop sending unsupported requests."}}),
        (400, {"error": {"message": "unknown field `tools`, expected one of `seed`, `stop`"}}),
        (400, {"error": {"message": "Unexpected end of the stream of input."}}),
        (400, {"error": {"message": "The request could not be processed (seed=7, top_p=0.5)."}}),
        (500, {"error": {"message": "Unexpected error: seed 7, temperature 0.7"}}),
        (500, {"error": {"message": "unknown error, stream closed, n=3"}}),
        (400, {"error": {"message": "Try a lower top_p, or leave stream_options out."}}),
        (400, {"error": {"message": "Unsupported image format. Sent with seed, stop, n."}}),
        (400, {"error": {"message": "tools are not supported when stream is true"}}),
        (400, "stop."),
        (400, ""),
    ],
)
def test_what_is_no_lesson_changes_nothing(status: int, said: object) -> None:
    known = dialect()
    asked = asking(known, replace(FULL, stop=("END",)))
    before = asked.body()
    assert not asked.learn(read_complaint(status, body(said), NO_KEY))
    assert asked.body() == before
    assert (known.refused, known.cap_name, known.context) == (set(), "max_tokens", None)


def test_several_fields_of_one_refusal_and_several_refusals_one_after_another() -> None:
    known = dialect()
    asked = asking(known)
    asked.body()
    entry = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted"}
    listed = [{**entry, "loc": ["body", name]} for name in ("stream_options", "seed")]
    said = {"object": "error", "message": {"detail": listed}}
    assert asked.learn(read_complaint(422, body(said), NO_KEY))
    assert known.refused == {"seed", "stream_options"}
    for name in ("temperature", "top_p", "reasoning_effort", "max_tokens"):
        asked.body()
        assert asked.learn(told(openai, name))
    sent = msgspec.json.decode(asked.body())
    assert not {"seed", "stream_options", "temperature", "top_p"} & set(sent)
    assert sent["max_completion_tokens"] == 64


@pytest.mark.parametrize(
    "said",
    [
        "azure does not support parameters: ['seed', 'top_p'], for model=x",
        "seed and top_p are not supported",
        "Unrecognized request arguments supplied: seed, top_p",
        'Unknown name "seed": Cannot find field.\nUnknown name "top_p": Cannot find field.',
        "2 validation errors:\nseed\n  Extra inputs are not permitted\ntop_p\n  Extra inputs are "
        "not permitted",
    ],
)
def test_several_fields_of_one_text(said: str) -> None:
    known = dialect()
    asked = asking(known)
    asked.body()
    assert asked.learn(read_complaint(400, body({"error": {"message": said}}), NO_KEY))
    assert known.refused == {"seed", "top_p"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("top_p", "`temperature` and `top_p` cannot both be specified for this model."),
        ("temperature", "invalid temperature: only 0.6 is allowed for this model"),
        ("temperature", "`temperature` may only be set to 1 when thinking is enabled."),
        ("temperature", "temperature is deprecated for this model."),
        ("stream", "Your organization must be verified to stream this model."),
        ("stream", "Streaming is not supported for this deployment"),
        ("n", "Only n=1 is supported"),
        ("n", "n must be 1 for this model"),
        ("n", "This model does not support multiple completions, please set n to 1"),
        ("logprobs", "logprobs are not supported with reasoning models"),
        ("logprobs", "Logprobs is not enabled for models/gemini-2.5-pro"),
        ("reasoning_effort", "This model does not support reasoning_effort"),
        ("continue_final_message", "continue_final_message is not allowed here"),
    ],
)
def test_servers_own_words(name: str, said: str) -> None:
    known = dialect()
    asked = asking(known)
    asked.body()
    assert asked.learn(read_complaint(400, body({"error": {"message": said}}), NO_KEY))
    assert known.refused == {name}


def test_a_request_sent_before_a_lesson_learns_it_without_undoing_it() -> None:
    known = dialect()
    first, second = asking(known), asking(known)
    first.body(), second.body()
    for asked in (first, second):
        assert asked.learn(told(openai, "max_tokens"))
        assert "max_completion_tokens" in msgspec.json.decode(asked.body())


LIMITS = {
    "vLLM": "'max_tokens' or 'max_completion_tokens' is too large: 1024. This model's maximum "
    "context length is 1000 tokens and your request has 60 input tokens (1024 > 1000 - 60).",
    "OpenAI": "This model's maximum context length is 1000 tokens. However, you requested 1084 "
    "tokens (60 in the messages, 1024 in the completion). Please reduce the length.",
    "OpenAI completions": "This model's maximum context length is 1000 tokens, however you "
    "requested 1084 tokens (60 in your prompt; 1024 for the completion).",
    "SGLang": "Requested token count exceeds the model's maximum context length of 1000 tokens. "
    "You requested a total of 1084 tokens: 60 tokens from the input messages and 1024 tokens for "
    "the completion.",
    "TGI": "`inputs` tokens + `max_new_tokens` must be <= 1000. Given: 60 `inputs` tokens and 1024 "
    "`max_new_tokens`",
    "Anthropic": "input length and `max_tokens` exceed context limit: 60 + 1024 > 1000, decrease "
    "input length or `max_tokens` and try again",
    "with commas": "maximum context length is 1,000 tokens; your prompt contains 60 tokens",
}


@pytest.mark.parametrize("said", LIMITS.values(), ids=list(LIMITS))
def test_a_known_context_is_fitted_by_the_refusals_own_figures(said: str) -> None:
    known = dialect(context=1200)
    asked = Asking(known, replace(ASK, max_tokens=1024), 1, None, 40)
    asked.body()
    assert asked.learn(read_complaint(400, body({"error": {"message": said}}), NO_KEY))
    assert msgspec.json.decode(asked.body())["max_tokens"] == 940
    assert known.context == 1000


@pytest.mark.parametrize("said", LIMITS.values(), ids=list(LIMITS))
def test_an_unknown_context_is_learnt_for_the_calls_to_come(said: str) -> None:
    known = dialect()
    request = replace(ASK, max_tokens=1024)
    asked = Asking(known, request, 1, None, 40)
    asked.body()
    complaint = read_complaint(400, body({"error": {"message": said}}), NO_KEY)
    assert not asked.learn(complaint)
    assert isinstance(rejection(complaint, "http://host"), ContextExceeded)
    assert (known.context, known.cap_name) == (1000, "max_tokens")
    later = Asking(known, request, 1, None, 40)
    assert msgspec.json.decode(later.body())["max_tokens"] == 980  # half of the bound, for a start


def test_llama_cpp_names_its_figures_by_fields() -> None:
    known = dialect(context=2000)
    asked = Asking(known, replace(ASK, max_tokens=1024), 1, None, 40)
    asked.body()
    error = {
        "code": 400,
        "message": "the request exceeds the available context size, try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 250,
        "n_ctx": 256,
    }
    assert asked.learn(read_complaint(400, body({"error": error}), NO_KEY))
    assert msgspec.json.decode(asked.body())["max_tokens"] == 6


def test_a_prompt_that_fills_the_context_is_said_before_anything_is_asked() -> None:
    with pytest.raises(ContextExceeded, match="context of 100 tokens"):
        Asking(dialect(context=100), ASK, 1, 100, 400)


def test_a_coarse_bound_does_not_shorten_an_answer_that_may_fit() -> None:
    known = dialect(context=1000)
    asked = Asking(known, replace(ASK, max_tokens=500), 1, None, 900)
    assert msgspec.json.decode(asked.body())["max_tokens"] == 500
    said = "maximum context length is 1000 tokens"
    assert asked.learn(read_complaint(400, body({"error": {"message": said}}), NO_KEY))
    assert msgspec.json.decode(asked.body())["max_tokens"] == 100  # the bound is the last try
    assert not asked.learn(read_complaint(400, body({"error": {"message": said}}), NO_KEY))


def test_a_bound_beyond_the_context_is_no_refusal_while_the_true_size_may_fit() -> None:
    known = dialect(context=1000)
    asked = Asking(known, replace(ASK, max_tokens=1024), 1, None, 2400)
    assert msgspec.json.decode(asked.body())["max_tokens"] == 250
    said = "maximum context length is 1000 tokens and your request has 900 input tokens"
    assert asked.learn(read_complaint(400, body({"error": {"message": said}}), NO_KEY))
    assert msgspec.json.decode(asked.body())["max_tokens"] == 100
    said = said.replace("900", "1001")
    assert not asked.learn(read_complaint(400, body({"error": {"message": said}}), NO_KEY))


@pytest.mark.parametrize(
    "said",
    [
        "max_tokens is too large: 1024. This model supports at most 500 completion tokens, whereas "
        "you provided 1024.",
        "`max_tokens` must be less than or equal to `500`, the maximum value for `max_tokens` is "
        "less than the `context_window` for this model",
        "max_tokens: 1024 > 500, which is the maximum allowed number of output tokens for it",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 500]",
    ],
)
def test_a_limit_of_the_answer_lowers_the_cap_and_is_said(said: str) -> None:
    known = dialect()
    asked = Asking(known, replace(ASK, max_tokens=1024), 1, None, 40)
    asked.body()
    error = {"message": said, "param": "max_tokens", "code": "invalid_value"}
    assert asked.learn(read_complaint(400, body({"error": error}), NO_KEY))
    sent = msgspec.json.decode(asked.body())
    assert (sent["max_tokens"], known.cap_name, known.context) == (500, "max_tokens", None)
    assert any("capped" in notice.text for notice in asked.notices)


@pytest.mark.parametrize(
    ("status", "headers", "said", "kind"),
    [
        (429, {}, {"error": {"message": "Rate limit reached"}}, EngineUnavailable),
        (429, {}, {"error": {"code": "insufficient_quota", "message": "x"}}, EngineRejected),
        (
            429,
            {"Retry-After": "20"},
            {"error": {"code": "insufficient_quota", "message": "x"}},
            EngineRejected,
        ),
        (
            429,
            {},
            {"error": {"message": "You exceeded your current quota, check your billing details."}},
            EngineRejected,
        ),
        (
            429,
            {},
            [
                {
                    "error": {
                        "code": 429,
                        "message": "You exceeded your current quota, check your billing details.",
                        "details": [{"retryDelay": "34s"}],
                    }
                }
            ],
            EngineUnavailable,
        ),
        (
            429,
            {},
            [
                {
                    "error": {
                        "message": "quota",
                        "details": [
                            {"violations": [{"quotaId": "RequestsPerDayPerProject-FreeTier"}]},
                            {"retryDelay": "34s"},
                        ],
                    }
                }
            ],
            EngineRejected,
        ),
        (402, {}, {"error": {"message": "Insufficient Balance"}}, EngineRejected),
        (529, {}, {"error": {"type": "overloaded_error"}}, EngineUnavailable),
    ],
)
def test_the_kinds_of_429_are_kept_apart(
    status: int, headers: dict[str, str], said: object, kind: type[Exception]
) -> None:
    complaint = read_complaint(status, body(said), NO_KEY, headers)
    assert type(rejection(complaint, "http://host")) is kind


@pytest.mark.parametrize("depth", [10, 100_000])
def test_a_deep_refusal_is_read_as_far_as_it_goes(depth: int) -> None:
    complaint = read_complaint(400, b"[" * depth, NO_KEY)
    assert isinstance(rejection(complaint, "http://host"), EngineRejected)
    nested: Any = "seed is not supported"
    for _ in range(500):
        nested = {"error": nested}
    assert read_complaint(400, nested, NO_KEY).words


def test_the_key_is_in_nothing_that_is_shown() -> None:
    secret = Secret("sk-hidden", ("team-secret",))
    said = {"error": {"message": "bad sk-hidden", "param": "sk-hidden", "code": "team-secret"}}
    complaint = read_complaint(400, body(said), secret, {"Location": "http://x/?k=sk-hidden"})
    shown = f"{complaint} {complaint!r} {rejection(complaint, 'http://host')} {complaint.location}"
    assert "sk-hidden" not in shown
    assert "team-secret" not in shown


def test_a_whole_answer_that_was_asked_for_teaches_as_well() -> None:
    """Some servers refuse the field `stream` whatever its value."""
    dialect = Dialect("chat", "m")
    asking = Asking(dialect, ASK, 1, None, 9, is_whole=True)
    assert json.loads(asking.body())["stream"] is False
    said = {"error": {"message": "Unsupported parameter: 'stream'", "param": "stream"}}
    assert asking.learn(read_complaint(400, said, NO_KEY))
    assert "stream" not in json.loads(asking.body())

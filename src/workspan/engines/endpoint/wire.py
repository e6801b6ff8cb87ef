"""What servers send back: the usual event at once, an odd one field by field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from workspan.engines.confidence import confidence
from workspan.engines.endpoint.complaints import is_complaint
from workspan.errors import EngineProtocolError


class Delta(msgspec.Struct):
    """New text of a choice, in every spelling; `text` and `thought` read them."""

    content: str | None = None
    reasoning_content: str | None = None
    """DeepSeek, vLLM, SGLang, llama.cpp, LiteLLM."""
    reasoning: str | None = None
    """OpenRouter, newer vLLM, Ollama, Groq."""
    refusal: str | None = None
    thinking: str | None = None
    """Ollama's own name; Mistral's parts of that type are gathered here, too."""
    reasoning_details: Any = None
    """OpenRouter's parts, mostly beside `reasoning`."""
    thinking_blocks: Any = None
    """LiteLLM's parts, mostly beside `reasoning_content`."""
    tool_calls: Any = None
    function_call: Any = None
    """Their older form."""

    @property
    def thought_name(self) -> str:
        """The field that it is in: "reasoning" or "reasoning_content"."""
        return "reasoning" if self.reasoning and not self.reasoning_content else "reasoning_content"

    @property
    def thought(self) -> str:
        """What was thought; what servers repeat under several names counts once."""
        told: list[str] = []
        parts = self.reasoning_details or self.thinking_blocks
        listed = "".join(read_parts(parts)) if parts else ""
        for text in (self.reasoning_content, self.reasoning, self.thinking, listed):
            if text and not any(text in other for other in told):
                told = [*(other for other in told if other not in text), text]
        return "".join(told)


class Alternative(msgspec.Struct):
    """A token that might have been decoded."""

    logprob: float
    token: str = ""
    bytes: list[int] | None = None


class TokenLogprob(msgspec.Struct):
    """One decoded token, and the most likely ones in its place."""

    logprob: float
    top_logprobs: list[Alternative] | None = None
    token: str = ""
    bytes: list[int] | None = None


class Logprobs(msgspec.Struct):
    """`content` in the chat form and llama.cpp, the other two in the completion form."""

    content: list[TokenLogprob] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None

    @property
    def values(self) -> list[float]:
        """One value for each decoded token."""
        if self.content is not None:
            return [token.logprob for token in self.content]
        return [value or 0.0 for value in self.token_logprobs or ()]

    @property
    def confidences(self) -> list[float]:
        """Minus the mean over the alternatives, one for each token; empty where none are told."""
        if self.content is not None:
            told = [[other.logprob for other in t.top_logprobs or ()] for t in self.content]
        else:
            told = [list((others or {}).values()) for others in self.top_logprobs or ()]
        return [confidence(alternatives) for alternatives in told] if any(told) else []


class PromptDetails(msgspec.Struct):
    """Parts of the prompt's tokens."""

    cached_tokens: int | None = None


class CompletionDetails(msgspec.Struct):
    """Parts of the completion's tokens."""

    reasoning_tokens: int | None = None


class Report(msgspec.Struct):
    """The server's `usage`. A count of 0 is one that was not told."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    """Of prompt and completion; more than their sum where thinking stands beside the completion."""
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    cost: float | None = None
    """USD, from servers that charge by the call."""
    input_tokens: int = 0
    """Anthropic's name for the prompt's; gateways pass it on. Folded into `prompt_tokens`."""
    output_tokens: int = 0
    """Likewise, into `completion_tokens`."""
    prompt_cache_hit_tokens: int | None = None
    """DeepSeek's name for the cached ones. Folded into `prompt_tokens_details`."""

    def __post_init__(self) -> None:
        """Write what has another name under the usual one."""
        self.prompt_tokens = self.prompt_tokens or self.input_tokens
        self.completion_tokens = self.completion_tokens or self.output_tokens
        if self.prompt_cache_hit_tokens is not None and self.prompt_tokens_details is None:
            self.prompt_tokens_details = PromptDetails(self.prompt_cache_hit_tokens)


class Choice(msgspec.Struct):
    """A piece of one completion; `message` comes from servers that do not stream."""

    index: int = 0
    delta: Delta | None = None
    message: Delta | None = None
    text: str | None = None
    logprobs: Logprobs | None = None
    finish_reason: str | None = None
    usage: Report | None = None
    """Where a server, such as Moonshot's, puts it here and not into the event."""


class Event(msgspec.Struct):
    """One server-sent event, or the whole reply of a server that does not stream."""

    choices: list[Choice] = msgspec.field(default_factory=list)
    usage: Report | None = None
    error: Any = None
    service_tier: str | None = None
    """In which of its lanes the provider served the request."""


_decode = msgspec.json.Decoder(list[Event]).decode


def decode_usual(events: Sequence[bytes]) -> list[Event] | None:
    """Read events at once where every field of all is of its type and says something, else None."""
    try:
        read = _decode(b"[%b]" % b",".join(events))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(read) != len(events):
        return None
    for event in read:
        if not (event.choices or event.usage is not None or event.error):
            return None
    return read


def decode_event(data: bytes, *, is_error: bool = False) -> Event:
    """Read any event's JSON; a field of another type than it should be is absent.

    Args:
        data: the JSON.
        is_error: the server has marked it as an error, whatever it holds.

    Raises:
        EngineProtocolError: it is no JSON, or no event.
    """
    try:
        told = json.loads(data)  # which reads numbers beyond a float's range, too
        return Event(error=told or "no reason") if is_error else read_event(told)
    except (TypeError, ValueError, RecursionError) as error:
        if is_error and not isinstance(error, RecursionError):
            return Event(error=data.decode(errors="replace"))
        raise malformed(error, data) from error


def malformed(error: Exception, data: bytes) -> EngineProtocolError:
    """Say what is wrong with an event without repeating it."""
    why = "nested too deeply" if isinstance(error, RecursionError) else error
    return EngineProtocolError(f"malformed stream: {why} in an event of {len(data)} bytes")


def read_event(told: Any) -> Event:
    """Read a decoded event; a field of another type than it should be is absent.

    Raises:
        TypeError: it is no event at all.
    """
    if told is None:
        return Event()
    if is_complaint(told):
        return Event(error=told)
    choices = told.get("choices") if isinstance(told, dict) else ()
    if not isinstance(told, dict) or not isinstance(choices, list | None):
        raise TypeError("no object with a list of choices")
    return Event(
        [_choice(entry) for entry in choices or () if isinstance(entry, dict)],
        _report(told.get("usage")),
        told.get("error"),
        _text(told.get("service_tier")) or None,
    )


def _choice(told: dict[str, Any]) -> Choice:
    reason = told.get("finish_reason")
    return Choice(
        _count(told.get("index")) or 0,
        _delta(told.get("delta")),
        _delta(told.get("message")),
        _text(told.get("text")),
        _logprobs(told.get("logprobs")),
        None if reason is None else str(reason),
        _report(told.get("usage")),
    )


def _delta(told: Any) -> Delta | None:
    if isinstance(told, str):
        return Delta(told)
    if not isinstance(told, dict):
        return None
    content, thinking = told.get("content"), _text(told.get("thinking"))
    if isinstance(content, list | dict):
        content, thought = read_parts(content)
        thinking = thought or thinking
    return Delta(
        _text(content),
        _text(told.get("reasoning_content")),
        _text(told.get("reasoning")),
        _text(told.get("refusal")),
        thinking,
        told.get("reasoning_details"),
        told.get("thinking_blocks"),
        told.get("tool_calls"),
        told.get("function_call"),
    )


def read_parts(parts: Any) -> tuple[str, str]:
    """Return the text and the thinking in a content that is given as a list of parts.

    OpenAI's and Anthropic's parts have a `type` and their text under `text`; Mistral's thinking is
    a list of such parts again, OpenRouter's a `text` or a `summary`.
    """
    text: list[str] = []
    thought: list[str] = []
    for part in [parts] if isinstance(parts, dict | str) else _list(parts):
        if isinstance(part, str):
            text.append(part)
        elif isinstance(part, dict):
            kind = str(part.get("type", ""))
            found = thought if kind.startswith(_THINKING) or "thinking" in part else text
            inner = next((part[name] for name in _PART_TEXTS if part.get(name)), "")
            found.append(inner if isinstance(inner, str) else "".join(read_parts(inner)))
    return "".join(text), "".join(thought)


_DIGITS = 16
_ENDLESS = 1e300
_THINKING = ("think", "reason", "summary")
_PART_TEXTS = ("text", "thinking", "reasoning", "summary", "content", "refusal")


def _logprobs(told: Any) -> Logprobs | None:
    """Read them whole or not at all: they are one a token."""
    try:
        return msgspec.convert(told, Logprobs | None)
    except msgspec.ValidationError:
        return None


def _report(told: Any) -> Report | None:
    if not isinstance(told, dict):
        return None
    counts = {name: _count(told.get(name)) or 0 for name in _COUNTS}
    prompt, completion = (_dict(told.get(f"{name}_details")) for name in _COUNTS[:2])
    return Report(
        **counts,
        prompt_tokens_details=PromptDetails(_count(prompt.get("cached_tokens"))),
        completion_tokens_details=CompletionDetails(_count(completion.get("reasoning_tokens"))),
        cost=_money(told.get("cost")),
        prompt_cache_hit_tokens=_count(told.get("prompt_cache_hit_tokens")),
    )


_COUNTS = (
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "input_tokens",
    "output_tokens",
)


def _count(told: Any) -> int | None:
    """Return a count, also one written as digits; a fraction or a truth value is none."""
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < _DIGITS:
        return int(told)
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def _money(told: Any) -> float | None:
    """Return a finite number."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not abs(told) < _ENDLESS:
        return None
    return float(told)


def _text(told: Any) -> str | None:
    """Return a text, or that of parts."""
    if isinstance(told, list | dict):
        told = "".join(read_parts(told))
    return told if isinstance(told, str) else None


def _list(told: Any) -> list[Any]:
    return told if isinstance(told, list) else []


def _dict(told: Any) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}

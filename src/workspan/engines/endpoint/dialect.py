"""How one server wants to be asked: a request's fields, and what its rejections have taught."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from workspan.data.efforts import effort_for, merged, placed
from workspan.data.types import Notice, NoticeCode, Request
from workspan.engines.endpoint.complaints import Complaint
from workspan.engines.endpoint.lessons import (
    CAP_NAMES,
    SETTINGS,
    is_cap_refused,
    limits_told,
    refused_fields,
)
from workspan.errors import ContextExceeded, EngineRejected, InputError
from workspan.protocol.chat import write_settings
from workspan.protocol.chat_messages import write_messages

ThinkingCap: TypeAlias = Literal[
    "thinking_token_budget",
    "thinking_budget",
    "thinking_budget_tokens",
    "reasoning",
    "thinking",
]
"""vLLM's field, Qwen's and SiliconFlow's, llama.cpp's, OpenRouter's, and Anthropic's as gateways
pass it on."""
THINKING_CAPS: Mapping[ThinkingCap, Callable[[int], dict[str, Any]]] = {
    "thinking_token_budget": lambda cap: {"thinking_token_budget": cap},
    "thinking_budget": lambda cap: {"thinking_budget": cap},
    "thinking_budget_tokens": lambda cap: {"thinking_budget_tokens": cap},
    "reasoning": lambda cap: {"reasoning": {"max_tokens": cap}},
    "thinking": lambda cap: {"thinking": {"type": "enabled", "budget_tokens": cap}},
}

_RUNNING = "continuous_usage_stats"
"""vLLM's and SGLang's option of a stream: each piece carries the count so far."""

Form: TypeAlias = Literal["chat", "completion"]
"""Messages that the server's template frames, or one plain text that the model continues."""


@dataclass(slots=True)
class Dialect:
    """What is known of one server and model, shared by all calls of an engine."""

    form: Form
    model: str
    sends_seed: bool = True
    reasoning_effort: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields that the engine's owner adds to every request."""
    thinking_cap: ThinkingCap | None = None
    """How the server wants a cap on thinking to be written."""
    effort_field: str = ""
    """Where the server takes an effort, as its owner says; "" is as the table of models has it."""
    continuous_usage: bool = False
    """Pieces of a stream are asked to carry the count so far."""
    cap_name: str = CAP_NAMES[0]
    context: int | None = None
    """Prompt and completion together, in tokens: stated, found, or learnt from a refusal."""
    completion: int | None = None
    """The most tokens of one answer, learnt from a refusal."""
    stated: frozenset[str] = frozenset()
    """Fields that the engine's owner has said the server takes none of."""
    refused: set[str] = field(default_factory=set)
    """Fields that are sent no more, those stated included."""

    def __post_init__(self) -> None:
        """Leave out from the start what was stated."""
        self.refused |= self.stated

    @property
    def path(self) -> str:
        """Where completions are asked for, below the server's address."""
        return "chat/completions" if self.form == "chat" else "completions"

    @property
    def streams(self) -> bool:
        """The server can be heard, and cut, while it decodes."""
        return "stream" not in self.refused

    def fields(self, request: Request, cap: int, n: int = 1) -> dict[str, Any]:
        """Write a request's fields, those left out that the server refuses."""
        body: dict[str, Any] = {"model": self.model, "stream": True, **self._prompt(request)}
        told = {"include_usage": True} | ({_RUNNING: True} if self.continuous_usage else {})
        body |= {self.cap_name: cap, "stream_options": told}
        body |= {
            name: value
            for name, value, is_set in (
                ("temperature", request.temperature, request.temperature is not None),
                ("n", n, n > 1),
                ("top_p", request.top_p, request.top_p != 1.0),
                ("stop", request.stop, bool(request.stop)),
            )
            if is_set
        }
        if self.sends_seed:
            body["seed"] = request.seed & 0x7FFFFFFF  # servers take 32 bits, some of them signed
        body |= self._logprobs(request)
        body |= self.effort(request)[0] | write_settings(request) | self.capped_thinking(request)
        for extra in (self.extra, request.extra.value if request.extra else {}):
            body = merged(body, extra) if extra else body
        if self.refused:
            for name in self.refused:
                body.pop(name, None)
            if not self.streams:  # not even a false one: whole replies are what everyone has
                body.pop("stream_options", None)
        return body

    def effort(self, request: Request) -> tuple[dict[str, Any], str]:
        """Write how much to think as this model takes it, and say what that changed.

        What its class has nothing near to is sent as it is: the server says what it thinks of it.
        """
        asked = request.reasoning_effort or self.reasoning_effort
        if not asked:
            return {}, ""
        if self.effort_field:
            return placed(self.effort_field, asked), ""
        try:
            told = effort_for(self.model, asked)
        except InputError:
            return {"reasoning_effort": asked}, ""
        is_word = told.level is not None
        return {"reasoning_effort": told.level} if is_word else {**told.fields}, told.said

    def capped_thinking(self, request: Request) -> dict[str, Any]:
        """Write the cap on thinking, if there is one and the server takes such a field."""
        if request.max_reasoning_tokens is None or self.thinking_cap is None:
            return {}
        return THINKING_CAPS[self.thinking_cap](request.max_reasoning_tokens)

    def _logprobs(self, request: Request) -> dict[str, Any]:
        if "logprobs" in self.refused:
            return {}  # alternatives are refused without them
        alternatives = 0 if "top_logprobs" in self.refused else request.top_logprobs
        if not request.logprobs and not alternatives:
            return {}
        if self.form == "completion":
            return {"logprobs": max(1, alternatives)}
        return {"logprobs": True, **({"top_logprobs": alternatives} if alternatives else {})}

    def _prompt(self, request: Request) -> dict[str, Any]:
        if self.form == "completion":
            return {"prompt": plain_prompt(request)}
        return chat_prompt(request)


class Asking:
    """One request on its way: written, refused, written anew, until a reply comes."""

    def __init__(
        self,
        dialect: Dialect,
        request: Request,
        n: int,
        prompt: int | None,
        bound: int,
        *,
        is_whole: bool = False,
    ) -> None:
        """Begin to ask.

        Args:
            dialect: how the server wants to be asked, as far as is known.
            request: what for.
            n: choices.
            prompt: the server's own count of the prompt's tokens, if it was asked.
            bound: a bound of them from above.
            is_whole: ask for the whole reply, not for a stream.
        """
        self._is_whole = is_whole
        self._dialect = dialect
        self._request = request
        self._n = n
        self._prompt = prompt
        self._bound = bound
        self._sent: dict[str, Any] = {}
        self._cap = request.max_tokens
        self._knew_context = dialect.context is not None
        self._refits = 0
        needed = [name for name in self._needed if name in dialect.refused]
        if needed:
            raise EngineRejected(_missing(needed[0]))
        self._fit()

    @property
    def _needed(self) -> tuple[str, ...]:
        """What the strategy rests on: without it the answer would be another one."""
        request = self._request
        asked = {
            "logprobs": request.logprobs,
            "stop": bool(request.stop),
            "tools": bool(request.tools),
            "tool_choice": request.tool_choice is not None,
            "response_format": request.response_format is not None,
            "logit_bias": request.logit_bias is not None,
            **dict.fromkeys([*request.extra, *self._dialect.capped_thinking(request)], True),
        }
        return tuple(name for name, is_asked in asked.items() if is_asked)

    def body(self) -> bytes:
        """Write the request's JSON as the server is known to want it now."""
        self._sent = self._dialect.fields(self._request, self._cap, self._n)
        if self._is_whole and self._dialect.streams:
            self._sent["stream"] = False
            self._sent.pop("stream_options", None)
        return msgspec.json.encode(self._sent)

    @property
    def is_capped(self) -> bool:
        """The server's limits leave less than was asked for."""
        return self._cap < self._request.max_tokens

    @property
    def notices(self) -> list[Notice]:
        """What of the request was given up for this server, as its owner must know it."""
        dialect = self._dialect
        said: list[Notice] = []
        if changed := dialect.effort(self._request)[1]:
            said.append(Notice("no_effect", changed))
        if self.is_capped:
            said.append(
                Notice("no_effect", "answers were capped at what the server's limits leave")
            )
        if dialect.refused:
            asked = set(self._sent) | self._wanted()
            lost = sorted((dialect.refused - dialect.stated) & asked)
            said += [Notice(self._lost(one), text) for one in lost if (text := _given_up(one))]
        return said

    def _lost(self, name: str) -> NoticeCode:
        """Return what is lost with a field, for who branches by it."""
        if name.endswith("logprobs"):
            return "no_logprobs"
        return "no_effort" if name in self._dialect.effort(self._request)[0] else "no_effect"

    def _wanted(self) -> set[str]:
        """Return the fields that would be sent to a server that refuses nothing."""
        dialect = self._dialect
        whole = Dialect(
            dialect.form,
            dialect.model,
            dialect.sends_seed,
            dialect.reasoning_effort,
            dialect.extra,
            dialect.thinking_cap,
            dialect.effort_field,
        )
        return set(whole.fields(self._request, 1, self._n))

    def learn(self, complaint: Complaint) -> bool:
        """Take what a refusal teaches; True if asking again may help.

        Each lesson takes a field away, renames the cap once or lowers it, so that they end.

        Raises:
            EngineRejected: the server refuses what the strategy rests on.
        """
        return self._learn_limits(complaint) or self._learn_fields(complaint)

    def _learn_fields(self, complaint: Complaint) -> bool:
        dialect = self._dialect
        named = refused_fields(complaint, self._sent, dialect.model)
        if "stream_options" in named and _RUNNING in self._sent["stream_options"]:
            dialect.continuous_usage = False  # the last count may come all the same
            return True
        lost = [name for name in named if name in self._needed]
        if lost:
            dialect.refused.add(lost[0])
            raise EngineRejected(f"{_missing(lost[0])}: {complaint.words}", status=complaint.status)
        used = next((name for name in CAP_NAMES if name in self._sent), "")
        is_cap = is_cap_refused(complaint, used, dialect.model)
        if is_cap and dialect.cap_name == used == CAP_NAMES[0]:
            dialect.cap_name = CAP_NAMES[1]
        is_cap = is_cap and dialect.cap_name != used
        dialect.refused |= named
        return bool(named) or is_cap

    def _learn_limits(self, complaint: Complaint) -> bool:
        """Take the limits that a refusal tells, and lower the cap to what they leave."""
        told = limits_told(complaint)
        if told is None:
            return False
        dialect, before = self._dialect, self._cap
        if told.completion is not None:
            dialect.completion = told.completion
        elif told.context is not None:
            dialect.context = told.context
            if told.prompt is not None:
                self._prompt = told.prompt
            if not self._knew_context:
                return False  # said once: the calls after this one fit
        self._refits += 1
        if self._refits > _REFITS:
            return False
        try:
            self._fit(is_last=self._refits > 1 or told.prompt is None)
        except ContextExceeded:
            return False
        return self._cap < before

    def _fit(self, *, is_last: bool = False) -> None:
        """Lower the cap to what the server's limits leave.

        Where only a bound of the prompt is known that leaves less than is asked for, a likely size
        is tried first: a refusal costs nothing and mostly tells the true one. The bound is the last
        try.

        Raises:
            ContextExceeded: the prompt alone fills the context.
        """
        dialect = self._dialect
        cap = min(self._request.max_tokens, dialect.completion or self._request.max_tokens)
        if (context := dialect.context) is not None:
            room = context - (self._bound if self._prompt is None else self._prompt)
            if self._prompt is None and room < cap and not is_last:
                room = max(room, context - self._bound // _BYTES_A_TOKEN, context // _LIKELY_ROOM)
            cap = min(cap, room)
        if cap < 1:
            raise ContextExceeded(
                f"the prompt leaves no room in the context of {dialect.context} tokens"
            )
        self._cap = cap


_REFITS = 2
_LIKELY_ROOM = 4
"""A prompt of unknown size is taken to leave the fourth part, at least, until the server says."""
_BYTES_A_TOKEN = 2
"""Of a likely prompt: English has four, Chinese two to three."""


def _missing(name: str) -> str:
    return f"the server refuses `{name}`, which this strategy rests on"


def _given_up(name: str) -> str:
    """Say what a setting's loss means; nothing for those whose loss changes no answer."""
    known = SETTINGS.get(name)
    if known is None:
        return f"the server refuses `{name}`: it was given up"
    return f"the server refuses `{name}`: {known.loss}" if known.loss else ""


def plain_prompt(request: Request) -> str:
    """Join the messages, a blank line between them, to one text for a model without a template."""
    return "\n\n".join(message.text for message in request.prompt) + request.prefix


def chat_prompt(request: Request) -> dict[str, Any]:
    """Write the messages, and what makes vLLM, SGLang and llama.cpp continue a last answer."""
    messages = write_messages(request.prompt)
    if not request.prefix:
        return {"messages": messages}
    messages.append({"role": "assistant", "content": request.prefix})
    flags = {"add_generation_prompt": False, "continue_final_message": True}
    return {"messages": messages, **flags}

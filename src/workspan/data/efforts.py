"""How much a class of models may be told to think: in which words, and where in a request.

Each provider takes other words, and answers the rest with a 400 of its own, after the request was
sent; some take a number of tokens instead, some a switch. One table says it for all rooms. It is
read in two ways: `effort_for` maps a word that a known class does not take to the nearest and says
so, as a gateway must; `exact_effort` refuses it, as who is to pay for a comparison must. Of a model
of no known class nobody knows anything: the first passes on what was asked, the second refuses it
until somebody states the field.

Each row names where it was read, and when. Words of providers change: a row that is older than the
model it is used for is to be looked up again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workspan.errors import InputError, nearest
from workspan.legible import quoted

LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""From the least thinking to the most."""
_LEAST = ("none", "minimal")

EFFORT_FIELDS = (
    "reasoning_effort",
    "reasoning.effort",
    "output_config.effort",
    "chat_template_kwargs.reasoning_effort",
)
"""Where servers take a word: OpenAI's chat and most others, OpenRouter and the Responses API,
Anthropic's Messages, and templates of llama.cpp, vLLM and SGLang."""


@dataclass(frozen=True, slots=True)
class ModelClass:
    """Models that take the same words."""

    name: str
    models: re.Pattern[str]
    """Found in a model's name, without what stands before a slash."""
    levels: tuple[str, ...] = ()
    """Of `LEVELS`, in their order; none where the class has no such setting."""
    instead: str = ""
    """What to use where there is no such setting, or no such level."""
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What stands for a level in place of `reasoning_effort`."""
    capped: bool = False
    """It also takes a number of tokens of thinking, by the field that its server has for it."""
    source: str = ""
    """Where that was read."""
    checked: str = ""
    """When: year and month."""

    @property
    def takes(self) -> str:
        """Say what it takes."""
        told = [", ".join(self.levels)] if self.levels else []
        told += ["a number of tokens, such as 8k"] if self.capped else []
        return ", or ".join(told) or "no effort"


_NEVER_STOPS = "it always thinks: leave reasoning_effort out, or cap max_reasoning_tokens"
_NEVER_THINKS = "it does not think: leave reasoning_effort out"
_HAS_A_CAP = "it is told by a number of tokens: give max_reasoning_tokens"
_OPENAI = "platform.openai.com/docs/guides/reasoning"
_AZURE = "learn.microsoft.com ReasoningEffort (azure.ai.projects)"
_CLAUDE = "platform.claude.com/docs/en/build-with-claude/effort"
_BUDGET = "platform.claude.com/docs/en/build-with-claude/extended-thinking"
_GEMINI = "ai.google.dev/gemini-api/docs/openai"
_THINKS = {"chat_template_kwargs": {"enable_thinking": True}}
_THINKS_NOT = {"chat_template_kwargs": {"enable_thinking": False}}
_ENABLED = {"thinking": {"type": "enabled"}}
_DISABLED = {"thinking": {"type": "disabled"}}


def _class(
    name: str,
    models: str,
    levels: str,
    source: str,
    checked: str = "2026-11",
    instead: str = "",
    fields: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    capped: bool = False,
) -> ModelClass:
    pattern = re.compile(models, re.IGNORECASE)
    held = tuple(levels.split())
    return ModelClass(name, pattern, held, instead, fields or {}, capped, source, checked)


CLASSES = (
    _class("OpenAI's o series", r"^o[1345](?:-|$)", "low medium high", _OPENAI),
    _class("gpt-5-pro", r"^gpt-5-pro", "high", _AZURE),
    _class("gpt-5.2-pro and later", r"^gpt-5\.[2-9]-pro", "medium high xhigh", _OPENAI),
    _class("gpt-5.1-codex-max", r"^gpt-5\.1-codex-max", "low medium high xhigh", _AZURE),
    _class("gpt-5.2 and later", r"^gpt-5\.[2-9]", "none low medium high xhigh", _AZURE),
    _class("gpt-5.1", r"^gpt-5\.1", "none low medium high", "openai/openai-agents-python #2089"),
    _class("gpt-5-chat", r"^gpt-5(?:\.\d)?-chat", "", _OPENAI, instead=_NEVER_THINKS),
    _class("gpt-5", r"^gpt-5(?![.\d])", "minimal low medium high", _AZURE),
    _class("gpt-oss", r"^gpt-oss", "low medium high", "huggingface.co/openai/gpt-oss-120b"),
    _class("OpenAI's older models", r"^(?:gpt-[34]|chatgpt-)", "", _OPENAI, instead=_NEVER_THINKS),
    _class(
        "Claude Opus 4.7 and later",
        r"^claude-(?:opus-4[-.][789]|(?:opus|sonnet|fable|mythos|haiku)-[5-9])",
        "low medium high xhigh max",
        _CLAUDE,
    ),
    _class("Claude 4.6", r"^claude-\w+-4[-.]6", "low medium high max", _CLAUDE, capped=True),
    _class("Claude Opus 4.5", r"^claude-opus-4[-.]5", "low medium high", _CLAUDE, capped=True),
    _class("Claude before", r"^claude-", "", _BUDGET, instead=_HAS_A_CAP, capped=True),
    _class("Gemini 3 pro", r"^gemini-3-pro", "low high", "docs.rs adk-model; hexdocs gemini_ex"),
    _class("Gemini 3.1 pro", r"^gemini-3[\w.]*-pro", "low medium high", "docs.rs adk-model 1.0"),
    _class("Gemini 3", r"^gemini-3", "minimal low medium high", "docs.rs adk-model 1.0"),
    _class("Gemini 2.5 pro", r"^gemini-2\.5-pro", "low medium high", _GEMINI, capped=True),
    _class("Gemini 2.5", r"^gemini-2\.5", "none low medium high", _GEMINI, capped=True),
    _class("Grok 4.3", r"^grok-4[.-]3", "none low medium high", "vercel/ai @ai-sdk/xai 4.0"),
    _class("Grok 3 mini", r"^grok-3-mini", "low high", "docs.x.ai/docs/guides/reasoning"),
    _class(
        "Grok 4 before 4.3",
        r"^grok-(?:4|code)",
        "",
        "acedergren/opencode-oci-provider v0.2.3",
        instead="its name says whether it thinks: choose -reasoning or -non-reasoning",
    ),
    _class(
        "DeepSeek V4",
        r"^deepseek-(?:v4|flash|pro)",
        "none low high max",
        "api-docs.deepseek.com/guides/thinking_mode",
        fields={"none": _DISABLED},
    ),
    _class(
        "DeepSeek-R1 and QwQ",
        r"^(?:deepseek-(?:r1|reasoner)|qwq)",
        "",
        "api-docs.deepseek.com/guides/reasoning_model",
        instead=_NEVER_STOPS,
    ),
    _class(
        "Mistral's that may think",
        r"^mistral-(?:medium-3[-.]5|small-4|small-26)",
        "none high",
        "pydantic/pydantic-ai #5285",
    ),
    _class(
        "GLM and Kimi, which think or do not",
        r"^(?:glm-(?:4\.[5-9]|5)|kimi-k2[.p][5-9])",
        "none high",
        "docs.z.ai/guides/capabilities/thinking-mode; zhing2006/krew-cli v0.11.8",
        instead="it thinks or does not: none, or high",
        fields={"none": _DISABLED, "high": _ENABLED},
    ),
    _class(
        "Qwen3, which thinks or does not",
        r"^qwen-?3(?![\w.-]*(?:instruct|thinking|coder|embed|rerank))",
        "none high",
        "qwen.readthedocs.io/en/latest/deployment/vllm.html",
        instead="it thinks or does not: none, or high",
        fields={"none": _THINKS_NOT, "high": _THINKS},
        capped=True,
    ),
)
"""The first that fits."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What is sent for an effort that was asked for."""

    level: str | None
    """For `reasoning_effort`; None leaves it out."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Sent in its place."""
    said: str = ""
    """What was changed; empty where nothing was."""
    tokens: int | None = None
    """Of thinking, at most, where it was asked for in tokens."""


def class_of(model: str) -> ModelClass | None:
    """Return the class of a model by its name; None where nobody knows it."""
    bare = model.rpartition("/")[2]
    return next((one for one in CLASSES if one.models.search(bare)), None)


def effort_for(model: str, asked: str) -> Effort:
    """Return what to send to a model for an effort.

    Raises:
        InputError: it is no effort that anyone knows, or the model has nothing near it.

    Example:
        >>> effort_for("gpt-5", "xhigh").level
        'high'
    """
    known = class_of(model)
    if known is None:
        return Effort(asked)
    if asked not in LEVELS:
        raise InputError(f"reasoning_effort is {quoted(asked)}: {nearest(asked, LEVELS)}")
    if not known.levels:
        if asked == "none" and known.instead is _NEVER_THINKS:
            return Effort(None)
        raise InputError(f"{model} ({known.name}) takes no reasoning_effort: {known.instead}")
    level = _near(asked, known)
    said = "" if level == asked else f"{model} takes no effort {asked!r}: {level!r} was asked for"
    if level in known.fields:
        return Effort(None, known.fields[level], said)
    return Effort(level, said=said)


_TOKENS = re.compile(r"(\d{1,7})(k?)")


def thinking_tokens(asked: str) -> int | None:
    """Read an effort that is a number of tokens, such as ``8000`` or ``32k``; None if it is a word.

    Example:
        >>> thinking_tokens("32k"), thinking_tokens("high")
        (32000, None)
    """
    found = _TOKENS.fullmatch(asked.strip().lower())
    return int(found[1]) * (1000 if found[2] else 1) if found else None


_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,30}")


def check_form(asked: str) -> None:
    """Refuse what is no effort for any model.

    Raises:
        InputError: it is neither a word nor a number of tokens.
    """
    if thinking_tokens(asked) is None and not _WORD.fullmatch(asked):
        raise InputError(
            f"an effort is one word, such as low or high, or a number of tokens, such as 8k, not "
            f"{quoted(asked)}"
        )


def exact_effort(model: str, asked: str, *, stated: bool = False) -> Effort:
    """Return what to send for an effort that may be no other: who compares two pays for both.

    Args:
        model: its name.
        asked: a word of the model's class, or a number of tokens.
        stated: somebody has said how this server takes it, whatever the table says.

    Raises:
        InputError: it is no effort, the model is of no known class, or its class does not take
            that; it says what would be right. Nothing was sent.

    Example:
        >>> exact_effort("gpt-5.1", "high").level
        'high'
        >>> exact_effort("claude-opus-4-6", "32k").tokens
        32000
    """
    check_form(asked)
    tokens = thinking_tokens(asked)
    if tokens == 0:
        raise InputError("an effort of 0 tokens: write none, where the model takes it")
    if stated:
        return Effort(None, tokens=tokens) if tokens is not None else Effort(asked)
    known = class_of(model)
    if known is None:
        raise InputError(
            f"nobody knows what efforts {quoted(model)} takes: it might refuse a request, or think "
            "as it likes at your cost; state the field that its server has for it "
            f"(effort_field: {', '.join(EFFORT_FIELDS)}), or for a number of tokens thinking_cap"
        )
    if tokens is not None and known.capped:
        return Effort(None, tokens=tokens)
    if tokens is not None or asked not in known.levels:
        hint = "" if known.levels or known.capped else f": {known.instead}"
        whose = model if model == known.name else f"{model} ({known.name})"
        raise InputError(
            f"{whose} takes no effort {quoted(asked)}; it takes {known.takes}{hint} "
            f"({known.source}, {known.checked})"
        )
    if asked in known.fields:
        return Effort(None, known.fields[asked])
    return Effort(asked)


def placed(path: str, value: object) -> dict[str, Any]:
    """Write a value at a dotted place of a request.

    Example:
        >>> placed("reasoning.effort", "low")
        {'reasoning': {'effort': 'low'}}
    """
    *outer, name = path.split(".")
    held: dict[str, Any] = {name: value}
    for one in reversed(outer):
        held = {one: held}
    return held


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Put two sets of fields together, objects within them too; the second's stand.

    Example:
        >>> merged({"a": {"b": 1}}, {"a": {"c": 2}})
        {'a': {'b': 1, 'c': 2}}
    """
    found = dict(first)
    for name, value in second.items():
        held = found.get(name)
        is_both = isinstance(held, Mapping) and isinstance(value, Mapping)
        found[name] = merged(held, value) if is_both else value  # type: ignore[arg-type]  # as told
    return found


def _near(asked: str, known: ModelClass) -> str:
    """Return the level that comes nearest, of two the lower.

    Raises:
        InputError: no thinking was asked for, and there is no way to have so little.
    """
    if asked in known.levels:
        return asked
    if asked == "none" and known.levels[0] not in _LEAST:
        listed = ", ".join(known.levels)
        raise InputError(f"reasoning_effort 'none': {known.name} always thinks; it takes {listed}")
    place = LEVELS.index(asked)
    return min(known.levels, key=lambda one: (abs(LEVELS.index(one) - place), LEVELS.index(one)))

"""What a reasoning effort means to a class of models: passed on, mapped to the nearest, or refused.

Each provider takes other words, and answers the rest with a 400 of its own, after the request was
sent. So a word that a known class does not take is mapped here, and it is said that it was; what
nothing comes near is refused, with what would be right. A model of no known class gets what was
asked: its server decides.
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


def _class(name: str, models: str, levels: str, instead: str = "") -> ModelClass:
    return ModelClass(name, re.compile(models, re.IGNORECASE), tuple(levels.split()), instead)


_NEVER_STOPS = "it always thinks: leave reasoning_effort out, or cap max_reasoning_tokens"
_NEVER_THINKS = "it does not think: leave reasoning_effort out"
_HAS_A_CAP = "it is told by a number of tokens: give max_reasoning_tokens"

CLASSES = (
    _class("OpenAI's o series", r"^o[1345](?:-|$)", "low medium high"),
    _class("gpt-5-pro", r"^gpt-5-pro", "high"),
    _class("gpt-5.2-pro and later", r"^gpt-5\.[2-9]-pro", "medium high xhigh"),
    _class("gpt-5.1-codex-max", r"^gpt-5\.1-codex-max", "low medium high xhigh"),
    _class("gpt-5.2 and later", r"^gpt-5\.[2-9]", "none low medium high xhigh"),
    _class("gpt-5.1", r"^gpt-5\.1", "none low medium high"),
    _class("gpt-5-chat", r"^gpt-5(?:\.\d)?-chat", "", _NEVER_THINKS),
    _class("gpt-5", r"^gpt-5(?![.\d])", "minimal low medium high"),
    _class("gpt-oss", r"^gpt-oss", "low medium high"),
    _class("OpenAI's older models", r"^(?:gpt-[34]|chatgpt-)", "", _NEVER_THINKS),
    _class("Claude 4.7 and later", r"^claude-\w+-4[-.][789]", "low medium high xhigh max"),
    _class("Claude 4.5 and 4.6", r"^claude-\w+-4[-.][56]", "low medium high max"),
    _class("Claude before 4.5", r"^claude-", "", _HAS_A_CAP),
    _class("Gemini 3 pro", r"^gemini-3[\w.]*-pro", "low medium high"),
    _class("Gemini 3", r"^gemini-3", "minimal low medium high"),
    _class("Gemini 2.5 pro", r"^gemini-2\.5-pro", "low medium high"),
    _class("Gemini 2.5", r"^gemini-2\.5", "none low medium high"),
    _class("Grok 3 mini", r"^grok-3-mini", "low high"),
    _class("DeepSeek-R1 and QwQ", r"^(?:deepseek-(?:r1|reasoner)|qwq)", "", _NEVER_STOPS),
    ModelClass(
        "Qwen3, which thinks or does not",
        re.compile(r"^qwen-?3(?![\w.-]*(?:instruct|thinking|coder|embed|rerank))", re.IGNORECASE),
        ("none", "high"),
        "it thinks or does not: none, or high",
        {
            "none": {"chat_template_kwargs": {"enable_thinking": False}},
            "high": {"chat_template_kwargs": {"enable_thinking": True}},
        },
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


def answer_room(cap: int) -> int:
    """Return the tokens of a cap that thinking must leave for the answer."""
    return min(max(_LEAST_ROOM, cap // 4), (cap + 1) // 2)


_LEAST_ROOM = 256


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

"""What is worth scaling: kinds of turns, how each is compared, and the rule that a reply names.

A vote needs answers that can be the same. Calls of tools and structured output are compared by
value; a short answer where the prompt itself says the form that it is to have; everything else is a
text like no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from workspan.types import AnswerKind, Request


@dataclass(frozen=True, slots=True)
class TurnKind:
    """One kind."""

    name: str
    fits: Callable[[Request], bool]
    compares: AnswerKind
    """How texts are compared; calls of tools are always compared by value."""
    rule: str
    """How the drafts are voted on, for the reply."""
    is_votable: bool = True


def kind_of(request: Request) -> TurnKind:
    """Return the kind of the turn that a request asks for."""
    return next(kind for kind in KINDS if kind.fits(request))


def _calls_tools(request: Request) -> bool:
    return request.may_call and request.tool_choice != "none"


def has_form(request: Request) -> bool:
    """Say whether an answer is to be JSON."""
    form = request.response_format
    return form is not None and form.value.get("type") in ("json_schema", "json_object")


def _asks(pattern: str) -> Callable[[Request], bool]:
    found = re.compile(pattern, re.IGNORECASE)
    return lambda request: found.search(_instructions(request)) is not None


_OPTION = re.compile(r"^[ \t]{0,4}\(?([A-Z])[).:][ \t]+\S", re.MULTILINE)
_MARK = re.compile(
    r"(?:end|finish|conclude|last line|final line|answer|reply|respond)\b[^\n]{0,80}"
    r"(?:^|[\s:'\"`*])Answer: ?[<\[{$(\"'\w]",
    re.IGNORECASE | re.MULTILINE,
)
_LETTER = re.compile(
    r"\b(?:answer|reply|respond|choose|select|pick|give)\b[^\n]{0,60}"
    r"\b(?:letter|one of the (?:options|choices)|option letter)\b",
    re.IGNORECASE,
)


def _chooses(request: Request) -> bool:
    text = _instructions(request)
    is_told = _LETTER.search(text) is not None or _MARK.search(text) is not None
    return is_told and "AB" in "".join(_OPTION.findall(text))


def _marks(request: Request) -> bool:
    return _MARK.search(_instructions(request)) is not None


_LONGEST = 20_000
"""Characters of instructions that are looked at, from their end."""


def _instructions(request: Request) -> str:
    """Return what the system and the last turn say: what was said before is no instruction now."""
    *before, last = request.prompt
    told = [turn.text for turn in before if turn.role in ("system", "developer")]
    if last.role == "user":
        told.append(last.text)
    return "\n".join(told)[-_LONGEST:]


_ALWAYS: Callable[[Request], bool] = lambda _: True  # noqa: E731

KINDS = (
    TurnKind(
        "tools",
        _calls_tools,
        "open",
        "whether to call tools was voted on first, then the calls by value: names and arguments, "
        "several as a set",
    ),
    TurnKind(
        "structured",
        has_form,
        "json",
        "valid drafts were voted on by value; where all differ, the one that agrees with most "
        "fields was taken",
    ),
    TurnKind("choice", _chooses, "choice", "drafts were voted on by the option that they name"),
    TurnKind(
        "math",
        _asks(r"\b(?:in|inside|within|using)\b[^\n]{0,30}\\\\?boxed\b"),
        "math",
        "drafts were voted on by the formula in the box",
    ),
    TurnKind(
        "number",
        _asks(
            r"\b(?:answer|reply|respond|output)\b[^.\n]{0,40}\b(?:only|just|single)\b[^.\n]{0,20}"
            r"\b(?:number|integer)\b"
        ),
        "number",
        "drafts were voted on by their number",
    ),
    TurnKind("marked", _marks, "text", "drafts were voted on by the answer that they mark"),
    TurnKind(
        "open",
        _ALWAYS,
        "open",
        "one call: no vote tells open texts apart, and neither a judge nor a verifier was given",
        is_votable=False,
    ),
)
"""The first that fits."""

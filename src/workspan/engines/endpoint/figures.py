"""A server's usage held against what it streamed: figures that can't be true never lower a bill.

Servers disagree on what they count. Thinking is part of `completion_tokens` with most, beside it
with xAI (UKGovernmentBEIS/inspect_ai issue 5528), and only in `total_tokens` with Gemini's
compatible endpoint. Cached prompt tokens are part of `prompt_tokens` with most, beside them with
Anthropic. What fits neither reading contradicts itself: the larger figure stands, and is named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec

from workspan.data.types import Prompt
from workspan.engines.endpoint.wire import Report

_LONGEST_TOKEN = 128
"""Characters of the longest tokens in known vocabularies: runs of blanks and dashes."""

_DENSE = re.compile(r"([0-9\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00010000-\U0010ffff])(?!\1)")
"""What is written without blanks, each time it is not the same again: vocabularies hold long runs
of one character. Digits, Chinese, Japanese and Korean, emoji."""

_DENSEST = 16
"""Of those, how many one token holds at most: phrases that a vocabulary holds whole are shorter."""

BEYOND = 2**40
"""Tokens that no call takes."""
_MOST_MONEY = Decimal(1_000_000)
"""USD that no call costs."""


class Shown(msgspec.Struct, frozen=True):
    """What a call has put on the wire: bounds that hold whatever the server reports."""

    cap: int
    """Tokens that were asked for."""
    decoded_least: int
    """Tokens that the text surely took."""
    decoded_most: int
    """Our own bound from above, an end token included."""
    text_least: int
    """Tokens that the text apart from streamed thinking surely took."""
    prompt_least: int
    """Tokens that the prompt's words surely took."""
    prompt_most: int
    """Our own bound of the prompt's tokens, or their known number."""


def together(choices: Sequence[Shown]) -> Shown:
    """Add up the choices of one reply, which share its prompt."""
    return Shown(
        cap=sum(choice.cap for choice in choices),
        decoded_least=sum(choice.decoded_least for choice in choices),
        decoded_most=sum(choice.decoded_most for choice in choices),
        text_least=sum(choice.text_least for choice in choices),
        prompt_least=choices[0].prompt_least,
        prompt_most=max(choice.prompt_most for choice in choices),
    )


class Figures(msgspec.Struct, frozen=True):
    """What is charged."""

    prompt: int | None
    """None where the server does not say, or says what can't be."""
    cached: int
    decoded: int
    reasoning: int
    cost: Decimal | None
    is_measured: bool
    """`decoded` is the server's own figure, and fits what was streamed."""
    contradictions: tuple[str, ...] = ()
    """What can't be true, completing "the server contradicts itself: …"."""


def least_tokens(text: str) -> int:
    """Return the tokens that a text takes at least: no token spans two words.

    Where words are not set apart by blanks, a token a word says nothing: there it is one for so
    many characters as no token is known to hold.
    """
    words = text.split()
    if len(text) <= _DENSEST or max(map(len, words), default=0) <= _DENSEST:
        return len(words)
    return sum(map(_least_of_word, words))


def _least_of_word(word: str) -> int:
    if len(word) <= _DENSEST:
        return 1
    dense = len(_DENSE.findall(word))
    return 1 + max((len(word) - 1) // _LONGEST_TOKEN, (dense - 1) // _DENSEST)


@lru_cache(maxsize=64)
def least_of_prompt(prompt: Prompt) -> int:
    """Return the tokens that a prompt's words take at least; samples share their prompt."""
    return sum(least_tokens(message.text) for message in prompt)


def reconcile(report: Report, shown: Shown) -> Figures:
    """Read a report so that what it says can be true, or take the dearer reading."""
    odd: list[str] = []
    thought = _natural("reasoning tokens", _reasoning(report), odd) or 0
    completion = _natural("completion tokens", report.completion_tokens, odd)
    prompt = _natural("prompt tokens", report.prompt_tokens, odd)
    total = _natural("total tokens", report.total_tokens, odd)
    cached = _natural("cached tokens", _cached(report), odd) or 0
    prompt, cached = _read(prompt, cached, total, shown, odd)
    if prompt is not None and prompt < shown.prompt_least:
        odd.append("it reports fewer prompt tokens than it was sent")
        prompt, cached = None, 0
    beyond = None if total is None or prompt is None else total - prompt
    decoded = _decoded(completion, thought, beyond, shown, odd)
    is_measured = decoded is not None and decoded >= shown.decoded_least
    if decoded is None:
        decoded = shown.decoded_most
    elif not is_measured:
        odd.append("it reports fewer tokens than it sent")
        decoded = max(shown.decoded_most, decoded)
    if decoded > shown.cap and shown.decoded_least <= shown.cap:
        odd.append("it reports more tokens than it was asked for")
    return Figures(
        prompt, cached, decoded, min(thought, decoded), _cost(report, odd), is_measured, tuple(odd)
    )


def _decoded(
    completion: int | None,
    thought: int,
    beyond: int | None,
    shown: Shown,
    odd: list[str],
) -> int | None:
    """Add thinking that stands beside the completion; `beyond` is what the total has for both."""
    if completion is None:
        least = thought + shown.text_least if thought else 0
        return max(beyond or 0, least) or None
    if beyond is not None and beyond < completion:
        odd.append("its total is less than its parts")
        beyond = None
    if beyond is not None and beyond > completion:
        return beyond
    if thought > completion and beyond is not None:
        odd.append("it reports more reasoning than it decoded")
        return completion + thought if completion + thought <= shown.cap else completion
    stands_beside = thought > completion or shown.text_least + thought > completion
    return completion + thought if stands_beside else completion


def _read(
    prompt: int | None, cached: int, total: int | None, shown: Shown, odd: list[str]
) -> tuple[int | None, int]:
    """Return the prompt's tokens and those of them that a cache served."""
    if prompt is None or cached <= prompt:
        return prompt, cached if prompt is not None else 0
    if prompt + cached <= max(shown.prompt_most, total or 0):  # beside, as Anthropic counts
        return prompt + cached, cached
    odd.append("it reports more cached tokens than it read")
    return prompt, 0


def _natural(name: str, value: int | None, odd: list[str]) -> int | None:
    """Return a count, or None where there is none; 0 is one that was not told."""
    if value is not None and not 0 <= value < BEYOND:
        odd.append(f"its {name} are {'negative' if value < 0 else 'beyond any count'}")
        return None
    return value or None


def _reasoning(report: Report) -> int | None:
    details = report.completion_tokens_details
    return details.reasoning_tokens if details else None


def _cached(report: Report) -> int | None:
    details = report.prompt_tokens_details
    return details.cached_tokens if details else None


def _cost(report: Report, odd: list[str]) -> Decimal | None:
    if report.cost is None:
        return None
    cost = Decimal(repr(report.cost))
    if not cost.is_finite() or not 0 <= cost <= _MOST_MONEY:
        odd.append("its cost is no amount of money")
        return None
    return cost


def running(report: Report) -> int:
    """Return what a report in mid-stream says was decoded so far.

    Gemini's compatible endpoint sends one with each piece, and thinking is only in its total.
    """
    completion, prompt, total = report.completion_tokens, report.prompt_tokens, report.total_tokens
    cached, beyond = _cached(report) or 0, total - prompt
    is_known = 0 < prompt < total < BEYOND and 0 <= cached <= prompt
    if not is_known or (cached and beyond == completion + cached):  # caches beside the prompt
        return completion
    return max(completion, beyond)


def merged(earlier: Report | None, later: Report) -> Report:
    """Return the last word of a server that reports more than once: counts only ever grow."""
    if earlier is None:
        return later
    if later.completion_tokens < earlier.completion_tokens:
        later.completion_tokens = earlier.completion_tokens
    later.prompt_tokens = max(later.prompt_tokens, earlier.prompt_tokens)
    later.total_tokens = max(later.total_tokens, earlier.total_tokens)
    later.prompt_tokens_details = later.prompt_tokens_details or earlier.prompt_tokens_details
    later.completion_tokens_details = (
        later.completion_tokens_details or earlier.completion_tokens_details
    )
    if later.cost is None:
        later.cost = earlier.cost
    return later
